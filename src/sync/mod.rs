//! What every trigger comes to, by way of the [service](crate::service).
//!
//! [`sync()`] composes the [stages](crate::stage) and holds the only loop: when central moved between our fetch and our push,
//! the whole cycle runs again, own documents included.
//!
//! ```no_run
//! use metis_sync::sync::{SyncOptions, Workspace, sync};
//!
//! # fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let workspace = Workspace::discover(std::path::Path::new("."))?;
//! let report = sync(&workspace, &SyncOptions::default(), &mut ())?;
//! println!("{} pulled, {} pushed, {} retries", report.files_pulled(), report.files_pushed(), report.retries);
//! # Ok(()) }
//! ```

mod branch;
mod cache;
mod claim;
mod cycle;
mod delivered;
mod discovery;
pub mod doctor;
mod error;
pub mod folder;
mod follow;
pub mod heads;
mod judgement;
mod marks;
mod notebook;
mod options;
mod past;
mod place;
pub mod preview;
mod probe;
mod record;
mod records;
mod report;
pub mod resolve;
mod retry;
mod search;
mod session;
mod setup;
pub mod since;
pub mod stop;
pub mod undo;
mod withdraw;
#[cfg(test)]
mod work;

use std::sync::Arc;

pub use crate::stage::Warning;
pub use cache::{check_database, open_cache, open_unmarked, rebuild_cache};
pub use claim::{Claim, ClaimError, Claimed, claim, claimed, claims, release};
pub use delivered::delivered;
pub use error::{NoFolder, NotResolved, SyncError, SyncErrorKind};
pub use marks::{NotWritten, Outbox, collections, device, marks, moved_away, open_records, outbox, write_records};
pub use options::{Arrived, DEFAULT_DEADLINE, DEFAULT_LOCK_WAIT, DEFAULT_MAX_RETRIES, Progress, Step, SyncOptions};
pub use past::past;
pub use place::{bound_elsewhere, identity};
pub use probe::{Probed, Taken, probe, try_logs};
pub use records::RecordsDone;
pub use report::{Phase, PhaseDone, SyncOutcome, SyncReport, Trail};
pub use search::search;
pub use session::{Clock, Session};
pub use setup::{Workspace, check_state, connect_options, guard_of, made_state, own_state};
pub use withdraw::{NotWithdrawn, decide_to_withdraw};

/// The states of a cycle, for those who compose them across processes.
pub mod steps {
    pub use super::cycle::{End, Fetched, Prepared, settled};
    pub use super::record::record;
    pub use super::records::exchange_records;
    pub use super::retry::{Lost, wait};
}

/// Runs a sync from fetch to cache. See the [module documentation](self).
///
/// Without `[sync] upstream_url` in config.toml nothing is done and the outcome is
/// [`NotConfigured`](SyncOutcome::NotConfigured). A dry run does nothing either: it is a [preview] in the form of a report.
///
/// # Errors
///
/// [`SyncError::report`] has what had been done before the sync stopped; nothing of it needs to be undone, and the next
/// sync goes on from there.
pub fn sync(
    workspace: &Workspace,
    options: &SyncOptions,
    progress: &mut dyn Progress,
) -> Result<SyncReport, SyncError> {
    let clock = Clock::start();
    let mut report = SyncReport::default();
    let result = run(workspace, options, progress, &mut report, clock);
    report.seconds = clock.begun.elapsed().as_secs_f64();
    match result {
        Ok(()) => Ok(report),
        Err(kind) => Err(SyncError {
            kind: Arc::new(kind),
            report: Box::new(report),
        }),
    }
}

fn run(
    workspace: &Workspace,
    options: &SyncOptions,
    progress: &mut dyn Progress,
    report: &mut SyncReport,
    clock: Clock,
) -> Result<(), SyncErrorKind> {
    if workspace.config().sync.is_none() {
        report.outcome = SyncOutcome::NotConfigured;
        report.warnings = workspace.unknown_keys();
        return Ok(());
    }
    report.workspace.clone_from(&workspace.config().workspace);
    report.documents_only = !workspace.metis().has_folder();
    if options.dry_run {
        return preview::report(workspace, options, progress, report);
    }
    progress.step(Step::Waiting);
    let opening = tracing::info_span!("open").entered();
    let mut session = Session::new(workspace, options, progress, report, clock)?;
    drop(opening);
    session.report.is_first = session.notebook.last.is_none();
    let mut result = cycles(&mut session);
    if result.is_err() && session.is_interrupted() {
        result = Err(SyncErrorKind::Interrupted);
    }
    match &result {
        Err(kind) if kind.is_mistake() => {}
        Err(kind) => record::journal(&mut session, Some(kind.word())),
        Ok(()) => record::succeeded(&mut session),
    }
    result
}

fn cycles(session: &mut Session<'_>) -> Result<(), SyncErrorKind> {
    let mut published = retry::until_done(session, cycle::run)?;
    let recorded = session.phase(Phase::Record, |session| record::write(session, &mut published))?;
    let report = &session.report;
    if recorded || !report.pulled.is_empty() || report.commit.is_some() || !report.records.is_nothing() {
        session.report.outcome = SyncOutcome::Synced;
    }
    if session.report.outcome == SyncOutcome::Synced || session.options.recheck || cache::is_due(session, &published) {
        session.step(Step::RebuildingCache);
        session.phase(Phase::RebuildCache, |session| {
            cache::after_sync(session, published);
            Ok::<_, SyncErrorKind>(())
        })?;
    }
    diverged(session.report)
}

/// What nobody but a person can decide is an error at the end: everything else was synced by then.
fn diverged(report: &SyncReport) -> Result<(), SyncErrorKind> {
    match report.diverged.is_empty() {
        true => Ok(()),
        false => Err(SyncErrorKind::Diverged {
            conflicts: report.diverged.clone(),
        }),
    }
}
