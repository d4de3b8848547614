//! Changes to `config.toml`, in place: every byte that is not the changed value stays as the user wrote it.
//!
//! `toml_edit` finds the place; the text itself is spliced here, because `toml_edit` writes CRLF files back with LF.

use std::ops::Range;

use toml_edit::{Document, Item, TableLike};

use super::{CONFIG_LIMIT, Config, ConfigError, ConfigFile, Record, split_bom, syntax_error};
use crate::fs::{Dir, DirError, FileMode};
use crate::names::{ObjectId, Prefix};

/// One key and its new value.
#[derive(Clone, PartialEq, Eq)]
pub enum Edit {
    /// `sync.last_synced_commit`
    LastSyncedCommit(ObjectId),
    /// `sync.upstream_url`
    Upstream(String),
    /// `sync.branch`
    Branch(String),
    /// `sync.source`
    Source(String),
    /// `workspace.prefix`
    WorkspacePrefix(Prefix),
    /// `workspace.team`
    Team(String),
    /// `sync.record`
    Record(Record),
}

impl Edit {
    /// Section, key and value.
    pub fn parts(&self) -> (&'static str, &'static str, String) {
        match self {
            Edit::LastSyncedCommit(id) => ("sync", "last_synced_commit", id.to_string()),
            Edit::Upstream(url) => ("sync", "upstream_url", url.clone()),
            Edit::Branch(branch) => ("sync", "branch", branch.clone()),
            Edit::Source(source) => ("sync", "source", source.clone()),
            Edit::WorkspacePrefix(prefix) => ("workspace", "prefix", prefix.to_string()),
            Edit::Team(team) => ("workspace", "team", team.clone()),
            Edit::Record(record) => ("sync", "record", record.word().to_owned()),
        }
    }
}

/// What a new `.sync/config.toml` begins with.
const LOCAL_HEAD: &[u8] =
    b"# Read on top of .metis/config.toml: what this clone alone wants. Any key may stand here.\n";

/// Make `edits` in `file` of `metis`, which is made if it is not there. Returns whether anything had to be written.
///
/// A file that is a symbolic link is refused: replacing it would cut the user's link.
pub fn edit_config(metis: &Dir, file: ConfigFile, edits: &[Edit]) -> Result<bool, ConfigError> {
    let path = file.path();
    // The file is the team's: who saves it between our reading and writing must not lose the change.
    for _ in 0..4 {
        let (bytes, read) = match metis.read_file(path, CONFIG_LIMIT) {
            Ok((bytes, stat)) => (bytes, Some(stat)),
            Err(DirError::Missing { .. }) => match file {
                ConfigFile::Shared => (Vec::new(), None),
                ConfigFile::Local => (LOCAL_HEAD.to_vec(), None),
            },
            Err(err) => return Err(err.into()),
        };
        let Some(edited) = with_edits(&bytes, edits)? else {
            return Ok(false);
        };
        if metis.lstat(path).ok() == read {
            let mode = match file {
                ConfigFile::Shared => FileMode::Keep,
                ConfigFile::Local => FileMode::Private,
            };
            metis.write_flushed(path, &edited, mode)?;
            return Ok(true);
        }
    }
    Err(ConfigError::File(DirError::Unstable {
        path: metis.path().join(path),
    }))
}

/// The bytes of a `config.toml` with `edits` made; `None` if it says all that already.
pub fn with_edits(bytes: &[u8], edits: &[Edit]) -> Result<Option<Vec<u8>>, ConfigError> {
    let (bom, text) = split_bom(bytes)?;
    let mut edited = text.to_owned();
    for edit in edits {
        let (section, key, value) = edit.parts();
        if let Some((at, new)) = splice(&edited, section, key, &value)? {
            edited.replace_range(at, &new);
            // What cannot be read back must never reach the disk.
            if splice(&edited, section, key, &value).map_or(true, |again| again.is_some()) {
                let key = format!("{section}.{key}");
                return Err(ConfigError::CannotEdit {
                    key,
                    value: value.into(),
                });
            }
        }
    }
    if edited == text {
        return Ok(None);
    }
    let edited = [bom, &edited].concat().into_bytes();
    Config::parse(&edited)?;
    Ok(Some(edited))
}

/// What to put where so that `section.key` is `value`; `None` if it is.
fn splice(text: &str, section: &str, key: &str, value: &str) -> Result<Option<(Range<usize>, String)>, ConfigError> {
    let document = Document::parse(text).map_err(|err| syntax_error(text, err.span(), err.message()))?;
    let quoted = toml_edit::Value::from(value).to_string();
    let line = format!("{key} = {quoted}");
    let eol = if text.split('\n').next().is_some_and(|first| first.ends_with('\r')) {
        "\r\n"
    } else {
        "\n"
    };
    let new_line_after = |at: usize, line: String| match text[at..].find('\n') {
        Some(end) => (at + end + 1..at + end + 1, line + eol),
        None => (text.len()..text.len(), format!("{eol}{line}{eol}")),
    };

    let item = document.get(section);
    let table = item.and_then(Item::as_table_like);
    if let Some(old) = table.and_then(|table| table.get(key)) {
        if old.as_str() == Some(value) {
            return Ok(None);
        }
        return match old.as_value().and_then(|value| value.span()) {
            Some(span) => Ok(Some((span, quoted))),
            None => Err(cannot_edit(section, key, value)),
        };
    }
    match (item, table) {
        (Some(Item::Value(inline)), Some(table)) => {
            let open = inline.span().ok_or_else(|| cannot_edit(section, key, value))?.start + 1;
            let more = if table.is_empty() { " " } else { "," };
            Ok(Some((open..open, format!(" {line}{more}"))))
        }
        (Some(Item::Table(table)), _) if table.is_dotted() => match last_value_end(table) {
            Some(end) => Ok(Some(new_line_after(end, format!("{section}.{line}")))),
            None => Err(cannot_edit(section, key, value)),
        },
        (Some(Item::Table(table)), _) if !table.is_implicit() => {
            let header = table.span().ok_or_else(|| cannot_edit(section, key, value))?;
            Ok(Some(new_line_after(last_value_end(table).unwrap_or(header.end), line)))
        }
        // Not there, or only as the parent of `[section.other]`: a section of its own at the end is right for both.
        (None | Some(Item::Table(_)), _) => {
            let gap = match text {
                "" => String::new(),
                text if text.ends_with('\n') => eol.to_owned(),
                _ => eol.repeat(2),
            };
            Ok(Some((
                text.len()..text.len(),
                format!("{gap}[{section}]{eol}{line}{eol}"),
            )))
        }
        _ => Err(cannot_edit(section, key, value)),
    }
}

/// Where the last value ends that stands in the table's own section, that is, not under a further `[header]`.
fn last_value_end(table: &dyn TableLike) -> Option<usize> {
    table
        .iter()
        .filter_map(|(_, item)| match item {
            Item::Value(value) => Some(value.span()?.end),
            Item::Table(table) if table.is_dotted() => last_value_end(table),
            _ => None,
        })
        .max()
}

fn cannot_edit(section: &str, key: &str, value: &str) -> ConfigError {
    ConfigError::CannotEdit {
        key: format!("{section}.{key}"),
        value: value.into(),
    }
}

#[cfg(test)]
mod tests;
