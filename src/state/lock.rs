//! One sync at a time per workspace.
//!
//! The lock is the kernel's lock on the open file `.sync/lock`, not the file: it is gone when its holder is, however that ended, so
//! there is no such thing as a stale lock. What the file says about the holder is for the message only and is never believed further.
//! Whoever gives the lock back takes the line away, so one that is found is that of a process that died: the journal gets it.
//! It is taken away without waiting for the disk: right after a loss of power, it may be that of a process that did not.
//! Central is protected by its own compare-and-swap. That is why a file system without locks is no reason to stop.

mod holder;

use std::{
    fs::{File, TryLockError},
    io,
    path::PathBuf,
    thread,
    time::{Duration, Instant},
};

use rustix::{fs::OFlags, io::Errno};

use super::{
    files::{StateDir, StateError},
    journal,
};
use crate::lock_order::{self, Held, Rank};

pub use self::holder::{DIED, Holder};
use self::holder::{read_holder, write_holder};

const NAME: &str = "lock";

/// First pause between two tries; doubled up to [`LONGEST_PAUSE`], so that a short sync is followed at once.
const SHORTEST_PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_millis(100);

/// Why there is no lock.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Somebody else has it (exit code 75).
    #[error(
        "another sync of this workspace is running ({}): nothing was changed. Try again when it is done",
        holder.as_ref().map_or_else(|| "it does not say which".to_owned(), Holder::to_string)
    )]
    Held {
        /// The lock file.
        path: PathBuf,
        /// As far as it says.
        holder: Option<Holder>,
    },
    /// The lock file can't be opened.
    #[error(transparent)]
    State(#[from] StateError),
}

/// The lock, held until it is dropped.
#[derive(Debug)]
#[must_use = "the lock is released when it is dropped"]
pub struct Lock {
    /// `None`: there are no locks here.
    file: Option<File>,
    unsupported: Option<String>,
    died: Option<Holder>,
    _held: Option<Held>,
}

impl Lock {
    /// Takes the lock of the workspace whose state is `dir`; tries at once, then again and again for `wait`.
    ///
    /// Holding it, temp files of killed syncs in `dir` are removed.
    pub fn acquire(dir: &StateDir, wait: Duration, holder: &Holder) -> Result<Lock, LockError> {
        let (file, writable) = match open(dir)? {
            Opened::Writable(file) => (file, true),
            Opened::ReadOnly(file) => (file, false),
            Opened::No(reason) => return Ok(Lock::unsupported_because(reason)),
        };
        if !wait.is_zero() {
            lock_order::check(Rank::Workspace);
        }
        let start = Instant::now();
        let mut pause = SHORTEST_PAUSE;
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) => {
                    let left = wait.saturating_sub(start.elapsed());
                    if left.is_zero() {
                        return Err(LockError::Held {
                            path: dir.path().join(NAME),
                            holder: read_holder(&file),
                        });
                    }
                    thread::sleep(pause.min(left));
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
                Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(TryLockError::Error(error)) if has_no_locks(&error) => {
                    return Ok(Lock::unsupported_because(error.to_string()));
                }
                Err(TryLockError::Error(error)) => return Err(dir.error("lock", NAME, error).into()),
            }
        }
        let held = lock_order::hold(Rank::Workspace);
        dir.sweep();
        let died = read_holder(&file).filter(|_| writable);
        if let Some(died) = &died {
            // Its trace in the lock is gone after this; without a line in the journal there is still the warning.
            let _ = journal::append(dir, &died.obituary());
        }
        if writable {
            // Without it the message names nobody, which is no reason to stop.
            let _ = write_holder(&file, holder);
        }
        Ok(Lock {
            file: Some(file),
            unsupported: None,
            died,
            _held: Some(held),
        })
    }

    /// Who had the lock before and ended without giving it back.
    pub fn died(&self) -> Option<&Holder> {
        self.died.as_ref()
    }

    /// Why there is no lock here, in the system's words, if so. Worth a warning: two syncs at once may then do the same work twice.
    pub fn unsupported(&self) -> Option<&str> {
        self.unsupported.as_deref()
    }

    fn unsupported_because(reason: String) -> Self {
        Lock {
            file: None,
            unsupported: Some(reason),
            died: None,
            _held: None,
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        if let Some(file) = &self.file {
            // Truncated, so that no stale holder is reported. Removing the file would part those who wait on it from those
            // who come later and make a new one. Closing it releases the lock.
            let _ = file.set_len(0);
        }
    }
}

/// Who holds the lock at this moment, if anybody does; `Some(None)` if they do not say who they are.
///
/// For telling people, not for deciding: it may be otherwise a moment later. Nothing is written; a sync that begins in
/// the instant of this look tries again a few milliseconds later.
pub fn held(dir: &StateDir) -> Option<Option<Holder>> {
    holder_of(dir, NAME)
}

/// The same for the [claim](claim()) of this name.
pub fn holder_of(dir: &StateDir, name: &str) -> Option<Option<Holder>> {
    let file = dir.open_file(name, OFlags::RDONLY).ok()??;
    match file.try_lock_shared() {
        Err(TryLockError::WouldBlock) => Some(read_holder(&file)),
        Ok(()) | Err(TryLockError::Error(_)) => None,
    }
}

/// A lock that somebody keeps for as long as it runs. The kernel takes it back.
#[derive(Debug)]
#[must_use = "the claim ends when it is dropped"]
pub struct Claim(File);

/// Takes the lock `name`, without waiting. Where there are no locks everybody gets one.
pub fn claim(dir: &StateDir, name: &'static str, holder: &Holder) -> Result<Claim, LockError> {
    let file = dir.open_file(name, OFlags::RDWR | OFlags::CREATE)?;
    let file = file.ok_or_else(|| dir.error("create", name, io::ErrorKind::NotFound.into()))?;
    if let Err(TryLockError::WouldBlock) = file.try_lock() {
        return Err(LockError::Held {
            path: dir.path().join(name),
            holder: read_holder(&file),
        });
    }
    // Without it the message names nobody.
    let _ = write_holder(&file, holder);
    Ok(Claim(file))
}

impl Drop for Claim {
    fn drop(&mut self) {
        let _ = self.0.set_len(0);
    }
}

enum Opened {
    Writable(File),
    ReadOnly(File),
    No(String),
}

/// Another user's file or a read-only disk can still be locked, only not written to.
fn open(dir: &StateDir) -> Result<Opened, StateError> {
    let reason = match dir.open_file(NAME, OFlags::RDWR | OFlags::CREATE) {
        Ok(Some(file)) => return Ok(Opened::Writable(file)),
        Ok(None) => io::Error::from(io::ErrorKind::NotFound),
        Err(StateError::Io { source, .. })
            if matches!(
                source.kind(),
                io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem
            ) =>
        {
            source
        }
        Err(error) => return Err(error),
    };
    match dir.open_file(NAME, OFlags::RDONLY)? {
        Some(file) => Ok(Opened::ReadOnly(file)),
        None if reason.kind() == io::ErrorKind::ReadOnlyFilesystem => Ok(Opened::No(reason.to_string())),
        None => Err(dir.error("create", NAME, reason)),
    }
}

fn has_no_locks(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::Unsupported
        || matches!(
            Errno::from_io_error(error),
            Some(Errno::NOLCK | Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL)
        )
}

#[cfg(test)]
mod tests;
