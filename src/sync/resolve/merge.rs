//! The versions of a document, and merging them.

use std::{
    io::Write as _,
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use super::{Open, Resolved, central_bytes, here_bytes, write};
use crate::{
    central::objects,
    send_pack::connect,
    sync::{NotResolved, SyncErrorKind, preview::Preview},
    workspace,
};

/// How long git may take to merge: two texts can be made so that it would go on for hours.
const PATIENCE: Duration = Duration::from_secs(30);

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
    let merged = merge_files(versions, PATIENCE, &preview.ctx.connect.interrupt);
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
fn merge_files(
    versions: &Versions,
    patience: Duration,
    interrupt: &Arc<AtomicBool>,
) -> Result<(Vec<u8>, usize), String> {
    let failed = |what: String| format!("git merge-file failed: {what}");
    let temp = |bytes: &[u8]| -> std::io::Result<tempfile::NamedTempFile> {
        let mut file = tempfile::NamedTempFile::new()?;
        file.write_all(bytes)?;
        Ok(file)
    };
    let files = [&versions.here, &versions.base, &versions.central].map(|bytes| temp(bytes));
    let [Ok(here), Ok(base), Ok(central)] = files else {
        return Err(failed("a temporary file could not be written".into()));
    };
    let git = connect::git()
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
        .in_folder(&std::env::temp_dir())
        .within(patience)
        .until(interrupt);
    let output = git.answer().map_err(|err| match err.kind() {
        std::io::ErrorKind::TimedOut => failed(format!("it did not end within {} s", patience.as_secs())),
        _ => failed(err.to_string()),
    })?;
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

    fn merged(here: &[u8], base: &[u8], central: &[u8], patience: Duration) -> Result<(Vec<u8>, usize), String> {
        let [here, base, central] = [here, base, central].map(<[u8]>::to_vec);
        merge_files(&Versions { base, here, central }, patience, &Arc::default())
    }

    #[test]
    fn changes_in_different_places_go_together_and_others_are_marked() {
        let base = b"a\n\nb\n\nc\n";
        let (text, marks) = merged(b"A\n\nb\n\nc\n", base, b"a\n\nb\n\nC\n", PATIENCE).unwrap();
        assert_eq!((text.as_slice(), marks), (b"A\n\nb\n\nC\n".as_slice(), 0));
        let (text, marks) = merged(b"A\n\nb\n\nc\n", base, b"x\n\nb\n\nc\n", PATIENCE).unwrap();
        let text = String::from_utf8(text).unwrap();
        assert_eq!(marks, 1);
        assert!(
            text.contains("<<<<<<< here\nA\n||||||| base\na\n=======\nx\n>>>>>>> central\n"),
            "{text}"
        );
    }

    /// The same lines in three orders: git is busy for minutes.
    #[test]
    fn texts_that_were_made_to_be_merged_for_ever() {
        let text = |step: u64| -> Vec<u8> {
            let lines = (0..LINES).map(|n| format!("{:x}\n", n * step % LINES));
            lines.collect::<String>().into_bytes()
        };
        // A prime, so that each step goes through all lines.
        const LINES: u64 = 2_000_003;
        let [here, base, central] = [7_919, 104_729, 1_299_709].map(text);
        assert!(
            [&here, &base, &central]
                .iter()
                .all(|text| text.len() as u64 <= workspace::DOCUMENT_LIMIT)
        );
        let late = merged(&here, &base, &central, Duration::from_secs(2));
        assert_eq!(late.unwrap_err(), "git merge-file failed: it did not end within 2 s");
    }
}
