//! What a rebuild came to.

use serde::Serialize;

use crate::names::Prefix;

/// What a rebuild did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rebuilt {
    /// Whether something was written.
    pub outcome: Outcome,
    /// Documents in the cache now.
    pub documents: u64,
    /// Documents that were loaded and parsed.
    pub read: u64,
    /// Documents that were taken out.
    pub removed: u64,
    /// What could not be taken in.
    pub skipped: Vec<Skipped>,
}

impl Rebuilt {
    /// Whether all that there is could be read.
    pub fn is_complete(&self) -> bool {
        !self.skipped.iter().any(|skipped| skipped.unread)
    }
}

/// Whether a rebuild wrote something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// All was up to date; no file was touched.
    Unchanged,
    /// Rows changed in the existing database.
    Updated,
    /// There was no database, now there is.
    Created,
}

/// A document or a workspace that the cache does not have, or not in its newest version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Skipped {
    /// The workspace.
    pub workspace: Prefix,
    /// The document's path relative to `.metis/`; `None` when the workspace could not be listed.
    pub path: Option<String>,
    /// Why, in the words of who tried. May hold text from central: escape it before it goes to a terminal.
    pub reason: String,
    /// Whether it could not be read, which may go better the next time, and not whether it was understood.
    #[serde(skip)]
    pub unread: bool,
}
