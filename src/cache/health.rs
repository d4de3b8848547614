//! Whether our tables in `metis.db` can be relied upon, and dropping them when they cannot.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use super::{
    CacheError,
    database::{self, BUSY, Place},
    schema::{self, Tables},
    source::Maker,
};
use crate::text::Untrusted;

/// What our tables are worth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Health {
    /// There is no database yet.
    Missing,
    /// It has no tables of ours, or those of another version or another clone: the next rebuild makes them.
    NotBuilt,
    /// All is well.
    Sound,
    /// They contradict themselves, in words. The rest of the database may well be sound.
    Damaged(Untrusted),
}

/// Looks at the database below `dot_metis`.
///
/// # Errors
///
/// What [`rebuild()`](super::rebuild) would fail with too: not a database, not a file, tables of somebody else.
pub fn health(dot_metis: &Path, maker: &Maker<'_>) -> Result<Health, CacheError> {
    let path = place(dot_metis)?;
    match database::look(&path)? {
        Place::Free | Place::Orphans => return Ok(Health::Missing),
        Place::File => {}
    }
    let fail = |error| CacheError::sqlite(&path, error);
    let db = database::open_for_reading(&path).map_err(fail)?;
    match schema::inspect(&db, &maker(&database::identity(&path)?)).map_err(fail)? {
        Tables::Absent | Tables::Outdated => Ok(Health::NotBuilt),
        Tables::Foreign { name } => Err(CacheError::NameTaken {
            path,
            table: name.into(),
        }),
        Tables::Current { .. } => Ok(match contradiction(&db) {
            Ok(None) => Health::Sound,
            Ok(Some(words)) => Health::Damaged(words.into()),
            Err(error) => match CacheError::sqlite(&path, error) {
                busy @ CacheError::Busy { .. } => return Err(busy),
                other => Health::Damaged(other.to_string().into()),
            },
        }),
    }
}

/// Drops our tables and nothing else; the next rebuild makes them anew from the documents.
pub fn forget(dot_metis: &Path) -> Result<(), CacheError> {
    let path = place(dot_metis)?;
    if database::look(&path)? != Place::File {
        return Ok(());
    }
    let fail = |error| CacheError::sqlite(&path, error);
    let mut db = database::open_for_writing(&path, BUSY)?;
    let transaction = db
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(fail)?;
    if let Tables::Foreign { name } = schema::inspect(&transaction, "").map_err(fail)? {
        return Err(CacheError::NameTaken {
            path,
            table: name.into(),
        });
    }
    schema::drop_tables(&transaction).map_err(fail)?;
    transaction.commit().map_err(fail)
}

fn place(dot_metis: &Path) -> Result<std::path::PathBuf, CacheError> {
    database::path(dot_metis).map_err(|source| CacheError::Io {
        action: "open",
        path: dot_metis.to_owned(),
        source,
    })
}

fn contradiction(db: &Connection) -> rusqlite::Result<Option<String>> {
    for table in schema::TABLES {
        let verdict: String = db.query_row(&format!("PRAGMA quick_check('{table}')"), [], |row| row.get(0))?;
        if verdict != "ok" {
            return Ok(Some(format!("{table}: {}", verdict.lines().next().unwrap_or_default())));
        }
    }
    let wrong: i64 = db.query_row(
        "SELECT (SELECT count(*) FROM sync_workspaces w
                 WHERE w.documents != (SELECT count(*) FROM sync_documents d WHERE d.workspace = w.id))
              + (SELECT count(*) FROM sync_documents WHERE workspace NOT IN (SELECT id FROM sync_workspaces))
              + (SELECT count(*) FROM sync_relations WHERE document NOT IN (SELECT id FROM sync_documents))
              + (SELECT count(*) FROM sync_text_docsize WHERE id NOT IN (SELECT id FROM sync_documents))",
        [],
        |row| row.get(0),
    )?;
    Ok((wrong > 0).then(|| format!("{wrong} of its rows contradict the others")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::{
        FILE_NAME,
        fixture::{World, made_here},
    };

    #[test]
    fn tables_that_contradict_themselves_are_found_and_made_anew() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(health(dir.path(), &made_here).unwrap(), Health::Missing);
        let documents = World::small();
        documents.rebuild(dir.path()).unwrap();
        assert_eq!(health(dir.path(), &made_here).unwrap(), Health::Sound);

        let db = Connection::open(dir.path().join(FILE_NAME)).unwrap();
        db.execute_batch(
            "CREATE TABLE mine (text TEXT); INSERT INTO mine VALUES ('kept'); DELETE FROM sync_documents WHERE id = 1",
        )
        .unwrap();
        assert!(matches!(health(dir.path(), &made_here).unwrap(), Health::Damaged(_)));

        forget(dir.path()).unwrap();
        assert_eq!(health(dir.path(), &made_here).unwrap(), Health::NotBuilt);
        documents.rebuild(dir.path()).unwrap();
        assert_eq!(health(dir.path(), &made_here).unwrap(), Health::Sound);
        let mine: String = db.query_row("SELECT text FROM mine", [], |row| row.get(0)).unwrap();
        assert_eq!(mine, "kept");
    }

    #[test]
    fn what_is_not_ours_is_not_dropped() {
        let dir = tempfile::tempdir().unwrap();
        let db = Connection::open(dir.path().join(FILE_NAME)).unwrap();
        db.execute_batch("CREATE TABLE sync_documents (id INTEGER)").unwrap();
        assert!(matches!(forget(dir.path()), Err(CacheError::NameTaken { .. })));
        assert!(matches!(
            health(dir.path(), &made_here),
            Err(CacheError::NameTaken { .. })
        ));
    }
}
