//! Stops of which there are several kinds.

use std::path::PathBuf;

use crate::{
    names::ShortCode,
    text::{Untrusted, shown},
};

/// Why a repository without a folder of plans is no workspace, or why a command is not for one.
#[derive(Debug, thiserror::Error)]
pub enum NoFolder {
    /// It may be files of a checkout that look like a repository.
    #[error("{} is a bare repository, and such a one counts only where it is named", shown(path))]
    NotNamed {
        /// The repository.
        path: PathBuf,
    },
    /// It is another user's.
    #[error("the bare repository {} is another user's", shown(path))]
    Foreign {
        /// The repository.
        path: PathBuf,
    },
    /// Nothing says what to sync with.
    #[error(
        "the branch {branch} of the bare repository {} has no .metis/config.toml",
        shown(path)
    )]
    NoConfig {
        /// The repository.
        path: PathBuf,
        /// The branch that was looked into.
        branch: String,
    },
    /// This command works on files.
    #[error(
        "`{command}` works on files in .metis/, and there are none here: the documents are read from the branch {branch}"
    )]
    NoFiles {
        /// The command.
        command: String,
        /// The source branch.
        branch: String,
    },
    /// The same, where git keeps the files out of the work tree.
    #[error("git left {path} out of this work tree, and files there are needed")]
    LeftOut {
        /// `.metis`, as git names it.
        path: String,
    },
}

/// Why a document is not decided.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotResolved {
    /// It need not be.
    #[error("{0} waits for no decision")]
    NothingOpen(ShortCode),
    /// There is no file to write to.
    #[error(
        "central's documents come from the branch {0}, which is not checked out here, so its files cannot be written"
    )]
    Elsewhere(Untrusted),
    /// One side has none.
    #[error("{0} is there on one side only, so there is nothing to merge")]
    OneSided(ShortCode),
    /// Central's is too large to be a document.
    #[error("central's version of {0} is over the limit for a document")]
    Large(ShortCode),
    /// git did not do it.
    #[error("{code} could not be merged: {reason}")]
    NoMerge {
        /// The document.
        code: ShortCode,
        /// In words.
        reason: Untrusted,
    },
}
