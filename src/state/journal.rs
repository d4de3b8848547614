//! What this clone's syncs did, one line of JSON each. For people and for `git metis-sync log`; no decision reads it.

use std::{
    collections::BTreeMap,
    io::{Read, Seek, SeekFrom, Write},
    os::unix::fs::FileExt,
};

use rustix::fs::OFlags;
use serde::{Deserialize, Serialize};

use super::files::{StateDir, StateError};
use crate::{
    names::{ObjectId, Prefix, ShortCode},
    text::{self, Untrusted, UntrustedName},
};

/// The name of its file.
pub const NAME: &str = "journal.jsonl";
const PREVIOUS: &str = "journal.1.jsonl";

/// The journal is rotated before it grows beyond. One older file is kept.
const MAX_SIZE: u64 = 1 << 20;

const MAX_WARNINGS: usize = 50;
const MAX_TEXT: usize = 500;
/// Documents, folders and files that a line names, of each kind.
const MAX_NAMES: usize = 200;

/// The format of the lines that this version writes.
pub const SCHEMA: u32 = 1;

/// One sync. Every field but the first three may be missing in a line, so that later versions can add some.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct JournalEntry {
    /// [`SCHEMA`] when it was written.
    pub schema: u32,
    /// When it began, RFC 3339.
    pub started: Untrusted,
    /// How it ended, e.g. `synced`, `stopped`, `failed`.
    pub outcome: Untrusted,
    /// How long it took.
    #[serde(default)]
    pub seconds: f64,
    /// What set it off: `command`, `pre-push`, `post-merge`, ….
    #[serde(default)]
    pub trigger: Untrusted,
    /// Documents written or removed here, per workspace.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub pulled: BTreeMap<Prefix, u64>,
    /// Documents pushed.
    #[serde(default)]
    pub pushed: u64,
    /// Documents removed from central.
    #[serde(default)]
    pub removed: u64,
    /// Pushes that were refused because central had moved.
    #[serde(default)]
    pub retries: u32,
    /// Central's commit afterwards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<ObjectId>,
    /// Warnings, without secrets.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Untrusted>,
    /// The kind of error that ended it, e.g. `network`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Untrusted>,
    /// Documents that it pushed, took out of central, or brought here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub documents: Vec<ShortCode>,
    /// The commit that it pushed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made: Option<ObjectId>,
    /// The commit that it pushed that one onto. `None`: central was empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub onto: Option<ObjectId>,
    /// The trees of the hydrated folders that it changed, before and after. `None`: there was no such folder.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub folders: BTreeMap<Prefix, [Option<ObjectId>; 2]>,
    /// Own files that a person had it write.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resolved: Vec<ResolvedFile>,
    /// It is an undo, of the entries that began then.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub undoes: Vec<Untrusted>,
    /// Syncs before it that went well and changed nothing.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub idle: u64,
}

/// An own file that `resolve` wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResolvedFile {
    /// The document.
    pub code: ShortCode,
    /// Relative to `.metis/`.
    pub path: UntrustedName,
    /// What was written. `None`: it was removed.
    pub version: Option<ObjectId>,
    /// Where the bytes of before are kept, relative to `.metis/`. `None`: there was no file.
    pub kept: Option<UntrustedName>,
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// What [`read_last()`] found.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Journal {
    /// Oldest first.
    pub entries: Vec<JournalEntry>,
    /// Lines among them that are torn, damaged or of a later format.
    pub unreadable: usize,
}

/// Appends one line, in one write. Call it under the lock: rotation is not made for two at once.
pub fn append(dir: &StateDir, entry: &JournalEntry) -> Result<(), StateError> {
    let line = text::json(&bounded(entry)).map_err(|error| dir.error("write", NAME, error.into()))?;
    let mut line = format!("{line}\n").into_bytes();

    let flags = OFlags::RDWR | OFlags::APPEND | OFlags::CREATE;
    let open = || {
        dir.open_file(NAME, flags)?
            .ok_or_else(|| dir.error("open", NAME, std::io::ErrorKind::NotFound.into()))
    };
    let fail = |error| dir.error("write", NAME, error);
    let mut file = open()?;
    let mut size = file.metadata().map_err(fail)?.len();
    if size > 0 && size + line.len() as u64 > MAX_SIZE {
        dir.rename(NAME, PREVIOUS)?;
        file = open()?;
        size = 0;
    }
    // A write that was cut off must not take this line with it.
    let mut last = [b'\n'];
    if size > 0 {
        file.read_exact_at(&mut last, size - 1).map_err(fail)?;
    }
    if last != *b"\n" {
        line.insert(0, b'\n');
    }
    file.write_all(&line).map_err(fail)
}

/// The last `count` syncs. No journal is an empty one.
pub fn read_last(dir: &StateDir, count: usize) -> Result<Journal, StateError> {
    let mut journal = Journal::default();
    for name in [NAME, PREVIOUS] {
        let text = tail(dir, name)?;
        for line in text.split(|byte| *byte == b'\n').rev().filter(|line| !line.is_empty()) {
            if journal.entries.len() == count {
                break;
            }
            match serde_json::from_slice(line) {
                Ok(entry) => journal.entries.push(entry),
                Err(_) => journal.unreadable += 1,
            }
        }
    }
    journal.entries.reverse();
    Ok(journal)
}

/// Whether syncs may have been forgotten: those before the older of the two files.
pub fn was_rotated(dir: &StateDir) -> Result<bool, StateError> {
    Ok(dir.open_file(PREVIOUS, OFlags::RDONLY)?.is_some())
}

/// The end of a file as far as we could have written it: somebody may have put a gigabyte there.
fn tail(dir: &StateDir, name: &str) -> Result<Vec<u8>, StateError> {
    let Some(mut file) = dir.open_file(name, OFlags::RDONLY)? else {
        return Ok(Vec::new());
    };
    let mut read = || {
        let size = file.metadata()?.len();
        file.seek(SeekFrom::Start(size.saturating_sub(2 * MAX_SIZE)))?;
        let mut bytes = Vec::new();
        (&file).take(2 * MAX_SIZE).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    read().map_err(|error| dir.error("read", name, error))
}

/// Fits a line into the file, whatever a server or a thousand bad documents had to say.
fn bounded(entry: &JournalEntry) -> JournalEntry {
    let cut = |text: &Untrusted| Untrusted::from(text.raw().chars().take(MAX_TEXT).collect::<String>());
    let mut warnings: Vec<_> = entry.warnings.iter().take(MAX_WARNINGS).map(cut).collect();
    if let Some(more) = entry.warnings.len().checked_sub(MAX_WARNINGS + 1) {
        warnings.push(format!("and {} more", more + 1).into());
    }
    JournalEntry {
        schema: entry.schema,
        started: cut(&entry.started),
        outcome: cut(&entry.outcome),
        seconds: entry.seconds,
        trigger: cut(&entry.trigger),
        pulled: entry.pulled.clone(),
        pushed: entry.pushed,
        removed: entry.removed,
        retries: entry.retries,
        commit: entry.commit,
        warnings,
        error: entry.error.as_ref().map(cut),
        documents: entry.documents.iter().take(MAX_NAMES).cloned().collect(),
        made: entry.made,
        onto: entry.onto,
        folders: entry.folders.clone(),
        resolved: entry.resolved.iter().take(MAX_NAMES).cloned().collect(),
        undoes: entry.undoes.iter().take(MAX_NAMES).map(cut).collect(),
        idle: entry.idle,
    }
}

#[cfg(test)]
mod tests;
