//! What this clone remembers of a conduit, in `.metis/.sync/conduits/NAME/`: what both sides had in common last, and what
//! the last scans saw.
//!
//! The base decides what counts as deleted, so it bears this clone's mark, and one that came with a pull, was damaged, or is
//! of other endpoints counts for nothing: then the next sync is a first one, which deletes nothing.

use std::{
    cell::Cell,
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use super::{
    ConduitError, Definition,
    branch::Branch,
    index::Index,
    mounts::Mounts,
    packed::{Packer, Unpacker},
    record::write_json,
    rules::Rules,
    tip::Tip,
};
use crate::{
    central::blob_id,
    fs::{Dir, FileMode},
    names::{ObjectFormat, ObjectId},
    plan::conduit::{Change, Form, Item, Listing, Side, path_order},
    state::{files::FOLDER, guard::Guard},
};

const BASE: &str = "base";
const HEAD: &str = "head";
const MOUNTS: &str = "mounts";
const HEADER: &str = "git-metis-sync conduit base 2";
/// Two numbers, a letter of a path, and an id.
const SMALLEST_ENTRY: usize = 24;
/// No base comes near it.
const LIMIT: u64 = 1 << 30;

/// The state of one conduit.
pub struct Memory<'a> {
    /// `None`: there is none, and for a look none is made.
    dir: Option<Dir>,
    guard: &'a Guard,
    /// Of which conduit, between what.
    about: String,
    /// It counts for nothing.
    is_forgotten: Cell<bool>,
}

/// What both sides had in common.
pub struct Base {
    pub items: Vec<(String, Item)>,
    /// Nothing is known of an earlier sync.
    pub is_first: bool,
    /// The patterns leave out some of what was noted.
    pub forgets: bool,
}

impl<'a> Memory<'a> {
    /// Opens it, and makes it if it is not there and `make` says so: then `metis` has a folder of state.
    pub fn open(
        metis: &Dir,
        guard: &'a Guard,
        name: &str,
        definition: &Definition,
        branch: Option<&Branch<'_>>,
        make: bool,
    ) -> Result<Self, ConduitError> {
        let path = format!("{FOLDER}/conduits/{name}");
        let dir = match metis.open_dir(&path) {
            Err(err) if err.is_gone() && make => Some(metis.create_dir(&path)?),
            Err(err) if err.is_gone() => None,
            opened => Some(opened?),
        };
        let mut about = format!("conduit {name}, {} and {}", definition.alpha, definition.beta);
        if let Some(branch) = branch {
            let _ = write!(about, " at {}", branch.ctx.upstream_id);
        }
        let memory = Memory {
            dir,
            guard,
            about,
            is_forgotten: Cell::new(false),
        };
        // A branch that nobody knows how it was tells nothing about what was deleted there.
        memory.is_forgotten.set(branch.is_some() && memory.head().is_none());
        Ok(memory)
    }

    /// Its folder, which was made.
    pub fn dir(&self) -> Result<&Dir, ConduitError> {
        self.dir.as_ref().ok_or(ConduitError::Unknown(self.about.clone()))
    }

    /// Whether nothing that both had in common counts.
    pub fn is_forgotten(&self) -> bool {
        self.is_forgotten.get()
    }

    /// Takes no notice of what both had in common: what follows is a first sync.
    pub fn forget_base(&self) {
        self.is_forgotten.set(true);
    }

    /// The commit of central's branch that was seen last.
    pub fn head(&self) -> Option<ObjectId> {
        let (bytes, _) = self.dir.as_ref()?.read_file(HEAD, LIMIT).ok()?;
        let text = String::from_utf8(bytes).ok()?;
        let (id, mark) = text.trim_end().split_once(' ')?;
        (mark == self.mark(id.as_bytes())).then(|| id.parse().ok())?
    }

    /// Notes it. `None`: the branch is not there.
    pub fn store_head(&self, id: Option<ObjectId>) -> Result<(), ConduitError> {
        let Some(id) = id else {
            return remove(self.dir()?, HEAD);
        };
        if self.head() == Some(id) {
            return Ok(());
        }
        let id = id.to_string();
        let text = format!("{id} {}\n", self.mark(id.as_bytes()));
        Ok(self.dir()?.write_flushed(HEAD, text.as_bytes(), FileMode::Private)?)
    }

    /// Which disks both sides were on at the last sync.
    pub fn mounts(&self) -> Mounts {
        let read = self.dir.as_ref().and_then(|dir| dir.read_file(MOUNTS, LIMIT).ok());
        read.and_then(|(bytes, _)| serde_json::from_slice(&bytes).ok())
            .unwrap_or_default()
    }

    /// Notes it.
    pub fn store_mounts(&self, mounts: &Mounts) -> Result<(), ConduitError> {
        if self.mounts() == *mounts {
            return Ok(());
        }
        write_json(self.dir()?, MOUNTS, mounts)?;
        Ok(())
    }

    /// What both had in common, but for what the patterns leave out since.
    pub fn base(&self, rules: &Rules) -> Result<Base, ConduitError> {
        let read = match self.dir.as_ref().map(|dir| dir.read_file(BASE, LIMIT)) {
            _ if self.is_forgotten.get() => None,
            None => None,
            Some(Ok((bytes, _))) => self.parse(&bytes),
            Some(Err(err)) if err.is_gone() => None,
            Some(Err(err)) => return Err(err.into()),
        };
        let is_first = read.is_none();
        let mut items = read.unwrap_or_default();
        let noted = items.len();
        items.retain(|(path, _)| rules.covers(path));
        Ok(Base {
            is_first,
            forgets: items.len() < noted,
            items,
        })
    }

    pub fn store_base(&self, items: &[(String, Item)]) -> Result<(), ConduitError> {
        let mut packer = Packer::default();
        for (path, item) in items {
            packer.path(path);
            packer.id(item.id, item.form as u8);
        }
        let body = packer.bytes;
        let bytes = [format!("{HEADER} {}\n", self.mark(&body)).as_bytes(), &body].concat();
        self.dir()?.write_flushed(BASE, &bytes, FileMode::Private)?;
        self.is_forgotten.set(false);
        Ok(())
    }

    fn parse(&self, bytes: &[u8]) -> Option<Vec<(String, Item)>> {
        let (header, body) = bytes.split_at_checked(bytes.iter().position(|byte| *byte == b'\n')? + 1)?;
        let header = std::str::from_utf8(header).ok()?.trim_end();
        if header.strip_prefix(HEADER)?.strip_prefix(' ')? != self.mark(body) {
            return None;
        }
        let mut unpacker = Unpacker::of(body);
        let mut items = Vec::with_capacity(body.len() / SMALLEST_ENTRY);
        while !unpacker.is_at_end() {
            let path = unpacker.path()?.to_owned();
            let (id, form) = unpacker.id()?;
            let form = [Form::File, Form::Executable, Form::Link]
                .into_iter()
                .find(|one| *one as u8 == form)?;
            items.push((path, Item { id, form }));
        }
        Some(items)
    }

    fn mark(&self, body: &[u8]) -> String {
        let content = blob_id(ObjectFormat::Sha256, body);
        self.guard.mark(&format!("{}: {content}", self.about))
    }

    /// What the last syncs read of a side.
    pub fn index(&self, side: Side) -> Index {
        let read = self.dir.as_ref().and_then(|dir| dir.read_file(index(side), LIMIT).ok());
        read.map(|(bytes, _)| Index::from_bytes(bytes)).unwrap_or_default()
    }

    /// Losing it costs reading all files again, so it need not be on the disk.
    pub fn store_index(&self, side: Side, seen: &Index) -> Result<(), ConduitError> {
        Ok(self
            .dir()?
            .write_atomic(index(side), &seen.to_bytes(), FileMode::Private)?)
    }
}

/// Removes the base of a conduit, if there is one.
pub fn forget(metis: &Dir, name: &str) -> Result<(), ConduitError> {
    for file in [BASE, HEAD, MOUNTS] {
        remove(metis, &format!("{FOLDER}/conduits/{name}/{file}"))?;
    }
    Ok(())
}

fn remove(dir: &Dir, path: &str) -> Result<(), ConduitError> {
    match dir.remove_file(path) {
        Err(err) if !err.is_gone() => Err(err.into()),
        _ => Ok(()),
    }
}

impl Base {
    /// Where nothing is known of an earlier sync the branch's history is asked: what `folder` has and the branch had before is what
    /// both had in common. What the branch has no more counts too if this clone may take it away (`removes`).
    pub fn ask(&mut self, branch: &Branch<'_>, tip: &Tip, folder: &Listing, removes: bool) -> Result<(), ConduitError> {
        if !self.is_first || tip.is_rewound {
            return Ok(());
        }
        let differs = folder
            .items
            .iter()
            .filter(|(path, item)| match tip.listed.listing.at(path) {
                Some(there) => there.id != item.id,
                None => removes,
            });
        let had = branch.had(tip, differs.map(|(path, item)| (path.as_str(), item.id)))?;
        let common = folder.items.iter().filter(|(path, _)| had.contains(path));
        self.items = common.cloned().collect();
        Ok(())
    }

    /// Takes note of what a killed sync did before it could say so: paths that are on a side as it was going to make them. Returns
    /// whether there are any.
    pub fn catch_up(&mut self, killed: &[Change], listings: [&Listing; 2]) -> bool {
        if killed.is_empty() {
            return false;
        }
        let is_made = |change: &Change| {
            let listing = listings[change.side as usize];
            let (was, now) = change.paths();
            let came = now.iter().all(|(path, item)| listing.at(path) == Some(*item));
            came && was
                .iter()
                .all(|(path, _)| now.iter().any(|(other, _)| other == path) || listing.at(path).is_none())
        };
        let unmade = killed.iter().filter(|change| !is_made(change));
        let unmade: BTreeSet<&str> = unmade.map(|change| change.path.raw()).collect();
        let mut items: BTreeMap<String, Item> = self.items.iter().cloned().collect();
        for change in killed.iter().filter(|change| !unmade.contains(change.path.raw())) {
            let (was, now) = change.paths();
            for (path, _) in was {
                items.remove(path);
            }
            items.extend(now.into_iter().map(|(path, item)| (path.to_owned(), item)));
        }
        let mut items: Vec<(String, Item)> = items.into_iter().collect();
        items.sort_by(|(a, _), (b, _)| path_order(a, b));
        let is_news = items != self.items;
        self.items = items;
        self.is_first &= !is_news;
        is_news
    }
}

fn index(side: Side) -> &'static str {
    match side {
        Side::Alpha => "alpha.idx",
        Side::Beta => "beta.idx",
    }
}
