//! New trees out of old ones: what is changed is made anew on the whole way from the top, everything else is carried over by its
//! id, whether its object is here or not.

use std::{cmp::Ordering, collections::BTreeMap, collections::BTreeSet};

use gix::objs::Kind;

use super::{Entry, Root, raw};
use crate::{
    central::{CentralError, from_gix, hash_kind, objects::Handle, store::Store},
    names::{ObjectFormat, ObjectId, Prefix, ShortCode},
    plan::listing::{Documents, EntryKind},
    text::{Untrusted, UntrustedName},
};

/// What lies at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leaf {
    /// A file.
    File(ObjectId),
    /// A file that may be run.
    Executable(ObjectId),
    /// A symbolic link, whose target is the blob's text.
    Link(ObjectId),
}

impl Leaf {
    fn entry(self, name: &str) -> Entry {
        match self {
            Leaf::File(id) => Entry::new("100644", name, id),
            Leaf::Executable(id) => Entry::new("100755", name, id),
            Leaf::Link(id) => Entry::new("120000", name, id),
        }
    }
}

/// What a tree is to hold, by path from its top, the folders' names apart. `None`: nothing.
pub type Changes = BTreeMap<Vec<String>, Option<Leaf>>;

/// A tree that does not exist in any store yet, or does: its bytes decide.
#[derive(Debug, Clone)]
pub struct NewTree {
    /// Its id.
    pub id: ObjectId,
    /// Its content, without git's header.
    pub bytes: Vec<u8>,
}

/// The trees that a commit needs.
#[derive(Debug, Clone)]
pub struct NewTrees {
    /// The root tree.
    pub root: NewTree,
    /// Those below it. A folder that nothing is left in is none of them: git knows no empty ones.
    pub below: Vec<NewTree>,
}

/// Why a tree cannot be changed like that.
#[derive(Debug)]
pub enum Obstacle {
    /// What is there cannot be read, or the new tree not made.
    Central(CentralError),
    /// There is a folder where a file should be, or be taken away.
    NotAFile(UntrustedName),
    /// There is something else where a folder should be.
    NotAFolder(UntrustedName),
}

impl From<CentralError> for Obstacle {
    fn from(err: CentralError) -> Self {
        Obstacle::Central(err)
    }
}

/// Central's root with `changes`. A folder that they empty goes, and a file in the way of a folder only if they take it away.
pub fn edited(store: &Store, root: &Root, changes: &Changes) -> Result<NewTrees, Obstacle> {
    let mut surgery = Surgery {
        odb: store.odb(),
        format: store.format(),
        below: Vec::new(),
    };
    let changes: Vec<Change<'_>> = changes.iter().map(|(path, leaf)| (path.as_slice(), *leaf)).collect();
    let top = surgery.edit(root.entries.clone(), "", &changes)?;
    Ok(NewTrees {
        root: encode(&top, surgery.format)?,
        below: surgery.below,
    })
}

/// A path from the folder that is changed, and what it is to hold.
type Change<'c> = (&'c [String], Option<Leaf>);

struct Surgery {
    odb: Handle,
    format: ObjectFormat,
    below: Vec<NewTree>,
}

impl Surgery {
    /// `entries` with `changes`; `at`: the folder's path, for errors.
    fn edit(&mut self, mut entries: Vec<Entry>, at: &str, changes: &[Change<'_>]) -> Result<Vec<Entry>, Obstacle> {
        let mut is_sorted = true;
        for changes in changes.chunk_by(|(a, _), (b, _)| a.first() == b.first()) {
            let Some(name) = changes[0].0.first() else { continue };
            let path = format!("{at}{name}");
            let old = entries.iter().position(|entry| entry.name == name.as_bytes());
            let old = old.map(|place| entries.remove(place));
            // A path sorts before those below it.
            let (leaf, below) = match changes {
                [([_], leaf), below @ ..] => (Some(*leaf), below),
                below => (None, below),
            };
            let held = match &old {
                Some(old) if old.kind() == EntryKind::Tree => raw(&self.odb, old.id)?,
                Some(_) if leaf.is_none() => return Err(Obstacle::NotAFolder(path.into())),
                _ => Vec::new(),
            };
            let below: Vec<Change<'_>> = below.iter().map(|(path, leaf)| (&path[1..], *leaf)).collect();
            let held = self.edit(held, &format!("{path}/"), &below)?;
            let new = match (leaf, held.is_empty()) {
                (Some(_), false) if below.is_empty() => return Err(Obstacle::NotAFile(path.into())),
                (Some(Some(_)), false) => return Err(Obstacle::NotAFile(path.into())),
                (Some(Some(leaf)), true) => Some(leaf.entry(name)),
                (_, true) => None,
                (_, false) => {
                    let tree = encode(&held, self.format)?;
                    let entry = Entry::new("40000", name.as_str(), tree.id);
                    self.below.push(tree);
                    Some(entry)
                }
            };
            is_sorted &= leaf.is_none();
            entries.extend(new.clone().filter(|_| !is_sorted));
            if let Some(new) = new.filter(|_| is_sorted) {
                // If the folder was out of order, and no file of it changes, that is not ours to change.
                let place = entries.iter().position(|entry| entry.order(&new) == Ordering::Greater);
                entries.insert(place.unwrap_or(entries.len()), new);
            }
        }
        if !is_sorted {
            entries.sort_by(Entry::order);
        }
        Ok(entries)
    }
}

/// Central's root with the owned folder changed by `push` and `remove`. What is no document stays in it.
pub fn with_owned(
    store: &Store,
    root: &Root,
    prefix: &Prefix,
    push: &Documents,
    remove: &BTreeSet<ShortCode>,
) -> Result<NewTrees, CentralError> {
    root.folder(prefix)?;
    let path = |code: &ShortCode| vec![prefix.to_string(), code.file_name()];
    let pushed = push.iter().map(|(code, blob)| (path(code), Some(Leaf::File(*blob))));
    let changes: Changes = pushed.chain(remove.iter().map(|code| (path(code), None))).collect();
    edited(store, root, &changes).map_err(|obstacle| match obstacle {
        Obstacle::Central(err) => err,
        Obstacle::NotAFile(path) | Obstacle::NotAFolder(path) => {
            CentralError::NotADocument(Untrusted::name(path.raw().as_bytes()))
        }
    })
}

/// Central's root with the folder `from` under the name `to`, or without it. What is in the folder is not looked at.
pub fn with_folder_moved(
    store: &Store,
    root: &Root,
    from: &Prefix,
    to: Option<&Prefix>,
) -> Result<NewTrees, CentralError> {
    let mut top = root.entries.clone();
    let is_from = |entry: &Entry| entry.kind() == EntryKind::Tree && entry.name == from.as_str().as_bytes();
    let folder = top.iter().position(is_from).map(|at| top.remove(at));
    if let (Some(mut folder), Some(to)) = (folder, to) {
        folder.name = to.as_str().into();
        let place = top.iter().position(|entry| entry.order(&folder) == Ordering::Greater);
        top.insert(place.unwrap_or(top.len()), folder);
    }
    Ok(NewTrees {
        root: encode(&top, store.format())?,
        below: Vec::new(),
    })
}

/// The id of the tree that has just these files. Those of a folder lie together, as sorted paths do.
pub fn id_of(files: &[(&str, Leaf)], format: ObjectFormat) -> Result<ObjectId, CentralError> {
    let mut entries = Vec::new();
    for together in files.chunk_by(|(a, _), (b, _)| a.split('/').next() == b.split('/').next()) {
        let (path, leaf) = together[0];
        let Some((folder, _)) = path.split_once('/') else {
            entries.push(leaf.entry(path));
            continue;
        };
        let below: Vec<_> = together
            .iter()
            .map(|(path, leaf)| (&path[folder.len() + 1..], *leaf))
            .collect();
        entries.push(Entry::new("40000", folder, id_of(&below, format)?));
    }
    entries.sort_by(Entry::order);
    Ok(encode(&entries, format)?.id)
}

fn encode(entries: &[Entry], format: ObjectFormat) -> Result<NewTree, CentralError> {
    let mut bytes = Vec::new();
    for entry in entries {
        bytes.extend_from_slice(&entry.mode);
        bytes.push(b' ');
        bytes.extend_from_slice(&entry.name);
        bytes.push(0);
        bytes.extend_from_slice(entry.id.as_bytes());
    }
    let id = gix::objs::compute_hash(hash_kind(format), Kind::Tree, &bytes)
        .map_err(|err| CentralError::Receive(format!("a tree could not be made: {err}").into()))?;
    Ok(NewTree {
        id: from_gix(&id),
        bytes,
    })
}

#[cfg(test)]
mod tests;
