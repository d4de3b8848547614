//! Our tables, and whether a database has them.

use std::sync::OnceLock;

use rusqlite::{Connection, OptionalExtension};

use super::{database::snapshot, select::finished};

/// Raise it when a table changes or a column comes to mean something else: the rows of another version are not reused.
const VERSION: &str = "3";

/// Marks `sync_meta` as ours, so that a table of the same name from another program is never taken for it.
const OWNER: &str = "git-metis-sync";

/// All tables that any version ever had. What is outdated is dropped by this list.
///
/// Those behind `sync_text` are FTS5's own, and go with it.
pub(super) const TABLES: [&str; 9] = [
    "sync_meta",
    "sync_workspaces",
    "sync_documents",
    "sync_relations",
    "sync_text",
    "sync_text_config",
    "sync_text_data",
    "sync_text_docsize",
    "sync_text_idx",
];

/// How text becomes words, in the index and where a search is compared with a document once more.
pub(super) const TOKENIZE: &str = "tokenize = 'unicode61 remove_diacritics 2'";

const CREATE_TABLES: &str = "
    CREATE TABLE sync_meta (
        key TEXT PRIMARY KEY,
        value TEXT NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE sync_workspaces (
        id INTEGER PRIMARY KEY,
        prefix TEXT NOT NULL UNIQUE,
        owned INTEGER NOT NULL,          -- 1: this clone's own workspace
        fingerprint TEXT NOT NULL,       -- '': compare the documents next time
        documents INTEGER NOT NULL       -- how many rows it has in sync_documents
    );
    CREATE TABLE sync_documents (
        id INTEGER PRIMARY KEY,
        workspace INTEGER NOT NULL,      -- sync_workspaces.id
        path TEXT NOT NULL,              -- relative to .metis
        code TEXT NOT NULL,
        slug TEXT,                       -- its name within the workspace, if any
        title TEXT NOT NULL,
        type TEXT,                       -- vision, initiative, task, adr, ...
        phase TEXT,
        archived INTEGER NOT NULL,
        tags TEXT NOT NULL,              -- a JSON array of strings
        blob BLOB NOT NULL               -- the git blob id, 20 or 32 bytes
    );
    CREATE TABLE sync_relations (
        document INTEGER NOT NULL,       -- sync_documents.id
        kind TEXT NOT NULL,              -- 'parent' or 'blocked-by'
        position INTEGER NOT NULL,
        target TEXT NOT NULL,            -- the other document's code, in whichever workspace it is, or its slug in this one
        PRIMARY KEY (document, kind, position)
    ) WITHOUT ROWID;";

const TEXT: &str = "sync_text";

/// The words of each document, by `sync_documents.id`. The text itself is in the files, and not kept a second time.
fn create_text(table: &str) -> String {
    format!(
        "CREATE VIRTUAL TABLE {table} USING fts5(title, code, tags, body, content = '', contentless_delete = 1, {TOKENIZE})"
    )
}

/// Apart from the tables, since a bulk load is faster without them. What thousands of documents may have alike, as a code or a slug,
/// is indexed in the order in which it is asked for: the first one will do.
fn create_indexes_sql() -> String {
    format!(
        "CREATE INDEX sync_documents_by_path ON sync_documents (workspace, path, blob);
         CREATE INDEX sync_documents_by_code ON sync_documents (code);
         CREATE INDEX sync_documents_by_slug ON sync_documents (workspace, slug, archived, code);
         CREATE INDEX sync_documents_but_tasks ON sync_documents (workspace, slug, archived, code) WHERE type IS NOT 'task';
         CREATE INDEX sync_documents_done ON sync_documents (code) WHERE archived OR phase IN {};
         CREATE INDEX sync_relations_by_target ON sync_relations (target, kind);",
        finished()
    )
}

/// What a database has of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Tables {
    /// Nothing.
    Absent,
    /// Tables of another version, not all of them, others than this version makes, or of a database that this clone did
    /// not make.
    Outdated,
    /// All of them; the number grows by one with each write.
    Current { generation: i64 },
    /// This name is used by somebody else.
    Foreign { name: String },
}

/// An entry of `sqlite_schema`: type, name, SQL.
type Entry = (String, String, Option<String>);

/// Looks which of our tables are there. `maker` is what a database that this clone made says of it.
///
/// A database may come from anywhere, so its schema is compared word by word before anything in it is evaluated: a column
/// may be an expression, an index a trap.
pub(super) fn inspect(db: &Connection, maker: &str) -> rusqlite::Result<Tables> {
    let _snapshot = snapshot(db)?;
    let found = entries(db)?;
    let Some((_, first, _)) = found.first() else {
        return Ok(Tables::Absent);
    };
    let expected = expected()?;
    let taken = |entry: &&Entry| {
        let (kind, name, sql) = entry;
        let ours = TABLES.iter().any(|table| name.eq_ignore_ascii_case(table));
        // Even to drop a virtual table is to run its module. A version that makes another one has to know this one.
        let harmless = sql.as_ref().is_some_and(|sql| sql.starts_with("CREATE TABLE ")) || expected.contains(entry);
        ours && !(kind == "table" && harmless && TABLES.contains(&name.as_str()))
    };
    if let Some((_, name, _)) = found.iter().find(taken) {
        return Ok(Tables::Foreign { name: name.clone() });
    }
    let is_meta = |entry: &&Entry| entry.1 == TABLES[0];
    let has_meta = found.iter().find(is_meta).is_some_and(|meta| expected.contains(meta));
    if !has_meta || meta(db, "owner")?.as_deref() != Some(OWNER) {
        return Ok(Tables::Foreign { name: first.clone() });
    }
    let generation = meta(db, "generation")?.and_then(|text| text.parse().ok());
    let is_ours = meta(db, "schema")?.as_deref() == Some(VERSION) && meta(db, "maker")?.as_deref() == Some(maker);
    Ok(match generation {
        Some(generation) if is_ours && found == *expected => Tables::Current { generation },
        _ => Tables::Outdated,
    })
}

/// What a database has of our names, with everything that hangs on our tables.
fn entries(db: &Connection) -> rusqlite::Result<Vec<Entry>> {
    let mut select = db.prepare(
        "SELECT type, name, sql FROM sqlite_schema
         WHERE lower(name) IN (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) OR lower(tbl_name) IN (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
         ORDER BY type DESC, name LIMIT 100",
    )?;
    let rows = select.query_map(TABLES, |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    rows.collect()
}

/// What a database of this version has.
fn expected() -> rusqlite::Result<&'static Vec<Entry>> {
    static EXPECTED: OnceLock<Vec<Entry>> = OnceLock::new();
    if let Some(expected) = EXPECTED.get() {
        return Ok(expected);
    }
    let db = Connection::open_in_memory()?;
    create_tables(&db, "")?;
    create_indexes(&db)?;
    let entries = entries(&db)?;
    Ok(EXPECTED.get_or_init(|| entries))
}

/// Creates our tables, without indexes. Generation 0.
pub(super) fn create_tables(db: &Connection, maker: &str) -> rusqlite::Result<()> {
    db.execute_batch(CREATE_TABLES)?;
    db.execute_batch(&create_text(TEXT))?;
    for (key, value) in [
        ("owner", OWNER),
        ("schema", VERSION),
        ("generation", "0"),
        ("maker", maker),
    ] {
        db.execute("INSERT INTO sync_meta (key, value) VALUES (?1, ?2)", (key, value))?;
    }
    Ok(())
}

/// Creates the table of words in this connection's memory, where it is found before the one in the file.
pub(super) fn create_text_aside(db: &Connection) -> rusqlite::Result<()> {
    db.execute_batch(&create_text(&format!("temp.{TEXT}")))
}

/// Creates the indexes of tables that [`create_tables()`] made.
pub(super) fn create_indexes(db: &Connection) -> rusqlite::Result<()> {
    db.execute_batch(&create_indexes_sql())
}

/// Drops what [`Tables::Outdated`] stands for.
pub(super) fn drop_tables(db: &Connection) -> rusqlite::Result<()> {
    for table in TABLES {
        db.execute_batch(&format!("DROP TABLE IF EXISTS {table}"))?;
    }
    Ok(())
}

/// Tells those who prepared a change from an earlier generation that theirs is out of date.
pub(super) fn advance_generation(db: &Connection) -> rusqlite::Result<()> {
    db.execute("UPDATE sync_meta SET value = value + 1 WHERE key = 'generation'", [])?;
    Ok(())
}

fn meta(db: &Connection, key: &str) -> rusqlite::Result<Option<String>> {
    db.query_row(
        "SELECT CAST(value AS TEXT) FROM sync_meta WHERE key = ?1",
        [key],
        |row| row.get(0),
    )
    .optional()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tables_after(sql: &str) -> Tables {
        let db = Connection::open_in_memory().unwrap();
        create_tables(&db, "us").unwrap();
        create_indexes(&db).unwrap();
        db.execute_batch(sql).unwrap();
        inspect(&db, "us").unwrap()
    }

    #[test]
    fn our_tables_are_known_by_owner_and_version() {
        assert_eq!(tables_after(""), Tables::Current { generation: 0 });
        assert_eq!(
            tables_after("UPDATE sync_meta SET value = '0' WHERE key = 'schema'"),
            Tables::Outdated
        );
        assert_eq!(tables_after("DROP TABLE sync_relations"), Tables::Outdated);
        assert_eq!(
            tables_after("DELETE FROM sync_meta WHERE key = 'generation'"),
            Tables::Outdated
        );
        for changed in [
            "UPDATE sync_meta SET value = 'them' WHERE key = 'maker'",
            "DELETE FROM sync_meta WHERE key = 'maker'",
            "DROP TABLE sync_text",
            "CREATE INDEX another ON sync_text_docsize (sz)",
            "DROP INDEX sync_documents_by_code",
            "CREATE INDEX another ON sync_documents (title)",
            "CREATE TRIGGER another AFTER INSERT ON sync_documents BEGIN SELECT 1; END",
            "ALTER TABLE sync_documents ADD COLUMN bomb TEXT AS (hex(zeroblob(450000000)))",
            "DROP TABLE sync_documents; CREATE TABLE sync_documents (id INTEGER PRIMARY KEY, title TEXT AS ('forged'))",
        ] {
            assert_eq!(tables_after(changed), Tables::Outdated, "{changed}");
        }
        assert_eq!(
            inspect(&Connection::open_in_memory().unwrap(), "us").unwrap(),
            Tables::Absent
        );
    }

    #[test]
    fn what_others_named_alike_is_not_ours() {
        let foreign = |sql: &str| {
            let db = Connection::open_in_memory().unwrap();
            db.execute_batch(sql).unwrap();
            matches!(inspect(&db, "us").unwrap(), Tables::Foreign { .. })
        };
        assert!(foreign("CREATE TABLE sync_meta (key TEXT, value TEXT)"));
        assert!(foreign("CREATE TABLE sync_meta (version INTEGER)"));
        assert!(foreign("CREATE TABLE sync_documents (id INTEGER)"));
        assert!(foreign("CREATE TABLE Sync_Documents (id INTEGER)"));
        assert!(foreign("CREATE VIEW sync_relations AS SELECT 1"));
        assert!(foreign(
            "CREATE TABLE sync_meta (key TEXT PRIMARY KEY, value TEXT AS ('git-metis-sync'))"
        ));
        assert!(foreign("CREATE VIRTUAL TABLE sync_text USING fts5(body)"));
        let text = "DROP TABLE sync_text; CREATE VIRTUAL TABLE sync_text USING fts5(title, code, tags, body)";
        assert!(
            matches!(tables_after(text), Tables::Foreign { name } if name == "sync_text"),
            "not even dropped: that would run what its definition says"
        );
        assert!(!foreign("CREATE TABLE documents (id INTEGER)"));
    }

    #[test]
    fn generations_advance() {
        let db = Connection::open_in_memory().unwrap();
        create_tables(&db, "us").unwrap();
        create_indexes(&db).unwrap();
        advance_generation(&db).unwrap();
        advance_generation(&db).unwrap();
        assert_eq!(inspect(&db, "us").unwrap(), Tables::Current { generation: 2 });
    }
}
