//! Changes in an open folder.

use std::{
    fs::File,
    io::{self, Write},
    os::fd::AsFd,
    path::Path,
};

use rustix::{
    fs::{AtFlags, Mode, OFlags, RenameFlags},
    io::Errno,
};

use super::{
    Dir, DirError, Kind, Stat, TRIES,
    beneath::{Parent, plain_names},
};
use crate::fs::temps;

/// The permission bits of a file that is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileMode {
    /// 0644, whatever was there before and whatever the umask: files of ours.
    Plain,
    /// 0444, likewise: hydrated documents, which are copies.
    ReadOnly,
    /// 0600, likewise: what this clone alone has.
    Private,
    /// Those of the file that is replaced, else 0644: files that belong to the user.
    Keep,
}

const PLAIN_MODE: u32 = 0o644;
const READ_ONLY_MODE: u32 = 0o444;
const PRIVATE_MODE: u32 = 0o600;

impl FileMode {
    /// Where there is nothing to keep.
    fn bits(self) -> u32 {
        match self {
            FileMode::ReadOnly => READ_ONLY_MODE,
            FileMode::Private => PRIVATE_MODE,
            FileMode::Plain | FileMode::Keep => PLAIN_MODE,
        }
    }
}

impl Dir {
    /// Put a file of `bytes` at `path` in one step: a reader, also after a crash, sees the old file or the new one.
    ///
    /// A link or a folder at `path` is refused. Nothing is flushed to the disk, see [`sync_all()`](Self::sync_all): after a
    /// loss of power the file may be empty.
    pub fn write_atomic(&self, path: impl AsRef<Path>, bytes: &[u8], mode: FileMode) -> Result<(), DirError> {
        self.put(path.as_ref(), bytes, mode, false)
    }

    /// The same, and old or new whole after a loss of power too: for files that cannot be fetched again.
    pub fn write_flushed(&self, path: impl AsRef<Path>, bytes: &[u8], mode: FileMode) -> Result<(), DirError> {
        self.put(path.as_ref(), bytes, mode, true)
    }

    fn put(&self, path: &Path, bytes: &[u8], mode: FileMode, flush: bool) -> Result<(), DirError> {
        let (parent, name) = self.parent(path)?;
        let mut bits = mode.bits();
        match rustix::fs::statat(&parent, name, AtFlags::SYMLINK_NOFOLLOW).map(Stat::from) {
            Ok(Stat {
                kind: Kind::File,
                mode: old,
                ..
            }) if mode == FileMode::Keep => bits = old,
            Ok(Stat { kind: Kind::File, .. }) | Err(Errno::NOENT) => {}
            Ok(Stat {
                kind: Kind::Symlink, ..
            }) => return Err(self.error("write", path, Errno::LOOP)),
            Ok(_) => return Err(self.error("write", path, Errno::ISDIR)),
            Err(errno) => return Err(self.error("write", path, errno)),
        }
        replace(&parent, name, bytes, bits, flush).map_err(|err| self.failed(path, err))
    }

    /// The same where nothing is yet: [`DirError::Exists`] otherwise. `name`: of a file right in this folder.
    pub fn create_atomic(&self, name: &str, bytes: &[u8], mode: FileMode) -> Result<(), DirError> {
        let path = Path::new(name);
        let (parent, name) = self.parent(path)?;
        let (temp, _) = write_temp(&parent, bytes, mode.bits()).map_err(|err| self.failed(path, err))?;
        rename_new(&parent, &temp, &parent, name).map_err(|errno| {
            let _ = rustix::fs::unlinkat(&parent, &temp, AtFlags::empty());
            self.error("write", path, errno)
        })
    }

    fn failed(&self, path: &Path, err: io::Error) -> DirError {
        match Errno::from_io_error(&err) {
            Some(errno) => self.error("write", path, errno),
            None => self.io("write", path, err),
        }
    }

    /// Put a file of `bytes` at `path` where nothing is yet, flushed to the disk: [`DirError::Exists`] otherwise.
    ///
    /// For bytes that are about to lose their only other copy. The temporary file is made in the path's first folder, where
    /// it is found and swept away however deep `path` leads.
    pub fn create_new(&self, path: impl AsRef<Path>, bytes: &[u8]) -> Result<(), DirError> {
        let path = path.as_ref();
        let (parent, name) = self.parent(path)?;
        let top = match plain_names(path).as_deref() {
            Some([first, _, ..]) => Parent::Below(self.open_beneath(first, OFlags::RDONLY | OFlags::DIRECTORY)?),
            _ => Parent::Here(self.fd.as_fd()),
        };
        let (temp, file) = write_temp(&top, bytes, PLAIN_MODE).map_err(|err| self.failed(path, err))?;
        let flushed = file.sync_all().map_err(|err| self.io("flush", path, err));
        let created = flushed.and_then(|()| {
            rename_new(&top, &temp, &parent, name).map_err(|e| self.error("write", path, e))?;
            rustix::fs::fsync(&parent).or_else(|errno| match errno {
                // Some file systems cannot flush a folder.
                Errno::INVAL | Errno::BADF => Ok(()),
                errno => Err(self.error("flush", path, errno)),
            })
        });
        let _ = rustix::fs::unlinkat(&top, &temp, AtFlags::empty());
        created
    }

    /// Remove the file, or the link itself, at `path`.
    pub fn remove_file(&self, path: impl AsRef<Path>) -> Result<(), DirError> {
        let path = path.as_ref();
        let (parent, name) = self.parent(path)?;
        rustix::fs::unlinkat(&parent, name, AtFlags::empty()).map_err(|e| self.error("remove", path, e))
    }

    /// Remove the empty folder at `path`; [`DirError::NotEmpty`] if something is in it.
    pub fn remove_dir(&self, path: impl AsRef<Path>) -> Result<(), DirError> {
        let path = path.as_ref();
        let (parent, name) = self.parent(path)?;
        rustix::fs::unlinkat(&parent, name, AtFlags::REMOVEDIR).map_err(|errno| match errno {
            Errno::EXIST => self.error("remove", path, Errno::NOTEMPTY),
            errno => self.error("remove", path, errno),
        })
    }

    /// Move `from` to `to`, replacing a file that is there.
    pub fn rename(&self, from: impl AsRef<Path>, to: impl AsRef<Path>) -> Result<(), DirError> {
        let (from, to) = (from.as_ref(), to.as_ref());
        let (from_parent, from_name) = self.parent(from)?;
        let (to_parent, to_name) = self.parent(to)?;
        rustix::fs::renameat(&from_parent, from_name, &to_parent, to_name).map_err(|e| self.error("rename", from, e))
    }

    /// Flush everything written to this folder's file system to the disk: one wait instead of one per file.
    pub fn sync_all(&self) -> Result<(), DirError> {
        #[cfg(any(target_os = "linux", target_os = "android"))]
        let result = rustix::fs::syncfs(&self.fd);
        #[cfg(not(any(target_os = "linux", target_os = "android")))]
        let result = {
            // No call flushes one file system there.
            rustix::fs::sync();
            #[cfg(target_vendor = "apple")]
            let flush = rustix::fs::fcntl_fullfsync;
            #[cfg(not(target_vendor = "apple"))]
            let flush = rustix::fs::fsync;
            flush(&self.fd)
        };
        result.map_err(|errno| DirError::new("flush", self.path.clone(), errno))
    }
}

/// Puts a file of `bytes` at `name` in `folder` in one step, in the place of a file or a link that is there. `bits`: its
/// permissions; `flush`: see [`Dir::write_flushed()`].
pub fn replace(folder: impl AsFd, name: &Path, bytes: &[u8], bits: u32, flush: bool) -> io::Result<()> {
    let folder = folder.as_fd();
    for _ in 0..TRIES {
        let (temp, file) = write_temp(folder, bytes, bits)?;
        // Some file systems have the new name on the disk before the bytes.
        let flushed = match flush {
            true => flush_file(&file),
            false => Ok(()),
        };
        match flushed.and_then(|()| rustix::fs::renameat(folder, &temp, folder, name)) {
            Ok(()) => return Ok(()),
            // Another process took our temporary file for a leftover.
            Err(Errno::NOENT) => continue,
            Err(errno) => {
                let _ = rustix::fs::unlinkat(folder, &temp, AtFlags::empty());
                return Err(errno.into());
            }
        }
    }
    Err(Errno::NOENT.into())
}

/// A finished temporary file. Removed again if it cannot be finished.
fn write_temp(folder: impl AsFd, bytes: &[u8], bits: u32) -> io::Result<(String, File)> {
    let folder = folder.as_fd();
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let (temp, mut file) = loop {
        let temp = temps::fresh_name();
        match rustix::fs::openat(folder, &temp, flags, Mode::from(0o600)) {
            Ok(fd) => break (temp, File::from(fd)),
            Err(Errno::EXIST | Errno::INTR) => continue,
            Err(errno) => return Err(errno.into()),
        }
    };
    let written = file
        .write_all(bytes)
        // File systems without permissions (FAT, some network shares) refuse this; the bytes are what counts.
        .and_then(|()| match rustix::fs::fchmod(&file, Mode::from_raw_mode(bits as _)) {
            Ok(()) | Err(Errno::PERM | Errno::NOTSUP | Errno::NOSYS) => Ok(()),
            Err(errno) => Err(errno.into()),
        });
    match written {
        Ok(()) => Ok((temp, file)),
        Err(err) => {
            let _ = rustix::fs::unlinkat(folder, &temp, AtFlags::empty());
            Err(err)
        }
    }
}

fn flush_file(file: &File) -> Result<(), Errno> {
    match rustix::fs::fsync(file) {
        // Not every file system can.
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => Ok(()),
        result => result,
    }
}

/// Give `temp` in `from` the name `name` in `to` unless that is taken.
fn rename_new(from: &Parent<'_>, temp: &str, to: &Parent<'_>, name: &Path) -> Result<(), Errno> {
    match rustix::fs::renameat_with(from, temp, to, name, RenameFlags::NOREPLACE) {
        // Not every file system has this; hard links give the same answer.
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {
            rustix::fs::linkat(from, temp, to, name, AtFlags::empty())?;
            let _ = rustix::fs::unlinkat(from, temp, AtFlags::empty());
            Ok(())
        }
        result => result,
    }
}
