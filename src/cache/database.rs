//! Opening `metis.db` without trusting what is there.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::{Connection, OpenFlags, config::DbConfig};

use super::{CacheError, FILE_NAME};

/// How long to wait for another process' transaction.
pub(super) const BUSY: Duration = Duration::from_secs(5);

/// What is at the database's place.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Place {
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
pub(super) fn look(path: &Path) -> Result<Place, CacheError> {
    let found = |path: &Path| match fs::symlink_metadata(path) {
        Ok(metadata) => Ok(Some(metadata.file_type())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(CacheError::Io {
            action: "look at",
            path: path.to_owned(),
            source,
        }),
    };
    if let Some(kind) = found(path)? {
        if kind.is_file() {
            return Ok(Place::File);
        }
        return Err(CacheError::NotAFile {
            path: path.to_owned(),
            found: match (kind.is_symlink(), kind.is_dir()) {
                (true, _) => "a symlink",
                (_, true) => "a folder",
                _ => "a special file",
            },
        });
    }
    for suffix in ["-wal", "-journal", "-shm"] {
        let mut sidecar = path.as_os_str().to_owned();
        sidecar.push(suffix);
        if found(Path::new(&sidecar))?.is_some() {
            return Ok(Place::Orphans);
        }
    }
    Ok(Place::Free)
}

/// Opens the database for writing and creates it when it is not there.
pub(super) fn open_for_writing(path: &Path, busy: Duration) -> Result<Connection, CacheError> {
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

fn open(path: &Path, more: OpenFlags, busy: Duration) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let db = Connection::open_with_flags(path, flags | more)?;
    db.busy_timeout(busy)?;
    // A cloned repository can bring a prepared metis.db along: nothing in its schema gets to run.
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false)?;
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
