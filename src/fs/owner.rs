//! Whose a file is.

use std::path::Path;

use rustix::{
    fs::Mode,
    process::{geteuid, getuid},
};

/// Whether files of this user are ours: the user that this process runs as or, as for git, the one who called sudo.
pub fn is_us(uid: u32) -> bool {
    let called_by = || std::env::var("SUDO_UID").ok()?.parse::<u32>().ok();
    uid == geteuid().as_raw() || (geteuid().is_root() && getuid().is_root() && called_by() == Some(uid))
}

/// The owner of what is at `path`, itself if that is a link. `None` where it cannot be told.
pub fn of(path: &Path) -> Option<u32> {
    rustix::fs::lstat(path).ok().map(|stat| stat.st_uid)
}

/// The owner of what is at `path`, or where that leads if it is a link. `None` where it cannot be told.
pub fn of_target(path: &Path) -> Option<u32> {
    rustix::fs::stat(path).ok().map(|stat| stat.st_uid)
}

/// Whether somebody else decides what lies in `folder`: a user who is neither us nor the administrator, or, in a folder for
/// temporary files, everybody.
pub fn is_others_to_fill(folder: &Path) -> bool {
    rustix::fs::stat(folder).is_ok_and(|stat| {
        let for_all = Mode::from_raw_mode(stat.st_mode).contains(Mode::SVTX | Mode::WOTH);
        for_all || !(stat.st_uid == 0 || is_us(stat.st_uid))
    })
}
