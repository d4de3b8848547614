//! Where the guard of a workspace lies.

use std::{
    fs,
    path::{Path, PathBuf},
};

use ring::digest;

use crate::{state::files::identity, text::hex};

/// The folder that guards lie in, in a git directory.
const IN_GIT: &str = "metis-sync";
/// The folder that guards lie in, in the user's state directory.
const OUTSIDE_GIT: &str = "git-metis-sync";
/// As many digits of a digest name a guard of an earlier version.
const SHORT: usize = 16;

/// Where the guard of one `.metis` may lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// In the git directory.
    pub(super) inside: Option<Folder>,
    /// In the user's state directory, where that is known.
    pub(super) outside: Option<Folder>,
    /// Which folder `.metis` is: another one may be made later in its place.
    pub(super) folder: String,
}

impl Place {
    /// Of the `.metis` at the real path `metis`. `repository` is the shared git directory of the one around it, and the path
    /// of `.metis` in that: linked worktrees share a guard. `state_dir` is the user's state directory; `None`: as the
    /// environment says.
    pub fn new(metis: &Path, repository: Option<(&Path, &[u8])>, state_dir: Option<&Path>) -> Self {
        let state_dir = state_dir.map(Path::to_owned).or_else(user_state_dir);
        let path = metis.as_os_str().as_encoded_bytes();
        Place {
            inside: repository.map(|(common_dir, path)| Folder::of(path, &common_dir.join(IN_GIT))),
            outside: state_dir.map(|dir| Folder::of(path, &dir.join(OUTSIDE_GIT))),
            folder: metis.metadata().as_ref().map(identity).unwrap_or_default(),
        }
    }

    /// The folder in the git directory, for what else is to lie there: from here on it keeps its name.
    pub fn in_repository(&self) -> Option<&Path> {
        self.inside.as_ref().map(Folder::settled)
    }
}

/// The folder of a guard. It is named by the whole digest of what it guards: of two paths that came with a checkout and agree in
/// the digits of a shorter name, one would be taken for the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Folder {
    pub(super) whole: PathBuf,
    /// As an earlier version named it.
    pub(super) short: PathBuf,
}

impl Folder {
    pub(super) fn of(path: &[u8], guards: &Path) -> Self {
        let name = hex(digest::digest(&digest::SHA256, path).as_ref());
        Folder {
            short: guards.join(&name[..SHORT]),
            whole: guards.join(name),
        }
    }

    /// Where it may be found, in the order to look in. It may be renamed between two looks.
    pub(super) fn names(&self) -> [&Path; 3] {
        [&self.whole, &self.short, &self.whole]
    }

    /// Where to write it. One of an earlier version is renamed; it keeps its name only where that is not allowed.
    pub(super) fn settled(&self) -> &Path {
        if self.whole.exists() || fs::rename(&self.short, &self.whole).is_ok() || !self.short.exists() {
            &self.whole
        } else {
            &self.short
        }
    }
}

/// `$XDG_STATE_HOME`, else `~/.local/state`.
fn user_state_dir() -> Option<PathBuf> {
    let absolute = |path: PathBuf| path.is_absolute().then_some(path);
    std::env::var_os("XDG_STATE_HOME")
        .and_then(|path| absolute(path.into()))
        .or_else(|| Some(absolute(std::env::home_dir()?)?.join(".local").join("state")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guard_is_named_by_a_whole_digest() {
        let folder = Folder::of(b".metis", Path::new("/g"));
        let name = folder.whole.file_name().unwrap().to_str().unwrap();
        assert_eq!(name.len(), 64);
        assert_eq!(folder.short, Path::new("/g").join(&name[..16]));
        assert_ne!(Folder::of(b"a/.metis", Path::new("/g")), folder);
    }

    #[test]
    fn one_under_an_earlier_name_is_renamed_once_something_is_written() {
        let temp = tempfile::tempdir().unwrap();
        let folder = Folder::of(b".metis", temp.path());
        assert_eq!(folder.settled(), folder.whole, "there is none");
        fs::create_dir(&folder.short).unwrap();
        fs::write(folder.short.join("a"), "a").unwrap();
        assert_eq!(folder.settled(), folder.whole);
        assert!(folder.whole.join("a").exists() && !folder.short.exists());
        // One that somebody with the earlier version makes later counts for nothing.
        fs::create_dir(&folder.short).unwrap();
        assert_eq!(folder.settled(), folder.whole);
        assert!(folder.whole.join("a").exists());
    }
}
