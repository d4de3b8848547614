//! What a tree of central says, once everything is left out that a workspace must never act upon.
//!
//! Central is not trusted: names pass an allow-list (`<short code>.md` in a folder, a valid [`Prefix`] at the top)
//! and only regular files count. All else is skipped and named, never followed.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

pub use crate::text::{escaped, is_hidden, printable};

use crate::{
    names::{ObjectId, Prefix, ShortCode},
    text::Untrusted,
};

/// What a tree entry's mode makes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryKind {
    /// A regular file, executable or not.
    File,
    /// A subfolder.
    Tree,
    /// A symbolic link.
    Symlink,
    /// A gitlink, i.e. a submodule.
    Gitlink,
}

/// One entry of a tree as git stores it: the name is any bytes but NUL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeEntry {
    /// The name, unchecked.
    pub name: Vec<u8>,
    /// What the mode says.
    pub kind: EntryKind,
    /// The object it points to.
    pub id: ObjectId,
}

/// Why an entry of central is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SkipReason {
    /// A symbolic link.
    Symlink,
    /// A submodule.
    Gitlink,
    /// A folder where only files belong.
    Folder,
    /// The name is neither a document's nor harmless.
    Name,
    /// The same name again.
    Duplicate,
    /// Larger than the limit for one document.
    TooLarge,
    /// The object is missing or cannot be decoded.
    Unreadable,
}

impl SkipReason {
    /// The reason in words, to follow `skipped <name>: `.
    pub fn words(self) -> &'static str {
        match self {
            SkipReason::Symlink => "a symbolic link",
            SkipReason::Gitlink => "a submodule",
            SkipReason::Folder => "a folder",
            SkipReason::Name => "not the name of a document",
            SkipReason::Duplicate => "listed twice",
            SkipReason::TooLarge => "larger than the limit for one document",
            SkipReason::Unreadable => "cannot be read",
        }
    }
}

/// An entry that was left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Skipped {
    /// Its path in central.
    pub path: Untrusted,
    /// Why.
    pub reason: SkipReason,
}

/// So many of what is left out are named. A folder may have a million entries, and thousands of workspaces the same folder.
pub const MOST_NAMED: usize = 100_000;

/// What was left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// The first of it.
    pub named: Vec<Skipped>,
    /// How much more there was.
    pub more: usize,
}

impl LeftOut {
    fn add(&mut self, reason: SkipReason, path: impl FnOnce() -> Untrusted) {
        match self.named.len() < MOST_NAMED {
            true => self.named.push(Skipped { path: path(), reason }),
            false => self.more += 1,
        }
    }

    /// The same with no more than `room` of it named.
    pub fn within(mut self, room: usize) -> Self {
        self.more += self.named.len().saturating_sub(room);
        self.named.truncate(room);
        self
    }
}

/// The documents of one workspace folder: central's file name is `<code>.md`.
pub type Documents = BTreeMap<ShortCode, ObjectId>;

/// Every version that documents had over a stretch of central's history.
pub type Versions = BTreeMap<ShortCode, BTreeSet<ObjectId>>;

/// One workspace folder, sorted out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Folder {
    /// What is a document.
    pub documents: Documents,
    /// What is not.
    pub skipped: LeftOut,
}

/// Sorts out the entries of `<prefix>/`.
///
/// Dot-files that are regular files (`.gitkeep`) are passed over in silence, every other stranger is named.
pub fn folder(prefix: &Prefix, entries: impl IntoIterator<Item = TreeEntry>) -> Folder {
    let mut out = Folder::default();
    for entry in entries {
        let reason = match entry.kind {
            EntryKind::Symlink => SkipReason::Symlink,
            EntryKind::Gitlink => SkipReason::Gitlink,
            EntryKind::Tree => SkipReason::Folder,
            EntryKind::File => {
                let code = std::str::from_utf8(&entry.name)
                    .ok()
                    .and_then(ShortCode::from_file_name);
                match code {
                    Some(code) => match out.documents.entry(code) {
                        std::collections::btree_map::Entry::Vacant(slot) => {
                            slot.insert(entry.id);
                            continue;
                        }
                        std::collections::btree_map::Entry::Occupied(_) => SkipReason::Duplicate,
                    },
                    None if is_quiet_dot_file(&entry.name) => continue,
                    None => SkipReason::Name,
                }
            }
        };
        out.skipped
            .add(reason, || format!("{prefix}/{}", Untrusted::name(&entry.name)).into());
    }
    out
}

/// The workspaces of central's root tree and what else lies there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Root {
    /// Each workspace's folder by prefix.
    pub workspaces: BTreeMap<Prefix, ObjectId>,
    /// Folders and links that cannot be a workspace.
    pub skipped: LeftOut,
}

/// Sorts out central's root: folders with a valid prefix are workspaces. Regular files (a README) and folders whose
/// name starts with a dot (`.github`) are none of our business and pass in silence.
pub fn root(entries: impl IntoIterator<Item = TreeEntry>) -> Root {
    let mut out = Root::default();
    for entry in entries {
        let reason = match entry.kind {
            EntryKind::File => continue,
            EntryKind::Symlink => SkipReason::Symlink,
            EntryKind::Gitlink => SkipReason::Gitlink,
            EntryKind::Tree if is_quiet_dot_file(&entry.name) => continue,
            EntryKind::Tree => match std::str::from_utf8(&entry.name)
                .ok()
                .and_then(|n| n.parse::<Prefix>().ok())
            {
                Some(prefix) => match out.workspaces.entry(prefix) {
                    std::collections::btree_map::Entry::Vacant(slot) => {
                        slot.insert(entry.id);
                        continue;
                    }
                    std::collections::btree_map::Entry::Occupied(_) => SkipReason::Duplicate,
                },
                None => SkipReason::Name,
            },
        };
        out.skipped.add(reason, || Untrusted::name(&entry.name));
    }
    out
}

fn is_quiet_dot_file(name: &[u8]) -> bool {
    name.first() == Some(&b'.')
        && name.len() > 1
        && name != b".."
        && !name.eq_ignore_ascii_case(b".git")
        && !name.eq_ignore_ascii_case(b".metis")
        && name[1..]
            .iter()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}

#[cfg(test)]
mod tests;
