//! What is in a branch of central. Whoever may push there may have put anything into it, so names are looked at one by one, and
//! what is not a plain file of a bearable size is left out.

use std::collections::{HashMap, HashSet};

use super::{
    ConduitError,
    links::{LONGEST, stays_inside},
    rules::{Rules, is_private},
    scan::{LINK, LINK_OUT, Skipped, TOO_LARGE, join},
};
use crate::{
    central::{CentralError, objects, objects::Handle, store::Store, tree},
    names::{ObjectId, ShortCode},
    plan::{
        conduit::{Form, Item, Listing, path_order},
        listing::{EntryKind, TreeEntry},
    },
    stage::SMALLEST_FILE,
    text::printable,
};

/// No file system takes longer names.
const LONGEST_NAME: usize = 255;
/// Longer paths can be opened nowhere, with what is before them.
const LONGEST_PATH: usize = 3_000;
/// In a folder whose path is longer by this, a file counts as one more.
const USUAL_PATH: usize = 256;
/// Folders in folders.
const DEEPEST: usize = 100;

/// What is taken from central.
pub struct Bounds {
    /// All that is in the branch, whether it is taken or not.
    pub files: u64,
    pub file_bytes: u64,
    /// All that is new.
    pub total_bytes: u64,
    /// Whether the permission to run a file is taken.
    pub exec: bool,
    /// Whether symbolic links are taken.
    pub links: bool,
    /// Whether anything that has no document's name is passed over.
    pub only_documents: bool,
    /// Objects that are not here are left out, and no error.
    pub passes_over_missing: bool,
}

/// A branch, listed.
#[derive(Default)]
pub struct Listed {
    pub listing: Listing,
    pub skipped: Vec<Skipped>,
    /// Files that may be run there, where that is not taken.
    pub to_run: HashSet<String>,
}

/// The contents that both sides had in common.
pub fn contents(base: &[(String, Item)]) -> HashSet<ObjectId> {
    base.iter().map(|(_, item)| item.id).collect()
}

/// Lists the tree `root` by `rules`. Contents that are in `known` were taken before.
pub fn list(
    store: &Store,
    root: Option<ObjectId>,
    rules: &Rules,
    bounds: &Bounds,
    known: &HashSet<ObjectId>,
) -> Result<Listed, ConduitError> {
    let mut walk = Walk {
        odb: store.odb(),
        store,
        rules,
        bounds,
        known,
        entries: 0,
        bytes: 0,
        out: Listed::default(),
    };
    if let Some(root) = root {
        walk.folder(root, "", rules.includes("", true), 0)?;
    }
    let mut out = walk.out;
    // The order of a tree may be anything.
    out.listing.items.sort_by(|(a, _), (b, _)| path_order(a, b));
    out.listing.unknown.sort_by(|a, b| path_order(a, b));
    Ok(out)
}

struct Walk<'a> {
    odb: Handle,
    store: &'a Store,
    rules: &'a Rules,
    bounds: &'a Bounds,
    known: &'a HashSet<ObjectId>,
    entries: u64,
    bytes: u64,
    out: Listed,
}

impl Walk<'_> {
    fn folder(&mut self, tree: ObjectId, at: &str, included: bool, depth: usize) -> Result<(), ConduitError> {
        let entries = tree::entries_to_run(&self.odb, tree)?;
        // A tree can have itself below any number of folders: a path costs as much to remember as it is long.
        self.entries += (entries.len() * (1 + at.len() / USUAL_PATH)) as u64;
        if self.entries > self.bounds.files {
            return Err(ConduitError::TooMuch { limit: "entries" });
        }
        let mut times: HashMap<&[u8], usize> = HashMap::new();
        for (entry, _) in &entries {
            *times.entry(&entry.name).or_default() += 1;
        }
        for (entry, may_run) in &entries {
            let name = match name_of(entry) {
                Ok(name) => name,
                Err(reason) => {
                    self.skip(join(at, &printable(&entry.name)), reason);
                    continue;
                }
            };
            let path = join(at, name);
            let is_folder = entry.kind == EntryKind::Tree;
            if self.bounds.only_documents && ShortCode::from_file_name(name).is_none() {
                continue;
            }
            if is_private(name) || self.rules.excludes(&path, is_folder) {
                self.out.listing.unknown.push(path);
                continue;
            }
            let included = included || self.rules.includes(&path, is_folder);
            match entry.kind {
                _ if times[entry.name.as_slice()] > 1 => self.skip(path, "its name is there twice"),
                _ if path.len() > LONGEST_PATH || depth >= DEEPEST => self.skip(path, "its path is too long"),
                EntryKind::Tree => self.subfolder(entry.id, path, included, depth)?,
                EntryKind::File if !included => self.out.listing.unknown.push(path),
                EntryKind::File => self.file(entry.id, path, *may_run)?,
                EntryKind::Symlink if !self.bounds.links => self.skip(path, LINK),
                EntryKind::Symlink if !included => self.out.listing.unknown.push(path),
                EntryKind::Symlink => self.link(entry.id, path)?,
                _ => self.skip(path, "neither a file nor a folder"),
            }
        }
        Ok(())
    }

    fn subfolder(&mut self, id: ObjectId, path: String, included: bool, depth: usize) -> Result<(), ConduitError> {
        // All or nothing of it, or else a part of it would be taken for all.
        let (items, unknown) = (self.out.listing.items.len(), self.out.listing.unknown.len());
        match self.folder(id, &path, included, depth + 1) {
            Err(err) if self.bounds.passes_over_missing && is_missing(&err) => {
                self.out.listing.items.truncate(items);
                self.out.listing.unknown.truncate(unknown);
                self.skip(path, "unreadable");
                Ok(())
            }
            listed => listed,
        }
    }

    fn file(&mut self, id: ObjectId, path: String, may_run: bool) -> Result<(), ConduitError> {
        if !self.known.contains(&id) {
            let bytes = match objects::blob_len(&self.odb, id) {
                _ if self.store.left_out().contains(&id) => Err(TOO_LARGE),
                Ok(Some(bytes)) if bytes > self.bounds.file_bytes => Err(TOO_LARGE),
                Ok(Some(bytes)) => Ok(bytes),
                Ok(None) => Err("neither a file nor a folder"),
                Err(_) if self.bounds.passes_over_missing => Err("unreadable"),
                Err(err) => return Err(err.into()),
            };
            match bytes {
                Ok(bytes) => self.bytes += bytes.max(SMALLEST_FILE),
                Err(reason) => {
                    self.skip(path, reason);
                    return Ok(());
                }
            }
            if self.bytes > self.bounds.total_bytes {
                return Err(ConduitError::TooMuch { limit: "total_bytes" });
            }
        }
        let form = match may_run {
            true if self.bounds.exec => Form::Executable,
            true => {
                self.out.to_run.insert(path.clone());
                Form::File
            }
            false => Form::File,
        };
        self.out.listing.items.push((path, Item { id, form }));
        Ok(())
    }

    fn link(&mut self, id: ObjectId, path: String) -> Result<(), ConduitError> {
        let text = match objects::blob(&self.odb, id, LONGEST as u64) {
            Err(_) if self.bounds.passes_over_missing => None,
            read => read?,
        };
        let text = text.and_then(|text| String::from_utf8(text).ok());
        if !text.is_some_and(|text| stays_inside(&path, &text)) {
            self.skip(path, LINK_OUT);
            return Ok(());
        }
        let form = Form::Link;
        self.out.listing.items.push((path, Item { id, form }));
        Ok(())
    }

    fn skip(&mut self, path: String, reason: &'static str) {
        Skipped::note(&mut self.out.listing, &mut self.out.skipped, path, reason);
    }
}

fn is_missing(err: &ConduitError) -> bool {
    matches!(
        err,
        ConduitError::Workspace(crate::sync::SyncErrorKind::Central(CentralError::Object { .. }))
    )
}

/// The name of an entry, unless no file here may have it.
fn name_of(entry: &TreeEntry) -> Result<&str, &'static str> {
    match std::str::from_utf8(&entry.name) {
        Err(_) => Err("its name is not UTF-8"),
        Ok("" | "." | "..") => Err("its name is no file's"),
        Ok(name) if name.contains(['/', '\0']) => Err("its name is no file's"),
        Ok(name) if name.len() > LONGEST_NAME => Err("its name is too long"),
        Ok(name) => Ok(name),
    }
}
