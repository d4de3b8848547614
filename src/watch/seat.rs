//! A workspace that is watched.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use jiff::Timestamp;

use super::{
    note::{self, Failed, Note},
    survey::Place,
    work::Stopped,
};
use crate::{
    names::ObjectId,
    plan::watch::{Found, Pace},
    service::{self, Served},
    state::{
        files::StateDir,
        last::LastSync,
        lock::{Claim, LockError},
    },
    sync::{
        self, SyncErrorKind, Workspace,
        heads::{self, OtherRefs},
        stop,
    },
    text::shown,
};

/// A workspace that is watched.
pub struct Seat {
    /// Where it is: absolute, without links.
    pub path: PathBuf,
    /// What it is called in what is said.
    pub name: String,
    /// See [`Pace`].
    pub pace: Pace,
    /// What is known of it. `None`: it is not there, or cannot be used.
    pub open: Option<Open>,
    /// The kind of trouble that was said of it last, so that it is not said again.
    pub said: Option<String>,
}

/// A workspace that is there.
pub struct Open {
    /// Where to look.
    pub place: Place,
    /// Its central's number.
    pub central: usize,
    /// The commit of central that it has dealt with.
    pub head: Option<ObjectId>,
    /// The one that it was told of last.
    pub told: Option<Option<ObjectId>>,
    /// What was known to lie beside central's branch when its last sync began.
    pub beside: Option<OtherRefs>,
    /// Whether its last sync left records that the next one takes up or sends.
    pub leaves_records: bool,
    /// What the last survey found.
    pub found: Option<Found>,
    state: StateDir,
    note: Note,
    _claim: Claim,
}

/// Why a workspace cannot be watched.
#[derive(Debug)]
pub enum NotOpen {
    /// Another watcher has it; the text names it.
    Watched(String),
    /// Something else.
    Stop(SyncErrorKind),
}

impl<E: Into<SyncErrorKind>> From<E> for NotOpen {
    fn from(err: E) -> Self {
        NotOpen::Stop(err.into())
    }
}

impl NotOpen {
    /// A word for it, and a line.
    pub fn words(&self) -> (&'static str, String) {
        match self {
            NotOpen::Watched(holder) => ("watched", format!("another watcher has it: {holder}")),
            NotOpen::Stop(kind) => {
                let hint = stop::explain(kind, "");
                (
                    hint.stop.name(),
                    format!("{}; it is looked for again every 10 s", hint.message),
                )
            }
        }
    }
}

impl Open {
    /// Becomes the only watcher of the workspace, which has the central of this number.
    pub fn new(workspace: &Workspace, central: usize, events: bool) -> Result<Self, NotOpen> {
        let state = sync::made_state(workspace.metis())?;
        let claim = note::claim(&state).map_err(|err| match err {
            LockError::Held { holder, .. } => {
                NotOpen::Watched(holder.map_or("it does not say which".into(), |holder| holder.to_string()))
            }
            LockError::State(err) => NotOpen::Stop(err.into()),
        })?;
        let open = Open {
            place: Place::of(workspace),
            central,
            head: heads::dealt_with(workspace),
            told: None,
            beside: None,
            leaves_records: false,
            found: None,
            note: Note::new(Timestamp::now(), events),
            state,
            _claim: claim,
        };
        open.store();
        Ok(open)
    }

    /// Whether there is something to sync for it where central had `before` beside its branch and has `now`.
    pub fn wants(&self, before: Option<OtherRefs>, now: OtherRefs) -> bool {
        before.map(|before| before.logs) != Some(now.logs)
            || (self.place.shares_branches && before.map(|before| before.conduits) != Some(now.conduits))
    }

    /// When any sync of this clone went well last, and how long ago that is.
    pub fn last_sync(&self) -> Option<(Option<ObjectId>, Duration)> {
        let now = Timestamp::now();
        let last = LastSync::load(&self.state, now)?;
        Some((last.head, last.age(now)?))
    }

    /// Whether any sync of this clone went well after the one that failed.
    pub fn is_mended(&self) -> bool {
        let failed = self.note.last_failure.as_ref();
        failed.is_some_and(|failed| {
            LastSync::load(&self.state, Timestamp::now()).is_some_and(|last| last.came_after(failed.at.raw()))
        })
    }

    /// Central is at `head`. Whether there is something to sync, which it says once for each.
    pub fn is_news(&mut self, head: Option<ObjectId>) -> bool {
        if self.head == head || self.told == Some(head) {
            return false;
        }
        self.told = Some(head);
        // A hook's sync, or one by hand, may have been there.
        if self.last_sync().is_some_and(|(synced, _)| synced == head) {
            self.head = head;
            return false;
        }
        true
    }

    /// Notes that a sync went well.
    pub fn succeeded(&mut self, head: Option<ObjectId>) {
        self.head = head;
        self.told = None;
        self.note.last_success = Some(Timestamp::now().to_string().into());
        self.note.last_failure = None;
        self.store();
    }

    /// Notes that one did not, and that it is tried again after `wait`.
    pub fn failed(&mut self, stopped: &Stopped, wait: Duration) {
        let now = Timestamp::now();
        let next = now.checked_add(wait).unwrap_or(Timestamp::MAX);
        if stopped.head.is_some() {
            self.told = Some(stopped.head);
        }
        self.note.last_failure = Some(Failed {
            at: now.to_string().into(),
            stop: stopped.stop.into(),
            message: stopped.message.as_str().into(),
            next: next.to_string().into(),
        });
        self.store();
    }

    /// Notes whether the kernel tells of changes.
    pub fn hears(&mut self, events: bool) {
        self.note.events = events;
        self.store();
    }

    fn store(&self) {
        // Without it `--status` knows less.
        let _ = self.note.store(&self.state);
    }
}

/// What a sync did, in a few words; `None` for nothing.
pub fn words(served: &Served) -> Option<String> {
    let report = &served.report;
    let pulled = report.files_pulled();
    let from: Vec<&str> = report.pulled.keys().take(5).map(|prefix| prefix.as_str()).collect();
    let counts = [
        (pulled, format!("pulled {pulled} ({})", from.join(", "))),
        (report.pushed.len(), format!("pushed {}", report.pushed.len())),
        (report.removed.len(), format!("removed {}", report.removed.len())),
    ];
    let mut parts: Vec<String> = counts
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(_, words)| words)
        .collect();
    parts.extend(report.kept.iter().map(|kept| format!("kept an edited copy as {kept}")));
    parts.extend(served.conduits.as_ref().and_then(service::Conduits::trouble));
    (!parts.is_empty()).then(|| format!("{}, {:.1} s", parts.join(", "), report.seconds))
}

/// What the workspaces are called: the folder's name where that is enough.
pub fn names(paths: &[PathBuf]) -> Vec<String> {
    let short = |path: &PathBuf| path.file_name().map(|name| name.to_string_lossy().into_owned());
    let mut counts = BTreeMap::new();
    for path in paths {
        *counts.entry(short(path)).or_insert(0) += 1;
    }
    let name = |path: &PathBuf| match short(path) {
        Some(name) if counts[&Some(name.clone())] == 1 => name,
        _ => shown(path).to_string(),
    };
    paths.iter().map(name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_short_where_no_other_is_the_same() {
        let paths = ["/a/api", "/b/api", "/b/web"].map(PathBuf::from);
        assert_eq!(names(&paths), ["/a/api", "/b/api", "web"]);
    }
}
