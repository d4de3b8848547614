//! The branch of central as it was listed, and what its history says.

use super::listed::Listed;
use crate::{
    central::{objects, store::Store, tree},
    stage::fetch::Snapshot,
};

/// So many commits are looked at for the one that brought a file.
const COMMITS: usize = 1_000;

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
}
