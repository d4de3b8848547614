//! Walking through commits.

use std::collections::HashSet;

use gix::objs::FindExt;

use crate::{
    central::{from_gix, to_gix},
    names::ObjectId,
};

pub(super) fn parents(odb: &impl gix::objs::Find, id: ObjectId) -> Option<Vec<ObjectId>> {
    let mut buffer = Vec::new();
    let commit = odb.find_commit_iter(&to_gix(id), &mut buffer).ok()?;
    Some(commit.parent_ids().map(|id| from_gix(&id)).collect())
}

/// All commits reachable from `head` as far as they are here (a shallow clone has an end), by their distance from it.
pub(super) fn ancestors(odb: &impl gix::objs::Find, head: ObjectId) -> Vec<ObjectId> {
    let mut seen = HashSet::from([head]);
    let mut found = vec![head];
    let mut next = 0;
    while let Some(id) = found.get(next).copied() {
        next += 1;
        for parent in parents(odb, id).unwrap_or_default() {
            if seen.insert(parent) {
                found.push(parent);
            }
        }
    }
    found
}
