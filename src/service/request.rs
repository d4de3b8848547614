//! What can be asked for.

use std::{
    collections::BTreeSet,
    path::PathBuf,
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use serde::{Deserialize, Serialize};

use crate::{
    names::{Prefix, ShortCode},
    send_pack::connect::Prompt,
    sync::{Arrived, DEFAULT_LOCK_WAIT, SyncOptions},
};

/// Which way documents go.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// Others' documents come in, own ones go out.
    #[default]
    Both,
    /// Others' documents come in.
    Pull,
}

/// See the fields; [`Default`] is a plain `git metis-sync`. What it says of who asks is no part of its stored form.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SyncRequest {
    /// Hydrate only these workspaces; empty means all.
    pub only: BTreeSet<Prefix>,
    /// Which way documents go.
    pub direction: Direction,
    /// A commit of central or a time: the report names the documents that changed since. What is synced does not depend on it.
    pub since: Option<String>,
    /// Trust nothing that spares a look: every hydrated folder and every own document is read, and our tables in `metis.db`
    /// are made anew.
    pub recheck: bool,
    /// Write nothing anywhere; report what would be done.
    pub dry_run: bool,
    /// Sync the conduits that this clone enabled, too, unless documents only come in.
    pub conduits: bool,
    /// Push although the project's checkout is stale, and let local versions win where both sides changed.
    pub force: bool,
    /// Apply a plan that removes most or all of the owned documents.
    pub allow_deletes: bool,
    /// Accept a central whose history was rewritten.
    pub adopt_central: bool,
    /// Own documents, not published any more, that are to be taken out of central; see [`withdraw()`](super::withdraw).
    #[serde(skip)]
    pub withdrawn: BTreeSet<ShortCode>,
    /// Accept that the owned folder was made from another project, or from this one before its history was rewritten.
    pub adopt_project: bool,
    /// Retries after a moved branch. `None`: as configured.
    pub max_retries: Option<u32>,
    /// The time for everything. `None`: as configured.
    pub deadline: Option<Duration>,
    /// How long to wait for another sync in this workspace.
    pub lock_wait: Duration,
    /// What to note as the reason of this sync: `sync`, `hook pre-push`, `watch`, ….
    pub trigger: String,
    /// Whether only what has arrived in the project's source branch is published, and as of when.
    #[serde(skip)]
    pub arrived: Arrived,
    /// Whether a person may be asked for passwords.
    #[serde(skip, default = "nobody_is_asked")]
    pub prompt: Prompt,
    /// Set when the caller does not want it any more: everything ends soon and orderly.
    #[serde(skip)]
    pub interrupt: Arc<AtomicBool>,
    /// Where object stores lie. `None`: the user's cache directory.
    #[serde(skip)]
    pub cache_dir: Option<PathBuf>,
}

fn nobody_is_asked() -> Prompt {
    Prompt::Forbidden
}

impl Default for SyncRequest {
    fn default() -> Self {
        SyncRequest {
            only: BTreeSet::new(),
            direction: Direction::Both,
            since: None,
            recheck: false,
            dry_run: false,
            conduits: true,
            force: false,
            allow_deletes: false,
            adopt_central: false,
            adopt_project: false,
            withdrawn: BTreeSet::new(),
            max_retries: None,
            deadline: None,
            lock_wait: DEFAULT_LOCK_WAIT,
            trigger: "sync".into(),
            arrived: Arrived::No,
            prompt: nobody_is_asked(),
            interrupt: Arc::default(),
            cache_dir: None,
        }
    }
}

impl SyncRequest {
    /// The same for the engine.
    pub(super) fn options(&self) -> SyncOptions {
        SyncOptions {
            force: self.force,
            allow_deletes: self.allow_deletes,
            adopt_central: self.adopt_central,
            adopt_project: self.adopt_project,
            withdrawn: self.withdrawn.clone(),
            pull_only: self.direction == Direction::Pull,
            recheck: self.recheck,
            dry_run: self.dry_run,
            only: self.only.clone(),
            max_retries: self.max_retries,
            deadline: self.deadline,
            prompt: self.prompt,
            lock_wait: self.lock_wait,
            trigger: self.trigger.clone(),
            arrived: self.arrived,
            interrupt: Arc::clone(&self.interrupt),
            cache_dir: self.cache_dir.clone(),
        }
    }

    /// Whether whoever asks for `other` has what it wants when this is done. What `other` wants to know of it makes no
    /// difference, nor does who asks.
    pub(super) fn covers(&self, other: &SyncRequest) -> bool {
        let all = |request: &SyncRequest| request.only.is_empty();
        let reaches = all(self) || (!all(other) && self.only.is_superset(&other.only));
        let pushes = self.direction == Direction::Both || other.direction == Direction::Pull;
        let overrides = |request: &SyncRequest| {
            [
                request.force,
                request.allow_deletes,
                request.adopt_central,
                request.adopt_project,
            ]
        };
        reaches
            && pushes
            && (self.recheck || !other.recheck)
            && overrides(self) == overrides(other)
            && self.withdrawn == other.withdrawn
            && self.arrived == other.arrived
            && self.max_retries == other.max_retries
            && self.cache_dir == other.cache_dir
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn only(prefixes: &[&str]) -> SyncRequest {
        SyncRequest {
            only: prefixes.iter().map(|prefix| prefix.parse().unwrap()).collect(),
            ..SyncRequest::default()
        }
    }

    #[test]
    fn more_covers_less() {
        let plain = SyncRequest::default;
        let pull = || SyncRequest {
            direction: Direction::Pull,
            ..plain()
        };
        let recheck = || SyncRequest {
            recheck: true,
            ..plain()
        };
        let force = || SyncRequest { force: true, ..plain() };
        let told = || SyncRequest {
            since: Some("2026-02-26".into()),
            trigger: "watch".into(),
            conduits: false,
            ..plain()
        };
        let table = [
            (plain(), plain(), true),
            (plain(), told(), true),
            (plain(), pull(), true),
            (pull(), plain(), false),
            (plain(), only(&["api"]), true),
            (only(&["api"]), plain(), false),
            (only(&["api", "web"]), only(&["web"]), true),
            (only(&["api"]), only(&["web"]), false),
            (recheck(), plain(), true),
            (plain(), recheck(), false),
            (force(), plain(), false),
            (plain(), force(), false),
        ];
        for (one, other, covers) in table {
            assert_eq!(one.covers(&other), covers, "{one:?} {other:?}");
        }
    }

    #[test]
    fn it_is_a_value_that_can_be_stored() {
        let request = SyncRequest {
            since: Some("2026-02-26".into()),
            recheck: true,
            direction: Direction::Pull,
            ..only(&["web"])
        };
        let stored = serde_json::to_string(&request).unwrap();
        let loaded: SyncRequest = serde_json::from_str(&stored).unwrap();
        assert_eq!(serde_json::to_string(&loaded).unwrap(), stored);
        assert_eq!((loaded.since, loaded.only), (request.since, request.only));
        let short: SyncRequest = serde_json::from_str(r#"{"direction": "pull"}"#).unwrap();
        assert_eq!((short.direction, short.conduits), (Direction::Pull, true));
        assert!(serde_json::from_str::<SyncRequest>(r#"{"froce": true}"#).is_err());
    }
}
