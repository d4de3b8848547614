//! Which versions of files a branch has left behind.

use std::{cell::RefCell, collections::HashSet};

use gix::objs::Exists;

use super::{Central, asked};
use crate::{
    central::{CentralError, fetch::Stretch, objects, store::Store, to_gix, tree},
    names::ObjectId,
};

/// So many commits are looked at,
const COMMITS: usize = 2_000;
/// and so many files of them.
const LOOKS: usize = 50_000;

/// Those of `files`, by their paths from the top, that `head` or one of the newest commits before it had with this content.
pub fn had(
    central: Central<'_>,
    store: &Store,
    head: ObjectId,
    files: &[(String, ObjectId)],
) -> Result<HashSet<String>, CentralError> {
    let newest = RefCell::default();
    let found = asked(central, store, head, Stretch::Newest(COMMITS), |odb| {
        let (mut sought, mut found, mut looked) = (files.to_vec(), HashSet::new(), 0);
        let mut next = Some(head);
        for _ in 0..COMMITS {
            let Some(commit) = next else { break };
            if !odb.exists(&to_gix(commit)) {
                newest.replace(found);
                return Ok(None);
            }
            let (root, parents) = objects::commit(odb, commit)?;
            looked += sought.len();
            sought.retain(|(path, id)| {
                let is_it = tree::id_at(odb, root, path) == Some(*id);
                if is_it {
                    found.insert(path.clone());
                }
                !is_it
            });
            if sought.is_empty() || looked > LOOKS {
                break;
            }
            next = parents.first().copied();
        }
        Ok(Some(found))
    })?;
    Ok(found.unwrap_or_else(|| newest.into_inner()))
}
