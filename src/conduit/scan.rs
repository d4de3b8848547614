//! What lies in a folder at the moment. A file that is as the last scan saw it is not read.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::{
    ConduitError,
    index::{Index, Seen, Walk},
    links::stays_inside,
    made::Made,
    order::Ends,
    reading::{Reading, read, read_link},
    rules::{Rules, is_private},
    tip::Tip,
};
use crate::{
    fs::{Dir, DirError, Kind, is_temp},
    names::ObjectId,
    plan::conduit::{Item, Listing, path_order},
    text::{UntrustedName, printable},
};

/// Why a file that central cannot or shall not have is left out.
pub const TOO_LARGE: &str = "larger than max_file_mib allows";
/// Why a link is left out.
pub const LINK: &str = "a symbolic link";
/// The same where others are carried.
pub const LINK_OUT: &str = "a symbolic link that may lead out of the folder";
/// Why a folder is left out that lies on another disk.
const OTHER_DISK: &str = "on another file system";
/// Folders in folders that are looked into. Any depth can be made, and each takes some of the stack and an open file.
const DEPTH_LIMIT: usize = 128;

/// Something that was left out and is worth a word: not what a pattern leaves out.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Skipped {
    /// Its path.
    pub path: UntrustedName,
    /// Why.
    pub reason: Cow<'static, str>,
}

impl Skipped {
    /// Passes over what is at `path`: nothing is known of it, and why is said.
    pub fn note(listing: &mut Listing, skipped: &mut Vec<Skipped>, path: String, reason: &'static str) {
        listing.unknown.push(path.clone());
        skipped.push(Skipped {
            path: path.into(),
            reason: reason.into(),
        });
    }
}

/// A folder, listed.
pub struct Scan {
    pub listing: Listing,
    pub skipped: Vec<Skipped>,
    /// What each file was that was read, or written by this sync, by its place in the listing.
    pub read: Vec<(usize, Seen)>,
    /// The moment before which what is known was read, in nanoseconds since 1970.
    pub begun_ns: i64,
    /// Folders in which there are temporary files or folders; the root is an empty text.
    pub with_temps: Vec<String>,
}

impl Scan {
    /// The folders in it that are on other disks.
    pub fn disks(&self) -> impl Iterator<Item = &str> {
        let on_other = self.skipped.iter().filter(|skipped| skipped.reason == OTHER_DISK);
        on_other.map(|skipped| skipped.path.raw())
    }

    /// The same of a branch.
    pub fn of_branch(tip: Option<&Tip>) -> Self {
        let listed = tip.map(|tip| &tip.listed);
        Scan {
            listing: listed.map(|listed| listed.listing.clone()).unwrap_or_default(),
            skipped: listed.map(|listed| listed.skipped.clone()).unwrap_or_default(),
            ..Scan::begun_at(0)
        }
    }

    /// Nothing seen yet.
    pub fn begun_at(begun_ns: i64) -> Self {
        Scan {
            listing: Listing::default(),
            skipped: Vec::new(),
            read: Vec::new(),
            begun_ns,
            with_temps: Vec::new(),
        }
    }

    /// What the file at `path` in `root`, which was scanned, is.
    pub fn seen_in(&self, root: &Dir, path: &str) -> Option<Seen> {
        let look = || root.lstat(path).ok().map(|stat| Seen::from(&stat));
        self.seen_at(path).copied().or_else(look)
    }

    /// What the file at `path` was, if it was read.
    fn seen_at(&self, path: &str) -> Option<&Seen> {
        let at = self.listing.position(path)?;
        let read = self.read.binary_search_by_key(&at, |(at, _)| *at).ok()?;
        Some(&self.read[read].1)
    }
}

/// What needs not be read again.
#[derive(Default)]
pub struct Known {
    pub index: Index,
    pub made: Made,
}

/// Lists `root` by `rules`. What is `known` was read after `begun_ns`, or is known to be older.
pub fn scan(
    root: &Dir,
    reading: Reading,
    (rules, ends): (&Rules, &Ends),
    known: &Known,
    begun_ns: i64,
) -> Result<Scan, ConduitError> {
    let mut scanning = Scanning {
        ends,
        reading,
        rules,
        walk: known.index.walk(),
        made: &known.made,
        device: root.stat()?.device,
        out: Scan::begun_at(begun_ns),
    };
    scanning.out.listing.items.reserve(known.index.len());
    scanning.folder(root, "", rules.includes("", true))?;
    // What was passed over then was not looked at.
    ends.check()?;
    let mut out = scanning.out;
    // Names that cannot be shown as they are come elsewhere.
    out.listing.unknown.sort_by(|a, b| path_order(a, b));
    Ok(out)
}

struct Scanning<'a> {
    reading: Reading,
    rules: &'a Rules,
    ends: &'a Ends,
    walk: Walk<'a>,
    made: &'a Made,
    device: u64,
    out: Scan,
}

impl Scanning<'_> {
    fn folder(&mut self, dir: &Dir, at: &str, included: bool) -> Result<(), DirError> {
        let entries = dir.list()?;
        if entries.iter().any(|entry| is_temp(&entry.name)) {
            self.out.with_temps.push(at.to_owned());
        }
        for entry in entries {
            if self.ends.is_now() {
                return Ok(());
            }
            let Some(name) = entry.name.to_str() else {
                let name = printable(entry.name.as_encoded_bytes());
                self.skip(join(at, &name), "its name is not UTF-8");
                continue;
            };
            let path = join(at, name);
            let is_folder = entry.kind == Kind::Dir;
            if is_private(name) || self.rules.excludes(&path, is_folder) {
                self.out.listing.unknown.push(path);
                continue;
            }
            let included = included || self.rules.includes(&path, is_folder);
            match entry.kind {
                Kind::Dir => self.subfolder(dir, name, path, included)?,
                Kind::File if !included => self.out.listing.unknown.push(path),
                Kind::File => self.file(dir, name, path)?,
                Kind::Symlink if !self.reading.links => self.skip(path, LINK),
                Kind::Symlink if !included => self.out.listing.unknown.push(path),
                Kind::Symlink => self.link(dir, name, path),
                Kind::Other => self.skip(path, "neither a file nor a folder"),
            }
        }
        Ok(())
    }

    fn subfolder(&mut self, dir: &Dir, name: &str, path: String, included: bool) -> Result<(), DirError> {
        if path.split('/').count() > DEPTH_LIMIT {
            self.skip(path, "nested too deep");
            return Ok(());
        }
        let opened = dir.open_dir(name).and_then(|sub| Ok((sub.stat()?.device, sub)));
        match opened {
            Ok((device, _)) if device != self.device => self.skip(path, OTHER_DISK),
            Ok((_, sub)) => {
                // All or nothing of it, or else a part of it would be taken for all.
                let (items, unknown) = (self.out.listing.items.len(), self.out.listing.unknown.len());
                match self.folder(&sub, &path, included) {
                    Ok(()) => {}
                    Err(err) if is_about(&err, &sub) => {
                        self.out.listing.items.truncate(items);
                        let read = self.out.read.partition_point(|(at, _)| *at < items);
                        self.out.read.truncate(read);
                        self.out.listing.unknown.truncate(unknown);
                        self.skip(path, "unreadable");
                    }
                    Err(err) => return Err(err),
                }
            }
            Err(DirError::Missing { .. }) => {}
            Err(_) => self.skip(path, "unreadable"),
        }
        Ok(())
    }

    fn file(&mut self, dir: &Dir, name: &str, path: String) -> Result<(), DirError> {
        let stat = match dir.lstat_entry(name) {
            Ok(stat) => stat,
            Err(DirError::Missing { .. }) => return Ok(()),
            Err(_) => {
                self.skip(path, "unreadable");
                return Ok(());
            }
        };
        if stat.len > self.reading.largest {
            self.skip(path, TOO_LARGE);
            return Ok(());
        }
        let seen = Seen::from(&stat);
        let is_ours = |id: &ObjectId| id.format() == self.reading.format;
        if let Some(id) = self.walk.find(&path, &seen).filter(is_ours) {
            let form = self.reading.form(&stat);
            self.out.listing.items.push((path, Item { id, form }));
            return Ok(());
        }
        let (id, stat) = match self.made.find(&path, &seen).filter(is_ours) {
            Some(id) => (id, stat),
            None => match read(dir, name, self.reading.format) {
                Ok(read) => read,
                Err(DirError::Missing { .. }) => return Ok(()),
                Err(DirError::Unstable { .. }) => {
                    self.skip(path, "it kept changing while it was read");
                    return Ok(());
                }
                Err(_) => {
                    self.skip(path, "unreadable");
                    return Ok(());
                }
            },
        };
        self.out.read.push((self.out.listing.items.len(), (&stat).into()));
        let form = self.reading.form(&stat);
        self.out.listing.items.push((path, Item { id, form }));
        Ok(())
    }

    fn link(&mut self, dir: &Dir, name: &str, path: String) {
        let read = || {
            let seen = Seen::from(&dir.lstat_entry(name)?);
            Ok::<_, DirError>((seen, read_link(dir, name, self.reading.format)?))
        };
        let (seen, (item, text)) = match read() {
            Ok(read) => read,
            Err(DirError::Missing { .. }) => return,
            Err(_) => return self.skip(path, "unreadable"),
        };
        if !std::str::from_utf8(&text).is_ok_and(|text| stays_inside(&path, text)) {
            return self.skip(path, LINK_OUT);
        }
        if self.walk.find(&path, &seen) != Some(item.id) {
            self.out.read.push((self.out.listing.items.len(), seen));
        }
        self.out.listing.items.push((path, item));
    }

    fn skip(&mut self, path: String, reason: &'static str) {
        Skipped::note(&mut self.out.listing, &mut self.out.skipped, path, reason);
    }
}

/// Whether reading the folder itself failed, and not something in it.
fn is_about(err: &DirError, dir: &Dir) -> bool {
    matches!(err, DirError::Io { path, .. } if path == dir.path())
}

/// The path of `name` in the folder `at`.
pub fn join(at: &str, name: &str) -> String {
    match at {
        "" => name.to_owned(),
        at => [at, "/", name].concat(),
    }
}
