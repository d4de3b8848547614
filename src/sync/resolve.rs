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
    workspace,
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

/// Decides `chosen`. Files are written for [`Take::Central`] and [`Take::Merge`]; nothing is sent.
pub fn take(
    workspace: &Workspace,
    options: &SyncOptions,
    chosen: &[Open],
    side: Take,
) -> Result<BTreeMap<ShortCode, Resolved>, SyncErrorKind> {
    let preview = preview::look(workspace, options, Ask::Nobody, &mut ())?;
    if let (ReadFrom::Tree { .. }, Take::Central | Take::Merge) = (preview.own.read_from, side) {
        return Err(SyncErrorKind::Mend(
            "the branch that central's documents come from is not checked out here, so its files cannot be written; check it out first"
                .into(),
        ));
    }
    let clock = Clock::start();
    let (mut nothing, mut report) = ((), SyncReport::default());
    let mut session = Session::new(workspace, options, &mut nothing, &mut report, clock)?;
    let Some(mut cursor) = session.notebook.last.clone() else {
        return Err(SyncErrorKind::NeverSynced);
    };
    let mut done = BTreeMap::new();
    for open in chosen {
        let resolved = match side {
            Take::Local => Resolved::Local,
            Take::Central => take_central(&preview, open, clock.started)?,
            Take::Merge => merge(&preview, open)?,
        };
        match resolved {
            Resolved::Central(_) => cursor.take_back(&open.code),
            Resolved::Local | Resolved::Merged | Resolved::Marked(_) => cursor.decide(open.code.clone(), open.central),
        }
        done.insert(open.code.clone(), resolved);
    }
    session.notebook.store(&session.ctx, &cursor)?;
    Ok(done)
}

/// The bytes of central's version.
fn central_bytes(preview: &Preview<'_>, blob: ObjectId) -> Result<Vec<u8>, SyncErrorKind> {
    let store = preview.store.as_ref().ok_or_else(|| preview::not_at_hand(Some(blob)))?;
    let bytes = store.blob(blob, workspace::DOCUMENT_LIMIT)?;
    bytes
        .ok_or_else(|| SyncErrorKind::Mend(format!("central's version {blob} is over the limit for a document").into()))
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
        Some(blob) => write(preview, &open.path, &central_bytes(preview, blob)?)?,
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

fn merge(preview: &Preview<'_>, open: &Open) -> Result<Resolved, SyncErrorKind> {
    let (Some(here), Some(blob)) = (here_bytes(preview, &open.code)?, open.central) else {
        return Err(SyncErrorKind::Mend(
            format!(
                "{} is there on one side only, so there is nothing to merge; take local or central",
                open.code
            )
            .into(),
        ));
    };
    let base = open.base.and_then(|base| {
        let stored = || {
            let store = preview.store.as_ref()?;
            objects::blob(&store.odb(), base, workspace::DOCUMENT_LIMIT).ok()?
        };
        stored().or_else(|| preview.own.reader(&preview.ctx).object(base))
    });
    let (merged, marks) = merge_files(&here, &base.unwrap_or_default(), &central_bytes(preview, blob)?)?;
    write(preview, &open.path, &merged)?;
    Ok(match marks {
        0 => Resolved::Merged,
        marks => Resolved::Marked(marks),
    })
}

/// git's own three-way merge of three texts, and the number of places that it left to a person.
fn merge_files(here: &[u8], base: &[u8], central: &[u8]) -> Result<(Vec<u8>, usize), SyncErrorKind> {
    let failed = |what: String| SyncErrorKind::Mend(format!("git merge-file failed: {what}").into());
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
