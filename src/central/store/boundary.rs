//! Lists of objects that are not here, and do not come.

use std::{
    collections::BTreeSet,
    fs, io,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use super::CentralError;
use crate::names::ObjectId;

/// A file that lists objects which are not here: one id a line.
pub(crate) struct Boundary(pub(super) PathBuf);

impl Boundary {
    pub(super) fn commits(&self) -> Vec<ObjectId> {
        ids(&self.0)
    }

    /// Adds to it. Has to happen before what lacks them is admitted: a note too many costs bytes, a missing one would
    /// make the server leave out what it believes to be here.
    pub(crate) fn add(&self, objects: &[ObjectId]) -> Result<(), CentralError> {
        let known: BTreeSet<ObjectId> = ids(&self.0).into_iter().collect();
        let new: String = objects
            .iter()
            .filter(|id| !known.contains(id))
            .map(|id| format!("{id}\n"))
            .collect();
        if new.is_empty() {
            return Ok(());
        }
        fs::OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(&self.0)
            .and_then(|mut file| io::Write::write_all(&mut file, new.as_bytes()))
            .map_err(CentralError::cache(&self.0, "written"))
    }
}

pub(super) fn ids(list: &Path) -> Vec<ObjectId> {
    fs::read_to_string(list)
        .unwrap_or_default()
        .lines()
        .filter_map(|line| line.parse().ok())
        .collect()
}
