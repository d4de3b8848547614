//! Everything here that a sync can make anew, thrown away: central's objects, the others' folders, the stat cache, our tables
//! in `metis.db`.
//!
//! What guards stays: the guard, and the cursor with what this clone and central had in common. So does every own document, and
//! what somebody edited in a copy is kept aside. The folders' trees stay noted in the cursor, so that after a run that was
//! killed half way any sync sees that they are missing.

use std::{collections::BTreeMap, fs, path::Path};

use serde::Serialize;

use crate::{
    cache,
    central::store::Store,
    names::Prefix,
    plan::hydrate::{FolderPlan, Remove},
    stage::{
        Context, fetch,
        hydrate::{self, HydratePlan},
    },
    state,
    sync::{
        Clock, Progress, Session, SyncErrorKind, SyncOptions, SyncReport, Workspace, cache as database, open_unmarked,
        preview::{self, Ask, CentralView},
    },
    workspace::{self, FolderState},
};

/// What there is to throw away.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct NukePlan {
    /// Central, from which it comes back.
    pub upstream: String,
    /// The copies of others' documents, by workspace.
    pub workspaces: BTreeMap<Prefix, usize>,
    /// Their bytes.
    pub folder_bytes: u64,
    /// Documents in our tables in `metis.db`.
    pub rows: u64,
    /// The bytes of central's objects in the user's cache, which serve all of the user's workspaces.
    pub store_bytes: u64,
    /// Own documents, which are not touched.
    pub own_documents: usize,
}

impl NukePlan {
    /// Copies in all.
    pub fn documents(&self) -> usize {
        self.workspaces.values().sum()
    }
}

/// Looks what there is, and whether it would come back: central has to answer, and nothing may stop a sync before it hydrates.
pub fn plan(
    workspace: &Workspace,
    options: &SyncOptions,
    progress: &mut dyn Progress,
) -> Result<NukePlan, SyncErrorKind> {
    workspace.needs_folder("nuke")?;
    let preview = preview::look(workspace, options, Ask::Central, progress)?;
    let comes_after = |stop: &SyncErrorKind| {
        matches!(
            stop,
            SyncErrorKind::Diverged { .. } | SyncErrorKind::Stale { .. } | SyncErrorKind::TooManyDeletes(_)
        )
    };
    if let Some(stop) = preview.stops.into_iter().find(|stop| !comes_after(stop)) {
        return Err(stop);
    }
    if let CentralView::Failed(err) = preview.central {
        return Err(err.into());
    }
    let metis = workspace.metis();
    let mut plan = NukePlan {
        upstream: preview.ctx.upstream_shown.clone(),
        rows: rows(workspace).unwrap_or_default(),
        store_bytes: preview.store.as_ref().map_or(0, |store| bytes_below(store.root())),
        own_documents: preview.own.documents.len(),
        ..NukePlan::default()
    };
    // What git tracks counts as this project's own, marker or not.
    let tracked = preview.ctx.project.tracked_folders();
    for (prefix, state) in &preview.survey.folders {
        let is_own = preview.ctx.owned.as_ref() == Some(prefix) || tracked.contains(prefix.as_str());
        if matches!(state, FolderState::Marked(_)) && !is_own {
            let documents = workspace::documents_in(metis.dir(), prefix)?;
            plan.folder_bytes += bytes_below(&metis.path().join(prefix.as_str()));
            plan.workspaces.insert(prefix.clone(), documents.len());
        }
    }
    Ok(plan)
}

fn rows(workspace: &Workspace) -> Option<u64> {
    let guard = workspace.guard().ok()?;
    let all = open_unmarked(workspace, &guard).ok()?.workspaces().ok()?;
    Some(all.iter().map(|workspace| workspace.documents).sum())
}

/// What the files below `folder` take, no link followed.
fn bytes_below(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| match entry.metadata() {
            Ok(meta) if meta.is_dir() => bytes_below(&entry.path()),
            Ok(meta) => meta.len(),
            Err(_) => 0,
        })
        .sum()
}

/// Throws away what [`plan()`] found, under the workspace's lock. The report says which edited copies were kept.
pub fn apply(
    workspace: &Workspace,
    options: &SyncOptions,
    plan: &NukePlan,
    progress: &mut dyn Progress,
) -> Result<SyncReport, SyncErrorKind> {
    let mut report = SyncReport::default();
    {
        let mut session = Session::new(workspace, options, progress, &mut report, Clock::start())?;
        let metis = session.ctx.metis;
        database::check_database(metis, session.ctx.project)?;
        let Some(mut cursor) = session.notebook.last.clone() else {
            return Err(SyncErrorKind::NeverSynced);
        };
        let mut store = fetch::store(&session.ctx, cursor.format, false)?;
        let folders = folders(&session.ctx, &store, plan)?;
        // From here on the next sync, whoever runs it, has everything to make anew.
        session.notebook.note_cache(&mut cursor, true);
        let done = hydrate::apply(&session.ctx, &store, &folders, session.clock.started, &mut |_, _| {})?;
        session.notebook.state.remove(state::STAT_CACHE)?;
        cache::forget(metis.path())?;
        store.reset()?;
        session.report.kept = done.kept;
        session.report.warnings.extend(done.warnings);
    }
    Ok(report)
}

/// The folders that go, as if their workspaces had left central.
fn folders(ctx: &Context<'_>, store: &Store, plan: &NukePlan) -> Result<HydratePlan, SyncErrorKind> {
    let metis = ctx.metis.dir();
    let survey = workspace::survey_of(metis, plan.workspaces.keys().cloned())?;
    let mut gone = Vec::new();
    for (prefix, state) in &survey.folders {
        let FolderState::Marked(marker) = state else { continue };
        let held = [marker.tree, marker.applying].map(|tree| hydrate::read_listing(store, prefix, tree));
        let remove = workspace::documents_in(metis, prefix)?.into_iter().map(|code| {
            let ours = held.iter().flatten().filter_map(|held| held.get(&code).copied());
            Remove {
                ours: ours.collect(),
                code,
            }
        });
        let files = FolderPlan {
            write: Vec::new(),
            remove: remove.collect(),
        };
        gone.push((prefix.clone(), files));
    }
    Ok(HydratePlan {
        survey,
        gone,
        ..HydratePlan::default()
    })
}
