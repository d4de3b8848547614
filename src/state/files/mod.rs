//! The folder `.metis/.sync/`, other folders of state, and the small JSON files in them.

mod closing;
mod contents;
mod error;
#[cfg(test)]
mod tests;

use std::{
    fs::{File, Metadata},
    io,
    os::{
        fd::{AsFd, BorrowedFd, OwnedFd},
        unix::fs::MetadataExt,
    },
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant, UNIX_EPOCH},
};

use rustix::{
    fs::{Access, AtFlags, CWD, FlockOperation, Mode, OFlags, flock, mkdirat, openat, statat},
    io::Errno,
};

use crate::fs::owner;

pub use self::error::StateError;

/// The folder's name below `.metis/`.
pub const FOLDER: &str = ".sync";

/// What is in here is this user's alone, whatever the umask: who can open a lock can hold it.
const PRIVATE_FOLDER: Mode = Mode::RWXU;
const PRIVATE_FILE: Mode = Mode::from_raw_mode(0o600);

/// How long others may keep a folder of state, and how often it is looked whether they do.
const PATIENCE: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(2);

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
        dir.close();
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
        dir.close();
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

    /// Waits until nobody else does the same with this folder, and keeps them waiting until it is closed. Everybody is
    /// done in milliseconds; where there are no locks, or somebody keeps it for longer, the last one wins.
    pub(super) fn lock_others_out(&self) {
        let begun = Instant::now();
        while let Err(Errno::WOULDBLOCK | Errno::INTR) = flock(self.fd(), FlockOperation::NonBlockingLockExclusive)
            && begun.elapsed() < PATIENCE
        {
            thread::sleep(PAUSE);
        }
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
}

/// What tells a folder or a file from a copy of it, and from another one that is made later in its place.
pub(crate) fn identity(folder: &Metadata) -> String {
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
