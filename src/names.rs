//! Names that crossed a border once: validated here, trusted everywhere else.

use std::{fmt, marker::PhantomData, str::FromStr, sync::Arc};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, Visitor},
};

/// A name that breaks its rule, with the rule in words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} {value:?} is not valid: {rule}")]
pub struct InvalidName {
    /// What the value was meant to be, e.g. `workspace prefix`.
    pub what: &'static str,
    /// The offending value, cut to 64 characters.
    pub value: String,
    /// The rule in words.
    pub rule: &'static str,
}

impl InvalidName {
    fn new(what: &'static str, value: &str, rule: &'static str) -> Self {
        InvalidName {
            what,
            value: value.chars().take(64).collect(),
            rule,
        }
    }
}

/// A workspace's folder in central and, for others' workspaces, below `.metis/`.
///
/// `^[a-z0-9][a-z0-9-]{0,18}[a-z0-9]$`: two to twenty characters that no file system folds, no shell expands and
/// no git client refuses.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Prefix(String);

impl Prefix {
    /// The prefix as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Prefix {
    type Err = InvalidName;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        let alnum = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
        let bytes = s.as_bytes();
        let valid = (2..=20).contains(&bytes.len())
            && alnum(bytes[0])
            && alnum(bytes[bytes.len() - 1])
            && bytes.iter().all(|b| alnum(*b) || *b == b'-');
        if valid {
            Ok(Prefix(s.to_owned()))
        } else {
            Err(InvalidName::new(
                "workspace prefix",
                s,
                "2 to 20 characters a-z, 0-9 and '-', neither first nor last a '-'",
            ))
        }
    }
}

/// A document's code, e.g. `API-T-0001`: the name it goes by across all workspaces.
///
/// `^[A-Z][A-Z0-9]{0,15}-[A-Z]-\d{4,}$`, at most 64 bytes. Central's file name is this plus `.md`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
// Shared, as each document's is held by several lists at a time.
pub struct ShortCode(Arc<str>);

impl ShortCode {
    /// The code as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The letters before the first `-`: the `project.prefix` of the project that made it.
    pub fn letters(&self) -> &str {
        self.0.split('-').next().unwrap_or_default()
    }

    /// Central's file name: `<code>.md`.
    pub fn file_name(&self) -> String {
        format!("{}.md", self.0)
    }

    /// The inverse of [`file_name()`](Self::file_name): `None` unless `name` is a valid code plus `.md`.
    pub fn from_file_name(name: &str) -> Option<Self> {
        name.strip_suffix(".md")?.parse().ok()
    }
}

impl FromStr for ShortCode {
    type Err = InvalidName;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        let valid = s.len() <= 64 && {
            let mut parts = s.split('-');
            let project = parts.next().unwrap_or_default().as_bytes();
            let letter = parts.next().unwrap_or_default().as_bytes();
            let number = parts.next().unwrap_or_default().as_bytes();
            parts.next().is_none()
                && (1..=16).contains(&project.len())
                && project[0].is_ascii_uppercase()
                && project.iter().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
                && letter.len() == 1
                && letter[0].is_ascii_uppercase()
                && number.len() >= 4
                && number.iter().all(u8::is_ascii_digit)
        };
        if valid {
            Ok(ShortCode(s.into()))
        } else {
            Err(InvalidName::new(
                "short code",
                s,
                "a project (A-Z, then A-Z 0-9), a letter and at least four digits, joined by '-', as in API-T-0001",
            ))
        }
    }
}

/// The id of a git object, SHA-1 (20 bytes) or SHA-256 (32 bytes), printed as lower-case hex.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectId {
    len: u8,
    bytes: [u8; 32],
}

impl ObjectId {
    /// From the raw digest. `None` unless it has 20 or 32 bytes.
    pub fn from_bytes(digest: &[u8]) -> Option<Self> {
        if digest.len() != 20 && digest.len() != 32 {
            return None;
        }
        let mut bytes = [0; 32];
        bytes[..digest.len()].copy_from_slice(digest);
        Some(ObjectId {
            len: digest.len() as u8,
            bytes,
        })
    }

    /// The hash that made it, by its length.
    pub fn format(&self) -> ObjectFormat {
        if self.len == 20 {
            ObjectFormat::Sha1
        } else {
            ObjectFormat::Sha256
        }
    }

    /// The raw digest, 20 or 32 bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len as usize]
    }
}

/// Which hash names the objects of a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ObjectFormat {
    /// 20 bytes.
    Sha1,
    /// 32 bytes.
    Sha256,
}

impl ObjectFormat {
    /// The length of its ids, in bytes.
    pub fn id_len(self) -> usize {
        match self {
            ObjectFormat::Sha1 => 20,
            ObjectFormat::Sha256 => 32,
        }
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const HEX: &[u8; 16] = b"0123456789abcdef";
        let mut out = [0u8; 64];
        for (i, byte) in self.as_bytes().iter().enumerate() {
            out[2 * i] = HEX[(byte >> 4) as usize];
            out[2 * i + 1] = HEX[(byte & 15) as usize];
        }
        f.write_str(std::str::from_utf8(&out[..2 * self.len as usize]).expect("hex digits are ASCII"))
    }
}

impl fmt::Debug for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ObjectId({self})")
    }
}

impl FromStr for ObjectId {
    type Err = InvalidName;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidName::new("object id", s, "40 or 64 lower-case hex digits");
        let digit = |b: u8| match b {
            b'0'..=b'9' => Some(b - b'0'),
            b'a'..=b'f' => Some(b - b'a' + 10),
            _ => None,
        };
        if s.len() != 40 && s.len() != 64 {
            return Err(invalid());
        }
        let mut bytes = [0; 32];
        for (i, pair) in s.as_bytes().chunks_exact(2).enumerate() {
            let (high, low) = digit(pair[0]).zip(digit(pair[1])).ok_or_else(invalid)?;
            bytes[i] = high << 4 | low;
        }
        Ok(ObjectId {
            len: (s.len() / 2) as u8,
            bytes,
        })
    }
}

macro_rules! text_serde {
    ($($name:ident),*) => {$(
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_str(Text(PhantomData))
            }
        }
    )*};
}

/// Reads a name from text without a copy of that.
struct Text<T>(PhantomData<T>);

impl<T: FromStr<Err: fmt::Display>> Visitor<'_> for Text<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }
}

macro_rules! text_display {
    ($($name:ident),*) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
    )*};
}

text_serde!(Prefix, ShortCode, ObjectId);
text_display!(Prefix, ShortCode);

#[cfg(test)]
mod tests;
