//! Deciding what to do in all folders.

use std::collections::{BTreeMap, BTreeSet};

use super::{HydratePlan, Scope, read_listing, work};
use crate::{
    central::{CentralError, objects, store::Store},
    fs::DirError,
    names::{ObjectId, Prefix},
    plan::{
        guard::Lineage,
        hydrate::{self, Known},
        listing::{self, Documents},
    },
    stage::{Context, Warning, fetch::Snapshot},
    state::cursor::Cursor,
    workspace::{self, FolderState, Glance},
};

/// How long the lists of files of all folders that are read may be, in bytes: some six million documents.
const MOST_LISTED: u64 = 256 << 20;

/// Why no plan could be made at all.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// Central's root could not be read.
    #[error(transparent)]
    Central(#[from] CentralError),
    /// `.metis/` could not be read.
    #[error(transparent)]
    Dir(#[from] DirError),
}

/// Decides folder by folder. A folder whose listing cannot be read is left out and named; the others go on.
pub fn plan(
    ctx: &Context<'_>,
    store: &Store,
    cursor: &Cursor,
    snapshot: &Snapshot,
    glance: &Glance,
    scope: Scope<'_>,
) -> Result<HydratePlan, PlanError> {
    if !ctx.metis.has_folder() {
        return Ok(HydratePlan::default());
    }
    let root = listing::root(snapshot.root(store)?.entries());
    let mut plan = HydratePlan {
        warnings: Warning::left_out(root.skipped, None, 0).collect(),
        listed: root.workspaces,
        ..HydratePlan::default()
    };
    if let Some(owned) = &ctx.owned {
        plan.listed.remove(owned);
    }
    let (listed, left_out) = plan.listed.into_iter().partition(|(prefix, _)| ctx.hydrates(prefix));
    plan.listed = listed;
    plan.left_out = BTreeMap::into_keys(left_out).collect();
    plan.survey = if glance.as_known && !scope.recheck {
        let (stale, gone) = hydrate::stale(&cursor.folders, &plan.listed, &cursor.unfinished);
        workspace::survey_of(ctx.metis.dir(), stale.into_iter().chain(gone).cloned())?
    } else {
        workspace::survey(ctx.metis.dir(), &plan.listed.keys().cloned().collect())?
    };
    let mut planning = Planning {
        ctx,
        store,
        cursor,
        only: scope.only,
        recheck: scope.recheck,
        // Asked only where something is to be done: it costs a look through git's whole index.
        tracked: match plan.survey.folders.is_empty() {
            true => BTreeSet::new(),
            false => ctx.project.tracked_folders(),
        },
        plan,
    };
    planning.others();
    planning.gone(snapshot.lineage);
    Ok(planning.plan)
}

/// Decides how folders get to these `trees`, whatever central has.
pub fn back(
    ctx: &Context<'_>,
    store: &Store,
    cursor: &Cursor,
    trees: &BTreeMap<Prefix, ObjectId>,
) -> Result<HydratePlan, DirError> {
    let mut planning = Planning {
        ctx,
        store,
        cursor,
        only: &BTreeSet::new(),
        recheck: false,
        tracked: ctx.project.tracked_folders(),
        plan: HydratePlan {
            survey: workspace::survey_of(ctx.metis.dir(), trees.keys().cloned())?,
            listed: trees.clone(),
            ..HydratePlan::default()
        },
    };
    planning.others();
    Ok(planning.plan)
}

struct Planning<'p, 'a> {
    ctx: &'p Context<'a>,
    store: &'p Store,
    cursor: &'p Cursor,
    /// See [`plan()`].
    only: &'p BTreeSet<Prefix>,
    /// See [`Scope`].
    recheck: bool,
    /// Top folders of `.metis/` in which git tracks something.
    tracked: BTreeSet<String>,
    plan: HydratePlan,
}

impl Planning<'_, '_> {
    fn wants(&self, prefix: &Prefix) -> bool {
        self.only.is_empty() || self.only.contains(prefix)
    }

    /// The folders of workspaces that central has.
    fn others(&mut self) {
        let limits = self.ctx.limits;
        let left_out = beyond_limit(&self.plan.listed, &self.cursor.folders, self.only, limits.workspaces);
        if let Some(first) = left_out.first() {
            self.plan.warnings.push(Warning::TooManyWorkspaces {
                first: first.clone(),
                left_out: left_out.len(),
                limit: limits.workspaces,
            });
        }
        let too_long = self.too_long(&left_out);
        let mut room = limits.entries;
        let mut copies = BTreeSet::new();
        for (prefix, tree) in self.plan.listed.clone() {
            let is_wanted = self.wants(&prefix);
            if !is_wanted && self.cursor.folders.get(&prefix) == Some(&tree) {
                self.plan.in_step.insert(prefix, tree);
                continue;
            }
            if !is_wanted || left_out.contains(&prefix) {
                self.plan.unfinished.insert(prefix);
                continue;
            }
            let Some(state) = self.plan.survey.folders.get(&prefix) else {
                self.plan.in_step.insert(prefix, tree);
                continue;
            };
            let folder = work::Folder {
                ctx: self.ctx,
                store: self.store,
                prefix: &prefix,
                tree,
                recheck: self.recheck,
            };
            let work = if self.tracked.contains(prefix.as_str()) {
                Err(work::tracked_by_git(&prefix))
            } else if too_long.contains(&prefix) {
                Err(format!(
                    "its list of files is one of the longest, and all of them together are longer than {} MiB",
                    MOST_LISTED >> 20
                ))
            } else {
                folder.work(state, &mut copies, &mut self.plan.warnings)
            };
            match work.and_then(|work| work::fitting(work, &mut room, limits)) {
                Ok(Some(work)) => self.plan.work.push(work),
                Ok(None) => drop(self.plan.in_step.insert(prefix, tree)),
                Err(reason) => {
                    let failed = prefix.clone();
                    self.plan.warnings.push(Warning::FolderFailed {
                        prefix: failed,
                        reason: reason.into(),
                    });
                    self.plan.unfinished.insert(prefix);
                }
            }
        }
        self.plan.survey.listed.extend(copies);
    }

    /// The folders whose lists are not read, as all lists together are too long: the longest ones, so that whoever has a long one
    /// keeps nobody else's documents back. What is in step, or not wanted, is not read anyway.
    fn too_long(&self, left_out: &BTreeSet<Prefix>) -> BTreeSet<Prefix> {
        let odb = self.store.odb();
        let is_read = |prefix: &Prefix, tree: ObjectId| {
            let state = self.plan.survey.folders.get(prefix);
            let is_there = matches!(state, Some(FolderState::Marked(marker)) if marker.tree == Some(tree));
            state.is_some() && (self.recheck || !is_there) && self.wants(prefix) && !left_out.contains(prefix)
        };
        let listed = self.plan.listed.iter();
        let mut lists: Vec<(u64, &Prefix)> = listed
            .filter(|(prefix, tree)| is_read(prefix, **tree))
            .map(|(prefix, tree)| (objects::len(&odb, *tree).unwrap_or_default(), prefix))
            .collect();
        let mut sum: u64 = lists.iter().map(|(len, _)| len).sum();
        lists.sort_unstable();
        let mut too_long = BTreeSet::new();
        while sum > MOST_LISTED
            && let Some((len, prefix)) = lists.pop()
        {
            sum -= len;
            too_long.insert(prefix.clone());
        }
        too_long
    }

    /// The folders of workspaces that central does not have any more.
    fn gone(&mut self, lineage: Lineage) {
        for (prefix, state) in &self.plan.survey.folders {
            // A folder of the own prefix is nobody's to remove, but for what this clone itself hydrated there before the
            // prefix became its own.
            let is_own = self.ctx.owned.as_ref() == Some(prefix) && !self.cursor.folders.contains_key(prefix);
            if !self.wants(prefix) || self.plan.listed.contains_key(prefix) || is_own {
                continue;
            }
            if let FolderState::Marked(marker) = state
                && !self.tracked.contains(prefix.as_str())
            {
                if lineage == Lineage::Rewound || marker.central != self.ctx.upstream_name {
                    self.plan.aside.insert(prefix.clone());
                }
                let held = read_listing(self.store, prefix, marker.tree).unwrap_or_default();
                let present = workspace::documents_in(self.ctx.metis.dir(), prefix).unwrap_or_default();
                let known = Known::Unfinished {
                    from: &held,
                    to: &held,
                    present: &present,
                };
                let files = hydrate::plan(known, &Documents::new());
                self.plan.gone.push((prefix.clone(), files));
            }
        }
    }
}

/// The workspaces that get no folder here because central has more than `limit`: those that are here stay, those that were
/// asked for come first.
fn beyond_limit(
    listed: &BTreeMap<Prefix, ObjectId>,
    here: &BTreeMap<Prefix, ObjectId>,
    only: &BTreeSet<Prefix>,
    limit: u64,
) -> BTreeSet<Prefix> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    if listed.len() <= limit {
        return BTreeSet::new();
    }
    let mut order: Vec<&Prefix> = listed.keys().collect();
    order.sort_by_key(|prefix| (!only.contains(*prefix), !here.contains_key(*prefix)));
    order.into_iter().skip(limit).cloned().collect()
}
