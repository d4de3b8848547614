//! This workspace's own documents: in the work tree, in a branch that is not checked out, or in a folder without git.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    time::SystemTime,
};

use super::{Context, Warning};
use crate::{
    central::{self, CentralError},
    names::{ObjectFormat, ObjectId, Prefix, ShortCode},
    plan::{
        listing::{self, Documents},
        source::{self, NoSource, ReadFrom, Source},
    },
    project::{Committed, Conversion, History},
    state::cursor::Cursor,
    text::Untrusted,
    workspace::{self, Damaged, DirError, FileRead, Protected, Reason, Scan, StatCache, frontmatter},
};

/// `[sync] source` for whatever is checked out.
pub const WORKTREE: &str = "worktree";
/// Where Metis keeps what was written while another branch was checked out.
const PENDING: &str = ".pending";
/// Where Metis moves what is archived, from wherever in `.metis/` it was.
const ARCHIVED: &str = "archived";
/// The end of a file's name there that stands for a removed document.
const PENDING_REMOVAL: &str = ".md.deleted";

/// Which of the project's versions is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Arrived {
    /// What the user sees: the checkout or the source branch, whichever counts there.
    #[default]
    No,
    /// What has arrived in the project's source branch: the tree of its remote-tracking branch, without a remote that of
    /// the local branch. Never the work tree: git may have gone on since the hook fired.
    Tracking,
    /// The tree of this commit, which a push that waits for the sync is about to bring to the source branch.
    Commit(ObjectId),
}

/// Why the own documents cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum OwnError {
    /// `.metis/` cannot be read.
    #[error(transparent)]
    Dir(#[from] DirError),
    /// git is in the middle of something.
    #[error("{0} is not finished in this project, so its documents are neither the old ones nor the new ones")]
    Unfinished(&'static str),
    /// The source branch is not here.
    #[error("[sync] source names the branch {0}, which this clone of the project does not have")]
    NoBranch(String),
    /// The source branch's folders are not to be had.
    #[error("the documents of commit {0} of the project cannot be read")]
    NoTree(ObjectId),
}

/// Where a document's bytes are.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    /// In the file of this path below `.metis/`.
    File(String),
    /// In the project's objects.
    Committed(Committed),
}

/// An own document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnDocument {
    /// Relative to `.metis/`.
    pub path: String,
    /// The id of the bytes that go to central.
    pub blob: ObjectId,
    place: Place,
}

/// The own documents as they are now.
pub struct Own {
    /// Where they were read from.
    pub read_from: ReadFrom,
    /// The documents.
    pub documents: BTreeMap<ShortCode, OwnDocument>,
    /// What git says of files, beside what the walk found.
    said_by_git: Vec<Damaged>,
    /// What central must keep.
    pub protected: Protected,
    /// Top folders of `.metis/` that hold other workspaces.
    pub hydrated: BTreeSet<Prefix>,
    /// The walk through the files, where they are what counts.
    pub scan: Option<Scan>,
    /// What `HEAD` was before that.
    head: Option<ObjectId>,
}

impl Own {
    /// Nothing is known of any document.
    pub fn unknown() -> Self {
        Own {
            read_from: ReadFrom::Folder,
            documents: BTreeMap::new(),
            said_by_git: Vec::new(),
            protected: Protected {
                all_absent: true,
                ..Protected::default()
            },
            hydrated: BTreeSet::new(),
            scan: None,
            head: None,
        }
    }

    /// The versions that go to central.
    pub fn blobs(&self) -> Documents {
        let blobs = self.documents.iter();
        blobs.map(|(code, document)| (code.clone(), document.blob)).collect()
    }

    /// Whether central's copy of `code` must be left as it is.
    pub fn protects(&self, code: &ShortCode) -> bool {
        self.protected.covers(code, self.documents.contains_key(code))
    }

    /// The commit that the documents belong to.
    pub fn commit(&self) -> Option<ObjectId> {
        match self.read_from {
            ReadFrom::Worktree(at) | ReadFrom::Tree { at, .. } => Some(at),
            ReadFrom::Folder => None,
        }
    }

    /// Whether every document is as it was when this clone and central last agreed, at the same place, and nothing is left to
    /// note.
    pub fn is_in_step(&self, cursor: &Cursor) -> bool {
        let is_noted = cursor.agreed.is_some() || self.commit().is_none() || self.documents.is_empty();
        is_noted
            && !cursor.unsettled
            && cursor.decided.is_empty()
            && self.documents.iter().all(|(code, document)| {
                let base = cursor.base.get(code);
                base.is_some_and(|base| base.blob == Some(document.blob) && base.path == document.path)
            })
            && cursor
                .base
                .iter()
                .all(|(code, base)| base.blob.is_none() || self.documents.contains_key(code) || self.protects(code))
    }

    /// What could not be read.
    pub fn warnings(&self) -> Vec<Warning> {
        self.damaged()
            .map(|damaged| Warning::Damaged {
                path: Untrusted::name(damaged.path.as_bytes()),
                reason: damaged.reason.to_string().into(),
            })
            .collect()
    }

    /// What cannot be taken as a document.
    pub fn damaged(&self) -> impl Iterator<Item = &Damaged> {
        let walked = self.scan.iter().flat_map(|scan| &scan.damaged);
        walked.chain(&self.said_by_git)
    }

    /// Passes over the copies of other workspaces' documents that Metis moved to `archived/`. They may have got a code of
    /// this workspace meanwhile: Metis renumbers one of two documents with the same code.
    ///
    /// What was pushed from there before stays a document.
    fn pass_over_copies(&mut self, cursor: &Cursor) {
        let owner = |path: &str| -> Option<Prefix> {
            let (folder, _) = path.strip_prefix(ARCHIVED)?.strip_prefix('/')?.split_once('/')?;
            self.hydrated.get(&folder.parse::<Prefix>().ok()?).cloned()
        };
        let was_pushed = |code: &ShortCode| cursor.base.get(code).is_some_and(|base| base.blob.is_some());
        let documents = self.documents.iter();
        let copies: Vec<_> = documents
            .filter_map(|(code, document)| Some((code.clone(), document.path.clone(), owner(&document.path)?)))
            .filter(|(code, ..)| !was_pushed(code))
            .collect();
        for (code, path, owner) in copies {
            self.documents.remove(&code);
            self.protect(code, &path, Reason::ArchivedCopy(owner));
        }
    }

    fn protect(&mut self, code: ShortCode, path: &str, reason: Reason) {
        if self.protected.codes.insert(code.clone()) {
            self.said_by_git.push(Damaged {
                path: path.to_owned(),
                reason,
                may_be: Some(code),
            });
        }
    }
}

/// The code of a document, for the project's history.
pub fn code_of(bytes: &[u8]) -> Option<ShortCode> {
    frontmatter::parse(bytes).ok().map(|frontmatter| frontmatter.short_code)
}

/// Reads the own documents, as far as what was read before does not tell.
pub fn survey(
    ctx: &Context<'_>,
    cursor: &Cursor,
    stat_cache: &StatCache,
    format: ObjectFormat,
    now: SystemTime,
    arrived: Arrived,
) -> Result<Own, OwnError> {
    let hydrated: BTreeSet<Prefix> = workspace::glance(ctx.metis.dir(), cursor.folders.keys())?
        .hydrated
        .into_iter()
        .filter(|prefix| ctx.owned.as_ref() != Some(prefix))
        .collect();
    let read_from = read_from(ctx, arrived)?;
    if let ReadFrom::Tree { at, pending } = read_from {
        let mut own = committed(ctx, cursor, format, at, pending, hydrated.clone())?;
        own.pass_over_copies(cursor);
        if !own.documents.is_empty() || !is_unborn(ctx, cursor, format) {
            return Ok(own);
        }
    }
    let head = ctx.project.head();
    let scan = scan(ctx, cursor, stat_cache, &hydrated, format, now)?;
    let mut own = Own {
        read_from: match read_from {
            ReadFrom::Tree { .. } => ReadFrom::Folder,
            read_from => read_from,
        },
        documents: BTreeMap::new(),
        said_by_git: Vec::new(),
        protected: scan.protected.clone(),
        hydrated,
        scan: None,
        head,
    };
    for (code, document) in &scan.documents {
        let document = OwnDocument {
            path: document.path.clone(),
            blob: document.blob,
            place: Place::File(document.path.clone()),
        };
        own.documents.insert(code.clone(), document);
    }
    own.scan = Some(scan);
    own.pass_over_copies(cursor);
    Ok(own)
}

/// Whether documents were never committed: neither where `HEAD` is nor, as far as this clone noted, anywhere else.
fn is_unborn(ctx: &Context<'_>, cursor: &Cursor, format: ObjectFormat) -> bool {
    let at_head = || {
        let mut history = open_history(ctx, format)?;
        let head = ctx.project.head()?;
        Some(history.listing(head)?.is_empty())
    };
    cursor.agreed.is_none() && at_head().unwrap_or(true)
}

/// The project's history, with documents named as central names them.
pub fn open_history<'a>(ctx: &'a Context<'_>, format: ObjectFormat) -> Option<History<'a>> {
    History::open(ctx.project, &ctx.connect, &ctx.cache_dir, format, code_of)
}

/// Whether central has what one branch of the project has, and not whatever is checked out.
pub fn follows_branch(ctx: &Context<'_>) -> bool {
    let source = ctx.config.sync.as_ref().and_then(|sync| sync.source.as_deref());
    source.is_some_and(|source| source != WORKTREE)
}

fn read_from(ctx: &Context<'_>, arrived: Arrived) -> Result<ReadFrom, OwnError> {
    if let Arrived::Commit(at) = arrived {
        return Ok(ReadFrom::Tree { at, pending: false });
    }
    let configured = ctx.config.sync.as_ref().and_then(|sync| sync.source.as_deref());
    let source = match configured {
        Some(WORKTREE) | None => Source::Worktree,
        Some(branch) => Source::Branch(branch),
    };
    let Some(situation) = ctx.project.situation(source) else {
        return Ok(ReadFrom::Folder);
    };
    source::read_from(source, &situation, arrived == Arrived::Tracking).map_err(|err| match err {
        NoSource::Unfinished(what) => OwnError::Unfinished(what),
        NoSource::NoBranch => OwnError::NoBranch(configured.unwrap_or_default().to_owned()),
    })
}

/// Walks through the files. They are named as git would commit them.
fn scan(
    ctx: &Context<'_>,
    cursor: &Cursor,
    stat_cache: &StatCache,
    hydrated: &BTreeSet<Prefix>,
    format: ObjectFormat,
    now: SystemTime,
) -> Result<Scan, DirError> {
    let last_paths = cursor.last_paths();
    let walk = |conversion: Option<&Conversion<'_>>, cache: &StatCache| {
        let hash = |file: FileRead<'_>| match conversion.zip(file.path) {
            Some((conversion, path)) => canonical(ctx, conversion, path, &file, format),
            None => Ok((central::blob_id(format, file.bytes), None)),
        };
        let any_id = central::blob_id(format, b"");
        workspace::scan(ctx.metis.dir(), hydrated, &hash, any_id, cache, &last_paths, now)
    };
    let conversion = ctx.project.conversion(false);
    let rules = conversion.as_ref().map_or(0, Conversion::rules);
    let scan = walk(conversion.as_ref(), &stat_cache.under(rules))?;
    if !scan.has_attributes {
        return Ok(scan);
    }
    // Rules of folders may have changed since their files were read.
    let conversion = ctx.project.conversion(true);
    walk(conversion.as_ref(), &StatCache::default())
}

fn canonical(
    ctx: &Context<'_>,
    conversion: &Conversion<'_>,
    path: &str,
    file: &FileRead<'_>,
    format: ObjectFormat,
) -> Result<(ObjectId, Option<Vec<u8>>), String> {
    let converted = conversion.to_git(path, file.bytes)?;
    if let Some(object) = conversion.unchanged(path, file.bytes.len() as u64, file.mtime_ns)
        && ctx.project.format() == Some(format)
    {
        return Ok((object, Some(converted)));
    }
    Ok((central::blob_id(format, &converted), Some(converted)))
}

/// The documents of a commit, with what waits in `.pending/`.
fn committed(
    ctx: &Context<'_>,
    cursor: &Cursor,
    format: ObjectFormat,
    at: ObjectId,
    pending: bool,
    hydrated: BTreeSet<Prefix>,
) -> Result<Own, OwnError> {
    let mut history = open_history(ctx, format).ok_or(OwnError::NoTree(at))?;
    for (code, base) in &cursor.base {
        if let Some(blob) = base.blob {
            history.know(blob, code);
        }
    }
    let listing = history.listing(at).ok_or(OwnError::NoTree(at))?;
    let documents = listing.iter().map(|(code, committed)| {
        let document = OwnDocument {
            path: committed.path.clone(),
            blob: committed.blob,
            place: Place::Committed(committed.clone()),
        };
        (code.clone(), document)
    });
    let mut own = Own {
        read_from: ReadFrom::Tree { at, pending },
        documents: documents.collect(),
        said_by_git: Vec::new(),
        protected: Protected::default(),
        hydrated,
        scan: None,
        head: None,
    };
    if pending {
        apply_pending(ctx, format, &mut own)?;
    }
    Ok(own)
}

fn apply_pending(ctx: &Context<'_>, format: ObjectFormat, own: &mut Own) -> Result<(), DirError> {
    let mut folders = vec![PENDING.to_owned()];
    while let Some(folder) = folders.pop() {
        let dir = match ctx.metis.dir().open_dir(&folder) {
            Ok(dir) => dir,
            Err(err) if err.is_gone() => continue,
            Err(err) => return Err(err),
        };
        for entry in dir.list()? {
            let Some(name) = entry.name.to_str() else { continue };
            let path = format!("{folder}/{name}");
            let path_below = path[PENDING.len() + 1..].to_owned();
            if entry.kind == workspace::Kind::Dir {
                folders.push(path);
            } else if let Some(removed) = path_below.strip_suffix(PENDING_REMOVAL) {
                let removed = format!("{removed}.md");
                own.documents.retain(|_, document| document.path != removed);
            } else if name.ends_with(".md") && entry.kind == workspace::Kind::File {
                let bytes = workspace::read_document(ctx.metis.dir(), &path)?;
                match code_of(&bytes) {
                    Some(code) => {
                        let document = OwnDocument {
                            path: path_below,
                            blob: central::blob_id(format, &bytes),
                            place: Place::File(path),
                        };
                        own.documents.insert(code, document);
                    }
                    None => {
                        let here = own.documents.iter().find(|(_, document)| document.path == path_below);
                        if let Some(code) = here.map(|(code, _)| code.clone()) {
                            own.protect(code, &path, Reason::Frontmatter(frontmatter::Damage::Missing));
                        }
                    }
                }
            }
        }
    }
    Ok(())
}

/// Goes through what git knows of files that the work tree has otherwise than the commit that it belongs to: what is left
/// out on purpose counts as committed, and what is not merged or only seems to be gone is protected.
///
/// Returns the documents that are not as committed, and `false` if `HEAD` moved while the files were read.
pub fn settle(
    ctx: &Context<'_>,
    cursor: &Cursor,
    own: &mut Own,
    history: &mut History<'_>,
) -> Result<(BTreeSet<ShortCode>, bool), OwnError> {
    let Some(at) = own.commit() else {
        return Ok((BTreeSet::new(), true));
    };
    for (code, document) in &own.documents {
        history.know(document.blob, code);
    }
    let listing = history.listing(at).ok_or(OwnError::NoTree(at))?;
    let is_worktree = matches!(own.read_from, ReadFrom::Worktree(_));
    if is_worktree && listing.is_empty() && cursor.agreed.is_none() {
        own.read_from = ReadFrom::Folder;
        return Ok((BTreeSet::new(), true));
    }
    if is_worktree {
        let checkout = ctx.project.checkout().unwrap_or_default();
        let at_path = |path: &str, own: &Own| -> Vec<ShortCode> {
            let here = own.documents.iter().filter(|(_, document)| document.path == path);
            let there = listing.iter().filter(|(_, document)| document.path == path);
            let known = cursor.base.iter().filter(|(_, base)| base.path == path);
            let codes = here.map(|(code, _)| code);
            codes
                .chain(there.map(|(code, _)| code))
                .chain(known.map(|(code, _)| code))
                .cloned()
                .collect()
        };
        for path in checkout.unmerged() {
            for code in at_path(path, own) {
                own.protect(code, path, Reason::Unmerged);
            }
        }
        for (code, committed) in listing.iter() {
            let left_alone = match own.documents.get(code) {
                Some(document) => document.path == committed.path && document.blob != committed.blob,
                None => true,
            };
            if left_alone && checkout.counts_as_committed(&committed.path) {
                let document = OwnDocument {
                    path: committed.path.clone(),
                    blob: committed.blob,
                    place: Place::Committed(committed.clone()),
                };
                own.documents.insert(code.clone(), document);
            }
        }
        let emptied = emptied_folders(ctx, &listing);
        let paths = listing.iter().map(|(code, committed)| (code, committed.path.as_str()));
        let noted = cursor.base.iter().filter(|(_, base)| base.blob.is_some());
        let noted = noted.map(|(code, base)| (code, base.path.as_str()));
        for (code, path) in paths.chain(noted) {
            if own.documents.contains_key(code) || own.protects(code) {
                continue;
            }
            if checkout.is_in_submodule(path) {
                own.protect(code.clone(), path, Reason::InSubmodule);
            } else if emptied.contains(folder_of(path)) {
                own.protect(code.clone(), path, Reason::Emptied);
            } else if let Some(name) = renamed(ctx, path) {
                own.protect(code.clone(), path, Reason::Renamed(name));
            }
        }
    }
    let mut edited: BTreeSet<ShortCode> = BTreeSet::new();
    for (code, document) in &own.documents {
        if listing
            .get(code)
            .is_none_or(|committed| committed.blob != document.blob)
        {
            edited.insert(code.clone());
        }
    }
    edited.extend(
        listing
            .keys()
            .filter(|code| !own.documents.contains_key(*code))
            .cloned(),
    );
    for code in &edited {
        let Some(document) = own.documents.get(code) else {
            continue;
        };
        let path = document.path.clone();
        let marked = |bytes: Option<Vec<u8>>| bytes.is_some_and(|bytes| has_conflict_markers(&bytes));
        let before = || listing.get(code).and_then(|committed| history.bytes(committed).ok());
        if marked(read(ctx, Some(history), document).ok()) && !marked(before()) {
            own.protect(code.clone(), &path, Reason::ConflictMarkers);
        }
    }
    let still = !is_worktree || ctx.project.head() == own.head;
    Ok((edited, still))
}

/// The folders that hold several committed documents, are there, and have nothing in them. git takes an empty folder away; one
/// that stays is likely to be the place of a disk.
fn emptied_folders(ctx: &Context<'_>, listing: &crate::project::Listing) -> BTreeSet<String> {
    let mut held: BTreeMap<&str, usize> = BTreeMap::new();
    for committed in listing.values() {
        *held.entry(folder_of(&committed.path)).or_default() += 1;
    }
    let several = held
        .into_iter()
        .filter(|(folder, count)| !folder.is_empty() && *count > 1);
    let is_empty = |folder: &str| {
        let listed = ctx.metis.dir().open_dir(folder).and_then(|dir| dir.list());
        listed.is_ok_and(|entries| entries.is_empty())
    };
    several
        .filter(|(folder, _)| is_empty(folder))
        .map(|(folder, _)| folder.to_owned())
        .collect()
}

fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// The name under which the file at `path` may be meant: in other letters, or as a placeholder of a file that lies on a
/// server.
fn renamed(ctx: &Context<'_>, path: &str) -> Option<String> {
    let path = Path::new(path);
    let name = path.file_name()?.to_str()?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let entries = match folder {
        Some(folder) => ctx.metis.dir().open_dir(folder).ok()?.list().ok()?,
        None => ctx.metis.dir().list().ok()?,
    };
    let placeholder = format!(".{name}.icloud");
    entries.into_iter().find_map(|entry| {
        let other = entry.name.to_str()?;
        let is_other_name = other.to_lowercase() == name.to_lowercase() || other == placeholder;
        is_other_name.then(|| listing::printable(other.as_bytes()))
    })
}

/// Whether a merge was left unfinished in a text: the three lines that git writes around two versions.
fn has_conflict_markers(bytes: &[u8]) -> bool {
    let mut stage = 0;
    for line in bytes.split(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        stage = match stage {
            0 if line.starts_with(b"<<<<<<< ") => 1,
            1 if line == b"=======" => 2,
            2 if line.starts_with(b">>>>>>> ") => return true,
            stage => stage,
        };
    }
    false
}

/// Why a document's bytes cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// They are not what was planned any more.
    #[error("{path} changed meanwhile")]
    Changed {
        /// Relative to `.metis/`.
        path: String,
    },
    /// The file cannot be read.
    #[error(transparent)]
    Dir(#[from] DirError),
    /// The project's object cannot be read.
    #[error(transparent)]
    Project(#[from] CentralError),
}

/// The bytes of a document that go to central. They have the id that the document was found with.
pub fn read(ctx: &Context<'_>, history: Option<&History<'_>>, document: &OwnDocument) -> Result<Vec<u8>, ReadError> {
    let changed = || ReadError::Changed {
        path: document.path.clone(),
    };
    let path = match &document.place {
        Place::Committed(committed) => {
            let history = history.ok_or_else(changed)?;
            return Ok(history.bytes(committed)?);
        }
        Place::File(path) => path,
    };
    let bytes = workspace::read_document(ctx.metis.dir(), path).map_err(|err| match err.is_gone() {
        true => changed(),
        false => ReadError::Dir(err),
    })?;
    let format = match document.blob.as_bytes().len() {
        20 => ObjectFormat::Sha1,
        _ => ObjectFormat::Sha256,
    };
    let is_it = |bytes: &[u8]| central::blob_id(format, bytes) == document.blob;
    if is_it(&bytes) {
        return Ok(bytes);
    }
    if let Some(conversion) = ctx.project.conversion(true)
        && let Ok(converted) = conversion.to_git(path, &bytes)
        && is_it(&converted)
    {
        return Ok(converted);
    }
    // git takes the file for unchanged although its rules would make other bytes of it.
    let committed = history.and_then(|history| history.object(document.blob));
    committed.filter(|bytes| is_it(bytes)).ok_or_else(changed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unfinished_merge_is_told_by_its_three_lines() {
        let merge = "a\n<<<<<<< HEAD\nb\n=======\nc\n>>>>>>> topic\n";
        let diff3 = "<<<<<<< HEAD\nb\n||||||| base\nx\n=======\nc\n>>>>>>> topic\n";
        let windows = merge.replace('\n', "\r\n");
        for text in [merge, diff3, &windows] {
            assert!(has_conflict_markers(text.as_bytes()), "{text}");
        }
        for text in [
            "Title\n=======\n",
            "<<<<<<< \n",
            ">>>>>>> x\n=======\n<<<<<<< y\n",
            "    <<<<<<< HEAD\n=======\n",
        ] {
            assert!(!has_conflict_markers(text.as_bytes()), "{text}");
        }
    }
}
