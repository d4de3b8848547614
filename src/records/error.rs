//! Why records could not be read or written.

use std::path::PathBuf;

use shared_records::{clock::Exhausted, entry::Improper};

use crate::{cache::CacheError, state::files::StateError, text::shown};

/// Why records could not be read or written. What was acknowledged before is still there.
#[derive(Debug, thiserror::Error)]
pub enum RecordsError {
    /// The database could not be used.
    #[error(transparent)]
    Database(#[from] CacheError),
    /// The folder that it lies in could not be used.
    #[error(transparent)]
    State(#[from] StateError),
    /// A later version of this program made it.
    #[error("{} has format {found}, which a later version of git-metis-sync writes", shown(path))]
    Later {
        /// The database.
        path: PathBuf,
        /// Its format.
        found: i32,
    },
    /// Another clone wrote it, or it came with a checkout.
    #[error("{} holds records that this clone did not write", shown(.0))]
    Foreign(PathBuf),
    /// There is no time left to write at.
    #[error(transparent)]
    Clock(#[from] Exhausted),
    /// It cannot be written.
    #[error("this cannot be recorded: {0}")]
    Improper(#[from] Improper),
    /// Its value is longer than a line of a log may be.
    #[error("this is too long to be recorded: a record has {} KiB at most", shared_records::segment::MAX_LINE >> 10)]
    TooLong,
    /// So many were put at one place of an order that no position is left there.
    #[error("there is no room left at that place: put it at the beginning or the end")]
    NoRoom,
    /// The value is of another kind than the record has.
    #[error("a record of this kind does not take this value")]
    WrongKind,
}

impl RecordsError {
    /// What was changed, and what to do.
    pub fn next(&self) -> &'static str {
        match self {
            RecordsError::Database(CacheError::Busy { .. }) => "Nothing was changed; try again when that is done.",
            RecordsError::Database(CacheError::NotAFile { .. } | CacheError::Unreadable { .. }) => {
                "Nothing was changed. Once it is moved away, the next sync takes up again what is in central."
            }
            RecordsError::Foreign(_) => {
                "Nothing was changed. The next sync moves it aside and takes up what is in central."
            }
            RecordsError::Later { .. } => "Nothing was changed; update git-metis-sync here.",
            _ => "Nothing was changed.",
        }
    }
}
