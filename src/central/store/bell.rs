//! What wakes watchers on this machine once something was pushed to a central that lies elsewhere, whichever clone did it: they
//! need not wait until they ask that central by themselves.

use std::path::{Path, PathBuf};

use super::{place, private};

/// The file that is written anew.
const RUNG: &str = "rung";

/// The folder to look at for the central that `key` names, below the user's cache directory `cache`. `None`: it cannot be made.
pub fn hang(cache: &Path, key: &str) -> Option<PathBuf> {
    let folder = folder(cache, key);
    private::make(cache, &folder).is_ok().then_some(folder)
}

/// Wakes those who look at it. Where nobody ever did there is none, and nothing is written.
pub fn ring(cache: &Path, key: &str) {
    let folder = folder(cache, key);
    if folder.is_dir() && private::check(cache, &folder).is_ok() {
        // Unheard, it is as it is without a bell.
        let _ = private::write(&folder.join(RUNG), b"");
    }
}

fn folder(cache: &Path, key: &str) -> PathBuf {
    place::folder(cache, "bells").join(place::id(key))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn it_is_heard_where_somebody_looks() {
        let cache = tempfile::tempdir().unwrap();
        let cache = cache.path();
        ring(cache, "https://h/r");
        assert_eq!(fs::read_dir(cache).unwrap().count(), 0);
        let folder = hang(cache, "https://h/r").unwrap();
        ring(cache, "https://h/other");
        assert!(!folder.join(RUNG).exists());
        ring(cache, "https://h/r");
        assert!(folder.join(RUNG).exists());
        fs::remove_dir_all(private::top(cache)).unwrap();
        fs::write(private::top(cache), "no folder").unwrap();
        assert_eq!(hang(cache, "https://h/r"), None);
    }
}
