//! The one entry for every trigger: command line, hooks, scripts, services.
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
mod cycle;
pub mod doctor;
mod error;
pub mod folder;
mod options;
mod place;
pub mod preview;
mod probe;
mod record;
mod report;
pub mod resolve;
mod setup;

use std::time::{Duration, Instant, SystemTime};

use jiff::Timestamp;

pub use crate::stage::Warning;
pub use cache::{check_database, open_cache, rebuild_cache};
pub use error::{SyncError, SyncErrorKind};
pub use options::{Arrived, DEFAULT_DEADLINE, DEFAULT_LOCK_WAIT, DEFAULT_MAX_RETRIES, Progress, Step, SyncOptions};
pub use place::{bound_elsewhere, identity};
pub use probe::{Probed, probe};
pub use report::{SyncOutcome, SyncReport};
pub use setup::{Setup, Workspace, connect_options, guard_of};

/// The steps of a cycle, for those who compose them across processes.
pub mod steps {
    pub use super::cycle::{End, Prepared, fetched, hydrated, note, prepared, published, resume};
    pub use super::record::record;
}

use crate::plan::retry::{self, Chance, Decision, Race};

/// Runs a sync from fetch to cache. See the [module documentation](self).
///
/// Without `[sync] upstream_url` in config.toml nothing is done and the outcome is
/// [`NotConfigured`](SyncOutcome::NotConfigured).
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
    let started = Timestamp::now();
    let clock = Instant::now();
    let mut report = SyncReport::default();
    let result = run(workspace, options, progress, &mut report, clock, started);
    report.seconds = clock.elapsed().as_secs_f64();
    match result {
        Ok(()) => Ok(report),
        Err(kind) => Err(SyncError {
            kind,
            report: Box::new(report),
        }),
    }
}

fn run(
    workspace: &Workspace,
    options: &SyncOptions,
    progress: &mut dyn Progress,
    report: &mut SyncReport,
    clock: Instant,
    started: Timestamp,
) -> Result<(), SyncErrorKind> {
    if workspace.config().sync.is_none() {
        report.outcome = SyncOutcome::NotConfigured;
        report.warnings = workspace.unknown_keys();
        return Ok(());
    }
    report.workspace.clone_from(&workspace.config().workspace);
    progress.step(Step::Waiting);
    let mut setup = Setup::new(workspace, options, clock, started)?;
    report.warnings.append(&mut setup.take_warnings());
    let result = cycles(&mut setup, options, progress, report, clock);
    if setup.ctx.connect.interrupt.load(std::sync::atomic::Ordering::Relaxed) && result.is_err() {
        journal(&setup, options, report, clock, started, Some("interrupted"));
        return Err(SyncErrorKind::Interrupted);
    }
    let error = result.as_ref().err().map(SyncErrorKind::word);
    if !options.dry_run
        && (error.is_some() || report.outcome == SyncOutcome::Synced)
        && let Some(warning) = journal(&setup, options, report, clock, started, error)
    {
        report.warnings.push(warning);
    }
    result
}

fn journal(
    setup: &Setup<'_>,
    options: &SyncOptions,
    report: &SyncReport,
    clock: Instant,
    started: Timestamp,
    error: Option<&str>,
) -> Option<Warning> {
    let state = setup.state.as_ref()?;
    record::journal(state, report, &options.trigger, started, clock.elapsed(), error)
        .err()
        .map(|err| Warning::JournalNotWritten(err.to_string().into()))
}

fn cycles(
    setup: &mut Setup<'_>,
    options: &SyncOptions,
    progress: &mut dyn Progress,
    report: &mut SyncReport,
    clock: Instant,
) -> Result<(), SyncErrorKind> {
    retrying(setup, progress, report, clock, |setup, progress, report| {
        cycle::run(setup, options, progress, report)
    })?;
    if options.dry_run {
        report.outcome = SyncOutcome::Planned;
        return diverged(report);
    }
    let recorded = record::write(setup, report)?;
    if recorded || !report.pulled.is_empty() || report.commit.is_some() {
        report.outcome = SyncOutcome::Synced;
    }
    if report.outcome == SyncOutcome::Synced || setup.cache_is_due() {
        progress.step(Step::RebuildingCache);
        cache::after_sync(setup, report);
    }
    diverged(report)
}

/// Runs a cycle, and again while central moves.
fn retrying<'a>(
    setup: &mut Setup<'a>,
    progress: &mut dyn Progress,
    report: &mut SyncReport,
    clock: Instant,
    mut cycle: impl FnMut(&mut Setup<'a>, &mut dyn Progress, &mut SyncReport) -> Result<cycle::End, SyncErrorKind>,
) -> Result<(), SyncErrorKind> {
    let max_retries = setup.max_retries;
    let mut turn = None;
    loop {
        let begun = Instant::now();
        let end = cycle(setup, progress, report)?;
        // Neither held while we wait nor while we write down what we did.
        drop(turn.take());
        match end {
            cycle::End::Done => return Ok(()),
            cycle::End::Moved => {
                let left = setup.deadline.map(|total| total.saturating_sub(clock.elapsed()));
                let race = Race {
                    retries_done: report.retries,
                    max_retries,
                    cycle: begun.elapsed(),
                    left,
                    seat: setup.seat(report.retries),
                };
                let chance = Chance {
                    roll: fastrand::f64(),
                    clock: SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default(),
                };
                match retry::decide(&race, chance) {
                    Decision::Again(wait) => {
                        report.retries += 1;
                        progress.step(Step::Retrying {
                            retry: report.retries,
                            wait,
                        });
                        setup.pause(wait)?;
                        turn = setup.turn(TURN_PATIENCE.min(left.map_or(TURN_PATIENCE, |left| left / 2)))?;
                    }
                    Decision::OutOfTime => {
                        return Err(SyncErrorKind::OutOfTime {
                            seconds: setup.deadline.unwrap_or_default().as_secs(),
                        });
                    }
                    Decision::Exhausted => {
                        return Err(SyncErrorKind::RetriesExhausted {
                            retries: report.retries,
                        });
                    }
                }
            }
        }
    }
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

/// A writer of this machine that has not had its turn after this long goes on without.
const TURN_PATIENCE: Duration = Duration::from_secs(20);

/// How long [`Setup::pause`] sleeps at a time, so that an interruption is seen soon.
const NAP: Duration = Duration::from_millis(50);

/// How long [`Setup::turn`] sleeps before it asks again: short beside a cycle, which at least starts a program or crosses a
/// network.
const TURN_NAP: Duration = Duration::from_millis(5);
