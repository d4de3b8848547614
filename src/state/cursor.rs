//! What this clone knows of central: the commit it dealt with last, the tree in each hydrated folder, and the last
//! common version of every owned document.
//!
//! config.toml's `last_synced_commit` travels with the project, so a colleague's value arrives by `git pull` although
//! this clone has applied nothing. The cursor does not travel: it is sealed with this clone's [guard](super::guard), and one
//! that came with a pull, or from another clone, counts for nothing. It moves last, when all else is in place, and by the
//! functions in `moves` alone.

mod moves;
mod pushing;
mod stored;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

pub use pushing::{Pushing, first_pushes};
pub use stored::{Memory, load};

use crate::{
    names::{ObjectFormat, ObjectId, Prefix, ShortCode},
    plan::{listing::Documents, newer::Witness},
    text::UntrustedName,
};

/// The version of the stored form.
pub const SCHEMA: u32 = 1;
/// The file's name in `.metis/.sync/`.
pub const FILE: &str = "cursor.json";

/// The last common version of an owned document, and what shows how new it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Base {
    /// Its blob. `None`: this clone removed the document, and remembers that.
    pub blob: Option<ObjectId>,
    /// Where the file was, relative to `.metis/`. As long as something lies there, the document was not deleted.
    pub path: UntrustedName,
    /// The commit of the project in which this clone had this version last.
    #[serde(default, skip_serializing_if = "At::is_common")]
    pub at: At,
    /// Whether this clone pushed the version.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub mine: bool,
    /// The commit that it was pushed from, where that is another one than [`at`](Self::at).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<ObjectId>,
    /// Whether it was not committed there.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub uncommitted: bool,
}

/// A commit of the project. Most documents have the same one, which is written down once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(untagged)]
pub enum At {
    /// Another one than the cursor's.
    Commit(ObjectId),
    /// None is known.
    Unknown(()),
    /// [`Cursor::agreed`].
    #[default]
    #[serde(skip)]
    Common,
}

impl At {
    fn is_common(&self) -> bool {
        *self == At::Common
    }
}

/// Where a cursor comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Provenance {
    /// This clone wrote it in this folder.
    #[default]
    Own,
    /// It was written in another folder, of which this one is a copy, or which is synchronised with this one by other
    /// means than git, or which this one was restored from; or in this one, before a later one. What it says was true
    /// there, at some time.
    Copied,
}

/// See the [module documentation](self).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// [`SCHEMA`].
    pub schema: u32,
    /// Central's URL as configured, without secrets. A config.toml that names another one is not followed unasked.
    pub upstream: String,
    /// Central's branch.
    pub branch: UntrustedName,
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
    /// Workspaces in central whose documents were not wanted here.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub left_out: BTreeSet<Prefix>,
    /// `metis.db` was not rebuilt yet after the last change.
    #[serde(default)]
    pub cache_is_due: bool,
    /// Whether the hydrated folders ignore themselves. Earlier versions made them without.
    #[serde(default)]
    pub folders_ignored: bool,
    /// The commit of the project that most of [`base`](Self::base) was in last.
    #[serde(default)]
    pub agreed: Option<ObjectId>,
    /// Documents that a person decided, with central's version that was decided on: what is here goes over that one.
    #[serde(default)]
    pub decided: BTreeMap<ShortCode, Option<ObjectId>>,
    /// Versions here that a person took out of central again. Each is not published once more until that person says so; another
    /// version is.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub held_back: BTreeMap<ShortCode, Option<ObjectId>>,
    /// Documents were behind or diverged: they are looked at again by every sync.
    #[serde(default)]
    pub unsettled: bool,
    /// What central's history said of documents that are not in step.
    #[serde(default)]
    pub witnesses: BTreeMap<ShortCode, Witness>,
    /// A commit without parents that the project goes back to, as [`Project-Root`](crate::central::commit::Trailers) has it.
    #[serde(default)]
    pub root: Option<ObjectId>,
    /// The owned documents' last common versions.
    #[serde(deserialize_with = "stored::in_order")]
    pub base: BTreeMap<ShortCode, Base>,
    /// What was about to be pushed when syncs after this cursor were cut short, the oldest first.
    #[serde(skip)]
    pub pushing: Vec<Pushing>,
    /// Where this was read from.
    #[serde(skip)]
    pub provenance: Provenance,
    /// The number under which this was read.
    #[serde(skip)]
    serial: u64,
}

/// What a clone notes of the own documents.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notes {
    /// See [`Cursor::agreed`].
    pub agreed: Option<ObjectId>,
    /// See [`Cursor::base`].
    pub base: BTreeMap<ShortCode, Base>,
    /// See [`Cursor::decided`].
    pub decided: BTreeMap<ShortCode, Option<ObjectId>>,
    /// See [`Cursor::held_back`].
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub held_back: BTreeMap<ShortCode, Option<ObjectId>>,
    /// See [`Cursor::unsettled`].
    pub unsettled: bool,
    /// See [`Cursor::witnesses`].
    pub witnesses: BTreeMap<ShortCode, Witness>,
    /// See [`Cursor::root`].
    pub root: Option<ObjectId>,
}

impl Cursor {
    /// The cursor of a clone that has seen nothing yet.
    pub fn new(upstream: String, branch: UntrustedName, format: ObjectFormat) -> Self {
        Cursor {
            schema: SCHEMA,
            upstream,
            branch,
            format,
            head: None,
            compared: None,
            folders: BTreeMap::new(),
            unfinished: BTreeSet::new(),
            left_out: BTreeSet::new(),
            cache_is_due: false,
            folders_ignored: false,
            pushing: Vec::new(),
            provenance: Provenance::Own,
            serial: 0,
            agreed: None,
            base: BTreeMap::new(),
            decided: BTreeMap::new(),
            held_back: BTreeMap::new(),
            unsettled: false,
            witnesses: BTreeMap::new(),
            root: None,
        }
    }

    /// The last common versions alone.
    pub fn base_blobs(&self) -> Documents {
        let blobs = self.base.iter();
        blobs
            .filter_map(|(code, base)| Some((code.clone(), base.blob?)))
            .collect()
    }

    /// Where each document was seen last.
    pub fn last_paths(&self) -> BTreeMap<ShortCode, String> {
        let there = self.base.iter().filter(|(_, base)| base.blob.is_some());
        there
            .map(|(code, base)| (code.clone(), base.path.raw().to_owned()))
            .collect()
    }

    /// Whether central had another version of the document when this clone looked last and was not in step.
    pub fn saw_another(&self, code: &ShortCode, version: Option<ObjectId>) -> bool {
        self.witnesses.get(code).is_some_and(|seen| seen.version != version)
    }

    /// The commit of the project in which this clone had the version of `base` last.
    pub fn at(&self, base: &Base) -> Option<ObjectId> {
        match base.at {
            At::Commit(commit) => Some(commit),
            At::Unknown(()) => None,
            At::Common => self.agreed,
        }
    }

    /// The same entry for a cursor that has agreed on `agreed`.
    pub fn carried(&self, base: &Base, agreed: Option<ObjectId>) -> Base {
        let at = match self.at(base) {
            at if at == agreed => At::Common,
            Some(commit) => At::Commit(commit),
            None => At::Unknown(()),
        };
        Base { at, ..base.clone() }
    }
}
