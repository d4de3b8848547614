//! The refs of a central that lies on this machine, read from its files. Where they do not say it plainly, central is asked.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use crate::{
    central::{device_log, remote::CONDUIT_REFS},
    fs::{Dir, DirError, Kind},
    names::ObjectId,
    sync::heads::OtherRefs,
};

/// No file with one ref is longer, nor one with all of them.
const MAX_REF: u64 = 4 << 10;
const MAX_PACKED: u64 = 64 << 20;

/// Refs do not lie deeper than this below the folders of those that count.
const DEEPEST: usize = 8;

/// A central's folder, and the branch, where one is configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refs {
    git_dir: PathBuf,
    branch: Option<String>,
}

impl Refs {
    /// Of the repository in `folder`.
    pub fn new(folder: &Path, branch: Option<String>) -> Self {
        let dot_git = folder.join(".git");
        Refs {
            git_dir: if dot_git.is_dir() { dot_git } else { folder.to_owned() },
            branch,
        }
    }

    fn dir(&self) -> Result<Dir, DirError> {
        Dir::open_root(&self.git_dir)
    }

    /// The branch's full name.
    fn reference(&self) -> Option<String> {
        match &self.branch {
            Some(branch) => Some(format!("refs/heads/{branch}")),
            None => {
                let head = text(&self.dir().ok()?, Path::new("HEAD"), MAX_REF)?;
                Some(head.trim().strip_prefix("ref: ")?.to_owned())
            }
        }
    }

    /// The folders in which something happens when a ref moves, each after the one that it is in: of one that is made after it was
    /// to be watched, that one tells.
    pub fn folders(&self) -> Vec<PathBuf> {
        let mut folders = vec![self.git_dir.clone(), self.git_dir.join("reftable")];
        let branch = self.reference();
        let branch = branch
            .as_deref()
            .and_then(|name| name.rsplit_once('/'))
            .map(|(folder, _)| folder);
        for folder in branch.into_iter().chain(BESIDE) {
            let mut all: Vec<_> = Path::new(folder)
                .ancestors()
                .map(|path| self.git_dir.join(path))
                .collect();
            all.reverse();
            all.retain(|path| !folders.contains(path));
            folders.append(&mut all);
        }
        folders
    }

    /// What lies beside the branch. `None`: that is not in files of their own.
    pub fn beside(&self) -> Option<OtherRefs> {
        let dir = self.dir().ok()?;
        if dir.lstat("reftable").is_ok() {
            return None;
        }
        let mut found = packed(&dir);
        for folder in BESIDE {
            loose(&dir, Path::new(folder), DEEPEST, &mut found);
        }
        Some(OtherRefs::of(found.iter().map(|(name, id)| (name.as_str(), *id))))
    }

    /// The commit that the branch is at.
    pub fn head(&self) -> Option<ObjectId> {
        id(&self.dir().ok()?, Path::new(&self.reference()?))
    }
}

/// The folders of the refs that count beside the branch.
const BESIDE: [&str; 3] = [device_log::REFS, device_log::AS_BRANCHES, CONDUIT_REFS];

fn text(dir: &Dir, path: &Path, limit: u64) -> Option<String> {
    String::from_utf8(dir.read_file(path, limit).ok()?.0).ok()
}

fn id(dir: &Dir, path: &Path) -> Option<ObjectId> {
    text(dir, path, MAX_REF)?.trim().parse().ok()
}

/// The refs that count of those in one file.
fn packed(dir: &Dir) -> BTreeMap<String, ObjectId> {
    let all = text(dir, Path::new("packed-refs"), MAX_PACKED).unwrap_or_default();
    let lines = all.lines().filter_map(|line| line.split_once(' '));
    let counting = lines.filter(|(_, name)| OtherRefs::are_of(name));
    counting
        .filter_map(|(id, name)| Some((name.to_owned(), id.parse().ok()?)))
        .collect()
}

/// Those in files of their own.
fn loose(dir: &Dir, folder: &Path, deep: usize, found: &mut BTreeMap<String, ObjectId>) {
    let entries = dir.open_dir(folder).and_then(|dir| dir.list()).unwrap_or_default();
    for entry in entries {
        let path = folder.join(&entry.name);
        match (entry.kind, path.to_str()) {
            (Kind::Dir, _) if deep > 0 => loose(dir, &path, deep - 1, found),
            // Whoever moves a ref writes a file of another name first.
            (Kind::File, Some(name)) if !name.ends_with(".lock") => {
                if let Some(id) = id(dir, &path) {
                    found.insert(name.to_owned(), id);
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_branch_that_is_configured_or_checked_out() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let (one, two) = ("1".repeat(40), "2".repeat(40));
        fs::create_dir_all(at("refs/heads/team")).unwrap();
        fs::write(at("HEAD"), "ref: refs/heads/team/plans\n").unwrap();
        let refs = Refs::new(folder.path(), None);
        assert_eq!(refs.head(), None, "it is not born");
        assert!(refs.folders().contains(&at("refs/heads/team")));
        fs::write(at("refs/heads/team/plans"), format!("{one}\n")).unwrap();
        fs::write(at("refs/heads/main"), format!("{two}\n")).unwrap();
        assert_eq!(refs.head().unwrap().to_string(), one);
        let named = Refs::new(folder.path(), Some("main".into()));
        assert_eq!(named.head().unwrap().to_string(), two);
        // Packed, and a branch that is something else.
        fs::remove_file(at("refs/heads/main")).unwrap();
        assert_eq!(named.head(), None);
        fs::write(at("refs/heads/main"), "ref: refs/heads/team/plans\n").unwrap();
        assert_eq!(named.head(), None);
        fs::create_dir_all(at("clone/.git/refs/heads")).unwrap();
        let clone = Refs::new(&at("clone"), None);
        assert!(clone.folders().contains(&at("clone/.git/refs/heads")));
    }

    #[test]
    fn what_lies_beside_is_told_as_by_a_listing_whatever_files_it_is_in() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let id = |n: u8| ObjectId::from_bytes(&[n; 20]).unwrap();
        let refs = Refs::new(folder.path(), None);
        let listed = |refs: &[(&'static str, ObjectId)]| Some(OtherRefs::of(refs.iter().copied()));
        fs::create_dir_all(at("refs/heads")).unwrap();
        assert_eq!(refs.beside(), listed(&[]));
        let write = |name: &str, text: &str| {
            fs::create_dir_all(at(name).parent().unwrap()).unwrap();
            fs::write(at(name), text).unwrap();
        };
        write(
            "packed-refs",
            &format!(
                "# pack-refs with: peeled fully-peeled sorted \n{} refs/heads/conduits/design/a\n{} refs/heads/main\n^{}\n\
                 {} refs/metis/log/one\n",
                id(1),
                id(2),
                id(2),
                id(3)
            ),
        );
        write("refs/metis/log/one", &format!("{}\n", id(4)));
        write("refs/metis/log/two.lock", &format!("{}\n", id(5)));
        write("refs/heads/metis/log/two", &format!("{}\n", id(6)));
        write("refs/heads/conduits/notes", &format!("{}\n", id(7)));
        write("refs/heads/conduits/broken", "ref: refs/heads/main\n");
        rustix::fs::mknodat(
            rustix::fs::CWD,
            at("refs/metis/log/pipe"),
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::RUSR,
            0,
        )
        .unwrap();
        assert_eq!(
            refs.beside(),
            listed(&[
                ("refs/heads/conduits/design/a", id(1)),
                ("refs/heads/conduits/notes", id(7)),
                ("refs/heads/metis/log/two", id(6)),
                ("refs/metis/log/one", id(4)),
            ])
        );
        let folders = refs.folders();
        let place = |name: &str| folders.iter().position(|folder| *folder == at(name)).unwrap();
        assert!(
            place("refs/metis") < place("refs/metis/log") && place("refs/heads/metis") < place("refs/heads/metis/log")
        );
        fs::create_dir(at("reftable")).unwrap();
        assert_eq!(refs.beside(), None);
    }
}
