//! Documents by what they say.

use rusqlite::{ToSql, params_from_iter};

use super::{
    Cache, Document, MarkKind, QueryError,
    select::{FROM, MEANT, columns, documents, find, finished},
};
use crate::names::{Prefix, ShortCode};

/// Which documents are wanted. A list of nothing asks for nothing; of several values one has to fit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Workspaces.
    pub workspaces: Vec<Prefix>,
    /// `level`.
    pub kinds: Vec<String>,
    /// Phases.
    pub phases: Vec<String>,
    /// Tags, with or without `#`. All of them have to be there.
    pub tags: Vec<String>,
    /// Titles of collections.
    pub collections: Vec<String>,
    /// Whose it is to do.
    pub assigned: Vec<String>,
    /// Only tasks that can be begun: to do, and blocked by nothing that is unfinished or in no workspace.
    pub ready: bool,
    /// Archived ones too.
    pub archived: bool,
}

/// What blocks the document `d` for good: a document that is neither finished nor put away, or one that nobody has.
const BLOCKED: &str = "EXISTS (
    SELECT 1 FROM sync_relations r WHERE r.document = d.id AND r.kind = 'blocked-by' AND NOT EXISTS (
        SELECT 1 FROM sync_documents b WHERE b.code = {MEANT} AND (b.archived OR b.phase IN {FINISHED})))";

/// The condition that the document `d` has a mark of one of these names, and the values for its places.
fn marked(kind: MarkKind, names: &[impl AsRef<str>]) -> (String, Vec<String>) {
    let places = vec!["?"; names.len()].join(", ");
    let condition = format!(
        "EXISTS (SELECT 1 FROM temp.sync_marks m WHERE m.code = d.code AND m.kind = '{}' AND lower(m.name) IN ({places}))",
        kind.word()
    );
    (
        condition,
        names.iter().map(|name| name.as_ref().to_lowercase()).collect(),
    )
}

impl Filter {
    /// The condition, and the values for its places.
    pub(super) fn sql(&self) -> (String, Vec<String>) {
        let mut all = vec!["1".to_owned()];
        let mut values: Vec<String> = Vec::new();
        let mut any = |column: &str, wanted: Vec<String>| {
            if !wanted.is_empty() {
                let places = vec!["?"; wanted.len()].join(", ");
                all.push(format!("lower({column}) IN ({places})"));
                values.extend(wanted.iter().map(|value| value.to_lowercase()));
            }
        };
        any("w.prefix", self.workspaces.iter().map(ToString::to_string).collect());
        any("d.type", self.kinds.clone());
        any("d.phase", self.phases.clone());
        for tag in &self.tags {
            let said = "EXISTS (SELECT 1 FROM json_each(d.tags) WHERE ltrim(lower(value), '#') = ?)";
            let (shared, tag) = marked(MarkKind::Tag, &[tag.trim_start_matches('#')]);
            all.push(format!("({said} OR {shared})"));
            values.extend(tag.iter().chain(&tag).cloned());
        }
        for (kind, wanted) in [
            (MarkKind::Collection, &self.collections),
            (MarkKind::Assigned, &self.assigned),
        ] {
            if !wanted.is_empty() {
                let (condition, wanted) = marked(kind, wanted);
                all.push(condition);
                values.extend(wanted);
            }
        }
        if self.ready {
            let blocked = BLOCKED.replace("{MEANT}", MEANT).replace("{FINISHED}", &finished());
            all.push(format!(
                "lower(d.type) = 'task' AND lower(d.phase) = 'todo' AND NOT d.archived AND NOT {blocked}"
            ));
        }
        if !self.archived {
            all.push("NOT d.archived".into());
        }
        (all.join(" AND "), values)
    }
}

impl Cache {
    /// The documents that fit, ordered by workspace, this clone's own first, and code.
    pub fn find(&self, filter: &Filter) -> Result<Vec<Document>, QueryError> {
        let (condition, values) = filter.sql();
        let sql = format!(
            "SELECT {} {FROM} WHERE {condition} ORDER BY w.owned DESC, w.prefix, d.code, d.path",
            columns()
        );
        self.ask(|db| {
            documents(
                db,
                &sql,
                params_from_iter(values.iter().map(|value| value as &dyn ToSql)),
            )
        })
    }

    /// The document of a code: this clone's own first.
    pub fn document(&self, code: &ShortCode) -> Result<Document, QueryError> {
        self.ask(|db| find(db, code.as_str(), None))?
            .ok_or_else(|| QueryError::UnknownCode { code: code.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::super::{
        Mark,
        fixture::{World, made_here},
    };
    use super::*;

    /// The codes that `filter` finds in a world where API-T-0002 waits for a finished and for an unknown document, and others
    /// for it or for nothing.
    fn found(filter: &Filter) -> Vec<String> {
        let mut world = World::default();
        world.put(
            "api",
            "API-T-0001",
            "title: A\nlevel: task\nphase: completed\ntags: #ui",
        );
        world.put(
            "api",
            "API-T-0002",
            "title: B\nlevel: task\nphase: todo\nblocked_by: API-T-0001 OPS-T-0009",
        );
        world.put(
            "api",
            "API-T-0003",
            "title: C\nlevel: task\nphase: todo\nblocked_by: API-T-0002",
        );
        world.put(
            "web",
            "WEB-T-0001",
            "title: D\nlevel: task\nphase: todo\nblocked_by: API-T-0001\ntags: #UI #x",
        );
        world.put(
            "web",
            "WEB-T-0002",
            "title: E\nlevel: task\nphase: todo\narchived: true",
        );
        world.put("web", "WEB-I-0001", "title: F\nlevel: initiative\nphase: todo");
        let dir = tempfile::tempdir().unwrap();
        world.rebuild(dir.path()).unwrap();
        let mark = |code: &str, kind, name: &str| Mark {
            code: code.into(),
            kind,
            name: name.into(),
        };
        let marks = [
            mark("WEB-I-0001", MarkKind::Tag, "later"),
            mark("OPS-T-0009", MarkKind::Tag, "later"),
            mark("WEB-I-0001", MarkKind::Collection, "Release"),
            mark("API-T-0003", MarkKind::Collection, "Release"),
            mark("API-T-0003", MarkKind::Assigned, "Ann"),
        ];
        let cache = Cache::open(dir.path(), &made_here).unwrap().marked(&marks).unwrap();
        let found = cache.find(filter).unwrap();
        found.iter().map(|document| document.code.to_string()).collect()
    }

    #[test]
    fn each_filter_for_itself() {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let all = Filter::default();
        assert_eq!(found(&all).len(), 5, "archived ones are left out");
        for (filter, codes) in [
            (
                Filter {
                    archived: true,
                    phases: words(&["TODO"]),
                    workspaces: vec!["web".parse().unwrap()],
                    ..all.clone()
                },
                &["WEB-I-0001", "WEB-T-0001", "WEB-T-0002"][..],
            ),
            (
                Filter {
                    kinds: words(&["initiative", "adr"]),
                    ..all.clone()
                },
                &["WEB-I-0001"],
            ),
            (
                Filter {
                    tags: words(&["#ui"]),
                    ..all.clone()
                },
                &["API-T-0001", "WEB-T-0001"],
            ),
            (
                Filter {
                    tags: words(&["ui", "x"]),
                    ..all.clone()
                },
                &["WEB-T-0001"],
            ),
            (
                Filter {
                    tags: words(&["#Later"]),
                    ..all.clone()
                },
                &["WEB-I-0001"],
            ),
            (
                Filter {
                    tags: words(&["ui", "later"]),
                    ..all.clone()
                },
                &[],
            ),
            (
                Filter {
                    collections: words(&["release", "other"]),
                    ..all.clone()
                },
                &["API-T-0003", "WEB-I-0001"],
            ),
            (
                Filter {
                    assigned: words(&["ann"]),
                    ..all.clone()
                },
                &["API-T-0003"],
            ),
            (
                Filter {
                    ready: true,
                    archived: true,
                    ..all.clone()
                },
                &["WEB-T-0001"],
            ),
            (
                Filter {
                    phases: words(&["' OR 1"]),
                    ..all.clone()
                },
                &[],
            ),
        ] {
            assert_eq!(found(&filter), codes, "{filter:?}");
        }
    }
}
