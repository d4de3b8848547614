//! The tables of `records.db`.

use rusqlite::{Connection, functions::FunctionFlags};

use crate::cache::database::snapshot;

/// What the tables look like; an older one is brought up to it, a newer one is left alone.
pub(super) const VERSION: i32 = 1;

/// What the triggers ask for: only a connection of ours has it, so that nothing else writes past [`Tx`](super::Tx).
const WRITER: &str = "records_writer";

/// Every statement is one object of the schema, so that what is there can be compared with it.
const TABLES: &[&str] = &[
    // `seq` and `floor`: up to where its log was taken up, and up to where it was compacted then. `tip`: its commit.
    "CREATE TABLE device (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, user TEXT NOT NULL DEFAULT '', \
     prefix TEXT NOT NULL DEFAULT '', program TEXT NOT NULL DEFAULT '', seq INTEGER NOT NULL DEFAULT 0, \
     floor INTEGER NOT NULL DEFAULT 0, tip TEXT, fault TEXT, ahead INTEGER NOT NULL DEFAULT 0)",
    // `live`: no known entry replaces it. `over`: pairs of a device's name and a number.
    "CREATE TABLE entry (device INTEGER NOT NULL, seq INTEGER NOT NULL, stamp INTEGER NOT NULL, model TEXT NOT NULL, \
     key TEXT NOT NULL, field TEXT NOT NULL, value TEXT, over TEXT NOT NULL, live INTEGER NOT NULL, \
     PRIMARY KEY (device, seq)) WITHOUT ROWID",
    "CREATE INDEX live_entry ON entry (model, key, field) WHERE live",
    // Replaced before they came.
    "CREATE TABLE replaced (device INTEGER NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (device, seq)) WITHOUT ROWID",
    // This clone. Entries after `published` are its outbox; those up to `sent` may have been seen by somebody. `pending`: what
    // was being published when it was last heard of.
    "CREATE TABLE own (one INTEGER PRIMARY KEY CHECK (one = 1), device INTEGER NOT NULL, mark TEXT NOT NULL, \
     place TEXT NOT NULL, clock INTEGER NOT NULL DEFAULT 0, published INTEGER NOT NULL DEFAULT 0, sent INTEGER NOT NULL DEFAULT 0, \
     route TEXT NOT NULL DEFAULT '', tip TEXT, pending TEXT, refused INTEGER NOT NULL DEFAULT 0)",
    // The segments of the own log as they were published last, and all its commits.
    "CREATE TABLE segment (first INTEGER PRIMARY KEY, last INTEGER NOT NULL, bytes INTEGER NOT NULL, blob TEXT NOT NULL)",
    "CREATE TABLE published (tip TEXT PRIMARY KEY) WITHOUT ROWID",
];

const GUARDED: [&str; 6] = ["device", "entry", "replaced", "own", "segment", "published"];

/// All statements, in their order.
fn statements() -> Vec<String> {
    let triggers = GUARDED.iter().flat_map(|table| {
        ["INSERT", "UPDATE", "DELETE"].map(|event| {
            format!(
                "CREATE TRIGGER {table}_{} BEFORE {event} ON {table} BEGIN SELECT {WRITER}(); END",
                event.to_lowercase()
            )
        })
    });
    TABLES.iter().map(|sql| (*sql).to_owned()).chain(triggers).collect()
}

/// Makes the tables in an empty database.
pub(super) fn make(db: &Connection) -> rusqlite::Result<()> {
    for statement in statements() {
        db.execute(&statement, [])?;
    }
    db.pragma_update(None, "user_version", VERSION)
}

/// What a database has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// Nothing.
    Empty,
    /// What we make.
    Ours,
    /// What a later version makes.
    Later(i32),
    /// Something else.
    Other,
}

/// Compares a database with our schema, word by word, before anything in it gets to run.
pub(super) fn look(db: &Connection) -> rusqlite::Result<Found> {
    // Somebody may be making the tables just now: with a version from before and tables from after it would be another's.
    let _snapshot = snapshot(db)?;
    let version: i32 = db.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let mut query = db.prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL")?;
    let mut found: Vec<String> = query.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let mut expected = statements();
    found.sort();
    expected.sort();
    Ok(match found == expected {
        true if version == VERSION => Found::Ours,
        _ if version > VERSION => Found::Later(version),
        _ if found.is_empty() && version == 0 => Found::Empty,
        _ => Found::Other,
    })
}

/// Lets this connection write.
pub(super) fn be_the_writer(db: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_INNOCUOUS;
    db.create_scalar_function(WRITER, 0, flags, |_| Ok(1))
}
