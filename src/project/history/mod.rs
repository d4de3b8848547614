//! The project's history as a witness: which commit descends from which, and what a document was in each.
//!
//! Nothing is written into the project. What its clone lacks (it is shallow, or a colleague's commit was not fetched yet) is
//! fetched from its remote into a private folder that goes when the question is answered.

mod listing;

use std::{
    collections::{HashMap, HashSet},
    path::{Path, PathBuf},
    rc::Rc,
};

use gix::objs::Exists;

use super::{
    MAX_HAVES, Project,
    commits::{Commits, nearest},
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
    names::{ObjectFormat, ObjectId, ShortCode},
    plan::newer::Relation,
    send_pack::connect::{ConnectError, ConnectOptions, RemoteUrl},
};

pub use self::listing::{CodeOf, Committed, Listing};

/// The history of a project, and what was asked of its remote to complete it.
pub struct History<'a> {
    project: &'a Project,
    options: ConnectOptions,
    cache: PathBuf,
    /// The project's hash.
    native: ObjectFormat,
    /// The hash of central's objects.
    format: ObjectFormat,
    code_of: CodeOf,
    odb: objects::Handle,
    aside: Option<Aside>,
    asked: HashSet<ObjectId>,
    unreachable: Option<CentralError>,
    codes: HashMap<ObjectId, Option<ShortCode>>,
    listings: HashMap<ObjectId, Rc<Listing>>,
    /// The commit whose listing was made first: paths there tell codes where a file's content is not at hand.
    first: Option<ObjectId>,
}

impl<'a> History<'a> {
    /// Opens the history of a project. `None`: there is no repository, or its objects cannot be read. `cache`: the user's
    /// cache directory; `format`: the hash of central's objects.
    pub fn open(
        project: &'a Project,
        options: &ConnectOptions,
        cache: &Path,
        format: ObjectFormat,
        code_of: CodeOf,
    ) -> Option<Self> {
        let repo = project.repo.as_ref()?;
        let native = project.format()?;
        Some(History {
            project,
            options: options.clone(),
            cache: cache.to_owned(),
            native,
            format,
            code_of,
            odb: objects::open(repo.objects.store_ref().path(), native).ok()?,
            aside: None,
            asked: HashSet::new(),
            unreachable: None,
            codes: HashMap::new(),
            listings: HashMap::new(),
            first: None,
        })
    }

    /// Takes note of the code of a document that was read before. Spares reading it again.
    pub fn know(&mut self, blob: ObjectId, code: &ShortCode) {
        if self.native == self.format {
            self.codes.insert(blob, Some(code.clone()));
        }
    }

    /// Why the project's remote could not be asked, if it was and could not.
    pub fn unreachable(&self) -> Option<&CentralError> {
        self.unreachable.as_ref()
    }

    /// Whether `commit` is at hand, now or after asking the project's remote for it.
    pub fn obtain(&mut self, commit: ObjectId) -> bool {
        if self.odb.exists(&to_gix(commit)) {
            return true;
        }
        let Some(head) = self.project.head() else { return false };
        let haves = nearest(&self.odb, head, MAX_HAVES);
        let shallow = self.shallow();
        self.ask(
            commit,
            Stretch::Beyond {
                haves: &haves,
                shallow: &shallow,
            },
        );
        self.odb.exists(&to_gix(commit))
    }

    fn shallow(&self) -> Vec<ObjectId> {
        let commits = self
            .project
            .repo
            .as_ref()
            .and_then(|repo| repo.shallow_commits().ok().flatten());
        commits
            .iter()
            .flat_map(|ids| ids.iter())
            .map(|id| from_gix(id))
            .collect()
    }

    /// Asks the remote, once for each commit.
    fn ask(&mut self, tip: ObjectId, stretch: Stretch<'_>) {
        if !self.asked.insert(tip) || self.unreachable.is_some() {
            return;
        }
        let asked = (|| {
            let Some(url) = self.project.remote_url() else {
                return Ok(());
            };
            if self.aside.is_none() {
                let objects = self
                    .project
                    .repo
                    .as_ref()
                    .map(|repo| repo.objects.store_ref().path().to_owned());
                self.aside = Some(Aside::create(&self.cache, &Vec::from_iter(objects))?);
            }
            let Some(aside) = &self.aside else { return Ok(()) };
            // Any branch will do: what is wanted is asked for by its id.
            let mut remote = Remote::list(&url?, &self.options, Some("main"))?;
            let received = fetch::stretch(&mut remote, &self.options, tip, stretch, &aside.objects());
            remote.close();
            match received {
                // The server does not have it, or does not give it by its id.
                Err(CentralError::Receive(_)) => return Ok(()),
                received => received?,
            }
            self.odb = objects::open(&aside.objects(), self.native)?;
            Ok(())
        })();
        if let Err(err) = asked {
            self.unreachable = Some(err);
        }
    }

    /// Sees to it that the whole history of `commit` is at hand; a shallow clone's comes from the remote.
    fn complete(&mut self) {
        for end in self.shallow() {
            self.ask(end, Stretch::Commits);
        }
    }

    /// How `commit` relates to `origin`, and their merge base. `None`: they have no commit in common.
    pub fn relation(&mut self, commit: ObjectId, origin: ObjectId) -> Result<(Relation, ObjectId), Unrelated> {
        for last in [false, true] {
            let commits = Commits::of(&self.odb);
            let base = commits.merge_base(origin, &[commit]);
            match base {
                Some(base) if base == origin => return Ok((Relation::Descends, base)),
                Some(base) if base == commit || last || !commits.is_cut_short() => return Ok((Relation::Apart, base)),
                None if !commits.is_cut_short() => return Err(Unrelated::Certainly),
                None if last => return Err(Unrelated::AsFarAsIsKnown),
                _ => {}
            }
            self.complete();
        }
        Err(Unrelated::AsFarAsIsKnown)
    }

    /// Whether git has thrown away `commit`, which this clone once had: nothing that is not in any branch is kept for ever.
    pub fn is_gone(&self, commit: ObjectId) -> bool {
        !self.odb.exists(&to_gix(commit)) && self.shallow().is_empty() && self.unreachable.is_none()
    }

    /// Whether a branch, a tag or a remote branch has `commit`.
    pub fn is_reachable(&self, commit: ObjectId) -> bool {
        let mut tips = self.project.tips(&["refs/heads/", "refs/remotes/", "refs/tags/"]);
        tips.extend(self.project.head());
        // What cannot be told counts as there: nothing is given up on a suspicion.
        Commits::of(&self.odb).any_descends(&tips, commit).unwrap_or(true)
    }

    /// Whether a local branch goes on from `commit` and has this version of a document: it has not arrived there yet.
    pub fn is_further_on(&mut self, commit: ObjectId, code: &ShortCode, version: Option<ObjectId>) -> bool {
        let tips = self.project.tips(&["refs/heads/"]);
        tips.into_iter().filter(|tip| *tip != commit).any(|tip| {
            let goes_on = matches!(self.relation(tip, commit), Ok((Relation::Descends, _)));
            let listing = goes_on.then(|| self.listing(tip)).flatten();
            listing.is_some_and(|listing| listing.get(code).map(|committed| committed.blob) == version)
        })
    }

    /// Whether the project's remote has `commit`: it came from there, or a remote branch has it.
    pub fn is_at_remote(&self, commit: ObjectId) -> bool {
        let own = self
            .project
            .repo
            .as_ref()
            .is_some_and(|repo| repo.objects.exists(&to_gix(commit)));
        let tips = self.project.tips(&["refs/remotes/"]);
        !own || Commits::of(&self.odb).any_descends(&tips, commit) == Some(true)
    }

    /// Whether `blob` lies at `path` in a stash or at the tip of a local branch that the commit `at` does not go back to;
    /// without one, whether a stash removes what was there.
    pub fn is_kept_aside(&self, at: ObjectId, blob: Option<ObjectId>, path: &str) -> bool {
        let Some(blob) = blob else {
            return self.project.stashes().into_iter().any(|stash| {
                let parents = super::commits::parents(&self.odb, stash);
                let before = parents.and_then(|parents| self.version_at(*parents.first()?, path));
                before.is_some() && self.version_at(stash, path).is_none()
            });
        };
        // What an older branch has, `at` has left behind.
        let is_older = |tip: &ObjectId| Commits::of(&self.odb).descends(at, *tip) == Some(true);
        let mut commits = self.project.tips(&["refs/heads/"]);
        commits.retain(|tip| self.version_at(*tip, path) == Some(blob) && !is_older(tip));
        for stash in self.project.stashes() {
            let untracked = super::commits::parents(&self.odb, stash).and_then(|parents| parents.get(2).copied());
            commits.push(stash);
            commits.extend(untracked);
        }
        commits
            .into_iter()
            .any(|commit| self.version_at(commit, path) == Some(blob))
    }

    /// The commits without parents that `commit` goes back to. `None`: they are not to be had.
    pub fn roots(&mut self, commit: ObjectId) -> Option<Vec<ObjectId>> {
        if let Some(roots) = Commits::of(&self.odb).roots(commit) {
            return Some(roots);
        }
        self.complete();
        Commits::of(&self.odb).roots(commit)
    }
}

/// Two commits without one in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unrelated {
    /// All of their history is known.
    Certainly,
    /// Some of it is not to be had.
    AsFarAsIsKnown,
}

impl Project {
    /// The remote that the source branch comes from: `origin`, or the only one.
    fn remote_url(&self) -> Option<Result<RemoteUrl, ConnectError>> {
        let repo = self.repo.as_ref()?;
        let names = repo.remote_names();
        let name = match names.iter().find(|name| **name == "origin") {
            Some(name) => name,
            None => names.iter().next()?,
        };
        let remote = repo.find_remote(name.to_string().as_str()).ok()?;
        let url = remote.url(gix::remote::Direction::Fetch)?.to_bstring();
        Some(RemoteUrl::parse(&url).map_err(ConnectError::from))
    }
}
