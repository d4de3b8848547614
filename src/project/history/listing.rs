//! What a commit of the project has: its documents, and where they were before.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    rc::Rc,
};

use gix::objs::{Exists, FindExt};

use super::{
    super::{
        commits::newest,
        trees::{Room, file_in, folder_in, list_documents},
    },
    History,
};
use crate::{
    central::{self, CentralError, fetch::Stretch, from_gix, objects, to_gix},
    names::{ObjectId, ShortCode},
    text::UntrustedName,
};

/// Documents larger than this are not looked into.
const DOCUMENT_LIMIT: u64 = 16 << 20;
/// So many commits are looked through for a version that an older client has put into central again.
const MAX_BEFORE: usize = 2000;
/// A file whose presence in a folder says that the folder is a copy of central's.
const COPY_MARKER: &str = ".hydrated";

/// A document as it is committed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Committed {
    /// Its id under the hash of central's objects.
    pub blob: ObjectId,
    /// Relative to `.metis/`.
    pub path: UntrustedName,
    /// Its id in the project.
    object: ObjectId,
}

/// The own documents of a commit.
pub type Listing = BTreeMap<ShortCode, Committed>;

/// How to read a document's code.
pub type CodeOf = fn(&[u8]) -> Option<ShortCode>;

impl History<'_> {
    /// The file at `path` below `.metis/` in a commit, as central would name it.
    pub(super) fn version_at(&self, commit: ObjectId, path: &str) -> Option<ObjectId> {
        let mut tree = self.project.metis_tree(&self.odb, commit)?;
        let mut parts = path.split('/').peekable();
        while let Some(part) = parts.next() {
            let mut buffer = Vec::new();
            let entry = self
                .odb
                .find_tree_iter(&to_gix(tree), &mut buffer)
                .ok()?
                .filter_map(Result::ok)
                .find(|entry| entry.filename == part.as_bytes())?;
            tree = from_gix(entry.oid);
            if entry.mode.is_blob() && parts.peek().is_none() {
                return self.as_central_names_it(tree);
            }
        }
        None
    }

    fn as_central_names_it(&self, object: ObjectId) -> Option<ObjectId> {
        if self.native == self.format {
            return Some(object);
        }
        let bytes = objects::blob(&self.odb, object, DOCUMENT_LIMIT).ok()??;
        Some(central::blob_id(self.format, &bytes))
    }

    /// The own documents of `commit`. `None`: its folders are not to be had.
    pub fn listing(&mut self, commit: ObjectId) -> Option<Rc<Listing>> {
        if let Some(listing) = self.listings.get(&commit) {
            return Some(Rc::clone(listing));
        }
        if self.odb.exists(&to_gix(commit)) && !self.has_folders(commit) {
            self.asked.remove(&commit);
            self.ask(commit, Stretch::Newest(1));
        }
        if !self.has_folders(commit) {
            return None;
        }
        let mut files = Vec::new();
        if let Some(tree) = self.project.metis_tree(&self.odb, commit) {
            list_documents(&self.odb, Some(tree), None, &mut Room::default(), &mut |path, id| {
                files.push((path, id))
            })
            .ok()?;
            let copies = self.copies(tree);
            files.retain(|(path, _)| {
                let top = path.split_once('/').map(|(top, _)| top);
                is_document_path(path) && top.is_none_or(|top| !copies.contains(top))
            });
        }
        let first = self.first.and_then(|first| self.listings.get(&first).cloned());
        let mut listing = Listing::new();
        let mut twice = HashSet::new();
        for (path, object) in files {
            let Some(code) = self.code(object, &path, first.as_deref()) else {
                continue;
            };
            let Some(blob) = self.as_central_names_it(object) else {
                continue;
            };
            let path = path.into();
            if listing.insert(code.clone(), Committed { blob, path, object }).is_some() {
                twice.insert(code);
            }
        }
        // Which of them is the document, nobody can tell.
        listing.retain(|code, _| !twice.contains(code));
        let listing = Rc::new(listing);
        self.listings.insert(commit, Rc::clone(&listing));
        self.first.get_or_insert(commit);
        Some(listing)
    }

    /// Those of `versions` that commits had which `commit` goes back to, the newest `MAX_BEFORE` of them, and that `commit`
    /// itself has not. What this clone lacks is not asked for.
    pub fn had_before(&self, commit: ObjectId, mut versions: BTreeSet<ObjectId>) -> BTreeSet<ObjectId> {
        let mut found = BTreeSet::new();
        let mut seen = HashSet::new();
        let mut later = self.project.metis_tree(&self.odb, commit);
        let mut room = Room::default();
        let own = list_documents(&self.odb, later, None, &mut room, &mut |_, object| {
            versions.retain(|version| self.as_central_names_it(object) != Some(*version));
        });
        // What is known in part shows nothing.
        if own.is_err() {
            return found;
        }
        for before in newest(&self.odb, commit, MAX_BEFORE) {
            if versions.is_empty() {
                break;
            }
            let tree = self.project.metis_tree(&self.odb, before);
            if tree.is_none_or(|tree| !seen.insert(tree)) {
                continue;
            }
            let listed = list_documents(&self.odb, tree, later, &mut room, &mut |_, object| {
                let version = self.as_central_names_it(object);
                found.extend(version.filter(|version| versions.remove(version)));
            });
            if listed.is_err() {
                break;
            }
            later = tree;
        }
        found
    }

    fn has_folders(&self, commit: ObjectId) -> bool {
        let mut buffer = Vec::new();
        let tree = self.odb.find_commit_iter(&to_gix(commit), &mut buffer).ok();
        tree.and_then(|mut commit| commit.tree_id().ok())
            .is_some_and(|tree| tree.is_empty_tree() || self.odb.exists(&tree))
    }

    /// The top folders of a `.metis/` tree that are committed copies of central's.
    fn copies(&self, tree: ObjectId) -> HashSet<String> {
        let entries = |tree: ObjectId| -> Vec<(String, bool, ObjectId)> {
            let mut buffer = Vec::new();
            let entries = self.odb.find_tree_iter(&to_gix(tree), &mut buffer);
            entries
                .into_iter()
                .flatten()
                .filter_map(Result::ok)
                .map(|entry| {
                    let name = String::from_utf8_lossy(entry.filename).into_owned();
                    (name, entry.mode.is_tree(), from_gix(entry.oid))
                })
                .collect()
        };
        let folders = entries(tree).into_iter().filter(|(_, is_tree, _)| *is_tree);
        folders
            .filter(|(_, _, folder)| entries(*folder).iter().any(|(name, ..)| name == COPY_MARKER))
            .map(|(name, ..)| name)
            .collect()
    }

    fn code(&mut self, object: ObjectId, path: &str, first: Option<&Listing>) -> Option<ShortCode> {
        if let Some(code) = self.codes.get(&object) {
            return code.clone();
        }
        let read = objects::blob(&self.odb, object, DOCUMENT_LIMIT);
        let code = match read {
            Ok(bytes) => (self.code_of)(&bytes?),
            // A partial clone, or history that came without files.
            Err(_) => {
                let at_path = |listing: &Listing| {
                    let mut same = listing.iter().filter(|(_, document)| document.path == path);
                    same.next().map(|(code, _)| code.clone())
                };
                let name = path.rsplit('/').next().unwrap_or(path);
                return first.and_then(at_path).or_else(|| ShortCode::from_file_name(name));
            }
        };
        self.codes.insert(object, code.clone());
        code
    }

    /// The bytes of a committed document.
    pub fn bytes(&self, document: &Committed) -> Result<Vec<u8>, CentralError> {
        let bytes = objects::blob(&self.odb, document.object, DOCUMENT_LIMIT)?;
        bytes.ok_or(CentralError::TooLarge)
    }

    /// The file of this name at the top of `.metis/` in `commit`, whose folders are at hand. `Ok(None)`: it has none.
    pub fn file(&self, commit: ObjectId, name: &str, limit: u64) -> Result<Option<Vec<u8>>, CentralError> {
        let tree = self.project.metis_tree(&self.odb, commit);
        match tree.and_then(|tree| file_in(&self.odb, tree, name)) {
            Some(id) => objects::blob(&self.odb, id, limit)?
                .map(Some)
                .ok_or(CentralError::TooLarge),
            None => Ok(None),
        }
    }

    /// Whether the folder at `path`, `.` for the top of the project, has a file of this name in `commit`. `None`: the commit's
    /// folders are not to be had.
    pub fn has_file_at(&mut self, commit: ObjectId, path: &str, name: &str) -> Option<bool> {
        self.listing(commit)?;
        let names = path.split('/').filter(|part| *part != ".").map(str::as_bytes);
        let folder = folder_in(&self.odb, commit, names);
        Some(folder.is_some_and(|folder| file_in(&self.odb, folder, name).is_some()))
    }

    /// The project's object of this id, if it is a file that is at hand.
    pub fn object(&self, id: ObjectId) -> Option<Vec<u8>> {
        objects::blob(&self.odb, id, DOCUMENT_LIMIT).ok()?
    }
}

/// Whether a file at this path of `.metis/` may be an own document: not hidden, and not the Metis tools' code index.
fn is_document_path(path: &str) -> bool {
    path.split('/')
        .all(|part| !part.starts_with('.') && !part.starts_with("code-index"))
}
