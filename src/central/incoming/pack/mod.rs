//! One pack among those that a stream becomes: its entries placed anew, its file and its index.

mod placing;

use std::{
    collections::{BTreeSet, HashMap},
    fs::{self, File},
    io::{self, BufWriter, Read, Seek, SeekFrom, Write},
    path::Path,
    sync::atomic::AtomicBool,
};

use gix_pack::{
    data::{self, input},
    index,
};

use self::placing::{Chain, Placed};
use super::{super::objects, Here, IncomingError, entries::Entries};

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
