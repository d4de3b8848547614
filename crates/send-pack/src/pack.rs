//! Streams the objects of a push as a pack, one at a time: memory holds a single object, never the pack.

use std::io;

use gix_error::{ErrorExt, message};
use gix_hash::ObjectId;
use gix_object as objs;
use gix_pack::data::{
    self,
    output::{Count, Entry, bytes::FromEntriesIter, entry::Kind},
};

use super::delta;

/// One object to send.
#[derive(Debug, Clone)]
pub struct PackObject {
    /// Its id.
    pub id: ObjectId,
    /// What it is.
    pub kind: objs::Kind,
    /// Its content, without git's header.
    pub data: Vec<u8>,
    /// An object that the server is known to have, with its content: sent is then only the difference, if that is
    /// smaller. Must be of the same kind.
    pub delta_base: Option<(ObjectId, Vec<u8>)>,
}

/// Writes a pack of exactly `count` objects. A source that yields another number is an error, and so is a write that
/// fails; the pack's checksum is then missing, so that no server takes the fragment.
pub fn write<E>(
    objects: impl Iterator<Item = Result<PackObject, E>>,
    count: u32,
    hash: gix_hash::Kind,
    out: impl io::Write,
) -> Result<u64, WriteError<E>> {
    let mut failed = None;
    let mut seen = 0u32;
    // The writer completes the pack with its checksum when its input ends, so an input that ends early has to end
    // with an error.
    let mut objects = objects;
    let entries = std::iter::from_fn(|| match objects.next() {
        Some(Ok(object)) => {
            seen += 1;
            Some(entry(object).map(|entry| vec![entry]))
        }
        Some(Err(err)) => {
            failed = Some(err);
            Some(Err(message("the source of the objects failed").raise()))
        }
        None if seen != count => Some(Err(message("the number of objects is not the announced one").raise())),
        None => None,
    });
    let mut bytes = 0;
    let mut result = Ok(());
    let mut out = Tap { out, failed: None };
    for written in FromEntriesIter::new(entries, &mut out, count, data::Version::V2, hash) {
        match written {
            Ok(written) => bytes += written,
            Err(err) => result = Err(err),
        }
    }
    match (failed, result) {
        (Some(err), _) => Err(WriteError::Source(err)),
        (None, Err(_)) if seen != count => Err(WriteError::Count { announced: count, seen }),
        (None, Err(err)) => Err(WriteError::Write(
            out.failed.unwrap_or_else(|| io::Error::other(format!("{err:#}"))),
        )),
        (None, Ok(())) => Ok(bytes),
    }
}

/// Keeps the error of a failed write as it is, of which the encoder on top only hands on a copy in words.
struct Tap<W> {
    out: W,
    failed: Option<io::Error>,
}

impl<W> Tap<W> {
    fn noted<T>(&mut self, result: io::Result<T>) -> io::Result<T> {
        result.map_err(|err| {
            let copy = io::Error::from(err.kind());
            self.failed.get_or_insert(err);
            copy
        })
    }
}

impl<W: io::Write> io::Write for Tap<W> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let written = self.out.write(buf);
        match written {
            // Not a failure: it is tried again.
            Err(err) if err.kind() == io::ErrorKind::Interrupted => Err(err),
            written => self.noted(written),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        let flushed = self.out.flush();
        self.noted(flushed)
    }
}

/// Why a pack was not written whole.
#[derive(Debug, thiserror::Error)]
pub enum WriteError<E> {
    /// The source of the objects failed.
    #[error("an object to send could not be read")]
    Source(E),
    /// Writing failed.
    #[error("the pack could not be sent: {0}")]
    Write(io::Error),
    /// The source yielded another number of objects than announced.
    #[error("{announced} objects were announced, {seen} were there")]
    Count {
        /// As written in the pack's header.
        announced: u32,
        /// As yielded.
        seen: u32,
    },
}

fn entry(object: PackObject) -> gix_error::Result<Entry> {
    let encode = |data: &[u8]| {
        Entry::from_data(
            &Count::from_data(object.id, None),
            &objs::Data {
                kind: object.kind,
                data,
                object_hash: object.id.kind(),
            },
            gix_zlib::Compression::DEFAULT,
        )
    };
    if let Some((base_id, base)) = &object.delta_base
        && let Some(delta) = delta::encode(base, &object.data)
    {
        return Ok(Entry {
            kind: Kind::DeltaOid { id: *base_id },
            ..encode(&delta)?
        });
    }
    encode(&object.data)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blob(n: u8, base: Option<u8>) -> PackObject {
        let data = |n: u8| {
            let mut data = "the same line\n".repeat(200).into_bytes();
            data.push(n);
            data
        };
        let id = |data: &[u8]| objs::compute_hash(gix_hash::Kind::Sha1, objs::Kind::Blob, data).unwrap();
        PackObject {
            id: id(&data(n)),
            kind: objs::Kind::Blob,
            data: data(n),
            delta_base: base.map(|n| (id(&data(n)), data(n))),
        }
    }

    fn pack(objects: Vec<PackObject>, count: u32) -> Result<Vec<u8>, WriteError<()>> {
        let mut out = Vec::new();
        write(objects.into_iter().map(Ok), count, gix_hash::Kind::Sha1, &mut out).map(|_| out)
    }

    #[test]
    fn a_delta_is_sent_where_the_server_has_the_base() {
        let whole = pack(vec![blob(1, None)], 1).unwrap();
        let delta = pack(vec![blob(1, Some(2))], 1).unwrap();
        assert_eq!(&whole[..12], b"PACK\0\0\0\x02\0\0\0\x01");
        assert_eq!(whole[12] >> 4 & 7, 3, "a whole blob");
        assert_eq!(delta[12] >> 4 & 7, 7, "a delta by id");
    }

    #[test]
    fn a_source_that_fails_or_miscounts_is_an_error() {
        let objects = [Ok(blob(1, None)), Err("gone")];
        let failed = write(objects.into_iter(), 2, gix_hash::Kind::Sha1, io::sink());
        assert!(matches!(failed, Err(WriteError::Source("gone"))));
        assert!(matches!(pack(vec![blob(1, None)], 2), Err(WriteError::Count { .. })));
    }
}
