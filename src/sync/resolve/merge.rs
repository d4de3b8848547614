//! The versions of a document, and merging them.

use std::{io::Write as _, process::Stdio};

use super::{Open, Resolved, central_bytes, here_bytes, write};
use crate::{
    central::objects,
    send_pack::connect,
    sync::{NotResolved, SyncErrorKind, preview::Preview},
    workspace,
};

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

/// The texts that `open` is about.
pub(super) fn versions(preview: &Preview<'_>, open: &Open) -> Result<Versions, SyncErrorKind> {
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

/// Writes what both sides come to.
pub(super) fn merge(preview: &Preview<'_>, open: &Open, versions: &Versions) -> Result<Resolved, SyncErrorKind> {
    let merged = merge_files(&versions.here, &versions.base, &versions.central);
    let (merged, marks) = merged.map_err(|reason| NotResolved::NoMerge {
        code: open.code.clone(),
        reason: reason.into(),
    })?;
    write(preview, open.path.raw(), &merged)?;
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
