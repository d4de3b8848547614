//! Workspaces in memory, for the tests of this room.

use std::{
    collections::{BTreeMap, BTreeSet},
    hash::{DefaultHasher, Hash, Hasher},
    io,
    path::Path,
    sync::{
        Mutex, MutexGuard,
        atomic::{AtomicUsize, Ordering},
    },
};

use super::{CacheError, Document, DocumentFacts, DocumentSource, Rebuilt, WorkspaceSource, rebuild};
use crate::names::{ObjectId, Prefix};

/// All workspaces, with their documents as `path → text`. A text is lines of `key: value`; lists are separated by spaces.
#[derive(Clone, Default)]
pub struct World {
    pub workspaces: BTreeMap<String, BTreeMap<String, String>>,
    /// Paths that can't be loaded.
    pub unreadable: Names,
    /// Prefixes that can't be listed.
    pub unlisted: Names,
    /// Listings and loads so far.
    pub listed: Count,
    pub loaded: Count,
}

/// A number that any thread may change.
#[derive(Default)]
pub struct Count(AtomicUsize);

impl Count {
    pub fn get(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    pub fn set(&self, count: usize) {
        self.0.store(count, Ordering::Relaxed);
    }

    /// What it was before.
    pub fn add(&self) -> usize {
        self.0.fetch_add(1, Ordering::Relaxed)
    }
}

impl Clone for Count {
    fn clone(&self) -> Self {
        Count(self.get().into())
    }
}

/// Names, likewise.
#[derive(Default)]
pub struct Names(Mutex<BTreeSet<String>>);

impl Names {
    pub fn lock(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.0.lock().unwrap()
    }
}

impl Clone for Names {
    fn clone(&self) -> Self {
        Names(self.lock().clone().into())
    }
}

pub const OWN: &str = "api";

impl World {
    /// Two workspaces: `api` is ours, `web` depends on it.
    pub fn small() -> Self {
        let mut world = World::default();
        world.put("api", "API-V-0001", "title: API\nlevel: vision\nphase: published");
        world.put(
            "api",
            "API-I-0001",
            "title: Login\nlevel: initiative\nphase: active\nparent: API-V-0001",
        );
        world.put(
            "api",
            "API-T-0001",
            "title: Token\nlevel: task\nphase: completed\nparent: API-I-0001\narchived: true",
        );
        world.put(
            "api",
            "API-T-0002",
            "title: Logout\nlevel: task\nphase: todo\nparent: API-I-0001\nblocked_by: API-T-0001 OPS-T-0009",
        );
        world.put(
            "web",
            "WEB-T-0001",
            "title: Form\nlevel: task\nphase: todo\nparent: API-I-0001\nblocked_by: API-T-0002\ntags: #ui #task",
        );
        world
    }

    /// Writes a document at its usual place.
    pub fn put(&mut self, workspace: &str, code: &str, text: &str) {
        self.put_at(workspace, &format!("{workspace}/{code}.md"), text);
    }

    pub fn put_at(&mut self, workspace: &str, path: &str, text: &str) {
        self.workspaces
            .entry(workspace.into())
            .or_default()
            .insert(path.into(), text.into());
    }

    pub fn sources(&self) -> Vec<WorkspaceSource<'_>> {
        let source = |(prefix, documents): (&String, &'_ BTreeMap<String, String>)| {
            let documents = documents.clone();
            WorkspaceSource {
                prefix: prefix.parse().unwrap(),
                owned: prefix == OWN,
                fingerprint: blob_id(&format!("{documents:?}")).to_string(),
                documents: Box::new({
                    let prefix = prefix.clone();
                    move || {
                        self.listed.add();
                        if self.unlisted.lock().contains(&prefix) {
                            return Err(io::Error::other("no such tree"));
                        }
                        Ok(documents.iter().map(|(path, text)| document(path, text)).collect())
                    }
                }),
                hash: Box::new(|bytes| blob_id(&String::from_utf8_lossy(bytes))),
            }
        };
        self.workspaces.iter().map(source).collect()
    }

    pub fn load(&self, prefix: &Prefix, path: &str) -> io::Result<Vec<u8>> {
        self.loaded.add();
        if self.unreadable.lock().contains(path) {
            return Err(io::Error::other("unreadable"));
        }
        Ok(self.workspaces[prefix.as_str()][path].clone().into_bytes())
    }

    pub fn rebuild(&self, dot_metis: &Path) -> Result<Rebuilt, CacheError> {
        let load =
            |workspace: &WorkspaceSource<'_>, document: &DocumentSource| self.load(&workspace.prefix, &document.path);
        rebuild(dot_metis, &self.sources(), &load, &parse, &made_here)
    }

    /// The text of a document that is in the cache.
    pub fn body(&self, document: &Document) -> Option<String> {
        let text = self
            .load(&document.workspace.raw().parse().unwrap(), document.path.raw())
            .ok()?;
        let text = String::from_utf8(text).unwrap();
        let body = text.lines().find_map(|line| line.strip_prefix("body: "));
        Some(body.unwrap_or_default().to_owned())
    }

    /// What a database made from nothing has.
    pub fn expected(&self) -> String {
        let dir = tempfile::tempdir().unwrap();
        self.rebuild(dir.path()).unwrap();
        dump(dir.path())
    }
}

/// The maker of all databases here.
pub fn made_here(_: &str) -> String {
    "here".into()
}

fn document(path: &str, text: &str) -> DocumentSource {
    let name = path.rsplit('/').next().unwrap();
    DocumentSource {
        path: path.into(),
        code: name.strip_suffix(".md").unwrap().parse().unwrap(),
        blob: Some(blob_id(text)),
    }
}

fn blob_id(text: &str) -> ObjectId {
    let mut bytes = [0; 20];
    for (part, chunk) in bytes.chunks_mut(8).enumerate() {
        let mut hasher = DefaultHasher::new();
        (part, text).hash(&mut hasher);
        let hash = hasher.finish().to_be_bytes();
        chunk.copy_from_slice(&hash[..chunk.len()]);
    }
    ObjectId::from_bytes(&bytes).unwrap()
}

pub fn parse(bytes: &[u8]) -> Result<DocumentFacts, String> {
    let mut facts = DocumentFacts::default();
    for line in std::str::from_utf8(bytes).map_err(|error| error.to_string())?.lines() {
        let (key, value) = line.split_once(": ").ok_or("no frontmatter")?;
        let list = || value.split(' ').map(str::to_owned).collect();
        match key {
            "id" => facts.slug = Some(value.into()),
            "title" => facts.title = value.into(),
            "level" => facts.level = Some(value.into()),
            "phase" => facts.phase = Some(value.into()),
            "parent" => facts.parent = Some(value.into()),
            "blocked_by" => facts.blocked_by = list(),
            "archived" => facts.archived = value == "true",
            "tags" => facts.tags = list(),
            "body" => {}
            _ => return Err(format!("unknown key {key}")),
        }
    }
    Ok(facts)
}

/// Everything the cache has, without the row numbers and generations that depend on how it came to it.
pub fn dump(dot_metis: &Path) -> String {
    let db = rusqlite::Connection::open(dot_metis.join(super::FILE_NAME)).unwrap();
    let mut out: String = db.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    db.execute_batch("CREATE VIRTUAL TABLE temp.words USING fts5vocab('main', 'sync_text', 'instance')")
        .unwrap();
    for sql in [
        "SELECT json_array(type, name, tbl_name, sql) FROM sqlite_schema WHERE tbl_name LIKE 'sync\\_%' ESCAPE '\\' ORDER BY name",
        "SELECT json_array(key, value) FROM sync_meta WHERE key <> 'generation' ORDER BY key",
        "SELECT json_array(prefix, owned, fingerprint, documents) FROM sync_workspaces ORDER BY prefix",
        "SELECT json_array(prefix, path, code, slug, title, type, phase, archived, tags, hex(blob),
            (SELECT json_group_array(kind || position || target)
             FROM (SELECT * FROM sync_relations WHERE document = d.id ORDER BY kind, position)))
         FROM sync_documents d JOIN sync_workspaces w ON w.id = d.workspace ORDER BY prefix, path",
        "SELECT json_array(path, col, term) FROM words LEFT JOIN sync_documents d ON d.id = doc ORDER BY path, col, \"offset\"",
        "SELECT 'orphans ' || count(*) FROM sync_relations WHERE document NOT IN (SELECT id FROM sync_documents)",
    ] {
        let mut select = db.prepare(sql).unwrap();
        let rows = select.query_map([], |row| row.get::<_, String>(0)).unwrap();
        for row in rows {
            out += "\n";
            out += &row.unwrap();
        }
    }
    out
}
