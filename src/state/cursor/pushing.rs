//! What is about to be pushed, noted before it is.
//!
//! Central may take a push and this clone never hear of it: it was killed, or the answer was lost. By this note the next sync knows
//! that what central has is its own, even where the documents were edited meanwhile. It belongs to one cursor, and is sealed
//! with that one's number, as it says which versions are common. It is written in place and not forced to the disk: without it
//! the next sync asks a person, and loses nothing.

use std::io::Write;

use rustix::fs::OFlags;
use serde::{Deserialize, Serialize};

use super::{Cursor, Notes, SCHEMA};
use crate::{
    names::ObjectId,
    state::{
        files::{StateDir, StateError},
        guard::{Guard, Seal},
    },
};

const NAME: &str = "pushing.json";

/// Pushes that are remembered while one sync after the other is cut short.
const REMEMBERED: usize = 8;

/// A commit that is about to be pushed, and what follows from it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pushing {
    schema: u32,
    /// The commit.
    pub commit: ObjectId,
    /// What is to be noted once it is central's.
    pub notes: Notes,
    /// Whether it was found to be, and that is noted.
    #[serde(skip)]
    pub has_arrived: bool,
    /// Stored: those before it, the oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    before: Vec<Pushing>,
}

impl Cursor {
    /// Notes that `commit` is about to be pushed, where there is a guard that can seal it. What an earlier sync that was cut short was
    /// about to push stays beside it: central may have that, and not get this.
    pub fn note_pushing(
        &self,
        state: &StateDir,
        guard: &Guard,
        commit: ObjectId,
        notes: &Notes,
    ) -> Result<(), StateError> {
        if guard.is_new() {
            return Ok(());
        }
        let fail = |error| state.error("write", NAME, error);
        let pushing = Pushing {
            schema: SCHEMA,
            commit,
            notes: notes.clone(),
            has_arrived: false,
            before: self.remembered(),
        };
        let json = serde_json::to_vec(&pushing).map_err(|error| fail(error.into()))?;
        let sealed = guard.seal(&json, &state.identity(), self.serial);
        let file = state.open_file(NAME, OFlags::WRONLY | OFlags::CREATE)?;
        let mut file = file.ok_or_else(|| fail(std::io::ErrorKind::NotFound.into()))?;
        file.write_all(&sealed)
            .and_then(|()| file.set_len(sealed.len() as u64))
            .map_err(fail)
    }

    /// The last pushes, and the one that central has.
    fn remembered(&self) -> Vec<Pushing> {
        let from = self.pushing.len().saturating_sub(REMEMBERED);
        let all = self.pushing.iter().enumerate();
        let kept = all.filter(|(at, pushing)| *at >= from || pushing.has_arrived);
        kept.map(|(_, pushing)| pushing.clone()).collect()
    }
}

/// What was noted for the cursor with this number, the oldest first. What is damaged, or not by this clone, is nothing.
pub(super) fn load(state: &StateDir, guard: &Guard, serial: u64) -> Vec<Pushing> {
    let read = || {
        let bytes = state.read(NAME).ok()??;
        match guard.check(&bytes, &state.identity()) {
            Seal::Right { here: true, serial: of } if of == serial => state.parse::<Pushing>(NAME, &bytes, SCHEMA).ok(),
            _ => None,
        }
    };
    let Some(mut last) = read() else { return Vec::new() };
    let mut all = std::mem::take(&mut last.before);
    all.push(last);
    all
}

/// What was noted before there was a cursor.
pub fn first_pushes(state: &StateDir, guard: &Guard) -> Vec<Pushing> {
    match guard.serial(&state.identity()) {
        Ok(0) if !guard.is_new() => load(state, guard, 0),
        _ => Vec::new(),
    }
}

/// There is a later cursor.
pub(super) fn forget(state: &StateDir) -> Result<(), StateError> {
    state.remove(NAME)
}
