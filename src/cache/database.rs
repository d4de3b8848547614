//! Opening `metis.db` without trusting what is there.

use std::{
    fs, io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior, config::DbConfig, limits::Limit};

use super::{CacheError, FILE_NAME};

/// How long to wait for another process' transaction.
pub(crate) const BUSY: Duration = Duration::from_secs(5);

/// No row of ours comes near it, whose frontmatter has 64 KiB at most.
const MAX_VALUE: i32 = 4 << 20;

/// What is at the database's place.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Nothing at all.
    Free,
    /// Only a journal of a database that is gone. A new file must not be put beside it ready-made: SQLite would play the
    /// journal into it. Left to SQLite, which discards it when it begins with an empty file.
    Orphans,
    /// A regular file.
    File,
}

/// `metis.db` below `.metis/`, with every symlink on the way there resolved: SQLite is told to follow none.
pub(super) fn path(dot_metis: &Path) -> io::Result<PathBuf> {
    Ok(fs::canonicalize(dot_metis)?.join(FILE_NAME))
}

/// Looks at the place without opening anything.
pub(crate) fn look(path: &Path) -> Result<Place, CacheError> {
    let found = |path: &Path| match fs::symlink_metadata(path) {
        Ok(metadata) => Ok(Some(metadata.file_type())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(CacheError::Io {
            action: "look at",
            path: path.to_owned(),
            source,
        }),
    };
    // SQLite opens those beside it without asking what they are.
    let mut place = Place::Free;
    for suffix in ["-wal", "-journal", "-shm", ""] {
        let mut beside = path.as_os_str().to_owned();
        beside.push(suffix);
        let beside = PathBuf::from(beside);
        place = match found(&beside)? {
            None => place,
            Some(kind) if !kind.is_file() => {
                return Err(CacheError::NotAFile {
                    path: beside,
                    found: match (kind.is_symlink(), kind.is_dir()) {
                        (true, _) => "a symlink",
                        (_, true) => "a folder",
                        _ => "a special file",
                    },
                });
            }
            Some(_) if suffix.is_empty() => Place::File,
            Some(_) => Place::Orphans,
        };
    }
    Ok(place)
}

/// What tells a database from a copy of it, or from one that a checkout put in its place.
pub(super) fn identity(path: &Path) -> Result<String, CacheError> {
    let meta = fs::symlink_metadata(path).map_err(|source| CacheError::Io {
        action: "look at",
        path: path.to_owned(),
        source,
    })?;
    Ok(meta.ino().to_string())
}

/// Opens the database for writing and creates it when it is not there.
pub(crate) fn open_for_writing(path: &Path, busy: Duration) -> Result<Connection, CacheError> {
    open(path, OpenFlags::SQLITE_OPEN_CREATE, busy).map_err(|error| CacheError::sqlite(path, error))
}

/// Opens an existing database for questions.
///
/// Read-write as far as SQLite is concerned: a read-only connection can neither roll back what a killed writer left nor
/// tidy up after a write-ahead log. SQLite falls back to read-only by itself where it may not write.
pub(super) fn open_for_reading(path: &Path) -> rusqlite::Result<Connection> {
    let db = open(path, OpenFlags::empty(), BUSY)?;
    db.pragma_update(None, "query_only", true)?;
    Ok(db)
}

/// Holds a database as it is at the first question, for all questions until this is dropped. A transaction that runs already does.
pub(crate) fn snapshot(db: &Connection) -> rusqlite::Result<Option<Transaction<'_>>> {
    db.is_autocommit()
        .then(|| Transaction::new_unchecked(db, TransactionBehavior::Deferred))
        .transpose()
}

fn open(path: &Path, more: OpenFlags, busy: Duration) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let db = Connection::open_with_flags(path, flags | more)?;
    db.busy_timeout(busy)?;
    // A cloned repository can bring a prepared metis.db along: nothing in its schema gets to run.
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false)?;
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false)?;
    db.set_limit(Limit::SQLITE_LIMIT_LENGTH, MAX_VALUE)?;
    db.set_limit(Limit::SQLITE_LIMIT_ATTACHED, 0)?;
    db.set_limit(Limit::SQLITE_LIMIT_WORKER_THREADS, 0)?;
    Ok(db)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_regular_file_is_opened() {
        let dir = tempfile::tempdir().unwrap();
        let path = path(dir.path()).unwrap();
        assert_eq!(look(&path).unwrap(), Place::Free);

        std::os::unix::fs::symlink("elsewhere.db", &path).unwrap();
        assert!(matches!(
            look(&path),
            Err(CacheError::NotAFile { found: "a symlink", .. })
        ));
        assert!(open_for_writing(&path, BUSY).is_err(), "swapped in after the look");
        assert!(!dir.path().join("elsewhere.db").exists());
        fs::remove_file(&path).unwrap();

        fs::create_dir(&path).unwrap();
        assert!(matches!(
            look(&path),
            Err(CacheError::NotAFile { found: "a folder", .. })
        ));
        fs::remove_dir(&path).unwrap();

        for beside in ["metis.db-wal", "metis.db-journal", "metis.db-shm"] {
            let beside = dir.path().join(beside);
            std::os::unix::fs::symlink("elsewhere.db", &beside).unwrap();
            assert!(
                matches!(look(&path), Err(CacheError::NotAFile { path, .. }) if path.file_name() == beside.file_name())
            );
            fs::remove_file(&beside).unwrap();
            rustix::fs::mknodat(rustix::fs::CWD, &beside, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
            assert!(look(&path).is_err());
            fs::remove_file(&beside).unwrap();
        }

        fs::write(dir.path().join("metis.db-wal"), "x").unwrap();
        assert_eq!(look(&path).unwrap(), Place::Orphans);
        open_for_writing(&path, BUSY).unwrap();
        assert_eq!(look(&path).unwrap(), Place::File);
    }

    #[test]
    fn a_symlinked_workspace_is_fine() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("real")).unwrap();
        std::os::unix::fs::symlink("real", dir.path().join("link")).unwrap();
        open_for_writing(&path(&dir.path().join("link")).unwrap(), BUSY).unwrap();
        assert!(dir.path().join("real/metis.db").exists());
    }
}
