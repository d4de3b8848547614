//! Folders for this user alone. Objects read from here are not hashed again, so nobody else may have put them there.

use std::{
    fs, io,
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use super::CentralError;
use crate::fs::owner;

/// The folder of this program below the cache directory `cache`.
pub fn top(cache: &Path) -> PathBuf {
    cache.join("git-metis-sync")
}

/// Makes `folder`, below [`top()`] of `cache`, and sees to it that all of them up to there are this user's and closed to
/// others.
pub(super) fn make(cache: &Path, folder: &Path) -> Result<(), CentralError> {
    make_dirs(folder).map_err(CentralError::cache(folder, "created"))?;
    check(cache, folder)
}

/// The same without making anything.
pub(super) fn check(cache: &Path, folder: &Path) -> Result<(), CentralError> {
    for path in folder.ancestors().take_while(|path| path.starts_with(top(cache))) {
        let used = CentralError::cache(path, "used");
        match fs::symlink_metadata(path) {
            Ok(meta) if !meta.is_dir() => return Err(used(io::Error::other("it is not a folder"))),
            Ok(meta) if !owner::is_us(meta.uid()) => {
                let why = format!("it belongs to another user ({})", meta.uid());
                return Err(used(io::Error::new(io::ErrorKind::PermissionDenied, why)));
            }
            Ok(meta) if meta.mode() & 0o077 != 0 => {
                // By an earlier version, under a wide umask.
                let closed = fs::Permissions::from_mode(meta.mode() & 0o700);
                fs::set_permissions(path, closed).map_err(used)?;
            }
            Ok(_) => {}
            Err(err) if err.kind() == io::ErrorKind::NotFound => {}
            Err(err) => return Err(used(err)),
        }
    }
    Ok(())
}

/// Makes a folder, and those above it that are missing, for this user alone.
pub(super) fn make_dirs(folder: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// Makes a folder that is not there yet.
pub(super) fn make_dir(folder: &Path) -> io::Result<()> {
    fs::DirBuilder::new().mode(0o700).create(folder)
}

/// Moves a file that gitoxide made, closed to others.
pub(super) fn move_file(from: &Path, to: &Path) -> io::Result<()> {
    let mode = fs::symlink_metadata(from)?.mode();
    fs::set_permissions(from, fs::Permissions::from_mode(mode & 0o700))?;
    fs::rename(from, to)
}

/// Writes a new file, or an existing one anew.
pub(super) fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    use io::Write;
    let mut options = fs::OpenOptions::new();
    let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(bytes)
}
