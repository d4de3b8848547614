//! What the last sync that a hook started came to. The hook itself had ended by then, so the next one tells.
//!
//! A worker leaves a note when it begins to wait and when it begins to sync, and replaces it when it ends. So a note that has
//! only begun, of a process that is gone, tells of a worker that was killed.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::process::{self, Process};
use crate::{
    state::{
        files::{StateDir, StateError},
        last::LastSync,
    },
    text::Untrusted,
};

const SCHEMA: u32 = 1;

/// Which of its notes a worker writes. While one syncs, another one may wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Note {
    /// That it waits for git's command or for its turn.
    Waiting,
    /// That it syncs, and how that ended.
    Syncing,
}

impl Note {
    /// The file in `.metis/.sync/`.
    fn file(self) -> &'static str {
        match self {
            Note::Waiting => "hook-waiting.json",
            Note::Syncing => "hook.json",
        }
    }
}

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
    /// Not yet.
    Begun,
    /// Its process was ended before it could.
    Unfinished,
}

/// See the fields.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastRun {
    schema: u32,
    /// The hook that started it.
    pub event: Untrusted,
    /// When it ended, or, if it has not, when it began; RFC 3339.
    pub ended_at: Untrusted,
    /// How.
    pub ended: Ended,
    /// What went wrong or was in the way, in one line.
    #[serde(default)]
    pub message: Untrusted,
    /// Whether the user has been told.
    #[serde(default)]
    pub told: bool,
    /// Whether a sync succeeded since.
    #[serde(default)]
    pub settled: bool,
    /// Whoever has begun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    worker: Option<Worker>,
}

/// The process that left a note.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Worker {
    process: Option<Process>,
    /// Where it can be looked for.
    place: String,
    /// When it has ended at the latest, RFC 3339.
    until: String,
    /// The command of git's that it waits for.
    #[serde(default)]
    waits_for: Option<Process>,
}

impl LastRun {
    /// One that ends now.
    pub fn new(event: &str, ended: Ended, message: impl Into<Untrusted>, now: Timestamp) -> Self {
        LastRun {
            schema: SCHEMA,
            event: event.into(),
            ended_at: now.to_string().into(),
            ended,
            message: message.into(),
            told: false,
            settled: false,
            worker: None,
        }
    }

    /// One of this process that begins now and takes no longer than `longest`.
    pub fn begun(event: &str, longest: std::time::Duration, waits_for: Option<&Process>, now: Timestamp) -> Self {
        let longest = SignedDuration::try_from(longest).unwrap_or(SignedDuration::MAX);
        let until = now.checked_add(longest).unwrap_or(Timestamp::MAX);
        LastRun {
            worker: Some(Worker {
                process: Process::this(),
                place: process::place(),
                until: until.to_string(),
                waits_for: waits_for.cloned(),
            }),
            ..LastRun::new(event, Ended::Begun, "", now)
        }
    }

    /// What is known, if anything is and it can be read: the file may have come with a pull.
    pub fn load(state: &StateDir, note: Note) -> Option<Self> {
        let mut run: LastRun = state.load(note.file(), SCHEMA).ok().flatten()?;
        let now = Timestamp::now();
        run.settled |= LastSync::load(state, now).is_some_and(|last| last.came_after(run.ended_at.raw()));
        Some(run.standing(&process::place(), now, &Process::runs))
    }

    /// What is known of the latest.
    pub fn latest(state: &StateDir) -> Option<Self> {
        LastRun::load(state, Note::Waiting).or_else(|| LastRun::load(state, Note::Syncing))
    }

    /// Puts it in the place of the one before.
    pub fn store(&self, state: &StateDir, note: Note) -> Result<(), StateError> {
        state.store(note.file(), self)
    }

    /// Removes the note that this process left when it began to wait.
    pub fn waits_no_more(state: &StateDir) {
        let Some(run) = state.load::<LastRun>(Note::Waiting.file(), SCHEMA).ok().flatten() else {
            return;
        };
        if run.worker.is_some_and(|worker| worker.process == Process::this()) {
            // If it stays it tells, at worst, of a sync that was not ended but finished.
            let _ = state.remove(Note::Waiting.file());
        }
    }

    /// Whether its worker waits for `command`, to sync when that has ended.
    pub fn covers(&self, command: &Process) -> bool {
        let waits_for = self.worker.as_ref().and_then(|worker| worker.waits_for.as_ref());
        self.ended == Ended::Begun && waits_for == Some(command)
    }

    /// With one that has begun and can have ended only by force called that.
    fn standing(self, here: &str, now: Timestamp, runs: &dyn Fn(&Process) -> bool) -> Self {
        let is_gone = match &self.worker {
            _ if self.ended != Ended::Begun => false,
            None => true,
            Some(worker) => match &worker.process {
                Some(process) if worker.place == here => !runs(process),
                // Before the machine was started anew, in another container, on another machine: nobody can look.
                _ => worker.until.parse::<Timestamp>().is_ok_and(|until| until < now),
            },
        };
        match is_gone {
            true => LastRun {
                ended: Ended::Unfinished,
                message: "its process was ended before the sync was".into(),
                worker: None,
                ..self
            },
            false => self,
        }
    }

    /// How long ago it ended, as a person would say it.
    pub fn age(&self, now: Timestamp) -> String {
        let Ok(ended_at) = self.ended_at.raw().parse::<Timestamp>() else {
            return "earlier".into();
        };
        let seconds = now.as_second().saturating_sub(ended_at.as_second()).max(0);
        match seconds {
            0..10 => "just now".into(),
            10..60 => format!("{seconds} s ago"),
            60..3600 => format!("{} min ago", seconds / 60),
            3600..172_800 => format!("{} h ago", seconds / 3600),
            _ => format!("{} days ago", seconds / 86_400),
        }
    }

    /// How it went, as the end of a sentence that names it.
    pub fn how(&self, now: Timestamp) -> String {
        let age = self.age(now);
        let how = match self.ended {
            Ended::Synced => format!("succeeded {age}"),
            Ended::Failed => format!("failed {age}"),
            Ended::Skipped => format!("was skipped {age}"),
            Ended::Begun => format!("began {age} and has not ended"),
            Ended::Unfinished => format!("did not finish (begun {age})"),
        };
        match self.message.raw().is_empty() {
            true => how,
            false => format!("{how}: {}", self.message),
        }
    }

    /// A failure that the user has not been told of, in one line.
    pub fn untold(&self, now: Timestamp) -> Option<String> {
        self.unsettled(now).filter(|_| !self.told)
    }

    /// A failure after which no sync has succeeded, in one line.
    pub fn unsettled(&self, now: Timestamp) -> Option<String> {
        let failed = matches!(self.ended, Ended::Failed | Ended::Unfinished);
        (failed && !self.settled).then(|| {
            format!(
                "the sync in the background after the last {} {}",
                self.event,
                self.how(now)
            )
        })
    }
}

#[cfg(test)]
mod tests;
