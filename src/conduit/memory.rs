//! What this clone remembers of a conduit, in `.metis/.sync/conduits/NAME/`: what both sides had in common last, and what
//! the last scans saw.
//!
//! The base decides what counts as deleted, so it bears this clone's mark, and one that came with a pull, was damaged, or is
//! of other endpoints counts for nothing: then the next sync is a first one, which deletes nothing.

use std::fmt::Write as _;

use super::{ConduitError, Definition, rules::Rules};
use crate::{
    central::blob_id,
    fs::{Dir, FileMode},
    names::ObjectFormat,
    plan::conduit::{Form, Item, Side},
    state::{files::FOLDER, guard::Guard},
    workspace::StatCache,
};

const BASE: &str = "base";
const HEADER: &str = "git-metis-sync conduit base 1";
/// No base comes near it.
const LIMIT: u64 = 1 << 30;

/// The state of one conduit.
pub struct Memory<'a> {
    /// `None`: there is none, and for a look none is made.
    dir: Option<Dir>,
    guard: &'a Guard,
    /// Of which conduit, between which folders.
    about: String,
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
        make: bool,
    ) -> Result<Self, ConduitError> {
        let path = format!("{FOLDER}/conduits/{name}");
        let dir = match metis.open_dir(&path) {
            Err(err) if err.is_gone() && make => Some(metis.create_dir(&path)?),
            Err(err) if err.is_gone() => None,
            opened => Some(opened?),
        };
        Ok(Memory {
            dir,
            guard,
            about: format!("conduit {name}, {} and {}", definition.alpha, definition.beta),
        })
    }

    /// Its folder, which was made.
    pub fn dir(&self) -> Result<&Dir, ConduitError> {
        self.dir.as_ref().ok_or(ConduitError::Unknown(self.about.clone()))
    }

    /// What both had in common, but for what the patterns leave out since.
    pub fn base(&self, rules: &Rules) -> Result<Base, ConduitError> {
        let read = match self.dir.as_ref().map(|dir| dir.read_file(BASE, LIMIT)) {
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
        let mut body = String::new();
        for (path, item) in items {
            let form = match item.form {
                Form::File => 'f',
                Form::Executable => 'x',
                Form::Link => 'l',
            };
            // No path has a NUL in it.
            let _ = write!(body, "{form} {} {path}\0", item.id);
        }
        let text = format!("{HEADER} {}\n{body}", self.mark(body.as_bytes()));
        self.dir()?.write_flushed(BASE, text.as_bytes(), FileMode::Private)?;
        Ok(())
    }

    fn parse(&self, bytes: &[u8]) -> Option<Vec<(String, Item)>> {
        let text = std::str::from_utf8(bytes).ok()?;
        let (header, body) = text.split_once('\n')?;
        if header.strip_prefix(HEADER)?.strip_prefix(' ')? != self.mark(body.as_bytes()) {
            return None;
        }
        body.split_terminator('\0')
            .map(|line| {
                let mut words = line.splitn(3, ' ');
                let form = match words.next()? {
                    "f" => Form::File,
                    "x" => Form::Executable,
                    "l" => Form::Link,
                    _ => return None,
                };
                let id = words.next()?.parse().ok()?;
                Some((words.next()?.to_owned(), Item { id, form }))
            })
            .collect()
    }

    fn mark(&self, body: &[u8]) -> String {
        let content = blob_id(ObjectFormat::Sha256, body);
        self.guard.mark(&format!("{}: {content}", self.about))
    }

    /// What the last scan of a side saw.
    pub fn seen(&self, side: Side) -> StatCache {
        let read = self.dir.as_ref().and_then(|dir| dir.read_file(index(side), LIMIT).ok());
        read.map(|(bytes, _)| StatCache::from_bytes(&bytes)).unwrap_or_default()
    }

    /// Losing it costs reading all files again, so it need not be on the disk.
    pub fn store_seen(&self, side: Side, seen: &StatCache) -> Result<(), ConduitError> {
        Ok(self
            .dir()?
            .write_atomic(index(side), &seen.to_bytes(), FileMode::Private)?)
    }
}

/// Removes the base of a conduit, if there is one.
pub fn forget(metis: &Dir, name: &str) -> Result<(), ConduitError> {
    match metis.remove_file(format!("{FOLDER}/conduits/{name}/{BASE}")) {
        Err(err) if !err.is_gone() => Err(err.into()),
        _ => Ok(()),
    }
}

fn index(side: Side) -> &'static str {
    match side {
        Side::Alpha => "alpha.idx",
        Side::Beta => "beta.idx",
    }
}
