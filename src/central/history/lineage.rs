//! Whether a commit is in the history of another one.

use std::collections::{HashSet, VecDeque};

use gix::objs::Exists;

use super::super::{
    CentralError,
    fetch::{self, Stretch},
    objects::{self, Handle},
    remote::Remote,
    store::Store,
    to_gix,
};
use crate::{names::ObjectId, plan::guard::Lineage, send_pack::connect::ConnectOptions};

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
        fetch::stretch(remote, options, head, Stretch::Commits, aside)?;
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
        fetch::stretch(remote, options, tip, Stretch::Commits, aside)?;
        Ok(matches!(
            walk(&objects::open(aside, format)?, tip, wanted)?,
            Walk::Found
        ))
    })
}

/// Whether `wanted` is in the history of `head`, as far as that is here.
pub fn holds(store: &Store, head: ObjectId, wanted: ObjectId) -> Result<bool, CentralError> {
    Ok(matches!(walk(&store.odb(), head, wanted)?, Walk::Found))
}

enum Walk {
    Found,
    /// Every ancestor was looked at.
    Exhausted,
    /// A commit's parents are not here.
    CutShort,
}

fn walk(odb: &Handle, from: ObjectId, wanted: ObjectId) -> Result<Walk, CentralError> {
    let mut queue = VecDeque::from([from]);
    let mut seen = HashSet::from([from]);
    let mut cut = false;
    while let Some(id) = queue.pop_front() {
        if id == wanted {
            return Ok(Walk::Found);
        }
        if !odb.exists(&to_gix(id)) {
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
