//! The branch of a central that lies on this machine, read from its files. Where they do not say it plainly, central is asked.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use crate::{
    central::{device_log, remote::CONDUIT_REFS},
    names::ObjectId,
    sync::heads::OtherRefs,
};

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

    fn reference(&self) -> Option<PathBuf> {
        let name = match &self.branch {
            Some(branch) => format!("refs/heads/{branch}"),
            None => {
                let head = fs::read_to_string(self.git_dir.join("HEAD")).ok()?;
                head.trim().strip_prefix("ref: ")?.to_owned()
            }
        };
        Some(self.git_dir.join(name))
    }

    /// The folders in which something happens when the branch moves.
    pub fn folders(&self) -> Vec<PathBuf> {
        let branch = self.reference().and_then(|path| path.parent().map(Path::to_owned));
        let mut folders = vec![
            self.git_dir.clone(),
            self.git_dir.join("refs/heads"),
            self.git_dir.join("reftable"),
            // Where records are; made with the first log.
            self.git_dir.join("refs"),
            self.git_dir.join("refs/metis"),
        ];
        folders.extend(self.folders_beside());
        folders.extend(branch.filter(|folder| !folders.contains(folder)));
        folders
    }

    fn folders_beside(&self) -> [PathBuf; 3] {
        [device_log::REFS, device_log::AS_BRANCHES, CONDUIT_REFS].map(|folder| self.git_dir.join(folder))
    }

    /// What lies beside the branch, as far as it lies in files of its own.
    pub fn beside(&self) -> OtherRefs {
        let mut found = self.folders_beside().map(|folder| {
            let mut found = BTreeMap::new();
            for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
                // Whoever moves a ref writes a file of another name first.
                let name = entry.file_name();
                if !name.as_encoded_bytes().ends_with(b".lock") {
                    found.insert(name, fs::read(entry.path()).unwrap_or_default());
                }
            }
            found
        });
        let [logs, as_branches, conduits] = &mut found;
        logs.append(as_branches);
        OtherRefs::of(logs, conduits)
    }

    /// The commit that the branch is at.
    pub fn head(&self) -> Option<ObjectId> {
        fs::read_to_string(self.reference()?).ok()?.trim().parse().ok()
    }
}

#[cfg(test)]
mod tests {
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
}
