//! A folder held open, and everything done inside it without ever following a symbolic link.
//!
//! Paths are checked, opened and changed relative to an open folder, never by name from the root of the disk. Whoever
//! swaps a folder for a link while we work makes our call fail; nothing outside is read, written or removed.

mod across;
mod beneath;
mod error;
mod stat;
mod write;

use std::{
    ffi::OsStr,
    fs::File,
    io::{self, Read},
    os::{
        fd::{AsFd, OwnedFd},
        unix::ffi::OsStrExt,
    },
    path::{Path, PathBuf},
};

use rustix::{
    fs::{AtFlags, FileType, Mode, OFlags},
    io::Errno,
};

use beneath::{Parent, open_by_names, open_name, plain_names};
pub use error::DirError;
pub use stat::{Entry, Kind, Stat};
pub use write::{FileMode, replace};

/// How often a file that changes under the reader is read again, and a temporary file swept away by another
/// process is written again.
const TRIES: usize = 4;

/// A folder held open. Paths given to its methods are relative, made of plain names (`a/b.md`), and nothing on the way,
/// the last name included, may be a symbolic link.
///
/// All methods take `&self` and may be called from several threads.
#[derive(Debug)]
pub struct Dir {
    fd: OwnedFd,
    path: PathBuf,
}

impl Dir {
    /// Open the folder at `path`. Links on the way to it are the user's own choice and are followed.
    pub fn open_root(path: &Path) -> Result<Dir, DirError> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let fd = rustix::io::retry_on_intr(|| rustix::fs::open(path, flags, Mode::empty()))
            .map_err(|errno| DirError::new("open", path.to_owned(), errno))?;
        Ok(Dir {
            fd,
            path: path.to_owned(),
        })
    }

    /// An empty folder that nothing can be put into, in the place of the one at `path` that is not there.
    pub fn absent(path: &Path) -> Result<Dir, DirError> {
        let failed = |err: io::Error| {
            let errno = Errno::from_io_error(&err).unwrap_or(Errno::IO);
            DirError::new("open", std::env::temp_dir(), errno)
        };
        // It is gone when this function returns; the open handle stays.
        let temp = tempfile::tempdir().map_err(failed)?;
        let dir = Dir::open_root(temp.path())?;
        Ok(Dir {
            path: path.to_owned(),
            ..dir
        })
    }

    /// The path by which this folder was opened, for messages.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What the file system says of the folder itself.
    pub fn stat(&self) -> Result<Stat, DirError> {
        let stat = rustix::fs::fstat(&self.fd).map_err(|errno| DirError::new("examine", self.path.clone(), errno))?;
        Ok(stat.into())
    }

    /// The bytes that may be written to its file system. `None` where that is not told, or there is no limit.
    pub fn free(&self) -> Option<u64> {
        let told = rustix::fs::fstatvfs(&self.fd).ok()?;
        (told.f_blocks > 0).then(|| told.f_bavail.saturating_mul(told.f_frsize))
    }

    /// Open the folder at `path`.
    pub fn open_dir(&self, path: impl AsRef<Path>) -> Result<Dir, DirError> {
        let path = path.as_ref();
        Ok(Dir {
            fd: self.open_beneath(path, OFlags::RDONLY | OFlags::DIRECTORY)?,
            path: self.path.join(path),
        })
    }

    /// Open the folder at `path`, made with its parents if it is not there.
    pub fn create_dir(&self, path: impl AsRef<Path>) -> Result<Dir, DirError> {
        let path = path.as_ref();
        let mut at = Parent::Here(self.fd.as_fd());
        for name in plain_names(path).ok_or_else(|| self.escapes(path))? {
            match rustix::fs::mkdirat(&at, name, Mode::from(0o777)) {
                Ok(()) | Err(Errno::EXIST) => {}
                Err(errno) => return Err(self.error("create folder", path, errno)),
            }
            at = Parent::Below(open_name(&at, name, OFlags::DIRECTORY).map_err(|e| self.error("open", path, e))?);
        }
        match at {
            Parent::Below(fd) => Ok(Dir {
                fd,
                path: self.path.join(path),
            }),
            Parent::Here(_) => Err(self.escapes(path)),
        }
    }

    /// Make the folder at `path`, whose parent exists. [`DirError::Exists`] if anything has that name.
    pub fn create_new_dir(&self, path: impl AsRef<Path>) -> Result<(), DirError> {
        let path = path.as_ref();
        let (parent, name) = self.parent(path)?;
        rustix::fs::mkdirat(&parent, name, Mode::from(0o777)).map_err(|e| self.error("create folder", path, e))
    }

    /// The whole regular file at `path` and its [`Stat`], of one moment: a file that changes meanwhile is read again.
    ///
    /// What cannot be noticed is a single write, begun before the reading and not over after it. Its time is recent, so a
    /// scan trusts nothing about that file next time either.
    ///
    /// Fails with [`DirError::TooLarge`] beyond `limit` bytes and [`DirError::Unstable`] when it never holds still.
    pub fn read_file(&self, path: impl AsRef<Path>, limit: u64) -> Result<(Vec<u8>, Stat), DirError> {
        let path = path.as_ref();
        for _ in 0..TRIES {
            let (mut file, before) = self.open_file(path)?;
            if before.len > limit {
                return Err(self.too_large(path, limit));
            }
            let bytes = self.read_at_most(&mut file, path, before.len, limit.saturating_add(1))?;
            if bytes.len() as u64 > limit {
                return Err(self.too_large(path, limit));
            }
            let after = self.stat_file(&file, path)?;
            if before == after && bytes.len() as u64 == after.len {
                return Ok((bytes, after));
            }
        }
        Err(DirError::Unstable {
            path: self.path.join(path),
        })
    }

    /// The first `len` bytes at most of the regular file at `path`.
    pub fn read_head(&self, path: impl AsRef<Path>, len: u64) -> Result<Vec<u8>, DirError> {
        let path = path.as_ref();
        let (mut file, _) = self.open_file(path)?;
        self.read_at_most(&mut file, path, len, len)
    }

    /// What is at `path`, without following a link that is there.
    pub fn lstat(&self, path: impl AsRef<Path>) -> Result<Stat, DirError> {
        let path = path.as_ref();
        let (parent, name) = self.parent(path)?;
        let stat =
            rustix::fs::statat(&parent, name, AtFlags::SYMLINK_NOFOLLOW).map_err(|e| self.error("examine", path, e))?;
        Ok(stat.into())
    }

    /// The same of an entry that [`list()`](Self::list) named.
    pub fn lstat_entry(&self, name: &str) -> Result<Stat, DirError> {
        match rustix::fs::statat(&self.fd, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(stat.into()),
            Err(errno) => Err(self.error("examine", Path::new(name), errno)),
        }
    }

    /// The entries of this folder, sorted by name, without `.` and `..`.
    pub fn list(&self) -> Result<Vec<Entry>, DirError> {
        self.list_where(|_| true)
    }

    /// Those whose names are `wanted`.
    pub fn list_where(&self, wanted: impl Fn(&OsStr) -> bool) -> Result<Vec<Entry>, DirError> {
        let fail = |errno| DirError::new("read folder", self.path.clone(), errno);
        let mut entries = Vec::new();
        for entry in rustix::fs::Dir::read_from(&self.fd).map_err(fail)? {
            let entry = entry.map_err(fail)?;
            let name = OsStr::from_bytes(entry.file_name().to_bytes());
            if name == "." || name == ".." || !wanted(name) {
                continue;
            }
            let kind = match entry.file_type() {
                FileType::Unknown => match self.lstat(name) {
                    Ok(stat) => stat.kind,
                    Err(DirError::Missing { .. }) => continue,
                    Err(err) => return Err(err),
                },
                file_type => file_type.into(),
            };
            entries.push(Entry {
                name: name.to_owned(),
                kind,
            });
        }
        entries.sort_unstable();
        Ok(entries)
    }

    fn parent<'p>(&self, path: &'p Path) -> Result<(Parent<'_>, &'p Path), DirError> {
        let mut names = plain_names(path).ok_or_else(|| self.escapes(path))?;
        let name = names.pop().ok_or_else(|| self.escapes(path))?;
        let parent = match path.parent() {
            Some(parent) if !names.is_empty() => {
                Parent::Below(self.open_beneath(parent, OFlags::RDONLY | OFlags::DIRECTORY)?)
            }
            _ => Parent::Here(self.fd.as_fd()),
        };
        Ok((parent, name))
    }

    fn open_beneath(&self, path: &Path, flags: OFlags) -> Result<OwnedFd, DirError> {
        let names = plain_names(path)
            .filter(|names| !names.is_empty())
            .ok_or_else(|| self.escapes(path))?;
        #[cfg(any(target_os = "linux", target_os = "android"))]
        if let Some(opened) = beneath::open_by_kernel(&self.fd, path, flags) {
            return opened.map_err(|e| self.error("open", path, e));
        }
        open_by_names(self.fd.as_fd(), &names, flags).map_err(|e| self.error("open", path, e))
    }

    /// The regular file at `path`, open for reading, and what it was when it was opened.
    pub fn open_file(&self, path: impl AsRef<Path>) -> Result<(File, Stat), DirError> {
        let path = path.as_ref();
        // NONBLOCK: a pipe in a document's place must not hold us up.
        let file = File::from(self.open_beneath(path, OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY)?);
        let stat = self.stat_file(&file, path)?;
        match stat.kind {
            Kind::File => Ok((file, stat)),
            _ => Err(self.error("read", path, Errno::ISDIR)),
        }
    }

    fn stat_file(&self, file: &File, path: &Path) -> Result<Stat, DirError> {
        let stat = rustix::fs::fstat(file).map_err(|e| self.error("examine", path, e))?;
        Ok(stat.into())
    }

    fn read_at_most(&self, file: &mut File, path: &Path, expected: u64, most: u64) -> Result<Vec<u8>, DirError> {
        let mut bytes = Vec::with_capacity(expected.min(most) as usize + 1);
        match file.take(most).read_to_end(&mut bytes) {
            Ok(_) => Ok(bytes),
            Err(err) => Err(self.io("read", path, err)),
        }
    }

    fn escapes(&self, path: &Path) -> DirError {
        DirError::Escapes { path: path.to_owned() }
    }

    fn too_large(&self, path: &Path, limit: u64) -> DirError {
        DirError::TooLarge {
            path: self.path.join(path),
            limit,
        }
    }

    fn error(&self, action: &'static str, path: &Path, errno: Errno) -> DirError {
        DirError::new(action, self.path.join(path), errno)
    }

    fn io(&self, action: &'static str, path: &Path, source: io::Error) -> DirError {
        DirError::Io {
            action,
            path: self.path.join(path),
            source,
        }
    }
}

#[cfg(test)]
mod tests;
