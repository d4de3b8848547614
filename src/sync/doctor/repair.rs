//! The repairs, done under the workspace's lock.

use std::{collections::BTreeSet, time::SystemTime};

use jiff::Timestamp;
use serde::Serialize;

use super::{Finding, Repair, examine::hydrated_folders};
use crate::{
    cache,
    central::tree,
    fs,
    names::{ObjectId, Prefix},
    plan::{
        compare,
        hydrate::{FolderPlan, Remove, Write},
        listing,
    },
    stage::{
        fetch,
        hydrate::{self, FolderWork, HydratePlan},
        verify::{self, MarkerCheck},
    },
    state::lock::{Holder, Lock, LockError},
    sync::{
        SyncErrorKind, SyncOptions, Workspace, made_state,
        preview::{self, Ask, Preview},
    },
    text::Untrusted,
    workspace::{self, FolderState, FolderWriter, Marker},
};

/// Why a repair was not done.
#[derive(Debug, thiserror::Error)]
enum NotRepaired {
    #[error(transparent)]
    Stop(SyncErrorKind),
    #[error("{0}")]
    Folder(String),
}

impl<E: Into<SyncErrorKind>> From<E> for NotRepaired {
    fn from(err: E) -> Self {
        NotRepaired::Stop(err.into())
    }
}

/// What became of a repair.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Repaired {
    /// Which one.
    pub repair: Repair,
    /// Whether it was done.
    pub done: bool,
    /// What was done, or why not.
    pub message: Untrusted,
}

/// Takes the lock and does what can be done. Returns what was found and what became of it.
pub fn repair(
    workspace: &Workspace,
    options: &SyncOptions,
    ask: Ask,
) -> Result<(Vec<Finding>, Vec<Repaired>), SyncErrorKind> {
    let state = made_state(workspace.metis())?;
    let holder = Holder::this_process(Timestamp::now(), "git metis-sync doctor --fix");
    // Taking the lock sweeps some leftovers away by itself, and the lock is then held by us.
    let mut findings = super::examine(&preview::look(workspace, options, ask, &mut ())?);
    let lock = Lock::acquire(&state, options.lock_wait, &holder).map_err(|err| match err {
        LockError::Held { holder, .. } => SyncErrorKind::Locked {
            holder: holder.map_or("it does not say which".into(), |holder| holder.to_string().into()),
        },
        LockError::State(err) => SyncErrorKind::State(err),
    })?;
    let mut done = Vec::new();
    // A sync may have come in between: what would be mended is looked at again.
    look_again(
        workspace,
        options,
        &mut findings,
        &["state", "objects", "hydrated", "gitignore", "metis.db"],
    )?;
    if findings
        .iter()
        .any(|finding| finding.repair == Some(Repair::ResetStore))
    {
        let mut preview = preview::look(workspace, options, Ask::Nobody, &mut ())?;
        done.push(outcome(&Repair::ResetStore, reset_store(&mut preview, ask)));
        // What the damage had hidden.
        look_again(workspace, options, &mut findings, &["hydrated"])?;
    }
    let mut preview = preview::look(workspace, options, Ask::Nobody, &mut ())?;
    for repair in findings.iter().filter_map(|finding| finding.repair.as_ref()) {
        if *repair != Repair::ResetStore {
            done.push(outcome(repair, one(workspace, &mut preview, repair)));
        }
    }
    drop(lock);
    Ok((findings, done))
}

/// Replaces the findings of `checks` by those of now.
fn look_again(
    workspace: &Workspace,
    options: &SyncOptions,
    findings: &mut Vec<Finding>,
    checks: &[&str],
) -> Result<(), SyncErrorKind> {
    let now = super::examine(&preview::look(workspace, options, Ask::Nobody, &mut ())?);
    let is_of = |finding: &Finding| checks.contains(&finding.check);
    findings.retain(|finding| !is_of(finding));
    findings.extend(now.into_iter().filter(is_of));
    findings.sort_by_key(Finding::place);
    Ok(())
}

fn outcome(repair: &Repair, result: Result<String, NotRepaired>) -> Repaired {
    Repaired {
        repair: repair.clone(),
        done: result.is_ok(),
        message: result.unwrap_or_else(|err| err.to_string()).into(),
    }
}

fn one(workspace: &Workspace, preview: &mut Preview<'_>, repair: &Repair) -> Result<String, NotRepaired> {
    match repair {
        Repair::ResetStore => Ok(String::new()),
        Repair::RewriteMarker { prefix, tree } => rewrite_marker(preview, prefix, *tree),
        Repair::RestoreFolder { prefix, tree } => restore(preview, prefix, *tree),
        Repair::UnlistFolders => {
            let metis = workspace.metis().dir();
            for (prefix, state) in &preview.survey.folders {
                if matches!(state, FolderState::Marked(_)) {
                    // Opening it has it ignore itself.
                    FolderWriter::open(metis, &preview.survey, prefix, preview.ctx.limits.blob_bytes)
                        .map_err(|err| NotRepaired::Folder(err.to_string()))?;
                }
            }
            workspace::unlist_folders(metis)?;
            Ok("commit .metis/.gitignore if git tracks it".into())
        }
        Repair::SweepLeftovers => sweep(workspace, preview),
        Repair::DropStatCache => {
            if let Some(state) = &preview.state {
                state.remove(crate::state::STAT_CACHE)?;
            }
            Ok("the next sync reads every document once".into())
        }
        Repair::RebuildCache => {
            cache::forget(workspace.metis().path())?;
            let rebuilt = crate::sync::rebuild_cache(workspace)?;
            Ok(format!("metis.db has {} documents", rebuilt.documents))
        }
    }
}

fn reset_store(preview: &mut Preview<'_>, ask: Ask) -> Result<String, NotRepaired> {
    let Some(store) = &mut preview.store else {
        return Ok("there is none".into());
    };
    store.reset()?;
    match preview.cursor.head {
        Some(head) if ask != Ask::Nobody => {
            fetch::ensure_commit(&preview.ctx, store, head)?;
            Ok("received anew".into())
        }
        _ => Ok("the next sync receives it anew".into()),
    }
}

/// Writes the marker, once more only if every file is what the tree says.
fn rewrite_marker(preview: &Preview<'_>, prefix: &Prefix, tree: ObjectId) -> Result<String, NotRepaired> {
    let ctx = &preview.ctx;
    let Some(store) = &preview.store else {
        return Err(preview::not_at_hand(Some(tree)).into());
    };
    let metis = ctx.metis.dir();
    let survey = workspace::survey(metis, &BTreeSet::new())?;
    let check = verify::folder(ctx, store, prefix, Some(tree), &survey)?;
    if !check.has_right_content() || !matches!(check.marker, MarkerCheck::Lost | MarkerCheck::Foreign) {
        let path = format!("{prefix}/").into();
        return Err(SyncErrorKind::Restless { path }.into());
    }
    // It was just shown to be a copy.
    let mut survey = survey;
    survey.listed.insert(prefix.clone());
    let marker = Marker {
        central: ctx.upstream_name.clone(),
        tree: Some(tree),
        applying: None,
    };
    FolderWriter::open(metis, &survey, prefix, ctx.limits.blob_bytes)
        .and_then(|writer| writer.mark(&marker))
        .map_err(|err| NotRepaired::Folder(err.to_string()))?;
    Ok(format!("{} documents are as central's tree says", check.documents))
}

/// Brings the folder to the tree by the same means as a sync.
fn restore(preview: &Preview<'_>, prefix: &Prefix, at: ObjectId) -> Result<String, NotRepaired> {
    let ctx = &preview.ctx;
    let Some(store) = preview.store.as_ref().filter(|store| store.contains(at)) else {
        return Err(preview::not_at_hand(Some(at)).into());
    };
    let survey = workspace::survey(ctx.metis.dir(), &preview.cursor.folders.keys().cloned().collect())?;
    let target = listing::folder(prefix, tree::entries(store, at)?).documents;
    let present = verify::present(ctx, store, prefix);
    let differences = compare::compare(&target, &present);
    let wrong = differences
        .differing
        .iter()
        .map(|differing| &differing.code)
        .chain(&differences.missing);
    // No version is called ours: whatever is there instead is somebody's, and is kept.
    let files = FolderPlan {
        write: wrong
            .filter_map(|code| {
                Some(Write {
                    code: code.clone(),
                    blob: *target.get(code)?,
                    ours: Vec::new(),
                })
            })
            .collect(),
        remove: differences
            .extra
            .iter()
            .map(|code| Remove {
                code: code.clone(),
                ours: Vec::new(),
            })
            .collect(),
    };
    let plan = HydratePlan {
        work: vec![FolderWork {
            prefix: prefix.clone(),
            tree: at,
            from: Some(at),
            files,
        }],
        survey,
        ..HydratePlan::default()
    };
    let done = hydrate::apply(ctx, store, &plan, Timestamp::now(), &mut |_, _| {})?;
    if done.unfinished.contains(prefix) {
        let words = done
            .warnings
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join("; ");
        return Err(NotRepaired::Folder(words));
    }
    let pulled = done.pulled.get(prefix).copied().unwrap_or_default();
    let kept = match done.kept.as_slice() {
        [] => String::new(),
        [path] => format!("; what had been there is kept as .metis/{path}"),
        [first, ..] => {
            let folder = first.raw().rsplit_once('/').map_or("", |(folder, _)| folder);
            format!(
                "; what had been there ({} files) is kept in .metis/{folder}/",
                done.kept.len()
            )
        }
    };
    Ok(format!("{} written, {} removed{kept}", pulled.written, pulled.removed))
}

/// The lock has swept `.sync/` when it was taken.
fn sweep(workspace: &Workspace, preview: &Preview<'_>) -> Result<String, NotRepaired> {
    let metis = workspace.metis().dir();
    let now = SystemTime::now();
    fs::sweep_temps(metis, now)?;
    workspace::sweep_kept(metis);
    for prefix in hydrated_folders(&preview.cursor, preview) {
        if let Ok(folder) = metis.open_dir(prefix.as_str()) {
            fs::sweep_temps(&folder, now)?;
        }
    }
    // Only a rebuild can tell a dead build of the database from one that goes on.
    crate::sync::rebuild_cache(workspace)?;
    Ok("removed".into())
}
