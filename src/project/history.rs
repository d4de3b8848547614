//! The project's history as a witness: which commit descends from which, and what a document was in each.
//!
//! Nothing is written into the project. What its clone lacks (it is shallow, or a colleague's commit was not fetched yet) is
//! fetched from its remote into a private folder that goes when the question is answered.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    path::{Path, PathBuf},
    rc::Rc,
};

use gix::objs::{Exists, FindExt};

use super::{
    MAX_HAVES, Project,
    commits::{Commits, nearest, newest},
    trees::{file_in, list_documents},
};
use crate::{
    central::{
        self, CentralError,
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

/// Documents larger than this are not looked into.
const DOCUMENT_LIMIT: u64 = 16 << 20;
/// So many commits are looked through for a version that an older client has put into central again.
const MAX_BEFORE: usize = 2000;
/// A file whose presence in a folder says that the folder is a copy of central's.
const COPY_MARKER: &str = ".hydrated";

/// A document as it is committed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Committed {
    /// Its id under the hash of central's objects.
    pub blob: ObjectId,
    /// Relative to `.metis/`.
    pub path: String,
    /// Its id in the project.
    object: ObjectId,
}

/// The own documents of a commit.
pub type Listing = BTreeMap<ShortCode, Committed>;

/// How to read a document's code.
pub type CodeOf = fn(&[u8]) -> Option<ShortCode>;

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
            self.ask_commits(end);
        }
    }

    fn ask_commits(&mut self, end: ObjectId) {
        self.ask(end, Stretch::Commits);
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

    /// Whether `blob` lies at `path` in a stash or at the tip of a local branch.
    pub fn is_kept_aside(&self, blob: ObjectId, path: &str) -> bool {
        let mut commits = self.project.tips(&["refs/heads/"]);
        for stash in self.project.stashes() {
            let untracked = super::commits::parents(&self.odb, stash).and_then(|parents| parents.get(2).copied());
            commits.push(stash);
            commits.extend(untracked);
        }
        commits
            .into_iter()
            .any(|commit| self.version_at(commit, path) == Some(blob))
    }

    /// The file at `path` below `.metis/` in a commit, as central would name it.
    fn version_at(&self, commit: ObjectId, path: &str) -> Option<ObjectId> {
        let mut tree = self.project.metis_tree(&self.odb, commit)?;
        let mut parts = path.split('/').peekable();
        while let Some(part) = parts.next() {
            let mut buffer = Vec::new();
            let entry = self
                .odb
                .find_tree_iter(&to_gix(tree), &mut buffer)
                .ok()?
                .filter_map(Result::ok)
                .find(|entry| entry.filename == part.as_bytes())?;
            tree = from_gix(entry.oid);
            if entry.mode.is_blob() && parts.peek().is_none() {
                return self.as_central_names_it(tree);
            }
        }
        None
    }

    fn as_central_names_it(&self, object: ObjectId) -> Option<ObjectId> {
        if self.native == self.format {
            return Some(object);
        }
        let bytes = objects::blob(&self.odb, object, DOCUMENT_LIMIT).ok()??;
        Some(central::blob_id(self.format, &bytes))
    }

    /// The own documents of `commit`. `None`: its folders are not to be had.
    pub fn listing(&mut self, commit: ObjectId) -> Option<Rc<Listing>> {
        if let Some(listing) = self.listings.get(&commit) {
            return Some(Rc::clone(listing));
        }
        if self.odb.exists(&to_gix(commit)) && !self.has_folders(commit) {
            self.asked.remove(&commit);
            self.ask(commit, Stretch::Alone);
        }
        if !self.has_folders(commit) {
            return None;
        }
        let mut files = Vec::new();
        if let Some(tree) = self.project.metis_tree(&self.odb, commit) {
            list_documents(&self.odb, Some(tree), None, "", 0, &mut |path, id| {
                files.push((path, id))
            });
            let copies = self.copies(tree);
            files.retain(|(path, _)| {
                let top = path.split_once('/').map(|(top, _)| top);
                is_document_path(path) && top.is_none_or(|top| !copies.contains(top))
            });
        }
        let first = self.first.and_then(|first| self.listings.get(&first).cloned());
        let mut listing = Listing::new();
        let mut twice = HashSet::new();
        for (path, object) in files {
            let Some(code) = self.code(object, &path, first.as_deref()) else {
                continue;
            };
            let Some(blob) = self.as_central_names_it(object) else {
                continue;
            };
            if listing.insert(code.clone(), Committed { blob, path, object }).is_some() {
                twice.insert(code);
            }
        }
        // Which of them is the document, nobody can tell.
        listing.retain(|code, _| !twice.contains(code));
        let listing = Rc::new(listing);
        self.listings.insert(commit, Rc::clone(&listing));
        self.first.get_or_insert(commit);
        Some(listing)
    }

    /// Those of `versions` that commits had which `commit` goes back to, the newest `MAX_BEFORE` of them, and that `commit`
    /// itself has not. What this clone lacks is not asked for.
    pub fn had_before(&self, commit: ObjectId, mut versions: BTreeSet<ObjectId>) -> BTreeSet<ObjectId> {
        let mut found = BTreeSet::new();
        let mut seen = HashSet::new();
        let mut later = self.project.metis_tree(&self.odb, commit);
        list_documents(&self.odb, later, None, "", 0, &mut |_, object| {
            versions.retain(|version| self.as_central_names_it(object) != Some(*version));
        });
        for before in newest(&self.odb, commit, MAX_BEFORE) {
            if versions.is_empty() {
                break;
            }
            let tree = self.project.metis_tree(&self.odb, before);
            if tree.is_none_or(|tree| !seen.insert(tree)) {
                continue;
            }
            list_documents(&self.odb, tree, later, "", 0, &mut |_, object| {
                let version = self.as_central_names_it(object);
                found.extend(version.filter(|version| versions.remove(version)));
            });
            later = tree;
        }
        found
    }

    fn has_folders(&self, commit: ObjectId) -> bool {
        let mut buffer = Vec::new();
        let tree = self.odb.find_commit_iter(&to_gix(commit), &mut buffer).ok();
        tree.and_then(|mut commit| commit.tree_id().ok())
            .is_some_and(|tree| tree.is_empty_tree() || self.odb.exists(&tree))
    }

    /// The top folders of a `.metis/` tree that are committed copies of central's.
    fn copies(&self, tree: ObjectId) -> HashSet<String> {
        let entries = |tree: ObjectId| -> Vec<(String, bool, ObjectId)> {
            let mut buffer = Vec::new();
            let entries = self.odb.find_tree_iter(&to_gix(tree), &mut buffer);
            entries
                .into_iter()
                .flatten()
                .filter_map(Result::ok)
                .map(|entry| {
                    let name = String::from_utf8_lossy(entry.filename).into_owned();
                    (name, entry.mode.is_tree(), from_gix(entry.oid))
                })
                .collect()
        };
        let folders = entries(tree).into_iter().filter(|(_, is_tree, _)| *is_tree);
        folders
            .filter(|(_, _, folder)| entries(*folder).iter().any(|(name, ..)| name == COPY_MARKER))
            .map(|(name, ..)| name)
            .collect()
    }

    fn code(&mut self, object: ObjectId, path: &str, first: Option<&Listing>) -> Option<ShortCode> {
        if let Some(code) = self.codes.get(&object) {
            return code.clone();
        }
        let read = objects::blob(&self.odb, object, DOCUMENT_LIMIT);
        let code = match read {
            Ok(bytes) => (self.code_of)(&bytes?),
            // A partial clone, or history that came without files.
            Err(_) => {
                let at_path = |listing: &Listing| {
                    let mut same = listing.iter().filter(|(_, document)| document.path == path);
                    same.next().map(|(code, _)| code.clone())
                };
                let name = path.rsplit('/').next().unwrap_or(path);
                return first.and_then(at_path).or_else(|| ShortCode::from_file_name(name));
            }
        };
        self.codes.insert(object, code.clone());
        code
    }

    /// The bytes of a committed document.
    pub fn bytes(&self, document: &Committed) -> Result<Vec<u8>, CentralError> {
        let bytes = objects::blob(&self.odb, document.object, DOCUMENT_LIMIT)?;
        bytes.ok_or(CentralError::TooLarge)
    }

    /// The file of this name at the top of `.metis/` in `commit`, whose folders are at hand. `Ok(None)`: it has none.
    pub fn file(&self, commit: ObjectId, name: &str, limit: u64) -> Result<Option<Vec<u8>>, CentralError> {
        let tree = self.project.metis_tree(&self.odb, commit);
        match tree.and_then(|tree| file_in(&self.odb, tree, name)) {
            Some(id) => objects::blob(&self.odb, id, limit)?
                .map(Some)
                .ok_or(CentralError::TooLarge),
            None => Ok(None),
        }
    }

    /// The project's object of this id, if it is a file that is at hand.
    pub fn object(&self, id: ObjectId) -> Option<Vec<u8>> {
        objects::blob(&self.odb, id, DOCUMENT_LIMIT).ok()?
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

/// Whether a file at this path of `.metis/` may be an own document: not hidden, and not the Metis tools' code index.
fn is_document_path(path: &str) -> bool {
    path.split('/')
        .all(|part| !part.starts_with('.') && !part.starts_with("code-index"))
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
