//! Packs made by hand, right or wrong.

use std::io::Write as _;

use gix::{objs::Kind, zlib::stream::deflate};
use gix_pack::data::entry::Header;

pub(super) const SHA1: gix::hash::Kind = gix::hash::Kind::Sha1;

/// A pack of whatever entries, well-formed or not.
pub(super) struct Crafted {
    pub(super) bytes: Vec<u8>,
    pub(super) places: Vec<u64>,
}

impl Crafted {
    pub(super) fn new() -> Self {
        Crafted {
            bytes: b"PACK\0\0\0\x02\0\0\0\0".to_vec(),
            places: Vec::new(),
        }
    }

    pub(super) fn next(&self) -> u64 {
        self.bytes.len() as u64
    }

    /// An entry that says to be `size` bytes.
    pub(super) fn add_lying(&mut self, header: Header, size: u64, data: &[u8]) -> u64 {
        let place = self.next();
        self.places.push(place);
        header.write_to(size, &mut self.bytes).unwrap();
        self.bytes.extend(deflated(data));
        place
    }

    pub(super) fn add(&mut self, header: Header, data: &[u8]) -> u64 {
        self.add_lying(header, data.len() as u64, data)
    }

    pub(super) fn blob(&mut self, data: &[u8]) -> u64 {
        self.add(Header::Blob, data)
    }

    pub(super) fn difference_to(&mut self, place: u64, difference: &[u8]) -> u64 {
        let base_distance = self.next() - place;
        self.add(Header::OfsDelta { base_distance }, difference)
    }

    /// With a checksum that fits.
    pub(super) fn counted(mut self, count: u32) -> Vec<u8> {
        self.bytes[8..12].copy_from_slice(&count.to_be_bytes());
        sealed(&self.bytes)
    }

    pub(super) fn done(self) -> Vec<u8> {
        let count = self.places.len() as u32;
        self.counted(count)
    }
}

pub(super) fn sealed(pack: &[u8]) -> Vec<u8> {
    let mut hash = gix::hash::hasher(SHA1);
    hash.update(pack);
    [pack, hash.try_finalize().unwrap().as_slice()].concat()
}

pub(super) fn deflated(data: &[u8]) -> Vec<u8> {
    let mut out = deflate::Write::new(Vec::new(), gix::zlib::Compression::BEST_SPEED);
    out.write_all(data).unwrap();
    out.flush().unwrap();
    out.into_inner()
}

pub(super) fn number(mut n: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while n > 0x7f {
        bytes.push(n as u8 | 0x80);
        n >>= 7;
    }
    bytes.push(n as u8);
    bytes
}

/// The difference that makes `of` bytes into themselves with `and` behind.
pub(super) fn appending(of: u64, and: &[u8]) -> Vec<u8> {
    let mut difference = [number(of), number(of + and.len() as u64)].concat();
    let mut at = 0;
    while at < of {
        let part = (of - at).min(0xff_ffff);
        difference.push(0xff);
        difference.extend(&(at as u32).to_le_bytes());
        difference.extend(&(part as u32).to_le_bytes()[..3]);
        at += part;
    }
    for part in and.chunks(0x7f) {
        difference.push(part.len() as u8);
        difference.extend(part);
    }
    difference
}

pub(super) fn id_of(data: &[u8]) -> gix::ObjectId {
    gix::objs::compute_hash(SHA1, Kind::Blob, data).unwrap()
}
