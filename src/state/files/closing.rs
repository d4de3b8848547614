//! Closing folders of state that an earlier version, or a person, left open to other users.

use std::{
    fs::File,
    io::Read,
    os::{fd::BorrowedFd, unix::fs::MetadataExt},
};

use rustix::fs::{Dir, Mode, OFlags, fchmod, fstat};

use super::{StateDir, contents::MAX_FILE};

const OTHERS: Mode = Mode::from_raw_mode(0o077);
const WRITTEN_BY_OTHERS: Mode = Mode::from_raw_mode(0o022);

/// Takes all rights from others. Returns whether they had any and have none any more: where modes cannot be changed they stay.
pub(super) fn close_to_others(fd: BorrowedFd<'_>) -> bool {
    let mode = || fstat(fd).map(|stat| Mode::from_raw_mode(stat.st_mode));
    match mode() {
        Ok(mode) if mode.intersects(OTHERS) => {}
        _ => return false,
    }
    let closed = mode().and_then(|mode| fchmod(fd, mode - OTHERS));
    closed.is_ok() && mode().is_ok_and(|mode| !mode.intersects(OTHERS))
}

impl StateDir {
    /// Closes the folder to others. If it was open to them, files that they may still have open are made anew.
    pub(super) fn close(&self) {
        if !close_to_others(self.fd()) {
            return;
        }
        let entries = Dir::read_from(self.fd()).into_iter().flatten().flatten();
        let names: Vec<String> = entries
            .filter_map(|entry| entry.file_name().to_str().ok().map(str::to_owned))
            .collect();
        for name in names {
            // What fails is as it was before.
            if let Ok(Some(file)) = self.open_file(&name, OFlags::RDWR) {
                self.renew(&name, file);
            }
        }
    }

    /// Puts a new file with the same bytes in the place of one that others may hold: a lock for as long as they like, whoever
    /// could read it, and anything that they could write to.
    fn renew(&self, name: &str, file: File) {
        let is_lock = name == "lock" || name.ends_with(".lock");
        let is_writable = |mode: u32| Mode::from_raw_mode(mode).intersects(WRITTEN_BY_OTHERS);
        // SQLite's files are compared before they are believed, and not replaced while somebody may be writing to them.
        let may_be = is_lock || (!name.contains(".db") && file.metadata().is_ok_and(|found| is_writable(found.mode())));
        if !may_be {
            return;
        }
        let mut bytes = Vec::new();
        // What stands in a lock that somebody holds is not said of a process that died.
        let is_held = is_lock && file.try_lock().is_err();
        let read = is_held || (&file).take(MAX_FILE).read_to_end(&mut bytes).is_ok();
        if read {
            let _ = self.replace(name, &bytes);
        }
    }
}
