//! The entries of a pack as they come off the wire, in bounded memory whatever is sent.

use std::{
    io::{self, BufRead, Read},
    sync::atomic::{AtomicBool, Ordering},
};

use gix::zlib::{Decompress, stream::inflate};
use gix_pack::data::{self, entry::Header, input};

use super::IncomingError;

/// What comes next in the stream.
pub(super) enum Arrived {
    /// An object, or a difference to one, compressed as it came, and the size of the object. Its `pack_offset` is the place
    /// in the stream.
    Entry(input::Entry, u64),
    /// At this place in the stream: a file too large to be held, which was read over.
    TooLarge(u64),
}

/// Reads a pack stream to its end and compares the checksum there.
pub(super) struct Entries<'a, R> {
    stream: Observed<R>,
    left: u32,
    put_back: Option<Arrived>,
    limit: u64,
    interrupt: &'a AtomicBool,
    inflate: Decompress,
    inflated: Box<[u8; 16 * 1024]>,
    format: gix::hash::Kind,
}

impl<'a, R: BufRead> Entries<'a, R> {
    /// Reads the header. Objects of more than `limit` bytes are not held.
    pub(super) fn begin(
        stream: R,
        format: gix::hash::Kind,
        limit: u64,
        interrupt: &'a AtomicBool,
    ) -> Result<Self, IncomingError> {
        let mut stream = Observed {
            inner: stream,
            bytes: 0,
            hash: gix::hash::hasher(format),
            kept: None,
        };
        let mut header = [0; data::header::SIZE];
        stream.read_exact(&mut header)?;
        let (version, left) = data::header::decode(&header)?;
        if version != data::Version::V2 {
            return Err(IncomingError::Malformed("a pack of an unknown version".into()));
        }
        Ok(Entries {
            stream,
            left,
            put_back: None,
            limit,
            interrupt,
            inflate: Decompress::default(),
            inflated: Box::new([0; 16 * 1024]),
            format,
        })
    }

    /// Whether all of it was read.
    pub(super) fn is_at_end(&self) -> bool {
        self.left == 0 && self.put_back.is_none()
    }

    /// Gives back what was taken last, to be taken again.
    pub(super) fn put_back(&mut self, arrived: Arrived) {
        self.put_back = Some(arrived);
    }

    /// The next one; `None` after the last.
    pub(super) fn next(&mut self) -> Result<Option<Arrived>, IncomingError> {
        if let Some(arrived) = self.put_back.take() {
            return Ok(Some(arrived));
        }
        if self.left == 0 {
            return Ok(None);
        }
        if self.interrupt.load(Ordering::Relaxed) {
            return Err(io::Error::from(io::ErrorKind::Interrupted).into());
        }
        let pack_offset = self.stream.bytes;
        let entry = data::Entry::from_read(&mut self.stream, pack_offset, self.format.len_in_bytes())?;
        let (header, size) = (entry.header, entry.decompressed_size);
        let (compressed, beginning) = self.compressed(size)?;
        self.left -= 1;
        if self.left == 0 {
            self.verify()?;
        }
        let result_size = if header.is_delta() {
            result_size(&beginning)
        } else {
            size
        };
        let Some(compressed) = compressed.filter(|_| result_size <= self.limit) else {
            return match header {
                Header::Blob | Header::OfsDelta { .. } | Header::RefDelta { .. } => {
                    Ok(Some(Arrived::TooLarge(pack_offset)))
                }
                Header::Commit | Header::Tree | Header::Tag => Err(IncomingError::TooLarge),
            };
        };
        let entry = input::Entry {
            header,
            header_size: header.size(size) as u16,
            compressed_size: compressed.len() as u64,
            compressed: Some(compressed),
            crc32: None,
            pack_offset,
            decompressed_size: size,
            trailer: None,
        };
        Ok(Some(Arrived::Entry(entry, result_size)))
    }

    /// The compressed bytes of an entry that inflates to `size` bytes, unless that is beyond the limit, and its first bytes inflated.
    fn compressed(&mut self, size: u64) -> Result<(Option<Vec<u8>>, Vec<u8>), IncomingError> {
        self.inflate.reset();
        self.stream.kept = (size <= self.limit).then(Vec::new);
        let mut beginning = Vec::new();
        let mut total = 0;
        loop {
            let read = inflate::read(&mut self.stream, &mut self.inflate, &mut self.inflated[..])?;
            if total == 0 {
                beginning.extend_from_slice(&self.inflated[..read.min(TWO_SIZES)]);
            }
            total += read as u64;
            if total > size || (read == 0 && total < size) {
                let reason = format!("an object of {size} bytes does not have that many");
                return Err(IncomingError::Malformed(reason.into()));
            }
            if read == 0 {
                return Ok((self.stream.kept.take(), beginning));
            }
        }
    }

    fn verify(&mut self) -> Result<(), IncomingError> {
        let expected = self.stream.hash.clone().try_finalize()?;
        let mut sent = vec![0; self.format.len_in_bytes()];
        self.stream.read_exact(&mut sent)?;
        if expected.as_slice() == sent {
            Ok(())
        } else {
            Err(IncomingError::Malformed(
                "a pack whose checksum is that of other bytes".into(),
            ))
        }
    }
}

/// As many bytes as the two numbers that a difference begins with can have.
const TWO_SIZES: usize = 20;

/// The size of what a difference leads to: the second of the two numbers at its beginning, seven bits a byte, lowest first
/// (gitformat-pack, "deltified representation"). A number that does not fit is as large as can be.
fn result_size(difference: &[u8]) -> u64 {
    let base = difference
        .iter()
        .position(|byte| byte & 0x80 == 0)
        .map_or(0, |last| last + 1);
    let mut size = 0_u64;
    for (n, byte) in difference.iter().skip(base).enumerate() {
        let (bits, shift) = (u64::from(byte & 0x7f), 7 * n as u32);
        if bits.leading_zeros() < shift {
            return u64::MAX;
        }
        size |= bits.checked_shl(shift).unwrap_or_default();
        if byte & 0x80 == 0 {
            return size;
        }
    }
    u64::MAX
}

/// Counts and hashes what is taken from a stream, and keeps it where asked to.
struct Observed<R> {
    inner: R,
    bytes: u64,
    hash: gix::hash::Hasher,
    kept: Option<Vec<u8>>,
}

impl<R: BufRead> Read for Observed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let available = self.fill_buf()?;
        let read = available.len().min(buffer.len());
        buffer[..read].copy_from_slice(&available[..read]);
        self.consume(read);
        Ok(read)
    }
}

impl<R: BufRead> BufRead for Observed<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.inner.fill_buf()
    }

    fn consume(&mut self, bytes: usize) {
        // What is consumed was filled before: asking again reads nothing.
        let taken = self.inner.fill_buf().unwrap_or_default();
        let taken = &taken[..bytes.min(taken.len())];
        self.hash.update(taken);
        if let Some(kept) = &mut self.kept {
            kept.extend_from_slice(taken);
        }
        self.bytes += taken.len() as u64;
        self.inner.consume(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_says_what_it_leads_to() {
        assert_eq!(result_size(&[0x05, 0x07]), 7);
        assert_eq!(result_size(&[0x85, 0x01, 0x80, 0x01, 0xff]), 128);
        assert_eq!(
            result_size(&[0x05, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
            u64::MAX
        );
        let of_ten_bytes = |last| result_size(&[&[0x05], &[0x80; 9][..], &[last]].concat());
        assert_eq!(of_ten_bytes(0x01), 1 << 63);
        assert_eq!(of_ten_bytes(0x02), u64::MAX, "a bit that does not fit is not dropped");
        assert_eq!(of_ten_bytes(0x00), 0);
        assert_eq!(result_size(&[0x05]), u64::MAX);
        assert_eq!(result_size(&[]), u64::MAX);
    }
}
