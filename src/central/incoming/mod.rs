//! From the pack that a server sends to packs in a folder.
//!
//! A server sends one pack, however large. gitoxide maps a pack into memory to index it and to read from it, so one of
//! central's size would cost memory of central's size. Here the stream is cut into packs of about [`PACK_SIZE`] bytes:
//! what is mapped at a time is bounded, and so is what is held ([`entries`]). One with very many objects, or with differences
//! piled high, is closed earlier: gitoxide holds an index of them and what they build on.
//!
//! A difference whose base came in an earlier pack, or is in the store already, gets that base into its own pack, so each
//! pack can be read alone ([`pack`]).

use std::{
    collections::BTreeSet,
    io::{self, BufRead},
    path::Path,
    sync::atomic::AtomicBool,
};

use super::{
    CentralError, hash_kind,
    objects::{self, Handle},
};
use crate::{
    names::{ObjectFormat, ObjectId},
    text::Untrusted,
};

mod entries;
pub mod fuzzing;
#[cfg(test)]
mod hostile_tests;
mod pack;

use entries::Entries;
use pack::{Pack, Sent};

#[cfg(test)]
mod tests;

/// A pack is closed when it has this many bytes.
const PACK_SIZE: u64 = 16 << 20;

/// What is held at a time, in bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// A pack is closed when it has as many.
    pub pack: u64,
    /// Files that are larger are left out.
    pub object: u64,
}

impl Default for Bounds {
    fn default() -> Self {
        Bounds {
            pack: PACK_SIZE,
            object: objects::ALLOC_LIMIT as u64,
        }
    }
}

/// Why a pack could not be received.
#[derive(Debug, thiserror::Error)]
pub(super) enum IncomingError {
    /// The stream ended or broke, or a file could not be written.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// gitoxide could not make sense of it, or not write its index.
    #[error(transparent)]
    Pack(#[from] gix::Error),
    /// It breaks the format.
    #[error("central sent {0}")]
    Malformed(Untrusted),
    /// A folder or a commit is larger than what is ever held in memory.
    #[error("central sent an object that is too large")]
    TooLarge,
    /// A file is sent as a difference to one that was left out, though it is not too large itself: fetching anew brings it whole.
    #[error("central sent a difference to a file that was too large to be received")]
    BaseLeftOut,
    /// The objects that came could not be looked at.
    #[error(transparent)]
    Store(#[from] CentralError),
}

impl IncomingError {
    /// Whether it is about the size of one object.
    pub(super) fn is_too_large(&self) -> bool {
        match self {
            IncomingError::TooLarge => true,
            IncomingError::Pack(err) => err.classify().is_resource_exhausted(),
            _ => false,
        }
    }

    /// What this machine's system said, if it refused to write.
    pub(super) fn refusal(&self) -> Option<io::Error> {
        match self {
            IncomingError::Io(err) => objects::refusal(std::iter::once(err as &(dyn std::error::Error + 'static))),
            IncomingError::Pack(err) => objects::refusal(err.iter_errors()),
            _ => None,
        }
    }
}

/// What came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Received {
    /// Objects in the stream.
    pub objects: u32,
    /// Whether files were left out because they are too large.
    pub is_partial: bool,
}

/// What is here already.
pub(super) struct Here<'a> {
    /// Objects that the server may send differences to.
    pub bases: &'a Handle,
    /// Files that the server takes for being here, but which were too large. What builds on them cannot be had this way.
    pub left_out: &'a BTreeSet<ObjectId>,
}

/// Reads a pack from `stream` and writes it as several, with their indices, to `objects/pack`. On an error nothing there is of use.
pub(super) fn receive(
    stream: impl BufRead,
    objects: &Path,
    here: &Here<'_>,
    format: ObjectFormat,
    bounds: Bounds,
    interrupt: &AtomicBool,
) -> Result<Received, IncomingError> {
    let kind = hash_kind(format);
    let mut entries = Entries::begin(stream, kind, bounds.object, interrupt)?;
    let mut sent = Sent::default();
    let mut received = Received {
        objects: 0,
        is_partial: false,
    };
    while !entries.is_at_end() {
        let earlier = objects::open(objects, format)?;
        let pack = Pack::new(&mut entries, &mut sent, here, &earlier, kind, bounds.pack);
        received.objects += pack.write(&objects.join("pack"), interrupt)?;
    }
    received.is_partial = sent.is_partial();
    Ok(received)
}
