//! Deciding what nobody but a person can decide: documents that are behind or diverged.
//!
//! What was decided is noted together with the version of central that it was decided about. A sync publishes it over that
//! version and over no other, so central may move meanwhile without harm.

use std::{collections::BTreeMap, io::Write as _, process::Stdio};

use jiff::Timestamp;

use super::{
    Clock, Session, SyncErrorKind, SyncOptions, SyncReport, Workspace,
    preview::{self, Ask, Preview},
};
use crate::{
    central::objects,
    fs::FileMode,
    names::{ObjectId, ShortCode},
    plan::source::ReadFrom,
    send_pack::connect,
    stage::own,
    text::Untrusted,
    workspace::{self, Reason},
};

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
    pub path: String,
    /// Why it waits, in words.
    pub why: &'static str,
    /// The version that both sides come from, if one is known.
    pub base: Option<ObjectId>,
    /// The version here.
    pub here: Option<ObjectId>,
    /// Central's version.
    pub central: Option<ObjectId>,
}

/// Why a document is not decided.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotResolved {
    /// It need not be.
    #[error("{0} waits for no decision")]
    NothingOpen(ShortCode),
    /// There is no file to write to.
    #[error(
        "central's documents come from the branch {0}, which is not checked out here, so its files cannot be written"
    )]
    Elsewhere(Untrusted),
    /// One side has none.
    #[error("{0} is there on one side only, so there is nothing to merge")]
    OneSided(ShortCode),
    /// Central's is too large to be a document.
    #[error("central's version of {0} is over the limit for a document")]
    Large(ShortCode),
    /// git did not do it.
    #[error("{code} could not be merged: {reason}")]
    NoMerge {
        /// The document.
        code: ShortCode,
        /// In words.
        reason: Untrusted,
    },
}

/// The texts of a document on both sides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Versions {
    /// The one that both come from; empty if none is known.
    pub base: Vec<u8>,
    /// The one here.
    pub here: Vec<u8>,
    /// Central's.
    pub central: Vec<u8>,
}

/// What became of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resolved {
    /// The next sync publishes what is here.
    Local,
    /// The file has central's version; what it was before is kept, under this path relative to `.metis/`, if it was anything.
    Central(Option<String>),
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
            path: preview.path_of(code).map_or_else(|| code.file_name(), str::to_owned),
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
    let bytes = workspace::read_document(preview.ctx.metis.dir(), &open.path)?;
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
fn check_writable(preview: &Preview<'_>) -> Result<(), SyncErrorKind> {
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
    let decided = chosen.iter().try_for_each(|open| -> Result<(), SyncErrorKind> {
        let resolved = match side {
            Take::Local => Resolved::Local,
            Take::Central => take_central(&preview, open, clock.started)?,
            Take::Merge => merge(&preview, open, &versions(&preview, open)?)?,
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
    decided.map(|()| done)
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

fn take_central(preview: &Preview<'_>, open: &Open, started: Timestamp) -> Result<Resolved, SyncErrorKind> {
    let metis = preview.ctx.metis.dir();
    let kept = match here_bytes(preview, &open.code)? {
        Some(bytes) => {
            let stamp = started.strftime("%Y%m%dT%H%M%SZ");
            let folder = format!("{stamp}/resolved");
            Some(workspace::keep_copy(metis, &folder, &open.code.file_name(), &bytes)?)
        }
        None => None,
    };
    match open.central {
        Some(blob) => write(preview, &open.path, &central_bytes(preview, &open.code, blob)?)?,
        None => metis.remove_file(&open.path)?,
    }
    Ok(Resolved::Central(kept))
}

fn write(preview: &Preview<'_>, path: &str, bytes: &[u8]) -> Result<(), SyncErrorKind> {
    let metis = preview.ctx.metis.dir();
    if let Some((folder, _)) = path.rsplit_once('/') {
        metis.create_dir(folder)?;
    }
    Ok(metis.write_flushed(path, bytes, FileMode::Keep)?)
}

fn versions(preview: &Preview<'_>, open: &Open) -> Result<Versions, SyncErrorKind> {
    let (Some(here), Some(blob)) = (here_bytes(preview, &open.code)?, open.central) else {
        return Err(NotResolved::OneSided(open.code.clone()).into());
    };
    let base = open.base.and_then(|base| {
        let stored = || {
            let store = preview.store.as_ref()?;
            objects::blob(&store.odb(), base, workspace::DOCUMENT_LIMIT).ok()?
        };
        stored().or_else(|| preview.own.reader(&preview.ctx).object(base))
    });
    Ok(Versions {
        base: base.unwrap_or_default(),
        here,
        central: central_bytes(preview, &open.code, blob)?,
    })
}

fn merge(preview: &Preview<'_>, open: &Open, versions: &Versions) -> Result<Resolved, SyncErrorKind> {
    let merged = merge_files(&versions.here, &versions.base, &versions.central);
    let (merged, marks) = merged.map_err(|reason| NotResolved::NoMerge {
        code: open.code.clone(),
        reason: reason.into(),
    })?;
    write(preview, &open.path, &merged)?;
    Ok(match marks {
        0 => Resolved::Merged,
        marks => Resolved::Marked(marks),
    })
}

/// git's own three-way merge of three texts, and the number of places that it left to a person.
fn merge_files(here: &[u8], base: &[u8], central: &[u8]) -> Result<(Vec<u8>, usize), String> {
    let failed = |what: String| format!("git merge-file failed: {what}");
    let temp = |bytes: &[u8]| -> std::io::Result<tempfile::NamedTempFile> {
        let mut file = tempfile::NamedTempFile::new()?;
        file.write_all(bytes)?;
        Ok(file)
    };
    let files = [here, base, central].map(temp);
    let [Ok(here), Ok(base), Ok(central)] = files else {
        return Err(failed("a temporary file could not be written".into()));
    };
    let output = connect::git()
        .args([
            "merge-file",
            "-p",
            "--diff3",
            "-L",
            "here",
            "-L",
            "base",
            "-L",
            "central",
        ])
        .args([here.path(), base.path(), central.path()])
        .current_dir(std::env::temp_dir())
        .stdin(Stdio::null())
        .output()
        .map_err(|err| failed(err.to_string()))?;
    match output.status.code() {
        Some(marks @ 0..=127) => Ok((output.stdout, marks as usize)),
        _ => Err(failed(
            String::from_utf8_lossy(&output.stderr).trim().replace('\n', " "),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_in_different_places_go_together_and_others_are_marked() {
        let base = b"a\n\nb\n\nc\n";
        let (merged, marks) = merge_files(b"A\n\nb\n\nc\n", base, b"a\n\nb\n\nC\n").unwrap();
        assert_eq!((merged.as_slice(), marks), (b"A\n\nb\n\nC\n".as_slice(), 0));
        let (merged, marks) = merge_files(b"A\n\nb\n\nc\n", base, b"x\n\nb\n\nc\n").unwrap();
        let text = String::from_utf8(merged).unwrap();
        assert_eq!(marks, 1);
        assert!(
            text.contains("<<<<<<< here\nA\n||||||| base\na\n=======\nx\n>>>>>>> central\n"),
            "{text}"
        );
    }
}
