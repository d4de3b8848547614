//! What somebody wrote about documents beside them: documents are found and shown by it as by what they say themselves.
//!
//! It is no part of `metis.db`. Whoever asks brings it along, and it is put into a table of the connection's own, so it is never out of date.

use rusqlite::{Connection, params};

use super::{Cache, QueryError};

/// What a mark says of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MarkKind {
    /// It has this tag.
    Tag,
    /// It is in this collection.
    Collection,
    /// It is this one's to do.
    Assigned,
}

impl MarkKind {
    /// As it stands in the table.
    pub(super) fn word(self) -> &'static str {
        match self {
            MarkKind::Tag => "tag",
            MarkKind::Collection => "collection",
            MarkKind::Assigned => "assigned",
        }
    }
}

/// Something that somebody wrote about a document.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark {
    /// The document, which need not be here.
    pub code: String,
    /// What it says.
    pub kind: MarkKind,
    /// Which tag, which collection, who.
    pub name: String,
}

/// Makes the table, without a row.
pub(super) fn create(db: &Connection) -> rusqlite::Result<()> {
    changing(db, || {
        db.execute_batch(
            "PRAGMA temp_store = memory;
             CREATE TEMP TABLE sync_marks (code TEXT NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL);
             CREATE INDEX temp.sync_marks_by_code ON sync_marks (code, kind);",
        )
    })
}

fn fill(db: &Connection, marks: &[Mark]) -> rusqlite::Result<()> {
    changing(db, || {
        let tx = db.unchecked_transaction()?;
        let mut insert = tx.prepare("INSERT INTO temp.sync_marks (code, kind, name) VALUES (?1, ?2, ?3)")?;
        for mark in marks {
            insert.execute(params![mark.code, mark.kind.word(), mark.name])?;
        }
        drop(insert);
        tx.commit()
    })
}

/// A connection for questions changes nothing, not even what is its own.
pub(super) fn changing<T>(db: &Connection, change: impl FnOnce() -> rusqlite::Result<T>) -> rusqlite::Result<T> {
    db.pragma_update(None, "query_only", false)?;
    let changed = change();
    db.pragma_update(None, "query_only", true)?;
    changed
}

impl Cache {
    /// The same, with what somebody wrote about documents.
    pub fn marked(self, marks: &[Mark]) -> Result<Self, QueryError> {
        fill(&self.db, marks).map_err(|error| self.error(error))?;
        Ok(self)
    }
}
