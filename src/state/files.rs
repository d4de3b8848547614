//! The folder `.metis/.sync/`, other folders of state, and the small JSON files in them.

use std::{
    ffi::OsStr,
    fs::{File, Metadata},
    io::{self, Read},
    os::{
        fd::{AsFd, BorrowedFd, OwnedFd},
        unix::{ffi::OsStrExt, fs::MetadataExt},
    },
    path::{Path, PathBuf},
    time::UNIX_EPOCH,
};

use rustix::{
    fs::{Access, AtFlags, CWD, Mode, OFlags, mkdirat, openat, renameat, statat, unlinkat},
    io::Errno,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{
    fs::{self, owner},
    text::{self, Untrusted, shown},
};

/// The folder's name below `.metis/`.
pub const FOLDER: &str = ".sync";

/// No file of state comes near it; one that does is not ours and is not read into memory.
const MAX_FILE: u64 = 256 << 20;

/// What the first releases' temporary files had in their names.
const FORMER_TEMP: &str = ".tmp-";

/// What is in here is this user's alone, whatever the umask: who can open a lock can hold it.
const PRIVATE_FOLDER: Mode = Mode::RWXU;
const PRIVATE_FILE: Mode = Mode::from_raw_mode(0o600);
const OTHERS: Mode = Mode::from_raw_mode(0o077);

/// Why a file of state could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// A symlink or a file, where following or replacing it could hit something of the user's.
    #[error("{} is not a folder but a symlink or a file", shown(path))]
    NotAFolder {
        /// Where the folder should be.
        path: PathBuf,
    },
    /// Another user's, who could put anything into it.
    #[error("{} belongs to another user ({owner}), so it is not used", shown(path))]
    NotOurs {
        /// The folder.
        path: PathBuf,
        /// Whose it is.
        owner: u32,
    },
    /// There is no place for what only this user may write.
    #[error("this user has no home directory, so there is no place for what this clone alone may know")]
    NoHome,
    /// The contents make no sense: damaged, edited, or not ours.
    #[error("{} is damaged ({reason})", shown(path))]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: Untrusted,
    },
    /// Written by a version of the program that keeps more in it than this one knows of.
    #[error(
        "{} was written by another version of git-metis-sync (format {found}, this one knows up to {newest})",
        shown(path)
    )]
    OtherSchema {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// The newest that this version knows.
        newest: u32,
    },
    /// The system said no.
    #[error("cannot {action} {}: {source}", shown(path))]
    Io {
        /// What was tried, as in `cannot <action> <path>`.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// What every file of state has.
#[derive(Deserialize)]
struct Versioned {
    schema: u32,
}

/// A folder of state, `.metis/.sync/` or another one, open.
///
/// Everything in it is reached through the open handle and without following symlinks, so that a folder swapped for a symlink
/// meanwhile leads nowhere.
#[derive(Debug)]
pub struct StateDir {
    handle: OwnedFd,
    path: PathBuf,
}

impl StateDir {
    /// Opens the folder if it is there. Creates nothing, fit for `status` and `--dry-run`.
    pub fn open(dot_metis: &Path) -> Result<Option<Self>, StateError> {
        let Some(dir) = Self::open_at(dot_metis.join(FOLDER))? else {
            return Ok(None);
        };
        let owner = dir.owner()?;
        // Whoever trusts another user's `.metis` trusts what that user keeps in it.
        let same = || rustix::fs::stat(dot_metis).is_ok_and(|stat| stat.st_uid == owner);
        match owner::is_us(owner) || same() {
            true => Ok(Some(dir)),
            false => Err(StateError::NotOurs { path: dir.path, owner }),
        }
    }

    /// Opens the folder and creates it if it is not there, with a `.gitignore` that keeps git away from all of it.
    pub fn create(dot_metis: &Path) -> Result<Self, StateError> {
        let path = dot_metis.join(FOLDER);
        make_folder(&path)?;
        let dir = Self::open(dot_metis)?.ok_or_else(|| vanished(path))?;
        dir.tighten(dir.fd());
        if let Err(Errno::NOENT) = statat(dir.fd(), ".gitignore", AtFlags::SYMLINK_NOFOLLOW) {
            dir.replace(".gitignore", b"*\n")?;
        }
        Ok(dir)
    }

    /// Opens a folder anywhere, if it is there and this user's.
    pub(super) fn open_private(path: &Path) -> Result<Option<Self>, StateError> {
        let Some(dir) = Self::open_at(path.to_owned())? else {
            return Ok(None);
        };
        match dir.owner()? {
            owner if owner::is_us(owner) => Ok(Some(dir)),
            owner => Err(StateError::NotOurs { path: dir.path, owner }),
        }
    }

    /// The same, and makes it and the folders above it where they are not there, for this user alone.
    pub fn create_private(path: &Path) -> Result<Self, StateError> {
        let missing: Vec<&Path> = path.ancestors().take_while(|path| !path.exists()).collect();
        for folder in missing.into_iter().rev() {
            make_folder(folder)?;
        }
        let dir = Self::open_private(path)?.ok_or_else(|| vanished(path.to_owned()))?;
        dir.tighten(dir.fd());
        Ok(dir)
    }

    fn open_at(path: PathBuf) -> Result<Option<Self>, StateError> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        match openat(CWD, &path, flags, Mode::empty()) {
            Ok(handle) => Ok(Some(StateDir { handle, path })),
            Err(Errno::NOENT) => Ok(None),
            Err(Errno::NOTDIR | Errno::LOOP | Errno::MLINK) => Err(StateError::NotAFolder { path }),
            Err(error) => Err(StateError::Io {
                action: "open",
                path,
                source: error.into(),
            }),
        }
    }

    fn owner(&self) -> Result<u32, StateError> {
        let stat = rustix::fs::fstat(self.fd()).map_err(|error| StateError::Io {
            action: "look at",
            path: self.path.clone(),
            source: error.into(),
        })?;
        Ok(stat.st_uid)
    }

    /// An earlier version, or a person, may have left it open to others. Where that cannot be changed it stays.
    fn tighten(&self, fd: BorrowedFd<'_>) {
        if let Ok(stat) = rustix::fs::fstat(fd) {
            let mode = Mode::from_raw_mode(stat.st_mode);
            if mode.intersects(OTHERS) {
                let _ = rustix::fs::fchmod(fd, mode - OTHERS);
            }
        }
    }

    /// Waits until nobody else does the same with this folder, and keeps them waiting until it is closed. Everybody is
    /// done in milliseconds; where there are no locks the last one wins.
    pub(super) fn lock_others_out(&self) {
        let _ = rustix::fs::flock(self.fd(), rustix::fs::FlockOperation::LockExclusive);
    }

    /// What tells this folder from a copy of it, on the same file system or another one.
    pub(super) fn identity(&self) -> String {
        let handle = self.handle.try_clone();
        let meta = handle.and_then(|handle| File::from(handle).metadata());
        meta.as_ref().map(identity).unwrap_or_default()
    }

    /// An error where nothing can be written here, as on a disk that is only read.
    pub fn check_writable(&self) -> Result<(), StateError> {
        rustix::fs::accessat(self.fd(), ".", Access::WRITE_OK, AtFlags::EACCESS)
            .map_err(|error| self.error("write", ".", error.into()))
    }

    /// Where it is, for messages and for those who put folders of their own into it.
    pub fn path(&self) -> &Path {
        &self.path
    }

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
    pub(super) fn parse<T: DeserializeOwned>(&self, name: &str, bytes: &[u8], newest: u32) -> Result<T, StateError> {
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
    pub(super) fn sweep(&self) {
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
        if flags.contains(OFlags::CREATE) {
            self.tighten(file.as_fd());
        }
        Ok(Some(file))
    }

    /// Renames within the folder, replacing what is there.
    pub(crate) fn rename(&self, from: &str, to: &str) -> Result<(), StateError> {
        renameat(self.fd(), self.checked(from)?, self.fd(), self.checked(to)?)
            .map_err(|error| self.error("rename", from, error.into()))
    }

    pub(crate) fn error(&self, action: &'static str, name: &str, source: io::Error) -> StateError {
        StateError::Io {
            action,
            path: self.path.join(name),
            source,
        }
    }

    fn fd(&self) -> BorrowedFd<'_> {
        self.handle.as_fd()
    }

    fn checked<'n>(&self, name: &'n str) -> Result<&'n str, StateError> {
        if name.is_empty() || name == "." || name == ".." || name.contains(['/', '\0']) {
            return Err(self.error("use", name, io::ErrorKind::InvalidFilename.into()));
        }
        Ok(name)
    }
}

/// What tells a folder from a copy of it, and from another one that is made later in its place.
pub(super) fn identity(folder: &Metadata) -> String {
    let made = folder
        .created()
        .ok()
        .and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    format!("{:x}-{:x}", folder.ino(), made.map_or(0, |time| time.as_nanos()))
}

fn make_folder(path: &Path) -> Result<(), StateError> {
    match mkdirat(CWD, path, PRIVATE_FOLDER) {
        Ok(()) | Err(Errno::EXIST) => Ok(()),
        Err(error) => Err(StateError::Io {
            action: "create",
            path: path.to_owned(),
            source: error.into(),
        }),
    }
}

fn vanished(path: PathBuf) -> StateError {
    StateError::Io {
        action: "open",
        path,
        source: io::ErrorKind::NotFound.into(),
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::symlink};

    use serde::Deserialize;

    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Seen {
        schema: u32,
        branch: String,
        #[serde(default)]
        pushes: u32,
    }

    fn seen() -> Seen {
        Seen {
            schema: 1,
            branch: "main".into(),
            pushes: 3,
        }
    }

    fn names(dir: &Path) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(dir)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn what_is_stored_is_loaded_and_nothing_else_is_left() {
        let dot_metis = tempfile::tempdir().unwrap();
        assert!(StateDir::open(dot_metis.path()).unwrap().is_none());
        let dir = StateDir::create(dot_metis.path()).unwrap();
        assert_eq!(dir.load::<Seen>("seen.json", 1).unwrap(), None);

        dir.store("seen.json", &seen()).unwrap();
        dir.store("seen.json", &seen()).unwrap();

        assert_eq!(dir.load("seen.json", 1).unwrap(), Some(seen()));
        assert_eq!(names(dir.path()), [".gitignore", "seen.json"]);
        assert_eq!(fs::read_to_string(dir.path().join(".gitignore")).unwrap(), "*\n");
        dir.remove("seen.json").unwrap();
        dir.remove("seen.json").unwrap();
        assert_eq!(names(dir.path()), [".gitignore"]);
    }

    #[test]
    fn a_users_gitignore_stays() {
        let dot_metis = tempfile::tempdir().unwrap();
        fs::create_dir(dot_metis.path().join(FOLDER)).unwrap();
        fs::write(dot_metis.path().join(".sync/.gitignore"), "mine").unwrap();
        StateDir::create(dot_metis.path()).unwrap();
        assert_eq!(
            fs::read_to_string(dot_metis.path().join(".sync/.gitignore")).unwrap(),
            "mine"
        );
    }

    #[test]
    fn an_older_format_is_read_and_a_newer_one_refused() {
        let dot_metis = tempfile::tempdir().unwrap();
        let dir = StateDir::create(dot_metis.path()).unwrap();
        fs::write(dir.path().join("seen.json"), r#"{"schema": 1, "branch": "main"}"#).unwrap();
        assert_eq!(dir.load::<Seen>("seen.json", 2).unwrap().unwrap().pushes, 0);
        dir.store("seen.json", &Seen { schema: 3, ..seen() }).unwrap();
        let error = dir.load::<Seen>("seen.json", 2).unwrap_err();
        assert!(
            matches!(
                error,
                StateError::OtherSchema {
                    found: 3,
                    newest: 2,
                    ..
                }
            ),
            "{error}"
        );
    }

    #[test]
    fn damage_is_told_from_absence() {
        let dot_metis = tempfile::tempdir().unwrap();
        let dir = StateDir::create(dot_metis.path()).unwrap();
        for bytes in ["", "{", "[]", "{\"branch\": \"main\"}", "{\"schema\": 1}", "\0\0\0\0"] {
            fs::write(dir.path().join("seen.json"), bytes).unwrap();
            let error = dir.load::<Seen>("seen.json", 1).unwrap_err();
            assert!(matches!(error, StateError::Corrupt { .. }), "{bytes:?}: {error}");
            assert!(error.to_string().contains("seen.json"));
        }
    }

    #[test]
    fn symlinks_are_not_followed() {
        let dot_metis = tempfile::tempdir().unwrap();
        let outside = tempfile::tempdir().unwrap();
        symlink(outside.path(), dot_metis.path().join(FOLDER)).unwrap();
        let refused = |result: Result<_, StateError>| matches!(result, Err(StateError::NotAFolder { .. }));
        assert!(refused(StateDir::create(dot_metis.path()).map(drop)));
        assert!(refused(StateDir::open(dot_metis.path()).map(drop)));
        assert!(names(outside.path()).is_empty());
        fs::remove_file(dot_metis.path().join(FOLDER)).unwrap();
        fs::write(dot_metis.path().join(FOLDER), "a file").unwrap();
        assert!(refused(StateDir::create(dot_metis.path()).map(drop)));
        fs::remove_file(dot_metis.path().join(FOLDER)).unwrap();

        let dir = StateDir::create(dot_metis.path()).unwrap();
        let precious = outside.path().join("precious");
        fs::write(&precious, "{\"schema\": 1, \"branch\": \"x\"}").unwrap();
        symlink(&precious, dir.path().join("seen.json")).unwrap();
        assert!(dir.load::<Seen>("seen.json", 1).is_err());
        dir.store("seen.json", &seen()).unwrap();
        assert!(
            fs::read_to_string(&precious).unwrap().contains("\"x\""),
            "the symlink was replaced, not its target"
        );
        assert_eq!(dir.load("seen.json", 1).unwrap(), Some(seen()));
    }

    #[test]
    fn a_failed_write_leaves_the_old_file_and_no_other() {
        let dot_metis = tempfile::tempdir().unwrap();
        let dir = StateDir::create(dot_metis.path()).unwrap();
        fs::create_dir_all(dir.path().join("seen.json/full")).unwrap();
        assert!(dir.store("seen.json", &seen()).is_err());
        assert_eq!(names(dir.path()), [".gitignore", "seen.json"]);
        assert!(dir.store("seen.json", &"no struct").is_err());
        for name in ["", "..", "a/b", "a\0b"] {
            assert!(dir.store(name, &seen()).is_err(), "{name:?}");
        }
    }
}
