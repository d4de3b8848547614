//! Who wrote, and which of its writes.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The digits of a device's name: base 32 in small letters, without padding.
const DIGITS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
const LEN: usize = 16;

/// The name of a device: 80 random bits as 16 letters and digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeviceId([u8; LEN]);

impl DeviceId {
    /// The name that these random bits make.
    pub fn from_bits(bits: [u8; 10]) -> Self {
        let mut rest = bits.iter().fold(0u128, |sum, byte| sum << 8 | u128::from(*byte));
        let mut name = [0; LEN];
        for digit in name.iter_mut().rev() {
            *digit = DIGITS[(rest & 31) as usize];
            rest >>= 5;
        }
        DeviceId(name)
    }

    /// As it is written.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

/// It is not 16 letters and digits of base 32.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a device's name is 16 of the letters a to z and the digits 2 to 7")]
pub struct NotADevice;

impl FromStr for DeviceId {
    type Err = NotADevice;

    fn from_str(name: &str) -> Result<Self, NotADevice> {
        let name: [u8; LEN] = name.as_bytes().try_into().map_err(|_| NotADevice)?;
        match name.iter().all(|byte| DIGITS.contains(byte)) {
            true => Ok(DeviceId(name)),
            false => Err(NotADevice),
        }
    }
}

impl fmt::Display for DeviceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for DeviceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for DeviceId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for DeviceId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = std::borrow::Cow::<str>::deserialize(deserializer)?;
        name.parse().map_err(serde::de::Error::custom)
    }
}

/// One write among all: nobody else ever has the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Dot {
    /// Who wrote it.
    pub device: DeviceId,
    /// Which of its writes it is, from 1 on without a gap.
    pub seq: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_bits_of_a_name_count() {
        let name = DeviceId::from_bits([0xff; 10]);
        assert_eq!(name.as_str(), "7777777777777777");
        assert_eq!(DeviceId::from_bits([0; 10]).as_str(), "aaaaaaaaaaaaaaaa");
        let mut bits = [0; 10];
        bits[0] = 1 << 3;
        assert_eq!(DeviceId::from_bits(bits).as_str(), "baaaaaaaaaaaaaaa");
        assert_eq!(name.as_str().parse(), Ok(name));
    }

    #[test]
    fn nothing_else_is_a_name() {
        for odd in [
            "",
            "aaaaaaaaaaaaaaa",
            "aaaaaaaaaaaaaaaaa",
            "aaaaaaaaaaaaaaa1",
            "AAAAAAAAAAAAAAAA",
            "../aaaaaaaaaaaaa",
        ] {
            assert_eq!(odd.parse::<DeviceId>(), Err(NotADevice), "{odd}");
        }
    }
}
