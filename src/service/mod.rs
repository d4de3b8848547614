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
mod queue;
mod request;

pub use crate::sync::doctor::nuke::NukePlan;
pub use conduits::Conduits;
pub use request::{Direction, SyncRequest};

use serde::Serialize;

use crate::sync::{self, Progress, Step, SyncError, SyncErrorKind, SyncOutcome, SyncReport, Workspace, doctor, since};

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
    let conduits = wanted.then(|| conduits::sync_enabled(workspace, request)).flatten();
    Ok(Served { report, conduits })
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
