//! One pack among those that a stream becomes: its entries placed anew, its file and its index.

use std::{
    collections::{BTreeSet, HashMap},
    fs::{self, File},
    io::{self, BufWriter, Read, Seek, SeekFrom, Write},
    path::Path,
    sync::atomic::AtomicBool,
};

use gix::{objs::Find, zlib::Compression};
use gix_pack::{
    data::{self, entry::Header, input},
    index,
};

use super::{
    super::{from_gix, objects},
    Here, IncomingError,
    entries::{Arrived, Entries},
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
struct Chain {
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
struct Placed {
    in_stream: u64,
    here: u64,
    chain: Chain,
}

/// What was sent so far, by its place in the stream.
#[derive(Default)]
pub(super) struct Sent {
    /// What lies in packs that are written: place and id, by place.
    written: Vec<(u64, gix::ObjectId)>,
    /// Files that were left out, with all that builds on them.
    left_out: BTreeSet<u64>,
}

impl Sent {
    pub(super) fn is_partial(&self) -> bool {
        !self.left_out.is_empty()
    }

    fn id_at(&self, place: u64) -> Option<gix::ObjectId> {
        let found = self.written.binary_search_by_key(&place, |(at, _)| *at).ok()?;
        Some(self.written[found].1)
    }
}

/// Takes entries until there are enough for one pack.
pub(super) struct Pack<'a, 'i, R> {
    entries: &'a mut Entries<'i, R>,
    sent: &'a mut Sent,
    here: &'a Here<'a>,
    /// Objects in the packs before this one.
    earlier: &'a objects::Handle,
    format: gix::hash::Kind,
    size: u64,
    /// Where the next entry goes.
    next: u64,
    /// Those that came in the stream, in order.
    placed: Vec<Placed>,
    /// The bases that were added: place here, and size.
    bases: HashMap<gix::ObjectId, (u64, u64)>,
    /// What follows the base that was added just before.
    waiting: Option<(input::Entry, Chain)>,
    /// Its base may be anywhere in the stream, as with servers that name bases by id: nothing may go to another pack.
    has_loose_end: bool,
    failure: Option<IncomingError>,
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

impl<'a, 'i, R: io::BufRead> Pack<'a, 'i, R> {
    pub(super) fn new(
        entries: &'a mut Entries<'i, R>,
        sent: &'a mut Sent,
        here: &'a Here<'a>,
        earlier: &'a objects::Handle,
        format: gix::hash::Kind,
        size: u64,
    ) -> Self {
        Pack {
            entries,
            sent,
            here,
            earlier,
            format,
            size,
            next: data::header::SIZE as u64,
            placed: Vec::new(),
            bases: HashMap::new(),
            waiting: None,
            has_loose_end: false,
            failure: None,
        }
    }

    /// Writes the pack and its index to `folder`; returns how many entries came for it.
    pub(super) fn write(mut self, folder: &Path, interrupt: &AtomicBool) -> Result<u32, IncomingError> {
        let incoming = folder.join("incoming.pack");
        let file = PackFile(BufWriter::with_capacity(
            64 * 1024,
            File::options()
                .read(true)
                .write(true)
                .create_new(true)
                .open(&incoming)?,
        ));
        let index_path = incoming.with_extension("idx");
        let mut index_file = BufWriter::new(File::create_new(&index_path)?);
        let format = self.format;
        let written = index::write_data_iter_to_stream(
            index::Version::default(),
            || {
                let pack = data::File::at(&incoming, format).map_err(io::Error::other)?;
                Ok((entry_in as fn(data::EntryRange, &data::File) -> Option<&[u8]>, pack))
            },
            &mut input::EntriesToBytesIter::new(&mut self, file, data::Version::V2, format),
            None,
            &mut gix::progress::Discard,
            &mut index_file,
            interrupt,
            format,
            Some(objects::ALLOC_LIMIT),
            data::Version::V2,
        );
        let written = match (self.failure.take(), written) {
            (Some(failure), _) => return Err(failure),
            (None, written) => written?,
        };
        index_file.flush()?;
        drop(index_file);
        if written.num_objects == 0 {
            fs::remove_file(&incoming)?;
            fs::remove_file(&index_path)?;
            return Ok(0);
        }
        if !self.entries.is_at_end() {
            self.note_ids(&index_path)?;
        }
        let name = folder.join(format!("pack-{}.pack", written.data_hash.to_hex()));
        fs::rename(&incoming, &name)?;
        fs::rename(&index_path, name.with_extension("idx"))?;
        Ok(self.placed.len() as u32)
    }

    /// Remembers what lies where in the stream, for differences to it in later packs.
    fn note_ids(&mut self, index: &Path) -> Result<(), IncomingError> {
        let index = index::File::at(index, self.format)?;
        let mut ids: Vec<(u64, gix::ObjectId)> = index.iter().map(|entry| (entry.pack_offset, entry.oid)).collect();
        ids.sort_unstable_by_key(|(place, _)| *place);
        for placed in &self.placed {
            if let Ok(found) = ids.binary_search_by_key(&placed.here, |(at, _)| *at) {
                self.sent.written.push((placed.in_stream, ids[found].1));
            }
        }
        Ok(())
    }

    fn next_entry(&mut self) -> Result<Option<input::Entry>, IncomingError> {
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

impl<R: io::BufRead> Iterator for Pack<'_, '_, R> {
    type Item = gix::Result<input::Entry>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_entry().transpose().map(|entry| {
            entry.map_err(|err| {
                let shown = gix::error::message!("{err}").into();
                self.failure = Some(err);
                shown
            })
        })
    }
}

fn entry_in(range: data::EntryRange, pack: &data::File) -> Option<&[u8]> {
    pack.entry_slice(range)
}

/// A buffered file that can be read back as well.
struct PackFile(BufWriter<File>);

impl Write for PackFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl Read for PackFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.flush()?;
        self.0.get_mut().read(buffer)
    }
}

impl Seek for PackFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.0.seek(to)
    }
}
