//! Why a file of state could not be read or written.

use std::{io, path::PathBuf};

use crate::text::{Untrusted, shown};

/// Why a file of state could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// A symlink or a file, where following or replacing it could hit something of the user's.
    #[error("{} is not a folder but a symlink or a file", shown(path))]
    NotAFolder {
        /// Where the folder should be.
        path: PathBuf,
    },
    /// Another user's, who could put anything into it.
    #[error("{} belongs to another user ({owner}), so it is not used", shown(path))]
    NotOurs {
        /// The folder, or a file in it.
        path: PathBuf,
        /// Whose it is.
        owner: u32,
    },
    /// There is no place for what only this user may write.
    #[error("this user has no home directory, so there is no place for what this clone alone may know")]
    NoHome,
    /// The contents make no sense: damaged, edited, or not ours.
    #[error("{} is damaged ({reason})", shown(path))]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: Untrusted,
    },
    /// Written by a version of the program that keeps more in it than this one knows of.
    #[error(
        "{} was written by another version of git-metis-sync (format {found}, this one knows up to {newest})",
        shown(path)
    )]
    OtherSchema {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// The newest that this version knows.
        newest: u32,
    },
    /// The system said no.
    #[error("cannot {action} {}: {source}", shown(path))]
    Io {
        /// What was tried, as in `cannot <action> <path>`.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}
