//! What was read from the files of a folder, so that they need not be read again.
//!
//! As in git's index, a file whose size, times and inode are what they were is taken for unchanged, unless it was changed so
//! shortly before it was read that a later change may carry the same time: such a file is not noted.

use super::{
    packed::{Packer, Unpacker},
    scan::Scan,
};
use crate::{fs::Stat, names::ObjectId, plan::conduit::path_order};

/// Some file systems keep whole or even seconds, and a file server's clock may be a little behind ours.
pub const SLACK_NS: i64 = 2_000_000_000;
/// What does between two looks of one sync, as the next sync looks again.
pub const SHORT_SLACK_NS: i64 = 50_000_000;
/// So many bytes say how many files there are.
const COUNT: usize = 8;
const HEADER: &[u8] = b"git-metis-sync conduit index 1\n";

/// What tells that a file is as it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
    /// Of what a scan saw, but for what may have been changed within `slack_ns` of its beginning, or since.
    pub fn of(scan: &Scan, slack_ns: i64) -> Self {
        let mut packer = Packer::default();
        packer.bytes.extend_from_slice(&[0; COUNT]);
        let mut len: u64 = 0;
        for ((path, item), seen) in scan.listing.items.iter().zip(&scan.seen) {
            if seen.may_hide_a_change(scan.begun_ns, slack_ns) {
                continue;
            }
            packer.path(path);
            packer.number(seen.len);
            packer.number(seen.inode);
            packer.time(seen.mtime_ns);
            packer.time(seen.ctime_ns);
            packer.id(item.id, 0);
            len += 1;
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
    at: Option<(Seen, ObjectId)>,
}

impl Walk<'_> {
    /// The content of the file at `path` if it is as it was. Paths are asked for in their order.
    pub fn find(&mut self, path: &str, seen: &Seen) -> Option<ObjectId> {
        while self.at.is_some() && path_order(&self.path, path).is_lt() {
            self.next();
        }
        let (known, id) = self.at?;
        (self.path == path && known == *seen).then_some(id)
    }

    fn next(&mut self) {
        self.at = self.read();
    }

    fn read(&mut self) -> Option<(Seen, ObjectId)> {
        let unpacker = &mut self.unpacker;
        let path = unpacker.path()?;
        self.path.clear();
        self.path.push_str(path);
        let (len, inode) = (unpacker.number()?, unpacker.number()?);
        let (mtime_ns, ctime_ns) = (unpacker.time()?, unpacker.time()?);
        let (id, _) = unpacker.id()?;
        let seen = Seen {
            len,
            mtime_ns,
            ctime_ns,
            inode,
        };
        Some((seen, id))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        fs::Kind,
        plan::conduit::{Form, Item, Listing},
    };

    const SECOND: i64 = 1_000_000_000;

    fn stat(mtime_ns: i64) -> Stat {
        Stat {
            kind: Kind::File,
            len: 5,
            mtime_ns,
            ctime_ns: mtime_ns,
            inode: 9,
            device: 1,
            owner: 0,
            mode: 0o644,
            links: 1,
        }
    }

    fn id(byte: u8) -> ObjectId {
        ObjectId::from_bytes(&[byte; 20]).unwrap()
    }

    /// A scan that began at the hundredth second.
    fn scan(files: &[(&str, i64)]) -> Scan {
        let item = |at: usize| Item {
            id: id(at as u8),
            form: Form::File,
        };
        Scan {
            listing: Listing {
                items: files
                    .iter()
                    .enumerate()
                    .map(|(at, (path, _))| ((*path).to_owned(), item(at)))
                    .collect(),
                unknown: Vec::new(),
            },
            seen: files.iter().map(|(_, time)| Seen::from(&stat(*time))).collect(),
            ..Scan::begun_at(100 * SECOND)
        }
    }

    #[test]
    fn only_what_is_surely_unchanged_is_answered_for() {
        let files = [
            ("a/b", 97 * SECOND + 1),
            ("a.md", 99 * SECOND + 1),
            ("b", 200 * SECOND + 1),
            ("c", 99 * SECOND),
            ("d", -1),
        ];
        let known = |index: &Index| {
            let mut walk = index.walk();
            let found = files.map(|(path, time)| walk.find(path, &Seen::from(&stat(time))).is_some());
            assert_eq!(found.iter().filter(|found| **found).count(), index.len());
            found
        };
        let stored = Index::of(&scan(&files), SLACK_NS);
        assert_eq!(known(&stored), [true, false, false, false, true]);
        assert_eq!(known(&Index::from_bytes(stored.to_bytes())), known(&stored));
        let within = Index::of(&scan(&files), SHORT_SLACK_NS);
        assert_eq!(
            known(&within),
            [true, true, false, false, true],
            "whole seconds need the long one"
        );

        let changed = |change: fn(&mut Stat)| {
            let mut stat = stat(97 * SECOND + 1);
            change(&mut stat);
            stored.walk().find("a/b", &Seen::from(&stat))
        };
        assert_eq!(changed(|_| {}), Some(id(0)));
        assert_eq!(changed(|stat| stat.len = 4), None);
        assert_eq!(changed(|stat| stat.inode = 8), None);
        assert_eq!(changed(|stat| stat.mtime_ns += 1), None);
        assert_eq!(changed(|stat| stat.ctime_ns += 1), None);
    }

    #[test]
    fn paths_that_came_and_went_are_passed_over() {
        let index = Index::of(&scan(&[("b", 1), ("c/d", 1), ("e", 1)]), SLACK_NS);
        let mut walk = index.walk();
        let seen = Seen::from(&stat(1));
        let found = ["a", "b", "b/x", "c/d", "d", "f"].map(|path| walk.find(path, &seen));
        assert_eq!(found, [None, Some(id(0)), None, Some(id(1)), None, None]);
    }

    #[test]
    fn a_damaged_index_knows_nothing() {
        let bytes = Index::of(&scan(&[("a", 1), ("b", 1), ("c", 1)]), SLACK_NS).to_bytes();
        for end in 0..bytes.len() {
            assert_eq!(Index::from_bytes(bytes[..end].to_vec()).len(), 0, "cut at {end}");
        }
        for at in 0..bytes.len() {
            let mut bytes = bytes.clone();
            bytes[at] ^= 1;
            assert_eq!(Index::from_bytes(bytes).len(), 0, "changed at {at}");
        }
    }
}
