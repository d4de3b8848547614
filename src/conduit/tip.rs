//! The branch of central as it was listed, and what its history says.

use std::collections::HashSet;

use super::listed::Listed;
use crate::{
    central::{objects, store::Store, tree},
    names::ObjectId,
    stage::fetch::Snapshot,
};

/// So many commits are looked at for the one that brought a file.
const COMMITS: usize = 1_000;
/// So many files of commits are looked at for versions that the branch had.
const LOOKS: usize = 50_000;

/// The branch as it was listed, its objects at hand.
pub struct Tip {
    pub snapshot: Snapshot,
    pub store: Store,
    pub listed: Listed,
    /// The branch does not have the commit that this clone saw last.
    pub is_rewound: bool,
    /// What is before its paths in the commits, `/` at the end.
    pub above: String,
}

impl Tip {
    /// When the file at `path` came to be as it is, in nanoseconds since 1970: the time of the commit that brought it, or of the
    /// oldest one that is here.
    pub fn changed_ns(&self, path: &str) -> Option<i64> {
        let odb = self.store.odb();
        let mut commit = self.snapshot.head?;
        let at = format!("{}{path}", self.above);
        let id_in = |commit| {
            let root = objects::commit(&odb, commit).ok()?.0;
            tree::id_at(&odb, root, &at)
        };
        let id = id_in(commit)?;
        for _ in 0..COMMITS {
            let parent = objects::commit(&odb, commit).ok()?.1.first().copied();
            match parent.filter(|parent| id_in(*parent) == Some(id)) {
                Some(parent) => commit = parent,
                None => break,
            }
        }
        objects::time(&odb, commit).ok()?.checked_mul(1_000_000_000)
    }

    /// Those of `files`, by path, that a commit of the branch had with this content, as far as its history is here.
    pub fn had<'p>(&self, files: Vec<(&'p str, ObjectId)>) -> HashSet<&'p str> {
        let odb = self.store.odb();
        let (mut sought, mut found, mut looked) = (files, HashSet::new(), 0);
        let mut next = self.snapshot.head;
        while let Some((root, parents)) = next.and_then(|commit| objects::commit(&odb, commit).ok()) {
            looked += sought.len();
            sought.retain(|(path, id)| {
                let is_it = tree::id_at(&odb, root, &format!("{}{path}", self.above)) == Some(*id);
                if is_it {
                    found.insert(*path);
                }
                !is_it
            });
            if sought.is_empty() || looked > LOOKS {
                break;
            }
            next = parents.first().copied();
        }
        found
    }
}
