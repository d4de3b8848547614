//! Whose the repository around a workspace is, as git decides it.
//!
//! Files that came with a checkout, or that lie in a folder of somebody else's above one's own, may look like a repository
//! and name programs to run. So a repository counts only where git would run with it: it belongs to this user, or was
//! declared safe (`safe.directory`) in a place that a repository cannot write to. What looks like a *bare* repository may be
//! files of a checkout and counts for nothing (`safe.bareRepository=explicit`).

use std::path::{Path, PathBuf};

use gix::{
    ThreadSafeRepository,
    bstr::BStr,
    config::{File, path::interpolate},
    discover::{DOT_GIT_DIR, repository::Path as Found, upwards::Options},
    sec::{Trust, trust::DefaultForLevel},
};

use super::git_config;
use crate::fs::owner;

/// What there is around a folder.
pub struct Opened {
    /// The repository, if there is one that counts.
    pub repo: Option<gix::Repository>,
    /// One that does not: the nearest, which is another user's.
    pub foreign: Option<PathBuf>,
}

/// Looks for the repository in `start` and above it, as far as git would look. One that the environment names (`GIT_DIR`,
/// `GIT_WORK_TREE`) comes first, where `start` is in its work tree.
pub fn open(start: &Path) -> Opened {
    match named(start) {
        Some(repo) => Opened {
            repo: Some(repo),
            foreign: None,
        },
        None => look(start, true),
    }
}

fn named(start: &Path) -> Option<gix::Repository> {
    std::env::var_os("GIT_DIR")?;
    let repo = ThreadSafeRepository::open_with_environment_overrides(start, Default::default()).ok()?;
    let repo = repo.to_thread_local();
    let top = repo.workdir()?.canonicalize().ok()?;
    let is_inside = start.canonicalize().ok()?.starts_with(top);
    (is_inside && repo.git_dir_trust() == Trust::Full).then(|| as_told(repo))
}

/// The bare repository that the environment names (`GIT_DIR`): git's own word, for its hooks and after `--git-dir`. An error
/// with its place where it is another user's.
pub fn named_bare() -> Result<Option<gix::Repository>, PathBuf> {
    let Some(git_dir) = std::env::var_os("GIT_DIR").filter(|_| std::env::var_os("GIT_WORK_TREE").is_none()) else {
        return Ok(None);
    };
    let opened = |options: gix::open::Options| {
        let repo = options.open_path_as_is(true).open(PathBuf::from(&git_dir)).ok()?;
        Some(repo.to_thread_local()).filter(|repo| repo.workdir().is_none())
    };
    let Some(repo) = opened(gix::open::Options::default()) else {
        return Ok(None);
    };
    let at = repo
        .git_dir()
        .canonicalize()
        .unwrap_or_else(|_| repo.git_dir().to_owned());
    if repo.git_dir_trust() == Trust::Full {
        return Ok(Some(repo));
    }
    match is_declared_safe(&git_config::without_repository(), &at) {
        true => Ok(opened(gix::open::Options::default().with(Trust::Full))),
        false => Err(at),
    }
}

/// The bare repository that `start` is in, if no work tree is around it: only for who says that it is one.
pub fn open_bare(start: &Path) -> Option<gix::Repository> {
    let work_tree = gix::discover::upwards_opts(start, options(true));
    let bare = work_tree.is_err().then(|| look(start, false).repo).flatten();
    bare.filter(gix::Repository::is_bare)
}

fn look(start: &Path, work_trees_only: bool) -> Opened {
    let nothing = Opened {
        repo: None,
        foreign: None,
    };
    let Ok((path, trust)) = gix::discover::upwards_opts(start, options(work_trees_only)) else {
        return nothing;
    };
    let found = match &path {
        Found::WorkTree(top) | Found::LinkedWorkTree { work_dir: top, .. } => top.join(DOT_GIT_DIR),
        Found::Repository(git_dir) => git_dir.clone(),
    };
    let (git_dir, top) = path.into_repository_and_work_tree_directories();
    let declared = |folder: &Path| is_declared_safe(&git_config::without_repository(), folder);
    let around = top.unwrap_or(git_dir);
    // What was declared safe is opened as one's own: else its remotes and filters would be passed over. gitoxide looks for
    // that in files alone.
    let opened = || {
        let options = gix::open::Options::default_for_level(Trust::Full);
        let repo = options.open_path_as_is(true).open(&found).ok()?;
        let repo = repo.to_thread_local();
        let is_ours = repo.git_dir_trust() == Trust::Full;
        (is_ours || declared(repo.workdir().unwrap_or(repo.git_dir()))).then(|| as_told(repo))
    };
    match (trust == Trust::Full || declared(&around)).then(opened).flatten() {
        Some(repo) => Opened {
            repo: Some(repo),
            foreign: None,
        },
        None => Opened {
            foreign: Some(around),
            ..nothing
        },
    }
}

/// With what `git -c` said on top of its configuration.
fn as_told(mut repo: gix::Repository) -> gix::Repository {
    if let Some(told) = git_config::from_command_line() {
        let _ = repo.config_snapshot_mut().append(told);
    }
    repo
}

/// As git looks for a repository: not above `GIT_CEILING_DIRECTORIES`, and on one file system unless
/// `GIT_DISCOVERY_ACROSS_FILESYSTEM` says otherwise.
fn options(work_trees_only: bool) -> Options<'static> {
    let across = std::env::var_os("GIT_DISCOVERY_ACROSS_FILESYSTEM");
    let across = across.and_then(|value| gix::config::Boolean::try_from(value).ok());
    Options {
        match_ceiling_dir_or_error: false,
        cross_fs: across.is_some_and(|across| across.0),
        dot_git_only: work_trees_only,
        ..Options::default()
    }
    .apply_environment()
}

/// Whether `folder`, another user's, was declared safe by this user: `safe.directory` in `config`, which must have nothing
/// from any repository in it.
pub fn is_declared_safe(config: &File, folder: &Path) -> bool {
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let folder = real(folder);
    let home = std::env::home_dir();
    let names = |value: &[u8]| {
        let around = interpolate::Context {
            home_dir: home.as_deref(),
            ..Default::default()
        };
        let Ok(path) = gix::config::Path::from(BStr::new(value)).interpolate(around) else {
            return false;
        };
        match path.file_name() {
            Some(name) if name == "*" => path.parent().is_some_and(|above| folder.starts_with(real(above))),
            _ => path.is_absolute() && real(&path) == folder,
        }
    };
    let values = config.strings("safe.directory").unwrap_or_default();
    values.iter().fold(false, |safe, value| match value.as_slice() {
        b"" => false,
        b"*" => true,
        value => safe || names(value),
    })
}

/// Whether a `.metis` in `folder` may be this user's workspace. One that another user made, or put where all may write,
/// counts for nothing unless `folder` was declared safe.
pub fn may_hold_workspace(folder: &Path, dot_metis: &Path) -> bool {
    let theirs = |owner: Option<u32>| owner.is_some_and(|uid| !owner::is_us(uid));
    let is_theirs = theirs(owner::of(dot_metis)) || theirs(owner::of_target(dot_metis));
    let mine = !is_theirs && !owner::is_others_to_fill(folder);
    mine || is_declared_safe(&git_config::without_repository(), folder)
}
