//! `config.toml`: what it says, checked rule by rule. Changes to it are in [`config_edit`](super::config_edit).

use std::{collections::BTreeSet, fmt, str::FromStr};

use toml::{Table, Value};

use super::{
    confirmed::KEYS,
    unknown_keys::{UnknownKey, unknown_keys},
};
use crate::fs::{Dir, DirError};
use crate::names::{ObjectId, Prefix};

/// The configuration's file name in `.metis`.
pub const CONFIG_FILE: &str = "config.toml";

/// The most bytes a configuration may have.
pub const CONFIG_LIMIT: u64 = 1 << 20;

/// The longest that a deadline may be: a day. Every number has an upper bound, so that no sum of them overflows.
pub const MAX_SECONDS: u64 = 24 * 60 * 60;
/// The most retries that may be asked for.
pub const MAX_RETRIES: u32 = 1000;
/// The most files or folders that a limit may allow.
const MAX_COUNT: u64 = 10_000_000;
const COUNT_RULE: &str = "a whole number from 1 to 10000000";

/// Which of the two files that make up the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ConfigFile {
    /// `.metis/config.toml`, which travels with the project.
    #[default]
    Shared,
    /// `.metis/.sync/config.toml`, read on top of it: what this clone alone wants.
    Local,
}

impl ConfigFile {
    /// Relative to `.metis`.
    pub fn path(self) -> &'static str {
        match self {
            ConfigFile::Shared => CONFIG_FILE,
            ConfigFile::Local => ".sync/config.toml",
        }
    }
}

impl fmt::Display for ConfigFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, ".metis/{}", self.path())
    }
}

/// Why the configuration cannot be used. The messages name file, key and rule, and never a value: it may be a URL with
/// a password in it.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)]
pub enum ConfigError {
    #[error("cannot use the configuration: {0}")]
    File(#[from] DirError),
    #[error("{file} is not UTF-8 text")]
    NotUtf8 { file: ConfigFile },
    #[error("{file}, line {line}, column {column}: {message}")]
    Syntax {
        file: ConfigFile,
        /// From 1.
        line: usize,
        /// In characters, from 1.
        column: usize,
        message: String,
    },
    #[error("{file} has merge conflict markers in line {line}")]
    Markers {
        file: ConfigFile,
        /// From 1.
        line: usize,
    },
    #[error("{file}: {key} must be {rule}")]
    Invalid {
        file: ConfigFile,
        key: String,
        rule: &'static str,
    },
    #[error(".metis/config.toml: {key} cannot be changed in place; set it to {value:?} by hand")]
    CannotEdit { key: String, value: String },
}

impl ConfigError {
    fn within(self, file: ConfigFile) -> Self {
        match self {
            ConfigError::NotUtf8 { .. } => ConfigError::NotUtf8 { file },
            ConfigError::Syntax {
                line, column, message, ..
            } => ConfigError::Syntax {
                file,
                line,
                column,
                message,
            },
            ConfigError::Markers { line, .. } => ConfigError::Markers { file, line },
            ConfigError::Invalid { key, rule, .. } => ConfigError::Invalid { file, key, rule },
            other => other,
        }
    }
}

/// `config.toml` as far as this program needs it. A key that is not there is `None`; keys of other tools are passed over.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Config {
    /// `project.prefix`: 2 to 8 letters A–Z, the first part of this project's own codes.
    pub project_prefix: Option<String>,
    /// `workspace.prefix`: this workspace's folder in central.
    pub workspace: Option<Prefix>,
    /// `workspace.team`: a label.
    pub team: Option<String>,
    /// `[sync]`, or `None` in single-workspace mode: without an `upstream_url` there is nothing to sync with.
    pub sync: Option<SyncSettings>,
    /// Whether there is a `[sync]` section, with an `upstream_url` or without.
    pub has_sync_section: bool,
    /// Whether `.sync/config.toml` has a `last_synced_commit`.
    pub recorded_locally: bool,
    /// The keys of [`KEYS`] that `.sync/config.toml` sets.
    pub local_keys: BTreeSet<&'static str>,
    /// Keys of either file that look like ours and are none.
    pub unknown_keys: Vec<UnknownKey>,
    /// The branch of the project in which this `config.toml` is committed, where something else is checked out. `None`: it is
    /// the file in `.metis/`.
    pub committed_in: Option<String>,
}

/// The `[sync]` section of a workspace that syncs.
#[derive(Clone, PartialEq, Eq)]
pub struct SyncSettings {
    /// Central's URL as written, possibly with a password in it: not for messages.
    pub upstream_url: String,
    /// The published record of the last synced central commit. It travels with the team, so it says nothing certain
    /// about this clone.
    pub last_synced_commit: Option<ObjectId>,
    /// Central's branch; default: what central's HEAD names.
    pub branch: Option<String>,
    /// How often the whole cycle is run again after a lost race.
    pub max_retries: Option<u32>,
    /// Where the last synced commit is recorded.
    pub record: Record,
    /// The branch of the project whose documents central has, or `worktree` for whatever is checked out. Not set: the same.
    pub source: Option<String>,
    /// The whole sync's deadline.
    pub deadline_seconds: Option<u64>,
    /// gitignore's patterns of own documents that are not published.
    pub exclude: Vec<String>,
    /// Whether new documents that git ignores are published.
    pub publish_ignored: bool,
    /// `[sync.hooks]`
    pub hooks: HookSettings,
    /// `[sync.limits]`
    pub limits: LimitSettings,
}

impl fmt::Debug for SyncSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SyncSettings")
            .field("last_synced_commit", &self.last_synced_commit)
            .field("branch", &self.branch)
            .field("max_retries", &self.max_retries)
            .field("record", &self.record)
            .field("source", &self.source)
            .field("exclude", &self.exclude)
            .field("publish_ignored", &self.publish_ignored)
            .field("deadline_seconds", &self.deadline_seconds)
            .field("hooks", &self.hooks)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

/// `sync.record`: where a successful sync's commit is written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Record {
    /// In config.toml where git does not track that file, else in `.sync/config.toml`.
    #[default]
    Auto,
    /// In config.toml too, for the team to see.
    Config,
    /// In this clone's own state only.
    Local,
}

/// `[sync.hooks]`
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HookSettings {
    /// Whether a failed sync may fail the user's git command.
    pub blocking: bool,
    /// The deadline of a sync run by a hook.
    pub deadline_seconds: Option<u64>,
    /// Whether one that failed is told of on the desktop.
    pub notify: bool,
}

/// `[sync.limits]`: what is accepted from central.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LimitSettings {
    /// Bytes of one document.
    pub blob_bytes: Option<u64>,
    /// Documents that one sync writes.
    pub entries: Option<u64>,
    /// Folders of other workspaces.
    pub workspaces: Option<u64>,
    /// Bytes that one sync writes.
    pub total_bytes: Option<u64>,
}

impl LimitSettings {
    /// The default of `blob_bytes`.
    pub const BLOB_BYTES: u64 = 16 << 20;
    /// The default of `entries`.
    pub const ENTRIES: u64 = 1_000_000;
    /// The default of `workspaces`.
    pub const WORKSPACES: u64 = 5_000;
    /// The default of `total_bytes`.
    pub const TOTAL_BYTES: u64 = 8 << 30;
}

impl Record {
    /// As config.toml says it.
    pub fn word(self) -> &'static str {
        match self {
            Record::Auto => "auto",
            Record::Config => "config",
            Record::Local => "local",
        }
    }

    fn of(word: &str) -> Option<Self> {
        [Record::Auto, Record::Config, Record::Local]
            .into_iter()
            .find(|record| record.word() == word)
    }
}

impl Config {
    /// Read and check `config.toml` in `metis`, and on top of it this clone's own.
    pub fn load(metis: &Dir) -> Result<Config, ConfigError> {
        let (bytes, _) = metis.read_file(CONFIG_FILE, CONFIG_LIMIT)?;
        Config::with_local(metis, &bytes)
    }

    /// Check the bytes of a `config.toml`, and on top of it this clone's own in `metis`.
    pub fn with_local(metis: &Dir, bytes: &[u8]) -> Result<Config, ConfigError> {
        match metis.read_file(ConfigFile::Local.path(), CONFIG_LIMIT) {
            Ok((local, _)) => Config::layered(bytes, &local),
            // Where there is no folder of state, or none that a sync would use, there is nothing in it.
            Err(err) if err.is_gone() || matches!(err, DirError::Symlink { .. }) => Config::parse(bytes),
            Err(err) => Err(err.into()),
        }
    }

    /// Check the bytes of a `config.toml`. A byte order mark is accepted, an empty file is an empty configuration.
    pub fn parse(bytes: &[u8]) -> Result<Config, ConfigError> {
        let root = table(bytes)?;
        Ok(Config {
            unknown_keys: unknown_keys(&root, ConfigFile::Shared),
            ..Config::of(&root)?
        })
    }

    /// Check the bytes of a `config.toml`, with each key of `local` in the place of the same key there.
    pub fn layered(shared: &[u8], local: &[u8]) -> Result<Config, ConfigError> {
        let mut root = table(shared)?;
        // Each alone first, so that an error names the file that it is in.
        Config::of(&root)?;
        let in_local = |err: ConfigError| err.within(ConfigFile::Local);
        let top = table(local).map_err(in_local)?;
        Config::of(&top).map_err(in_local)?;
        let has = |key: &str| {
            let mut parts = key.split('.');
            let first = parts.next().and_then(|first| top.get(first));
            parts.try_fold(first?, |value, part| value.get(part))
        };
        let records = has("sync.last_synced_commit").is_some();
        let local_keys = KEYS
            .iter()
            .map(|key| key.name)
            .filter(|key| has(key).is_some())
            .collect();
        let mut unknown = unknown_keys(&root, ConfigFile::Shared);
        unknown.extend(unknown_keys(&top, ConfigFile::Local));
        overlay(&mut root, top);
        Ok(Config {
            unknown_keys: unknown,
            recorded_locally: records,
            local_keys,
            ..Config::of(&root).map_err(in_local)?
        })
    }

    fn of(root: &Table) -> Result<Config, ConfigError> {
        let section = |key| Section::of(root, String::new(), key);
        let project = section("project")?;
        let workspace = section("workspace")?;
        let sync = section("sync")?;

        let hooks = sync.section("hooks")?;
        let limits = sync.section("limits")?;
        let settings = SyncSettings {
            upstream_url: sync.text("upstream_url", is_plain_url, URL_RULE)?.unwrap_or_default(),
            last_synced_commit: sync.parsed("last_synced_commit", "a commit id of 40 or 64 hex digits")?,
            branch: sync.text("branch", is_branch_name, BRANCH_RULE)?,
            max_retries: sync
                .number("max_retries", 0, MAX_RETRIES.into(), "a whole number from 0 to 1000")?
                .map(|n| n as u32),
            record: sync
                .value("record", "\"auto\", \"config\" or \"local\"", |item| {
                    Record::of(item.as_str()?)
                })?
                .unwrap_or_default(),
            deadline_seconds: sync.seconds("deadline_seconds")?,
            source: sync.text("source", is_branch_name, BRANCH_RULE)?,
            exclude: sync.patterns("exclude")?,
            publish_ignored: sync.flag("publish_ignored")?.unwrap_or_default(),
            hooks: HookSettings {
                blocking: hooks.flag("blocking")?.unwrap_or_default(),
                deadline_seconds: hooks.seconds("deadline_seconds")?,
                notify: hooks.flag("notify")?.unwrap_or_default(),
            },
            limits: LimitSettings {
                blob_bytes: limits.number("blob_bytes", 1, 1 << 30, "a whole number of bytes from 1 to 1073741824")?,
                entries: limits.number("entries", 1, MAX_COUNT, COUNT_RULE)?,
                workspaces: limits.number("workspaces", 1, MAX_COUNT, COUNT_RULE)?,
                total_bytes: limits.number(
                    "total_bytes",
                    1,
                    1 << 40,
                    "a whole number of bytes from 1 to 1099511627776",
                )?,
            },
        };
        Ok(Config {
            project_prefix: project.text("prefix", is_project_prefix, "2 to 8 letters A-Z")?,
            workspace: workspace.parsed(
                "prefix",
                "2 to 20 characters a-z, 0-9 and '-', neither first nor last a '-'",
            )?,
            team: workspace.text(
                "team",
                is_label,
                "a label of 1 to 64 characters, none of them a control character",
            )?,
            has_sync_section: sync.table.is_some(),
            recorded_locally: false,
            local_keys: BTreeSet::new(),
            unknown_keys: Vec::new(),
            committed_in: None,
            sync: (!settings.upstream_url.is_empty()).then_some(settings),
        })
    }
}

const URL_RULE: &str =
    "a git URL or path: not empty, not beginning with '-', without spaces at its ends or control characters";
const BRANCH_RULE: &str = "a git branch name without refs/heads/, such as \"main\"";

fn table(bytes: &[u8]) -> Result<Table, ConfigError> {
    let (_, text) = split_bom(bytes)?;
    toml::from_str(text).map_err(|err| syntax_error(text, err.span(), err.message()))
}

/// Each key of `top` in the place of the same key in `base`.
fn overlay(base: &mut Table, top: Table) {
    for (key, value) in top {
        match (base.get_mut(&key), value) {
            (Some(Value::Table(base)), Value::Table(top)) => overlay(base, top),
            (_, value) => drop(base.insert(key, value)),
        }
    }
}

/// The byte order mark, if there is one, and the text after it.
pub(super) fn split_bom(bytes: &[u8]) -> Result<(&str, &str), ConfigError> {
    let text = std::str::from_utf8(bytes).map_err(|_| ConfigError::NotUtf8 {
        file: ConfigFile::Shared,
    })?;
    let bom = if text.starts_with('\u{feff}') {
        '\u{feff}'.len_utf8()
    } else {
        0
    };
    Ok(text.split_at(bom))
}

/// Where `text` is no TOML. The parsers' own rendering quotes the line, which may hold a password.
pub(super) fn syntax_error(text: &str, span: Option<std::ops::Range<usize>>, message: &str) -> ConfigError {
    let before = text.get(..span.map_or(0, |span| span.start)).unwrap_or_default();
    let line_start = before.rfind('\n').map_or(0, |i| i + 1);
    let file = ConfigFile::Shared;
    if let Some(at) = text.lines().position(|line| line.starts_with("<<<<<<< ")) {
        return ConfigError::Markers { file, line: at + 1 };
    }
    ConfigError::Syntax {
        file,
        line: before.matches('\n').count() + 1,
        column: before[line_start..].chars().count() + 1,
        message: message.chars().filter(|c| !c.is_control()).collect(),
    }
}

/// A table of the document and the path of keys to it. One that is not there is as good as an empty one.
struct Section<'a> {
    path: String,
    table: Option<&'a Table>,
}

impl<'a> Section<'a> {
    fn of(parent: &'a Table, parent_path: String, key: &str) -> Result<Self, ConfigError> {
        let path = parent_path + key;
        let table = match parent.get(key) {
            None => None,
            Some(item) => Some(item.as_table().ok_or_else(|| ConfigError::Invalid {
                file: ConfigFile::Shared,
                key: path.clone(),
                rule: "a table",
            })?),
        };
        Ok(Section { path, table })
    }

    fn section(&self, key: &str) -> Result<Self, ConfigError> {
        match self.table {
            Some(table) => Section::of(table, format!("{}.", self.path), key),
            None => Ok(Section {
                path: format!("{}.{key}", self.path),
                table: None,
            }),
        }
    }

    /// The value of `key` as `read` sees it. `None` from `read` breaks the rule.
    fn value<T>(
        &self,
        key: &str,
        rule: &'static str,
        read: impl FnOnce(&Value) -> Option<T>,
    ) -> Result<Option<T>, ConfigError> {
        match self.table.and_then(|table| table.get(key)) {
            None => Ok(None),
            Some(item) => read(item).map(Some).ok_or_else(|| ConfigError::Invalid {
                file: ConfigFile::Shared,
                key: format!("{}.{key}", self.path),
                rule,
            }),
        }
    }

    fn text(&self, key: &str, valid: fn(&str) -> bool, rule: &'static str) -> Result<Option<String>, ConfigError> {
        self.value(key, rule, |item| {
            item.as_str().filter(|text| valid(text)).map(str::to_owned)
        })
    }

    fn parsed<T: FromStr>(&self, key: &str, rule: &'static str) -> Result<Option<T>, ConfigError> {
        self.value(key, rule, |item| item.as_str()?.parse().ok())
    }

    fn number(&self, key: &str, least: u64, most: u64, rule: &'static str) -> Result<Option<u64>, ConfigError> {
        self.value(key, rule, |item| {
            let number = u64::try_from(item.as_integer()?).ok()?;
            (least..=most).contains(&number).then_some(number)
        })
    }

    fn seconds(&self, key: &str) -> Result<Option<u64>, ConfigError> {
        self.number(key, 1, MAX_SECONDS, "a whole number of seconds from 1 to 86400")
    }

    fn patterns(&self, key: &str) -> Result<Vec<String>, ConfigError> {
        let pattern = |item: &Value| {
            item.as_str()
                .filter(|text| !text.contains(['\n', '\r', '\0']))
                .map(str::to_owned)
        };
        let rule = "an array of gitignore's patterns, such as [\"drafts/\"]";
        let found = self.value(key, rule, |item| item.as_array()?.iter().map(pattern).collect())?;
        Ok(found.unwrap_or_default())
    }

    fn flag(&self, key: &str) -> Result<Option<bool>, ConfigError> {
        self.value(key, "true or false", Value::as_bool)
    }
}

fn is_project_prefix(text: &str) -> bool {
    (2..=8).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_uppercase())
}

fn is_label(text: &str) -> bool {
    !text.trim().is_empty() && text.chars().count() <= 64 && !text.contains(char::is_control)
}

fn is_plain_url(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 4096
        && text.trim() == text
        && !text.starts_with('-')
        && !text.contains(char::is_control)
}

/// A branch as the command line names it.
pub fn branch_name(text: &str) -> Result<String, String> {
    match is_branch_name(text) {
        true => Ok(text.to_owned()),
        false => Err(format!("it must be {BRANCH_RULE}")),
    }
}

/// git's rules for a branch name (`git check-ref-format --branch`), and a little stricter.
fn is_branch_name(text: &str) -> bool {
    let forbidden = |c: char| c.is_control() || c.is_whitespace() || "~^:?*[\\".contains(c);
    !text.is_empty()
        && text.len() <= 200
        && !text.starts_with('-')
        && !text.starts_with("refs/")
        && text != "@"
        && text != "HEAD"
        && !text.contains("..")
        && !text.contains("@{")
        && !text.contains(forbidden)
        && !text.ends_with('.')
        && text
            .split('/')
            .all(|part| !part.is_empty() && !part.starts_with('.') && !part.ends_with(".lock"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Config, ConfigError> {
        Config::parse(text.as_bytes())
    }

    #[test]
    fn everything_a_config_can_say() {
        let commit = "ab".repeat(20);
        let config = parse(&format!(
            r#"
            [project]
            prefix = "API"
            [flight_levels]
            strategies_enabled = false
            [workspace]
            prefix = "api"
            team = "platform"
            [sync]
            upstream_url = "git@host:org/central.git"
            last_synced_commit = "{commit}"
            branch = "team/plans"
            max_retries = 0
            record = "local"
            deadline_seconds = 90
            later = "unknown keys are fine"
            [sync.hooks]
            blocking = true
            deadline_seconds = 5
            [sync.limits]
            blob_bytes = 1_000
            entries = 2
            workspaces = 4
            total_bytes = 3
            "#
        ))
        .unwrap();
        let sync = config.sync.unwrap();
        assert_eq!(config.project_prefix.as_deref(), Some("API"));
        assert_eq!(config.workspace.unwrap().as_str(), "api");
        assert_eq!(config.team.as_deref(), Some("platform"));
        assert_eq!(sync.upstream_url, "git@host:org/central.git");
        assert_eq!(sync.last_synced_commit.unwrap().to_string(), commit);
        assert_eq!(sync.branch.as_deref(), Some("team/plans"));
        assert_eq!(
            (sync.max_retries, sync.record, sync.deadline_seconds),
            (Some(0), Record::Local, Some(90))
        );
        assert_eq!((sync.hooks.blocking, sync.hooks.deadline_seconds), (true, Some(5)));
        assert_eq!(
            (sync.limits.blob_bytes, sync.limits.entries, sync.limits.total_bytes),
            (Some(1000), Some(2), Some(3))
        );
        assert_eq!(sync.limits.workspaces, Some(4));
    }

    #[test]
    fn nothing_is_required() {
        for empty in ["", "\u{feff}", "# nothing\r\n", "[sync]\n", "[project]\n[workspace]\n"] {
            let config = parse(empty).unwrap();
            assert_eq!(config.sync, None, "{empty:?}");
            assert_eq!(config.has_sync_section, empty.contains("sync"));
        }
        let config = parse("\u{feff}sync.upstream_url = 'x'\r\nworkspace = { prefix = 'ab' }\r\n").unwrap();
        assert_eq!(config.sync.unwrap().upstream_url, "x");
        assert_eq!(config.workspace.unwrap().as_str(), "ab");
    }

    #[test]
    fn a_broken_rule_is_named_with_file_and_key() {
        for (text, key) in [
            ("project.prefix = 'api'", "project.prefix"),
            ("project.prefix = 'A'", "project.prefix"),
            ("workspace.prefix = 'Api'", "workspace.prefix"),
            ("workspace.prefix = '../x'", "workspace.prefix"),
            ("workspace.team = \"a\\u0007\"", "workspace.team"),
            ("sync = 3", "sync"),
            ("[[sync]]", "sync"),
            ("sync.upstream_url = 3", "sync.upstream_url"),
            ("sync.upstream_url = ''", "sync.upstream_url"),
            ("sync.upstream_url = '--upload-pack=x'", "sync.upstream_url"),
            ("sync.upstream_url = \"a\\nb\"", "sync.upstream_url"),
            ("sync.last_synced_commit = 'abc'", "sync.last_synced_commit"),
            ("sync.max_retries = -1", "sync.max_retries"),
            ("sync.max_retries = 5000000000", "sync.max_retries"),
            ("sync.record = 'both'", "sync.record"),
            ("sync.exclude = 'drafts/'", "sync.exclude"),
            ("sync.exclude = [1]", "sync.exclude"),
            ("sync.exclude = [\"a\\nb\"]", "sync.exclude"),
            ("sync.publish_ignored = 1", "sync.publish_ignored"),
            ("sync.deadline_seconds = 0", "sync.deadline_seconds"),
            ("sync.hooks = true", "sync.hooks"),
            ("sync.hooks.blocking = 'yes'", "sync.hooks.blocking"),
            ("sync.limits.entries = 1.5", "sync.limits.entries"),
            ("sync.max_retries = 1001", "sync.max_retries"),
            ("sync.deadline_seconds = 86401", "sync.deadline_seconds"),
            (
                "sync.hooks.deadline_seconds = 9223372036854775807",
                "sync.hooks.deadline_seconds",
            ),
            ("sync.limits.blob_bytes = 9223372036854775807", "sync.limits.blob_bytes"),
            ("sync.limits.entries = 9223372036854775807", "sync.limits.entries"),
            ("sync.limits.workspaces = 0", "sync.limits.workspaces"),
            (
                "sync.limits.total_bytes = 9223372036854775807",
                "sync.limits.total_bytes",
            ),
        ] {
            let message = parse(text).unwrap_err().to_string();
            assert!(
                message.starts_with(&format!(".metis/config.toml: {key} must be ")),
                "{text}: {message}"
            );
        }
    }

    #[test]
    fn what_this_clone_alone_wants_comes_on_top() {
        let shared = b"sync.upstream_url = 'x'\nsync.max_retries = 1\n[sync.hooks]\ndeadline_seconds = 5\n";
        let config = Config::layered(shared, b"[sync]\nmax_retries = 2\nhooks.blocking = true\n").unwrap();
        assert!(!config.recorded_locally);
        let sync = config.sync.unwrap();
        assert_eq!((sync.upstream_url.as_str(), sync.max_retries), ("x", Some(2)));
        assert_eq!((sync.hooks.blocking, sync.hooks.deadline_seconds), (true, Some(5)));

        let commit = "ab".repeat(20);
        let local = format!("sync.last_synced_commit = '{commit}'");
        assert!(Config::layered(shared, local.as_bytes()).unwrap().recorded_locally);
        for (local, message) in [
            (
                "sync.max_retries = -1",
                ".metis/.sync/config.toml: sync.max_retries must be ",
            ),
            ("sync = 3", ".metis/.sync/config.toml: sync must be "),
            ("[sync", ".metis/.sync/config.toml, line 1"),
        ] {
            let said = Config::layered(shared, local.as_bytes()).unwrap_err().to_string();
            assert!(said.starts_with(message), "{said}");
        }
        let said = Config::layered(b"sync = 3", b"sync.max_retries = 2")
            .unwrap_err()
            .to_string();
        assert!(said.starts_with(".metis/config.toml: sync must be "), "{said}");
    }

    #[test]
    fn branch_names_are_those_git_accepts() {
        for good in ["main", "team/plans", "v1.0", "ünïcode"] {
            assert!(is_branch_name(good), "{good}");
        }
        for bad in [
            "",
            "-x",
            "a..b",
            "a b",
            "a\u{7f}",
            "a~1",
            "a^",
            "a:b",
            "a?",
            "a*",
            "a[",
            "a\\b",
            "/a",
            "a/",
            "a//b",
            ".a",
            "a/.b",
            "a.",
            "a.lock",
            "a.lock/b",
            "@",
            "a@{1}",
            "HEAD",
            "refs/heads/main",
        ] {
            assert!(!is_branch_name(bad), "{bad:?}");
        }
    }

    #[test]
    fn a_syntax_error_is_placed_and_quotes_no_secret() {
        let err =
            parse("[project]\r\nprefix = \"A\"\r\n[sync]\r\nupstream_url = \"https://me:hunter2@h/x\r\n").unwrap_err();
        assert!(matches!(err, ConfigError::Syntax { line: 4, .. }), "{err:?}");
        assert!(!format!("{err} {err:?}").contains("hunter2"));
        let merged = parse("[sync]\n<<<<<<< HEAD\nbranch = 'a'\n=======\nbranch = 'b'\n>>>>>>> other\n");
        assert!(
            matches!(merged, Err(ConfigError::Markers { line: 2, .. })),
            "{merged:?}"
        );
        let config = parse("[sync]\nupstream_url = \"https://me:hunter2@h/x\"").unwrap();
        assert!(!format!("{config:?}").contains("hunter2"));
        assert!(matches!(Config::parse(b"a = '\xff'"), Err(ConfigError::NotUtf8 { .. })));
    }
}
