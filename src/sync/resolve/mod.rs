//! Deciding what nobody but a person can decide: documents that are behind or diverged.
//!
//! What was decided is noted together with the version of central that it was decided about. A sync publishes it over that
//! version and over no other, so central may move meanwhile without harm.

mod merge;

use std::collections::BTreeMap;

use jiff::Timestamp;

use self::merge::{merge, versions};
use super::{
    Clock, NotResolved, Session, SyncErrorKind, SyncOptions, SyncReport, Workspace,
    preview::{self, Ask, Preview},
    record,
};
use crate::{
    central,
    fs::{Dir, FileMode},
    names::{ObjectId, ShortCode},
    plan::source::ReadFrom,
    stage::own,
    state::journal::ResolvedFile,
    text::UntrustedName,
    workspace::{self, Reason},
};

pub use self::merge::Versions;

/// Which side to take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Take {
    /// What is here; where nothing is here, the document goes from central.
    Local,
    /// What central has.
    Central,
    /// Both, put together line by line.
    Merge,
}

/// A document that waits for a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Open {
    /// The document.
    pub code: ShortCode,
    /// Where its file is, or belongs, relative to `.metis/`.
    pub path: UntrustedName,
    /// Why it waits, in words.
    pub why: &'static str,
    /// The version that both sides come from, if one is known.
    pub base: Option<ObjectId>,
    /// The version here.
    pub here: Option<ObjectId>,
    /// Central's version.
    pub central: Option<ObjectId>,
}

/// What became of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resolved {
    /// The next sync publishes what is here.
    Local,
    /// The file has central's version; what it was before is kept, under this path relative to `.metis/`, if it was anything.
    Central(Option<UntrustedName>),
    /// The file has the changes of both.
    Merged,
    /// The file has this many places that a person has to look at, between conflict markers.
    Marked(usize),
}

/// The documents that wait.
pub fn open(preview: &Preview<'_>) -> Vec<Open> {
    let plan = &preview.plan;
    let behind = plan
        .behind
        .iter()
        .map(|behind| (&behind.code, behind.why.words(), None));
    let diverged = plan
        .conflicts
        .iter()
        .map(|conflict| (&conflict.code, "changed here and in central", conflict.base));
    let mut open: Vec<Open> = behind
        .chain(diverged)
        .map(|(code, why, base)| Open {
            code: code.clone(),
            path: preview
                .path_of(code)
                .map_or_else(|| code.file_name().into(), Clone::clone),
            why,
            base: base.or_else(|| preview.cursor.base.get(code).and_then(|base| base.blob)),
            here: preview.own.documents.get(code).map(|document| document.blob),
            central: preview.held.get(code).copied(),
        })
        .collect();
    open.sort_by(|a, b| a.code.cmp(&b.code));
    open
}

/// The documents that a merge was begun of, with conflict markers left in the file.
pub fn begun(preview: &Preview<'_>) -> Vec<Open> {
    let marked = preview.own.damaged();
    let marked = marked.filter(|damaged| matches!(damaged.reason, Reason::ConflictMarkers));
    let open = marked.filter_map(|damaged| {
        let code = damaged.may_be.clone()?;
        Some(Open {
            path: damaged.path.clone(),
            why: "has conflict markers in it",
            base: preview.cursor.base.get(&code).and_then(|base| base.blob),
            here: None,
            central: preview.held.get(&code).copied(),
            code,
        })
    });
    open.collect()
}

/// Writes what both sides come to into the file of `open`, and returns the versions that it was made of.
pub fn draft(preview: &Preview<'_>, open: &Open) -> Result<(Versions, Resolved), SyncErrorKind> {
    check_writable(preview)?;
    let versions = versions(preview, open)?;
    let resolved = merge(preview, open, &versions)?;
    Ok((versions, resolved))
}

/// Whether conflict markers are left in the file of `open`.
pub fn is_marked(preview: &Preview<'_>, open: &Open) -> Result<bool, SyncErrorKind> {
    let bytes = workspace::read_document(preview.ctx.metis.dir(), open.path.raw())?;
    Ok(own::has_conflict_markers(&bytes))
}

/// Notes that the files of `chosen` have what a person decided.
pub fn note(workspace: &Workspace, options: &SyncOptions, chosen: &[&Open]) -> Result<(), SyncErrorKind> {
    let (mut nothing, mut report) = ((), SyncReport::default());
    let mut session = Session::new(workspace, options, &mut nothing, &mut report, Clock::start())?;
    let mut cursor = session.notebook.last.clone().ok_or(SyncErrorKind::NeverSynced)?;
    for open in chosen {
        cursor.decide(open.code.clone(), open.central);
    }
    Ok(session.notebook.store(&session.ctx, &cursor)?)
}

/// Files can only be written where the branch that they belong to is checked out.
pub(super) fn check_writable(preview: &Preview<'_>) -> Result<(), SyncErrorKind> {
    match preview.own.read_from {
        ReadFrom::Tree { .. } => {
            let settings = preview.ctx.config.sync.as_ref();
            let source = settings.and_then(|settings| settings.source.clone());
            Err(NotResolved::Elsewhere(source.unwrap_or_default().into()).into())
        }
        ReadFrom::Folder | ReadFrom::Worktree(_) => Ok(()),
    }
}

/// Decides `chosen`. Files are written for [`Take::Central`] and [`Take::Merge`]; nothing is sent.
pub fn take(
    workspace: &Workspace,
    options: &SyncOptions,
    chosen: &[Open],
    side: Take,
) -> Result<BTreeMap<ShortCode, Resolved>, SyncErrorKind> {
    let preview = preview::look(workspace, options, Ask::Nobody, &mut ())?;
    if side != Take::Local {
        check_writable(&preview)?;
    }
    let clock = Clock::start();
    let (mut nothing, mut report) = ((), SyncReport::default());
    let mut session = Session::new(workspace, options, &mut nothing, &mut report, clock)?;
    let Some(mut cursor) = session.notebook.last.clone() else {
        return Err(SyncErrorKind::NeverSynced);
    };
    let mut done = BTreeMap::new();
    let mut written = Vec::new();
    let decided = chosen.iter().try_for_each(|open| -> Result<(), SyncErrorKind> {
        let resolved = match side {
            Take::Local => Resolved::Local,
            Take::Central => {
                let kept = keep(&preview, open, clock.started)?;
                take_central(&preview, open)?;
                written.push(file(open, open.central, kept.clone()));
                Resolved::Central(kept)
            }
            Take::Merge => {
                let versions = versions(&preview, open)?;
                let kept = keep(&preview, open, clock.started)?;
                let resolved = merge(&preview, open, &versions)?;
                let merged = workspace::read_document(preview.ctx.metis.dir(), open.path.raw())?;
                written.push(file(open, Some(central::blob_id(cursor.format, &merged)), kept));
                resolved
            }
        };
        match resolved {
            Resolved::Central(_) => cursor.take_back(&open.code),
            Resolved::Local | Resolved::Merged | Resolved::Marked(_) => cursor.decide(open.code.clone(), open.central),
        }
        done.insert(open.code.clone(), resolved);
        Ok(())
    });
    // Also where one of them stopped it: the files of those before it are written.
    session.notebook.store(&session.ctx, &cursor)?;
    if !written.is_empty() {
        record::deed(&mut session, "resolved", |entry| entry.resolved = written);
    }
    decided.map(|()| done)
}

/// What to note of the file of `open`, for those who want to go back.
fn file(open: &Open, version: Option<ObjectId>, kept: Option<UntrustedName>) -> ResolvedFile {
    ResolvedFile {
        code: open.code.clone(),
        path: open.path.clone(),
        version,
        kept,
    }
}

/// The bytes of central's version.
fn central_bytes(preview: &Preview<'_>, code: &ShortCode, blob: ObjectId) -> Result<Vec<u8>, SyncErrorKind> {
    let store = preview.store.as_ref().ok_or_else(|| preview::not_at_hand(Some(blob)))?;
    let bytes = store.blob(blob, workspace::DOCUMENT_LIMIT)?;
    bytes.ok_or_else(|| NotResolved::Large(code.clone()).into())
}

fn here_bytes(preview: &Preview<'_>, code: &ShortCode) -> Result<Option<Vec<u8>>, SyncErrorKind> {
    let Some(document) = preview.own.documents.get(code) else {
        return Ok(None);
    };
    Ok(Some(preview.own.reader(&preview.ctx).read(document)?))
}

/// Keeps a copy of what is here of `open`. `None`: nothing is.
fn keep(preview: &Preview<'_>, open: &Open, started: Timestamp) -> Result<Option<UntrustedName>, SyncErrorKind> {
    let Some(bytes) = here_bytes(preview, &open.code)? else {
        return Ok(None);
    };
    let folder = format!("{}/resolved", started.strftime("%Y%m%dT%H%M%SZ"));
    let name = open.code.file_name();
    let kept = workspace::keep_copy(preview.ctx.metis.dir(), &folder, &name, &bytes)?;
    Ok(Some(kept.into()))
}

fn take_central(preview: &Preview<'_>, open: &Open) -> Result<(), SyncErrorKind> {
    match open.central {
        Some(blob) => write(preview, open.path.raw(), &central_bytes(preview, &open.code, blob)?),
        None => Ok(preview.ctx.metis.dir().remove_file(open.path.raw())?),
    }
}

fn write(preview: &Preview<'_>, path: &str, bytes: &[u8]) -> Result<(), SyncErrorKind> {
    write_file(preview.ctx.metis.dir(), path, bytes)
}

/// Writes an own document, flushed, and the folders above it.
pub(super) fn write_file(metis: &Dir, path: &str, bytes: &[u8]) -> Result<(), SyncErrorKind> {
    if let Some((folder, _)) = path.rsplit_once('/') {
        metis.create_dir(folder)?;
    }
    Ok(metis.write_flushed(path, bytes, FileMode::Keep)?)
}
