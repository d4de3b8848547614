//! What killed syncs left in the folders of a conduit under names of their own.
//!
//! Where the state is on another file system, what a change takes out has such a name until it was looked at, so it may be what
//! somebody wrote after the scan, and all that there is of it. What the killed sync did not know is kept, not removed.

use std::{collections::BTreeSet, time::SystemTime};

use super::{
    ConduitError,
    files::{Obstacle, copy, make_folders, with_form},
    reading::{Reading, look},
    record::{Records, kept, remove_all},
};
use crate::{
    fs::{Dir, DirError, Kind, is_leftover},
    names::ObjectId,
    text::UntrustedName,
};

pub struct Leftovers<'a> {
    memory: &'a Dir,
    reading: Reading,
    now: SystemTime,
    /// What the sync before this one saw or made.
    known: BTreeSet<ObjectId>,
    /// Where the rest goes.
    kept_at: String,
}

impl<'a> Leftovers<'a> {
    pub fn of_the_last_sync(memory: &'a Dir, reading: Reading, now: SystemTime) -> Result<Self, ConduitError> {
        let records = Records::open(memory)?;
        let number = records.numbers()?.last().copied().unwrap_or(0);
        let changes = records.changes(number)?;
        let items = changes.iter().flat_map(|change| {
            let (was, now) = change.paths();
            was.into_iter().chain(now).map(|(_, item)| item.id)
        });
        Ok(Leftovers {
            memory,
            reading,
            now,
            known: items.collect(),
            kept_at: format!("{}/left", kept(number)),
        })
    }

    /// Clears these folders, and returns where that is which nobody knew. What cannot be cleared is cleared another time.
    pub fn clear(&self, root: &Dir, folders: &[String]) -> Vec<UntrustedName> {
        let mut rescued = Vec::new();
        for folder in folders {
            match folder.as_str() {
                "" => self.clear_one(root, &mut rescued),
                folder => {
                    if let Ok(dir) = root.open_dir(folder) {
                        self.clear_one(&dir, &mut rescued);
                    }
                }
            }
        }
        rescued
    }

    fn clear_one(&self, dir: &Dir, rescued: &mut Vec<UntrustedName>) {
        for entry in dir.list().unwrap_or_default() {
            let (Some(name), Ok(stat)) = (entry.name.to_str(), dir.lstat(&entry.name)) else {
                continue;
            };
            if is_leftover(&entry.name, stat.mtime_ns, self.now)
                && let Ok(unknown) = self.rescue(dir, name)
                && remove_all(dir, name).is_ok()
            {
                rescued.extend(unknown);
            }
        }
    }

    /// Keeps copies of the files at `path` that nobody knew, and returns where.
    fn rescue(&self, dir: &Dir, path: &str) -> Result<Vec<UntrustedName>, Obstacle> {
        let stat = dir.lstat(path)?;
        if stat.kind == Kind::Dir {
            let mut rescued = Vec::new();
            for entry in dir.open_dir(path)?.list()? {
                let name = entry.name.to_str().ok_or_else(|| DirError::Escapes {
                    path: entry.name.clone().into(),
                })?;
                rescued.extend(self.rescue(dir, &format!("{path}/{name}"))?);
            }
            return Ok(rescued);
        }
        if stat.kind != Kind::File && !(stat.kind == Kind::Symlink && self.reading.links) {
            // No sync makes such things here, so it is somebody's.
            return Err(Obstacle::Changed);
        }
        let Some(item) = look(dir, path, self.reading)?.filter(|item| !self.known.contains(&item.id)) else {
            return Ok(Vec::new());
        };
        let to = format!("{}/{path}", self.kept_at);
        make_folders(self.memory, &to)?;
        if let Err(obstacle) = copy(dir, path, self.memory, &to, item, with_form(0o644, item.form)) {
            remove_all(self.memory, &to)?;
            return Err(obstacle);
        }
        self.memory.sync_all()?;
        Ok(vec![to.into()])
    }
}
