//! Where each entry of a stream goes: into this pack with what it builds on, or into the next one.

use std::io;

use gix::{objs::Find, zlib::Compression};
use gix_pack::data::{entry::Header, input};

use super::{
    super::{super::from_gix, IncomingError, entries::Arrived},
    Pack,
};

/// A pack is closed when it has this many entries: gitoxide's index of them is held in memory until then.
const MOST_ENTRIES: usize = 100_000;

/// What objects of one pack build on is held in memory while they are named. A pack is closed before a difference that
/// would have more below it than this.
const HIGHEST: Chain = Chain {
    differences: 250,
    bytes: 32 << 20,
};

/// What lies below an object, itself included: differences, and bytes of all objects up to the whole one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Chain {
    differences: u32,
    bytes: u64,
}

impl Chain {
    fn whole(bytes: u64) -> Self {
        Chain { differences: 0, bytes }
    }

    fn and(self, bytes: u64) -> Self {
        Chain {
            differences: self.differences.saturating_add(1),
            bytes: self.bytes.saturating_add(bytes),
        }
    }

    /// Whether it helps to begin anew in another pack: a whole object is as low as can be.
    fn is_too_high(self) -> bool {
        self.differences > 0 && (self.differences >= HIGHEST.differences || self.bytes > HIGHEST.bytes)
    }
}

/// An entry in a pack.
#[derive(Debug, Clone, Copy)]
pub(super) struct Placed {
    pub(super) in_stream: u64,
    pub(super) here: u64,
    chain: Chain,
}

/// What a difference builds on.
enum Base {
    /// An entry of this pack, at this place, and what lies below it.
    At(u64, Chain),
    /// An object that has to be added first.
    Add(Box<input::Entry>, gix::ObjectId),
    /// Something that may still come.
    Elsewhere(gix::ObjectId),
    /// A file of this stream that was left out.
    LeftOut,
}

impl<R: io::BufRead> Pack<'_, '_, R> {
    pub(super) fn next_entry(&mut self) -> Result<Option<input::Entry>, IncomingError> {
        if let Some((entry, chain)) = self.waiting.take() {
            return Ok(Some(self.place(entry, chain)));
        }
        loop {
            let is_full = self.next >= self.size || self.placed.len() >= MOST_ENTRIES;
            if is_full && !self.has_loose_end {
                return Ok(None);
            }
            let (mut entry, size) = match self.entries.next()? {
                None => return Ok(None),
                Some(Arrived::TooLarge(place)) => {
                    self.sent.left_out.insert(place);
                    continue;
                }
                Some(Arrived::Entry(entry, size)) => (entry, size),
            };
            let mut chain = Chain::whole(size);
            match self.base_of(&entry)? {
                None => {}
                Some(Base::At(_, below)) if below.is_too_high() && !self.has_loose_end => {
                    self.entries.put_back(Arrived::Entry(entry, size));
                    return Ok(None);
                }
                Some(Base::At(place, below)) => {
                    entry.header = self.difference_to(place);
                    chain = below.and(size);
                }
                Some(Base::Elsewhere(base_id)) => {
                    self.has_loose_end = true;
                    entry.header = Header::RefDelta { base_id };
                }
                Some(Base::LeftOut) => {
                    self.sent.left_out.insert(entry.pack_offset);
                    continue;
                }
                Some(Base::Add(base, id)) => {
                    let below = Chain::whole(base.decompressed_size);
                    self.bases.insert(id, (self.next, below.bytes));
                    let base = self.put(*base);
                    entry.header = Header::OfsDelta {
                        base_distance: base.bytes_in_pack(),
                    };
                    self.waiting = Some((entry, below.and(size)));
                    return Ok(Some(base));
                }
            }
            return Ok(Some(self.place(entry, chain)));
        }
    }

    fn base_of(&mut self, entry: &input::Entry) -> Result<Option<Base>, IncomingError> {
        let id = match entry.header {
            Header::Commit | Header::Tree | Header::Blob | Header::Tag => return Ok(None),
            Header::RefDelta { base_id } => base_id,
            Header::OfsDelta { base_distance } => {
                let place = Header::verified_base_pack_offset(entry.pack_offset, base_distance);
                let place = place.unwrap_or_default();
                if self.sent.left_out.contains(&place) {
                    return Ok(Some(Base::LeftOut));
                }
                if let Ok(found) = self.placed.binary_search_by_key(&place, |placed| placed.in_stream) {
                    let found = self.placed[found];
                    return Ok(Some(Base::At(found.here, found.chain)));
                }
                self.sent.id_at(place).ok_or_else(|| {
                    IncomingError::Malformed("a difference to an object that was not sent before".into())
                })?
            }
        };
        if let Some((place, size)) = self.bases.get(&id) {
            return Ok(Some(Base::At(*place, Chain::whole(*size))));
        }
        if self.here.left_out.contains(&from_gix(&id)) {
            return Err(IncomingError::BaseLeftOut);
        }
        let mut buffer = Vec::new();
        for (objects, is_new) in [(self.earlier, true), (self.here.bases, false)] {
            let found = match objects.try_find(&id, &mut buffer) {
                // It takes twice its size to be read where it lies as a difference itself.
                Err(err) if err.classify().is_resource_exhausted() && is_new => return Ok(Some(Base::LeftOut)),
                Err(err) if err.classify().is_resource_exhausted() => return Err(IncomingError::BaseLeftOut),
                found => found?,
            };
            if let Some(object) = found {
                let base = input::Entry::from_data_obj(&object, 0, Compression::BEST_SPEED)?;
                return Ok(Some(Base::Add(Box::new(base), id)));
            }
        }
        Ok(Some(Base::Elsewhere(id)))
    }

    fn difference_to(&self, place: u64) -> Header {
        Header::OfsDelta {
            base_distance: self.next - place,
        }
    }

    /// Gives an entry of the stream its place in this pack.
    fn place(&mut self, entry: input::Entry, chain: Chain) -> input::Entry {
        self.placed.push(Placed {
            in_stream: entry.pack_offset,
            here: self.next,
            chain,
        });
        self.put(entry)
    }

    fn put(&mut self, mut entry: input::Entry) -> input::Entry {
        entry.pack_offset = self.next;
        entry.header_size = entry.header.size(entry.decompressed_size) as u16;
        entry.crc32 = Some(entry.compute_crc32());
        self.next += entry.bytes_in_pack();
        entry
    }
}
