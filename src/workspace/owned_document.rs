//! A document of this workspace, and a file that cannot be taken as one.

use super::frontmatter::Damage;
use crate::fs::DirError;
use crate::names::{ObjectId, Prefix, ShortCode};
use crate::text::{Untrusted, UntrustedName};

/// The most bytes a document may have.
pub const DOCUMENT_LIMIT: u64 = 16 << 20;

/// A document as it lies on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnedDocument {
    /// Relative to `.metis`, names joined by `/`.
    pub path: UntrustedName,
    /// The git object id of its bytes.
    pub blob: ObjectId,
    /// Its size in bytes.
    pub len: u64,
}

/// A file that may be a document and cannot be taken as one.
#[derive(Debug)]
pub struct Damaged {
    /// Relative to `.metis`, names joined by `/`; characters that are not UTF-8 replaced.
    pub path: UntrustedName,
    /// What is wrong with it.
    pub reason: Reason,
    /// The document that it may be, as its content, its history or its name suggest.
    pub may_be: Option<ShortCode>,
}

/// What is wrong with a [`Damaged`] file, in words that go on from its path.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)]
pub enum Reason {
    #[error("{0}")]
    Frontmatter(Damage),
    #[error("it cannot be read: {0}")]
    Unreadable(DirError),
    #[error("it is over the limit of {DOCUMENT_LIMIT} bytes")]
    TooLarge,
    #[error("its folder is nested too deep to be searched")]
    TooDeep,
    #[error("its name is not UTF-8; rename it")]
    NameNotUtf8,
    #[error("its short_code is in use by another file too")]
    Twice,
    #[error("it is a symbolic link, which is never followed")]
    Symlink,
    #[error("it is not a regular file")]
    NotAFile,
    #[error("it was a document and is still there, but behind a link, in a hydrated folder or no regular file")]
    Hidden,
    #[error("git could not convert it: {0}")]
    Unconvertible(Untrusted),
    #[error("git tracks it, so it was not written by the Metis tools of this clone and is not published")]
    InPending,
    #[error("git has not finished merging it")]
    Unmerged,
    #[error("it has conflict markers in it")]
    ConflictMarkers,
    #[error("it was renamed to {0}, which is not a document's name")]
    Renamed(UntrustedName),
    #[error("a submodule lies where it was")]
    InSubmodule,
    #[error(
        "it is an archived copy of a document of {0}/, so it is not pushed; remove it, and `git metis-sync doctor --fix` \
         brings back the one in {0}/"
    )]
    ArchivedCopy(Prefix),
    #[error("the file system that it was on is not mounted")]
    Unmounted,
    #[error(
        "its folder is there and empty, as after a disk was unmounted; remove the folder as well if it is meant to go"
    )]
    Emptied,
}
