//! Taking turns on one machine.
//!
//! Writers who lost a race retry; those of one machine need not race each other again. Before a retry they queue for a
//! lock that only such writers take: on central's own folder where it lies on this machine, else on the folder of its
//! objects in the user's cache. Where central lies elsewhere the first push takes it as well, and who finds it taken then waits
//! before it pushes in vain. It is a courtesy: nothing is wrong without it, writers elsewhere do not know of it, and
//! who does not get it in time goes on all the same. What protects central is the compare-and-swap of its branch.

use std::{
    fs::{File, TryLockError},
    path::PathBuf,
};

use super::store::Store;
use crate::lock_order::{self, Held, Rank};
use crate::send_pack::connect::{ConnectOptions, RemoteUrl, Scheme};

/// Held until it is dropped, or its process ends.
#[derive(Debug)]
pub struct Turn {
    _lock: File,
    _held: Held,
}

/// The answer to asking for a turn.
#[derive(Debug)]
pub enum Asked {
    /// It is ours.
    Taken(Turn),
    /// Another writer of this machine has it.
    Busy,
    /// There is no place for it, or the file system has no locks.
    Impossible,
}

/// Asks for the turn of the central at `url`, without waiting. Nothing is written: folders are locked themselves.
pub fn ask(url: &RemoteUrl, options: &ConnectOptions, store: &Store) -> Asked {
    let Ok(folder) = File::open(place(url, options, store)) else {
        return Asked::Impossible;
    };
    match folder.try_lock() {
        Ok(()) => Asked::Taken(Turn {
            _lock: folder,
            _held: lock_order::hold(Rank::Turn),
        }),
        Err(TryLockError::WouldBlock) => Asked::Busy,
        Err(TryLockError::Error(_)) => Asked::Impossible,
    }
}

fn place(url: &RemoteUrl, options: &ConnectOptions, store: &Store) -> PathBuf {
    use std::os::unix::ffi::OsStrExt;
    if url.scheme() == Scheme::File {
        let path = options.cwd.join(std::ffi::OsStr::from_bytes(url.path()));
        if path.is_dir() {
            return path;
        }
    }
    store.root().to_owned()
}
