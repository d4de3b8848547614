//! What the messages of central's commits say of its folders: which were renamed or retired, and which project each is of.

use std::{
    collections::{BTreeMap, HashSet, VecDeque},
    ops::ControlFlow,
};

use gix::objs::Exists;

use super::{
    super::{
        CentralError,
        commit::Trailers,
        fetch::Stretch,
        objects::{self, Handle},
        store::Store,
        to_gix,
    },
    Central, asked,
};
use crate::{
    names::{ObjectId, Prefix},
    plan::folder::{self, Departure, Fate},
};

/// What the history of `head` tells of what became of a folder after the commit `since`. Without one, the newest word counts:
/// what had that name long ago was another's.
pub fn fate(
    central: Central<'_>,
    store: &Store,
    [head, since]: [Option<ObjectId>; 2],
    prefix: &Prefix,
) -> Result<Option<Fate>, CentralError> {
    let Some(head) = head else { return Ok(None) };
    let departures = asked(central, store, head, Stretch::Commits, |odb| {
        let mut departures = Vec::new();
        let is_whole = each_message(odb, head, since, |by, message| {
            let left = Trailers::read(message).left;
            let is_last = since.is_none() && left.as_ref() == Some(prefix);
            departures.extend(left.zip(by).map(|(left, by)| Departure { left, by }));
            match is_last {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            }
        })?;
        departures.reverse();
        Ok(is_whole.then_some(departures))
    })?;
    Ok(folder::fate(prefix, &departures.unwrap_or_default()))
}

/// The project that a folder of central was made from last, as far as commits say so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// The folder.
    pub prefix: Prefix,
    /// Its `Project-Root`.
    pub root: (ObjectId, String),
    /// Its `Project-Commit`.
    pub commit: Option<ObjectId>,
}

/// The newest owner of each folder that the history of `head` tells of. `only`: look no further than the first word about
/// this one.
pub fn owners(
    central: Central<'_>,
    store: &Store,
    head: ObjectId,
    only: Option<&Prefix>,
) -> Result<BTreeMap<Prefix, Owner>, CentralError> {
    let owners = asked(central, store, head, Stretch::Commits, |odb| {
        let mut owners = BTreeMap::new();
        let is_whole = each_message(odb, head, None, |by, message| {
            let Trailers { root, commit, .. } = Trailers::read(message);
            if let (Some(prefix), Some(root)) = (by, root) {
                let owner = || Owner {
                    prefix: prefix.clone(),
                    root,
                    commit,
                };
                owners.entry(prefix.clone()).or_insert_with(owner);
            }
            match only.is_some_and(|only| owners.contains_key(only)) {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            }
        })?;
        Ok(is_whole.then_some(owners))
    })?;
    Ok(owners.unwrap_or_default())
}

/// Shows the messages of `head` and the commits before it, newest first and no further back than `since`, with the workspaces
/// that they are syncs of. False: a commit is missing before `see` has seen enough.
fn each_message(
    odb: &Handle,
    head: ObjectId,
    since: Option<ObjectId>,
    mut see: impl FnMut(Option<Prefix>, &[u8]) -> ControlFlow<()>,
) -> Result<bool, CentralError> {
    let mut queue = VecDeque::from([head]);
    let mut seen = HashSet::from([head]);
    while let Some(id) = queue.pop_front() {
        if since == Some(id) {
            continue;
        }
        if !odb.exists(&to_gix(id)) {
            return Ok(false);
        }
        let message = objects::message(odb, id)?;
        if see(synced(&message), &message).is_break() {
            break;
        }
        let (_, parents) = objects::commit(odb, id)?;
        queue.extend(parents.into_iter().filter(|parent| seen.insert(*parent)));
    }
    Ok(true)
}

/// The workspace that a commit with this message is a sync of.
fn synced(message: &[u8]) -> Option<Prefix> {
    let text = std::str::from_utf8(message).ok()?;
    text.strip_prefix("sync: ")?.split(' ').next()?.parse().ok()
}
