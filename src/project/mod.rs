//! The project's own git repository around `.metis/`, if there is one: its configuration, and whether its remote has
//! newer planning documents than this checkout. Nothing in it is ever written: no ref, no index, no `FETCH_HEAD`, no
//! object.

mod commits;
mod conversion;
mod exclusion;
mod filter;
mod freshness;
mod git_config;
mod history;
mod moment;
mod refs;
mod source;
pub mod territory;
mod tracked;
mod trees;
pub mod trust;
mod work_in_progress;
mod worktree;

use std::{
    cell::Cell,
    ffi::OsStr,
    path::{Path, PathBuf},
};

use gix::{config::File, objs::FindExt};

use crate::{
    central::to_gix,
    names::{ObjectFormat, ObjectId},
};
pub use conversion::Conversion;
pub use exclusion::{Exclusion, Patterns, is_affordable};
pub use freshness::Freshness;
pub use gix::Repository;
pub use history::{CodeOf, Committed, History, Listing, Unrelated};
pub use moment::moment;
pub use source::unfinished;
pub use tracked::came_with_a_commit;
use trust::Opened;
pub use work_in_progress::{Index, is_held};
pub use worktree::Checkout;

/// Where the data of the repository around `folder` lies, and the path of `name` in it, in its work tree.
pub fn place_of(folder: &Path, name: &OsStr) -> Option<(PathBuf, Vec<u8>)> {
    let repo = trust::open(folder).repo?;
    let top = repo.workdir()?.canonicalize().ok()?;
    let path = folder.strip_prefix(top).ok()?.join(name);
    Some((repo.common_dir().to_owned(), path.into_os_string().into_encoded_bytes()))
}

/// So many of our newest commits are named to the remote. More than that are seldom ahead of it, and a request has to
/// stay small.
const MAX_HAVES: usize = 256;

/// What git knows around a workspace.
pub struct Project {
    repo: Option<gix::Repository>,
    config: File,
    /// The path of `.metis/` inside the work tree, by component.
    metis: Vec<Vec<u8>>,
    foreign: Option<PathBuf>,
    /// git did not answer in time, and is not asked again.
    is_stalled: Cell<bool>,
    /// The programs that filter its files.
    filters: filter::Filters,
}

impl Project {
    /// Looks upward from `.metis/`'s parent for a repository that git would trust. `.metis/` itself need not exist yet; if
    /// it is a link, the repository is the one that it leads into.
    pub fn discover(metis: &Path) -> Self {
        let real = metis.canonicalize();
        let metis = real.as_deref().unwrap_or(metis);
        // `.metis/` may be a submodule, or a repository of its own.
        let start = match metis.join(".git").symlink_metadata() {
            Ok(_) => metis,
            Err(_) => metis.parent().unwrap_or(metis),
        };
        let Opened { repo, foreign } = trust::open(start);
        let outside = |repo: Option<gix::Repository>| Project {
            config: repo.as_ref().map_or_else(git_config::without_repository, |repo| {
                repo.config_snapshot().plumbing().clone()
            }),
            repo: None,
            metis: Vec::new(),
            foreign,
            is_stalled: Cell::default(),
            filters: filter::Filters::default(),
        };
        let Some(repo) = repo else {
            return outside(None);
        };
        let inside = (|| {
            use std::os::unix::ffi::OsStrExt;
            let top = repo.workdir()?.canonicalize().ok()?;
            let metis = match &real {
                Ok(metis) => metis.clone(),
                // Not made yet: it will be where it is looked for.
                Err(_) => metis.parent()?.canonicalize().ok()?.join(metis.file_name()?),
            };
            Some(
                metis
                    .strip_prefix(&top)
                    .ok()?
                    .components()
                    .map(|part| part.as_os_str().as_bytes().to_vec())
                    .collect(),
            )
        })();
        match inside {
            Some(components) => Project {
                config: repo.config_snapshot().plumbing().clone(),
                repo: Some(repo),
                metis: components,
                foreign: None,
                is_stalled: Cell::default(),
                filters: filter::Filters::default(),
            },
            None => outside(Some(repo)),
        }
    }

    /// A bare repository, where `metis`, a folder at the top of each commit, has the plans.
    pub fn bare(repo: gix::Repository, metis: &str) -> Self {
        Project {
            config: repo.config_snapshot().plumbing().clone(),
            repo: Some(repo),
            metis: vec![metis.as_bytes().to_vec()],
            foreign: None,
            is_stalled: Cell::default(),
            filters: filter::Filters::default(),
        }
    }

    /// Where the repository is that has no work tree.
    pub fn bare_dir(&self) -> Option<&Path> {
        let repo = self.repo.as_ref().filter(|repo| repo.workdir().is_none());
        repo.map(gix::Repository::git_dir)
    }

    /// System, global and the repository's configuration.
    pub fn config(&self) -> &File {
        &self.config
    }

    /// Who commits: a name and an e-mail address.
    pub fn committer(&self) -> (String, String) {
        git_config::committer(&self.config)
    }

    /// Whether a credential helper is set up, for all servers or for some.
    pub fn has_credential_helper(&self) -> bool {
        git_config::has_credential_helper(&self.config)
    }

    /// What git's configuration says for `section.key`.
    pub fn setting(&self, key: &str) -> Option<String> {
        self.config.string(key).map(|value| value.to_string())
    }

    /// The repository that is around the workspace and counts for nothing, being another user's.
    pub fn foreign(&self) -> Option<&Path> {
        self.foreign.as_deref()
    }

    /// Where the repository's own data lies, for all its worktrees, and the path of `.metis/` in the work tree. `None`
    /// outside of a repository.
    pub fn place(&self) -> Option<(&Path, Vec<u8>)> {
        let repo = self.repo.as_ref()?;
        Some((repo.common_dir(), self.metis.join(&b'/')))
    }

    /// The folder to run git's helpers in, so that they see the same configuration.
    pub fn dir(&self) -> Option<PathBuf> {
        self.repo.as_ref().and_then(|repo| repo.workdir()).map(Path::to_owned)
    }

    /// The hash that names the project's objects.
    pub fn format(&self) -> Option<ObjectFormat> {
        let repo = self.repo.as_ref()?;
        Some(match repo.object_hash() {
            gix::hash::Kind::Sha1 => ObjectFormat::Sha1,
            _ => ObjectFormat::Sha256,
        })
    }

    /// The tree of `.metis/` in a commit.
    fn metis_tree(&self, odb: &impl gix::objs::Find, commit: ObjectId) -> Option<ObjectId> {
        trees::folder_in(odb, commit, self.metis.iter().map(|part| part.as_slice()))
    }

    /// The bytes of a blob, `limit` at most.
    pub fn blob(&self, id: ObjectId, limit: u64) -> Option<Vec<u8>> {
        let repo = self.repo.as_ref().filter(|_| self.format() == Some(id.format()))?;
        let id = to_gix(id);
        let header = repo.find_header(id).ok()?;
        let is_it = header.kind() == gix::objs::Kind::Blob && header.size() <= limit;
        let blob = is_it.then(|| repo.find_blob(id).ok()).flatten()?;
        Some(blob.detach().data)
    }

    /// The bytes of a file at the top of `.metis/` in a commit, `limit` at most.
    pub fn committed_file(&self, commit: ObjectId, name: &str, limit: u64) -> Option<Vec<u8>> {
        let repo = self.repo.as_ref()?;
        let tree = to_gix(self.metis_tree(&repo.objects, commit)?);
        let mut buffer = Vec::new();
        let entries = repo.objects.find_tree_iter(&tree, &mut buffer).ok()?;
        let mut entries = entries.filter_map(Result::ok);
        let file = entries.find(|entry| entry.mode.is_blob() && entry.filename == name.as_bytes())?;
        let is_small = repo.find_header(file.oid).is_ok_and(|header| header.size() <= limit);
        let blob = is_small.then(|| repo.find_blob(file.oid).ok()).flatten()?;
        Some(blob.detach().data)
    }
}
