//! What came before central's head: whether it grew out of the commit that this clone saw last, and which versions of
//! the own documents it has left behind.

use std::collections::{HashSet, VecDeque};

use super::{
    CentralError,
    fetch::{self, Detail},
    objects,
    remote::Remote,
    store::Store,
    tree,
};
use crate::{
    names::{ObjectId, Prefix},
    plan::{guard::Lineage, listing::Versions},
    send_pack::connect::{ConnectOptions, RemoteUrl},
};

/// How `head` relates to `seen`. May fetch what is missing to tell.
pub fn lineage(
    remote: &mut Remote,
    options: &ConnectOptions,
    store: &mut Store,
    head: ObjectId,
    seen: ObjectId,
) -> Result<Lineage, CentralError> {
    if head == seen {
        return Ok(Lineage::Same);
    }
    match walk(&store.odb(), head, seen)? {
        Walk::Found => return Ok(Lineage::Descends),
        Walk::Exhausted => return Ok(Lineage::Rewound),
        Walk::CutShort => {}
    }
    remote.reconnect(options)?;
    if store.contains(seen) {
        // Another workspace of this machine fetched `head` with less history than we need.
        fetch::fill_in(remote, options, store, head, seen)?;
        return Ok(match walk(&store.odb(), head, seen)? {
            Walk::Found => Lineage::Descends,
            Walk::Exhausted | Walk::CutShort => Lineage::Rewound,
        });
    }
    // The store was lost: the commits are looked at and dropped, as they come without their files.
    let format = remote.format;
    store.aside(|aside| {
        fetch::history(remote, options, head, Detail::Commits, aside)?;
        Ok(match walk(&objects::open(aside, format)?, head, seen)? {
            Walk::Found => Lineage::Descends,
            Walk::Exhausted | Walk::CutShort => Lineage::Rewound,
        })
    })
}

/// Whether the branch whose commit is `tip` has `wanted` in its history. Its commits are looked at and dropped.
pub fn reaches(
    remote: &mut Remote,
    options: &ConnectOptions,
    store: &Store,
    tip: ObjectId,
    wanted: ObjectId,
) -> Result<bool, CentralError> {
    match walk(&store.odb(), tip, wanted)? {
        Walk::Found => return Ok(true),
        Walk::Exhausted => return Ok(false),
        Walk::CutShort => {}
    }
    remote.reconnect(options)?;
    let format = remote.format;
    store.aside(|aside| {
        fetch::history(remote, options, tip, Detail::Commits, aside)?;
        Ok(matches!(
            walk(&objects::open(aside, format)?, tip, wanted)?,
            Walk::Found
        ))
    })
}

/// Every version that the documents of `prefix` had in central, from `head` back to `since`, or from the very first
/// where that is not known.
///
/// What came after `since` was fetched with it. A whole history is not here, so it is asked for, without files, and
/// dropped afterwards.
pub fn versions(
    url: &RemoteUrl,
    options: &ConnectOptions,
    branch: &str,
    store: &Store,
    head: ObjectId,
    since: Option<ObjectId>,
    prefix: &Prefix,
) -> Result<Versions, CentralError> {
    if let Some(since) = since {
        let mut found = Versions::new();
        if collect(&store.odb(), head, Some(since), prefix, &mut found)? {
            return Ok(found);
        }
    }
    let mut remote = Remote::list(url, options, Some(branch))?;
    let found = store.aside(|aside| {
        fetch::history(&mut remote, options, head, Detail::Trees, aside)?;
        let mut found = Versions::new();
        collect(&objects::open(aside, store.format())?, head, None, prefix, &mut found)?;
        Ok(found)
    });
    remote.close();
    found
}

/// Adds the versions in `head` and its ancestors up to and with `since`. `false`: some of those are not here.
fn collect(
    odb: &gix::odb::Handle,
    head: ObjectId,
    since: Option<ObjectId>,
    prefix: &Prefix,
    found: &mut Versions,
) -> Result<bool, CentralError> {
    use gix::objs::Exists;
    let mut queue = VecDeque::from([head]);
    let mut commits = HashSet::from([head]);
    let mut folders = HashSet::new();
    while let Some(id) = queue.pop_front() {
        if !odb.exists(&super::to_gix(id)) {
            return Ok(false);
        }
        let (root, parents) = objects::commit(odb, id)?;
        if let Some(folder) = tree::owned_in(odb, root, prefix)?
            && folders.insert(folder)
        {
            for (code, blob) in tree::documents_in(odb, folder, prefix)? {
                found.entry(code).or_default().insert(blob);
            }
        }
        if since == Some(id) {
            continue;
        }
        queue.extend(parents.into_iter().filter(|parent| commits.insert(*parent)));
    }
    Ok(true)
}

enum Walk {
    Found,
    /// Every ancestor was looked at.
    Exhausted,
    /// A commit's parents are not here.
    CutShort,
}

fn walk(odb: &gix::odb::Handle, from: ObjectId, wanted: ObjectId) -> Result<Walk, CentralError> {
    use gix::objs::Exists;
    let mut queue = VecDeque::from([from]);
    let mut seen = HashSet::from([from]);
    let mut cut = false;
    while let Some(id) = queue.pop_front() {
        if id == wanted {
            return Ok(Walk::Found);
        }
        if !odb.exists(&super::to_gix(id)) {
            cut = true;
            continue;
        }
        for parent in objects::commit(odb, id)?.1 {
            if parent == wanted {
                return Ok(Walk::Found);
            }
            if seen.insert(parent) {
                queue.push_back(parent);
            }
        }
    }
    Ok(if cut { Walk::CutShort } else { Walk::Exhausted })
}
