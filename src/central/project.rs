//! The project's own git repository around `.metis/`, if there is one: its configuration, and whether its remote has
//! newer planning documents than this checkout. Nothing in it is ever written: no ref, no index, no `FETCH_HEAD`, no
//! object.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet, VecDeque},
    path::{Path, PathBuf},
};

use gix::{
    config::File,
    objs::{Exists, FindExt},
};

use super::{
    CentralError, ObjectFormat, fetch, from_gix, git_config, hash_kind, objects, remote::Remote, store, to_gix,
};
use crate::{
    names::ObjectId,
    plan::listing::printable,
    send_pack::connect::{ConnectError, ConnectOptions, RemoteUrl},
};

/// So many touched documents are named; more would not help anybody decide.
const MAX_NAMED: usize = 20;
/// Folders in a project's `.metis/` deeper than this are nobody's plans.
const MAX_DEPTH: usize = 64;
/// So many of our newest commits are named to the remote. More than that are seldom ahead of it, and a request has to
/// stay small.
const MAX_HAVES: usize = 256;

/// What git knows around a workspace.
pub struct Project {
    repo: Option<gix::Repository>,
    config: File,
    /// The path of `.metis/` inside the work tree, by component.
    metis: Vec<Vec<u8>>,
}

/// The answer of [`Project::freshness()`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Freshness {
    /// There is nothing to compare with: no repository, no branch checked out, no remote for it.
    NotApplicable,
    /// The remote has no commit that touches documents and that this checkout lacks.
    Fresh,
    /// It has.
    Stale {
        /// The remote's branch, e.g. `origin/main`.
        remote: String,
        /// Up to twenty documents that were touched, relative to `.metis/`.
        documents: Vec<String>,
    },
}

/// What to ask the project's remote.
struct Upstream {
    head: ObjectId,
    url: Result<RemoteUrl, ConnectError>,
    branch: String,
    name: String,
}

impl Project {
    /// Looks upward from `.metis/`'s parent for a repository that git would trust. `.metis/` itself need not exist yet.
    pub fn discover(metis: &Path) -> Self {
        let outside = |repo: Option<gix::Repository>| Project {
            config: repo.as_ref().map_or_else(git_config::without_repository, |repo| {
                repo.config_snapshot().plumbing().clone()
            }),
            repo: None,
            metis: Vec::new(),
        };
        let Ok(repo) = gix::discover(metis.parent().unwrap_or(metis)) else {
            return outside(None);
        };
        let inside = (|| {
            use std::os::unix::ffi::OsStrExt;
            let top = repo.workdir()?.canonicalize().ok()?;
            let metis = match metis.canonicalize() {
                Ok(metis) => metis,
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
            },
            None => outside(Some(repo)),
        }
    }

    /// System, global and the repository's configuration.
    pub fn config(&self) -> &File {
        &self.config
    }

    /// The folder to run git's helpers in, so that they see the same configuration.
    pub fn dir(&self) -> Option<PathBuf> {
        self.repo.as_ref().and_then(|repo| repo.workdir()).map(Path::to_owned)
    }

    /// The blobs of `HEAD` below `.metis/`, by path relative to it. Empty where that cannot be told or where the
    /// project's hash is not `format`.
    pub fn committed(&self, format: ObjectFormat) -> BTreeMap<String, ObjectId> {
        let mut out = BTreeMap::new();
        if let Some(repo) = &self.repo
            && repo.object_hash() == hash_kind(format)
            && let Ok(head) = repo.head_id()
            && let Some(tree) = self.metis_tree(&repo.objects, from_gix(&head))
        {
            list_documents(&repo.objects, Some(tree), None, "", 0, &mut |path, id| {
                out.insert(path, id);
            });
        }
        out
    }

    /// Whether the remote of the checked-out branch has commits that this checkout lacks and that touch documents
    /// below `.metis/`. Costs one listing of refs if it has nothing new at all. `skip` are the hydrated folders, which
    /// are nobody's documents here.
    pub fn freshness(
        &self,
        options: &ConnectOptions,
        cache: &Path,
        skip: &dyn Fn(&str) -> bool,
    ) -> Result<Freshness, CentralError> {
        let (Some(repo), Some(upstream)) = (&self.repo, self.upstream()) else {
            return Ok(Freshness::NotApplicable);
        };
        let url = upstream.url?;
        let mut remote = Remote::list(&url, options, Some(&upstream.branch))?;
        let Some(tip) = remote.head else {
            remote.close();
            return Ok(Freshness::NotApplicable);
        };
        let newest_first = ancestors(&repo.objects, upstream.head);
        let ours: HashSet<ObjectId> = newest_first.iter().copied().collect();
        if ours.contains(&tip) {
            remote.close();
            return Ok(Freshness::Fresh);
        }
        let documents = if repo.objects.exists(&to_gix(tip)) {
            self.newer(&repo.objects, tip, upstream.head, &ours, skip)
        } else {
            let shallow: Vec<ObjectId> = repo
                .shallow_commits()
                .ok()
                .flatten()
                .map(|commits| commits.iter().map(|id| from_gix(id)).collect())
                .unwrap_or_default();
            store::aside(cache, &[repo.objects.store_ref().path().to_owned()], |aside| {
                let haves = &newest_first[..newest_first.len().min(MAX_HAVES)];
                fetch::beyond(&mut remote, options, tip, haves, &shallow, aside)?;
                let odb = objects::open(aside, remote.format)?;
                Ok(self.newer(&odb, tip, upstream.head, &ours, skip))
            })?
        };
        remote.close();
        Ok(if documents.is_empty() {
            Freshness::Fresh
        } else {
            Freshness::Stale {
                remote: upstream.name,
                documents: documents.into_iter().take(MAX_NAMED).collect(),
            }
        })
    }

    fn upstream(&self) -> Option<Upstream> {
        let repo = self.repo.as_ref()?;
        let branch = repo.head_name().ok()??;
        let head = from_gix(&repo.head_id().ok()?);
        let name = repo.branch_remote_name(branch.shorten(), gix::remote::Direction::Fetch)?;
        let merge = repo
            .branch_remote_ref_name(branch.as_ref(), gix::remote::Direction::Fetch)?
            .ok()?;
        let remote_branch = std::str::from_utf8(merge.as_bstr())
            .ok()?
            .strip_prefix("refs/heads/")?
            .to_owned();
        let name = name.as_bstr().to_string();
        if name == "." {
            return None;
        }
        let remote = repo.find_remote(name.as_str()).ok()?;
        let url = remote.url(gix::remote::Direction::Fetch)?.to_bstring();
        Some(Upstream {
            head,
            url: RemoteUrl::parse(&url).map_err(ConnectError::from),
            name: format!("{}/{remote_branch}", printable(name.as_bytes())),
            branch: remote_branch,
        })
    }

    /// The documents that are another version, or gone, at `tip` than at `head`, through a commit that is not in `ours`.
    ///
    /// Either alone would be wrong: our own unpushed commits make a difference too, and a change that is taken back, or
    /// that was made here as well (picked, squashed, or older than a shallow clone's end), leaves nothing to pull.
    fn newer(
        &self,
        odb: &impl gix::objs::Find,
        tip: ObjectId,
        head: ObjectId,
        ours: &HashSet<ObjectId>,
        skip: &dyn Fn(&str) -> bool,
    ) -> BTreeSet<String> {
        let (theirs, here) = (self.metis_tree(odb, tip), self.metis_tree(odb, head));
        let mut different = BTreeSet::new();
        for (one, other) in [(theirs, here), (here, theirs)] {
            list_documents(odb, one, other, "", 0, &mut |path, _| {
                different.insert(path);
            });
        }
        if different.is_empty() {
            return different;
        }
        let mut touched = self.touched(odb, tip, ours);
        touched.retain(|path| {
            let hydrated = path.split_once('/').is_some_and(|(top, _)| skip(top));
            let name = path.rsplit('/').next().unwrap_or_default();
            let hidden = path.split('/').any(|part| part.starts_with('.')) || name.starts_with("code-index");
            different.contains(path) && !hydrated && !hidden
        });
        touched
    }

    /// The documents that commits reachable from `tip`, but not in `ours`, changed.
    fn touched(&self, odb: &impl gix::objs::Find, tip: ObjectId, ours: &HashSet<ObjectId>) -> BTreeSet<String> {
        let mut out = BTreeSet::new();
        let mut queue = VecDeque::from([tip]);
        let mut seen = HashSet::from([tip]);
        while let Some(id) = queue.pop_front() {
            let Some(parents) = parents(odb, id) else { continue };
            // What a merge brings together was changed by the commits that it merges.
            if parents.len() < 2 {
                let before = parents.first().and_then(|parent| self.metis_tree(odb, *parent));
                let after = self.metis_tree(odb, id);
                if before != after {
                    list_documents(odb, after, before, "", 0, &mut |path, _| {
                        out.insert(path);
                    });
                    list_documents(odb, before, after, "", 0, &mut |path, _| {
                        out.insert(path);
                    });
                }
            }
            for parent in parents {
                if !ours.contains(&parent) && seen.insert(parent) {
                    queue.push_back(parent);
                }
            }
        }
        out
    }

    fn metis_tree(&self, odb: &impl gix::objs::Find, commit: ObjectId) -> Option<ObjectId> {
        let mut buffer = Vec::new();
        let mut tree = odb
            .find_commit_iter(&to_gix(commit), &mut buffer)
            .ok()?
            .tree_id()
            .ok()?;
        for part in &self.metis {
            let mut buffer = Vec::new();
            tree = odb
                .find_tree_iter(&tree, &mut buffer)
                .ok()?
                .filter_map(Result::ok)
                .find(|entry| entry.mode.is_tree() && entry.filename == part.as_slice())?
                .oid
                .to_owned();
        }
        Some(from_gix(&tree))
    }
}

fn parents(odb: &impl gix::objs::Find, id: ObjectId) -> Option<Vec<ObjectId>> {
    let mut buffer = Vec::new();
    let commit = odb.find_commit_iter(&to_gix(id), &mut buffer).ok()?;
    Some(commit.parent_ids().map(|id| from_gix(&id)).collect())
}

/// All commits reachable from `head` as far as they are here (a shallow clone has an end), by their distance from it.
fn ancestors(odb: &impl gix::objs::Find, head: ObjectId) -> Vec<ObjectId> {
    let mut seen = HashSet::from([head]);
    let mut found = vec![head];
    let mut next = 0;
    while let Some(id) = found.get(next).copied() {
        next += 1;
        for parent in parents(odb, id).unwrap_or_default() {
            if seen.insert(parent) {
                found.push(parent);
            }
        }
    }
    found
}

/// Calls `found` with every `*.md` file below `tree` that is not the same in `other`.
fn list_documents(
    odb: &impl gix::objs::Find,
    tree: Option<ObjectId>,
    other: Option<ObjectId>,
    path: &str,
    depth: usize,
    found: &mut dyn FnMut(String, ObjectId),
) {
    let read = |id: Option<ObjectId>| -> Vec<(String, bool, ObjectId)> {
        let mut buffer = Vec::new();
        let Some(Ok(entries)) = id.map(|id| odb.find_tree_iter(&to_gix(id), &mut buffer)) else {
            return Vec::new();
        };
        entries
            .filter_map(Result::ok)
            .filter(|entry| entry.mode.is_tree() || entry.mode.is_blob())
            .map(|entry| {
                let name = String::from_utf8_lossy(entry.filename).into_owned();
                (name, entry.mode.is_tree(), from_gix(entry.oid))
            })
            .collect()
    };
    if tree == other || depth > MAX_DEPTH {
        return;
    }
    let there: BTreeMap<String, (bool, ObjectId)> = read(other)
        .into_iter()
        .map(|(name, is_tree, id)| (name, (is_tree, id)))
        .collect();
    for (name, is_tree, id) in read(tree) {
        let counterpart = there.get(&name);
        if counterpart == Some(&(is_tree, id)) {
            continue;
        }
        let below = if path.is_empty() {
            name
        } else {
            format!("{path}/{name}")
        };
        if is_tree {
            let other = counterpart.filter(|(is_tree, _)| *is_tree).map(|(_, id)| *id);
            list_documents(odb, Some(id), other, &below, depth + 1, found);
        } else if below.ends_with(".md") {
            found(below, id);
        }
    }
}
