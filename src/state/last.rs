//! When this clone was last in step with central: after every full sync that went well, those that changed nothing included.
//!
//! Nothing decides by it but when to look again. So it is written in place and not forced to the disk, which costs a no-op
//! next to nothing; one that was torn counts as none.

use std::{io::Write, time::Duration};

use jiff::Timestamp;
use rustix::fs::OFlags;
use serde::{Deserialize, Serialize};

use super::files::{StateDir, StateError};
use crate::{names::ObjectId, text, text::Untrusted};

const NAME: &str = "last.json";
const SCHEMA: u32 = 1;

/// See the fields.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LastSync {
    schema: u32,
    /// When it ended, RFC 3339.
    pub completed: Untrusted,
    /// Central's commit then. `None`: central was empty.
    pub head: Option<ObjectId>,
    /// What set it off.
    pub trigger: Untrusted,
    /// How long it took.
    pub seconds: f64,
    /// `synced` or `up-to-date`.
    pub outcome: Untrusted,
    /// Syncs in a row, this one included, that changed nothing.
    #[serde(default)]
    pub idle: u64,
}

impl LastSync {
    /// One that ended at `now`.
    pub fn new(now: Timestamp, head: Option<ObjectId>, trigger: &str, seconds: f64, outcome: &str) -> Self {
        LastSync {
            schema: SCHEMA,
            completed: now.to_string().into(),
            head,
            trigger: trigger.into(),
            seconds,
            outcome: outcome.into(),
            idle: 0,
        }
    }

    /// What is known at the time `now`. A time that is still to come says nothing: a clock was wrong.
    pub fn load(state: &StateDir, now: Timestamp) -> Option<Self> {
        let last: LastSync = state.load(NAME, SCHEMA).ok().flatten()?;
        last.age(now).is_some().then_some(last)
    }

    /// Whether it ended after `time`, RFC 3339.
    pub fn came_after(&self, time: &str) -> bool {
        let parsed = |time: &str| time.parse::<Timestamp>().ok();
        parsed(self.completed.raw())
            .zip(parsed(time))
            .is_some_and(|(completed, time)| completed > time)
    }

    /// How long ago it ended.
    pub fn age(&self, now: Timestamp) -> Option<Duration> {
        let completed: Timestamp = self.completed.raw().parse().ok()?;
        Duration::try_from(now.duration_since(completed)).ok()
    }

    /// Notes it. Call it under the lock.
    pub fn store(&self, state: &StateDir) -> Result<(), StateError> {
        let fail = |error| state.error("write", NAME, error);
        let mut line = text::json(self).map_err(|error| fail(error.into()))?;
        line.push('\n');
        let file = state.open_file(NAME, OFlags::WRONLY | OFlags::CREATE)?;
        let mut file = file.ok_or_else(|| fail(std::io::ErrorKind::NotFound.into()))?;
        file.write_all(line.as_bytes())
            .and_then(|()| file.set_len(line.len() as u64))
            .map_err(fail)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_one_counts_and_one_that_is_still_to_come_or_torn_does_not() {
        let dot_metis = tempfile::tempdir().unwrap();
        let state = StateDir::create(dot_metis.path()).unwrap();
        let at = |second| Timestamp::from_second(second).unwrap();
        assert_eq!(LastSync::load(&state, at(0)), None);
        let long = LastSync::new(at(100), None, "hook post-merge, with more words", 0.25, "up-to-date");
        long.store(&state).unwrap();
        let short = LastSync::new(at(200), None, "sync", 0.5, "synced");
        short.store(&state).unwrap();
        assert_eq!(LastSync::load(&state, at(260)).as_ref(), Some(&short));
        assert_eq!(short.age(at(260)), Some(Duration::from_secs(60)));
        assert_eq!(LastSync::load(&state, at(199)), None);
        let path = state.path().join(NAME);
        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, &whole[..whole.len() / 2]).unwrap();
        assert_eq!(LastSync::load(&state, at(260)), None);
    }
}
