//! Writing down what a sync came to: the cursor, `last_synced_commit`, the journal. Always last.

use std::time::Duration;

use jiff::Timestamp;

use crate::{
    send_pack::connect::FailureKind,
    state::{
        cursor,
        files::{StateDir, StateError},
        journal::{self, JournalEntry},
    },
    sync::{Setup, SyncErrorKind, SyncOutcome, SyncReport, Warning},
    workspace::{self, Edit, Record},
};

/// The stat cache in `.metis/.sync/`.
pub const STAT_CACHE: &str = "stat-cache";

/// What was written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Recorded {
    /// The cursor or config.toml changed.
    pub anything: bool,
}

/// Writes what changed and nothing else. A config.toml that cannot be written is a warning: the cursor decides.
pub fn apply(setup: &mut Setup<'_>, report: &mut SyncReport) -> Result<Recorded, StateError> {
    let mut recorded = Recorded::default();
    let Some(state) = &setup.state else { return Ok(recorded) };
    if setup.stat_cache_changed() {
        // Losing it costs a rescan, so failing to write it is no reason to say anything.
        let _ = state.replace(STAT_CACHE, &setup.stat_cache.to_bytes());
    }
    if setup.cursor_changed()
        && let Some(cursor) = &setup.cursor
    {
        state.store(cursor::FILE, cursor)?;
        recorded.anything = true;
    }
    let settings = setup.ctx.config.sync.as_ref();
    if let (Some(settings), Some(head)) = (settings, report.head)
        && settings.record == Record::Config
        && settings.last_synced_commit != Some(head)
    {
        match workspace::edit_config(setup.ctx.metis.dir(), &[Edit::LastSyncedCommit(head)]) {
            Ok(changed) => recorded.anything |= changed,
            Err(err) => report.warnings.push(Warning::ConfigNotWritten(err.to_string())),
        }
    }
    Ok(recorded)
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
            started: started.to_string(),
            outcome: outcome.into(),
            seconds: (took.as_secs_f64() * 1000.0).round() / 1000.0,
            trigger: trigger.to_owned(),
            pulled: report
                .pulled
                .iter()
                .map(|(prefix, pulled)| (prefix.clone(), (pulled.written + pulled.removed) as u64))
                .collect(),
            pushed: report.pushed.len() as u64,
            removed: report.removed.len() as u64,
            retries: report.retries,
            commit: report.head,
            warnings: report.warnings.iter().map(Warning::to_string).collect(),
            error: error.map(str::to_owned),
        },
    )
}

/// One word for why a sync stopped, for machines: the journal's and JSON's `kind`.
pub fn kind_of(error: &SyncErrorKind) -> &'static str {
    if let Some(err) = error.connection() {
        return match err.kind {
            FailureKind::Unauthenticated => "auth",
            FailureKind::Forbidden => "refused",
            FailureKind::Unreachable => "network",
            FailureKind::TimedOut => "timeout",
            FailureKind::NoRepository => "no-repository",
            FailureKind::Interrupted => "interrupted",
            FailureKind::Refused => "url",
            FailureKind::Protocol | FailureKind::Other => "protocol",
        };
    }
    match error {
        SyncErrorKind::MetisDir(_) => "no-workspace",
        SyncErrorKind::Dir(_) => "io",
        SyncErrorKind::UpstreamUrl(_) => "url",
        SyncErrorKind::Config(_) | SyncErrorKind::NoPrefix | SyncErrorKind::NoUpstream => "config",
        SyncErrorKind::State(_) => "state",
        SyncErrorKind::Locked { .. } => "locked",
        SyncErrorKind::UpstreamChanged { .. } => "upstream-changed",
        SyncErrorKind::Rewound { .. } => "rewound",
        SyncErrorKind::Stale { .. } => "stale",
        SyncErrorKind::Diverged { .. } => "diverged",
        SyncErrorKind::TooManyDeletes(_) => "deletes",
        SyncErrorKind::RetriesExhausted { .. } => "moved",
        SyncErrorKind::OutOfTime { .. } => "timeout",
        SyncErrorKind::Cache(_) => "cache",
        SyncErrorKind::Central(_) => "central",
        SyncErrorKind::Refused(_) => "refused",
        SyncErrorKind::AnswerLost { .. } => "network",
        SyncErrorKind::Restless { .. } => "restless",
        SyncErrorKind::Unsupported(_) => "unsupported",
        SyncErrorKind::Interrupted => "interrupted",
        SyncErrorKind::Mend(_) => "mend",
        SyncErrorKind::NeverSynced => "never-synced",
        SyncErrorKind::NoSuchWorkspace(_) => "no-such-workspace",
    }
}
