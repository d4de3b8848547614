//! Paths in their order, with what is known of each, in few bytes: of a path there is only what differs from the one before it.

use crate::names::ObjectId;

/// Writes such bytes.
#[derive(Default)]
pub struct Packer {
    pub bytes: Vec<u8>,
    last: String,
}

impl Packer {
    pub fn path(&mut self, path: &str) {
        let mut same = self.last.bytes().zip(path.bytes()).take_while(|(a, b)| a == b).count();
        while !path.is_char_boundary(same) {
            same -= 1;
        }
        self.number(same as u64);
        self.number((path.len() - same) as u64);
        self.bytes.extend_from_slice(&path.as_bytes()[same..]);
        self.last.truncate(same);
        self.last.push_str(&path[same..]);
    }

    /// Small ones take less room.
    pub fn number(&mut self, mut number: u64) {
        while number > 0x7f {
            self.bytes.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.bytes.push(number as u8);
    }

    /// The same of those that may be below zero.
    pub fn signed(&mut self, number: i64) {
        self.number((number << 1 ^ number >> 63) as u64);
    }

    /// A content, and a number below 4 beside it.
    pub fn id(&mut self, id: ObjectId, beside: u8) {
        let id = id.as_bytes();
        self.bytes.push(id.len() as u8 | beside << 6);
        self.bytes.extend_from_slice(id);
    }
}

/// Reads them again. `None` of anything: they end, or are no such bytes.
pub struct Unpacker<'a> {
    rest: &'a [u8],
    path: String,
}

impl<'a> Unpacker<'a> {
    pub fn of(bytes: &'a [u8]) -> Self {
        Unpacker {
            rest: bytes,
            path: String::new(),
        }
    }

    pub fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }

    pub fn path(&mut self) -> Option<&str> {
        let same = usize::try_from(self.number()?).ok()?;
        let more = usize::try_from(self.number()?).ok()?;
        if !self.path.is_char_boundary(same) {
            return None;
        }
        self.path.truncate(same);
        let more = std::str::from_utf8(self.take(more)?).ok()?;
        self.path.push_str(more);
        Some(&self.path)
    }

    pub fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = *self.take(1)?.first()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    pub fn signed(&mut self) -> Option<i64> {
        let number = self.number()?;
        Some((number >> 1) as i64 ^ -((number & 1) as i64))
    }

    pub fn id(&mut self) -> Option<(ObjectId, u8)> {
        let byte = *self.take(1)?.first()?;
        let id = ObjectId::from_bytes(self.take(usize::from(byte & 0x3f))?)?;
        Some((id, byte >> 6))
    }

    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        Some(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_is_unpacked() {
        let paths = ["", "a", "a/b", "a/ä", "a/ö", "a/ö\n\0", "b"];
        let ids = [20, 32].map(|len| ObjectId::from_bytes(&vec![len as u8; len]).unwrap());
        let numbers = [0, 1, 127, 128, 1 << 40, u64::MAX];
        let signed = [i64::MIN, -1, 0, 1, i64::MAX];
        let mut packer = Packer::default();
        for path in paths {
            packer.path(path);
            for number in numbers {
                packer.number(number);
            }
            for number in signed {
                packer.signed(number);
            }
            for (beside, id) in (0..).zip(ids) {
                packer.id(id, beside + 2);
            }
        }
        let mut unpacker = Unpacker::of(&packer.bytes);
        for path in paths {
            assert_eq!(unpacker.path(), Some(path));
            assert_eq!(numbers.map(|_| unpacker.number()), numbers.map(Some));
            assert_eq!(signed.map(|_| unpacker.signed()), signed.map(Some));
            for (beside, id) in (0..).zip(ids) {
                assert_eq!(unpacker.id(), Some((id, beside + 2)));
            }
        }
        assert!(unpacker.is_at_end() && unpacker.path().is_none());
    }

    #[test]
    fn other_bytes_are_none() {
        for bytes in [&[5, 0][..], &[0, 9, b'a'], &[0, 1, 0xff], &[0xff; 12]] {
            assert!(Unpacker::of(bytes).path().is_none(), "{bytes:?}");
        }
        assert!(Unpacker::of(&[7, 1, 2, 3, 4, 5, 6, 7]).id().is_none());
    }
}
