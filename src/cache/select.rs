//! SQL that several questions share.

use rusqlite::{
    Connection, OptionalExtension, Params, Row, ToSql,
    types::{FromSql, FromSqlResult, ValueRef},
};

use super::{
    answer::{Document, FINISHED, Link, PhaseCount, Workspace},
    marks::MarkKind,
};
use crate::text::UntrustedName;

/// What is read from a database was written by whoever pushed it.
impl FromSql for UntrustedName {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        value.as_str().map(UntrustedName::from)
    }
}

/// The code that the relation `r` of the document `d` means, or its target as written if that is no slug. Documents of one title
/// have one slug: a document never means itself, and no task is a parent where something else may be it.
///
/// Any number of documents may have one slug. Both questions find the first of them in an index that is in this order.
pub(super) const MEANT: &str = "coalesce(
    CASE r.kind WHEN 'parent' THEN
        (SELECT t.code FROM sync_documents t
         WHERE t.workspace = d.workspace AND t.slug = r.target AND t.id <> d.id AND t.type IS NOT 'task'
         ORDER BY t.archived, t.code LIMIT 1) END,
    (SELECT t.code FROM sync_documents t WHERE t.workspace = d.workspace AND t.slug = r.target AND t.id <> d.id
     ORDER BY t.archived, t.code LIMIT 1),
    r.target)";

/// What a document is called in relations: `?1` is its code.
const CALLED: &str = "SELECT ?1 UNION SELECT slug FROM sync_documents WHERE code = ?1 AND slug IS NOT NULL";

pub(super) const FROM: &str = "FROM sync_documents d JOIN sync_workspaces w ON w.id = d.workspace";

/// The phases in which nothing remains to be done, for `IN`.
pub(super) fn finished() -> String {
    format!("('{}')", FINISHED.join("', '"))
}

pub(super) fn documents(db: &Connection, sql: &str, params: impl Params) -> rusqlite::Result<Vec<Document>> {
    db.prepare_cached(sql)?.query_map(params, document)?.collect()
}

/// The column behind those of [`columns()`].
pub(super) const BEHIND: usize = 12;

/// What [`document()`] reads.
pub(super) fn columns() -> String {
    format!(
        "w.prefix, w.owned, d.path, d.code, d.title, d.type, d.phase, d.archived, d.tags,
         (SELECT {MEANT} FROM sync_relations r WHERE document = d.id AND kind = 'parent'),
         (SELECT json_group_array(code) FROM
            (SELECT {MEANT} AS code FROM sync_relations r WHERE document = d.id AND kind = 'blocked-by' ORDER BY position)),
         (SELECT json_group_array(json_array(kind, name)) FROM
            (SELECT DISTINCT kind, name FROM temp.sync_marks WHERE code = d.code ORDER BY kind, name))"
    )
}

/// The document of a code: the one in the workspace `near` first, then this clone's own.
pub(super) fn find(db: &Connection, code: &str, near: Option<&str>) -> rusqlite::Result<Option<Document>> {
    // Which one it is comes first: what each of the others says would be read to be put in order.
    let sql = format!(
        "SELECT {} {FROM} WHERE d.id = (
            SELECT d.id {FROM} WHERE d.code = ?1
            ORDER BY w.prefix IS ?2 DESC, w.owned DESC, w.prefix, d.path LIMIT 1)",
        columns()
    );
    db.prepare_cached(&sql)?.query_row((code, near), document).optional()
}

pub(super) fn link(db: &Connection, code: &str, from: &Document) -> rusqlite::Result<Link> {
    Ok(Link {
        code: code.into(),
        document: find(db, code, Some(from.workspace.raw()))?,
    })
}

pub(super) fn pointing_at(db: &Connection, code: &str, kind: &str) -> rusqlite::Result<Vec<Document>> {
    let sql = format!(
        "SELECT {} {FROM} WHERE d.id IN (
            SELECT d.id FROM sync_relations r JOIN sync_documents d ON d.id = r.document
            WHERE r.target IN ({CALLED}) AND r.kind = ?2 AND {MEANT} = ?1)
         ORDER BY d.code, w.prefix, d.path",
        columns()
    );
    documents(db, &sql, [&code as &dyn ToSql, &kind])
}

pub(super) fn overview(db: &Connection, prefix: &str) -> rusqlite::Result<Option<Workspace>> {
    let found = db
        .query_row(
            "SELECT id, owned, documents FROM sync_workspaces WHERE prefix = ?1",
            [prefix],
            |row| Ok((row.get::<_, i64>(0)?, row.get(1)?, count(row, 2)?)),
        )
        .optional()?;
    let Some((id, owned, documents)) = found else {
        return Ok(None);
    };
    let mut by_phase = db.prepare_cached(
        "SELECT phase, count(*) FROM sync_documents WHERE workspace = ?1 GROUP BY phase ORDER BY phase",
    )?;
    let by_phase = by_phase.query_map([id], |row| {
        Ok(PhaseCount {
            phase: row.get(0)?,
            documents: count(row, 1)?,
        })
    })?;
    Ok(Some(Workspace {
        prefix: prefix.into(),
        owned,
        documents,
        by_phase: by_phase.collect::<Result<_, _>>()?,
    }))
}

pub(super) fn count(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    Ok(row.get::<_, i64>(column)?.max(0) as u64)
}

pub(super) fn document(row: &Row<'_>) -> rusqlite::Result<Document> {
    let list = |text: String| serde_json::from_str(&text).unwrap_or_default();
    let marks: Vec<(String, UntrustedName)> = serde_json::from_str(&row.get::<_, String>(11)?).unwrap_or_default();
    let marked = |kind: MarkKind| {
        let names = marks.iter().filter(|(found, _)| found == kind.word());
        names.map(|(_, name)| name.clone()).collect()
    };
    Ok(Document {
        workspace: row.get(0)?,
        owned: row.get(1)?,
        path: row.get(2)?,
        code: row.get(3)?,
        title: row.get(4)?,
        kind: row.get(5)?,
        phase: row.get(6)?,
        archived: row.get(7)?,
        tags: list(row.get(8)?),
        parent: row.get(9)?,
        blocked_by: list(row.get(10)?),
        shared_tags: marked(MarkKind::Tag),
        collections: marked(MarkKind::Collection),
        assigned: marked(MarkKind::Assigned),
    })
}
