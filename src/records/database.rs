//! Opening `records.db`, and knowing whether it is this clone's.

use std::{
    fs,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use rusqlite::{Connection, ErrorCode, OptionalExtension, config::DbConfig};
use shared_records::DeviceId;

use super::{RecordsError, rows, schema};
use crate::{
    cache::{CacheError, database},
    state::{
        files::{self, StateDir},
        guard::Guard,
    },
};

/// The database's file name below `.metis/.sync/`.
pub const FILE_NAME: &str = "records.db";

/// How large it gets at most, in pages of 4 KiB: 1 GiB. Whoever may push can fill it, but not the disk.
const MAX_PAGES: u32 = 1 << 18;

/// What this clone knows of all records, and what it has written itself.
pub struct Records {
    pub(super) db: Connection,
    pub(super) path: PathBuf,
    /// Which device this clone is.
    pub(super) device: DeviceId,
    /// Its row.
    pub(super) row: i64,
    /// A database that was in the way and is none of this clone's, where it was put.
    pub(super) set_aside: Option<PathBuf>,
}

impl Records {
    /// Whether there is something at their place, without a look at what it is.
    pub fn are_in(state: &StateDir) -> bool {
        state.path().join(FILE_NAME).symlink_metadata().is_ok()
    }

    /// Opens the database. `None`: there are no records here, and nothing was opened. One that is none of this clone's is put aside.
    pub fn open(state: &StateDir, guard: &mut Guard) -> Result<Option<Self>, RecordsError> {
        match found(state)? {
            Some(path) => Self::at(path, guard).map(Some),
            None => Ok(None),
        }
    }

    /// The same for those who have no way to tell that they put something aside: it stays, and is an error.
    pub fn look(state: &StateDir, guard: &mut Guard) -> Result<Option<Self>, RecordsError> {
        let Some(path) = found(state)? else { return Ok(None) };
        match open(&path, guard)? {
            Some(db) => Self::of(db, None, path, guard).map(Some),
            None => Err(RecordsError::Foreign(path)),
        }
    }

    /// Opens it, and makes it if it is not there. One that is none of this clone's is put aside.
    pub fn create(state: &StateDir, guard: &mut Guard) -> Result<Self, RecordsError> {
        let path = path(state)?;
        database::look(&path)?;
        Self::at(path, guard)
    }

    fn at(path: PathBuf, guard: &mut Guard) -> Result<Self, RecordsError> {
        let (db, set_aside) = match open(&path, guard) {
            Ok(Some(db)) => (db, None),
            Err(later @ RecordsError::Later { .. }) => return Err(later),
            // Of all who see this one moves it, and the others see what was made in its place. Those whom it was moved away from
            // have met an error.
            Ok(None) | Err(_) => guard.alone(|guard| match open(&path, guard)? {
                Some(db) => Ok((db, None)),
                None => {
                    let aside = put_aside(&path)?;
                    let made = database::open_for_writing(&path, database::BUSY)?;
                    Ok::<_, RecordsError>((made, Some(aside)))
                }
            })??,
        };
        Self::of(db, set_aside, path, guard)
    }

    fn of(db: Connection, set_aside: Option<PathBuf>, path: PathBuf, guard: &mut Guard) -> Result<Self, RecordsError> {
        set_up(&db).map_err(|err| CacheError::sqlite(&path, err))?;
        let opened = begin(&db, &path, guard)?;
        let mut records = Records {
            db,
            device: opened.device,
            row: opened.row,
            set_aside,
            path,
        };
        if opened.is_copy {
            records.become_another(guard)?;
        }
        Ok(records)
    }

    /// Which device this clone is.
    pub fn device(&self) -> DeviceId {
        self.device
    }

    /// A database that was in the way and is none of this clone's, where it was put.
    pub fn set_aside(&self) -> Option<&PathBuf> {
        self.set_aside.as_ref()
    }

    /// Sorts SQLite's errors.
    pub(super) fn fail(&self, err: rusqlite::Error) -> RecordsError {
        CacheError::sqlite(&self.path, err).into()
    }
}

/// Where it is, if it is there.
fn found(state: &StateDir) -> Result<Option<PathBuf>, RecordsError> {
    if !Records::are_in(state) {
        return Ok(None);
    }
    let path = path(state)?;
    Ok(match database::look(&path)? {
        database::Place::File => Some(path),
        database::Place::Free | database::Place::Orphans => None,
    })
}

/// SQLite is told to follow no link.
fn path(state: &StateDir) -> Result<PathBuf, RecordsError> {
    let folder = fs::canonicalize(state.path()).map_err(|err| state.error("open", FILE_NAME, err))?;
    Ok(folder.join(FILE_NAME))
}

/// Opens it, and makes it if it is not there. `None`: it is none of this clone's, and is as it was.
fn open(path: &Path, guard: &Guard) -> Result<Option<Connection>, RecordsError> {
    let fail = |err| CacheError::sqlite(path, err);
    let db = database::open_for_writing(path, database::BUSY)?;
    let is_ours = match schema::look(&db).map_err(fail)? {
        schema::Found::Later(found) => {
            let path = path.to_owned();
            return Err(RecordsError::Later { path, found });
        }
        schema::Found::Other => false,
        schema::Found::Empty => true,
        schema::Found::Ours => is_made_here(&db, guard).map_err(fail)?,
    };
    Ok(is_ours.then_some(db))
}

fn set_up(db: &Connection) -> rusqlite::Result<()> {
    // One flush to the disk for each transaction, instead of three.
    alone_with(|| db.pragma_update(None, "journal_mode", "wal"))?;
    db.pragma_update(None, "max_page_count", MAX_PAGES)?;
    db.pragma_update(None, "synchronous", "full")?;
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, true)?;
    schema::be_the_writer(db)
}

/// Does what SQLite gives up at once if another process has the database open just then, as at its first use, instead of waiting.
fn alone_with(mut work: impl FnMut() -> rusqlite::Result<()>) -> rusqlite::Result<()> {
    let end = Instant::now() + database::BUSY;
    loop {
        match work() {
            Err(err) if err.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) && Instant::now() < end => {
                // Those who meet here must not meet again.
                thread::sleep(Duration::from_millis(fastrand::u64(1..10)));
            }
            done => return done,
        }
    }
}

/// Whether this clone made it: it may have come with a checkout, and what it says would be believed.
fn is_made_here(db: &Connection, guard: &Guard) -> rusqlite::Result<bool> {
    let made: Option<(String, String)> = db
        .query_row(
            "SELECT d.name, o.mark FROM own o JOIN device d ON d.id = o.device",
            [],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .optional()?;
    Ok(made.is_some_and(|(device, mark)| mark == mark_of(guard, &device)))
}

pub(super) fn mark_of(guard: &Guard, device: &str) -> String {
    guard.mark(&format!("{FILE_NAME} of {device}"))
}

/// What tells this database from a copy of it.
pub(super) fn place_of(path: &Path) -> Result<String, CacheError> {
    let found = fs::symlink_metadata(path).map_err(|source| CacheError::Io {
        action: "look at",
        path: path.to_owned(),
        source,
    })?;
    Ok(files::identity(&found))
}

/// A name that no other device has.
pub(super) fn new_device() -> DeviceId {
    let mut bits = [0; 10];
    fastrand::fill(&mut bits);
    DeviceId::from_bits(bits)
}

/// An id that no other record has.
pub fn random_id() -> String {
    new_device().to_string()
}

/// Moves a database away that is not this clone's: somebody may want it.
fn put_aside(path: &Path) -> Result<PathBuf, RecordsError> {
    let free = |number: &u32| !path.with_file_name(format!("records-{number}.db")).exists();
    let number = (1..).find(free).unwrap_or(0);
    for suffix in ["-wal", "-shm", "-journal", ""] {
        let from = path.with_file_name(format!("{FILE_NAME}{suffix}"));
        let to = path.with_file_name(format!("records-{number}.db{suffix}"));
        match fs::rename(&from, &to) {
            Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                return Err(CacheError::Io {
                    action: "move away",
                    path: from,
                    source,
                }
                .into());
            }
            _ => {}
        }
    }
    Ok(path.with_file_name(format!("records-{number}.db")))
}

struct Opened {
    device: DeviceId,
    row: i64,
    is_copy: bool,
}

/// Makes the tables and this clone's row where they are not there yet, and reads that.
fn begin(db: &Connection, path: &Path, guard: &mut Guard) -> Result<Opened, RecordsError> {
    let fail = |err| RecordsError::from(CacheError::sqlite(path, err));
    let place = place_of(path)?;
    if schema::look(db).map_err(fail)? == schema::Found::Empty {
        // The mark is made with a secret that has to be there the next time.
        guard.update(|_| ())?;
        let device = new_device();
        let mark = mark_of(guard, device.as_str());
        let make = || {
            let tx = rusqlite::Transaction::new_unchecked(db, rusqlite::TransactionBehavior::Immediate)?;
            // Another process may have been faster.
            if schema::look(&tx)? == schema::Found::Empty {
                schema::make(&tx)?;
                tx.execute("INSERT INTO device (name) VALUES (?1)", [device.as_str()])?;
                let row = tx.last_insert_rowid();
                tx.execute(
                    "INSERT INTO own (one, device, mark, place) VALUES (1, ?1, ?2, ?3)",
                    (row, mark, &place),
                )?;
            }
            tx.commit()
        };
        make().map_err(fail)?;
    }
    let read = "SELECT d.name, d.id, o.place FROM own o JOIN device d ON d.id = o.device";
    let (device, row, noted): (DeviceId, i64, String) = db
        .query_row(read, [], |row| Ok((rows::device(row, 0)?, row.get(1)?, row.get(2)?)))
        .map_err(fail)?;
    Ok(Opened {
        device,
        row,
        is_copy: noted != place,
    })
}
