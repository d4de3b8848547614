//! Documents turned into rows.

use rusqlite::{Connection, Statement, params};

use super::{
    rebuilt::Skipped,
    source::{DocumentFacts, DocumentSource, Identified, Load, Parse, WorkspaceSource},
};

/// A document ready to be written.
pub(super) struct Prepared {
    pub document: Identified,
    pub facts: DocumentFacts,
}

/// What became of one document on its way to a row.
pub(super) enum Reading {
    /// It can be written.
    Row(Box<Prepared>),
    /// Its bytes make no row, and won't until they change.
    Damaged,
    /// Its bytes could not be had. It may be different next time, and what is known about it still stands.
    Unread,
}

/// Loads and parses, and remembers what it could not.
pub(super) struct Reader<'a> {
    load: &'a Load<'a>,
    parse: &'a Parse<'a>,
    /// Documents parsed so far.
    pub read: u64,
    /// What was left out so far, and why.
    pub skipped: Vec<Skipped>,
}

impl<'a> Reader<'a> {
    pub fn new(load: &'a Load<'a>, parse: &'a Parse<'a>) -> Self {
        Reader {
            load,
            parse,
            read: 0,
            skipped: Vec::new(),
        }
    }

    pub fn read(&mut self, workspace: &WorkspaceSource<'_>, document: DocumentSource) -> Reading {
        let bytes = match (self.load)(workspace, &document) {
            Ok(bytes) => bytes,
            Err(error) => {
                self.skip(workspace, Some(document.path), error.to_string(), true);
                return Reading::Unread;
            }
        };
        let facts = match (self.parse)(&bytes) {
            Ok(facts) => facts.bounded(),
            Err(reason) => {
                self.skip(workspace, Some(document.path), reason, false);
                return Reading::Damaged;
            }
        };
        self.read += 1;
        let document = document.with(|| (workspace.hash)(&bytes));
        Reading::Row(Box::new(Prepared { document, facts }))
    }

    /// Finds out which bytes each document has. `None` when that fails for one.
    pub fn identify(
        &mut self,
        workspace: &WorkspaceSource<'_>,
        listed: Vec<DocumentSource>,
    ) -> Option<Vec<Identified>> {
        let mut identified = Vec::with_capacity(listed.len());
        for document in listed {
            let blob = match document.blob {
                Some(blob) => blob,
                None => match (self.load)(workspace, &document) {
                    Ok(bytes) => (workspace.hash)(&bytes),
                    Err(error) => {
                        self.skip(workspace, Some(document.path), error.to_string(), true);
                        return None;
                    }
                },
            };
            identified.push(document.with(|| blob));
        }
        Some(identified)
    }

    fn skip(&mut self, workspace: &WorkspaceSource<'_>, path: Option<String>, reason: String, unread: bool) {
        self.skipped.push(Skipped {
            workspace: workspace.prefix.clone(),
            path,
            reason,
            unread,
        });
    }

    /// Lists a workspace's documents; `None` when that fails.
    pub fn list(&mut self, workspace: &WorkspaceSource<'_>) -> Option<Vec<DocumentSource>> {
        let listed = (workspace.documents)();
        listed
            .map_err(|error| self.skip(workspace, None, error.to_string(), true))
            .ok()
    }
}

/// The statements that write documents, prepared once.
pub(super) struct Writer<'c> {
    insert: Statement<'c>,
    update: Statement<'c>,
    relocate: Statement<'c>,
    remove: Statement<'c>,
    relate: Statement<'c>,
    unrelate: Statement<'c>,
    unindex: Statement<'c>,
}

impl<'c> Writer<'c> {
    pub fn new(db: &'c Connection) -> rusqlite::Result<Self> {
        Ok(Writer {
            insert: db.prepare(
                "INSERT INTO sync_documents (path, code, slug, title, type, phase, archived, tags, blob, workspace)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
            )?,
            update: db.prepare(
                "UPDATE sync_documents
                 SET path = ?1, code = ?2, slug = ?3, title = ?4, type = ?5, phase = ?6, archived = ?7, tags = ?8, blob = ?9
                 WHERE id = ?10",
            )?,
            relocate: db.prepare("UPDATE sync_documents SET path = ?1, code = ?2 WHERE id = ?3")?,
            remove: db.prepare("DELETE FROM sync_documents WHERE id = ?1")?,
            relate: db
                .prepare("INSERT INTO sync_relations (document, kind, position, target) VALUES (?1, ?2, ?3, ?4)")?,
            unrelate: db.prepare("DELETE FROM sync_relations WHERE document = ?1")?,
            unindex: db.prepare("DELETE FROM sync_text WHERE rowid = ?1")?,
        })
    }

    pub fn insert(&mut self, workspace: i64, row: &Prepared) -> rusqlite::Result<()> {
        let id = Self::bind(&mut self.insert, row, workspace, |insert, values| insert.insert(values))?;
        self.relations(id, &row.facts)
    }

    pub fn update(&mut self, id: i64, row: &Prepared) -> rusqlite::Result<()> {
        Self::bind(&mut self.update, row, id, |update, values| update.execute(values))?;
        self.unrelate.execute([id])?;
        self.unindex.execute([id])?;
        self.relations(id, &row.facts)
    }

    pub fn relocate(&mut self, id: i64, document: &Identified) -> rusqlite::Result<()> {
        self.relocate
            .execute(params![document.path, document.code.as_str(), id])?;
        Ok(())
    }

    pub fn remove(&mut self, id: i64) -> rusqlite::Result<()> {
        self.unrelate.execute([id])?;
        self.unindex.execute([id])?;
        self.remove.execute([id])?;
        Ok(())
    }

    fn bind<T>(
        statement: &mut Statement<'c>,
        Prepared { document, facts }: &Prepared,
        last: i64,
        run: impl FnOnce(&mut Statement<'c>, &[&dyn rusqlite::ToSql]) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        let tags = serde_json::Value::from(facts.tags.as_slice()).to_string();
        run(
            statement,
            params![
                document.path,
                document.code.as_str(),
                facts.slug,
                facts.title,
                facts.level,
                facts.phase,
                facts.archived,
                tags,
                document.blob.as_bytes(),
                last
            ],
        )
    }

    fn relations(&mut self, id: i64, facts: &DocumentFacts) -> rusqlite::Result<()> {
        for (position, target) in facts.parent.iter().enumerate() {
            self.relate.execute(params![id, "parent", position as i64, target])?;
        }
        for (position, target) in facts.blocked_by.iter().enumerate() {
            self.relate
                .execute(params![id, "blocked-by", position as i64, target])?;
        }
        Ok(())
    }
}

/// Removes a workspace with all its rows.
pub(super) fn remove_workspace(db: &Connection, id: i64) -> rusqlite::Result<()> {
    for sql in [
        "DELETE FROM sync_relations WHERE document IN (SELECT id FROM sync_documents WHERE workspace = ?1)",
        "DELETE FROM sync_text WHERE rowid IN (SELECT id FROM sync_documents WHERE workspace = ?1)",
        "DELETE FROM sync_documents WHERE workspace = ?1",
        "DELETE FROM sync_workspaces WHERE id = ?1",
    ] {
        db.execute(sql, [id])?;
    }
    Ok(())
}
