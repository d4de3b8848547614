//! Who works with a store at the moment.

use std::{fs, path::Path, time::Duration};

use crate::lock_order::{self, Held, Rank};
use rustix::{
    fs::{FlockOperation, flock},
    io::Errno,
};

/// Shared by all who use a store, so that nobody takes packs away under them. A file system without locks never has
/// anybody alone.
pub(super) struct InUse(Option<fs::File>);

impl InUse {
    /// Who puts packs together has it for a moment; whoever does not end is not waited for, as what is missed then is
    /// fetched anew.
    pub(super) fn of(packs: &Path) -> Self {
        let Ok(folder) = fs::File::open(packs) else {
            return InUse(None);
        };
        for _ in 0..200 {
            match flock(&folder, FlockOperation::NonBlockingLockShared) {
                Ok(()) => return InUse(Some(folder)),
                Err(Errno::WOULDBLOCK) => std::thread::sleep(Duration::from_millis(10)),
                Err(_) => return InUse(None),
            }
        }
        InUse(None)
    }

    /// `None` if others use it.
    pub(super) fn alone(&self) -> Option<Alone<'_>> {
        let folder = self.0.as_ref()?;
        match flock(folder, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Some(Alone(folder, lock_order::hold(Rank::Repack))),
            Err(_) => {
                // Asking gave up what was held.
                let _ = flock(folder, FlockOperation::NonBlockingLockShared);
                None
            }
        }
    }
}

/// Nobody else uses the store until it is dropped.
pub(super) struct Alone<'a>(
    &'a fs::File,
    #[allow(dead_code, reason = "a note, until it is dropped")] Held,
);

impl Drop for Alone<'_> {
    fn drop(&mut self) {
        let _ = flock(self.0, FlockOperation::NonBlockingLockShared);
    }
}
