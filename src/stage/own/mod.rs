//! This workspace's own documents: in the work tree, in a branch that is not checked out, or in a folder without git.

mod committed;
mod excluded;
mod pending;
mod reader;
mod settle;
mod survey;

use std::{
    cell::OnceCell,
    collections::{BTreeMap, BTreeSet},
};

use super::{Context, Warning};
use crate::{
    fs::DirError,
    names::{ObjectFormat, ObjectId, Prefix, ShortCode},
    plan::{listing::Documents, source::ReadFrom},
    project::{Committed, Exclusion, History, Index},
    state::cursor::Cursor,
    text::{Untrusted, UntrustedName},
    workspace::{Damaged, Protected, Reason, Scan, frontmatter},
};

pub use excluded::IGNORE_FILE;
pub use reader::{ReadError, Reader};
pub use settle::{has_conflict_markers, settle};
pub use survey::{Arrived, survey};

/// `[sync] source` for whatever is checked out.
pub const WORKTREE: &str = "worktree";
/// Where Metis moves what is archived, from wherever in `.metis/` it was.
const ARCHIVED: &str = "archived";

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
    NoBranch(Untrusted),
    /// The source branch is one that the project's remote has no more.
    #[error("[sync] source names the branch {branch}, which the project's remote {remote} does not have")]
    LeftBehind {
        /// The source branch.
        branch: Untrusted,
        /// Git's name for the remote.
        remote: Untrusted,
    },
    /// The source branch's folders are not to be had.
    #[error("the documents of commit {0} of the project cannot be read")]
    NoTree(ObjectId),
    /// git does not answer.
    #[error("git did not say in time what branches this project has, so it is not known which versions are newer")]
    Stalled,
}

/// Fails if git was asked for something and did not answer in time: what it did not name may be there all the same.
pub fn unless_stalled(ctx: &Context<'_>) -> Result<(), OwnError> {
    match ctx.project.is_stalled() {
        true => Err(OwnError::Stalled),
        false => Ok(()),
    }
}

/// Where a document's bytes are.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    /// In the file that has the document's path.
    Here,
    /// In the file of this path below `.metis/`.
    File(String),
    /// In the project's objects.
    Committed(Committed),
}

/// An own document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnDocument {
    /// Relative to `.metis/`.
    pub path: UntrustedName,
    /// The id of the bytes that go to central.
    pub blob: ObjectId,
    place: Place,
}

/// The own documents as they are now.
pub struct Own<'a> {
    /// Where they were read from.
    pub read_from: ReadFrom,
    /// The documents.
    pub documents: BTreeMap<ShortCode, OwnDocument>,
    /// What git says of files, beside what the walk found.
    said_by_git: Vec<Damaged>,
    /// What central must keep.
    pub protected: Protected,
    /// Documents that are not to be published, and whether central had them when this clone looked last. They stay there as
    /// they are: taking them out is a command of its own.
    pub excluded: BTreeMap<ShortCode, bool>,
    exclusion: Exclusion,
    /// Top folders of `.metis/` that hold other workspaces.
    pub hydrated: BTreeSet<Prefix>,
    /// The walk through the files, where they are what counts.
    pub scan: Option<Scan>,
    /// What git's index was before that.
    pub index: Option<Index>,
    /// What `HEAD` was before that.
    head: Option<ObjectId>,
    /// The hash of central's objects.
    format: ObjectFormat,
    /// The project's history, opened once it is needed.
    history: OnceCell<Option<History<'a>>>,
}

impl<'a> Own<'a> {
    fn empty(read_from: ReadFrom, hydrated: BTreeSet<Prefix>, format: ObjectFormat) -> Self {
        Own {
            read_from,
            documents: BTreeMap::new(),
            said_by_git: Vec::new(),
            protected: Protected::default(),
            excluded: BTreeMap::new(),
            exclusion: Exclusion::default(),
            hydrated,
            scan: None,
            index: None,
            head: None,
            format,
            history: OnceCell::new(),
        }
    }

    /// Nothing is known of any document.
    pub fn unknown(format: ObjectFormat) -> Self {
        Own {
            protected: Protected {
                all_absent: true,
                ..Protected::default()
            },
            ..Own::empty(ReadFrom::Folder, BTreeSet::new(), format)
        }
    }

    /// Whether no document could be looked at.
    pub fn is_unknown(&self) -> bool {
        self.scan.is_none() && self.read_from == ReadFrom::Folder
    }

    /// The project's history, to be handed back with [`keep_history()`](Self::keep_history). `None`: there is none.
    pub fn take_history(&mut self, ctx: &Context<'a>) -> Option<History<'a>> {
        self.history.take().unwrap_or_else(|| open_history(ctx, self.format))
    }

    /// Keeps what was asked of the history for the next one who asks.
    pub fn keep_history(&mut self, history: Option<History<'a>>) {
        self.history = OnceCell::from(history);
    }

    /// For reading the documents' bytes.
    pub fn reader<'r>(&'r self, ctx: &'r Context<'a>) -> Reader<'r, 'a> {
        let history = self.history.get_or_init(|| open_history(ctx, self.format));
        Reader::new(ctx, history.as_ref())
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

    /// What could not be read, and what central has though it is not published.
    pub fn warnings(&self) -> Vec<Warning> {
        let still = self.excluded.iter().filter(|(_, still)| **still);
        let still: Vec<ShortCode> = still.map(|(code, _)| code.clone()).collect();
        self.damaged()
            .map(|damaged| Warning::Damaged {
                path: Untrusted::name(damaged.path.raw().as_bytes()),
                reason: damaged.reason.to_string().into(),
            })
            .chain((!still.is_empty()).then_some(Warning::StillInCentral(still)))
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
            .filter_map(|(code, document)| Some((code.clone(), document.path.clone(), owner(document.path.raw())?)))
            .filter(|(code, ..)| !was_pushed(code))
            .collect();
        for (code, path, owner) in copies {
            self.documents.remove(&code);
            self.protect(code, path, Reason::ArchivedCopy(owner));
        }
    }

    /// Names a file that counts for nothing.
    fn pass_over(&mut self, path: String, reason: Reason) {
        self.said_by_git.push(Damaged {
            path: path.into(),
            reason,
            may_be: None,
        });
    }

    fn protect(&mut self, code: ShortCode, path: impl Into<UntrustedName>, reason: Reason) {
        if self.protected.codes.insert(code.clone()) {
            self.said_by_git.push(Damaged {
                path: path.into(),
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

/// The project's history, with documents named as central names them.
pub fn open_history<'a>(ctx: &Context<'a>, format: ObjectFormat) -> Option<History<'a>> {
    History::open(ctx.project, &ctx.connect, &ctx.cache_dir, format, code_of)
}

/// Whether central has what one branch of the project has, and not whatever is checked out.
pub fn follows_branch(ctx: &Context<'_>) -> bool {
    let source = ctx.config.sync.as_ref().and_then(|sync| sync.source.as_ref());
    source.is_some_and(|source| *source != WORKTREE)
}
