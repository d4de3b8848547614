//! Small files in a folder of state, each old or new as a whole whatever happens.

use std::{
    ffi::OsStr,
    fs::File,
    io::{self, Read},
    os::{
        fd::AsFd,
        unix::{ffi::OsStrExt, fs::MetadataExt},
    },
    path::Path,
};

use rustix::{
    fs::{AtFlags, OFlags, openat, renameat, unlinkat},
    io::Errno,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{PRIVATE_FILE, StateDir, StateError, closing::close_to_others};
use crate::{
    fs::{self, owner},
    text,
};

/// No file of state comes near it; one that does is not ours and is not read into memory.
pub(super) const MAX_FILE: u64 = 256 << 20;

/// What the first releases' temporary files had in their names.
const FORMER_TEMP: &str = ".tmp-";

/// What every file of state has.
#[derive(Deserialize)]
struct Versioned {
    schema: u32,
}

impl StateDir {
    /// The bytes of `name`, a plain file name. `None` if there is no such file.
    pub fn read(&self, name: &str) -> Result<Option<Vec<u8>>, StateError> {
        let Some(mut file) = self.open_file(name, OFlags::RDONLY)? else {
            return Ok(None);
        };
        let expected = file.metadata().map_or(0, |found| found.len().min(MAX_FILE));
        let mut bytes = Vec::with_capacity(expected as usize + 1);
        Read::by_ref(&mut file)
            .take(MAX_FILE + 1)
            .read_to_end(&mut bytes)
            .map_err(|error| self.error("read", name, error))?;
        if bytes.len() as u64 > MAX_FILE {
            return Err(StateError::Corrupt {
                path: self.path.join(name),
                reason: "larger than any file of state".into(),
            });
        }
        Ok(Some(bytes))
    }

    /// Reads the value of `name`, a plain file name. `None` if there is no such file.
    ///
    /// `newest` is the newest format that `T` understands; an older one is left to `T`'s defaults.
    pub fn load<T: DeserializeOwned>(&self, name: &str, newest: u32) -> Result<Option<T>, StateError> {
        let Some(bytes) = self.read(name)? else {
            return Ok(None);
        };
        self.parse(name, &bytes, newest).map(Some)
    }

    /// The value in the bytes of `name`.
    pub(in crate::state) fn parse<T: DeserializeOwned>(
        &self,
        name: &str,
        bytes: &[u8],
        newest: u32,
    ) -> Result<T, StateError> {
        let path = self.path.join(name);
        let corrupt = |reason: String| StateError::Corrupt {
            path: path.clone(),
            reason: reason.into(),
        };
        // Before the value itself, since a later format may well look like a damaged one.
        let Versioned { schema } = serde_json::from_slice(bytes).map_err(|error| corrupt(error.to_string()))?;
        if schema > newest {
            return Err(StateError::OtherSchema {
                path,
                found: schema,
                newest,
            });
        }
        serde_json::from_slice(bytes).map_err(|error| corrupt(error.to_string()))
    }

    /// Writes `value`, a struct with a number `schema`, to `name`. Afterwards the file is on disk; old or new whole whatever happens.
    pub fn store<T: Serialize>(&self, name: &str, value: &T) -> Result<(), StateError> {
        let line = text::json(value).map_err(|error| self.error("write", name, error.into()))?;
        if let Err(error) = serde_json::from_str::<Versioned>(&line) {
            return Err(self.error("write", name, error.into()));
        }
        self.replace(name, format!("{line}\n").as_bytes())
    }

    /// Removes `name`. That it was not there is fine.
    pub fn remove(&self, name: &str) -> Result<(), StateError> {
        match unlinkat(self.fd(), self.checked(name)?, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(error) => Err(self.error("remove", name, error.into())),
        }
    }

    /// Puts `bytes` at `name`, all or nothing, through to the disk.
    pub fn replace(&self, name: &str, bytes: &[u8]) -> Result<(), StateError> {
        let name = self.checked(name)?;
        fs::replace(self.fd(), Path::new(name), bytes, PRIVATE_FILE.as_raw_mode(), true)
            .and_then(|()| rustix::fs::fsync(self.fd()).map_err(io::Error::from))
            .map_err(|error| self.error("write", name, error))
    }

    /// Removes the temp files that killed processes left. Only for whoever holds the lock: it can't tell theirs from one in use.
    pub(in crate::state) fn sweep(&self) {
        let Ok(entries) = rustix::fs::Dir::read_from(self.fd()) else {
            return;
        };
        for entry in entries.flatten() {
            let name = entry.file_name().to_bytes();
            let has_mark = || {
                name.windows(FORMER_TEMP.len())
                    .any(|part| part == FORMER_TEMP.as_bytes())
            };
            if fs::is_temp(OsStr::from_bytes(name)) || has_mark() {
                let _ = unlinkat(self.fd(), entry.file_name(), AtFlags::empty());
            }
        }
    }

    /// Opens a regular file; `None` if there is none. A device or a pipe in its place is refused without waiting for it.
    pub(crate) fn open_file(&self, name: &str, flags: OFlags) -> Result<Option<File>, StateError> {
        let flags = flags | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let file = match openat(self.fd(), self.checked(name)?, flags, PRIVATE_FILE) {
            Ok(handle) => File::from(handle),
            Err(Errno::NOENT) => return Ok(None),
            Err(Errno::LOOP | Errno::MLINK) => {
                return Err(StateError::Corrupt {
                    path: self.path.join(name),
                    reason: "a symlink, which is not followed".into(),
                });
            }
            Err(error) => return Err(self.error("open", name, error.into())),
        };
        let metadata = file.metadata().map_err(|error| self.error("open", name, error))?;
        if !metadata.is_file() {
            return Err(StateError::Corrupt {
                path: self.path.join(name),
                reason: "not a regular file".into(),
            });
        }
        // Where others could once put something into the folder, it is not ours for lying there.
        let owner = metadata.uid();
        if !owner::is_us(owner) && self.owner()? != owner {
            return Err(StateError::NotOurs {
                path: self.path.join(name),
                owner,
            });
        }
        if flags.contains(OFlags::CREATE) {
            close_to_others(file.as_fd());
        }
        Ok(Some(file))
    }

    /// Renames within the folder, replacing what is there.
    pub(crate) fn rename(&self, from: &str, to: &str) -> Result<(), StateError> {
        renameat(self.fd(), self.checked(from)?, self.fd(), self.checked(to)?)
            .map_err(|error| self.error("rename", from, error.into()))
    }

    fn checked<'n>(&self, name: &'n str) -> Result<&'n str, StateError> {
        if name.is_empty() || name == "." || name == ".." || name.contains(['/', '\0']) {
            return Err(self.error("use", name, io::ErrorKind::InvalidFilename.into()));
        }
        Ok(name)
    }
}
