//! Receiving what central has and the store has not.
//!
//! The first fetch takes the newest commit alone: history is never needed. Every later one names the commit that this
//! clone saw last (`have`) and receives what came since, commits in between included, so that the new head can be
//! shown to descend from it. One round: the client says everything it has to say at once and is `done`.

mod receive;

use std::{collections::BTreeSet, path::Path};

use gix::protocol::transport::Protocol;

use self::receive::receive;
use super::{CentralError, incoming::Here, objects, remote::Remote, store::Store, tree};
use crate::{names::ObjectId, send_pack::connect::ConnectOptions};

/// What to ask for.
#[derive(Debug, Clone, Copy)]
struct Want<'a> {
    tips: &'a [ObjectId],
    /// What is here, the likeliest to be there too first.
    haves: &'a [ObjectId],
    shallow: &'a [ObjectId],
    depth: Option<usize>,
    filter: Option<&'a str>,
}

/// Gets `head` and everything it holds into `store`, but for files that are too large to be held: those are noted
/// ([`Store::left_out()`]). `seen` is the commit whose objects this clone worked with last.
///
/// Returns the number of objects received; 0 if all was there. `told` hears of the bytes that came so far, from this
/// thread.
pub fn fetch(
    remote: &mut Remote,
    options: &ConnectOptions,
    store: &mut Store,
    head: ObjectId,
    seen: Option<ObjectId>,
    told: &mut dyn FnMut(u64),
) -> Result<u32, CentralError> {
    fetch_all(remote, options, store, &[Wanted { tip: head, seen }], told)
}

/// A commit to fetch.
#[derive(Debug, Clone, Copy)]
pub struct Wanted {
    /// As it was listed.
    pub tip: ObjectId,
    /// What its ref was when this clone worked with it last.
    pub seen: Option<ObjectId>,
}

/// Like [`fetch()`], for several refs in one exchange. Those that are here already are not asked for; where nothing of any
/// of the others is, each newest commit comes alone.
pub fn fetch_all(
    remote: &mut Remote,
    options: &ConnectOptions,
    store: &mut Store,
    wanted: &[Wanted],
    told: &mut dyn FnMut(u64),
) -> Result<u32, CentralError> {
    let (mut tips, mut haves) = (Vec::new(), Vec::new());
    for Wanted { tip, seen } in wanted {
        if store.contains(*tip) || tips.contains(tip) {
            continue;
        }
        tips.push(*tip);
        haves.extend(seen.filter(|id| store.contains(*id)));
    }
    if tips.is_empty() {
        return Ok(0);
    }
    let shallow = if haves.is_empty() { Vec::new() } else { store.shallow() };
    let want = Want {
        tips: &tips,
        haves: &haves,
        shallow: &shallow,
        depth: haves.is_empty().then_some(1),
        filter: None,
    };
    receive_into(remote, options, store, &want, told)
}

/// Like [`fetch()`], for a head that is here while commits between it and `seen` are missing: says less of what is
/// here, so that the server sends them.
pub fn fill_in(
    remote: &mut Remote,
    options: &ConnectOptions,
    store: &mut Store,
    head: ObjectId,
    seen: ObjectId,
) -> Result<u32, CentralError> {
    let want = Want {
        tips: &[head],
        haves: &[seen],
        shallow: &[seen],
        depth: None,
        filter: None,
    };
    receive_into(remote, options, store, &want, &mut |_| {})
}

/// How much of a history is asked for.
#[derive(Debug, Clone, Copy)]
pub enum Stretch<'a> {
    /// Every commit, alone.
    Commits,
    /// Every commit with its folders: which documents there were, but not what was in them.
    Trees,
    /// So many of the newest commits, with their folders.
    Newest(usize),
    /// Every commit that those which are here have not, with its folders.
    ///
    /// Commits that were never pushed are nothing to the server: unless one of them is known there, it sends everything.
    Beyond {
        /// Commits that are here.
        haves: &'a [ObjectId],
        /// Those of which the parents are not here.
        shallow: &'a [ObjectId],
    },
}

/// Receives a stretch of the history of `tip` into `aside`, without files where the server can leave them out.
pub fn stretch(
    remote: &mut Remote,
    options: &ConnectOptions,
    tip: ObjectId,
    stretch: Stretch<'_>,
    aside: &Path,
) -> Result<(), CentralError> {
    let all = Want {
        tips: &[tip],
        haves: &[],
        shallow: &[],
        depth: None,
        filter: Some("blob:none"),
    };
    let want = match stretch {
        Stretch::Trees => all,
        Stretch::Commits => Want {
            filter: Some("tree:0"),
            ..all
        },
        Stretch::Newest(commits) => Want {
            depth: Some(commits),
            ..all
        },
        Stretch::Beyond { haves, shallow } => Want { haves, shallow, ..all },
    };
    receive_aside(remote, options, &want, aside)
}

/// The files `ids`, which `head` or a commit before it has, into `aside`. Servers of the older protocols hand out what a
/// branch names and nothing else: they are asked for the whole history.
pub fn files(
    remote: &mut Remote,
    options: &ConnectOptions,
    head: ObjectId,
    ids: &[ObjectId],
    aside: &Path,
) -> Result<(), CentralError> {
    let by_id = remote.session.handshake.server_protocol_version == Protocol::V2;
    let want = Want {
        tips: if by_id { ids } else { &[head] },
        haves: &[],
        shallow: &[],
        depth: None,
        filter: None,
    };
    receive_aside(remote, options, &want, aside)
}

fn receive_into(
    remote: &mut Remote,
    options: &ConnectOptions,
    store: &mut Store,
    want: &Want<'_>,
    told: &mut dyn FnMut(u64),
) -> Result<u32, CentralError> {
    let boundary = store.boundary();
    let known = store.left_out().clone();
    store.admit_partly(|area, bases| {
        let here = Here {
            bases: &bases,
            left_out: &known,
        };
        let noted = |shallow: &[ObjectId]| boundary.add(shallow);
        let received = receive(remote, options, want, area, &here, noted, told)?;
        let left_out = match received.is_partial {
            true => missing_files(&objects::open(area, remote.format)?, &bases, want.tips)?,
            false => BTreeSet::new(),
        };
        Ok((received.objects, left_out))
    })
}

fn missing_files(
    new: &gix::odb::Handle,
    old: &gix::odb::Handle,
    tips: &[ObjectId],
) -> Result<BTreeSet<ObjectId>, CentralError> {
    let mut missing = BTreeSet::new();
    for tip in tips {
        missing.extend(tree::missing_files(new, old, *tip)?);
    }
    Ok(missing)
}

/// Like [`receive()`], for looking at what comes and not for keeping it.
fn receive_aside(
    remote: &mut Remote,
    options: &ConnectOptions,
    want: &Want<'_>,
    aside: &Path,
) -> Result<(), CentralError> {
    let here = Here {
        bases: &objects::open(aside, remote.format)?,
        left_out: &BTreeSet::new(),
    };
    receive(remote, options, want, aside, &here, |_| Ok(()), &mut |_| {}).map(|_| ())
}
