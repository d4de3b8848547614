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
            // UNION keeps what was found already from being found again: a cycle ends where it began.
            let mut by_phase = db.prepare(&format!(
                "WITH RECURSIVE below (id, code, slug) AS (
                    SELECT id, code, slug FROM sync_documents WHERE code = ?1
                    UNION
                    SELECT d.id, d.code, d.slug FROM below
                    JOIN sync_relations r ON r.target IN (below.code, below.slug) AND r.kind = 'parent'
                    JOIN sync_documents d ON d.id = r.document
                    WHERE {MEANT} = below.code
                 )
                 SELECT d.phase, count(*), d.phase IN {} FROM below JOIN sync_documents d ON d.id = below.id
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
mod tests {
    use super::super::fixture::{World, made_here};
    use super::*;

    fn cache_of(world: &World) -> (tempfile::TempDir, Cache) {
        let dir = tempfile::tempdir().unwrap();
        world.rebuild(dir.path()).unwrap();
        let cache = Cache::open(dir.path(), &made_here).unwrap();
        (dir, cache)
    }

    fn code(text: &str) -> ShortCode {
        text.parse().unwrap()
    }

    fn codes(documents: &[Document]) -> Vec<&str> {
        documents.iter().map(|document| document.code.raw()).collect()
    }

    #[test]
    fn relations_cross_workspaces_in_both_directions() {
        let (_dir, cache) = cache_of(&World::small());

        let children = cache.children(&code("API-I-0001")).unwrap();
        assert_eq!(codes(&children), ["API-T-0001", "API-T-0002", "WEB-T-0001"]);
        assert_eq!(children[2].workspace, "web");
        assert_eq!(children[2].tags, ["#ui", "#task"]);
        assert!(children[0].archived && children[0].owned && !children[2].owned);

        let blocks = cache.blocks(&code("API-T-0002")).unwrap();
        assert_eq!(codes(&blocks.blocks), ["WEB-T-0001"]);
        assert_eq!(blocks.blocked_by[0].document.as_ref().unwrap().title, "Token");
        assert_eq!(
            blocks.blocked_by[1],
            Link {
                code: "OPS-T-0009".into(),
                document: None
            }
        );

        let upstream = cache.upstream(&code("WEB-T-0001")).unwrap();
        let chain: Vec<_> = upstream.chain.iter().map(|link| link.code.raw()).collect();
        assert_eq!(
            (chain, upstream.end),
            (vec!["API-I-0001", "API-V-0001"], ChainEnd::Root)
        );
    }

    #[test]
    fn progress_counts_all_levels_by_phase() {
        let (_dir, cache) = cache_of(&World::small());
        let progress = cache.progress(&code("API-V-0001")).unwrap();
        assert_eq!((progress.children, progress.total, progress.completed), (1, 4, 1));
        let phases: Vec<_> = progress
            .by_phase
            .iter()
            .map(|p| (p.phase.as_ref().unwrap().raw(), p.documents))
            .collect();
        assert_eq!(phases, [("active", 1), ("completed", 1), ("todo", 2)]);
    }

    #[test]
    fn workspaces_are_listed_own_first() {
        let (_dir, cache) = cache_of(&World::small());
        let overview = cache.workspaces().unwrap();
        assert_eq!(
            overview
                .iter()
                .map(|w| (w.prefix.raw(), w.owned, w.documents))
                .collect::<Vec<_>>(),
            [("api", true, 4), ("web", false, 1)]
        );
        let web = cache.workspace(&"web".parse().unwrap()).unwrap();
        assert_eq!(codes(&web.documents), ["WEB-T-0001"]);
        let json = serde_json::to_value(&web).unwrap();
        assert_eq!(
            (&json["documents"], &json["list"][0]["type"]),
            (&1.into(), &"task".into())
        );
    }

    #[test]
    fn cycles_and_endless_chains_end() {
        let mut world = World::default();
        world.put("api", "A-T-0001", "title: a\nparent: A-T-0002\nblocked_by: A-T-0001");
        world.put("api", "A-T-0002", "title: b\nparent: A-T-0001");
        world.put("api", "A-T-0003", "title: c\nparent: A-T-0003");
        for number in 1000..1500 {
            world.put(
                "api",
                &format!("A-T-{number}"),
                &format!("title: d\nparent: A-T-{}", number + 1),
            );
        }
        let (_dir, cache) = cache_of(&world);

        let upstream = cache.upstream(&code("A-T-0001")).unwrap();
        assert_eq!((upstream.chain.len(), upstream.end), (1, ChainEnd::Cycle));
        assert_eq!(cache.progress(&code("A-T-0001")).unwrap().total, 1);
        assert_eq!(cache.progress(&code("A-T-0003")).unwrap().total, 0);
        assert_eq!(cache.blocks(&code("A-T-0001")).unwrap().blocks.len(), 1);

        let long = cache.upstream(&code("A-T-1000")).unwrap();
        assert_eq!((long.chain.len(), long.end), (MAX_LEVELS, ChainEnd::TooLong));
        assert_eq!(cache.progress(&code("A-T-1499")).unwrap().total, 499);
        let near = cache.upstream(&code("A-T-1490")).unwrap();
        assert_eq!((near.chain.len(), near.end), (10, ChainEnd::Missing));
    }

    #[test]
    fn a_code_in_two_workspaces_leads_to_the_nearer_one() {
        let mut world = World::default();
        for workspace in ["api", "fork"] {
            world.put(workspace, "A-I-0001", &format!("title: {workspace}"));
            world.put(workspace, "A-T-0001", "title: task\nparent: A-I-0001");
        }
        world.put("fork", "A-T-0002", "title: task\nparent: A-I-0001");
        let (_dir, cache) = cache_of(&world);
        let parent = |text| {
            cache.upstream(&code(text)).unwrap().chain[0]
                .document
                .clone()
                .unwrap()
                .title
        };
        assert_eq!(parent("A-T-0001"), "api", "this clone's own");
        assert_eq!(parent("A-T-0002"), "fork", "the same workspace");
        assert_eq!(cache.children(&code("A-I-0001")).unwrap().len(), 3);
    }

    #[test]
    fn a_slug_means_a_document_of_the_same_workspace() {
        let mut world = World::default();
        for (workspace, letter) in [("api", "A"), ("web", "W")] {
            world.put(
                workspace,
                &format!("{letter}-V-0001"),
                "title: Shop\nid: shop\nlevel: vision",
            );
            world.put(
                workspace,
                &format!("{letter}-I-0001"),
                "title: Ship it\nid: ship-it\nlevel: initiative\nparent: shop",
            );
            world.put(
                workspace,
                &format!("{letter}-T-0001"),
                "title: First\nid: first\nlevel: task\nphase: completed\nparent: ship-it",
            );
            world.put(
                workspace,
                &format!("{letter}-T-0002"),
                "title: Second\nid: second\nlevel: task\nphase: todo\nparent: ship-it\nblocked_by: first elsewhere",
            );
        }
        world.put(
            "web",
            "W-T-0003",
            "title: Third\nlevel: task\nphase: todo\nparent: A-I-0001",
        );
        world.put("web", "W-T-0004", "title: Lost\nlevel: task\nparent: nowhere");
        let (_dir, cache) = cache_of(&world);

        let children = cache.children(&code("A-I-0001")).unwrap();
        assert_eq!(
            codes(&children),
            ["A-T-0001", "A-T-0002", "W-T-0003"],
            "slugs and codes together"
        );
        assert_eq!(children[0].parent, Some("A-I-0001".into()));
        assert_eq!(
            codes(&cache.children(&code("W-I-0001")).unwrap()),
            ["W-T-0001", "W-T-0002"]
        );

        let blocks = cache.blocks(&code("W-T-0001")).unwrap();
        assert_eq!(codes(&blocks.blocks), ["W-T-0002"]);
        let blocked = cache.blocks(&code("W-T-0002")).unwrap();
        assert_eq!(blocked.document.blocked_by, ["W-T-0001", "elsewhere"]);
        assert_eq!(blocked.blocked_by[0].document.as_ref().unwrap().title, "First");
        assert_eq!(blocked.blocked_by[1].document, None);

        let progress = cache.progress(&code("A-V-0001")).unwrap();
        assert_eq!((progress.children, progress.completed, progress.total), (1, 1, 4));

        let upstream = cache.upstream(&code("A-T-0002")).unwrap();
        let chain: Vec<_> = upstream.chain.iter().map(|link| link.code.raw()).collect();
        assert_eq!((chain, upstream.end), (vec!["A-I-0001", "A-V-0001"], ChainEnd::Root));
        let lost = cache.upstream(&code("W-T-0004")).unwrap();
        assert_eq!((lost.chain[0].code.raw(), lost.end), ("nowhere", ChainEnd::Missing));
    }

    #[test]
    fn documents_of_one_title_are_not_taken_for_each_other() {
        let mut world = World::default();
        world.put("api", "A-I-0001", "title: Search\nid: search\nlevel: initiative");
        for task in ["A-T-0001", "A-T-0002"] {
            world.put("api", task, "title: Search\nid: search\nlevel: task\nparent: search");
        }
        world.put("api", "A-T-0003", "title: Sly\nid: A-I-0001\nlevel: task");
        world.put(
            "api",
            "A-T-0004",
            "title: Mine\nid: mine\nlevel: task\nparent: A-I-0001",
        );
        world.put("api", "A-T-0005", "title: Own\nid: own\nlevel: task\nparent: own");
        let (_dir, cache) = cache_of(&world);
        let children = cache.children(&code("A-I-0001")).unwrap();
        assert_eq!(codes(&children), ["A-T-0001", "A-T-0002", "A-T-0004"]);
        for childless in ["A-T-0001", "A-T-0002", "A-T-0003", "A-T-0005"] {
            assert_eq!(cache.progress(&code(childless)).unwrap().total, 0, "{childless}");
            assert_eq!(cache.children(&code(childless)).unwrap(), [], "{childless}");
        }
        let upstream = cache.upstream(&code("A-T-0001")).unwrap();
        assert_eq!(
            (upstream.chain[0].code.raw(), upstream.end),
            ("A-I-0001", ChainEnd::Root)
        );
        assert_eq!(cache.upstream(&code("A-T-0005")).unwrap().end, ChainEnd::Missing);
    }

    #[test]
    fn what_is_missing_is_said() {
        let dir = tempfile::tempdir().unwrap();
        let refused = |dir: &Path| Cache::open(dir, &made_here).err().unwrap().to_string();
        assert!(refused(dir.path()).contains("there is no "));
        assert!(!dir.path().join("metis.db").exists(), "asking creates nothing");

        Connection::open(dir.path().join("metis.db"))
            .unwrap()
            .execute_batch("CREATE TABLE theirs (x)")
            .unwrap();
        assert!(refused(dir.path()).contains("has nothing that this clone made"));

        let (_dir, cache) = cache_of(&World::small());
        assert!(matches!(
            cache.children(&code("NO-T-0001")),
            Err(QueryError::UnknownCode { .. })
        ));
        assert!(matches!(
            cache.workspace(&"nobody".parse().unwrap()),
            Err(QueryError::UnknownWorkspace { .. })
        ));
    }
}
