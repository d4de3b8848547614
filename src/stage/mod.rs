//! The stages of a sync. Each is a plan (a value, see [`crate::plan`]) and an apply that does what the plan says and
//! nothing else. Stages don't call each other: `sync` composes them in one process, a shell pipe in five.
//!
//! | stage | takes | gives |
//! |---|---|---|
//! | [`fetch`] | central's branch | a [`fetch::Snapshot`]: commit and tree, objects at hand |
//! | [`hydrate`] | snapshot | `.metis/<prefix>/` of the others |
//! | [`records`] | logs of records | records.db; the own log, to be pushed with the commit |
//! | [`dehydrate`] | snapshot, own documents | a commit, stored but not pushed, or none |
//! | [`push`] | commit | an outcome |
//! | [`record`] | snapshot or pushed commit | the cursor, `last_synced_commit`, the journal |
//! | [`rebuild_cache`] | the files as they are now | `metis.db` |
//!
//! [`verify`] is no stage of a sync: it looks whether what they left is still there.

use std::{collections::BTreeSet, path::PathBuf};

use crate::{
    central::history,
    names::{Prefix, ShortCode},
    project::Project,
    send_pack::connect::{ConnectOptions, RemoteUrl},
    workspace::{Config, LimitSettings, MetisDir},
};

pub mod dehydrate;
pub mod evidence;
pub mod fetch;
pub mod hydrate;
pub mod own;
pub mod push;
pub mod rebuild_cache;
pub mod record;
pub mod records;
pub mod verify;
mod warning;

pub use warning::Warning;

/// What every stage needs to know.
pub struct Context<'a> {
    /// `.metis/`, open.
    pub metis: &'a MetisDir,
    /// Its config.toml.
    pub config: &'a Config,
    /// The repository around it.
    pub project: &'a Project,
    /// The workspace's own folder in central. `None`: it only reads.
    pub owned: Option<Prefix>,
    /// Folders that it had before: their documents are its own.
    pub former: BTreeSet<Prefix>,
    /// Central.
    pub upstream: RemoteUrl,
    /// Central for pushes, which `pushInsteadOf` may send elsewhere: another URL, or another account, of the same.
    pub push_to: RemoteUrl,
    /// Central as it is shown.
    pub upstream_shown: String,
    /// Central without any user, as markers and the cursor have it.
    pub upstream_name: String,
    /// Central as it is told from any other: all of its location but secrets.
    pub upstream_id: String,
    /// Own documents that are to be taken out of central.
    pub withdrawn: BTreeSet<ShortCode>,
    /// The configured branch.
    pub branch: Option<String>,
    /// How to connect.
    pub connect: ConnectOptions,
    /// Where object stores lie.
    pub cache_dir: PathBuf,
    /// Limits for what central sends.
    pub limits: Limits,
}

impl Context<'_> {
    /// Whether the documents of another workspace are copied here.
    pub fn hydrates(&self, prefix: &Prefix) -> bool {
        self.config.sync.as_ref().is_none_or(|sync| sync.hydrates(prefix))
    }

    /// Central, to be asked for the history of a branch.
    pub fn central<'c>(&'c self, branch: &'c str) -> history::Central<'c> {
        history::Central {
            url: &self.upstream,
            options: &self.connect,
            branch,
        }
    }
}

/// Limits for what central sends; configurable in `[sync.limits]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// One document, in bytes.
    pub blob_bytes: u64,
    /// Documents that one sync writes.
    pub entries: u64,
    /// Folders of other workspaces.
    pub workspaces: u64,
    /// All that one sync writes, in bytes. Each file counts [`SMALLEST_FILE`] at least.
    pub total_bytes: u64,
}

/// What a file takes on a disk, however little is in it.
pub const SMALLEST_FILE: u64 = 4096;

impl Default for Limits {
    fn default() -> Self {
        Limits {
            blob_bytes: LimitSettings::BLOB_BYTES,
            entries: LimitSettings::ENTRIES,
            workspaces: LimitSettings::WORKSPACES,
            total_bytes: LimitSettings::TOTAL_BYTES,
        }
    }
}
