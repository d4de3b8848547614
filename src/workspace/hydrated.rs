//! Hydrated folders, `.metis/<prefix>/`: copies of other workspaces' folders in central, and how they are told from
//! folders of the user's own.
//!
//! Only a folder that is certainly ours is ever written to: it holds our marker, or an older tool listed it in `.gitignore`,
//! or there is nothing in it. Everything else belongs to the user, whatever its name.

mod marker;

use std::{collections::BTreeMap, collections::BTreeSet, ffi::OsStr};

use super::ignore_file::{IGNORE_FILE, read_ignored};
use crate::fs::{Dir, DirError, Entry, FileMode, Kind, is_temp};
use crate::names::{Prefix, ShortCode};

pub use self::marker::Marker;
use self::marker::MarkerError;

/// The marker's file name.
pub const MARKER_FILE: &str = ".hydrated";

const MARKER_LIMIT: u64 = 64 << 10;

/// Folders that the Metis tools make for own documents. A workspace of such a name is never hydrated: the documents that
/// these tools put there next would be taken for copies, and never be pushed.
const LAYOUT_FOLDERS: [&str; 7] = [
    "adrs",
    "archived",
    "backlog",
    "initiatives",
    "specifications",
    "strategies",
    "templates",
];

/// What a hydrated folder's `.gitignore` says: everything in it is ignored, on every branch, itself included.
const IGNORE_ALL: &[u8] = b"*\n";

/// Whether the Metis tools keep own documents in a folder of this name, so that a workspace called so is never hydrated.
pub fn is_reserved(prefix: &Prefix) -> bool {
    LAYOUT_FOLDERS.contains(&prefix.as_str())
}

/// Whether `name` is one of our own files in a hydrated folder, no document and nobody else's.
pub fn is_ours_in_folder(name: &OsStr) -> bool {
    name == MARKER_FILE || name == IGNORE_FILE || is_temp(name)
}

/// Put the `.gitignore` into the hydrated `folder`. One of somebody else's is left alone; one that lost its bytes with the
/// power is written again.
pub(super) fn ignore_itself(folder: &Dir) -> Result<(), DirError> {
    match folder.read_file(IGNORE_FILE, MARKER_LIMIT) {
        Ok((bytes, _)) if bytes.iter().any(|byte| *byte != 0) => Ok(()),
        Ok(_) | Err(DirError::Missing { .. }) => folder.write_atomic(IGNORE_FILE, IGNORE_ALL, FileMode::Plain),
        Err(_) => Ok(()),
    }
}

/// Whose the folder of a prefix is.
#[derive(Debug)]
pub enum FolderState {
    /// There is nothing of that name.
    Absent,
    /// Ours.
    Marked(Marker),
    /// Ours or nobody's, its content unknown: listed by an older tool, empty, or left behind by a run that was killed.
    Adoptable,
    /// Ours, but written by a later version of this program.
    Newer,
    /// Nobody's yet, but the Metis tools keep own documents in a folder of this name.
    Reserved,
    /// The user's own.
    Foreign,
    /// It cannot be told.
    Unreadable(DirError),
}

impl FolderState {
    /// Whether it could not be looked at, which may go better the next time.
    pub fn is_unreadable(&self) -> bool {
        matches!(self, FolderState::Unreadable(_))
    }
}

/// Which folders in `.metis` are hydrated.
#[derive(Debug, Default)]
pub struct Survey {
    /// All top-level folders whose name could be a prefix, and those that were asked for.
    pub folders: BTreeMap<Prefix, FolderState>,
    /// The folders that `.gitignore` lists as hydrated, there or not.
    pub listed: BTreeSet<Prefix>,
}

impl Survey {
    /// The folders in which nothing is an own document.
    pub fn hydrated(&self) -> BTreeSet<Prefix> {
        let marked = self.folders.iter().filter_map(|(prefix, state)| match state {
            FolderState::Marked(_) | FolderState::Newer => Some(prefix.clone()),
            _ => None,
        });
        self.listed.iter().cloned().chain(marked).collect()
    }
}

/// Look at all folders in `metis`, and at those of `wanted` prefixes, which on some disks are there under another spelling.
pub fn survey(metis: &Dir, wanted: &BTreeSet<Prefix>) -> Result<Survey, DirError> {
    let listed = read_ignored(metis)?;
    let entries = metis.list()?;
    let named = entries.iter().filter_map(|entry| entry.name.to_str()?.parse().ok());
    let prefixes: BTreeSet<Prefix> = named.chain(wanted.iter().cloned()).chain(listed).collect();
    survey_of(metis, prefixes.into_iter())
}

/// A [`survey()`] of these folders alone.
pub fn survey_of(metis: &Dir, prefixes: impl Iterator<Item = Prefix>) -> Result<Survey, DirError> {
    let listed = read_ignored(metis)?;
    let folders = prefixes.map(|prefix| {
        let state = folder_state(metis, &prefix, listed.contains(&prefix));
        (prefix, state)
    });
    Ok(Survey {
        folders: folders.collect(),
        listed,
    })
}

/// What the top of `metis` says without a look into the folders that are known to be hydrated.
#[derive(Debug, Default)]
pub struct Glance {
    /// The folders in which nothing is an own document.
    pub hydrated: BTreeSet<Prefix>,
    /// Whether each known folder is there, and no other one has a marker.
    pub as_known: bool,
}

/// A [`survey()`] for when nothing happened: `known` folders are taken for what they were, so its cost does not grow with
/// what others own. A known folder whose content or marker somebody changed is not noticed.
pub fn glance<'a>(metis: &Dir, known: impl Iterator<Item = &'a Prefix>) -> Result<Glance, DirError> {
    let mut missing: BTreeSet<&Prefix> = known.collect();
    let mut glance = Glance {
        hydrated: missing.iter().copied().cloned().chain(read_ignored(metis)?).collect(),
        as_known: true,
    };
    for entry in metis.list()?.iter().filter(|entry| entry.kind == Kind::Dir) {
        let Some(prefix) = entry.name.to_str().and_then(|name| name.parse::<Prefix>().ok()) else {
            continue;
        };
        if !missing.remove(&prefix) && metis.lstat(format!("{prefix}/{MARKER_FILE}")).is_ok() {
            glance.as_known = false;
            glance.hydrated.insert(prefix);
        }
    }
    glance.as_known &= missing.is_empty();
    Ok(glance)
}

/// The codes that `.metis/<prefix>/` has files for, without reading them.
pub fn documents_in(metis: &Dir, prefix: &Prefix) -> Result<Vec<ShortCode>, DirError> {
    let entries = metis.open_dir(prefix.as_str())?.list()?;
    Ok(entries
        .iter()
        .filter_map(|entry| ShortCode::from_file_name(entry.name.to_str()?))
        .collect())
}

/// The marker of `prefix`'s folder, `None` if it has none that can be read.
pub fn read_marker(metis: &Dir, prefix: &Prefix) -> Option<Marker> {
    match folder_state(metis, prefix, false) {
        FolderState::Marked(marker) => Some(marker),
        _ => None,
    }
}

/// Whose the folder of `prefix` is, given whether `.gitignore` lists it.
pub(super) fn folder_state(metis: &Dir, prefix: &Prefix, listed: bool) -> FolderState {
    look(metis, prefix, listed).unwrap_or_else(FolderState::Unreadable)
}

fn look(metis: &Dir, prefix: &Prefix, listed: bool) -> Result<FolderState, DirError> {
    let is_reserved = !listed && is_reserved(prefix);
    match metis.lstat(prefix.as_str()) {
        Ok(stat) if stat.kind == Kind::Dir => {}
        Ok(_) => return Ok(FolderState::Foreign),
        Err(err) if err.is_gone() && is_reserved => return Ok(FolderState::Reserved),
        Err(err) if err.is_gone() => return Ok(FolderState::Absent),
        Err(err) => return Err(err),
    }
    let folder = metis.open_dir(prefix.as_str())?;
    // Asked for by name: to list a folder costs as much as it has documents.
    match folder.lstat(MARKER_FILE) {
        Ok(marker) if marker.kind != Kind::File => return Ok(FolderState::Foreign),
        Ok(_) => {
            let (bytes, _) = folder.read_file(MARKER_FILE, MARKER_LIMIT)?;
            return Ok(match Marker::from_bytes(&bytes) {
                Ok(marker) => FolderState::Marked(marker),
                Err(MarkerError::Newer) => FolderState::Newer,
                // Power was lost before it reached the disk. The folder is ours, its content anything.
                Err(MarkerError::Corrupt) => FolderState::Adoptable,
            });
        }
        Err(err) if err.is_gone() => {}
        Err(err) => return Err(err),
    }
    Ok(if listed {
        FolderState::Adoptable
    } else if is_reserved {
        FolderState::Reserved
    } else if folder.list()?.iter().all(|entry| left_by_us(&folder, entry)) {
        FolderState::Adoptable
    } else {
        FolderState::Foreign
    })
}

/// Whether a run that was killed before it could write the marker may have left this.
fn left_by_us(folder: &Dir, entry: &Entry) -> bool {
    let is_list = || {
        entry.name == IGNORE_FILE
            && folder
                .read_file(IGNORE_FILE, MARKER_LIMIT)
                .is_ok_and(|(bytes, _)| bytes == IGNORE_ALL || bytes.iter().all(|byte| *byte == 0))
    };
    entry.kind == Kind::File && (is_temp(&entry.name) || is_list())
}

/// The documents of `prefix`'s folder that changed since its marker was written, or in the same tick of the clock: only these
/// can have been edited. Costs one look per file and reads none.
pub fn edited_since_marked(metis: &Dir, prefix: &Prefix) -> Result<Vec<ShortCode>, DirError> {
    let folder = metis.open_dir(prefix.as_str())?;
    let marked = folder.lstat(MARKER_FILE)?.ctime_ns;
    let mut out = Vec::new();
    for entry in folder.list()? {
        let Some(code) = entry.name.to_str().and_then(ShortCode::from_file_name) else {
            continue;
        };
        match folder.lstat(&entry.name) {
            Ok(stat) if stat.kind == Kind::File && stat.ctime_ns < marked => {}
            Ok(_) => out.push(code),
            Err(err) if err.is_gone() => {}
            Err(err) => return Err(err),
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests;
