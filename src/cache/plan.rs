//! What a rebuild of an existing database will write, worked out before the database is locked for writing.

use std::collections::HashMap;

use rusqlite::Connection;

use super::{
    changes::Merge,
    rows::{Prepared, Reader, Reading},
    schema::Tables,
    source::{DocumentSource, Identified, WorkspaceSource, each_once},
};
use crate::names::Prefix;

/// A workspace as the database has it.
pub(super) struct StoredWorkspace {
    pub id: i64,
    owned: bool,
    fingerprint: String,
    documents: u64,
}

/// Everything to be written, read and parsed already.
pub(super) struct Plan {
    /// Our tables are to be made anew.
    pub create: bool,
    /// Those with a change.
    pub workspaces: Vec<WorkspacePlan>,
    /// Those that are no more.
    pub gone: Vec<StoredWorkspace>,
    /// Documents of the workspaces that stay as they are.
    untouched: u64,
}

/// One workspace's changes.
pub(super) struct WorkspacePlan {
    /// `None`: a new workspace.
    pub id: Option<i64>,
    pub prefix: Prefix,
    pub owned: bool,
    pub fingerprint: String,
    pub documents: u64,
    pub added: Vec<Prepared>,
    /// With their rows.
    pub changed: Vec<(i64, Prepared)>,
    pub moved: Vec<(i64, Identified)>,
    pub removed: Vec<i64>,
}

impl Plan {
    /// Reads what is stored, lists what changed, loads and parses what is new. Writes nothing.
    pub fn make(
        db: &Connection,
        tables: &Tables,
        workspaces: &[WorkspaceSource<'_>],
        reader: &mut Reader<'_>,
    ) -> rusqlite::Result<Plan> {
        let create = !matches!(tables, Tables::Current { .. });
        let mut stored = if create { HashMap::new() } else { stored_workspaces(db)? };
        let mut plan = Plan {
            create,
            workspaces: Vec::new(),
            gone: Vec::new(),
            untouched: 0,
        };
        for workspace in workspaces {
            let before = stored.remove(workspace.prefix.as_str());
            let known = before.as_ref().is_some_and(|before| {
                before.owned == workspace.owned
                    && before.fingerprint == workspace.fingerprint
                    && !workspace.fingerprint.is_empty()
            });
            let listed = if known { None } else { reader.list(workspace) };
            match (listed, before) {
                (Some(listed), Some(before)) => match WorkspacePlan::changed(db, workspace, listed, &before, reader)? {
                    Some(change) if !change.is_empty(&before) => plan.workspaces.push(change),
                    _ => plan.untouched += before.documents,
                },
                (Some(listed), None) => plan.workspaces.push(WorkspacePlan::new(workspace, listed, reader)),
                (None, Some(before)) => plan.untouched += before.documents,
                (None, None) => {}
            }
        }
        plan.gone = stored.into_values().collect();
        Ok(plan)
    }

    pub fn is_empty(&self) -> bool {
        !self.create && self.workspaces.is_empty() && self.gone.is_empty()
    }

    /// Documents in the cache once this is written.
    pub fn documents(&self) -> u64 {
        self.untouched + self.workspaces.iter().map(|workspace| workspace.documents).sum::<u64>()
    }

    /// Documents that this takes out.
    pub fn removed(&self) -> u64 {
        let rows = self
            .workspaces
            .iter()
            .map(|workspace| workspace.removed.len() as u64)
            .sum::<u64>();
        rows + self.gone.iter().map(|workspace| workspace.documents).sum::<u64>()
    }
}

impl WorkspacePlan {
    fn begun(workspace: &WorkspaceSource<'_>, id: Option<i64>) -> Self {
        WorkspacePlan {
            id,
            prefix: workspace.prefix.clone(),
            owned: workspace.owned,
            fingerprint: workspace.fingerprint.clone(),
            documents: 0,
            added: Vec::new(),
            changed: Vec::new(),
            moved: Vec::new(),
            removed: Vec::new(),
        }
    }

    /// Of one that the database has not.
    fn new(workspace: &WorkspaceSource<'_>, mut listed: Vec<DocumentSource>, reader: &mut Reader<'_>) -> Self {
        let mut plan = WorkspacePlan::begun(workspace, None);
        each_once(&mut listed, |document| &document.path);
        for document in listed {
            plan.add(reader.read(workspace, document));
        }
        plan.documents = plan.added.len() as u64;
        plan
    }

    /// Of one that it has. `None`: not all documents could be read, so what it has stays.
    fn changed(
        db: &Connection,
        workspace: &WorkspaceSource<'_>,
        listed: Vec<DocumentSource>,
        before: &StoredWorkspace,
        reader: &mut Reader<'_>,
    ) -> rusqlite::Result<Option<Self>> {
        let Some(listed) = reader.identify(workspace, listed) else {
            return Ok(None);
        };
        let mut merge = Merge::new(listed);
        let mut select = db.prepare("SELECT id, path, blob FROM sync_documents WHERE workspace = ?1 ORDER BY path")?;
        let mut rows = select.query([before.id])?;
        while let Some(row) = rows.next()? {
            merge.stored(row.get(0)?, row.get_ref(1)?.as_bytes()?, row.get_ref(2)?.as_bytes()?);
        }
        let changes = merge.finish();
        let mut plan = WorkspacePlan {
            moved: changes.moved,
            removed: changes.removed,
            ..WorkspacePlan::begun(workspace, Some(before.id))
        };
        for document in changes.added {
            plan.add(reader.read(workspace, document.into()));
        }
        for (id, document) in changes.changed {
            match reader.read(workspace, document.into()) {
                Reading::Row(prepared) => plan.changed.push((id, *prepared)),
                Reading::Damaged => plan.removed.push(id),
                Reading::Unread => plan.fingerprint.clear(),
            }
        }
        plan.documents = (before.documents + plan.added.len() as u64).saturating_sub(plan.removed.len() as u64);
        Ok(Some(plan))
    }

    fn add(&mut self, reading: Reading) {
        match reading {
            Reading::Row(prepared) => self.added.push(*prepared),
            Reading::Damaged => {}
            Reading::Unread => self.fingerprint.clear(),
        }
    }

    fn is_empty(&self, before: &StoredWorkspace) -> bool {
        let rows = self.added.len() + self.changed.len() + self.moved.len() + self.removed.len();
        rows == 0 && before.owned == self.owned && before.fingerprint == self.fingerprint
    }
}

fn stored_workspaces(db: &Connection) -> rusqlite::Result<HashMap<String, StoredWorkspace>> {
    db.prepare("SELECT prefix, id, owned, fingerprint, documents FROM sync_workspaces")?
        .query_map([], |row| {
            let workspace = StoredWorkspace {
                id: row.get(1)?,
                owned: row.get(2)?,
                fingerprint: row.get(3)?,
                documents: row.get::<_, i64>(4)?.max(0) as u64,
            };
            Ok((row.get(0)?, workspace))
        })?
        .collect()
}
