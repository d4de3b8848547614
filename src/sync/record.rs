//! What there is to write down at a sync's end, and the line in the journal.

use std::time::Duration;

use jiff::Timestamp;

use super::{Setup, SyncOutcome, SyncReport, Warning};
use crate::{
    stage::record::{self, RecordPlan, Recorded},
    state::{
        files::{StateDir, StateError},
        journal::{self, JournalEntry},
    },
    workspace::CONFIG_FILE,
};

/// What is new since the sync began.
fn plan<'a>(setup: &'a Setup<'_>, report: &SyncReport, cursor_changed: bool) -> RecordPlan<'a> {
    let config = setup.ctx.config;
    let settings = config.sync.as_ref();
    let new = report
        .head
        .filter(|head| settings.is_some_and(|settings| settings.last_synced_commit != Some(*head)));
    let file = |record| {
        record::place(record, config.recorded_locally, || {
            setup.ctx.project.tracks(CONFIG_FILE)
        })
    };
    RecordPlan {
        cursor: setup.cursor.as_ref().filter(|_| cursor_changed),
        stat_cache: setup.stat_cache_changed().then_some(&setup.stat_cache),
        last_synced_commit: new.and_then(|head| Some((file(settings?.record)?, head))),
    }
}

/// Writes what is new and nothing else. Returns whether the cursor or config.toml changed.
pub fn write(setup: &mut Setup<'_>, report: &mut SyncReport) -> Result<bool, StateError> {
    setup.expect_cache();
    let cursor_changed = setup.cursor_changed();
    setup.bind()?;
    let Some(state) = &setup.state else { return Ok(false) };
    let plan = plan(setup, report, cursor_changed);
    let Recorded { anything, warnings } = record::apply(setup.ctx.metis, state, &setup.guard, plan)?;
    report.warnings.extend(warnings);
    Ok(anything)
}

/// Appends to the log of syncs.
pub fn journal(
    state: &StateDir,
    report: &SyncReport,
    trigger: &str,
    started: Timestamp,
    took: Duration,
    error: Option<&str>,
) -> Result<(), StateError> {
    let outcome = match (error, report.outcome) {
        (Some(_), _) => "failed",
        (None, SyncOutcome::Synced) => "synced",
        (None, SyncOutcome::UpToDate) => "up-to-date",
        (None, SyncOutcome::Planned) => "planned",
        (None, SyncOutcome::NotConfigured) => "not-configured",
    };
    journal::append(
        state,
        &JournalEntry {
            schema: journal::SCHEMA,
            started: started.to_string().into(),
            outcome: outcome.into(),
            seconds: (took.as_secs_f64() * 1000.0).round() / 1000.0,
            trigger: trigger.into(),
            pulled: report
                .pulled
                .iter()
                .map(|(prefix, pulled)| (prefix.clone(), (pulled.written + pulled.removed) as u64))
                .collect(),
            pushed: report.pushed.len() as u64,
            removed: report.removed.len() as u64,
            retries: report.retries,
            commit: report.head,
            warnings: report
                .warnings
                .iter()
                .map(|warning| warning.to_string().into())
                .collect(),
            error: error.map(Into::into),
        },
    )
}

/// Writes what is new, and a line in the journal if that was anything: the end of a push by itself.
pub fn record(
    setup: &mut Setup<'_>,
    report: &mut SyncReport,
    trigger: &str,
    started: Timestamp,
    took: Duration,
) -> Result<(), StateError> {
    if write(setup, report)?
        && let Some(state) = &setup.state
        && let Err(err) = journal(state, report, trigger, started, took, None)
    {
        report.warnings.push(Warning::JournalNotWritten(err.to_string().into()));
    }
    Ok(())
}
