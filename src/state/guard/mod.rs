//! What guards this clone: the central and the prefix that it is bound to, the settings that were confirmed, and a
//! secret.
//!
//! A pull can bring any file of the work tree, ignored ones included, so nothing in `.metis/` can say what a pulled
//! config.toml is measured by. The guard lies where git delivers nothing: in the repository's own git directory, for each
//! `.metis` in it; without a repository, in the user's state directory.
//!
//! The secret seals the [cursor](super::cursor), which lies in `.metis/.sync/`. A seal shows that this clone wrote it, and a
//! serial number, which is noted beside the guard, that it wrote it last.

mod place;
mod seal;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
};

use serde::{Deserialize, Serialize};

use self::{place::Folder, seal::Secret};
use super::files::{StateDir, StateError};
use crate::names::Prefix;

pub use self::{place::Place, seal::Seal};

/// The version of the stored form.
pub const SCHEMA: u32 = 1;
/// The file's name.
pub const FILE: &str = "guard.json";

/// What only this clone's user may change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notes {
    schema: u32,
    secret: Secret,
    /// In the user's state directory: of which folder this is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    folder: Option<String>,
    /// The central that this clone syncs with: all of its location but secrets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upstream: Option<String>,
    /// The folder in central that this clone writes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix: Option<Prefix>,
    /// Folders in central that this clone wrote before its user chose another one: their documents are its own.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub former: BTreeSet<Prefix>,
    /// Folders that were taken out of central: nothing is pushed there until its user says so.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub retired: BTreeSet<Prefix>,
    /// The branch of the project that the last sync read, and with it config.toml: another one may be checked out by the next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The project, by its root commit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_root: Option<String>,
    /// Values of config.toml, by `section.key`, that its user confirmed for this clone.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub confirmed: BTreeMap<String, String>,
    /// Conduits that its user enabled in this clone, with what tells their definitions from others.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub conduits: BTreeMap<String, String>,
}

/// See the [module documentation](self).
#[derive(Debug)]
pub struct Guard {
    place: Place,
    /// Where it is, or will be.
    at: Folder,
    notes: Notes,
    is_new: bool,
}

impl Guard {
    /// Reads the guard. Where there is none nothing is written: it begins with [`update()`](Self::update).
    ///
    /// A workspace that got its repository later, or whose git directory cannot be written to, has it outside.
    pub fn open(place: Place) -> Result<Self, StateError> {
        let inside = match place.inside.as_ref().map(read) {
            None => None,
            Some(Err(error)) if may_not(&error) && place.outside.is_some() => None,
            Some(notes) => notes?,
        };
        let outside = match (&inside, &place.outside) {
            (None, Some(outside)) => read(outside)?.filter(|notes| notes.folder.as_ref() == Some(&place.folder)),
            _ => None,
        };
        let at = match (&place.inside, &place.outside) {
            (Some(inside), _) if outside.is_none() => inside,
            (_, Some(outside)) => outside,
            (..) => return Err(StateError::NoHome),
        };
        let notes = inside.or(outside);
        Ok(Guard {
            at: at.clone(),
            is_new: notes.is_none(),
            notes: notes.unwrap_or_else(Notes::fresh),
            place,
        })
    }

    /// Whether nothing was noted for this workspace, but something for another one in the same repository.
    pub fn is_another(&self) -> bool {
        let beside = self.place.inside.as_ref().and_then(|inside| inside.whole.parent());
        self.is_new && beside.is_some_and(|guards| guards.read_dir().is_ok_and(|mut guards| guards.next().is_some()))
    }

    /// What it says.
    pub fn notes(&self) -> &Notes {
        &self.notes
    }

    /// Whether a repository is around the workspace, so that a pull can bring any file of it.
    pub fn in_repository(&self) -> bool {
        self.place.inside.is_some()
    }

    /// Whether nothing was ever noted for this clone.
    pub fn is_new(&self) -> bool {
        self.is_new
    }

    /// Does `work` while no other process of this clone does, or changes a guard. What they noted before counts.
    ///
    /// `work` must not come back to this, or to [`update()`](Self::update): both wait for whoever does it.
    pub fn alone<T>(&mut self, work: impl FnOnce(&Self) -> T) -> Result<T, StateError> {
        self.update(|_| ())?;
        let _locked = self.locked()?;
        Ok(work(self))
    }

    /// Its folder, locked until it is dropped.
    fn locked(&mut self) -> Result<StateDir, StateError> {
        let dir = match (StateDir::create_private(self.at.settled()), &self.place.outside) {
            (Err(error), Some(outside)) if may_not(&error) && *outside != self.at => {
                self.at.clone_from(outside);
                StateDir::create_private(outside.settled())?
            }
            (dir, _) => dir?,
        };
        dir.lock_others_out();
        Ok(dir)
    }

    /// Changes what it says. What other processes noted meanwhile stays.
    pub fn update(&mut self, change: impl FnOnce(&mut Notes)) -> Result<(), StateError> {
        let dir = self.locked()?;
        // Of those who were killed at this.
        dir.sweep();
        let folder = (Some(&self.at) == self.place.outside.as_ref()).then(|| self.place.folder.clone());
        let stored = dir.load::<Notes>(FILE, SCHEMA)?.filter(|notes| notes.folder == folder);
        let mut notes = stored.clone().unwrap_or_else(|| self.notes.clone());
        notes.folder = folder;
        change(&mut notes);
        if stored.as_ref() != Some(&notes) {
            dir.store(FILE, &notes)?;
        }
        self.notes = notes;
        self.is_new = false;
        Ok(())
    }
}

fn read(folder: &Folder) -> Result<Option<Notes>, StateError> {
    for path in folder.names() {
        if let Some(dir) = StateDir::open_private(path)?
            && let Some(notes) = dir.load(FILE, SCHEMA)?
        {
            return Ok(Some(notes));
        }
    }
    Ok(None)
}

/// Another user's git directory, which was declared safe.
fn may_not(error: &StateError) -> bool {
    match error {
        StateError::NotOurs { .. } => true,
        StateError::Io { source, .. } => matches!(
            source.kind(),
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem
        ),
        _ => false,
    }
}

impl Notes {
    fn fresh() -> Self {
        Notes {
            schema: SCHEMA,
            secret: Secret::fresh(),
            folder: None,
            upstream: None,
            prefix: None,
            former: BTreeSet::new(),
            retired: BTreeSet::new(),
            source: None,
            project_root: None,
            confirmed: BTreeMap::new(),
            conduits: BTreeMap::new(),
        }
    }
}
