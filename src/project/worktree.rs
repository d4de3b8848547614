//! What git says of files in the work tree: which ones it left out on purpose, and which are not merged.

use std::{collections::BTreeMap, path::PathBuf};

use gix::index::entry::{Flags, Mode, Stage};

use super::Project;
use crate::{central::from_gix, names::ObjectId};

/// A file below `.metis/` as the index has it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    is_unmerged: bool,
    /// It need not be on disk: a sparse checkout leaves it out.
    is_left_out: bool,
    /// It is to be taken as it is committed, whatever is there.
    is_assumed_unchanged: bool,
    object: ObjectId,
    len: u32,
    seconds: u32,
    nanoseconds: u32,
}

/// The index of the work tree, as far as it is about `.metis/`.
#[derive(Debug, Default)]
pub struct Checkout {
    files: BTreeMap<String, Entry>,
    /// Folders that a sparse checkout leaves out as a whole, each with a slash at its end.
    left_out: Vec<String>,
    /// Submodules, relative to `.metis/`, each with a slash at its end.
    submodules: Vec<String>,
    /// `.metis/` on disk, where a file counts as it is although a sparse checkout leaves it out: git takes it back in once it is
    /// there.
    taken_back_in: Option<PathBuf>,
    /// When the index was written, in seconds and nanoseconds: what changed in that moment is not known to be unchanged.
    written: (i64, u32),
}

impl Checkout {
    /// The files that git could not merge.
    pub fn unmerged(&self) -> impl Iterator<Item = &str> {
        let unmerged = self.files.iter().filter(|(_, entry)| entry.is_unmerged);
        unmerged.map(|(path, _)| path.as_str())
    }

    /// Whether the file is to be taken as it is committed, be it on disk or not.
    pub fn counts_as_committed(&self, path: &str) -> bool {
        let entry = self.files.get(path);
        let is_left_out = entry.is_some_and(|entry| entry.is_left_out)
            || self.left_out.iter().any(|folder| path.starts_with(folder.as_str()));
        let is_there = || {
            let metis = self.taken_back_in.as_ref();
            metis.is_some_and(|metis| metis.join(path).symlink_metadata().is_ok())
        };
        entry.is_some_and(|entry| entry.is_assumed_unchanged) || (is_left_out && !is_there())
    }

    /// Whether a submodule lies where the file was.
    pub fn is_in_submodule(&self, path: &str) -> bool {
        self.submodules.iter().any(|folder| path.starts_with(folder.as_str()))
    }

    /// The object of a file of this size and time of change, if git takes it for unchanged.
    pub(super) fn unchanged(&self, path: &str, len: u64, mtime_ns: i64) -> Option<ObjectId> {
        let entry = self.files.get(path).filter(|entry| !entry.is_unmerged)?;
        let (seconds, nanoseconds) = (
            mtime_ns.div_euclid(1_000_000_000),
            mtime_ns.rem_euclid(1_000_000_000) as u32,
        );
        let same = u64::from(entry.len) == len
            && i64::from(entry.seconds) == seconds
            && (entry.nanoseconds == nanoseconds || entry.nanoseconds == 0);
        let is_racy = (seconds, nanoseconds) >= self.written;
        (same && !is_racy).then_some(entry.object)
    }
}

impl Project {
    /// The index. `None`: there is none to read.
    pub fn checkout(&self) -> Option<Checkout> {
        let repo = self.repo.as_ref().filter(|repo| repo.workdir().is_some())?;
        let index = repo.try_index().ok()??;
        let metis = self.metis_path();
        let is_set = |key: &str| matches!(self.config.boolean(key), Ok(Some(true)));
        let takes_back_in = is_set("core.sparseCheckout") && !is_set("sparse.expectFilesOutsideOfPatterns");
        let mut checkout = Checkout {
            taken_back_in: repo.workdir().filter(|_| takes_back_in).map(|top| top.join(&metis)),
            ..Checkout::default()
        };
        if let Ok(written) = repo.index_path().metadata() {
            use std::os::unix::fs::MetadataExt;
            checkout.written = (written.mtime(), u32::try_from(written.mtime_nsec()).unwrap_or_default());
        }
        for entry in index.entries() {
            let path = String::from_utf8_lossy(entry.path(&index)).into_owned();
            let below = match metis.as_str() {
                "" => Some(path.as_str()),
                metis => path.strip_prefix(metis).and_then(|rest| rest.strip_prefix('/')),
            };
            let folder = path.trim_end_matches('/');
            if entry.mode == Mode::DIR || entry.mode == Mode::COMMIT {
                // One that has `.metis/` in it has all of that in it.
                let is_above = metis == folder || metis.starts_with(&format!("{folder}/"));
                let inside = below
                    .filter(|below| !below.is_empty())
                    .map(|below| format!("{}/", below.trim_end_matches('/')));
                let Some(folder) = inside.or_else(|| is_above.then(String::new)) else {
                    continue;
                };
                match entry.mode == Mode::DIR {
                    true => checkout.left_out.push(folder),
                    false => checkout.submodules.push(folder),
                }
                continue;
            }
            let Some(below) = below else { continue };
            let entry = Entry {
                is_unmerged: entry.stage() != Stage::Unconflicted,
                is_left_out: entry.flags.contains(Flags::SKIP_WORKTREE),
                is_assumed_unchanged: entry.flags.contains(Flags::ASSUME_VALID),
                object: from_gix(&entry.id),
                len: entry.stat.size,
                seconds: entry.stat.mtime.secs,
                nanoseconds: entry.stat.mtime.nsecs,
            };
            checkout.files.insert(below.to_owned(), entry);
        }
        Some(checkout)
    }

    /// Whether a file below `.metis/` is not on disk because git left it out of the work tree.
    pub fn leaves_out(&self, path: &str) -> bool {
        let Some(top) = self.repo.as_ref().and_then(|repo| repo.workdir()) else {
            return false;
        };
        let file = top.join(self.metis_path()).join(path);
        file.symlink_metadata().is_err()
            && self
                .checkout()
                .is_some_and(|checkout| checkout.counts_as_committed(path))
    }
}
