//! What lies in a folder at the moment. A file that is as the last scan saw it is not read.

use std::path::Path;

use serde::Serialize;

use super::{
    ConduitError,
    branch::Tip,
    index::{Index, Made, Seen, Walk},
    order::Ends,
    rules::{Rules, is_private},
};
use crate::{
    central::blob_id_of,
    fs::{Dir, DirError, Kind, Stat, is_temp},
    names::ObjectFormat,
    plan::conduit::{Form, Item, Listing, path_order},
    text::{UntrustedName, printable},
};

/// Why a file that central cannot or shall not have is left out.
pub const TOO_LARGE: &str = "larger than max_file_mib allows";
/// Why a folder is left out that lies on another disk.
const OTHER_DISK: &str = "on another file system";
/// How often a file that changes under the reader is read again.
const TRIES: usize = 4;
/// Folders in folders that are looked into. Any depth can be made, and each takes some of the stack and an open file.
const DEPTH_LIMIT: usize = 128;

/// How a folder is read: as whatever is on the other side can have it.
#[derive(Debug, Clone, Copy)]
pub struct Reading {
    /// The hash that names contents.
    pub format: ObjectFormat,
    /// Whether the permission to run a file counts; else each side keeps its own.
    pub exec: bool,
    /// Larger files are left out.
    pub largest: u64,
}

impl Reading {
    fn form(&self, stat: &Stat) -> Form {
        match stat.mode & 0o100 {
            0o100 if self.exec => Form::Executable,
            _ => Form::File,
        }
    }
}

/// Something that was left out and is worth a word: not what a pattern leaves out.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Skipped {
    /// Its path.
    pub path: UntrustedName,
    /// Why.
    pub reason: &'static str,
}

impl Skipped {
    /// Passes over what is at `path`: nothing is known of it, and why is said.
    pub fn note(listing: &mut Listing, skipped: &mut Vec<Skipped>, path: String, reason: &'static str) {
        listing.unknown.push(path.clone());
        skipped.push(Skipped {
            path: path.into(),
            reason,
        });
    }
}

/// A folder, listed.
pub struct Scan {
    pub listing: Listing,
    pub skipped: Vec<Skipped>,
    /// For each file of the listing what it was when it was read. Of a branch there is nothing.
    pub seen: Vec<Seen>,
    /// How many files needed not be read.
    pub known: usize,
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
            seen: Vec::new(),
            known: 0,
            begun_ns,
            with_temps: Vec::new(),
        }
    }

    /// When the file at `path` was changed, in nanoseconds since 1970.
    pub fn changed_ns(&self, path: &str) -> Option<i64> {
        Some(self.seen.get(self.listing.position(path)?)?.mtime_ns)
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
                Kind::Symlink => self.skip(path, "a symbolic link"),
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
                        self.out.seen.truncate(items);
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
        let known = self.walk.find(&path, &seen).or_else(|| self.made.find(&path, &seen));
        let (id, stat) = match known.filter(|id| id.format() == self.reading.format) {
            Some(id) => {
                self.out.known += 1;
                (id, stat)
            }
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
        self.out.seen.push((&stat).into());
        let form = self.reading.form(&stat);
        self.out.listing.items.push((path, Item { id, form }));
        Ok(())
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

/// The id of the file's content, and what it was when that was read.
fn read(dir: &Dir, name: &str, format: ObjectFormat) -> Result<(crate::names::ObjectId, Stat), DirError> {
    for _ in 0..TRIES {
        let (mut file, before) = dir.open_file(name)?;
        let id = match blob_id_of(format, &mut file, before.len) {
            Ok(id) => id,
            Err(err) if err.kind() == std::io::ErrorKind::UnexpectedEof => continue,
            Err(source) => {
                return Err(DirError::Io {
                    action: "read",
                    path: dir.path().join(name),
                    source,
                });
            }
        };
        if dir.lstat(name)? == before {
            return Ok((id, before));
        }
    }
    Err(DirError::Unstable {
        path: dir.path().join(name),
    })
}

/// What the file at `path` is, read whatever was known of it. `None`: there is no regular file.
pub fn look(dir: &Dir, path: &str, reading: Reading) -> Result<Option<Item>, DirError> {
    match dir.lstat(path) {
        Ok(stat) if stat.kind == Kind::File => {}
        Ok(_) => return Ok(None),
        Err(err) if err.is_gone() => return Ok(None),
        Err(err) => return Err(err),
    }
    let (id, stat) = read(dir, path, reading.format)?;
    let form = reading.form(&stat);
    Ok(Some(Item { id, form }))
}

/// Whether the folder takes names for one that differ in case only: asked by a name that is there.
pub fn folds(root: &Dir) -> bool {
    let Ok(entries) = root.list() else { return false };
    let swapped = |name: &str| -> String {
        let swap = |c: char| {
            if c.is_ascii_lowercase() {
                c.to_ascii_uppercase()
            } else {
                c.to_ascii_lowercase()
            }
        };
        name.chars().map(swap).collect()
    };
    let names = || entries.iter().filter_map(|entry| entry.name.to_str());
    let name = names().find(|name| name.chars().any(|c| c.is_ascii_alphabetic()));
    name.is_some_and(|name| {
        let other = swapped(name);
        let inode = |name: &str| root.lstat(Path::new(name)).ok().map(|stat| (stat.device, stat.inode));
        !names().any(|name| name == other) && inode(&other).is_some() && inode(&other) == inode(name)
    })
}
