//! What a sync did, as a value: renderers print it, the journal keeps it, callers read it.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::records::RecordsDone;
use crate::{
    names::{ObjectId, Prefix, ShortCode},
    plan::{
        dehydrate::{Behind, Conflict},
        hydrate::Pulled,
    },
    stage::Warning,
    text::UntrustedName,
};

/// How a sync ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SyncOutcome {
    /// Nothing had to change anywhere.
    #[default]
    UpToDate,
    /// Something was pulled, pushed or recorded.
    Synced,
    /// A dry run: what would have been done is listed, nothing was.
    Planned,
    /// The workspace has no upstream: single-workspace mode.
    NotConfigured,
}

/// What a sync did. All counts are of documents.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct SyncReport {
    /// How it ended.
    pub outcome: SyncOutcome,
    /// The workspace's own folder in central, if it has one.
    pub workspace: Option<Prefix>,
    /// Files written and removed per hydrated workspace; only those where something changed.
    pub pulled: BTreeMap<Prefix, Pulled>,
    /// Documents whose version here went to central.
    pub pushed: Vec<ShortCode>,
    /// Documents taken out of central.
    pub removed: Vec<ShortCode>,
    /// Documents of which central's version stays.
    pub behind: Vec<Behind>,
    /// Documents that nobody but a person can decide; they were left as they are, the others were synced.
    pub diverged: Vec<Conflict>,
    /// What was done with records.
    #[serde(skip_serializing_if = "RecordsDone::is_nothing")]
    pub records: RecordsDone,
    /// Locally edited hydrated files, kept under these paths (relative to `.metis/`) before they were replaced.
    pub kept: Vec<UntrustedName>,
    /// Full cycles that were repeated because central moved.
    pub retries: u32,
    /// Whether this sync was the workspace's first push, which registers it.
    pub registered: bool,
    /// Whether there is no folder here for others' documents and metis.db: this is a bare repository, or a branch without plans.
    pub documents_only: bool,
    /// Whether this clone had never synced before.
    #[serde(skip)]
    pub is_first: bool,
    /// What deserves a look but stopped nothing.
    pub warnings: Vec<Warning>,
    /// The commit that this sync made, if it made one.
    pub commit: Option<ObjectId>,
    /// Central's commit that this workspace is in step with now.
    pub head: Option<ObjectId>,
    /// Wall time.
    pub seconds: f64,
    /// What was done to the end, in order; cycles that were repeated are added up.
    pub phases_completed: Vec<PhaseDone>,
    /// Documents of all workspaces, or of those asked for, that differ in central from what was asked to compare with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changed: Option<Vec<ShortCode>>,
    /// Central's commit that was looked at.
    #[serde(skip)]
    pub seen: Option<ObjectId>,
    /// What it takes to undo it.
    #[serde(skip)]
    pub trail: Trail,
}

/// Where a sync came from, for those who want to go back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trail {
    /// The commit of central that its own was pushed onto.
    pub onto: Option<ObjectId>,
    /// Documents that it brought here or took away.
    pub brought: BTreeSet<ShortCode>,
    /// The trees of the folders that it changed, before and after.
    pub folders: BTreeMap<Prefix, [Option<ObjectId>; 2]>,
}

/// A part of a sync.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// Central's branch is listed, and what is new is here.
    Fetch,
    /// The others' folders are as central has them.
    Hydrate,
    /// The own documents are compared, and what is new is in central.
    Push,
    /// What this clone has dealt with is written down.
    Record,
    /// `metis.db` says the same.
    RebuildCache,
}

/// A [`Phase`] that came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct PhaseDone {
    /// Which.
    pub phase: Phase,
    /// How long it took.
    pub seconds: f64,
}

impl SyncReport {
    /// Notes that `phase` came to its end.
    pub(super) fn completed(&mut self, phase: Phase, seconds: f64) {
        match self.phases_completed.iter_mut().find(|done| done.phase == phase) {
            Some(done) => done.seconds += seconds,
            None => self.phases_completed.push(PhaseDone { phase, seconds }),
        }
    }

    /// Files written in all hydrated workspaces.
    pub fn files_pulled(&self) -> usize {
        self.pulled.values().map(|pulled| pulled.written).sum()
    }

    /// Documents pushed, removals not counted.
    pub fn files_pushed(&self) -> usize {
        self.pushed.len()
    }

    /// Whether nothing had to change anywhere.
    pub fn is_noop(&self) -> bool {
        matches!(self.outcome, SyncOutcome::UpToDate | SyncOutcome::NotConfigured)
    }
}
