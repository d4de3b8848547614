//! What the file system says of an entry.

use std::ffi::OsString;

use rustix::fs::FileType;

/// What a directory entry is, links not followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A regular file.
    File,
    /// A folder.
    Dir,
    /// A symbolic link, wherever it leads.
    Symlink,
    /// A pipe, a socket or a device.
    Other,
}

impl From<FileType> for Kind {
    fn from(file_type: FileType) -> Self {
        match file_type {
            FileType::RegularFile => Kind::File,
            FileType::Directory => Kind::Dir,
            FileType::Symlink => Kind::Symlink,
            _ => Kind::Other,
        }
    }
}

/// What the file system says of an entry. Equal values of a regular file mean unchanged content, save for changes
/// within one tick of the clock (see [`StatCache`](crate::workspace::StatCache)).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stat {
    /// File, folder, link or other.
    pub kind: Kind,
    /// Size in bytes.
    pub len: u64,
    /// Modification time, nanoseconds since 1970, saturating.
    pub mtime_ns: i64,
    /// Change time, which no program can set back, nanoseconds since 1970, saturating.
    pub ctime_ns: i64,
    /// Inode number.
    pub inode: u64,
    /// The file system that it lies on.
    pub device: u64,
    /// The user whose it is.
    pub owner: u32,
    /// Permission bits, `0o777` and below.
    pub mode: u32,
    /// Number of hard links; 0 for a folder that was removed while held open.
    pub links: u64,
}

#[cfg(test)]
impl Stat {
    /// Some file of five bytes.
    pub fn of_a_file(mtime_ns: i64, ctime_ns: i64) -> Stat {
        Stat {
            kind: Kind::File,
            len: 5,
            mtime_ns,
            ctime_ns,
            inode: 9,
            device: 1,
            owner: 0,
            mode: 0o644,
            links: 1,
        }
    }
}

impl From<rustix::fs::Stat> for Stat {
    // The field types differ between platforms; on some, these conversions do nothing.
    #[allow(clippy::unnecessary_cast, clippy::useless_conversion)]
    fn from(stat: rustix::fs::Stat) -> Self {
        let ns = |seconds: i64, ns: i64| seconds.saturating_mul(1_000_000_000).saturating_add(ns);
        Stat {
            kind: FileType::from_raw_mode(stat.st_mode).into(),
            len: stat.st_size as u64,
            mtime_ns: ns(stat.st_mtime as i64, stat.st_mtime_nsec as i64),
            ctime_ns: ns(stat.st_ctime as i64, stat.st_ctime_nsec as i64),
            inode: stat.st_ino as u64,
            device: stat.st_dev as u64,
            owner: stat.st_uid,
            mode: stat.st_mode as u32 & 0o777,
            links: stat.st_nlink as u64,
        }
    }
}

/// An entry of a folder.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// The name as it is on disk; not necessarily UTF-8.
    pub name: OsString,
    /// What it was when the folder was read.
    pub kind: Kind,
}
