//! Moving whole files and folders between two open folders, and files too large to be held in memory.

use std::{fs::File, path::Path};

use rustix::{
    fs::{AtFlags, Mode, OFlags, RenameFlags},
    io::Errno,
};

use super::{Dir, DirError};

impl Dir {
    /// A new file at `path` to be written, [`DirError::Exists`] if anything has that name.
    pub fn create_file(&self, path: impl AsRef<Path>) -> Result<File, DirError> {
        let path = path.as_ref();
        let (parent, name) = self.parent(path)?;
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        rustix::fs::openat(&parent, name, flags, Mode::from(0o600))
            .map(File::from)
            .map_err(|e| self.error("create", path, e))
    }

    /// Where the link at `path` leads, as it is written.
    pub fn read_link(&self, path: impl AsRef<Path>) -> Result<Vec<u8>, DirError> {
        let path = path.as_ref();
        let (parent, name) = self.parent(path)?;
        let text = rustix::fs::readlinkat(&parent, name, Vec::new()).map_err(|e| self.error("read", path, e))?;
        Ok(text.into_bytes())
    }

    /// A new link at `path` with this text, [`DirError::Exists`] if anything has that name.
    pub fn create_link(&self, text: &[u8], path: impl AsRef<Path>) -> Result<(), DirError> {
        let path = path.as_ref();
        let (parent, name) = self.parent(path)?;
        rustix::fs::symlinkat(text, &parent, name).map_err(|e| self.error("create", path, e))
    }

    /// Give the regular file at `path` these permission bits.
    pub fn set_mode(&self, path: impl AsRef<Path>, bits: u32) -> Result<(), DirError> {
        let path = path.as_ref();
        let (file, _) = self.open_file(path)?;
        rustix::fs::fchmod(&file, Mode::from_raw_mode(bits as _)).map_err(|e| self.error("change", path, e))
    }

    /// Move whatever is at `from` to `to` in another folder of the same file system, where nothing may be.
    pub fn move_new(&self, from: impl AsRef<Path>, other: &Dir, to: impl AsRef<Path>) -> Result<(), DirError> {
        let (from, to) = (from.as_ref(), to.as_ref());
        let (from_parent, from_name) = self.parent(from)?;
        let (to_parent, to_name) = other.parent(to)?;
        match rustix::fs::renameat_with(&from_parent, from_name, &to_parent, to_name, RenameFlags::NOREPLACE) {
            // Where that is unknown a look has to do.
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {
                match rustix::fs::statat(&to_parent, to_name, AtFlags::SYMLINK_NOFOLLOW) {
                    Ok(_) => Err(Errno::EXIST),
                    Err(Errno::NOENT) => rustix::fs::renameat(&from_parent, from_name, &to_parent, to_name),
                    Err(errno) => Err(errno),
                }
            }
            moved => moved,
        }
        .map_err(|errno| match errno {
            Errno::EXIST | Errno::NOTEMPTY => other.error("move to", to, Errno::EXIST),
            errno => self.error("move", from, errno),
        })
    }

    /// Exchange what is at `path` with what is at `other_path` in another folder of the same file system, in one step:
    /// there is no moment at which either is missing. `Ok(false)`: this file system cannot, and nothing was done.
    pub fn exchange(
        &self,
        path: impl AsRef<Path>,
        other: &Dir,
        other_path: impl AsRef<Path>,
    ) -> Result<bool, DirError> {
        let (path, other_path) = (path.as_ref(), other_path.as_ref());
        let (parent, name) = self.parent(path)?;
        let (other_parent, other_name) = other.parent(other_path)?;
        match rustix::fs::renameat_with(&parent, name, &other_parent, other_name, RenameFlags::EXCHANGE) {
            Ok(()) => Ok(true),
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => Ok(false),
            Err(errno) => Err(self.error("exchange", path, errno)),
        }
    }
}
