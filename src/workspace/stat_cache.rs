//! What the last scan read, so that the next one need not read it again.
//!
//! As git's index does, a file whose size, times and inode are what they were is taken for unchanged, unless it is
//! *racy*: changed so shortly before the scan that a later change may carry the same time.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    time::SystemTime,
};

use crate::{
    fs::{
        Stat,
        times::{SLACK_NS, nanoseconds},
    },
    names::{ObjectId, ShortCode},
};

const HEADER: &str = "git-metis-sync stat cache 2";
/// Stands for the code of a file that may be a document and is none that can be told.
const STRANGER: &str = "?";

/// What was read from the files of one scan, by path.
///
/// It is an aid to speed and memory, never an authority: lost or unreadable, it costs one full scan.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StatCache {
    scanned_at_ns: i64,
    /// The rules by which files became what git would commit.
    rules: u64,
    entries: BTreeMap<String, CacheEntry>,
    /// Folders on another file system than `.metis/`.
    mounts: BTreeSet<String>,
}

/// What one file was when it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CacheEntry {
    len: u64,
    mtime_ns: i64,
    ctime_ns: i64,
    inode: u64,
    /// The object id of the content.
    pub blob: ObjectId,
    /// The document's code; `None` for a file that is no document.
    pub code: Option<ShortCode>,
    /// Whether it may be a document, but none that can be told.
    pub is_stranger: bool,
}

impl CacheEntry {
    /// Of a file that had this content when this was seen of it.
    pub fn new(stat: &Stat, blob: ObjectId, code: Option<ShortCode>) -> Self {
        CacheEntry {
            len: stat.len,
            mtime_ns: stat.mtime_ns,
            ctime_ns: stat.ctime_ns,
            inode: stat.inode,
            blob,
            code,
            is_stranger: false,
        }
    }

    /// An entry for a file that may be a document, though none that can be told. It never answers for the file either, but
    /// tells the next scan that the file was there.
    pub fn stranger(stat: &Stat, any_id: ObjectId) -> Self {
        CacheEntry {
            is_stranger: true,
            ..CacheEntry::new(stat, any_id, None)
        }
    }

    /// An entry that remembers which document was here, while no content is known: it never answers for a file.
    pub fn reminder(code: ShortCode, any_id: ObjectId) -> Self {
        CacheEntry {
            len: 0,
            mtime_ns: i64::MAX,
            ctime_ns: i64::MAX,
            inode: 0,
            blob: any_id,
            code: Some(code),
            is_stranger: false,
        }
    }

    /// Whether it is a [`reminder`](Self::reminder).
    pub fn is_reminder(&self) -> bool {
        self.mtime_ns == i64::MAX && self.ctime_ns == i64::MAX
    }

    fn is_racy(&self, scanned_at_ns: i64) -> bool {
        self.mtime_ns.max(self.ctime_ns) >= scanned_at_ns.saturating_sub(SLACK_NS)
    }
}

impl StatCache {
    /// An empty cache for a scan that begins at `now`. The moment must not be later than the first reading.
    pub fn begun_at(now: SystemTime) -> Self {
        StatCache {
            scanned_at_ns: nanoseconds(now),
            ..StatCache::default()
        }
    }

    /// The same cache if it was made under these rules for what git commits, else an empty one.
    pub fn under(&self, rules: u64) -> Cow<'_, Self> {
        match self.rules == rules {
            true => Cow::Borrowed(self),
            false => Cow::Owned(StatCache {
                rules,
                ..StatCache::default()
            }),
        }
    }

    /// An empty cache for another scan under the same rules.
    pub(super) fn next(&self, now: SystemTime) -> Self {
        StatCache {
            rules: self.rules,
            ..StatCache::begun_at(now)
        }
    }

    pub(super) fn note_mount(&mut self, folder: &str) {
        self.mounts.insert(folder.to_owned());
    }

    /// The folders that lay on another file system when this was made, do not in `later`, and are still there.
    pub(super) fn unmounted_since(&self, later: &StatCache, is_there: &dyn Fn(&str) -> bool) -> Vec<String> {
        let gone = self.mounts.difference(&later.mounts);
        gone.filter(|folder| is_there(folder)).cloned().collect()
    }

    /// Notes what was read from a file.
    pub fn insert(&mut self, path: String, entry: CacheEntry) {
        self.entries.insert(path, entry);
    }

    pub(super) fn get(&self, path: &str) -> Option<&CacheEntry> {
        self.entries.get(path)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &CacheEntry)> {
        self.entries.iter().map(|(path, entry)| (path.as_str(), entry))
    }

    /// The entry of a file that has not changed since it was read; `id_len` is the length of the ids in use now.
    pub fn unchanged(&self, path: &str, stat: &Stat, id_len: usize) -> Option<&CacheEntry> {
        self.entries.get(path).filter(|entry| {
            let same = (entry.len, entry.mtime_ns, entry.ctime_ns, entry.inode)
                == (stat.len, stat.mtime_ns, stat.ctime_ns, stat.inode);
            same && !entry.is_stranger && !entry.is_racy(self.scanned_at_ns) && entry.blob.as_bytes().len() == id_len
        })
    }

    /// Whether both say the same of the same files; when they were made does not matter.
    pub fn same_entries(&self, other: &StatCache) -> bool {
        self.entries == other.entries && self.mounts == other.mounts && self.rules == other.rules
    }

    /// How many entries this cache can answer for which `older` could not, being racy there.
    pub(super) fn settled_since(&self, older: &StatCache) -> usize {
        self.entries
            .iter()
            .filter(|(path, entry)| {
                !entry.is_racy(self.scanned_at_ns)
                    && older.get(path).is_some_and(|old| old.is_racy(older.scanned_at_ns))
            })
            .count()
    }

    /// Number of files.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether it knows of no file.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The cache as the bytes of a file, one line per entry.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut body = String::with_capacity(self.entries.len() * 160);
        for (path, entry) in &self.entries {
            let none = if entry.is_stranger { STRANGER } else { "-" };
            let code = entry.code.as_ref().map_or(none, ShortCode::as_str);
            let _ = write!(
                body,
                "{} {} {} {} {} {code} ",
                entry.len, entry.mtime_ns, entry.ctime_ns, entry.inode, entry.blob
            );
            escape(path, &mut body);
            body.push('\n');
        }
        for folder in &self.mounts {
            body.push_str(MOUNT);
            escape(folder, &mut body);
            body.push('\n');
        }
        format!(
            "{HEADER} {} {:016x} {:016x}\n{body}",
            self.scanned_at_ns,
            self.rules,
            checksum(body.as_bytes())
        )
        .into_bytes()
    }

    /// The cache in the bytes of a file. Anything but what [`to_bytes()`](Self::to_bytes) wrote, whole, is an empty cache.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        read(bytes).unwrap_or_default()
    }
}

fn read(bytes: &[u8]) -> Option<StatCache> {
    let (header, body) = std::str::from_utf8(bytes).ok()?.split_once('\n')?;
    let (scanned_at, rest) = header.strip_prefix(HEADER)?.strip_prefix(' ')?.split_once(' ')?;
    let (rules, sum) = rest.split_once(' ')?;
    if u64::from_str_radix(sum, 16).ok()? != checksum(body.as_bytes()) {
        return None;
    }
    let (mounts, files): (Vec<_>, Vec<_>) = body.lines().partition(|line| line.starts_with(MOUNT));
    let entries = files.into_iter().map(read_line).collect::<Option<BTreeMap<_, _>>>()?;
    Some(StatCache {
        scanned_at_ns: scanned_at.parse().ok()?,
        rules: u64::from_str_radix(rules, 16).ok()?,
        entries,
        mounts: mounts
            .into_iter()
            .map(|line| unescape(&line[MOUNT.len()..]))
            .collect::<Option<_>>()?,
    })
}

fn read_line(line: &str) -> Option<(String, CacheEntry)> {
    let mut fields = line.splitn(7, ' ');
    let mut next = || fields.next();
    let mut entry = CacheEntry {
        is_stranger: false,
        len: next()?.parse().ok()?,
        mtime_ns: next()?.parse().ok()?,
        ctime_ns: next()?.parse().ok()?,
        inode: next()?.parse().ok()?,
        blob: next()?.parse().ok()?,
        code: None,
    };
    match next()? {
        "-" => {}
        STRANGER => entry.is_stranger = true,
        code => entry.code = Some(code.parse().ok()?),
    }
    Some((unescape(next()?)?, entry))
}

/// Begins the line of a folder on another file system; the lines of files begin with a number.
const MOUNT: &str = "mount ";

fn escape(path: &str, line: &mut String) {
    for c in path.chars() {
        match c {
            '\n' => line.push_str("\\n"),
            '\\' => line.push_str("\\\\"),
            c => line.push(c),
        }
    }
}

fn unescape(path: &str) -> Option<String> {
    let mut unescaped = String::with_capacity(path.len());
    let mut chars = path.chars();
    while let Some(c) = chars.next() {
        unescaped.push(match c {
            '\\' => match chars.next()? {
                'n' => '\n',
                c => c,
            },
            c => c,
        });
    }
    Some(unescaped)
}

/// FNV-1a: tells a torn or rotten file from a whole one; it need not withstand an enemy.
fn checksum(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |sum, byte| {
        (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests;
