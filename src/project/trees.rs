//! Walking through trees.

use std::collections::BTreeMap;

use gix::objs::FindExt;

use crate::{
    central::{from_gix, to_gix},
    names::ObjectId,
};

/// Folders in a project's `.metis/` deeper than this are nobody's plans.
const MAX_DEPTH: usize = 64;

/// How many files and folders may still be looked at for a question. A commit need not be checked out to be asked about, and a
/// tree can have one below it in any number of places: a dozen of them stand for more paths than can be counted.
pub(super) struct Room(usize);

impl Default for Room {
    fn default() -> Self {
        Room(1_000_000)
    }
}

/// There is more than [`Room`] for it.
#[derive(Debug, thiserror::Error)]
#[error("it has more files in .metis/ than can be looked at")]
pub(super) struct TooMany;

/// Calls `found` with every `*.md` file below `tree` that is not the same in `other`.
pub(super) fn list_documents(
    odb: &impl gix::objs::Find,
    tree: Option<ObjectId>,
    other: Option<ObjectId>,
    room: &mut Room,
    found: &mut dyn FnMut(String, ObjectId),
) -> Result<(), TooMany> {
    list_below(odb, [tree, other], ("", 0), room, found)
}

fn list_below(
    odb: &impl gix::objs::Find,
    [tree, other]: [Option<ObjectId>; 2],
    (path, depth): (&str, usize),
    room: &mut Room,
    found: &mut dyn FnMut(String, ObjectId),
) -> Result<(), TooMany> {
    let read = |id: Option<ObjectId>| -> Vec<(String, bool, ObjectId)> {
        let mut buffer = Vec::new();
        let Some(Ok(entries)) = id.map(|id| odb.find_tree_iter(&to_gix(id), &mut buffer)) else {
            return Vec::new();
        };
        entries
            .filter_map(Result::ok)
            .filter(|entry| entry.mode.is_tree() || entry.mode.is_blob())
            .map(|entry| {
                let name = String::from_utf8_lossy(entry.filename).into_owned();
                (name, entry.mode.is_tree(), from_gix(entry.oid))
            })
            .collect()
    };
    if tree == other || depth > MAX_DEPTH {
        return Ok(());
    }
    let (entries, others) = (read(tree), read(other));
    room.0 = room.0.checked_sub(entries.len() + others.len()).ok_or(TooMany)?;
    let there: BTreeMap<String, (bool, ObjectId)> = others
        .into_iter()
        .map(|(name, is_tree, id)| (name, (is_tree, id)))
        .collect();
    for (name, is_tree, id) in entries {
        let counterpart = there.get(&name);
        if counterpart == Some(&(is_tree, id)) {
            continue;
        }
        let below = if path.is_empty() {
            name
        } else {
            format!("{path}/{name}")
        };
        if is_tree {
            let other = counterpart.filter(|(is_tree, _)| *is_tree).map(|(_, id)| *id);
            list_below(odb, [Some(id), other], (&below, depth + 1), room, found)?;
        } else if below.ends_with(".md") {
            found(below, id);
        }
    }
    Ok(())
}

/// The tree of a folder in a commit, by the names that lead to it.
pub(super) fn folder_in<'n>(
    odb: &impl gix::objs::Find,
    commit: ObjectId,
    names: impl Iterator<Item = &'n [u8]>,
) -> Option<ObjectId> {
    let mut buffer = Vec::new();
    let mut commit = odb.find_commit_iter(&to_gix(commit), &mut buffer).ok()?;
    let mut tree = commit.tree_id().ok()?;
    for name in names {
        let mut buffer = Vec::new();
        tree = odb
            .find_tree_iter(&tree, &mut buffer)
            .ok()?
            .filter_map(Result::ok)
            .find(|entry| entry.mode.is_tree() && entry.filename == name)?
            .oid
            .to_owned();
    }
    Some(from_gix(&tree))
}

/// The file of this name at the top of `tree`.
pub(super) fn file_in(odb: &impl gix::objs::Find, tree: ObjectId, name: &str) -> Option<ObjectId> {
    let mut buffer = Vec::new();
    let mut entries = odb
        .find_tree_iter(&to_gix(tree), &mut buffer)
        .ok()?
        .filter_map(Result::ok);
    let entry = entries.find(|entry| entry.mode.is_blob() && entry.filename == name)?;
    Some(from_gix(entry.oid))
}
