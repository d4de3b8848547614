//! Where a workspace stands, and what a sync would do or stumble over.

mod syncs;

use jiff::Timestamp;
use serde::Serialize;

pub use self::syncs::{Completed, LastSync};
use self::syncs::{completed, history, noted, past};
use crate::{
    cache::MarkKind,
    names::{ObjectId, Prefix, ShortCode},
    plan::{
        dehydrate::{Behind, CentralChange},
        source::ReadFrom,
        standing::{FolderStanding, Standing},
    },
    state::journal::JournalEntry,
    sync::{
        self, Outbox, SyncErrorKind, Workspace,
        preview::{CentralView, Preview},
        stop,
    },
    text::{Untrusted, UntrustedName},
};

/// What all ways to show it have in common; as it stands, the JSON document.
#[derive(Debug, Serialize)]
pub struct Status {
    /// The owned folder in central.
    pub workspace: Option<Prefix>,
    /// Central, without secrets.
    pub upstream: Untrusted,
    /// Its branch, as far as it is known.
    pub branch: Option<Untrusted>,
    /// All of it in one word.
    pub state: Standing,
    /// How many documents there are here.
    pub documents: usize,
    /// Whether they could be read at all.
    #[serde(skip)]
    pub is_read: bool,
    /// Whether all of them could be.
    #[serde(skip)]
    pub is_whole: bool,
    /// The branch that they are read from, where it is not what is checked out.
    pub read_from: Option<Untrusted>,
    /// Central's commit.
    pub head: Option<ObjectId>,
    /// What central said.
    pub central: Central,
    /// The last sync that changed something and went well.
    pub last_sync: Option<LastSync>,
    /// The last full sync that went well, whether it changed something or not.
    pub last_completed: Option<Completed>,
    /// The last one that went wrong, if none went well after it.
    pub last_failure: Option<LastSync>,
    /// The failure of a sync in the background that no sync has settled since.
    pub background: Option<Untrusted>,
    /// What a sync would push.
    pub ahead: Vec<Ahead>,
    /// What central has newer.
    pub behind: Vec<Behind>,
    /// What a person has to decide.
    pub conflicts: Vec<Conflicting>,
    /// The other workspaces.
    pub workspaces: Vec<Folder>,
    /// How much of what was written here as shared records is in central. `None`: nothing was.
    pub records: Option<Outbox>,
    /// What would stop a sync.
    pub obstacles: Vec<Obstacle>,
    /// What deserves a look.
    pub warnings: Vec<Untrusted>,
}

/// What central said.
#[derive(Debug, Serialize)]
pub struct Central {
    /// Whether it was asked now.
    pub asked: bool,
    /// Whether it answered.
    pub reachable: Option<bool>,
    /// Central's commit.
    pub head: Option<ObjectId>,
    /// Whether it moved since the last sync.
    pub moved: Option<bool>,
    /// Whether everything else in this status is compared with central as it is now.
    pub compared: bool,
    /// What went wrong.
    pub error: Option<Untrusted>,
}

/// An own document that a sync would push or remove.
#[derive(Debug, Serialize)]
pub struct Ahead {
    /// The document.
    pub code: ShortCode,
    /// What becomes of it in central.
    pub change: CentralChange,
    /// Its file, relative to `.metis/`.
    pub path: Option<UntrustedName>,
    /// The tags that shared records put on it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<Untrusted>,
}

/// An own document that was changed on both sides.
#[derive(Debug, Serialize)]
pub struct Conflicting {
    /// The document.
    pub code: ShortCode,
    /// Its file, relative to `.metis/`.
    pub path: Option<UntrustedName>,
}

/// Another workspace's folder.
#[derive(Debug, Serialize)]
pub struct Folder {
    /// Its folder.
    pub prefix: Prefix,
    /// How it compares with central.
    #[serde(flatten)]
    pub standing: FolderStanding,
    /// How many documents there are here.
    pub documents: usize,
    /// When a sync last changed it here, as far back as the journal is read.
    pub changed: Option<Untrusted>,
    /// How long ago that is.
    pub seconds_ago: Option<i64>,
}

/// What would stop a sync.
#[derive(Debug, Serialize)]
pub struct Obstacle {
    /// What it is about, in a word.
    pub kind: &'static str,
    /// The kind of stop.
    pub stop: &'static str,
    /// What is wrong.
    pub message: Untrusted,
    /// What to do.
    pub next: Untrusted,
}

impl Status {
    /// What `preview` found, at the time `now`.
    pub fn of(preview: &Preview<'_>, now: Timestamp) -> Self {
        let conflicts = preview
            .plan
            .conflicts
            .iter()
            .map(|conflict| Conflicting {
                code: conflict.code.clone(),
                path: preview.path_of(&conflict.code).cloned(),
            })
            .collect();
        let pushed = preview.plan.push.keys().map(|code| {
            let change = match preview.held.contains_key(code) {
                true => CentralChange::Changed,
                false => CentralChange::Added,
            };
            (code, change)
        });
        let removed = preview.plan.remove.iter().map(|code| (code, CentralChange::Removed));
        let mut ahead: Vec<Ahead> = pushed
            .chain(removed)
            .map(|(code, change)| Ahead {
                code: code.clone(),
                change,
                path: preview.path_of(code).cloned(),
                tags: Vec::new(),
            })
            .collect();
        ahead.sort_by(|a, b| a.code.cmp(&b.code));
        let entries = past(preview);
        let last_completed = noted(preview).and_then(|state| completed(state, now));
        let (last_sync, last_failure) = history(&entries, last_completed.as_ref(), now);
        let metis = preview.ctx.metis.dir();
        let changed = |prefix: &Prefix| {
            let pulled = |entry: &&JournalEntry| entry.pulled.get(prefix).is_some_and(|documents| *documents > 0);
            entries.iter().rev().find(pulled).map(|entry| LastSync::of(entry, now))
        };
        Status {
            workspace: preview.ctx.owned.clone(),
            upstream: preview.ctx.upstream_shown.as_str().into(),
            branch: branch(preview),
            state: preview.standing(),
            documents: preview.own.documents.len(),
            is_read: !preview.own.is_unknown(),
            is_whole: preview.own.damaged().next().is_none(),
            read_from: read_from(preview),
            head: preview.cursor.head,
            central: Central::of(preview),
            last_sync,
            last_completed,
            last_failure,
            background: None,
            ahead,
            behind: preview.plan.behind.clone(),
            conflicts,
            workspaces: preview
                .folders()
                .into_iter()
                .map(|(prefix, standing)| {
                    let last = changed(&prefix);
                    Folder {
                        documents: crate::workspace::documents_in(metis, &prefix)
                            .map_or(0, |documents| documents.len()),
                        standing,
                        seconds_ago: last.as_ref().and_then(|last| last.seconds_ago),
                        changed: last.map(|last| last.started),
                        prefix,
                    }
                })
                .collect(),
            records: None,
            obstacles: preview.stops.iter().map(|kind| Obstacle::of(kind, preview)).collect(),
            warnings: preview
                .warnings
                .iter()
                .map(|warning| warning.to_string().into())
                .collect(),
        }
    }
}

impl Status {
    /// Adds what shared records say.
    pub fn add_records(&mut self, workspace: &Workspace) {
        self.records = sync::outbox(workspace);
        let marks = sync::marks(workspace);
        let tags = marks.iter().filter(|mark| mark.kind == MarkKind::Tag);
        for mark in tags {
            let ahead = self.ahead.iter_mut().find(|ahead| ahead.code.as_str() == mark.code);
            if let Some(ahead) = ahead {
                ahead.tags.push(mark.name.as_str().into());
            }
        }
    }
}

/// See [`Status::read_from`].
fn read_from(preview: &Preview<'_>) -> Option<Untrusted> {
    let settings = preview.ctx.config.sync.as_ref()?;
    let is_elsewhere = matches!(preview.own.read_from, ReadFrom::Tree { .. });
    settings.source.clone().filter(|_| is_elsewhere).map(Into::into)
}

fn branch(preview: &Preview<'_>) -> Option<Untrusted> {
    let known = match &preview.central {
        CentralView::Seen { branch, .. } => Some(branch.raw()),
        _ => preview.ctx.branch.as_deref(),
    };
    known
        .or(Some(preview.cursor.branch.raw()))
        .filter(|branch| !branch.is_empty())
        .map(|branch| Untrusted::name(branch.as_bytes()))
}

impl Central {
    fn of(preview: &Preview<'_>) -> Self {
        let (asked, reachable, head, error) = match &preview.central {
            CentralView::NotAsked => (false, None, None, None),
            CentralView::Seen { head, .. } => (true, Some(true), *head, None),
            CentralView::Failed(err) => {
                let reason = stop::explain_central(err, &preview.ctx.upstream_shown);
                (true, Some(false), None, Some(reason.into()))
            }
        };
        let moved = preview.central_moved();
        Central {
            asked,
            reachable,
            head,
            moved,
            compared: reachable == Some(true) && preview.snapshot.is_some(),
            error,
        }
    }
}

impl Obstacle {
    pub(super) fn of(kind: &SyncErrorKind, preview: &Preview<'_>) -> Self {
        let hint = stop::explain(kind, &preview.ctx.upstream_shown);
        Obstacle {
            kind: kind.word(),
            stop: hint.stop.name(),
            message: hint.message,
            next: hint.next,
        }
    }
}
