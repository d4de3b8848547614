//! A sync as it is asked for: by the command line, by hooks, by `watch`, by a server.
//!
//! [`execute()`] is all there is to call. A [`SyncRequest`] says what is wanted, and two of them at once in one process do not
//! do the same work twice:
//!
//! 1. Calls for one workspace line up (`queue`): one syncs, one waits, and whoever comes then shares what the waiting one
//!    brings, if that covers what it asks for. No mutex is held while a file is locked.
//! 2. [`sync()`](crate::sync::sync) takes the workspace's lock and does the work.
//! 3. The conduits that this clone enabled follow (`conduits`).
//! 4. The report says what changed `since`, where that is asked.

pub mod conduits;
mod next;
mod queue;
mod request;

pub use crate::sync::doctor::nuke::NukePlan;
pub use conduits::Conduits;
pub use next::{NotTaken, ready, take_next};
pub use request::{Direction, SyncRequest};

use std::{collections::BTreeSet, time::Instant};

use serde::Serialize;

use crate::{
    names::ShortCode,
    sync::{
        self, NotWithdrawn, Progress, Step, SyncError, SyncErrorKind, SyncOutcome, SyncReport, Workspace, doctor,
        preview::{self, Ask, Preview},
        since,
    },
};

/// What came of a request.
#[derive(Debug, Clone, Serialize)]
pub struct Served {
    /// What was done with documents.
    #[serde(flatten)]
    pub report: SyncReport,
    /// What became of the conduits. `None`: none is enabled, or they were not asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conduits: Option<Conduits>,
}

/// Does what is asked for.
///
/// # Errors
///
/// The sync of documents stopped; the conduits were not looked at. [`SyncError::report`] says what had been done until then.
pub fn execute(workspace: &Workspace, request: &SyncRequest, progress: &mut dyn Progress) -> Result<Served, SyncError> {
    let begun = Instant::now();
    let options = request.options();
    // Before anything is done: a mistake in the request must not cost a sync.
    let since = match &request.since {
        Some(asked) if workspace.config().sync.is_some() => Some(since::find(workspace, asked)?),
        _ => None,
    };
    let mut report = match request.dry_run {
        // It takes no lock, and nobody can use what it finds.
        true => sync::sync(workspace, &options, progress)?,
        false => {
            progress.step(Step::Waiting);
            queue::run(workspace.metis().path(), request, || {
                sync::sync(workspace, &options, progress)
            })?
        }
    };
    if let Some(since) = since.filter(|_| report.outcome != SyncOutcome::NotConfigured) {
        let head = report.head.or(report.seen);
        match since::changed(workspace, &options, since, head, &request.only) {
            Ok(changed) => report.changed = Some(changed),
            Err(kind) => {
                return Err(SyncError {
                    kind: kind.into(),
                    report: Box::new(report),
                });
            }
        }
    }
    let wanted = request.conduits && request.direction == Direction::Both;
    let conduits = wanted
        .then(|| conduits::sync_enabled(workspace, request, begun, progress))
        .flatten();
    Ok(Served { report, conduits })
}

/// Looks at what a sync would find and do. Nothing is written.
pub fn look<'a>(
    workspace: &'a Workspace,
    request: &SyncRequest,
    ask: Ask,
    progress: &mut dyn Progress,
) -> Result<Preview<'a>, SyncErrorKind> {
    preview::look(workspace, &request.options(), ask, progress)
}

/// Takes own documents out of central that are not published any more, in one commit. The files here stay, and conduits are not
/// looked at.
///
/// # Errors
///
/// Before anything is changed where one of them is published, since the next sync would bring it back.
pub fn withdraw(
    workspace: &Workspace,
    request: &SyncRequest,
    codes: &BTreeSet<ShortCode>,
    progress: &mut dyn Progress,
) -> Result<Served, NotWithdrawn> {
    sync::decide_to_withdraw(workspace, &request.options(), codes, progress)?;
    let request = SyncRequest {
        withdrawn: codes.clone(),
        // That is what it is for.
        allow_deletes: true,
        conduits: false,
        ..request.clone()
    };
    Ok(execute(workspace, &request, progress)?)
}

/// What [`nuke()`] would throw away. Nothing is written; central is asked, since all of it has to come back from there.
pub fn plan_nuke(
    workspace: &Workspace,
    request: &SyncRequest,
    progress: &mut dyn Progress,
) -> Result<NukePlan, SyncErrorKind> {
    doctor::nuke::plan(workspace, &request.options(), progress)
}

/// Throws away what a sync made, and makes it anew. Own documents are not touched, and neither is what guards.
///
/// # Errors
///
/// What is gone by then comes back with the next sync.
pub fn nuke(
    workspace: &Workspace,
    request: &SyncRequest,
    plan: &NukePlan,
    progress: &mut dyn Progress,
) -> Result<Served, SyncError> {
    let thrown_away = doctor::nuke::apply(workspace, &request.options(), plan, progress)?;
    let request = SyncRequest {
        recheck: true,
        ..request.clone()
    };
    let mut served = execute(workspace, &request, progress)?;
    served.report.kept.splice(..0, thrown_away.kept);
    served.report.warnings.splice(..0, thrown_away.warnings);
    Ok(served)
}
