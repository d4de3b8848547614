//! Receiving what central has and the store has not.
//!
//! The first fetch takes the newest commit alone: history is never needed. Every later one names the commit that this
//! clone saw last (`have`) and receives what came since, commits in between included, so that the new head can be
//! shown to descend from it. One round: the client says everything it has to say at once and is `done`.

use std::{
    collections::BTreeSet,
    io::{self, BufReader, Read},
    path::Path,
};

use gix::protocol::{
    Command,
    fetch::{Arguments, Response, response::ShallowUpdate},
    transport::Protocol,
};

use super::{
    CentralError, from_gix,
    incoming::{self, Bounds, Here, Received},
    objects,
    remote::Remote,
    store::Store,
    to_gix, tree,
};
use crate::{
    names::ObjectId,
    send_pack::connect::{ConnectOptions, FailureKind, Session},
};

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

/// How much of a history is fetched, where the server can leave something out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// The commits alone.
    Commits,
    /// Commits and trees: which documents there were, but not what was in them.
    Trees,
}

/// The whole history of `head` into `aside`.
pub fn history(
    remote: &mut Remote,
    options: &ConnectOptions,
    head: ObjectId,
    detail: Detail,
    aside: &Path,
) -> Result<(), CentralError> {
    let want = Want {
        tips: &[head],
        haves: &[],
        shallow: &[],
        depth: None,
        filter: Some(match detail {
            Detail::Commits => "tree:0",
            Detail::Trees => "blob:none",
        }),
    };
    receive_aside(remote, options, &want, aside)
}

/// What `tip` of another repository has and the commits `haves` have not, without files where the server can leave them
/// out, into `aside`. `shallow` are the commits whose parents that repository lacks here.
///
/// Commits that were never pushed are nothing to the server: unless `haves` go back to one that was, it sends everything.
pub fn beyond(
    remote: &mut Remote,
    options: &ConnectOptions,
    tip: ObjectId,
    haves: &[ObjectId],
    shallow: &[ObjectId],
    aside: &Path,
) -> Result<(), CentralError> {
    stretch(remote, options, tip, Stretch::Beyond { haves, shallow }, aside)
}

/// What of a project's history is asked for.
#[derive(Debug, Clone, Copy)]
pub enum Stretch<'a> {
    /// All that `tip` has beyond `haves`, with folders. `shallow`: see [`beyond()`].
    Beyond {
        /// Commits that are here.
        haves: &'a [ObjectId],
        /// Where the history that is here ends.
        shallow: &'a [ObjectId],
    },
    /// Every commit that `tip` goes back to, alone.
    Commits,
    /// `tip` with its folders.
    Alone,
}

/// Receives a stretch of a project's history into `aside`, without files where the server can do that.
pub fn stretch(
    remote: &mut Remote,
    options: &ConnectOptions,
    tip: ObjectId,
    stretch: Stretch<'_>,
    aside: &Path,
) -> Result<(), CentralError> {
    let (haves, shallow): (&[ObjectId], &[ObjectId]) = match stretch {
        Stretch::Beyond { haves, shallow } => (haves, shallow),
        Stretch::Commits | Stretch::Alone => (&[], &[]),
    };
    let want = Want {
        tips: &[tip],
        haves,
        shallow,
        depth: matches!(stretch, Stretch::Alone).then_some(1),
        filter: Some(match stretch {
            Stretch::Commits => "tree:0",
            Stretch::Beyond { .. } | Stretch::Alone => "blob:none",
        }),
    };
    receive_aside(remote, options, &want, aside)
}

/// The last commits up to `head` into `aside`.
pub fn recent(
    remote: &mut Remote,
    options: &ConnectOptions,
    head: ObjectId,
    commits: usize,
    aside: &Path,
) -> Result<(), CentralError> {
    let want = Want {
        tips: &[head],
        haves: &[],
        shallow: &[],
        depth: Some(commits),
        filter: Some("blob:none"),
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
            true => missing_documents(&objects::open(area, remote.format)?, &bases, want.tips)?,
            false => BTreeSet::new(),
        };
        Ok((received.objects, left_out))
    })
}

fn missing_documents(
    new: &gix::odb::Handle,
    old: &gix::odb::Handle,
    tips: &[ObjectId],
) -> Result<BTreeSet<ObjectId>, CentralError> {
    let mut missing = BTreeSet::new();
    for tip in tips {
        missing.extend(tree::missing_documents(new, old, *tip)?);
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

fn arguments(session: &Session, want: &Want<'_>) -> Arguments {
    let version = session.handshake.server_protocol_version;
    let mut features = Command::Fetch.default_features(version, &session.handshake.capabilities);
    // Depth counts from the tip only where it is not asked to count from the present boundary.
    features.retain(|(name, _)| !matches!(*name, "deepen-relative" | "include-tag" | "no-done" | "ref-in-want"));
    features.push(("agent", Some(super::AGENT.into())));
    let mut arguments = Arguments::new(version, features, false);
    for tip in want.tips {
        arguments.want(to_gix(*tip));
    }
    if arguments.can_use_shallow() {
        for id in want.shallow {
            arguments.shallow(to_gix(*id));
        }
        if let Some(depth) = want.depth {
            arguments.deepen(depth);
        }
    }
    if let Some(filter) = want.filter
        && arguments.can_use_filter()
    {
        arguments.filter(filter);
    }
    // The older protocols answer each of several, which takes more than the one round.
    let haves = if version == Protocol::V2 { want.haves.len() } else { 1 };
    for have in want.haves.iter().take(haves) {
        arguments.have(to_gix(*have));
    }
    arguments
}

fn receive(
    remote: &mut Remote,
    options: &ConnectOptions,
    want: &Want<'_>,
    area: &Path,
    here: &Here<'_>,
    on_shallow: impl FnOnce(&[ObjectId]) -> Result<(), CentralError>,
    told: &mut dyn FnMut(u64),
) -> Result<Received, CentralError> {
    let session = &mut remote.session;
    let _exchange = session.exchange("fetch");
    let version = session.handshake.server_protocol_version;
    let mut arguments = arguments(session, want);
    let mut received = None;
    let mut too_large = false;
    let mut refused = None;
    let result = (|| -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        let mut reader = arguments.send(&mut session.transport, true)?;
        let response = Response::from_line_reader(version, &mut reader, true, false)?;
        let shallow: Vec<ObjectId> = response
            .shallow_updates()
            .iter()
            .filter_map(|update| match update {
                ShallowUpdate::Shallow(id) => Some(from_gix(id)),
                ShallowUpdate::Unshallow(_) => None,
            })
            .collect();
        if !response.has_pack() {
            return Err("central sent no objects".into());
        }
        let words: std::rc::Rc<std::cell::RefCell<Vec<u8>>> = Default::default();
        let sink = words.clone();
        reader.set_progress_handler(Some(Box::new(move |is_error, text: &[u8]| {
            if is_error && sink.borrow().len() < 4096 {
                sink.borrow_mut().extend_from_slice(text);
            }
            std::ops::ControlFlow::Continue(())
        })));
        on_shallow(&shallow)?;
        let stream = BufReader::new(Counted {
            inner: &mut reader,
            bytes: 0,
            told,
        });
        let came = incoming::receive(stream, area, here, remote.format, Bounds::default(), &options.interrupt)
            .map_err(|err| {
                too_large = err.is_too_large();
                refused = err.refusal();
                let words = words.borrow();
                if words.is_empty() {
                    Box::<dyn std::error::Error + Send + Sync>::from(err)
                } else {
                    crate::send_pack::printable_lines(&words).into()
                }
            })?;
        // What is left is a flush, and for some servers a last progress line.
        std::io::copy(&mut reader, &mut std::io::sink())?;
        received = Some(came);
        Ok(())
    })();
    if let Some(refused) = refused {
        // What the server says meanwhile has nothing to do with it.
        return Err(CentralError::cache(area, "written")(refused));
    }
    match (result, received) {
        (Ok(()), Some(received)) => Ok(received),
        (Ok(()), None) => unreachable!("success notes what came"),
        (Err(_), _) if too_large => Err(CentralError::TooLarge),
        (Err(err), _) => Err(match session.explain(err.as_ref()) {
            failure if failure.kind != FailureKind::Other => CentralError::Connect(failure),
            failure => CentralError::Receive(failure.message),
        }),
    }
}

/// Tells how many bytes were taken from a reader.
struct Counted<'a> {
    inner: &'a mut dyn Read,
    bytes: u64,
    told: &'a mut dyn FnMut(u64),
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.bytes += read as u64;
        (self.told)(self.bytes);
        Ok(read)
    }
}
