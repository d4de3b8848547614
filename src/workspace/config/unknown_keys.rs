//! Keys of config.toml that stand where ours do and are none of ours: most likely misspelled. They change nothing, so nobody
//! would notice that what they were meant to set is not set.

use std::fmt;

use toml::Table;

use super::ConfigFile;
use crate::plan::listing::printable;

/// Every key that this program reads in the tables that are its own. `[project]` and all other tables are the Metis tools'.
const KEYS: [&str; 23] = [
    "sync.branch",
    "sync.deadline_seconds",
    "sync.except",
    "sync.exclude",
    "sync.hooks.blocking",
    "sync.hooks.deadline_seconds",
    "sync.hooks.notify",
    "sync.watch.push",
    "sync.watch.settle_seconds",
    "sync.watch.poll_seconds",
    "sync.last_synced_commit",
    "sync.limits.blob_bytes",
    "sync.limits.entries",
    "sync.limits.total_bytes",
    "sync.limits.workspaces",
    "sync.max_retries",
    "sync.only",
    "sync.publish_ignored",
    "sync.record",
    "sync.source",
    "sync.upstream_url",
    "workspace.prefix",
    "workspace.team",
];

/// The definitions of conduits.
const CONDUITS: &str = "sync.conduits";

/// How much of a name has to agree with ours to be taken for it, by Jaro's measure; the command line's suggestions ask for
/// about as much.
const ALIKE: f64 = 0.75;

/// A key that looks like one of ours and is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownKey {
    /// Where it stands.
    pub file: ConfigFile,
    /// `table.key`, as written.
    pub key: String,
    /// The one of ours that comes nearest, if any comes near.
    pub nearest: Option<&'static str>,
}

impl fmt::Display for UnknownKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let UnknownKey { file, key, nearest } = self;
        let key = printable(key.as_bytes());
        write!(f, "{file}: {key} is not a known key and sets nothing")?;
        match nearest {
            Some(nearest) => write!(f, "; did you mean {nearest}?"),
            None => Ok(()),
        }
    }
}

/// The keys of `root` that look like ours and are none, in the order of their names.
pub(super) fn unknown_keys(root: &Table, file: ConfigFile) -> Vec<UnknownKey> {
    let mut found = Vec::new();
    for (name, value) in root {
        let inside = value.as_table();
        if is_table(name) {
            within(name, inside, &mut found);
        } else if let Some(inside) = inside
            && let Some(table) = misspelled_table(name, inside)
        {
            found.push((name.clone(), Some(table)));
        }
    }
    found.sort();
    let told = |(key, nearest)| UnknownKey { file, key, nearest };
    found.into_iter().map(told).collect()
}

fn is_table(path: &str) -> bool {
    KEYS.iter()
        .any(|key| key.strip_prefix(path).is_some_and(|rest| rest.starts_with('.')))
}

fn within(path: &str, table: Option<&Table>, found: &mut Vec<(String, Option<&'static str>)>) {
    for (name, value) in table.into_iter().flatten() {
        let key = format!("{path}.{name}");
        if key == CONDUITS {
            // Its tables have names that the user chose, and whoever reads those refuses what they do not know.
        } else if is_table(&key) {
            within(&key, value.as_table(), found);
        } else if !KEYS.contains(&key.as_str()) {
            let nearest = nearest(path, name);
            found.push((key, nearest));
        }
    }
}

/// A key that has this very name in another table, else one of the same table whose name is nearly the same.
fn nearest(path: &str, name: &str) -> Option<&'static str> {
    let name = name.to_lowercase().replace('-', "_");
    let beside = |key: &'static str| key.strip_prefix(path).and_then(|rest| rest.strip_prefix('.'));
    let near = KEYS
        .iter()
        .chain(&["sync.hooks", "sync.limits", "sync.watch"])
        .filter_map(|key| Some((strsim::jaro(&name, beside(key)?), *key)))
        .filter(|(alike, _)| *alike >= ALIKE)
        .max_by(|one, other| one.0.total_cmp(&other.0));
    let elsewhere = || {
        let has_it = |key: &&&str| key.rsplit('.').next() == Some(name.as_str());
        KEYS.iter().find(has_it).copied()
    };
    elsewhere().or(near.map(|(_, key)| key))
}

/// A table is taken for one of ours only where it has a key of that as well: anybody may have a table of any name.
fn misspelled_table(name: &str, table: &Table) -> Option<&'static str> {
    ["sync", "workspace"].into_iter().find(|ours| {
        let has_ours = |key: &String| KEYS.contains(&format!("{ours}.{key}").as_str());
        strsim::jaro(&name.to_lowercase(), ours) >= ALIKE && table.keys().any(has_ours)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unknown(text: &str) -> Vec<(String, Option<&'static str>)> {
        let root: Table = toml::from_str(text).unwrap();
        let told = |it: UnknownKey| (it.key, it.nearest);
        unknown_keys(&root, ConfigFile::Shared).into_iter().map(told).collect()
    }

    #[test]
    fn a_misspelled_key_is_named_with_the_one_that_was_meant() {
        for (text, key, nearest) in [
            ("sync.upsteam_url = 'x'", "sync.upsteam_url", Some("sync.upstream_url")),
            (
                "sync.upstream-url = 'x'",
                "sync.upstream-url",
                Some("sync.upstream_url"),
            ),
            ("sync.Branch = 'x'", "sync.Branch", Some("sync.branch")),
            ("sync.brnach = 'x'", "sync.brnach", Some("sync.branch")),
            ("sync.prefix = 'api'", "sync.prefix", Some("workspace.prefix")),
            ("sync.blocking = true", "sync.blocking", Some("sync.hooks.blocking")),
            (
                "workspace.upstream_url = 'x'",
                "workspace.upstream_url",
                Some("sync.upstream_url"),
            ),
            (
                "sync.hooks.blokcing = true",
                "sync.hooks.blokcing",
                Some("sync.hooks.blocking"),
            ),
            ("sync.hook.blocking = true", "sync.hook", Some("sync.hooks")),
            ("sync.later = 1", "sync.later", None),
            ("[snyc]\nupstream_url = 'x'", "snyc", Some("sync")),
            ("[Workspace]\nprefix = 'api'", "Workspace", Some("workspace")),
        ] {
            assert_eq!(unknown(text), [(key.to_owned(), nearest)], "{text}");
        }
    }

    #[test]
    fn what_is_not_ours_is_left_alone() {
        for text in [
            "project.prefx = 'API'",
            "[flight_levels]\nstrategies_enabled = true",
            "[tool.other]\nupstream_url = 'x'",
            "[synchrony]\nbranch_of = 'x'",
            "upstream_url = 'x'",
            "sync = 3",
        ] {
            assert_eq!(unknown(text), [], "{text}");
        }
    }

    #[test]
    fn all_keys_are_known_and_read() {
        for key in KEYS {
            let nonsense = format!("{key} = [[]]");
            let root: Table = toml::from_str(&nonsense).unwrap();
            assert_eq!(unknown_keys(&root, ConfigFile::Shared), [], "{key}");
            super::super::Config::parse(nonsense.as_bytes()).expect_err(key);
        }
        let documented = include_str!("../../../docs/configuration.md");
        for key in KEYS.iter().filter(|key| key.contains('.')) {
            assert!(documented.contains(&format!("| `{key}` |")), "{key}");
        }
        let rows = documented
            .lines()
            .filter_map(|line| line.strip_prefix("| `")?.split_once("` |"));
        for (key, _) in rows.filter(|(key, _)| key.starts_with("sync.") && !key.contains('`')) {
            assert!(KEYS.contains(&key), "{key} is documented and not known");
        }
    }
}
