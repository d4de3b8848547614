//! The index of words, brought up to the documents before a search.
//!
//! Most syncs are followed by no search, and to index a document costs several times what its row costs. So a rebuild only takes
//! out the words of what changed or went, and whoever searches pays for what came since the last search.

use rusqlite::{Connection, ErrorCode, Transaction, TransactionBehavior, params};

use super::{
    Cache, Document, QueryError,
    marks::changing,
    schema::{self, Tables},
    select::{BEHIND, FROM, columns, document},
    source::searched,
};
use crate::{
    lock_order::{self, Rank},
    text::UntrustedName,
};

/// Documents read while others wait to write.
const AT_ONCE: usize = 1000;

impl Cache {
    /// Indexes the documents that have no words yet. One whose `body` cannot be had stays without, and is asked for again next time.
    ///
    /// Each is read after its row was made: if it changed in between, so did its blob id, and the next rebuild takes its words out.
    pub(super) fn index_words(&self, body: &dyn Fn(&Document) -> Option<String>) -> Result<(), QueryError> {
        let mut last = self.ask(first_without_words)?.map(|first| first - 1);
        while let Some(after) = last {
            last = match self.index_some(after, body) {
                Err(error) if cannot_write(&error) => return self.index_aside(body),
                done => done?,
            };
        }
        Ok(())
    }

    /// Indexes all documents in the memory of this connection, where it stands before what the file has.
    fn index_aside(&self, body: &dyn Fn(&Document) -> Option<String>) -> Result<(), QueryError> {
        let run = || {
            schema::create_text_aside(&self.db)?;
            let transaction = self.db.unchecked_transaction()?;
            let mut last = Some(0);
            while let Some(after) = last {
                last = index(&transaction, after, body)?;
            }
            transaction.commit()
        };
        changing(&self.db, run).map_err(|error| self.error(error))
    }

    /// See [`index()`]: in a transaction of its own, and only while the tables are what they were when the database was opened.
    fn index_some(&self, after: i64, body: &dyn Fn(&Document) -> Option<String>) -> Result<Option<i64>, QueryError> {
        let run = || {
            let _held = lock_order::hold(Rank::Database);
            let transaction = Transaction::new_unchecked(&self.db, TransactionBehavior::Immediate)?;
            if !matches!(schema::inspect(&transaction, &self.maker)?, Tables::Current { .. }) {
                return Ok(None);
            }
            let last = index(&transaction, after, body)?;
            transaction.commit()?;
            Ok(last)
        };
        changing(&self.db, run).map_err(|error| self.error(error))
    }
}

/// A checkout that is mounted for reading, another user's, a full disk.
fn cannot_write(error: &QueryError) -> bool {
    let QueryError::Sqlite { source, .. } = error else {
        return false;
    };
    let codes = [
        ErrorCode::ReadOnly,
        ErrorCode::CannotOpen,
        ErrorCode::PermissionDenied,
        ErrorCode::DiskFull,
    ];
    source.sqlite_error_code().is_some_and(|code| codes.contains(&code))
}

fn first_without_words(db: &Connection) -> rusqlite::Result<Option<i64>> {
    let sql = "SELECT min(id) FROM sync_documents WHERE id NOT IN (SELECT id FROM sync_text_docsize)";
    db.query_row(sql, [], |row| row.get(0))
}

/// Indexes some of the rows behind `after`; the last of them, if there may be more.
fn index(db: &Connection, after: i64, body: &dyn Fn(&Document) -> Option<String>) -> rusqlite::Result<Option<i64>> {
    let mut select = db.prepare(&format!(
        "SELECT {}, d.id {FROM} WHERE d.id > ?1 AND d.id NOT IN (SELECT id FROM sync_text_docsize) ORDER BY d.id LIMIT {AT_ONCE}",
        columns(),
    ))?;
    let rows = select.query_map([after], |row| Ok((row.get(BEHIND)?, document(row)?)))?;
    let rows: Vec<(i64, Document)> = rows.collect::<rusqlite::Result<_>>()?;
    let mut insert =
        db.prepare("INSERT INTO sync_text (title, code, tags, body, rowid) VALUES (?1, ?2, ?3, ?4, ?5)")?;
    for (row, document) in &rows {
        if let Some(body) = body(document) {
            let tags: Vec<&str> = document.tags.iter().map(UntrustedName::raw).collect();
            insert.execute(params![
                document.title.raw(),
                document.code.raw(),
                tags.join(" "),
                searched(&body),
                row
            ])?;
        }
    }
    Ok(rows.last().filter(|_| rows.len() == AT_ONCE).map(|(row, _)| *row))
}
