//! Looking for what is broken around a workspace, and mending what can be mended without risk.
//!
//! A sync does not look inside hydrated folders while central stays as it is, and trusts its caches. This is where they
//! are looked at. Every [`Repair`] is safe to do and to be killed in: what somebody edited is kept aside before it is
//! replaced, caches are dropped and made anew, and **own documents are never touched**.

mod examine;
pub mod nuke;
mod repair;

use serde::Serialize;

pub use examine::examine;
pub use repair::{Repaired, repair};

use crate::{
    names::{ObjectId, Prefix},
    text::Untrusted,
};

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// As it should be.
    Ok,
    /// Worth knowing, nothing to mend.
    Note,
    /// Broken.
    Problem,
}

/// What one check found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was looked at, e.g. `central` or `hydrated`.
    pub check: &'static str,
    /// How bad it is.
    pub level: Level,
    /// What was found.
    pub message: Untrusted,
    /// What a person can do, where the program cannot.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advice: Option<Untrusted>,
    /// What the program can do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repair: Option<Repair>,
}

/// A repair, by what it does. None touches own documents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "name")]
pub enum Repair {
    /// Throw the object cache of this central away and receive it anew.
    ResetStore,
    /// Write the marker of a folder whose content is, id by id, what the tree says.
    RewriteMarker {
        /// Whose folder.
        prefix: Prefix,
        /// The tree.
        tree: ObjectId,
    },
    /// Bring a hydrated folder back to the tree; edited files are kept in `.metis/.sync/kept/` first.
    RestoreFolder {
        /// Whose folder.
        prefix: Prefix,
        /// The tree.
        tree: ObjectId,
    },
    /// Take the hydrated folders out of our lines in `.metis/.gitignore`.
    UnlistFolders,
    /// Remove the temporary files of killed runs.
    SweepLeftovers,
    /// Remove a stat cache that cannot be read.
    DropStatCache,
    /// Make our tables in `metis.db` anew; other tables stay.
    RebuildCache,
}

impl Repair {
    /// What it does, in words.
    pub fn words(&self) -> String {
        match self {
            Repair::ResetStore => "reset the object cache".into(),
            Repair::RewriteMarker { prefix, .. } => format!("rewrite the marker of {prefix}/"),
            Repair::RestoreFolder { prefix, .. } => format!("restore {prefix}/"),
            Repair::UnlistFolders => "take the hydrated folders out of .metis/.gitignore".into(),
            Repair::SweepLeftovers => "remove leftover temporary files".into(),
            Repair::DropStatCache => "drop the stat cache".into(),
            Repair::RebuildCache => "make our tables in metis.db anew".into(),
        }
    }
}

/// The checks in the order in which they are told.
const ORDER: [&str; 19] = [
    "workspace",
    "git",
    "ssh",
    "config",
    "upstream",
    "prefix",
    "central",
    "credentials",
    "state",
    "lock",
    "objects",
    "hydrated",
    "gitignore",
    "leftovers",
    "metis.db",
    "documents",
    "links",
    "sync",
    "conduits",
];

impl Finding {
    fn place(&self) -> usize {
        ORDER
            .iter()
            .position(|check| *check == self.check)
            .unwrap_or(ORDER.len())
    }

    fn new(check: &'static str, level: Level, message: impl Into<Untrusted>) -> Self {
        Finding {
            check,
            level,
            message: message.into(),
            advice: None,
            repair: None,
        }
    }

    /// All is well.
    pub fn ok(check: &'static str, message: impl Into<Untrusted>) -> Self {
        Self::new(check, Level::Ok, message)
    }

    /// Worth knowing.
    pub fn note(check: &'static str, message: impl Into<Untrusted>) -> Self {
        Self::new(check, Level::Note, message)
    }

    /// Broken.
    pub fn problem(check: &'static str, message: impl Into<Untrusted>) -> Self {
        Self::new(check, Level::Problem, message)
    }

    /// With what a person can do about it.
    pub fn advise(self, advice: impl Into<Untrusted>) -> Self {
        Finding {
            advice: Some(advice.into()),
            ..self
        }
    }

    fn mend(self, repair: Repair) -> Self {
        Finding {
            repair: Some(repair),
            ..self
        }
    }
}
