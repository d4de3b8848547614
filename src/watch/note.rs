//! What a watcher notes in `.metis/.sync/` for `watch --status`, and the lock that makes it the only one there.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    state::{
        files::{StateDir, StateError},
        lock::{self, Claim, Holder, LockError},
    },
    text::Untrusted,
};

const LOCK: &str = "watch.lock";
const NOTE: &str = "watch.json";
const SCHEMA: u32 = 1;

/// See the fields.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    schema: u32,
    /// When it began to watch here, RFC 3339.
    pub since: Untrusted,
    /// Whether the kernel tells of changes, or files are looked at from time to time.
    pub events: bool,
    /// When a sync of its went well last.
    #[serde(default)]
    pub last_success: Option<Untrusted>,
    /// When one failed, if none went well after that.
    #[serde(default)]
    pub last_failure: Option<Failed>,
}

/// A sync that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failed {
    /// When.
    pub at: Untrusted,
    /// The kind of stop.
    pub stop: Untrusted,
    /// What was wrong, and what to do.
    pub message: Untrusted,
    /// When it is tried again, if nothing changes.
    pub next: Untrusted,
}

impl Note {
    /// One that begins.
    pub fn new(now: Timestamp, events: bool) -> Self {
        Note {
            schema: SCHEMA,
            since: now.to_string().into(),
            events,
            last_success: None,
            last_failure: None,
        }
    }

    /// What the last watcher left, whether it runs or not.
    pub fn load(state: &StateDir) -> Option<Self> {
        state.load(NOTE, SCHEMA).ok().flatten()
    }

    /// Puts it in the place of the one before.
    pub fn store(&self, state: &StateDir) -> Result<(), StateError> {
        state.store(NOTE, self)
    }
}

/// Becomes the only watcher of the workspace whose state this is.
pub fn claim(state: &StateDir) -> Result<Claim, LockError> {
    lock::claim(
        state,
        LOCK,
        &Holder::this_process(Timestamp::now(), "git metis-sync watch"),
    )
}

/// Who watches there at the moment; `Some(None)` if it does not say.
pub fn watcher(state: &StateDir) -> Option<Option<Holder>> {
    lock::holder_of(state, LOCK)
}
