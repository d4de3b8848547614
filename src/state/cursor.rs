//! What this clone knows of central: the commit it dealt with last, the tree in each hydrated folder, and the last
//! common version of every owned document.
//!
//! config.toml's `last_synced_commit` travels with the project, so a colleague's value arrives by `git pull` although
//! this clone has applied nothing. The cursor does not travel. It moves last, when all else is in place.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

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
    /// The owned documents' last common versions.
    pub base: BTreeMap<ShortCode, Base>,
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
            base: BTreeMap::new(),
        }
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
