//! What there is to write down at a sync's end, and the line in the journal.

use super::{Session, SyncErrorKind, SyncOutcome, Warning, cycle::Published};
use crate::state::{
    files::StateError,
    journal::{self, JournalEntry},
};

/// Writes what is new and nothing else. Returns whether the cursor or config.toml changed.
pub(super) fn write(session: &mut Session<'_>, published: &mut Published) -> Result<bool, StateError> {
    let _stage = tracing::info_span!("record").entered();
    let cursor = &mut published.cursor;
    session.notebook.write(&session.ctx, cursor, session.report)
}

/// Appends to the log of syncs.
pub(super) fn journal(session: &mut Session<'_>, error: Option<&str>) {
    let report = &mut *session.report;
    let outcome = match (error, report.outcome) {
        (Some(_), _) => "failed",
        (None, SyncOutcome::Synced) => "synced",
        (None, SyncOutcome::UpToDate) => "up-to-date",
        (None, SyncOutcome::Planned) => "planned",
        (None, SyncOutcome::NotConfigured) => "not-configured",
    };
    let seconds = session.clock.begun.elapsed().as_secs_f64();
    let (pulled, warnings) = (report.pulled.iter(), report.warnings.iter());
    let entry = JournalEntry {
        schema: journal::SCHEMA,
        started: session.clock.started.to_string().into(),
        outcome: outcome.into(),
        seconds: (seconds * 1000.0).round() / 1000.0,
        trigger: session.options.trigger.as_str().into(),
        pulled: pulled
            .map(|(prefix, pulled)| (prefix.clone(), (pulled.written + pulled.removed) as u64))
            .collect(),
        pushed: report.pushed.len() as u64,
        removed: report.removed.len() as u64,
        retries: report.retries,
        commit: report.head,
        warnings: warnings.map(|warning| warning.to_string().into()).collect(),
        error: error.map(Into::into),
    };
    if let Err(err) = journal::append(&session.notebook.state, &entry) {
        report.warnings.push(Warning::JournalNotWritten(err.to_string().into()));
    }
}

/// Writes what is new, and a line in the journal if that was anything: the end of a push by itself.
pub fn record(session: &mut Session<'_>, mut published: Published) -> Result<(), SyncErrorKind> {
    if write(session, &mut published)? {
        journal(session, None);
    }
    Ok(())
}
