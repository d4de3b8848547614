//! Whether the project's remote has newer planning documents than this checkout.

use std::{
    collections::{BTreeSet, HashSet, VecDeque},
    path::Path,
};

use gix::objs::Exists;

use super::{
    MAX_HAVES, Project,
    commits::{Commits, nearest, parents},
    trees::{Room, TooMany, list_documents},
};
use crate::{
    central::{
        CentralError,
        fetch::{self, Stretch},
        from_gix, objects,
        remote::Remote,
        store::Aside,
        to_gix,
    },
    names::ObjectId,
    plan::listing::printable,
    send_pack::connect::{ConnectError, ConnectOptions, RemoteUrl},
    text::Untrusted,
};

/// So many touched documents are named; more would not help anybody decide.
const MAX_NAMED: usize = 20;

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
        remote: Untrusted,
        /// Up to twenty documents that were touched, relative to `.metis/`.
        documents: Vec<Untrusted>,
    },
    /// What it has is more than can be looked at, in words.
    TooMuch(String),
}

/// What to ask the project's remote.
struct Upstream {
    head: ObjectId,
    url: Result<RemoteUrl, ConnectError>,
    branch: String,
    name: String,
}

impl Project {
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
        if repo.objects.exists(&to_gix(tip)) && Commits::of(&repo.objects).descends(upstream.head, tip) == Some(true) {
            remote.close();
            return Ok(Freshness::Fresh);
        }
        let documents = if repo.objects.exists(&to_gix(tip)) {
            self.newer(&repo.objects, tip, upstream.head, skip)
        } else {
            let shallow: Vec<ObjectId> = repo
                .shallow_commits()
                .ok()
                .flatten()
                .map(|commits| commits.iter().map(|id| from_gix(id)).collect())
                .unwrap_or_default();
            let aside = Aside::create(cache, &[repo.objects.store_ref().path().to_owned()])?;
            let haves = nearest(&repo.objects, upstream.head, MAX_HAVES);
            let beyond = Stretch::Beyond {
                haves: &haves,
                shallow: &shallow,
            };
            fetch::stretch(&mut remote, options, tip, beyond, &aside.objects())?;
            let odb = objects::open(&aside.objects(), remote.format)?;
            self.newer(&odb, tip, upstream.head, skip)
        };
        remote.close();
        Ok(match documents {
            Err(err) => Freshness::TooMuch(err.to_string()),
            Ok(documents) if documents.is_empty() => Freshness::Fresh,
            Ok(documents) => Freshness::Stale {
                remote: upstream.name.into(),
                documents: documents.into_iter().take(MAX_NAMED).map(Into::into).collect(),
            },
        })
    }

    fn upstream(&self) -> Option<Upstream> {
        let repo = self.repo.as_ref()?;
        let branch = self.head_name()?;
        let head = self.head()?;
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

    /// The documents that are another version, or gone, at `tip` than at `head`, through a commit that `head` lacks.
    ///
    /// Either alone would be wrong: our own unpushed commits make a difference too, and a change that is taken back, or
    /// that was made here as well (picked, squashed, or older than a shallow clone's end), leaves nothing to pull.
    fn newer(
        &self,
        odb: &impl gix::objs::Find,
        tip: ObjectId,
        head: ObjectId,
        skip: &dyn Fn(&str) -> bool,
    ) -> Result<BTreeSet<String>, TooMany> {
        let (theirs, here) = (self.metis_tree(odb, tip), self.metis_tree(odb, head));
        let mut different = BTreeSet::new();
        let mut room = Room::default();
        for (one, other) in [(theirs, here), (here, theirs)] {
            list_documents(odb, one, other, &mut room, &mut |path, _| {
                different.insert(path);
            })?;
        }
        if different.is_empty() {
            return Ok(different);
        }
        let mut touched = self.touched(odb, tip, head, &mut room)?;
        touched.retain(|path| {
            let hydrated = path.split_once('/').is_some_and(|(top, _)| skip(top));
            let name = path.rsplit('/').next().unwrap_or_default();
            let hidden = path.split('/').any(|part| part.starts_with('.')) || name.starts_with("code-index");
            different.contains(path) && !hydrated && !hidden
        });
        Ok(touched)
    }

    /// The documents that commits reachable from `tip`, but not from `head`, changed.
    fn touched(
        &self,
        odb: &impl gix::objs::Find,
        tip: ObjectId,
        head: ObjectId,
        room: &mut Room,
    ) -> Result<BTreeSet<String>, TooMany> {
        let theirs = Commits::of(odb).only_of(tip, &[head]);
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
                    for (one, other) in [(after, before), (before, after)] {
                        list_documents(odb, one, other, room, &mut |path, _| {
                            out.insert(path);
                        })?;
                    }
                }
            }
            for parent in parents {
                if theirs.contains(&parent) && seen.insert(parent) {
                    queue.push_back(parent);
                }
            }
        }
        Ok(out)
    }
}
