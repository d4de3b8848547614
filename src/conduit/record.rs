//! Generations: each sync that changes something is one, with a number, a record and, before anything is done, its changes.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    ConduitError, Definition,
    scan::{Scan, Skipped},
};
use crate::{
    central::tree::surgery,
    fs::{Dir, DirError, FileMode},
    names::{ObjectFormat, ObjectId},
    plan::conduit::{Change, Conflict, Mode, OnConflict, Side},
    text::{self, Untrusted},
};

/// The version of the stored form.
const SCHEMA: u32 = 1;
pub(super) const FOLDER: &str = "generations";
const LIMIT: u64 = 1 << 30;
/// So many of the paths that were left out are recorded.
const SKIPPED: usize = 100;

/// How far a generation came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// Its copies are being made.
    Copying,
    /// Its copies are made, its deletes are being done.
    Deleting,
    /// All is done, and both sides are looked at again.
    Verifying,
    /// Both sides were found to be what they should be.
    Verified,
    /// Something is left to do.
    Failed,
    /// It was killed, or Ctrl-C ended it.
    Interrupted,
}

/// Numbers for each side.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PerSide {
    /// Of alpha.
    pub alpha: usize,
    /// Of beta.
    pub beta: usize,
}

/// What a side had, as the id of the tree that git would make of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trees {
    /// When the generation began.
    pub before: ObjectId,
    /// When it was found to be as it should be, or what was left to do was counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<ObjectId>,
}

/// The record of a sync.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Generation {
    /// Which form it has; there is one.
    pub schema: u32,
    /// From 1.
    pub generation: u64,
    /// RFC 3339.
    pub started: String,
    /// RFC 3339.
    pub ended: Option<String>,
    /// What ran it.
    pub trigger: String,
    /// Of the definition.
    pub digest: String,
    /// As it was then.
    pub mode: Mode,
    /// As it was then.
    pub on_conflict: OnConflict,
    /// How far it came.
    pub status: Status,
    /// Files and links that were written.
    pub copied: PerSide,
    /// Files and links that were removed.
    pub deleted: PerSide,
    /// What waited then.
    pub conflicts: Vec<Conflict>,
    /// What could not be done, and why.
    pub failed: Vec<Untrusted>,
    /// What was left out, but for what the patterns leave out: the first hundred of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skipped: Vec<Skipped>,
    /// What both sides had, as far as the conduit carries it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub trees: BTreeMap<Side, Trees>,
    /// The commit that was pushed to central.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// How much it kept, once that was counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept_bytes: Option<u64>,
}

impl Generation {
    /// One that begins now.
    pub fn new(number: u64, trigger: String, definition: &Definition) -> Self {
        Generation {
            schema: SCHEMA,
            generation: number,
            started: Timestamp::now().to_string(),
            ended: None,
            trigger,
            digest: definition.digest(),
            mode: definition.mode,
            on_conflict: definition.on_conflict,
            status: Status::Copying,
            copied: PerSide::default(),
            deleted: PerSide::default(),
            conflicts: Vec::new(),
            failed: Vec::new(),
            skipped: Vec::new(),
            trees: BTreeMap::new(),
            commit: None,
            kept_bytes: None,
        }
    }

    /// Both sides are found to be like this before anything is done.
    pub fn begins(&mut self, scans: &[Scan; 2], format: ObjectFormat) -> Result<(), ConduitError> {
        for (side, before) in Side::BOTH.into_iter().zip(trees(scans, format)?) {
            self.trees.insert(side, Trees { before, after: None });
        }
        let skipped = scans.iter().flat_map(|scan| &scan.skipped);
        self.skipped = skipped.take(SKIPPED).cloned().collect();
        Ok(())
    }

    /// And like this in the end.
    pub fn ends(&mut self, scans: &[Scan; 2], format: ObjectFormat) -> Result<(), ConduitError> {
        for (side, after) in Side::BOTH.into_iter().zip(trees(scans, format)?) {
            self.trees.entry(side).and_modify(|trees| trees.after = Some(after));
        }
        Ok(())
    }
}

fn trees(scans: &[Scan; 2], format: ObjectFormat) -> Result<[ObjectId; 2], ConduitError> {
    let [alpha, beta] = scans;
    let tree = |scan: &Scan| -> Result<ObjectId, ConduitError> {
        let items = scan.listing.items.iter();
        let files: Vec<_> = items.map(|(path, item)| (path.as_str(), (*item).into())).collect();
        Ok(surgery::id_of(&files, format)?)
    };
    let first = tree(alpha)?;
    let second = match alpha.listing.items == beta.listing.items {
        true => first,
        false => tree(beta)?,
    };
    Ok([first, second])
}

/// All generations of a conduit, in its folder.
pub struct Records<'a> {
    pub(super) dir: &'a Dir,
}

impl<'a> Records<'a> {
    pub fn open(dir: &'a Dir) -> Result<Self, ConduitError> {
        dir.create_dir(FOLDER)?;
        Ok(Records { dir })
    }

    /// Their numbers, the oldest first.
    pub fn numbers(&self) -> Result<Vec<u64>, ConduitError> {
        let entries = self.dir.open_dir(FOLDER)?.list()?;
        let number = |name: &std::ffi::OsStr| name.to_str()?.strip_suffix(".json")?.parse().ok();
        let mut numbers: Vec<u64> = entries.iter().filter_map(|entry| number(&entry.name)).collect();
        numbers.sort_unstable();
        Ok(numbers)
    }

    pub fn read(&self, number: u64) -> Result<Option<Generation>, ConduitError> {
        match self.dir.read_file(format!("{FOLDER}/{number}.json"), LIMIT) {
            Ok((bytes, _)) => Ok(serde_json::from_slice(&bytes).ok()),
            Err(err) if err.is_gone() => Ok(None),
            Err(err) => Err(err.into()),
        }
    }

    pub fn write(&self, generation: &Generation) -> Result<(), ConduitError> {
        let path = format!("{FOLDER}/{}.json", generation.generation);
        Ok(write_json(self.dir, &path, generation)?)
    }

    /// The changes of a generation, as they were planned.
    pub fn changes(&self, number: u64) -> Result<Vec<Change>, ConduitError> {
        match self.dir.read_file(format!("{FOLDER}/{number}.ops"), LIMIT) {
            Ok((bytes, _)) => Ok(serde_json::from_slice(&bytes).unwrap_or_default()),
            Err(err) if err.is_gone() => Ok(Vec::new()),
            Err(err) => Err(err.into()),
        }
    }

    pub fn write_changes(&self, number: u64, changes: &[Change]) -> Result<(), ConduitError> {
        Ok(write_json(self.dir, &format!("{FOLDER}/{number}.ops"), &changes)?)
    }

    /// What a killed process was doing for this definition, and left.
    pub fn killed(&self, numbers: &[u64], definition: &Definition) -> Result<Vec<Change>, ConduitError> {
        match self.left(numbers)? {
            Some(left) if left.digest == definition.digest() => self.changes(left.generation),
            _ => Ok(Vec::new()),
        }
    }

    /// The generation that a killed process left. Only the newest can be.
    fn left(&self, numbers: &[u64]) -> Result<Option<Generation>, ConduitError> {
        let Some(newest) = numbers.last() else { return Ok(None) };
        let is_open = |left: &Generation| matches!(left.status, Status::Copying | Status::Deleting | Status::Verifying);
        Ok(self.read(*newest)?.filter(is_open))
    }

    /// Says of what a killed process left that it was interrupted.
    pub fn close_killed(&self, numbers: &[u64]) -> Result<(), ConduitError> {
        match self.left(numbers)? {
            Some(left) => self.write(&Generation {
                status: Status::Interrupted,
                ..left
            }),
            None => Ok(()),
        }
    }
}

/// Writes a value so that a loss of power leaves the old one or the new one.
pub fn write_json(dir: &Dir, path: &str, value: &impl Serialize) -> Result<(), DirError> {
    let json = text::json(value).map_err(|err| DirError::Io {
        action: "write",
        path: dir.path().join(path),
        source: err.into(),
    })?;
    dir.write_flushed(path, json.as_bytes(), FileMode::Private)
}

/// Where a generation keeps what it replaced and removed, in the conduit's folder.
pub fn kept(number: u64) -> String {
    format!("kept/{number}")
}

/// Removes a folder of ours with all that is in it, or a file.
pub fn remove_all(dir: &Dir, path: &str) -> Result<(), DirError> {
    match dir.remove_file(path) {
        Ok(()) => return Ok(()),
        Err(err) if err.is_gone() => return Ok(()),
        Err(_) => {}
    }
    for entry in dir.open_dir(path)?.list()? {
        let Some(name) = entry.name.to_str() else { continue };
        remove_all(dir, &format!("{path}/{name}"))?;
    }
    dir.remove_dir(path)
}
