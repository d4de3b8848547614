//! What the last sync that a hook started came to. The hook itself had ended by then, so the next one tells.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::state::files::{StateDir, StateError};

/// The file in `.metis/.sync/`.
const FILE: &str = "hook.json";
const SCHEMA: u32 = 1;

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ended {
    /// Everything is in step.
    Synced,
    /// Something is wrong.
    Failed,
    /// There was a reason not to begin.
    Skipped,
}

/// See the fields.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastRun {
    schema: u32,
    /// The hook that started it.
    pub event: String,
    /// When it ended, RFC 3339.
    pub ended_at: String,
    /// How.
    pub ended: Ended,
    /// What went wrong or was in the way, in one line.
    #[serde(default)]
    pub message: String,
    /// Whether the user has been told.
    #[serde(default)]
    pub told: bool,
}

impl LastRun {
    /// One that ends now.
    pub fn new(event: &str, ended: Ended, message: impl Into<String>, now: Timestamp) -> Self {
        LastRun {
            schema: SCHEMA,
            event: event.to_owned(),
            ended_at: now.to_string(),
            ended,
            message: message.into(),
            told: false,
        }
    }

    /// The last one, if there was one and what is known of it can be read.
    pub fn load(state: &StateDir) -> Option<Self> {
        state.load(FILE, SCHEMA).ok().flatten()
    }

    /// Puts it in the place of the one before.
    pub fn store(&self, state: &StateDir) -> Result<(), StateError> {
        state.store(FILE, self)
    }

    /// How long ago it ended, as a person would say it.
    pub fn age(&self, now: Timestamp) -> String {
        let Ok(ended_at) = self.ended_at.parse::<Timestamp>() else {
            return "earlier".into();
        };
        let seconds = now.as_second().saturating_sub(ended_at.as_second()).max(0);
        match seconds {
            0..60 => format!("{seconds} s ago"),
            60..3600 => format!("{} min ago", seconds / 60),
            3600..172_800 => format!("{} h ago", seconds / 3600),
            _ => format!("{} days ago", seconds / 86_400),
        }
    }

    /// A failure that the user has not been told of, in one line.
    pub fn untold(&self, now: Timestamp) -> Option<String> {
        (self.ended == Ended::Failed && !self.told).then(|| {
            format!(
                "the sync in the background after the last {} failed {}: {}",
                self.event,
                self.age(now),
                self.message
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_told_once() {
        let dot_metis = tempfile::tempdir().unwrap();
        let state = StateDir::create(dot_metis.path()).unwrap();
        assert_eq!(LastRun::load(&state), None);
        let then = Timestamp::UNIX_EPOCH;
        let mut run = LastRun::new("pre-push", Ended::Failed, "cannot reach x", then);
        run.store(&state).unwrap();
        let now = Timestamp::from_second(150).unwrap();
        assert_eq!(
            LastRun::load(&state).unwrap().untold(now).unwrap(),
            "the sync in the background after the last pre-push failed 2 min ago: cannot reach x"
        );
        run.told = true;
        run.store(&state).unwrap();
        assert_eq!(LastRun::load(&state).unwrap().untold(now), None);
        let fine = LastRun::new("pre-push", Ended::Synced, "", then);
        assert_eq!(fine.untold(now), None);
    }
}
