//! Questions to `metis.db`. They change nothing and need no network.
//!
//! A reference between documents is a code, and codes are unique across workspaces by convention only. Where two workspaces have
//! a document of the same code, lists name both, and a single reference means the one in the same workspace if there is one.
//!
//! The Metis tools also write the other document's slug, made from its title. It means a document of the same workspace.

use std::{
    collections::HashSet,
    path::{Path, PathBuf},
};

use rusqlite::Connection;

use super::{
    CacheError,
    answer::{
        Blocks, ChainEnd, Document, Link, PhaseCount, Progress, QueryError, Upstream, Workspace, WorkspaceDocuments,
    },
    database::{self, Place},
    marks,
    schema::{self, Tables},
    select::{FROM, MEANT, columns, count, documents, find, finished, link, overview, pointing_at},
    source::Maker,
};
use crate::names::{Prefix, ShortCode};

/// Parents followed upstream. Real documents have four levels.
const MAX_LEVELS: usize = 100;

/// `metis.db`, opened for questions.
pub struct Cache {
    pub(super) db: Connection,
    path: PathBuf,
    /// What the database says of who made it.
    pub(super) maker: String,
}

impl Cache {
    /// Opens the database below `dot_metis`.
    pub fn open(dot_metis: &Path, maker: &Maker<'_>) -> Result<Self, QueryError> {
        let path = database::path(dot_metis).map_err(|source| CacheError::Io {
            action: "open",
            path: dot_metis.to_owned(),
            source,
        })?;
        match database::look(&path)? {
            Place::File => {}
            Place::Free | Place::Orphans => return Err(QueryError::Missing { path }),
        }
        let maker = maker(&database::identity(&path)?);
        let opened = database::open_for_reading(&path).and_then(|db| {
            let tables = schema::inspect(&db, &maker)?;
            marks::create(&db)?;
            Ok((tables, db))
        });
        match opened {
            Ok((Tables::Current { .. }, db)) => Ok(Cache { db, path, maker }),
            Ok(_) => Err(QueryError::NotBuilt { path }),
            Err(error) => Err(sqlite_error(&path, error)),
        }
    }

    /// The documents whose parent is `code`, ordered by code.
    pub fn children(&self, code: &ShortCode) -> Result<Vec<Document>, QueryError> {
        self.ask(|db| {
            Ok(match find(db, code.as_str(), None)? {
                Some(_) => Some(pointing_at(db, code.as_str(), "parent")?),
                None => None,
            })
        })?
        .ok_or_else(|| QueryError::UnknownCode { code: code.clone() })
    }

    /// What `code` blocks and what blocks it.
    pub fn blocks(&self, code: &ShortCode) -> Result<Blocks, QueryError> {
        self.ask(|db| {
            let Some(document) = find(db, code.as_str(), None)? else {
                return Ok(None);
            };
            let blocked_by = document
                .blocked_by
                .iter()
                .map(|code| link(db, code.raw(), &document))
                .collect::<rusqlite::Result<_>>()?;
            Ok(Some(Blocks {
                blocks: pointing_at(db, code.as_str(), "blocked-by")?,
                blocked_by,
                document,
            }))
        })?
        .ok_or_else(|| QueryError::UnknownCode { code: code.clone() })
    }

    /// How far everything below `code` is, at all levels.
    pub fn progress(&self, code: &ShortCode) -> Result<Progress, QueryError> {
        self.ask(|db| {
            let Some(document) = find(db, code.as_str(), None)? else {
                return Ok(None);
            };
            let children = pointing_at(db, code.as_str(), "parent")?.len() as u64;
            // What each parent means is found out once: documents that call each other by one slug would be asked about all others.
            // UNION keeps what was found already from being found again: a cycle ends where it began.
            let mut by_phase = db.prepare(&format!(
                "WITH RECURSIVE
                 meant (code, document) AS MATERIALIZED (
                    SELECT {MEANT}, d.id FROM sync_relations r JOIN sync_documents d ON d.id = r.document
                    WHERE r.kind = 'parent'
                 ),
                 below (code) AS (
                    SELECT ?1
                    UNION
                    SELECT d.code FROM below JOIN meant m ON m.code = below.code
                    JOIN sync_documents d ON d.id = m.document
                 )
                 SELECT d.phase, count(*), d.phase IN {} FROM below JOIN meant m ON m.code = below.code
                 JOIN sync_documents d ON d.id = m.document
                 WHERE d.code <> ?1 GROUP BY d.phase ORDER BY d.phase",
                finished()
            ))?;
            let mut progress = Progress {
                document,
                children,
                total: 0,
                completed: 0,
                by_phase: Vec::new(),
            };
            let mut rows = by_phase.query([code.as_str()])?;
            while let Some(row) = rows.next()? {
                let documents = count(row, 1)?;
                progress.total += documents;
                if row.get::<_, Option<bool>>(2)? == Some(true) {
                    progress.completed += documents;
                }
                let phase = row.get(0)?;
                progress.by_phase.push(PhaseCount { phase, documents });
            }
            Ok(Some(progress))
        })?
        .ok_or_else(|| QueryError::UnknownCode { code: code.clone() })
    }

    /// The chain of parents above `code`.
    pub fn upstream(&self, code: &ShortCode) -> Result<Upstream, QueryError> {
        self.ask(|db| {
            let Some(document) = find(db, code.as_str(), None)? else {
                return Ok(None);
            };
            let mut seen = HashSet::from([document.code.clone()]);
            let mut chain: Vec<Link> = Vec::new();
            let mut last = document.clone();
            let end = loop {
                let Some(parent) = last.parent.take() else {
                    break ChainEnd::Root;
                };
                if !seen.insert(parent.clone()) {
                    break ChainEnd::Cycle;
                }
                if chain.len() == MAX_LEVELS {
                    break ChainEnd::TooLong;
                }
                let link = link(db, parent.raw(), &last)?;
                let next = link.document.clone();
                chain.push(link);
                match next {
                    Some(next) => last = next,
                    None => break ChainEnd::Missing,
                }
            };
            Ok(Some(Upstream { document, chain, end }))
        })?
        .ok_or_else(|| QueryError::UnknownCode { code: code.clone() })
    }

    /// The documents whose codes begin with `letters`, ordered by code.
    pub fn beginning(&self, letters: &str) -> Result<Vec<Document>, QueryError> {
        // Behind the last of ASCII, of which codes are made.
        let sql = format!(
            "SELECT {} {FROM} WHERE d.code >= ?1 AND d.code < ?1 || char(127) ORDER BY d.code",
            columns()
        );
        self.ask(|db| documents(db, &sql, [letters]))
    }

    /// All workspaces, this clone's own first.
    pub fn workspaces(&self) -> Result<Vec<Workspace>, QueryError> {
        self.ask(|db| {
            let mut select = db.prepare("SELECT prefix FROM sync_workspaces ORDER BY owned DESC, prefix")?;
            let prefixes: Vec<String> = select.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
            prefixes
                .iter()
                .filter_map(|prefix| overview(db, prefix).transpose())
                .collect()
        })
    }

    /// Whether there is such a workspace.
    pub fn has_workspace(&self, prefix: &Prefix) -> Result<(), QueryError> {
        match self.ask(|db| overview(db, prefix.as_str()))? {
            Some(_) => Ok(()),
            None => Err(QueryError::UnknownWorkspace { prefix: prefix.clone() }),
        }
    }

    /// One workspace with all its documents.
    pub fn workspace(&self, prefix: &Prefix) -> Result<WorkspaceDocuments, QueryError> {
        self.ask(|db| {
            let Some(workspace) = overview(db, prefix.as_str())? else {
                return Ok(None);
            };
            let sql = format!(
                "SELECT {} {FROM} WHERE w.prefix = ?1 ORDER BY d.code, d.path",
                columns()
            );
            let documents = documents(db, &sql, [prefix.as_str()])?;
            Ok(Some(WorkspaceDocuments { workspace, documents }))
        })?
        .ok_or_else(|| QueryError::UnknownWorkspace { prefix: prefix.clone() })
    }

    /// Answers from one state of the database, also while another process rebuilds it.
    pub(super) fn ask<T>(&self, question: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, QueryError> {
        self.db
            .unchecked_transaction()
            .and_then(|transaction| question(&transaction))
            .map_err(|error| self.error(error))
    }

    pub(super) fn error(&self, error: rusqlite::Error) -> QueryError {
        sqlite_error(&self.path, error)
    }
}

fn sqlite_error(path: &Path, error: rusqlite::Error) -> QueryError {
    match CacheError::sqlite(path, error) {
        CacheError::Busy { path } => QueryError::Busy { path },
        CacheError::Sqlite { path, source } => QueryError::Sqlite { path, source },
        other => other.into(),
    }
}

#[cfg(test)]
mod tests;
