//! A folder as it is, down to what a rewrite with the same bytes would change.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

/// Every entry below a folder with its size, inode and modification time in nanoseconds.
#[derive(Debug, PartialEq, Eq)]
pub struct Snapshot(BTreeMap<PathBuf, (u64, u64, i64)>);

/// A lock's file says who holds it, and another one when that was done: all that a sync without changes may write.
const NOTES: [&str; 2] = [".metis/.sync/lock", ".metis/.sync/last.json"];

impl Snapshot {
    pub fn of(folder: &Path) -> Self {
        let mut entries = BTreeMap::new();
        collect(folder, folder, &mut entries);
        Snapshot(entries)
    }

    /// The same but for what lies in the folder `name`.
    pub fn without(mut self, name: &str) -> Self {
        self.0.retain(|path, _| !path.starts_with(name));
        self
    }

    /// What is new, gone or touched in `self` since `earlier`.
    pub fn since<'a>(&'a self, earlier: &'a Self) -> Vec<&'a Path> {
        let paths: std::collections::BTreeSet<_> = self.0.keys().chain(earlier.0.keys()).collect();
        paths
            .into_iter()
            .filter(|path| self.0.get(*path) != earlier.0.get(*path))
            .map(PathBuf::as_path)
            .collect()
    }
}

fn collect(root: &Path, folder: &Path, entries: &mut BTreeMap<PathBuf, (u64, u64, i64)>) {
    for entry in fs::read_dir(folder).unwrap_or_else(|err| panic!("{}: {err}", folder.display())) {
        let path = entry.expect("readable folder").path();
        let relative = path.strip_prefix(root).expect("below the root").to_owned();
        if NOTES.iter().any(|note| relative == Path::new(note)) {
            continue;
        }
        let meta = fs::symlink_metadata(&path).expect("entry is there");
        if meta.is_dir() {
            collect(root, &path, entries);
        }
        let modified = meta.mtime() * 1_000_000_000 + meta.mtime_nsec();
        entries.insert(relative, (meta.len(), meta.ino(), modified));
    }
}
