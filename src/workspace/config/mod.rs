//! `config.toml`: what it says, checked rule by rule. Changes to it are in [`edit`].

mod confirmed;
mod depth;
mod edit;
mod error;
mod rules;
mod section;
mod settings;
#[cfg(test)]
mod tests;
mod unknown_keys;

use std::{collections::BTreeSet, path::Path};

use toml::{Table, Value};

use self::{
    depth::DEEPEST,
    rules::{BRANCH_RULE, COUNT_RULE, MAX_COUNT, URL_RULE, is_branch_name, is_label, is_plain_url, is_project_prefix},
    section::Section,
    unknown_keys::unknown_keys,
};
use crate::{
    fs::{Dir, DirError, Stat, owner},
    names::Prefix,
};

pub use self::{
    confirmed::{Confirmed, KEYS, Unconfirmed, has_begun, hold_back, to_confirm},
    depth::too_deep,
    edit::{Edit, edit_config, with_edits},
    error::{ConfigError, ConfigFile},
    rules::{MAX_RETRIES, MAX_SECONDS, branch_name},
    settings::{HookSettings, LimitSettings, Record, SyncSettings, WatchSettings},
    unknown_keys::UnknownKey,
};

/// The configuration's file name in `.metis`.
pub const CONFIG_FILE: &str = "config.toml";

/// The most bytes a configuration may have.
pub const CONFIG_LIMIT: u64 = 1 << 20;

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

/// The other user whose this clone's own file, or the folder that it is in, is. Whoever uses another user's `.metis` uses
/// what that user keeps in it.
fn foreign(metis: &Dir, file: Stat) -> Result<Option<u32>, DirError> {
    let trusted = metis.stat()?.owner;
    let folder = Path::new(ConfigFile::Local.path())
        .parent()
        .map(|folder| metis.lstat(folder));
    let folder = folder.transpose()?.map(|folder| folder.owner);
    let mut owners = folder.into_iter().chain([file.owner]);
    Ok(owners.find(|owner| !owner::is_us(*owner) && *owner != trusted))
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
            Ok((local, stat)) => match foreign(metis, stat)? {
                Some(owner) => Err(ConfigError::NotOurs {
                    file: ConfigFile::Local,
                    owner,
                }),
                None => Config::layered(bytes, &local),
            },
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
        let watch = sync.section("watch")?;
        let limits = sync.section("limits")?;
        let settings = SyncSettings {
            upstream_url: sync
                .text("upstream_url", is_plain_url, URL_RULE)?
                .unwrap_or_default()
                .into(),
            last_synced_commit: sync.parsed("last_synced_commit", "a commit id of 40 or 64 hex digits")?,
            branch: sync.text("branch", is_branch_name, BRANCH_RULE)?.map(Into::into),
            max_retries: sync
                .number("max_retries", 0, MAX_RETRIES.into(), "a whole number from 0 to 1000")?
                .map(|n| n as u32),
            record: sync
                .value("record", "\"auto\", \"config\" or \"local\"", |item| {
                    Record::of(item.as_str()?)
                })?
                .unwrap_or_default(),
            deadline_seconds: sync.seconds("deadline_seconds")?,
            source: sync.text("source", is_branch_name, BRANCH_RULE)?.map(Into::into),
            exclude: sync.patterns("exclude")?,
            only: sync.prefixes("only")?,
            except: sync.prefixes("except")?,
            publish_ignored: sync.flag("publish_ignored")?.unwrap_or_default(),
            watch: WatchSettings {
                push: watch.flag("push")?.unwrap_or(true),
                settle_seconds: watch
                    .number("settle_seconds", 0, 3600, "a whole number of seconds from 0 to 3600")?
                    .unwrap_or(10),
                poll_seconds: watch
                    .number(
                        "poll_seconds",
                        5,
                        MAX_SECONDS,
                        "a whole number of seconds from 5 to 86400",
                    )?
                    .unwrap_or(30),
            },
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
            recorded_locally: false,
            local_keys: BTreeSet::new(),
            unknown_keys: Vec::new(),
            committed_in: None,
            sync: (!settings.upstream_url.raw().is_empty()).then_some(settings),
        })
    }
}

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

/// The byte order mark, if there is one, and the text after it, which is fit to be parsed.
fn split_bom(bytes: &[u8]) -> Result<(&str, &str), ConfigError> {
    let text = std::str::from_utf8(bytes).map_err(|_| ConfigError::NotUtf8 {
        file: ConfigFile::Shared,
    })?;
    let bom = if text.starts_with('\u{feff}') {
        '\u{feff}'.len_utf8()
    } else {
        0
    };
    let (bom, text) = text.split_at(bom);
    match too_deep(text) {
        None => Ok((bom, text)),
        Some(at) => {
            let message = format!("it is nested more than {DEEPEST} levels deep");
            Err(syntax_error(text, Some(at..at), &message))
        }
    }
}

/// Where `text` is no TOML. The parsers' own rendering quotes the line, which may hold a password.
fn syntax_error(text: &str, span: Option<std::ops::Range<usize>>, message: &str) -> ConfigError {
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
        message: message.into(),
    }
}
