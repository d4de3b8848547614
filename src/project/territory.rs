//! What belongs to a project on disk, and whether a path leads there.
//!
//! What lies in a checkout came with a commit, of whoever made it: a folder in it that looks like a repository, with hooks and
//! a configuration of its own, must not be taken for a central, nor the project's own repository.

use std::{
    ffi::{OsStr, OsString},
    fs,
    io::ErrorKind,
    os::unix::ffi::OsStrExt,
    path::{Component, Path, PathBuf},
};

/// Files that name a git directory are short.
const MAX_GIT_FILE: u64 = 8 << 10;

/// The folders of a project, all links followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Territory {
    /// The folder that has `.metis/`, and the work trees of the repository around it.
    work_trees: Vec<PathBuf>,
    /// The git directories of that repository, and of those that it lies in, as a submodule does.
    git_dirs: Vec<PathBuf>,
    /// The work trees of the latter. A central may lie there, but they are none.
    around: Vec<PathBuf>,
}

impl Territory {
    /// Of the project whose `.metis/` lies, or will lie, in `folder`.
    pub fn of(folder: &Path) -> Self {
        let folder = real(folder);
        let mut found = Territory {
            work_trees: vec![folder.clone()],
            git_dirs: Vec::new(),
            around: Vec::new(),
        };
        if folder.join("HEAD").is_file() && folder.join("objects").is_dir() {
            // A bare repository: its worktrees are elsewhere.
            found.work_trees.extend(work_trees(&folder));
        }
        let mut is_own = true;
        for top in folder.ancestors() {
            let Some(git_dir) = git_dir_in(&top.join(".git")) else {
                continue;
            };
            let common = common_dir(&git_dir);
            if is_own {
                found.work_trees.push(top.to_owned());
                found.work_trees.extend(work_trees(&common));
            } else {
                found.around.push(top.to_owned());
            }
            found.git_dirs.extend([git_dir, common]);
            is_own = false;
        }
        found
    }

    /// Whether `path`, which counts from `base` if it is relative, is or leads through anything of the project.
    pub fn has(&self, path: &Path, base: &Path) -> bool {
        let with = |suffix: &str| {
            let mut path = path.as_os_str().to_owned();
            path.push(suffix);
            PathBuf::from(path)
        };
        // Where git looks for the repository that a path means.
        let meant = ["", "/.git", ".git", ".git/.git"];
        meant.into_iter().any(|suffix| self.is_entered(&with(suffix), base))
    }

    fn is_entered(&self, path: &Path, base: &Path) -> bool {
        let mut at = match path.is_absolute() {
            true => PathBuf::from("/"),
            false => real(base),
        };
        for part in path.components() {
            match part {
                Component::ParentDir => drop(at.pop()),
                Component::Normal(name) => {
                    let named = at.join(name);
                    // A link in a checkout leads wherever its commit says, today here and tomorrow there.
                    if self
                        .work_trees
                        .iter()
                        .any(|top| named != *top && named.starts_with(top))
                    {
                        return true;
                    }
                    at = step(named);
                }
                Component::RootDir | Component::CurDir | Component::Prefix(_) => {}
            }
        }
        let git_dir = git_dir_in(&at);
        let ends = [Some(at), git_dir.as_deref().map(common_dir), git_dir];
        ends.into_iter().flatten().any(|end| self.holds(&end))
    }

    fn holds(&self, path: &Path) -> bool {
        let mut folders = self.work_trees.iter().chain(&self.git_dirs);
        folders.any(|folder| path.starts_with(folder)) || self.around.iter().any(|top| top == path)
    }
}

/// `path` with all links followed; of what does not exist, as far as it does.
fn real(path: &Path) -> PathBuf {
    for existing in path.ancestors() {
        if let (Ok(real), Ok(rest)) = (existing.canonicalize(), path.strip_prefix(existing)) {
            return real.join(rest);
        }
    }
    path.to_owned()
}

/// The same for a `path` whose folder is real: there is nothing to follow but what it is itself.
fn step(path: PathBuf) -> PathBuf {
    let may_lead_elsewhere = match path.symlink_metadata() {
        Ok(found) => found.is_symlink(),
        Err(err) => err.kind() != ErrorKind::NotFound,
    };
    match may_lead_elsewhere {
        true => real(&path),
        false => path,
    }
}

/// The git directory that `dot_git`, in a real folder, is or, as a file, names.
fn git_dir_in(dot_git: &Path) -> Option<PathBuf> {
    let found = fs::metadata(dot_git).ok()?;
    if found.is_dir() {
        return Some(step(dot_git.to_owned()));
    }
    let named = named_in(dot_git)?;
    let path = named.as_bytes().strip_prefix(b"gitdir:")?.trim_ascii();
    Some(real(&dot_git.parent()?.join(OsStr::from_bytes(path))))
}

/// What the worktrees of a repository share.
fn common_dir(git_dir: &Path) -> PathBuf {
    match named_in(&git_dir.join("commondir")) {
        Some(path) => real(&git_dir.join(path)),
        None => git_dir.to_owned(),
    }
}

/// The work trees of the repository whose shared git directory, a real path, this is.
fn work_trees(common: &Path) -> Vec<PathBuf> {
    let of_dot_git = |dot_git: &Path| dot_git.parent().map(real);
    let main = common.parent().filter(|_| common.ends_with(".git")).map(Path::to_owned);
    let linked = fs::read_dir(common.join("worktrees")).into_iter().flatten().flatten();
    let linked = linked.filter_map(|entry| {
        let dot_git = named_in(&entry.path().join("gitdir"))?;
        of_dot_git(&entry.path().join(dot_git))
    });
    main.into_iter().chain(linked).collect()
}

/// The one line of a file that names a path.
fn named_in(file: &Path) -> Option<OsString> {
    let found = fs::metadata(file).ok()?;
    if !found.is_file() || found.len() > MAX_GIT_FILE {
        return None;
    }
    let text = fs::read(file).ok()?;
    let line = text.trim_ascii_end();
    (!line.is_empty()).then(|| OsStr::from_bytes(line).to_owned())
}

#[cfg(test)]
mod tests {
    use std::{os::unix::fs::symlink, process::Command};

    use super::*;

    fn git(dir: &Path, args: &[&str]) {
        let mut git = Command::new("git");
        git.arg("-C")
            .arg(dir)
            .args(["-c", "user.name=u", "-c", "user.email=u@x"]);
        git.args(["-c", "protocol.file.allow=always"]).args(args);
        git.env("GIT_CONFIG_NOSYSTEM", "1").env("HOME", dir);
        let output = git.output().expect("git runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// `/project` with `sub/` in it, a submodule, a linked worktree beside it, and `central.git` beside that.
    fn world() -> (tempfile::TempDir, PathBuf) {
        let temp = tempfile::tempdir().expect("a temp folder");
        let root = temp.path().canonicalize().expect("just made");
        git(&root, &["init", "-q", "--bare", "central.git"]);
        for name in ["library", "project"] {
            git(&root, &["init", "-q", name]);
            git(&root.join(name), &["commit", "-q", "--allow-empty", "-m", "first"]);
        }
        let project = root.join("project");
        fs::create_dir(project.join("sub")).expect("writable");
        git(&project, &["submodule", "-q", "add", "../library", "module"]);
        git(&project, &["worktree", "add", "-q", "../linked"]);
        git(&project, &["init", "-q", "--bare", "planted"]);
        (temp, root)
    }

    fn refused(folder: &Path, base: &Path, path: &str) -> bool {
        Territory::of(folder).has(Path::new(path), base)
    }

    #[test]
    fn what_is_in_a_project_or_is_its_repository_is_its_own() {
        let (_temp, root) = world();
        let project = root.join("project");
        symlink("../central.git", project.join("link")).expect("writable");
        symlink(&project, root.join("alias")).expect("writable");
        let own = |name: &str| root.join(name).display().to_string();
        for path in [
            ".",
            ".git",
            "planted",
            "./planted/",
            "sub/../planted",
            "module",
            "not-there",
            "link",
            "link/../central.git",
            "../project",
            "../alias",
            "../alias/planted",
            "../linked",
            &own("project"),
            &own("project/.git/modules/module"),
            &own("alias/.git"),
            &own("linked/.git"),
        ] {
            assert!(refused(&project, &project, path), "{path}");
        }
        for path in [
            "../central",
            "../central.git",
            "../library",
            "../sub/../central.git",
            "../nowhere",
            &own("central.git"),
        ] {
            assert!(!refused(&project, &project, path), "{path}");
        }
    }

    #[test]
    fn worktrees_submodules_and_folders_of_one_repository_know_each_other() {
        let (_temp, root) = world();
        let (project, linked, module) = (root.join("project"), root.join("linked"), root.join("project/module"));
        for path in ["../project", "../project/planted", "../project/.git"] {
            assert!(refused(&linked, &linked, path), "{path}");
        }
        assert!(refused(&project.join("sub"), &project, "planted"));
        assert!(!refused(
            &project.join("sub"),
            &project.join("sub"),
            "../../central.git"
        ));
        // The superproject is no central either, but something beside the submodule may be one.
        assert!(refused(&module, &module, "..") && refused(&module, &module, "../.git"));
        assert!(!refused(&module, &module, "../planted"));
    }

    #[test]
    fn a_folder_without_git_has_what_is_in_it() {
        let (_temp, root) = world();
        let plain = root.join("plain");
        fs::create_dir(&plain).expect("writable");
        assert!(refused(&plain, &plain, "central.git"));
        assert!(!refused(&plain, &plain, "../central.git"));
    }
}
