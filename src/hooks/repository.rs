//! The repository around a workspace, as the user's own git sees it: that git will run the hooks, with its version, its
//! configuration and its idea of where they are.

use std::{
    ffi::{OsStr, OsString},
    fs, io,
    os::unix::ffi::{OsStrExt, OsStringExt},
    path::{Path, PathBuf},
};

use crate::{
    project::trust,
    send_pack::connect,
    text::{Untrusted, shown},
};

/// Why the repository cannot be worked with.
#[derive(Debug, thiserror::Error)]
pub enum RepositoryError {
    /// git does not run.
    #[error("cannot run git: {0}")]
    NoGit(#[source] io::Error),
    /// There is none.
    #[error(
        "there is no git repository in {} or above it, so there is nothing that could run hooks: `git init` begins one",
        shown(start)
    )]
    NotFound {
        /// Where it was looked for.
        start: PathBuf,
    },
    /// git refuses something.
    #[error("`git {command}` failed: {message}")]
    Git {
        /// The arguments.
        command: String,
        /// git's words.
        message: Untrusted,
    },
}

/// Where things are. All paths are absolute.
#[derive(Debug, Clone)]
pub struct Repository {
    /// The work tree; `None` in a bare repository.
    pub top: Option<PathBuf>,
    /// Shared by all linked worktrees.
    pub common_dir: PathBuf,
    /// Where git looks for hooks: `core.hooksPath`, else `hooks` in [`common_dir`](Self::common_dir).
    pub hooks_dir: PathBuf,
    /// Whether that is by `core.hooksPath`.
    pub redirected: bool,
    /// The folder in which git runs hooks.
    pub run_dir: PathBuf,
}

impl Repository {
    /// Asks git about the repository around `start`.
    pub fn discover(start: &Path) -> Result<Self, RepositoryError> {
        let git_dir = match git(start, &["rev-parse", "--absolute-git-dir"]) {
            Ok(path) => path_of(path),
            Err(RepositoryError::Git { message, .. }) if message.raw().contains("not a git repository") => {
                return Err(RepositoryError::NotFound {
                    start: start.to_owned(),
                });
            }
            Err(err) => return Err(err),
        };
        let top = match git(start, &["rev-parse", "--is-inside-work-tree"])?.as_bytes() {
            b"true" => Some(path_of(git(start, &["rev-parse", "--show-toplevel"])?)),
            _ => None,
        };
        // Relative answers, and a relative `core.hooksPath`, are meant from where git runs hooks.
        let run_dir = top.clone().unwrap_or(git_dir);
        let ask = |args: &[&str]| git(&run_dir, args).map(|path| run_dir.join(path_of(path)));
        Ok(Repository {
            common_dir: ask(&["rev-parse", "--git-common-dir"])?,
            hooks_dir: ask(&["rev-parse", "--git-path", "hooks"])?,
            redirected: git(&run_dir, &["config", "--get", "core.hooksPath"]).is_ok(),
            top,
            run_dir,
        })
    }

    /// Whether `path`, all links followed, is inside this repository. Of a path that does not exist, the part that does counts.
    pub fn contains(&self, path: &Path) -> bool {
        let Some(real) = path.ancestors().find_map(|part| part.canonicalize().ok()) else {
            return false;
        };
        [self.top.as_deref(), Some(self.common_dir.as_path())]
            .into_iter()
            .flatten()
            .filter_map(|root| root.canonicalize().ok())
            .any(|root| real.starts_with(root))
    }

    /// Whether the user's git runs hooks that are configured (`hook.<name>.command`): from 2.54 on.
    pub fn has_configured_hooks(&self) -> Result<bool, RepositoryError> {
        let text = git(&self.run_dir, &["version"])?;
        Ok(version(&text.to_string_lossy()).is_some_and(|version| version >= (2, 54)))
    }

    /// The value of a key of the repository's configuration, if it has one.
    pub fn config(&self, key: &str) -> Option<String> {
        let value = git(&self.run_dir, &["config", "--local", "--get", key]).ok()?;
        Some(value.to_string_lossy().into_owned())
    }

    /// The value of a key of git's configuration as it counts here, from wherever.
    pub fn any_config(&self, key: &str) -> Option<String> {
        let value = git(&self.run_dir, &["config", "--get", key]).ok()?;
        Some(value.to_string_lossy().into_owned())
    }

    /// Sets a key of the repository's configuration.
    pub fn set_config(&self, key: &str, value: &str) -> Result<(), RepositoryError> {
        git(&self.run_dir, &["config", "--local", key, value]).map(drop)
    }

    /// The sections of the repository's configuration that are called `name` or `name:` and anything.
    pub fn sections(&self, name: &str) -> Result<Vec<String>, RepositoryError> {
        let keys = git(&self.run_dir, &["config", "--local", "--null", "--name-only", "--list"])?;
        let keys = keys.to_string_lossy();
        let mut sections: Vec<String> = keys
            .split('\0')
            .filter_map(|key| Some(key.rsplit_once('.')?.0))
            .filter(|section| {
                section
                    .strip_prefix(name)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
            })
            .map(str::to_owned)
            .collect();
        sections.dedup();
        Ok(sections)
    }

    /// Takes a section out of the repository's configuration.
    pub fn remove_section(&self, section: &str) -> Result<(), RepositoryError> {
        git(&self.run_dir, &["config", "--local", "--remove-section", section]).map(drop)
    }
}

/// The own folder of the repository or linked worktree with the work tree `top`: `.git`, or what the file `.git` names.
pub fn git_dir_of(top: &Path) -> Option<PathBuf> {
    let dot_git = top.join(".git");
    if dot_git.is_dir() {
        return Some(dot_git);
    }
    let text = fs::read(&dot_git).ok()?;
    let path = text.strip_prefix(b"gitdir: ")?;
    let path = path.strip_suffix(b"\n").unwrap_or(path);
    Some(top.join(OsStr::from_bytes(path)))
}

fn git(dir: &Path, args: &[&str]) -> Result<OsString, RepositoryError> {
    let mut git = connect::git();
    // Where it is not inside a work tree, a bare repository is one; git has to be told so.
    if let Some(bare) = trust::open_bare(dir) {
        git = git.arg("--git-dir").arg(bare.git_dir());
    }
    let git = git.arg("-C").arg(dir).args(args).env("LC_ALL", "C");
    let output = git.answer().map_err(RepositoryError::NoGit)?;
    if !output.status.success() {
        return Err(RepositoryError::Git {
            command: args.join(" "),
            message: String::from_utf8_lossy(&output.stderr).trim().replace('\n', " ").into(),
        });
    }
    let mut answer = output.stdout;
    if answer.ends_with(b"\n") {
        answer.pop();
    }
    Ok(OsString::from_vec(answer))
}

fn path_of(answer: OsString) -> PathBuf {
    answer.into()
}

/// Major and minor of `git version 2.54.0`.
fn version(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.split_whitespace().nth(2)?.split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions() {
        assert_eq!(version("git version 2.47.3"), Some((2, 47)));
        assert_eq!(version("git version 2.39.5 (Apple Git-154)"), Some((2, 39)));
        assert_eq!(version("git version 2.55.GIT"), Some((2, 55)));
        assert_eq!(version("git version unknown"), None);
    }

    #[test]
    fn a_worktrees_own_folder() {
        let temp = tempfile::tempdir().unwrap();
        let top = temp.path();
        assert_eq!(git_dir_of(top), None);
        fs::write(top.join(".git"), "gitdir: ../main/.git/worktrees/w\n").unwrap();
        assert_eq!(git_dir_of(top), Some(top.join("../main/.git/worktrees/w")));
    }
}
