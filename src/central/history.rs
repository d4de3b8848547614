//! Whether central's head grew out of the commit that this clone saw last.

use std::collections::{HashSet, VecDeque};

use super::{
    CentralError, fetch,
    remote::Remote,
    store::{self, Store},
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
        fetch::history(remote, options, head, aside)?;
        Ok(match walk(&store::open_odb(aside, format)?, head, seen)? {
            Walk::Found => Lineage::Descends,
            Walk::Exhausted | Walk::CutShort => Lineage::Rewound,
        })
    })
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
        for parent in store::commit(odb, id)?.1 {
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
