//! What becomes of the own documents, and what speaks against doing it: decided the same way for a sync and for a preview.

use std::collections::BTreeMap;

use super::{error::SyncErrorKind, follow::Known, options::SyncOptions};
use crate::{
    names::{ObjectId, Prefix, ShortCode},
    plan::{
        guard::{self, Lineage},
        source::ReadFrom,
    },
    project::Freshness,
    stage::{
        Context, Warning,
        dehydrate::{self, Comparison, Decided, How, PlanError},
        fetch::Snapshot,
        own::Own,
    },
    state::cursor::{Cursor, Provenance},
    text::Untrusted,
};

/// Compares the own documents with central's owned folder.
pub fn decide<'a>(
    ctx: &Context<'a>,
    known: &mut Known,
    snapshot: &Snapshot,
    prefix: &Prefix,
    own: &mut Own<'a>,
    options: &SyncOptions,
) -> Result<Decided, PlanError> {
    let Known { cursor, store } = known;
    if snapshot.lineage == Lineage::Rewound {
        dehydrate::forget_lost_versions(store, cursor, snapshot, prefix, &own.blobs())?;
    }
    let how = How {
        force: options.force,
        adopt_project: options.adopt_project,
        copied: cursor.provenance == Provenance::Copied,
    };
    Comparison {
        ctx,
        store,
        cursor,
        snapshot,
        prefix,
        how,
    }
    .decide(own)
}

/// Why a plan is not carried out unasked, the likeliest cause of the others first. `asks`: whether the project's own remote is
/// asked as well.
pub fn stops(
    ctx: &Context<'_>,
    options: &SyncOptions,
    cursor: &Cursor,
    own: &Own<'_>,
    decided: &Decided,
    asks: bool,
    warnings: &mut Vec<Warning>,
) -> Vec<SyncErrorKind> {
    let plan = &decided.plan;
    let mut stops = Vec::new();
    let reads_worktree = matches!(own.read_from, ReadFrom::Worktree(_));
    let has_something = !plan.changes_nothing() || !plan.foreign.is_empty();
    if has_something && asks && !options.force && reads_worktree {
        let skip = |top: &str| top.parse().is_ok_and(|prefix| own.hydrated.contains(&prefix));
        match ctx.project.freshness(&ctx.connect, &ctx.cache_dir, &skip) {
            Ok(Freshness::NotApplicable | Freshness::Fresh) => {}
            Ok(Freshness::Stale { remote, documents }) => {
                let documents = undecided(documents, &cursor.decided);
                if !documents.is_empty() {
                    stops.push(SyncErrorKind::Stale { remote, documents });
                }
            }
            Ok(Freshness::TooMuch(reason)) => warnings.push(Warning::FreshnessUnknown(reason.into())),
            Err(err) => warnings.push(Warning::FreshnessUnknown(err.to_string().into())),
        }
    }
    if let Some(found) = guard::deletes(plan, decided.central.len()).filter(|_| !options.allow_deletes) {
        stops.push(SyncErrorKind::TooManyDeletes(found));
    }
    stops
}

/// Those of `paths` that no person has decided about: who did has seen that there is another version.
fn undecided(mut paths: Vec<Untrusted>, decided: &BTreeMap<ShortCode, Option<ObjectId>>) -> Vec<Untrusted> {
    let is_of = |path: &Untrusted, code: &ShortCode| path.raw().rsplit('/').next() == Some(&code.file_name());
    paths.retain(|path| !decided.keys().any(|code| is_of(path, code)));
    paths
}

/// Whether pushing what was decided makes the owned folder.
pub fn registers(
    known: &Known,
    snapshot: &Snapshot,
    prefix: &Prefix,
    decided: &Decided,
) -> Result<bool, SyncErrorKind> {
    let is_first = decided.central.is_empty() && !decided.plan.push.is_empty();
    Ok(is_first && snapshot.root(&known.store)?.folder(prefix)?.is_none())
}
