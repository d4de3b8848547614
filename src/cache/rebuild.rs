//! Brings `metis.db` up to what there is.

use std::{path::Path, time::Duration};

use rusqlite::{Connection, TransactionBehavior};

use super::{
    CacheError,
    database::{self, Place},
    fresh,
    plan::{Plan, WorkspacePlan},
    rebuilt::{Outcome, Rebuilt},
    rows::{self, Reader, Writer},
    schema::{self, Tables},
    source::{Load, Maker, Parse, WorkspaceSource},
};
use crate::lock_order::{self, Rank};

/// How often to start over because another rebuild came first.
const ATTEMPTS: u32 = 5;

/// Brings the database below `dot_metis` up to `workspaces`, which are all there are: others are taken out.
///
/// A document that can't be loaded keeps the row it had, one that can't be parsed has none; both are reported, and neither is
/// an error. Tables that another clone made are made anew. How the file is written is told in the [module's documentation](super).
pub fn rebuild(
    dot_metis: &Path,
    workspaces: &[WorkspaceSource<'_>],
    load: &Load<'_>,
    parse: &Parse<'_>,
    maker: &Maker<'_>,
) -> Result<Rebuilt, CacheError> {
    rebuild_waiting(dot_metis, workspaces, load, parse, maker, database::BUSY)
}

fn rebuild_waiting(
    dot_metis: &Path,
    workspaces: &[WorkspaceSource<'_>],
    load: &Load<'_>,
    parse: &Parse<'_>,
    maker: &Maker<'_>,
    busy: Duration,
) -> Result<Rebuilt, CacheError> {
    let path = database::path(dot_metis).map_err(|source| CacheError::Io {
        action: "open",
        path: dot_metis.to_owned(),
        source,
    })?;
    fresh::sweep(&path);
    for _ in 0..ATTEMPTS {
        let reader = Reader::new(load, parse);
        let rebuilt = match database::look(&path)? {
            Place::Free => fresh::build(&path, workspaces, reader, maker)?,
            Place::File | Place::Orphans => update(&path, workspaces, reader, maker, busy)?,
        };
        if let Some(rebuilt) = rebuilt {
            return Ok(rebuilt);
        }
    }
    Err(CacheError::Busy { path })
}

/// Changes an existing database. `None` when another rebuild wrote between our reading and our writing.
fn update(
    path: &Path,
    workspaces: &[WorkspaceSource<'_>],
    mut reader: Reader<'_>,
    maker: &Maker<'_>,
    busy: Duration,
) -> Result<Option<Rebuilt>, CacheError> {
    let mut db = database::open_for_writing(path, busy)?;
    let fail = |error| CacheError::sqlite(path, error);
    let maker = maker(&database::identity(path)?);
    let tables = schema::inspect(&db, &maker).map_err(fail)?;
    if let Tables::Foreign { name } = tables {
        return Err(CacheError::NameTaken {
            path: path.to_owned(),
            table: name.into(),
        });
    }
    let plan = Plan::make(&db, &tables, workspaces, &mut reader).map_err(fail)?;
    let rebuilt = Rebuilt {
        outcome: if plan.is_empty() {
            Outcome::Unchanged
        } else {
            Outcome::Updated
        },
        documents: plan.documents(),
        read: reader.read,
        removed: plan.removed(),
        skipped: reader.skipped,
    };
    if rebuilt.outcome == Outcome::Updated && !write(&mut db, &maker, &tables, &plan).map_err(fail)? {
        return Ok(None);
    }
    Ok(Some(rebuilt))
}

/// Carries out a plan in one transaction. `false`: the tables are not those any more that the plan was made for.
fn write(db: &mut Connection, maker: &str, planned_for: &Tables, plan: &Plan) -> rusqlite::Result<bool> {
    let _held = lock_order::hold(Rank::Database);
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    if schema::inspect(&transaction, maker)? != *planned_for {
        return Ok(false);
    }
    if plan.create {
        schema::drop_tables(&transaction)?;
        schema::create_tables(&transaction, maker)?;
    }
    for workspace in &plan.gone {
        rows::remove_workspace(&transaction, workspace.id)?;
    }
    let mut writer = Writer::new(&transaction)?;
    for workspace in &plan.workspaces {
        let id = write_workspace(&transaction, workspace)?;
        for row in &workspace.removed {
            writer.remove(*row)?;
        }
        for (row, document) in &workspace.moved {
            writer.relocate(*row, document)?;
        }
        for (row, prepared) in &workspace.changed {
            writer.update(*row, prepared)?;
        }
        for prepared in &workspace.added {
            writer.insert(id, prepared)?;
        }
    }
    drop(writer);
    if plan.create {
        schema::create_indexes(&transaction)?;
    }
    schema::advance_generation(&transaction)?;
    transaction.commit()?;
    Ok(true)
}

fn write_workspace(db: &Connection, workspace: &WorkspacePlan) -> rusqlite::Result<i64> {
    let values = (
        workspace.prefix.as_str(),
        workspace.owned,
        workspace.fingerprint.as_str(),
        workspace.documents as i64,
        workspace.id,
    );
    match workspace.id {
        Some(id) => {
            db.execute(
                "UPDATE sync_workspaces SET prefix = ?1, owned = ?2, fingerprint = ?3, documents = ?4 WHERE id = ?5",
                values,
            )?;
            Ok(id)
        }
        None => {
            db.execute(
                "INSERT INTO sync_workspaces (prefix, owned, fingerprint, documents, id) VALUES (?1, ?2, ?3, ?4, ?5)",
                values,
            )?;
            Ok(db.last_insert_rowid())
        }
    }
}

#[cfg(test)]
mod tests;
