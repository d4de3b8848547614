//! Past syncs, as far as a status tells of them.

use jiff::Timestamp;
use serde::Serialize;

use crate::{
    state::{
        self,
        journal::{self, JournalEntry},
    },
    sync::{SyncErrorKind, preview::Preview},
    text::Untrusted,
};

/// A sync of the past.
#[derive(Debug, Serialize)]
pub struct LastSync {
    /// When it began, RFC 3339.
    pub started: Untrusted,
    /// How long ago that is.
    pub seconds_ago: Option<i64>,
    /// How it ended.
    pub outcome: Untrusted,
    /// What started it.
    pub trigger: Untrusted,
    /// What went wrong.
    pub error: Option<Untrusted>,
}

/// A full sync that went well.
#[derive(Debug, Serialize)]
pub struct Completed {
    /// What was noted of it.
    #[serde(flatten)]
    pub noted: state::last::LastSync,
    /// How long ago it ended.
    pub seconds_ago: u64,
}

/// What this clone noted, which is not what came with a commit.
pub(super) fn noted<'p>(preview: &'p Preview<'_>) -> Option<&'p state::files::StateDir> {
    let is_foreign = |stop: &SyncErrorKind| matches!(stop, SyncErrorKind::StateTracked { .. });
    preview.state.as_ref().filter(|_| !preview.stops.iter().any(is_foreign))
}

/// What the journal says, as far back as a status needs it.
pub(super) fn past(preview: &Preview<'_>) -> Vec<JournalEntry> {
    let read = noted(preview).map(|state| journal::read_last(state, 100));
    read.and_then(Result::ok).unwrap_or_default().entries
}

pub(super) fn completed(state: &state::files::StateDir, now: Timestamp) -> Option<Completed> {
    let noted = state::last::LastSync::load(state, now)?;
    let seconds_ago = noted.age(now)?.as_secs();
    Some(Completed { noted, seconds_ago })
}

/// The last sync that went well and changed something and, if none went well after it, the last that did not.
pub(super) fn history(
    entries: &[JournalEntry],
    completed: Option<&Completed>,
    now: Timestamp,
) -> (Option<LastSync>, Option<LastSync>) {
    let is_settled = |entry: &JournalEntry| completed.is_some_and(|last| last.noted.came_after(entry.started.raw()));
    let good = entries.iter().rposition(|entry| entry.error.is_none());
    let bad = entries
        .iter()
        .rposition(|entry| entry.error.is_some())
        .filter(|bad| Some(*bad) > good && !is_settled(&entries[*bad]));
    let tell = |at: usize| LastSync::of(&entries[at], now);
    (good.map(tell), bad.map(tell))
}

impl LastSync {
    pub(super) fn of(entry: &JournalEntry, now: Timestamp) -> Self {
        LastSync {
            seconds_ago: crate::view::seconds_since(entry.started.raw(), now),
            started: entry.started.brief(),
            outcome: entry.outcome.brief(),
            trigger: entry.trigger.brief(),
            error: entry.error.as_ref().map(Untrusted::brief),
        }
    }
}
