//! Why the cache could not be rebuilt.

use std::{io, path::PathBuf};

use rusqlite::ErrorCode;

use crate::text::{Untrusted, shown};

/// Why the cache could not be rebuilt. Whatever was at `metis.db` before is still there.
#[derive(Debug, thiserror::Error)]
pub enum CacheError {
    /// A symlink or something else that is no regular file: following it could write anywhere.
    #[error(
        "{} is {found}, not a regular file, and stays as it is until you move it away",
        shown(path)
    )]
    NotAFile {
        /// The database's path.
        path: PathBuf,
        /// What is there instead.
        found: &'static str,
    },
    /// It came with a commit, and SQLite would play it into the database.
    #[error(
        "git tracks {}, which is never opened: take it out with `git rm --cached`, delete it, and commit that",
        shown(path)
    )]
    Tracked {
        /// The file beside the database.
        path: PathBuf,
    },
    /// Somebody's file, or a database beyond reading.
    #[error("{} is {problem}, and stays as it is until you move it away", shown(path))]
    Unreadable {
        /// The database's path.
        path: PathBuf,
        /// `not an SQLite database` or `a damaged SQLite database`.
        problem: &'static str,
    },
    /// A table of this name exists, and it is not ours.
    #[error(
        "{} has a table or view `{table}` of another program, and stays as it is",
        shown(path)
    )]
    NameTaken {
        /// The database's path.
        path: PathBuf,
        /// The name.
        table: Untrusted,
    },
    /// Another process kept it locked for the whole time that we wait.
    #[error("{} is in use by another process", shown(path))]
    Busy {
        /// The database's path.
        path: PathBuf,
    },
    /// A file could not be read or written.
    #[error("cannot {action} {}: {source}", shown(path))]
    Io {
        /// What was tried, as in `cannot <action> <path>`.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// SQLite said no for another reason: disk full, read-only, …
    #[error("cannot use {}: {}", shown(path), Untrusted::from(source.to_string()))]
    Sqlite {
        /// The database's path.
        path: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
}

impl CacheError {
    /// Sorts SQLite's errors by what a user can do about them.
    pub(crate) fn sqlite(path: impl Into<PathBuf>, source: rusqlite::Error) -> Self {
        let path = path.into();
        let damaged = |path| CacheError::Unreadable {
            path,
            problem: "a damaged SQLite database",
        };
        match source.sqlite_error_code() {
            Some(ErrorCode::NotADatabase) => CacheError::Unreadable {
                path,
                problem: "not an SQLite database",
            },
            Some(ErrorCode::DatabaseCorrupt) => damaged(path),
            // SQLite has no code for it.
            Some(ErrorCode::Unknown) if source.to_string().contains("fts5 file format") => damaged(path),
            // A row with what nobody writes there.
            None if matches!(source, rusqlite::Error::FromSqlConversionFailure(..)) => damaged(path),
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => CacheError::Busy { path },
            _ => CacheError::Sqlite { path, source },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::is_hidden;

    #[test]
    fn what_sqlite_quotes_is_shown_escaped() {
        let says = Some("no such table: \u{1b}[2J\u{202e}".to_owned());
        let said = rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(1), says);
        let text = CacheError::sqlite("metis.db", said).to_string();
        assert!(text.contains("\\u{1b}[2J") && !text.contains(is_hidden), "{text:?}");
    }
}
