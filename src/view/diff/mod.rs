//! How documents differ between here and central: what a sync would push, and what it would bring.

mod patch;

use crate::{
    central::{self, CentralError},
    names::{ObjectId, Prefix, ShortCode},
    plan::dehydrate::CentralChange,
    stage::own::{OwnDocument, ReadError},
    sync::{
        SyncErrorKind,
        preview::{self, CentralView, Preview},
    },
    view::lines::Patience,
    workspace,
};

pub use patch::{Kind, Line, SHOWN_BYTES, Version, lines};

/// Whose changes are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// What a sync would push.
    Local,
    /// What a sync would bring, and which own documents central has newer.
    Central,
}

/// Where a version's bytes are.
#[derive(Debug)]
enum Place {
    Nowhere,
    /// A blob of central.
    Central(ObjectId),
    /// A file, relative to `.metis/`.
    Here(String),
    /// An own document.
    Own(OwnDocument),
}

/// One document that differs, or may.
#[derive(Debug)]
pub struct Change {
    /// Whose document it is.
    pub prefix: Prefix,
    /// Which.
    pub code: ShortCode,
    /// Whether nobody but a person can decide it.
    pub conflict: bool,
    old: Place,
    new: Place,
}

/// A document that does differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compared {
    /// What becomes of it.
    pub change: CentralChange,
    /// The blob that it is.
    pub old: Option<ObjectId>,
    /// The blob that it becomes.
    pub new: Option<ObjectId>,
    /// The unified diff.
    pub lines: Vec<Line>,
}

/// Whether there is something to compare with. What is returned kept central from being asked: it is compared with the last sync.
pub fn check(preview: &mut Preview<'_>) -> Result<Option<CentralError>, SyncErrorKind> {
    let view = std::mem::replace(&mut preview.central, CentralView::NotAsked);
    match (&preview.snapshot, view) {
        (None, CentralView::Failed(err)) => Err(err.into()),
        (None, _) => {
            let stop = preview.stops.pop();
            Err(stop.unwrap_or_else(|| preview::not_at_hand(preview.cursor.head)))
        }
        (Some(_), CentralView::Failed(err)) => Ok(Some(err)),
        (Some(_), _) => Ok(None),
    }
}

/// All documents that differ, or may.
pub fn changes(preview: &Preview<'_>, side: Side) -> Vec<Change> {
    match side {
        Side::Local => outgoing(preview),
        Side::Central => incoming(preview),
    }
}

impl Change {
    /// The document's path in central.
    pub fn name(&self) -> String {
        format!("{}/{}", self.prefix, self.code.file_name())
    }

    /// Reads both versions. `None`: they turn out to be the same.
    pub fn compared(&self, preview: &Preview<'_>, patience: &mut Patience) -> Result<Option<Compared>, SyncErrorKind> {
        let (old, new) = (version(preview, &self.old)?, version(preview, &self.new)?);
        let id = |version: &Option<Version>| version.as_ref().map(|version| version.id);
        if id(&old) == id(&new) {
            return Ok(None);
        }
        Ok(Some(Compared {
            change: match (&old, &new) {
                (None, _) => CentralChange::Added,
                (_, None) => CentralChange::Removed,
                _ => CentralChange::Changed,
            },
            old: id(&old),
            new: id(&new),
            lines: patch::lines(&self.name(), old.as_ref(), new.as_ref(), patience),
        }))
    }
}

/// Own documents whose version here would go to central, and those that nobody can decide.
fn outgoing(preview: &Preview<'_>) -> Vec<Change> {
    let Some(prefix) = &preview.ctx.owned else {
        return Vec::new();
    };
    let plan = &preview.plan;
    let changed = plan.push.keys().chain(&plan.remove).map(|code| (code, false));
    let conflicts = plan.conflicts.iter().map(|conflict| (&conflict.code, true));
    let mut changes: Vec<Change> = changed
        .chain(conflicts)
        .map(|(code, conflict)| Change {
            prefix: prefix.clone(),
            code: code.clone(),
            old: theirs(preview, code),
            new: ours(preview, code),
            conflict,
        })
        .collect();
    changes.sort_by(|a, b| a.code.cmp(&b.code));
    changes
}

/// Own documents that central has newer, and what hydrating would change.
fn incoming(preview: &Preview<'_>) -> Vec<Change> {
    let mut changes = Vec::new();
    if let Some(prefix) = &preview.ctx.owned {
        let plan = &preview.plan;
        let behind = plan.behind.iter().map(|behind| (&behind.code, false));
        let conflicts = plan.conflicts.iter().map(|conflict| (&conflict.code, true));
        changes.extend(behind.chain(conflicts).map(|(code, conflict)| Change {
            prefix: prefix.clone(),
            code: code.clone(),
            old: ours(preview, code),
            new: theirs(preview, code),
            conflict,
        }));
    }
    let Some(plan) = &preview.hydrate else { return changes };
    let work = plan.work.iter().map(|work| (&work.prefix, &work.files));
    for (prefix, files) in work.chain(plan.gone.iter().map(|(prefix, files)| (prefix, files))) {
        let change = |code: &ShortCode, new| Change {
            prefix: prefix.clone(),
            code: code.clone(),
            old: Place::Here(format!("{prefix}/{}", code.file_name())),
            new,
            conflict: false,
        };
        changes.extend(
            files
                .write
                .iter()
                .map(|write| change(&write.code, Place::Central(write.blob))),
        );
        changes.extend(files.remove.iter().map(|remove| change(&remove.code, Place::Nowhere)));
    }
    changes.sort_by(|a, b| (&a.prefix, &a.code).cmp(&(&b.prefix, &b.code)));
    changes
}

fn theirs(preview: &Preview<'_>, code: &ShortCode) -> Place {
    preview
        .held
        .get(code)
        .map_or(Place::Nowhere, |blob| Place::Central(*blob))
}

fn ours(preview: &Preview<'_>, code: &ShortCode) -> Place {
    match preview.own.documents.get(code) {
        Some(document) => Place::Own(document.clone()),
        None => Place::Nowhere,
    }
}

/// Fetches a version's bytes from where they are.
fn version(preview: &Preview<'_>, place: &Place) -> Result<Option<Version>, SyncErrorKind> {
    match place {
        Place::Nowhere => Ok(None),
        Place::Central(id) => {
            let Some(store) = &preview.store else { return Ok(None) };
            let bytes = store.blob(*id, SHOWN_BYTES)?;
            Ok(Some(Version { id: *id, bytes }))
        }
        Place::Own(document) => match preview.own.reader(&preview.ctx).read(document) {
            Ok(bytes) => Ok(Some(Version {
                id: document.blob,
                bytes: (bytes.len() as u64 <= SHOWN_BYTES).then_some(bytes),
            })),
            Err(ReadError::Changed { .. }) => Ok(None),
            Err(ReadError::Dir(err)) => Err(err.into()),
            Err(ReadError::Object(err)) => Err(err.into()),
        },
        Place::Here(path) => match workspace::read_document(preview.ctx.metis.dir(), path) {
            Ok(bytes) => Ok(Some(Version {
                id: central::blob_id(preview.cursor.format, &bytes),
                bytes: (bytes.len() as u64 <= SHOWN_BYTES).then_some(bytes),
            })),
            Err(err) if err.is_gone() => Ok(None),
            Err(err) => Err(err.into()),
        },
    }
}
