//! Writing into one hydrated folder.

use super::{
    hydrated::{FolderState, MARKER_FILE, Marker, Survey, folder_state, ignore_itself, is_ours_in_folder},
    ignore_file::IGNORE_FILE,
};
use crate::fs::{Dir, DirError, FileMode, is_temp};
use crate::names::{ObjectId, Prefix, ShortCode};

/// Where locally edited copies are kept before they are replaced, relative to `.metis`.
pub const KEPT_DIR: &str = ".sync/kept";
/// What a kept copy's name ends with. The Metis tools take every `*.md` for a document.
const KEPT_ENDING: &str = ".kept";

/// Removes folders for copies of edited files that were made for nothing, because who made them was killed. A folder with
/// something in it is never removed. Copies that an earlier version kept as `*.md` get the ending.
pub fn sweep_kept(metis: &Dir) {
    let names = |folder: &Dir| folder.list().into_iter().flatten().map(|entry| entry.name);
    let Ok(kept) = metis.open_dir(KEPT_DIR) else { return };
    for stamp in names(&kept) {
        if let Ok(folder) = kept.open_dir(&stamp) {
            for prefix in names(&folder) {
                if folder.remove_dir(&prefix).is_err()
                    && let Ok(copies) = folder.open_dir(&prefix)
                {
                    let documents = names(&copies).filter_map(|name| name.into_string().ok());
                    for name in documents.filter(|name| name.ends_with(".md")) {
                        let to = format!("{name}{KEPT_ENDING}");
                        if copies.lstat(&to).is_err_and(|err| err.is_gone()) {
                            let _ = copies.rename(&name, to);
                        }
                    }
                }
            }
        }
        let _ = kept.remove_dir(&stamp);
    }
    let _ = metis.remove_dir(KEPT_DIR);
}

/// Why a hydrated folder could not be written to. One folder's error concerns that workspace alone.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)]
pub enum FolderError {
    #[error(
        ".metis/{prefix} is a folder of your own, so workspace {prefix} of central cannot be copied there; nothing in it was \
         touched. Rename your folder to get that workspace"
    )]
    Foreign { prefix: Prefix },
    #[error(
        "the Metis tools keep your own documents in .metis/{prefix}, so workspace {prefix} of central cannot be copied \
         there; its owner would have to choose another prefix"
    )]
    Reserved { prefix: Prefix },
    #[error(".metis/{prefix} was written by a later version of git-metis-sync; update this one")]
    Newer { prefix: Prefix },
    #[error("{name:?} is no name for a file in a hydrated folder")]
    BadName { name: String },
    #[error(transparent)]
    Dir(#[from] DirError),
}

/// What is on disk in place of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnDisk {
    /// Nothing.
    Absent,
    /// A version that we put there.
    Expected(ObjectId),
    /// Something else, which is nowhere else: to be [kept](FolderWriter::keep) before it is replaced or removed.
    LocallyEdited(ObjectId),
    /// A folder, a link or the like, which is left alone.
    NotAFile,
}

/// One hydrated folder, open for changes. May be used from several threads at once.
///
/// The caller's order for a new tree: [`mark()`](Self::mark) it as `applying`; for each file [`check()`](Self::check), if
/// need be [`keep()`](Self::keep), then [`write()`](Self::write); then the removals likewise; `mark()` it as applied.
#[derive(Debug)]
pub struct FolderWriter<'a> {
    metis: &'a Dir,
    prefix: Prefix,
    limit: u64,
    folder: Dir,
    is_new: bool,
}

/// Writes `bytes` into `folder` of `.sync/kept/`, flushed to the disk. Returns the copy's path relative to `.metis`. An earlier
/// copy is never overwritten: of several, later ones get a number. No copy's name ends in `.md`.
pub fn keep_copy(metis: &Dir, folder: &str, name: &str, bytes: &[u8]) -> Result<String, DirError> {
    let folder = format!("{KEPT_DIR}/{folder}");
    metis.create_dir(&folder)?;
    let mut number = 0_u64;
    loop {
        let path = match number {
            0 => format!("{folder}/{name}{KEPT_ENDING}"),
            number => format!("{folder}/{name}.{number}{KEPT_ENDING}"),
        };
        match metis.create_new(&path, bytes) {
            Err(DirError::Exists { .. }) => match metis.read_file(&path, bytes.len() as u64) {
                Ok((kept, _)) if kept == bytes => return Ok(path),
                _ => number += 1,
            },
            kept => return kept.map(|()| path),
        }
    }
}

impl<'a> FolderWriter<'a> {
    /// The folder of `prefix` in `metis`, made if there is none. Refuses a folder that is not certainly ours.
    ///
    /// `limit`: the most bytes a document may have; a larger file on disk cannot be checked or kept.
    pub fn open(metis: &'a Dir, survey: &Survey, prefix: &Prefix, limit: u64) -> Result<Self, FolderError> {
        let prefix = prefix.clone();
        // Looked at again: much may have happened since the survey.
        let mut is_new = false;
        match folder_state(metis, &prefix, survey.listed.contains(&prefix)) {
            FolderState::Marked(_) | FolderState::Adoptable => {}
            FolderState::Absent => match metis.create_new_dir(prefix.as_str()) {
                Err(DirError::Exists { .. }) => return Err(FolderError::Foreign { prefix }),
                made => {
                    made?;
                    is_new = true;
                }
            },
            FolderState::Newer => return Err(FolderError::Newer { prefix }),
            FolderState::Reserved => return Err(FolderError::Reserved { prefix }),
            FolderState::Foreign => return Err(FolderError::Foreign { prefix }),
            FolderState::Unreadable(err) => return Err(err.into()),
        }
        // Before the first document: nothing of it must ever be seen by git.
        let folder = metis.open_dir(prefix.as_str())?;
        ignore_itself(&folder)?;
        Ok(FolderWriter {
            metis,
            prefix,
            limit,
            folder,
            is_new,
        })
    }

    /// Whether it was made by this writer, so that hardly anybody else has put anything there.
    pub fn is_new(&self) -> bool {
        self.is_new
    }

    /// Whose folder it is.
    pub fn prefix(&self) -> &Prefix {
        &self.prefix
    }

    /// Write the marker.
    pub fn mark(&self, marker: &Marker) -> Result<(), FolderError> {
        let path = self.path_of(MARKER_FILE);
        Ok(self.metis.write_flushed(path, &marker.to_bytes(), FileMode::Plain)?)
    }

    /// Compare the file `name` (`<code>.md`, as in all methods) with the versions that we may have put there.
    ///
    /// A file that is empty or all zeros always passes for one of them: it is what a loss of power makes of a file that was
    /// just written, and has nothing in it to keep.
    pub fn check(
        &self,
        name: &str,
        expected: &[ObjectId],
        hash: &dyn Fn(&[u8]) -> ObjectId,
    ) -> Result<OnDisk, FolderError> {
        match self.metis.read_file(self.document(name)?, self.limit) {
            Ok((bytes, _)) => {
                let id = hash(&bytes);
                let is_void = bytes.iter().all(|byte| *byte == 0);
                Ok(match is_void || expected.contains(&id) {
                    true => OnDisk::Expected(id),
                    false => OnDisk::LocallyEdited(id),
                })
            }
            Err(DirError::Missing { .. }) => Ok(OnDisk::Absent),
            Err(DirError::Symlink { .. } | DirError::NotAFile { .. }) => Ok(OnDisk::NotAFile),
            Err(err) => Err(err.into()),
        }
    }

    /// Put `bytes` in the file `name`, replacing what is there. It is not for writing: an editor says so.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<(), FolderError> {
        Ok(self
            .metis
            .write_atomic(self.document(name)?, bytes, FileMode::ReadOnly)?)
    }

    /// The same where nothing is yet. `false`: there is something, which is as it was.
    pub fn write_new(&self, name: &str, bytes: &[u8]) -> Result<bool, FolderError> {
        self.document(name)?;
        match self.folder.create_atomic(name, bytes, FileMode::ReadOnly) {
            Ok(()) => Ok(true),
            Err(DirError::Exists { .. }) => Ok(false),
            Err(err) => Err(err.into()),
        }
    }

    /// Remove the file `name`; that it is gone already is fine.
    pub fn remove(&self, name: &str) -> Result<(), FolderError> {
        match self.metis.remove_file(self.document(name)?) {
            Err(err) if !err.is_gone() => Err(err.into()),
            _ => Ok(()),
        }
    }

    /// Copy the file `name`, as it is now, to `.sync/kept/<stamp>/<prefix>/`, flushed to the disk. Returns the copy's path
    /// relative to `.metis`. An earlier copy is never overwritten: of several, later ones get a number. No copy's name ends
    /// in `.md`.
    pub fn keep(&self, name: &str, stamp: &str) -> Result<String, FolderError> {
        if stamp.is_empty() || stamp.starts_with('.') || stamp.contains(['/', '\0']) {
            return Err(FolderError::BadName { name: stamp.to_owned() });
        }
        let (bytes, _) = self.metis.read_file(self.document(name)?, self.limit)?;
        Ok(keep_copy(
            self.metis,
            &format!("{stamp}/{}", self.prefix),
            name,
            &bytes,
        )?)
    }

    /// Move all documents in the folder to `.sync/kept/<stamp>/<prefix>/`, under names as [`keep()`](Self::keep) gives them.
    /// Returns how many there were, and that folder's path relative to `.metis`.
    pub fn set_aside(&self, stamp: &str) -> Result<(usize, String), FolderError> {
        let aside = format!("{KEPT_DIR}/{stamp}/{}", self.prefix);
        let kept = self.metis.create_dir(&aside)?;
        let mut moved = 0;
        for name in self.names()? {
            let Ok(path) = self.document(&name) else { continue };
            let free = |name: &String| kept.lstat(name).is_err_and(|err| err.is_gone());
            let names = (0u64..).map(|number| match number {
                0 => format!("{name}{KEPT_ENDING}"),
                number => format!("{name}.{number}{KEPT_ENDING}"),
            });
            if let Some(to) = names.into_iter().find(free) {
                self.metis.rename(path, format!("{aside}/{to}"))?;
                moved += 1;
            }
        }
        Ok((moved, aside))
    }

    /// The names of everything in the folder but our own files; those that are not UTF-8 with
    /// replacement characters.
    pub fn names(&self) -> Result<Vec<String>, FolderError> {
        let entries = self.metis.open_dir(self.prefix.as_str())?.list()?;
        let others = entries.iter().filter(|entry| !is_ours_in_folder(&entry.name));
        Ok(others.map(|entry| entry.name.to_string_lossy().into_owned()).collect())
    }

    /// Give the folder up, after all documents in it were [removed](Self::remove): the marker goes, and the folder itself if
    /// nothing else is in it. Returns the names of what is left, which is the user's own and stays.
    pub fn dissolve(self) -> Result<Vec<String>, FolderError> {
        let left = self.names()?;
        if left.is_empty() {
            let folder = self.metis.open_dir(self.prefix.as_str())?;
            let ours = folder.list()?;
            for ours in ours
                .iter()
                .filter(|ours| is_temp(&ours.name) || ours.name == IGNORE_FILE)
            {
                let _ = folder.remove_file(&ours.name);
            }
        }
        match self.metis.remove_file(self.path_of(MARKER_FILE)) {
            Err(err) if !err.is_gone() => return Err(err.into()),
            _ => {}
        }
        if left.is_empty() {
            match self.metis.remove_dir(self.prefix.as_str()) {
                Ok(()) => {}
                Err(DirError::NotEmpty { .. }) => return self.names(),
                Err(err) => return Err(err.into()),
            }
        }
        Ok(left)
    }

    /// The path of a document. Names come from central, and only those that no disk and no shell takes amiss may
    /// reach one.
    fn document(&self, name: &str) -> Result<String, FolderError> {
        match ShortCode::from_file_name(name) {
            Some(_) => Ok(self.path_of(name)),
            None => Err(FolderError::BadName { name: name.to_owned() }),
        }
    }

    fn path_of(&self, name: &str) -> String {
        format!("{}/{name}", self.prefix)
    }
}

#[cfg(test)]
mod tests;
