//! What this clone knows of central: the commit it dealt with last, the tree in each hydrated folder, and the last
//! common version of every owned document.
//!
//! config.toml's `last_synced_commit` travels with the project, so a colleague's value arrives by `git pull` although
//! this clone has applied nothing. The cursor does not travel: it is sealed with this clone's [guard](super::guard), and one
//! that came with a pull, or from another clone, counts for nothing. It moves last, when all else is in place.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{
    files::{StateDir, StateError},
    guard::{Guard, Seal},
};
use crate::{
    names::{ObjectFormat, ObjectId, Prefix, ShortCode},
    plan::listing::Documents,
};

/// The version of the stored form.
pub const SCHEMA: u32 = 1;
/// The file's name in `.metis/.sync/`.
pub const FILE: &str = "cursor.json";

/// The last common version of an owned document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Base {
    /// Its blob.
    pub blob: ObjectId,
    /// Where the file was, relative to `.metis/`. As long as something lies there, the document was not deleted.
    pub path: String,
}

/// Where a cursor comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Provenance {
    /// This clone wrote it in this folder.
    #[default]
    Own,
    /// It was written in another folder, of which this one is a copy, or which is synchronised with this one by other
    /// means than git, or which this one was restored from. What it says was true there, at some time.
    Copied,
}

/// What there is of a cursor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Memory {
    /// Nothing.
    None,
    /// A cursor that counts.
    Known(Box<Cursor>),
    /// One that is not this clone's, as a pull or a copy from another clone leaves it: it counts for nothing.
    Foreign,
}

/// See the [module documentation](self).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// [`SCHEMA`].
    pub schema: u32,
    /// Central's URL as configured, without secrets. A config.toml that names another one is not followed unasked.
    pub upstream: String,
    /// Central's branch.
    pub branch: String,
    /// The hash of central's objects.
    pub format: ObjectFormat,
    /// The commit of central that was dealt with last. `None`: central was empty.
    pub head: Option<ObjectId>,
    /// The commit of central that the own documents were compared with last; behind `head` after a sync that only
    /// pulled.
    pub compared: Option<ObjectId>,
    /// The tree that each hydrated folder is at.
    pub folders: BTreeMap<Prefix, ObjectId>,
    /// Folders that could not be brought to central's tree; tried again by every sync.
    pub unfinished: BTreeSet<Prefix>,
    /// `metis.db` was not rebuilt yet after the last change.
    #[serde(default)]
    pub cache_is_due: bool,
    /// Whether the hydrated folders ignore themselves. Earlier versions made them without.
    #[serde(default)]
    pub folders_ignored: bool,
    /// The owned documents' last common versions.
    pub base: BTreeMap<ShortCode, Base>,
    /// Where this was read from.
    #[serde(skip)]
    pub provenance: Provenance,
}

/// What [`load()`] makes of a cursor with this seal.
fn provenance(seal: Seal, in_repository: bool, guard_is_new: bool) -> Option<Provenance> {
    match (seal, in_repository) {
        (Seal::Right { here: true }, _) => Some(Provenance::Own),
        (Seal::Right { here: false }, _) => Some(Provenance::Copied),
        // The first release sealed nothing and had no guard.
        (Seal::Missing, _) if guard_is_new => Some(Provenance::Own),
        // Copies of a folder go on working. No pull brings anything there.
        (Seal::Missing | Seal::Wrong, false) => Some(Provenance::Copied),
        (Seal::Missing | Seal::Wrong, true) => None,
    }
}

/// Reads the cursor in `state`.
pub fn load(state: &StateDir, guard: &Guard) -> Result<Memory, StateError> {
    let Some(bytes) = state.read(FILE)? else {
        return Ok(Memory::None);
    };
    let seal = guard.check(&bytes, &state.identity());
    let Some(provenance) = provenance(seal, guard.in_repository(), guard.is_new()) else {
        return Ok(Memory::Foreign);
    };
    let cursor: Cursor = state.parse(FILE, &bytes, SCHEMA)?;
    Ok(Memory::Known(Box::new(Cursor { provenance, ..cursor })))
}

impl Cursor {
    /// The cursor of a clone that has seen nothing yet.
    pub fn new(upstream: String, branch: String, format: ObjectFormat) -> Self {
        Cursor {
            schema: SCHEMA,
            upstream,
            branch,
            format,
            head: None,
            compared: None,
            folders: BTreeMap::new(),
            unfinished: BTreeSet::new(),
            cache_is_due: false,
            folders_ignored: false,
            base: BTreeMap::new(),
            provenance: Provenance::Own,
        }
    }

    /// Writes it, sealed where the guard is on disk; what cannot be checked later is left as the first release wrote it.
    pub fn store(&self, state: &StateDir, guard: &Guard) -> Result<(), StateError> {
        if guard.is_new() {
            return state.store(FILE, self);
        }
        let json = serde_json::to_vec(self).map_err(|error| state.error("write", FILE, error.into()))?;
        state.replace(FILE, &guard.seal(&json, &state.identity()))
    }

    /// The last common versions alone.
    pub fn base_blobs(&self) -> Documents {
        self.base.iter().map(|(code, base)| (code.clone(), base.blob)).collect()
    }

    /// Where each document was seen last.
    pub fn last_paths(&self) -> BTreeMap<ShortCode, String> {
        self.base
            .iter()
            .map(|(code, base)| (code.clone(), base.path.clone()))
            .collect()
    }

    /// The base that a finished sync leaves: the versions in common with central, each where its file lies. A document
    /// that is not on disk (it is behind or protected) keeps its path.
    pub fn base_after(
        &self,
        blobs: &Documents,
        path_of: impl Fn(&ShortCode) -> Option<String>,
    ) -> BTreeMap<ShortCode, Base> {
        blobs
            .iter()
            .map(|(code, blob)| {
                let path = path_of(code)
                    .or_else(|| self.base.get(code).map(|base| base.path.clone()))
                    .unwrap_or_else(|| code.file_name());
                (code.clone(), Base { blob: *blob, path })
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_a_cursor_comes_from() {
        let (own, copied) = (Some(Provenance::Own), Some(Provenance::Copied));
        let table = [
            // The seal, in a repository, whether the guard is new.
            (Seal::Right { here: true }, true, false, own),
            (Seal::Right { here: true }, false, false, own),
            (Seal::Right { here: false }, true, false, copied),
            (Seal::Right { here: false }, false, false, copied),
            (Seal::Wrong, true, false, None),
            (Seal::Wrong, true, true, None),
            (Seal::Wrong, false, false, copied),
            (Seal::Wrong, false, true, copied),
            (Seal::Missing, true, false, None),
            (Seal::Missing, true, true, own),
            (Seal::Missing, false, false, copied),
            (Seal::Missing, false, true, own),
        ];
        for (seal, in_repository, guard_is_new, expected) in table {
            assert_eq!(
                provenance(seal, in_repository, guard_is_new),
                expected,
                "{seal:?} {in_repository} {guard_is_new}"
            );
        }
    }
}
