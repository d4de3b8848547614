//! What was read from the files of a folder, so that they need not be read again.
//!
//! As in git's index, a file whose size, times and inode are what they were is taken for unchanged, unless it was changed so
//! shortly before it was read that a later change may carry the same time: such a file is not noted.

#[cfg(test)]
mod tests;

use super::{
    packed::{Packer, Unpacker},
    scan::Scan,
};
use crate::{
    fs::{Stat, times::SLACK_NS},
    names::ObjectId,
    plan::conduit::path_order,
};

/// What does between two looks of one sync, as the next sync looks again.
pub const SHORT_SLACK_NS: i64 = 50_000_000;
/// So many bytes say how many files there are.
const COUNT: usize = 8;
const HEADER: &[u8] = b"git-metis-sync conduit index 2\n";

/// What tells that a file is as it was.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Seen {
    pub len: u64,
    pub mtime_ns: i64,
    ctime_ns: i64,
    pub inode: u64,
}

impl From<&Stat> for Seen {
    fn from(stat: &Stat) -> Self {
        Seen {
            len: stat.len,
            mtime_ns: stat.mtime_ns,
            ctime_ns: stat.ctime_ns,
            inode: stat.inode,
        }
    }
}

impl Seen {
    /// Whether a change after the reading that began at `begun_ns` may carry the same time.
    fn may_hide_a_change(&self, begun_ns: i64, slack_ns: i64) -> bool {
        // Times of whole seconds are those of a file system that has no others.
        let is_coarse = self.mtime_ns % 1_000_000_000 == 0;
        let slack_ns = if is_coarse { SLACK_NS } else { slack_ns };
        self.mtime_ns.max(self.ctime_ns) >= begun_ns.saturating_sub(slack_ns)
    }
}

/// Files of a folder that were read, in the order of their paths. An aid to speed, never an authority: lost, it costs one reading.
#[derive(Default)]
pub struct Index {
    /// The number of files, and the files.
    bytes: Vec<u8>,
}

impl Index {
    /// Of what a scan saw, but for what may have been changed within `slack_ns` of its beginning, or since. `known` is what it needed not
    /// read.
    pub fn of(scan: &Scan, slack_ns: i64, known: &Index) -> Self {
        let mut packer = Packer::default();
        packer.bytes.extend_from_slice(&[0; COUNT]);
        let (mut len, mut last): (u64, Seen) = (0, Seen::default());
        let (mut walk, mut read) = (known.walk(), scan.read.iter().peekable());
        for (at, (path, item)) in scan.listing.items.iter().enumerate() {
            let seen = match read.next_if(|(read, _)| *read == at) {
                Some((_, seen)) => *seen,
                None => match walk.at(path) {
                    Some((seen, _)) => seen,
                    None => continue,
                },
            };
            if seen.may_hide_a_change(scan.begun_ns, slack_ns) {
                continue;
            }
            packer.path(path);
            packer.number(seen.len);
            // Those of one folder are often near each other.
            packer.signed(seen.inode.wrapping_sub(last.inode) as i64);
            packer.signed(seen.mtime_ns.wrapping_sub(last.mtime_ns));
            packer.signed(seen.ctime_ns.wrapping_sub(seen.mtime_ns));
            packer.id(item.id, 0);
            (len, last) = (len + 1, seen);
        }
        packer.bytes[..COUNT].copy_from_slice(&len.to_le_bytes());
        Index { bytes: packer.bytes }
    }

    /// How many files it knows.
    pub fn len(&self) -> usize {
        let len = self.bytes.first_chunk().map_or(0, |len| u64::from_le_bytes(*len));
        usize::try_from(len).unwrap_or(usize::MAX)
    }

    /// The bytes of a file.
    pub fn to_bytes(&self) -> Vec<u8> {
        let sum = checksum(&self.bytes).to_le_bytes();
        [HEADER, &sum, &self.bytes].concat()
    }

    /// Anything but what [`to_bytes()`](Self::to_bytes) made, whole, knows no file.
    pub fn from_bytes(mut bytes: Vec<u8>) -> Self {
        let is_whole = |bytes: &[u8]| {
            let (sum, rest) = bytes.strip_prefix(HEADER)?.split_first_chunk()?;
            Some(u64::from_le_bytes(*sum) == checksum(rest) && rest.len() >= COUNT)
        };
        match is_whole(&bytes) {
            Some(true) => Index {
                bytes: bytes.split_off(HEADER.len() + 8),
            },
            _ => Index::default(),
        }
    }

    /// Goes through it beside a scan.
    pub fn walk(&self) -> Walk<'_> {
        let mut walk = Walk {
            unpacker: Unpacker::of(self.bytes.get(COUNT..).unwrap_or_default()),
            path: String::new(),
            last: Seen::default(),
            at: None,
        };
        walk.next();
        walk
    }
}

/// A place in an index.
pub struct Walk<'a> {
    unpacker: Unpacker<'a>,
    path: String,
    last: Seen,
    at: Option<(Seen, ObjectId)>,
}

impl Walk<'_> {
    /// The content of the file at `path` if it is as it was. Paths are asked for in their order.
    pub fn find(&mut self, path: &str, seen: &Seen) -> Option<ObjectId> {
        let (known, id) = self.at(path)?;
        (known == *seen).then_some(id)
    }

    /// What is known of the file at `path`.
    fn at(&mut self, path: &str) -> Option<(Seen, ObjectId)> {
        while self.at.is_some() && path_order(&self.path, path).is_lt() {
            self.next();
        }
        self.at.filter(|_| self.path == path)
    }

    fn next(&mut self) {
        self.at = self.read();
    }

    fn read(&mut self) -> Option<(Seen, ObjectId)> {
        let unpacker = &mut self.unpacker;
        let path = unpacker.path()?;
        self.path.clear();
        self.path.push_str(path);
        let len = unpacker.number()?;
        let inode = self.last.inode.wrapping_add(unpacker.signed()? as u64);
        let mtime_ns = self.last.mtime_ns.wrapping_add(unpacker.signed()?);
        let ctime_ns = mtime_ns.wrapping_add(unpacker.signed()?);
        self.last = Seen {
            len,
            mtime_ns,
            ctime_ns,
            inode,
        };
        Some((self.last, unpacker.id()?.0))
    }
}

/// FNV-1a by words: tells a torn or rotten file from a whole one; it need not withstand an enemy.
fn checksum(bytes: &[u8]) -> u64 {
    let mut words = bytes.chunks_exact(8);
    let by_word = |sum: u64, word: &[u8]| {
        let word = word.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte));
        (sum ^ word).wrapping_mul(0x0100_0000_01b3).rotate_left(29)
    };
    let sum = words.by_ref().fold(0xcbf2_9ce4_8422_2325 ^ bytes.len() as u64, by_word);
    by_word(sum, words.remainder())
}
