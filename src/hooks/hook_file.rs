//! A hook file on disk.

use std::{
    fs::{self, Permissions},
    io::{self, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use super::script::{self, Call, Ours};

/// A hook file as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found {
    Missing,
    NoFile,
    File { bytes: Vec<u8>, executable: bool },
}

/// What pre-commit appends to a hook that it finds and goes on running.
pub(super) const LEGACY: &str = ".legacy";
/// What lefthook appends to one that it finds and does not run any more.
pub(super) const OLD: &str = ".old";

pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(suffix);
    path.with_file_name(name)
}

pub(super) fn has_our_lines(found: &Found, call: &Call) -> bool {
    matches!(found, Found::File { bytes, .. } if matches!(script::find(bytes, call), Ok(Ours::Lines(lines)) if lines.has(call)))
}

pub(super) fn look(path: &Path) -> io::Result<Found> {
    let meta = match fs::metadata(path) {
        Ok(meta) => meta,
        // A link that leads nowhere is in the way; a new file must not be written through it.
        Err(err) if err.kind() == io::ErrorKind::NotFound => {
            return Ok(match path.symlink_metadata() {
                Ok(_) => Found::NoFile,
                Err(_) => Found::Missing,
            });
        }
        Err(err) if err.kind() == io::ErrorKind::NotADirectory => return Ok(Found::NoFile),
        Err(err) => return Err(err),
    };
    if !meta.is_file() {
        return Ok(Found::NoFile);
    }
    Ok(Found::File {
        bytes: fs::read(path)?,
        executable: meta.permissions().mode() & 0o111 != 0,
    })
}

/// All or nothing: a hook that is half written would fail the user's next push.
pub(super) fn write(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let temp = beside(path, &format!(".metis-sync-{}", std::process::id()));
    let written = (|| {
        let mut file = fs::OpenOptions::new().write(true).create_new(true).open(&temp)?;
        file.write_all(bytes)?;
        file.set_permissions(Permissions::from_mode(mode & 0o7777))?;
        file.sync_all()?;
        // A program that is open for writing anywhere cannot be run.
        drop(file);
        fs::rename(&temp, path)
    })();
    if written.is_err() {
        let _ = fs::remove_file(&temp);
    }
    written
}
