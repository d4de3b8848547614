//! How new an answer from `metis.db` is.

use jiff::Timestamp;
use serde::Serialize;

use crate::{
    names::ObjectId,
    state::{
        cursor::{self, Memory},
        journal,
    },
    sync::Workspace,
    text::Untrusted,
};

/// Which state of central the copies here are of, and since when. Questions never sync.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct AsOf {
    /// Central's commit.
    pub head: Option<ObjectId>,
    /// When the last sync that changed something here began, RFC 3339.
    pub synced: Option<Untrusted>,
    /// How long ago that is.
    pub seconds_ago: Option<i64>,
}

impl AsOf {
    /// What `workspace` knows of it at the time `now`. Nothing here fails an answer.
    pub fn of(workspace: &Workspace, now: Timestamp) -> Self {
        let Some(state) = workspace.own_state() else {
            return AsOf::default();
        };
        let guard = workspace.guard().ok();
        let head = match guard.and_then(|guard| cursor::load(&state, &guard).ok()) {
            Some(Memory::Known(cursor)) => cursor.head,
            _ => None,
        };
        let entries = journal::read_last(&state, 100).unwrap_or_default().entries;
        let last = entries.iter().rev().find(|entry| entry.error.is_none());
        let synced = last.map(|entry| entry.started.brief());
        AsOf {
            head,
            seconds_ago: synced.as_ref().and_then(|time| super::seconds_since(time.raw(), now)),
            synced,
        }
    }
}
