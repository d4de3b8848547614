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

/// The last of `wanted` that is in the history of `head`. `wholly`: what of it is not here is received, looked at and dropped.
pub fn last_held(
    remote: &mut Remote,
    options: &ConnectOptions,
    store: &Store,
    head: ObjectId,
    wanted: &[ObjectId],
    wholly: bool,
) -> Result<Option<usize>, CentralError> {
    let (held, is_cut) = held(&store.odb(), head, wanted)?;
    if held.is_some() || !is_cut || !wholly {
        return Ok(held);
    }
    remote.reconnect(options)?;
    let format = remote.format;
    store.aside(|aside| {
        fetch::stretch(remote, options, head, Stretch::Commits, aside)?;
        Ok(self::held(&objects::open(aside, format)?, head, wanted)?.0)
    })
}

/// The last of `wanted` that is in the history of `head`, and where there is none, whether some of that is not here.
fn held(odb: &Handle, head: ObjectId, wanted: &[ObjectId]) -> Result<(Option<usize>, bool), CentralError> {
    let mut is_cut = false;
    for (at, id) in wanted.iter().enumerate().rev() {
        match walk(odb, head, *id)? {
            Walk::Found => return Ok((Some(at), false)),
            Walk::CutShort => is_cut = true,
            Walk::Exhausted => {}
        }
    }
    Ok((None, is_cut))
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
