//! What became of a document in central, as far as this clone has synced.

use std::{sync::atomic::Ordering, time::Instant};

use super::{Progress, Step, SyncErrorKind, SyncOptions, Workspace, notebook, setup};
use crate::{
    central::past::{self, Past, Question},
    names::{ObjectId, Prefix, ShortCode},
    stage::fetch,
    state::files::StateDir,
};

/// Looks back from the commit that was synced last through no more than `depth` commits. What is not here is asked for, and
/// kept nowhere. Of the texts those are brought that `wanted` names.
pub fn past(
    workspace: &Workspace,
    options: &SyncOptions,
    code: &ShortCode,
    prefix: &Prefix,
    depth: usize,
    wanted: &dyn Fn(&Past) -> Vec<ObjectId>,
    progress: &mut dyn Progress,
) -> Result<Past, SyncErrorKind> {
    let options = SyncOptions {
        pull_only: true,
        ..options.clone()
    };
    let ctx = setup::context(workspace, &options, Instant::now())?;
    workspace.check_state()?;
    let guard = workspace.guard()?;
    let cursor = match StateDir::open(workspace.metis().path())? {
        Some(state) => notebook::load_cursor(&state, &guard, &mut Vec::new())?,
        None => None,
    };
    if let Some(stop) = workspace
        .check_binding(&guard, cursor.as_ref(), &ctx)
        .into_iter()
        .next()
    {
        return Err(stop);
    }
    let cursor = cursor.ok_or(SyncErrorKind::NeverSynced)?;
    let head = cursor.head.ok_or(SyncErrorKind::NeverSynced)?;
    let store = fetch::store(&ctx, cursor.format, false)?;
    let question = Question {
        head,
        branch: cursor.branch.raw(),
        code,
        prefix,
        depth,
        limit: ctx.limits.blob_bytes,
        wanted,
    };
    let mut told = || progress.step(Step::Listing);
    let past = past::look(&ctx.upstream, &ctx.connect, &store, &question, &mut told)?;
    match ctx.connect.interrupt.load(Ordering::Relaxed) {
        true => Err(SyncErrorKind::Interrupted),
        false => Ok(past),
    }
}
