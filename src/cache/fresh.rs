//! A database from nothing: built in a temp file, moved into place whole.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    process,
    sync::{
        atomic::{AtomicU64, Ordering},
        mpsc::{self, Receiver, SyncSender},
    },
    thread,
};

use rusqlite::{Connection, OpenFlags};
use rustix::{
    fs::{CWD, RenameFlags, renameat_with},
    io::Errno,
};

use super::{
    CacheError, FILE_NAME, database,
    rebuilt::{Outcome, Rebuilt},
    rows::{Prepared, Reader, Reading, Writer},
    schema,
    source::{Maker, WorkspaceSource, each_once},
};

/// Rows are handed over so many at a time: two threads that wake each other for each row would do little else.
const BATCH: usize = 128;
/// How many batches may wait to be written.
const WAITING: usize = 4;

/// Builds the database at `path`, where nothing is. `None` when somebody put one there meanwhile, which is then left alone.
pub(super) fn build(
    path: &Path,
    workspaces: &[WorkspaceSource<'_>],
    mut reader: Reader<'_>,
    maker: &Maker<'_>,
) -> Result<Option<Rebuilt>, CacheError> {
    let temp = TempFile::create(path)?;
    let maker = maker(&database::identity(&temp.path)?);
    let (sender, receiver) = mpsc::sync_channel(WAITING);
    let filled = thread::scope(|scope| {
        let read = thread::Builder::new().spawn_scoped(scope, || {
            // Whoever does not listen any more has failed, and says why.
            let _ = read_all(workspaces, &mut reader, &sender);
            drop(sender);
        });
        read.map_err(|source| CacheError::Io {
            action: "start a thread to fill",
            path: temp.path.clone(),
            source,
        })?;
        fill(&temp.path, receiver, &maker).map_err(|error| CacheError::sqlite(&temp.path, error))
    });
    let documents = filled?;
    if !temp.publish(path)? {
        return Ok(None);
    }
    Ok(Some(Rebuilt {
        outcome: Outcome::Created,
        documents,
        read: reader.read,
        removed: 0,
        skipped: reader.skipped,
    }))
}

/// What is read while what was read before is written.
enum Step<'w> {
    Begin(&'w WorkspaceSource<'w>),
    Rows(Vec<Prepared>),
    /// Whether all of the workspace's documents could be read.
    End {
        complete: bool,
    },
}

fn read_all<'w>(
    workspaces: &'w [WorkspaceSource<'w>],
    reader: &mut Reader<'_>,
    rows: &SyncSender<Step<'w>>,
) -> Result<(), mpsc::SendError<Step<'w>>> {
    for workspace in workspaces {
        let Some(mut listed) = reader.list(workspace) else {
            continue;
        };
        each_once(&mut listed, |document| &document.path);
        rows.send(Step::Begin(workspace))?;
        let mut complete = true;
        let mut documents = listed.into_iter().peekable();
        while documents.peek().is_some() {
            let mut batch = Vec::with_capacity(BATCH);
            for document in documents.by_ref().take(BATCH) {
                match reader.read(workspace, document) {
                    Reading::Row(row) => batch.push(*row),
                    Reading::Damaged => {}
                    Reading::Unread => complete = false,
                }
            }
            rows.send(Step::Rows(batch))?;
        }
        rows.send(Step::End { complete })?;
    }
    Ok(())
}

/// Writes all rows that come. Returns how many.
fn fill(path: &Path, rows: Receiver<Step<'_>>, maker: &str) -> rusqlite::Result<u64> {
    // Nobody else knows the file, so SQLite's locks would only get in the way of ours.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let db = Connection::open_with_flags_and_vfs(path, flags, "unix-none")?;
    // A build that dies is thrown away, so there is nothing to roll back to; publish() flushes what is complete.
    db.execute_batch(
        "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -32768",
    )?;
    let transaction = db.unchecked_transaction()?;
    schema::create_tables(&transaction, maker)?;
    let mut total = 0;
    {
        let mut writer = Writer::new(&transaction)?;
        let (mut id, mut fingerprint, mut documents) = (0, "", 0);
        for step in rows {
            match step {
                Step::Begin(workspace) => {
                    transaction.execute(
                        "INSERT INTO sync_workspaces (prefix, owned, fingerprint, documents) VALUES (?1, ?2, '', 0)",
                        (workspace.prefix.as_str(), workspace.owned),
                    )?;
                    (id, fingerprint, documents) = (transaction.last_insert_rowid(), &workspace.fingerprint, 0);
                }
                Step::Rows(rows) => {
                    for row in &rows {
                        writer.insert(id, row)?;
                    }
                    documents += rows.len() as i64;
                }
                Step::End { complete } => {
                    transaction.execute(
                        "UPDATE sync_workspaces SET fingerprint = ?1, documents = ?2 WHERE id = ?3",
                        (if complete { fingerprint } else { "" }, documents, id),
                    )?;
                    total += documents as u64;
                }
            }
        }
    }
    schema::create_indexes(&transaction)?;
    transaction.commit()?;
    db.close().map_err(|(_, error)| error)?;
    Ok(total)
}

const TEMP_MARK: &str = ".sync-build-";

/// A temp file of ours. Locked as long as its builder lives, which is how [`sweep()`] knows a leftover from one in use.
struct TempFile {
    path: PathBuf,
    file: File,
}

impl TempFile {
    fn create(database: &Path) -> Result<Self, CacheError> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let io_error = |action, path: &Path, source| CacheError::Io {
            action,
            path: path.to_owned(),
            source,
        };
        for _ in 0..100 {
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            let path = database.with_file_name(format!("{FILE_NAME}{TEMP_MARK}{}-{number}", process::id()));
            // Whoever can read a database can lock it.
            let mut options = OpenOptions::new();
            options.read(true).write(true).create_new(true).mode(0o600);
            match options.open(&path) {
                Ok(file) => {
                    // Without lock support, nobody can lock it in order to sweep it either.
                    let _ = file.try_lock();
                    return Ok(TempFile { path, file });
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
                Err(error) => return Err(io_error("create", &path, error)),
            }
        }
        Err(io_error(
            "create a temp file beside",
            database,
            io::ErrorKind::AlreadyExists.into(),
        ))
    }

    /// Gives the file its final name, unless that is taken.
    fn publish(self, path: &Path) -> Result<bool, CacheError> {
        let io_error = |action, path: &Path, source| CacheError::Io {
            action,
            path: path.to_owned(),
            source,
        };
        self.file
            .sync_all()
            .map_err(|error| io_error("flush", &self.path, error))?;
        match rename_if_free(&self.path, path) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(false),
            Err(error) => return Err(io_error("create", path, error)),
        }
        if let Some(folder) = path.parent() {
            File::open(folder)
                .and_then(|folder| folder.sync_all())
                .map_err(|error| io_error("flush", folder, error))?;
        }
        Ok(true)
    }
}

impl Drop for TempFile {
    fn drop(&mut self) {
        // After publish() there is nothing left to remove.
        let _ = fs::remove_file(&self.path);
    }
}

fn rename_if_free(from: &Path, to: &Path) -> io::Result<()> {
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        // Network file systems know the plain rename only. The window between look and rename is theirs.
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {
            if fs::symlink_metadata(to).is_ok() {
                return Err(io::ErrorKind::AlreadyExists.into());
            }
            fs::rename(from, to)
        }
        result => result.map_err(io::Error::from),
    }
}

/// Removes what killed builds left beside the database. Never fails: a leftover that can't be removed does no harm.
pub(super) fn sweep(database: &Path) {
    let Some(entries) = database.parent().and_then(|folder| fs::read_dir(folder).ok()) else {
        return;
    };
    for entry in entries.flatten() {
        let ours = entry.file_name().to_str().is_some_and(|name| {
            name.strip_prefix(FILE_NAME)
                .is_some_and(|rest| rest.starts_with(TEMP_MARK))
        });
        if !ours || !entry.file_type().is_ok_and(|kind| kind.is_file()) {
            continue;
        }
        let Ok(file) = OpenOptions::new().read(true).write(true).open(entry.path()) else {
            continue;
        };
        match file.try_lock() {
            Ok(()) => {
                let _ = fs::remove_file(entry.path());
            }
            Err(TryLockError::WouldBlock | TryLockError::Error(_)) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leftover_is_swept_and_a_build_under_way_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let database = dir.path().join(FILE_NAME);
        let leftover = dir.path().join("metis.db.sync-build-1-0");
        let other = dir.path().join("metis.db.backup");
        fs::write(&leftover, "half").unwrap();
        fs::write(&other, "mine").unwrap();
        let alive = TempFile::create(&database).unwrap();

        sweep(&database);

        assert!(!leftover.exists());
        assert!(other.exists());
        assert!(alive.path.exists());
    }

    #[test]
    fn a_database_that_appeared_meanwhile_is_not_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let database = dir.path().join(FILE_NAME);
        let temp = TempFile::create(&database).unwrap();
        fs::write(&database, "theirs").unwrap();

        assert!(!temp.publish(&database).unwrap());

        assert_eq!(fs::read_to_string(&database).unwrap(), "theirs");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}
