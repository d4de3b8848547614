//! What [`Cache`](super::Cache) answers. Serialized as they are by `--json`.

use std::path::PathBuf;

use serde::Serialize;

use super::CacheError;
use crate::{
    names::{Prefix, ShortCode},
    text::{Untrusted, UntrustedName, shown},
};

/// Phases in which nothing remains to be done: of tasks and initiatives, visions and specifications, and ADRs.
pub(super) const FINISHED: [&str; 4] = ["completed", "published", "decided", "superseded"];

/// A document, as far as the cache knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Document {
    /// Its code.
    pub code: UntrustedName,
    /// `title`.
    pub title: UntrustedName,
    /// `level`: `task`, `initiative`, ….
    #[serde(rename = "type")]
    pub kind: Option<UntrustedName>,
    /// `todo`, `active`, `completed`, ….
    pub phase: Option<UntrustedName>,
    /// Its parent's code; what it says if that leads nowhere.
    pub parent: Option<UntrustedName>,
    /// The codes of what blocks it; what it says where that leads nowhere.
    pub blocked_by: Vec<UntrustedName>,
    /// Whether it is archived.
    pub archived: bool,
    /// The tags that it says itself.
    pub tags: Vec<UntrustedName>,
    /// Those that somebody put on it by a shared record.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub shared_tags: Vec<UntrustedName>,
    /// The titles of collections that it is in.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub collections: Vec<UntrustedName>,
    /// Whose it is to do.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub assigned: Vec<UntrustedName>,
    /// The prefix of its workspace.
    pub workspace: UntrustedName,
    /// Whether that is this clone's own.
    pub owned: bool,
    /// Relative to `.metis/`.
    pub path: UntrustedName,
}

impl Document {
    /// Whether nothing remains to be done.
    pub fn is_finished(&self) -> bool {
        self.phase.as_ref().is_some_and(|phase| FINISHED.contains(&phase.raw()))
    }
}

/// A reference, and the document it leads to if the cache has that.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Link {
    /// The document's code; the reference as written if it leads nowhere.
    pub code: UntrustedName,
    /// `None`: no workspace has it.
    pub document: Option<Document>,
}

/// Who waits for a document, and for whom it waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Blocks {
    /// The document.
    pub document: Document,
    /// The documents that it blocks.
    pub blocks: Vec<Document>,
    /// What blocks it.
    pub blocked_by: Vec<Link>,
}

/// How far everything below a document is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Progress {
    /// The document.
    pub document: Document,
    /// Its own children.
    pub children: u64,
    /// Everything below it, each document once, archived ones included.
    pub total: u64,
    /// Those of `total` with nothing left to do: completed, published, decided or superseded.
    pub completed: u64,
    /// `total` by phase.
    pub by_phase: Vec<PhaseCount>,
}

/// How many documents are in a phase.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PhaseCount {
    /// `None`: documents without one.
    pub phase: Option<UntrustedName>,
    /// How many.
    pub documents: u64,
}

/// A document's parent, its parent's parent and so on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Upstream {
    /// The document.
    pub document: Document,
    /// Nearest first.
    pub chain: Vec<Link>,
    /// Why it goes no further.
    pub end: ChainEnd,
}

/// Why a chain of parents goes no further.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChainEnd {
    /// The last one has no parent.
    Root,
    /// The last one is in no workspace.
    Missing,
    /// The last one's parent is in the chain already.
    Cycle,
    /// It is longer than anybody's planning.
    TooLong,
}

/// A workspace in numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Workspace {
    /// Its folder in central.
    pub prefix: UntrustedName,
    /// Whether it is this clone's own.
    pub owned: bool,
    /// How many documents it has.
    pub documents: u64,
    /// Those by phase.
    pub by_phase: Vec<PhaseCount>,
}

/// A workspace with its documents, ordered by code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WorkspaceDocuments {
    /// The numbers.
    #[serde(flatten)]
    pub workspace: Workspace,
    /// All documents.
    #[serde(rename = "list")]
    pub documents: Vec<Document>,
}

/// Why a question has no answer.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// There is nothing to ask.
    #[error("there is no {}", shown(path))]
    Missing {
        /// Where it would be.
        path: PathBuf,
    },
    /// A database of another program, of another version of this one, or of another clone.
    #[error(
        "{} has nothing that this clone made with this version of git-metis-sync",
        shown(path)
    )]
    NotBuilt {
        /// The database.
        path: PathBuf,
    },
    /// No workspace has it.
    #[error("no workspace has a document {code}")]
    UnknownCode {
        /// What was asked for.
        code: ShortCode,
    },
    /// Central has no such folder, or this clone has not seen it yet.
    #[error("there is no workspace {prefix}")]
    UnknownWorkspace {
        /// What was asked for.
        prefix: Prefix,
    },
    /// A writer kept it locked for the whole time that we wait.
    #[error("{} is in use by another process", shown(path))]
    Busy {
        /// The database.
        path: PathBuf,
    },
    /// The database can't be read.
    #[error("cannot read {}: {}", shown(path), Untrusted::from(source.to_string()))]
    Sqlite {
        /// The database.
        path: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// Something is at the database's place that is not opened.
    #[error(transparent)]
    Place(#[from] CacheError),
}
