//! Whether this program was replaced by another version of it. The one that runs goes on as that one then.

use std::{
    env, fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    time::Duration,
};

/// How often it is looked at.
const LOOK: Duration = Duration::from_secs(5);

type Identity = (u64, u64, i64, u64);

/// The file that this process was started from.
pub struct Program {
    path: PathBuf,
    begun_as: Identity,
    /// What was seen there last, and when.
    seen: (Identity, Duration),
}

impl Program {
    /// This process's. `None`: the system does not say.
    pub fn this() -> Option<Self> {
        Self::at(env::current_exe().ok()?)
    }

    fn at(path: PathBuf) -> Option<Self> {
        let begun_as = identity(&path)?;
        Some(Program {
            path,
            begun_as,
            seen: (begun_as, Duration::ZERO),
        })
    }

    /// Whether another one lies in its place, which was the same at the look before: one that is still being written is not
    /// started.
    pub fn was_replaced(&mut self, now: Duration) -> bool {
        let (before, at) = self.seen;
        if now < at + LOOK {
            return false;
        }
        // While it is away there is nothing to go on as.
        let is = identity(&self.path).unwrap_or(self.begun_as);
        self.seen = (is, now);
        is != self.begun_as && is == before
    }
}

/// Where this program lies. Linux marks one that was replaced.
pub fn path() -> std::io::Result<PathBuf> {
    let path = env::current_exe()?;
    let name = path.to_string_lossy();
    Ok(name.strip_suffix(" (deleted)").map_or(path.clone(), PathBuf::from))
}

/// What tells a program from another version of it in the same place.
fn identity(path: &Path) -> Option<Identity> {
    let meta = fs::metadata(path).ok()?;
    Some((meta.dev(), meta.ino(), meta.mtime_nsec(), meta.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_counts_as_replaced_once_it_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("program");
        fs::write(&path, "one").unwrap();
        let mut program = Program::at(path.clone()).unwrap();
        let mut look = |second| program.was_replaced(Duration::from_secs(second));
        assert!(!look(5) && !look(10));
        fs::remove_file(&path).unwrap();
        assert!(!look(15) && !look(20), "it is away");
        fs::write(&path, "another").unwrap();
        assert!(!look(25), "it may still be written");
        fs::write(&path, "another, whole").unwrap();
        assert!(!look(30));
        assert!(!look(31), "too soon to say");
        assert!(look(35));
    }
}
