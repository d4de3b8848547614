//! What git tracks below `.metis/`, asked of the index.

use std::{cell::Cell, collections::BTreeSet, path::Path};

use gix::{bstr::ByteSlice, objs::FindExt};

use super::{Project, trust};
use crate::central::{from_gix, to_gix};

impl Project {
    /// Whether git tracks `path`, relative to `.metis/`, be it unmerged. Where the index cannot be read it is taken for
    /// tracked, so that nothing is changed that might be.
    pub fn tracks(&self, path: &str) -> bool {
        let Some(repo) = &self.repo else { return false };
        let Ok(index) = repo.index_or_empty() else {
            return true;
        };
        let mut whole = self.below_top();
        whole.extend_from_slice(path.as_bytes());
        let entries = index.prefixed_entries(whole.as_slice().into()).unwrap_or_default();
        entries.iter().any(|entry| entry.path(&index) == whole.as_slice())
    }

    /// The files that git tracks whose path in `.metis/` starts with `start`, by what comes after it. None where the index
    /// cannot be read: then git does nothing here either.
    pub fn tracked(&self, start: &str) -> Vec<String> {
        let Some(repo) = &self.repo else { return Vec::new() };
        // Where file names differ in case alone, git writes to the same file.
        let ignore_case = matches!(self.config.boolean("core.ignorecase"), Ok(Some(true)));
        if std::fs::read(repo.index_path()).is_ok_and(|index| is_surely_without(&index, start, ignore_case)) {
            return Vec::new();
        }
        let Ok(index) = repo.index_or_empty() else {
            return Vec::new();
        };
        let mut below = self.below_top();
        below.extend_from_slice(start.as_bytes());
        let entries = match ignore_case {
            true => index.entries(),
            false => index.prefixed_entries(below.as_slice().into()).unwrap_or_default(),
        };
        let relative = |entry: &gix::index::Entry| {
            let (start, name) = entry.path(&index).split_at_checked(below.len())?;
            start
                .eq_ignore_ascii_case(&below)
                .then(|| String::from_utf8_lossy(name).into_owned())
        };
        let mut files: Vec<String> = entries.iter().filter_map(relative).collect();
        files.dedup();
        files
    }

    /// The files that git tracks in `folder` of `.metis/`, by what comes after its name; that is nothing where it is a submodule,
    /// a link or a file itself.
    ///
    /// A repository that the project's own lies in may track such files as well: git writes to paths below another
    /// repository like to any others.
    pub fn tracked_in(&self, folder: &str) -> Vec<String> {
        let mut files = self.tracked(folder);
        let mut inner = self.around();
        while let Some(outer) = inner {
            files.extend(outer.tracked(folder));
            inner = outer.around();
        }
        files.retain(|rest| rest.is_empty() || rest.starts_with('/'));
        files
    }

    /// The same `.metis/` as seen from the next repository around the project's.
    fn around(&self) -> Option<Project> {
        let top = self.repo.as_ref()?.workdir()?.canonicalize().ok()?;
        let repo = trust::open(top.parent()?).repo?;
        let outer = repo.workdir()?.canonicalize().ok()?;
        let between = top
            .strip_prefix(&outer)
            .ok()
            .filter(|path| !path.as_os_str().is_empty())?;
        let parts = between.iter().map(|part| part.as_encoded_bytes().to_vec());
        Some(Project {
            config: repo.config_snapshot().plumbing().clone(),
            metis: parts.chain(self.metis.iter().cloned()).collect(),
            repo: Some(repo),
            foreign: None,
            is_stalled: Cell::default(),
            filters: super::filter::Filters::default(),
        })
    }

    /// The top-level folders of `.metis/` in which git tracks a file, by `HEAD` and by the index: what is in them is the
    /// project's own. Reads the whole index, so ask only where something is about to be written.
    pub fn tracked_folders(&self) -> BTreeSet<String> {
        let mut out = BTreeSet::new();
        let Some(repo) = &self.repo else { return out };
        if let Ok(head) = repo.head_id()
            && let Some(tree) = self.metis_tree(&repo.objects, from_gix(&head))
        {
            let mut buffer = Vec::new();
            if let Ok(entries) = repo.objects.find_tree_iter(&to_gix(tree), &mut buffer) {
                let folders = entries.filter_map(Result::ok).filter(|entry| entry.mode.is_tree());
                out.extend(folders.map(|entry| entry.filename.to_string()));
            }
        }
        if let Ok(index) = repo.index_or_empty() {
            let below = self.below_top();
            let entries = match below.is_empty() {
                true => Some(index.entries()),
                false => index.prefixed_entries(below.as_slice().into()),
            };
            for entry in entries.unwrap_or_default() {
                let path = &entry.path(&index)[below.len()..];
                if let Some(end) = path.iter().position(|byte| *byte == b'/') {
                    out.insert(String::from_utf8_lossy(&path[..end]).into_owned());
                }
            }
        }
        out
    }

    /// What the path of everything in `.metis/` begins with in the index.
    fn below_top(&self) -> Vec<u8> {
        let parts = self.metis.iter().flat_map(|part| [part.as_slice(), b"/"]);
        parts.flatten().copied().collect()
    }
}

/// Whether git tracks files in the folder at `path`, which lies in a checkout then. A repository made of such files has hooks and
/// a configuration of whoever made the commit.
pub fn came_with_a_commit(path: &Path) -> bool {
    let Ok(real) = path.canonicalize() else { return false };
    let has = |repo: &gix::Repository, top: &Path| {
        let mut start = real.strip_prefix(top).ok()?.as_os_str().as_encoded_bytes().to_vec();
        start.push(b'/');
        let index = repo.index_or_empty().ok()?;
        Some(!index.prefixed_entries(start.as_bstr())?.is_empty())
    };
    let mut above = real.parent().map(Path::to_owned);
    while let Some(repo) = above.as_deref().and_then(|folder| trust::open(folder).repo) {
        let Some(top) = repo.workdir().and_then(|top| top.canonicalize().ok()) else {
            break;
        };
        if has(&repo, &top) == Some(true) {
            return true;
        }
        above = top.parent().map(Path::to_owned);
    }
    false
}

/// Whether an index, by its bytes, has no path with `part` in it. Every sync asks, and reading a large index as one takes
/// longer than the rest of a sync that finds nothing to do.
///
/// Only for formats that have each path as a whole: before version 4, and not shared with another file.
fn is_surely_without(index: &[u8], part: &str, ignore_case: bool) -> bool {
    let old_format = index
        .get(4..8)
        .is_some_and(|version| (2..4).contains(&version[3]) && version[..3] == [0; 3]);
    let has_part = || match ignore_case {
        true => index
            .windows(part.len())
            .any(|bytes| bytes.eq_ignore_ascii_case(part.as_bytes())),
        false => index.contains_str(part),
    };
    old_format && !index.contains_str("link") && !has_part()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_that_has_whole_paths_need_not_be_read_as_one() {
        let index = |version: u8, rest: &[u8]| [b"DIRC\0\0\0", &[version][..], rest].concat();
        let without = |index: &[u8]| is_surely_without(index, ".sync/", false);
        assert!(without(&index(2, b"...src/main.rs...")));
        assert!(without(&index(3, b"...src/main.rs...")));
        assert!(!without(&index(2, b"....metis/.sync/cursor.json...")));
        assert!(without(&index(2, b"....metis/.SYNC/cursor.json...")));
        assert!(!is_surely_without(
            &index(2, b"....metis/.SYNC/cursor.json..."),
            ".sync/",
            true
        ));
        assert!(!without(&index(4, b"...src/main.rs...")), "paths are cut there");
        assert!(!without(&index(2, b"...link....")), "some lie elsewhere");
        assert!(!without(b"DIRC"));
    }
}
