//! How a cursor is written and read again, and what there is of it then.

use std::{collections::BTreeMap, fmt};

use serde::{
    Deserializer,
    de::{MapAccess, Visitor},
};

use super::{Base, Cursor, FILE, Provenance, SCHEMA, pushing};
use crate::{
    names::ShortCode,
    state::{
        files::{StateDir, StateError},
        guard::{Guard, Seal},
    },
};

/// What there is of a cursor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Memory {
    /// Nothing.
    None,
    /// A cursor that counts.
    Known(Box<Cursor>),
    /// One that is not this clone's, as a pull or a copy from another clone leaves it: it counts for nothing.
    Foreign,
}

/// Reads the cursor in `state`.
pub fn load(state: &StateDir, guard: &Guard) -> Result<Memory, StateError> {
    let Some(bytes) = state.read(FILE)? else {
        return Ok(Memory::None);
    };
    let folder = state.identity();
    let seal = guard.check(&bytes, &folder);
    let Some(provenance) = provenance(seal, guard.serial(&folder)?, guard.in_repository(), guard.is_new()) else {
        return Ok(Memory::Foreign);
    };
    let cursor: Cursor = state.parse(FILE, &bytes, SCHEMA)?;
    let serial = match seal {
        Seal::Right { serial, .. } => serial,
        Seal::Missing | Seal::Wrong => 0,
    };
    Ok(Memory::Known(Box::new(Cursor {
        pushing: match provenance {
            Provenance::Own => pushing::load(state, guard, serial),
            Provenance::Copied => Vec::new(),
        },
        provenance,
        serial,
        ..cursor
    })))
}

impl Cursor {
    /// Writes it, sealed where the guard is on disk; what cannot be checked later is left as the first release wrote it. Its
    /// number is noted after it: whoever is killed in between leaves one that is newer than what was noted.
    pub fn store(&self, state: &StateDir, guard: &Guard) -> Result<(), StateError> {
        if guard.is_new() {
            return state.store(FILE, self);
        }
        let json = serde_json::to_vec(self).map_err(|error| state.error("write", FILE, error.into()))?;
        let folder = state.identity();
        let serial = self.serial.max(guard.serial(&folder)?).saturating_add(1);
        state.replace(FILE, &guard.seal(&json, &folder, serial))?;
        guard.note_serial(&folder, serial)?;
        pushing::forget(state)
    }
}

/// What [`load()`] makes of a cursor with this seal, where `last` is the number of the one that was noted last. One with a
/// higher number is newer: whoever wrote it was killed before noting that.
fn provenance(seal: Seal, last: u64, in_repository: bool, guard_is_new: bool) -> Option<Provenance> {
    match (seal, in_repository) {
        (Seal::Right { here: true, serial }, _) if serial >= last => Some(Provenance::Own),
        (Seal::Right { .. }, _) => Some(Provenance::Copied),
        // The first release sealed nothing and had no guard.
        (Seal::Missing, _) if guard_is_new => Some(Provenance::Own),
        // Copies of a folder go on working. No pull brings anything there.
        (Seal::Missing | Seal::Wrong, false) => Some(Provenance::Copied),
        (Seal::Missing | Seal::Wrong, true) => None,
    }
}

/// Reads a map that was written in order: made of all entries at once, it takes half the time of putting in one by one.
pub(super) fn in_order<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<ShortCode, Base>, D::Error> {
    struct Entries;

    impl<'de> Visitor<'de> for Entries {
        type Value = BTreeMap<ShortCode, Base>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a map")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut entries = Vec::new();
            while let Some(entry) = map.next_entry()? {
                entries.push(entry);
            }
            Ok(entries.into_iter().collect())
        }
    }

    deserializer.deserialize_map(Entries)
}

#[cfg(test)]
mod tests;
