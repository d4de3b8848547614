//! Reading central's trees; `surgery` makes new ones.

pub mod surgery;

use std::{cmp::Ordering, collections::BTreeSet};

use gix::objs::{Find, Kind};

use super::{CentralError, store::Store, to_gix};
use crate::{
    names::{ObjectId, Prefix},
    plan::listing::{self, Documents, EntryKind, TreeEntry},
};

/// No tree of central may have more entries than this.
const MAX_ENTRIES: usize = 1_000_000;

/// The entries of a tree, unchecked.
pub fn entries(store: &Store, tree: ObjectId) -> Result<Vec<TreeEntry>, CentralError> {
    entries_in(&store.odb(), tree)
}

fn entries_in(odb: &gix::odb::Handle, tree: ObjectId) -> Result<Vec<TreeEntry>, CentralError> {
    Ok(raw(odb, tree)?.into_iter().map(TreeEntry::from).collect())
}

/// The same, each with whether it is a file that may be run.
pub fn entries_to_run(odb: &gix::odb::Handle, tree: ObjectId) -> Result<Vec<(TreeEntry, bool)>, CentralError> {
    let entry = |entry: Entry| {
        let may_run =
            entry.kind() == EntryKind::File && entry.mode.iter().rev().nth(2).is_some_and(|bits| bits & 1 == 1);
        (TreeEntry::from(entry), may_run)
    };
    Ok(raw(odb, tree)?.into_iter().map(entry).collect())
}

/// What lies at a path below `tree`, if that can be read.
pub fn id_at(odb: &gix::odb::Handle, tree: ObjectId, path: &str) -> Option<ObjectId> {
    path.split('/').try_fold(tree, |tree, name| {
        let entries = raw(odb, tree).ok()?;
        entries
            .into_iter()
            .find(|entry| entry.name == name.as_bytes())
            .map(|entry| entry.id)
    })
}

/// An entry as it is written. What is not ours goes back into a tree exactly like this, be it as odd as it may: a mode
/// that somebody put right on the way is a change of another one's folder, and may be one that the server refuses.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    /// Octal digits.
    mode: Vec<u8>,
    name: Vec<u8>,
    id: ObjectId,
}

impl Entry {
    fn new(mode: &str, name: impl Into<Vec<u8>>, id: ObjectId) -> Self {
        Entry {
            mode: mode.into(),
            name: name.into(),
            id,
        }
    }

    /// As git takes the mode, whatever permissions it has.
    fn kind(&self) -> EntryKind {
        let mode = self
            .mode
            .iter()
            .fold(0_u32, |mode, digit| mode << 3 | u32::from(digit & 7));
        match mode & 0o170_000 {
            0o040_000 => EntryKind::Tree,
            0o100_000 => EntryKind::File,
            0o120_000 => EntryKind::Symlink,
            _ => EntryKind::Gitlink,
        }
    }

    /// git's order: a folder's name counts as if it ended with a slash.
    fn order(&self, other: &Entry) -> Ordering {
        fn key(entry: &Entry) -> impl Iterator<Item = u8> + '_ {
            let slash = (entry.kind() == EntryKind::Tree).then_some(b'/');
            entry.name.iter().copied().chain(slash)
        }
        key(self).cmp(key(other))
    }
}

impl From<Entry> for TreeEntry {
    fn from(entry: Entry) -> Self {
        TreeEntry {
            kind: entry.kind(),
            name: entry.name,
            id: entry.id,
        }
    }
}

fn raw(odb: &gix::odb::Handle, tree: ObjectId) -> Result<Vec<Entry>, CentralError> {
    #[cfg(test)]
    decoded::note(tree);
    let unreadable = |reason: String| CentralError::Object {
        id: tree,
        reason: reason.into(),
    };
    let id = to_gix(tree);
    if id.is_empty_tree() {
        return Ok(Vec::new());
    }
    let mut buffer = Vec::new();
    let object = odb
        .try_find(&id, &mut buffer)
        .map_err(|err| unreadable(err.to_string()))?
        .ok_or_else(|| unreadable("it is not there".into()))?;
    if object.kind != Kind::Tree {
        return Err(unreadable(format!("it is a {}, not a folder", object.kind)));
    }
    let hash = id.as_slice().len();
    let mut out = Vec::new();
    let mut rest = object.data;
    while !rest.is_empty() {
        let parsed = (|| {
            let space = rest.iter().take(9).position(|byte| *byte == b' ')?;
            let (mode, name) = (&rest[..space], &rest[space + 1..]);
            let end = name.iter().position(|byte| *byte == 0)?;
            let after = &name[end + 1..];
            let id = ObjectId::from_bytes(after.get(..hash)?)?;
            let is_octal = !mode.is_empty() && mode.iter().all(|digit| (b'0'..=b'7').contains(digit));
            is_octal.then(|| (mode.to_vec(), name[..end].to_vec(), id, &after[hash..]))
        })();
        let (mode, name, id, after) = parsed.ok_or_else(|| unreadable("it is no list of files".into()))?;
        if out.len() == MAX_ENTRIES {
            return Err(unreadable(format!("it has more than {MAX_ENTRIES} entries")));
        }
        out.push(Entry { mode, name, id });
        rest = after;
    }
    Ok(out)
}

/// The trees that this thread decoded, each time anew.
#[cfg(test)]
pub(crate) mod decoded {
    use std::cell::RefCell;

    use crate::names::ObjectId;

    thread_local!(static TREES: RefCell<Vec<ObjectId>> = const { RefCell::new(Vec::new()) });

    pub(super) fn note(tree: ObjectId) {
        TREES.with_borrow_mut(|trees| trees.push(tree));
    }

    /// Those since the last call.
    pub fn take() -> Vec<ObjectId> {
        TREES.take()
    }
}

/// The tree of a commit.
pub fn of_commit(store: &Store, commit: ObjectId) -> Result<ObjectId, CentralError> {
    Ok(super::objects::commit(&store.odb(), commit)?.0)
}

/// The files of `commit` that are neither in `new` nor in `old`, in folders that came with it.
pub(super) fn missing_files(
    new: &gix::odb::Handle,
    old: &gix::odb::Handle,
    commit: ObjectId,
) -> Result<BTreeSet<ObjectId>, CentralError> {
    use gix::objs::Exists;
    let mut missing = BTreeSet::new();
    let (root, _) = super::objects::commit(new, commit)?;
    let mut looked_into = BTreeSet::from([root]);
    let mut folders = vec![raw(new, root).or_else(|_| raw(old, root))?];
    while let Some(entries) = folders.pop() {
        for entry in entries {
            let id = to_gix(entry.id);
            match entry.kind() {
                EntryKind::File if !new.exists(&id) && !old.exists(&id) => drop(missing.insert(entry.id)),
                // One that was here was looked into when it came; one that cannot be read is found out by whoever needs it.
                EntryKind::Tree if new.exists(&id) && looked_into.insert(entry.id) => {
                    folders.push(raw(new, entry.id).unwrap_or_default());
                }
                _ => {}
            }
        }
    }
    Ok(missing)
}

/// What lies at central's top in one commit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Root {
    id: Option<ObjectId>,
    entries: Vec<Entry>,
}

impl Root {
    /// Reads the root tree of `commit`. `None`: central is empty.
    pub fn of(store: &Store, commit: Option<ObjectId>) -> Result<Self, CentralError> {
        let Some(commit) = commit else {
            return Ok(Root::default());
        };
        let id = of_commit(store, commit)?;
        let entries = raw(&store.odb(), id)?;
        Ok(Root { id: Some(id), entries })
    }

    /// The tree. `None`: central is empty.
    pub fn id(&self) -> Option<ObjectId> {
        self.id
    }

    /// All entries, unchecked.
    pub fn entries(&self) -> impl Iterator<Item = TreeEntry> + '_ {
        self.entries.iter().cloned().map(TreeEntry::from)
    }

    /// The tree of a workspace's own folder. An error if something else has its name.
    pub fn folder(&self, prefix: &Prefix) -> Result<Option<ObjectId>, CentralError> {
        let entry = self
            .entries
            .iter()
            .find(|entry| entry.name == prefix.as_str().as_bytes());
        match entry {
            None => Ok(None),
            Some(entry) => match entry.kind() {
                EntryKind::Tree => Ok(Some(entry.id)),
                kind => Err(CentralError::NotAFolder {
                    prefix: prefix.clone(),
                    what: match kind {
                        EntryKind::Symlink => "a symbolic link",
                        EntryKind::Gitlink => "a submodule",
                        _ => "a file",
                    },
                }),
            },
        }
    }

    /// The documents in a workspace's own folder.
    pub fn documents(&self, store: &Store, prefix: &Prefix) -> Result<Documents, CentralError> {
        match self.folder(prefix)? {
            Some(folder) => documents_in(&store.odb(), folder, prefix),
            None => Ok(Documents::new()),
        }
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
        .find(|entry| entry.kind() == EntryKind::Tree && entry.name == prefix.as_str().as_bytes());
    Ok(entry.map(|entry| entry.id))
}

/// The documents of an owned folder of an earlier commit.
pub(super) fn documents_in(
    odb: &gix::odb::Handle,
    folder: ObjectId,
    prefix: &Prefix,
) -> Result<Documents, CentralError> {
    Ok(listing::folder(prefix, entries_in(odb, folder)?).documents)
}

#[cfg(test)]
mod tests;
