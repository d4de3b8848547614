//! What config.toml's `[sync]` says of a workspace that syncs.

use std::fmt;

use crate::{
    names::{ObjectId, Prefix},
    text::{Untrusted, UntrustedName},
};

/// The `[sync]` section of a workspace that syncs.
#[derive(Clone, PartialEq, Eq)]
pub struct SyncSettings {
    /// Central's URL as written, possibly with a password in it: not for messages.
    pub upstream_url: Untrusted,
    /// The published record of the last synced central commit. It travels with the team, so it says nothing certain
    /// about this clone.
    pub last_synced_commit: Option<ObjectId>,
    /// Central's branch; default: what central's HEAD names.
    pub branch: Option<UntrustedName>,
    /// How often the whole cycle is run again after a lost race.
    pub max_retries: Option<u32>,
    /// Where the last synced commit is recorded.
    pub record: Record,
    /// The branch of the project whose documents central has, or `worktree` for whatever is checked out. Not set: the same.
    pub source: Option<UntrustedName>,
    /// The whole sync's deadline.
    pub deadline_seconds: Option<u64>,
    /// gitignore's patterns of own documents that are not published.
    pub exclude: Vec<String>,
    /// Whether new documents that git ignores are published.
    pub publish_ignored: bool,
    /// The other workspaces whose documents are copied here. Empty: all.
    pub only: Vec<Prefix>,
    /// Those of them whose are not.
    pub except: Vec<Prefix>,
    /// `[sync.hooks]`
    pub hooks: HookSettings,
    /// `[sync.watch]`
    pub watch: WatchSettings,
    /// `[sync.limits]`
    pub limits: LimitSettings,
}

impl SyncSettings {
    /// Whether the documents of another workspace are copied here.
    pub fn hydrates(&self, prefix: &Prefix) -> bool {
        (self.only.is_empty() || self.only.contains(prefix)) && !self.except.contains(prefix)
    }
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
            .field("only", &self.only)
            .field("except", &self.except)
            .field("deadline_seconds", &self.deadline_seconds)
            .field("hooks", &self.hooks)
            .field("watch", &self.watch)
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

/// `[sync.watch]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatchSettings {
    /// Whether own documents are pushed.
    pub push: bool,
    /// How long own documents have to be quiet before that.
    pub settle_seconds: u64,
    /// How long between two questions to central.
    pub poll_seconds: u64,
}

impl Default for WatchSettings {
    fn default() -> Self {
        WatchSettings {
            push: true,
            settle_seconds: 10,
            poll_seconds: 30,
        }
    }
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

    pub(super) fn of(word: &str) -> Option<Self> {
        [Record::Auto, Record::Config, Record::Local]
            .into_iter()
            .find(|record| record.word() == word)
    }
}
