//! Whether git is changing files just now. A checkout changes them first and moves `HEAD` last: until then old files look like
//! edits of what `HEAD` says.

use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::Path,
    time::{Duration, SystemTime},
};

use super::Project;

/// A lock that is older was left by a git that died, or belongs to a `git commit -a` whose editor is open: that one changes no
/// files.
const STALE: Duration = Duration::from_secs(60);

/// `HEAD` moves so long after the index was written, at the latest, as far as anybody has seen.
const MOVES: Duration = Duration::from_millis(100);

/// What git's index is at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Index {
    written: Option<(u64, i64, i64, u64)>,
    /// Whether git is about to replace it or to move `HEAD`, or was a moment ago.
    pub is_busy: bool,
}

impl Index {
    /// Whether git has changed no files since it was `before`, and is not at it.
    pub fn is_at_rest_since(&self, before: &Index) -> bool {
        self.written == before.written && !self.is_busy
    }
}

/// Whether git is about to write its index, or to move `HEAD`, in the repository or linked worktree whose own folder is `git_dir`.
pub fn is_held(git_dir: &Path) -> bool {
    ["index.lock", "HEAD.lock"].into_iter().any(|lock| {
        let changed = fs::symlink_metadata(git_dir.join(lock)).and_then(|meta| meta.modified());
        changed.is_ok_and(|changed| SystemTime::now().duration_since(changed).is_ok_and(|age| age < STALE))
    })
}

impl Project {
    /// The index of the work tree, if there is one.
    pub fn index(&self) -> Option<Index> {
        let repo = self.repo.as_ref().filter(|repo| repo.workdir().is_some())?;
        let meta = fs::symlink_metadata(repo.index_path()).ok();
        let age = meta.as_ref().and_then(|meta| meta.modified().ok()?.elapsed().ok());
        Some(Index {
            written: meta.map(|meta| (meta.ino(), meta.mtime(), meta.mtime_nsec(), meta.len())),
            is_busy: is_held(repo.git_dir()) || age.is_some_and(|age| age < MOVES),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_meanwhile_is_not_at_rest() {
        let index = |written, is_busy| Index {
            written: Some((1, written, 0, 100)),
            is_busy,
        };
        let before = index(10, true);
        assert!(index(10, false).is_at_rest_since(&before));
        assert!(!index(10, true).is_at_rest_since(&before));
        assert!(!index(11, false).is_at_rest_since(&before));
    }

    #[test]
    fn a_lock_counts_while_it_is_young() {
        let git_dir = tempfile::tempdir().unwrap();
        assert!(!is_held(git_dir.path()));
        for name in ["index.lock", "HEAD.lock"] {
            let path = git_dir.path().join(name);
            fs::write(&path, "").unwrap();
            assert!(is_held(git_dir.path()), "{name}");
            let lock = fs::File::options().write(true).open(&path).unwrap();
            lock.set_modified(SystemTime::now() - 2 * STALE).unwrap();
            assert!(!is_held(git_dir.path()), "{name}");
        }
    }
}
