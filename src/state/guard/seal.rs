//! What only this clone can write: seals and marks made with its secret, and the numbers of what it sealed.

use std::{collections::BTreeMap, fmt};

use ring::{
    digest, hmac,
    rand::{SecureRandom, SystemRandom},
};
use serde::{Deserialize, Serialize};

use super::{Guard, SCHEMA};
use crate::{
    state::files::{StateDir, StateError},
    text::hex,
};

/// The file with the serial numbers of cursors, beside the guard.
pub(super) const SERIALS: &str = "serials.json";
/// So many folders have a serial number: each linked worktree has one, and so has each place that a folder was moved to.
pub(super) const MAX_SERIALS: usize = 64;
/// What `Guard::check()` found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seal {
    /// There is none.
    Missing,
    /// It is not by this clone, or the contents were changed.
    Wrong,
    /// It is by this clone.
    Right {
        /// In the same folder, which is no copy of the one that it was written in.
        here: bool,
        /// Which one it is of those that this clone wrote. 0: it was written before they were numbered.
        serial: u64,
    },
}

/// The number of the cursor that was written last in each folder, by its identity.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Serials {
    schema: u32,
    folders: BTreeMap<String, u64>,
}

impl Guard {
    /// What marks `file`, by what tells it from others, as made by this clone.
    pub fn mark(&self, file: &str) -> String {
        let of = format!("made here: {file}");
        hex(hmac::sign(&self.notes.secret.key(), of.as_bytes()).as_ref())
    }

    /// The number of the cursor that was written last in `folder`, as far as that is known.
    pub(in crate::state) fn serial(&self, folder: &str) -> Result<u64, StateError> {
        if self.is_new {
            return Ok(0);
        }
        for path in self.at.names() {
            let Some(dir) = StateDir::open_private(path)? else {
                continue;
            };
            // A damaged note makes no cursor older than it is.
            let serials: Option<Serials> = dir.load(SERIALS, SCHEMA).unwrap_or_default();
            return Ok(serials.map_or(0, |serials| serials.folders.get(folder).copied().unwrap_or(0)));
        }
        Ok(0)
    }

    /// Notes that the cursor with this number was written in `folder`.
    pub(in crate::state) fn note_serial(&self, folder: &str, serial: u64) -> Result<(), StateError> {
        let dir = StateDir::create_private(self.at.settled())?;
        dir.lock_others_out();
        dir.sweep();
        let mut serials: Serials = dir.load(SERIALS, SCHEMA).ok().flatten().unwrap_or_default();
        serials.schema = SCHEMA;
        serials.folders.insert(folder.to_owned(), serial);
        while serials.folders.len() > MAX_SERIALS {
            let others = serials.folders.iter().filter(|(other, _)| *other != folder);
            let Some(lowest) = others
                .min_by_key(|(_, serial)| **serial)
                .map(|(other, _)| other.clone())
            else {
                break;
            };
            serials.folders.remove(&lowest);
        }
        dir.store(SERIALS, &serials)
    }

    /// `json`, an object, with `folder`, a number and a seal at its end.
    pub(in crate::state) fn seal(&self, json: &[u8], folder: &str, serial: u64) -> Vec<u8> {
        let mut out = json.strip_suffix(b"}").unwrap_or(json).to_vec();
        out.extend_from_slice(format!(r#","folder":"{folder}","serial":{serial}"#).as_bytes());
        let tag = hmac::sign(&self.notes.secret.key(), &out);
        out.extend_from_slice(MARK);
        out.extend_from_slice(hex(tag.as_ref()).as_bytes());
        out.extend_from_slice(END);
        out
    }

    /// Whether this clone sealed `bytes`, in `folder`.
    pub(in crate::state) fn check(&self, bytes: &[u8], folder: &str) -> Seal {
        let sealed = bytes.strip_suffix(END).and_then(|rest| {
            let (rest, tag) = rest.split_at_checked(rest.len().checked_sub(2 * digest::SHA256_OUTPUT_LEN)?)?;
            Some((rest.strip_suffix(MARK)?, unhex(tag)?))
        });
        let Some((text, tag)) = sealed else {
            return Seal::Missing;
        };
        match hmac::verify(&self.notes.secret.key(), text, &tag) {
            Ok(()) => {
                let (text, serial) = numbered(text);
                Seal::Right {
                    here: text.ends_with(format!(r#","folder":"{folder}""#).as_bytes()),
                    serial,
                }
            }
            Err(_) => Seal::Wrong,
        }
    }
}

/// What was sealed, and the number at its end.
pub(super) fn numbered(text: &[u8]) -> (&[u8], u64) {
    let digits = text.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let (rest, digits) = text.split_at(text.len() - digits);
    let serial = std::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok());
    match (rest.strip_suffix(br#","serial":"#), serial) {
        (Some(rest), Some(serial)) => (rest, serial),
        _ => (text, 0),
    }
}

const MARK: &[u8] = br#","seal":""#;
const END: &[u8] = b"\"}\n";

/// Never shown.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(super) struct Secret([u8; 32]);

impl Secret {
    pub(super) fn fresh() -> Self {
        let mut secret = [0; 32];
        SystemRandom::new()
            .fill(&mut secret)
            .expect("the system has random numbers");
        Secret(secret)
    }

    fn key(&self) -> hmac::Key {
        hmac::Key::new(hmac::HMAC_SHA256, &self.0)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

impl From<Secret> for String {
    fn from(secret: Secret) -> Self {
        hex(&secret.0)
    }
}

impl TryFrom<String> for Secret {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let bytes = unhex(text.as_bytes()).and_then(|bytes| bytes.try_into().ok());
        bytes.map(Secret).ok_or("the secret is none")
    }
}

fn unhex(text: &[u8]) -> Option<Vec<u8>> {
    let digit = |c: u8| char::from(c).to_digit(16);
    let pairs = text.chunks(2).map(|pair| match pair {
        [high, low] => Some((digit(*high)? << 4 | digit(*low)?) as u8),
        _ => None,
    });
    pairs.collect()
}
