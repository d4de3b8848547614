//! Reading central's trees, and making one with nothing changed but the owned folder.
//!
//! Only the root and the owned folder are read and written. Every other entry is carried over by its id, whether its
//! object is here or not.

use std::collections::BTreeSet;

use gix::objs::{
    FindExt, Tree, WriteTo,
    bstr::BString,
    tree::{Entry, EntryKind},
};

use super::{CentralError, from_gix, hash_kind, store::Store, to_gix};
use crate::{
    names::{ObjectId, Prefix, ShortCode},
    plan::listing::{self, Documents, TreeEntry},
};

/// No tree of central may have more entries than this.
const MAX_ENTRIES: usize = 1_000_000;

/// The entries of a tree, unchecked.
pub fn entries(store: &Store, tree: ObjectId) -> Result<Vec<TreeEntry>, CentralError> {
    entries_in(&store.odb(), tree)
}

fn entries_in(odb: &gix::odb::Handle, tree: ObjectId) -> Result<Vec<TreeEntry>, CentralError> {
    Ok(raw(odb, tree)?
        .into_iter()
        .map(|entry| TreeEntry {
            kind: match entry.mode.kind() {
                EntryKind::Tree => listing::EntryKind::Tree,
                EntryKind::Blob | EntryKind::BlobExecutable => listing::EntryKind::File,
                EntryKind::Link => listing::EntryKind::Symlink,
                EntryKind::Commit => listing::EntryKind::Gitlink,
            },
            name: entry.filename.into(),
            id: from_gix(&entry.oid),
        })
        .collect())
}

fn raw(odb: &gix::odb::Handle, tree: ObjectId) -> Result<Vec<Entry>, CentralError> {
    let unreadable = |reason: String| CentralError::Object { id: tree, reason };
    let mut buffer = Vec::new();
    let id = to_gix(tree);
    if id.is_empty_tree() {
        return Ok(Vec::new());
    }
    let mut out = Vec::new();
    for entry in odb
        .find_tree_iter(&id, &mut buffer)
        .map_err(|err| unreadable(err.to_string()))?
    {
        let entry = entry.map_err(|err| unreadable(err.to_string()))?;
        if out.len() == MAX_ENTRIES {
            return Err(unreadable(format!("it has more than {MAX_ENTRIES} entries")));
        }
        out.push(Entry {
            mode: entry.mode,
            filename: entry.filename.to_owned(),
            oid: entry.oid.to_owned(),
        });
    }
    Ok(out)
}

/// The tree of a commit.
pub fn of_commit(store: &Store, commit: ObjectId) -> Result<ObjectId, CentralError> {
    Ok(super::store::commit(&store.odb(), commit)?.0)
}

/// The owned folder's tree below `root`. An error if something else has its name.
pub fn owned(store: &Store, root: Option<ObjectId>, prefix: &Prefix) -> Result<Option<ObjectId>, CentralError> {
    let Some(root) = root else { return Ok(None) };
    let entry = raw(&store.odb(), root)?
        .into_iter()
        .find(|entry| entry.filename == prefix.as_str());
    match entry {
        None => Ok(None),
        Some(entry) if entry.mode.is_tree() => Ok(Some(from_gix(&entry.oid))),
        Some(entry) => Err(CentralError::NotAFolder {
            prefix: prefix.clone(),
            what: match entry.mode.kind() {
                EntryKind::Link => "a symbolic link",
                EntryKind::Commit => "a submodule",
                _ => "a file",
            },
        }),
    }
}

/// The owned folder's tree below the `root` of an earlier commit, if there was one.
pub(super) fn owned_in(
    odb: &gix::odb::Handle,
    root: ObjectId,
    prefix: &Prefix,
) -> Result<Option<ObjectId>, CentralError> {
    let entry = raw(odb, root)?
        .into_iter()
        .find(|entry| entry.mode.is_tree() && entry.filename == prefix.as_str());
    Ok(entry.map(|entry| from_gix(&entry.oid)))
}

/// The documents of an owned folder of an earlier commit.
pub(super) fn documents_in(
    odb: &gix::odb::Handle,
    folder: ObjectId,
    prefix: &Prefix,
) -> Result<Documents, CentralError> {
    Ok(listing::folder(prefix, entries_in(odb, folder)?).documents)
}

/// A tree that does not exist in any store yet, or does: its bytes decide.
#[derive(Debug, Clone)]
pub struct NewTree {
    /// Its id.
    pub id: ObjectId,
    /// Its content, without git's header.
    pub bytes: Vec<u8>,
}

/// The trees that a commit with a changed owned folder needs.
#[derive(Debug, Clone)]
pub struct NewTrees {
    /// The root tree.
    pub root: NewTree,
    /// The owned folder. `None`: nothing is left in it, and git knows no empty folders.
    pub owned: Option<NewTree>,
}

/// Central's root with the owned folder changed by `push` and `remove`. What is no document stays in it.
pub fn with_owned(
    store: &Store,
    root: Option<ObjectId>,
    prefix: &Prefix,
    push: &Documents,
    remove: &BTreeSet<ShortCode>,
) -> Result<NewTrees, CentralError> {
    let odb = store.odb();
    let folder = owned(store, root, prefix)?;
    let mut documents = match folder {
        Some(tree) => raw(&odb, tree)?,
        None => Vec::new(),
    };
    let touched: std::collections::HashMap<BString, Option<ObjectId>> = push
        .iter()
        .map(|(code, blob)| (code.file_name().into(), Some(*blob)))
        .chain(remove.iter().map(|code| (code.file_name().into(), None)))
        .collect();
    if let Some(entry) = documents
        .iter()
        .find(|entry| entry.mode.is_tree() && touched.contains_key(&entry.filename))
    {
        return Err(CentralError::NotADocument(format!(
            "{prefix}/{}",
            listing::printable(&entry.filename)
        )));
    }
    documents.retain(|entry| !touched.contains_key(&entry.filename));
    for (name, blob) in touched {
        if let Some(blob) = blob {
            documents.push(Entry {
                mode: EntryKind::Blob.into(),
                filename: name,
                oid: to_gix(blob),
            });
        }
    }
    let owned = (!documents.is_empty()).then(|| encode(documents, store)).transpose()?;

    let mut top = match root {
        Some(root) => raw(&odb, root)?,
        None => Vec::new(),
    };
    top.retain(|entry| entry.filename != prefix.as_str());
    if let Some(owned) = &owned {
        top.push(Entry {
            mode: EntryKind::Tree.into(),
            filename: prefix.as_str().into(),
            oid: to_gix(owned.id),
        });
    }
    Ok(NewTrees {
        root: encode(top, store)?,
        owned,
    })
}

fn encode(mut entries: Vec<Entry>, store: &Store) -> Result<NewTree, CentralError> {
    entries.sort();
    let mut bytes = Vec::new();
    let failed = |reason: String| CentralError::Receive(format!("a tree could not be made: {reason}"));
    Tree { entries }
        .write_to(&mut bytes)
        .map_err(|err| failed(err.to_string()))?;
    let id = gix::objs::compute_hash(hash_kind(store.format()), gix::objs::Kind::Tree, &bytes)
        .map_err(|err| failed(err.to_string()))?;
    Ok(NewTree {
        id: from_gix(&id),
        bytes,
    })
}
