//! How a sync is asked for.

use std::{
    collections::BTreeSet,
    fmt,
    path::PathBuf,
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use crate::names::{Prefix, ShortCode};
use crate::send_pack::connect::Prompt;
use crate::stage::hydrate::Scope;
pub use crate::stage::own::Arrived;

/// Retries after a moved branch, unless configured: the seed's five.
pub const DEFAULT_MAX_RETRIES: u32 = 5;
/// The whole sync's deadline, unless configured.
pub const DEFAULT_DEADLINE: Duration = Duration::from_secs(300);
/// How long to wait for another sync in the same workspace.
pub const DEFAULT_LOCK_WAIT: Duration = Duration::from_secs(30);

/// See the fields; [`Default`] is a plain `git metis-sync`.
#[derive(Debug, Clone)]
pub struct SyncOptions {
    /// Push although the project's checkout is stale, and let local versions win where both sides changed.
    pub force: bool,
    /// Apply a plan that removes most or all of the owned documents.
    pub allow_deletes: bool,
    /// Accept a central whose history was rewritten.
    pub adopt_central: bool,
    /// Accept that the owned folder was made from another project, or from this one before its history was rewritten.
    pub adopt_project: bool,
    /// Hydrate only; push nothing.
    pub pull_only: bool,
    /// Trust nothing that spares a look: read every hydrated folder and every own document, and make our tables in `metis.db` anew.
    pub recheck: bool,
    /// Write nothing anywhere; report what would be done.
    pub dry_run: bool,
    /// Hydrate only these workspaces; empty means all.
    pub only: BTreeSet<Prefix>,
    /// Retries after a moved branch. `None`: config.toml's, else [`DEFAULT_MAX_RETRIES`].
    pub max_retries: Option<u32>,
    /// Own documents, not published any more, that are to be taken out of central.
    pub withdrawn: BTreeSet<ShortCode>,
    /// The time for everything. `None`: config.toml's, else [`DEFAULT_DEADLINE`].
    pub deadline: Option<Duration>,
    /// Whether a person may be asked for passwords.
    pub prompt: Prompt,
    /// How long to wait for another sync in this workspace.
    pub lock_wait: Duration,
    /// What to note as the reason of this sync: `sync`, `hook pre-push`, ….
    pub trigger: String,
    /// Whether only what has arrived in the project's source branch is published, and as of when.
    pub arrived: Arrived,
    /// Set by a signal handler: everything ends soon and orderly.
    pub interrupt: Arc<AtomicBool>,
    /// Where object stores lie. `None`: the user's cache directory.
    pub cache_dir: Option<PathBuf>,
}

impl SyncOptions {
    /// What of the others' folders is asked for.
    pub(super) fn scope(&self) -> Scope<'_> {
        Scope {
            only: &self.only,
            recheck: self.recheck,
        }
    }

    /// Whether nothing of what a sync is for is left out.
    pub(super) fn is_full(&self) -> bool {
        !self.pull_only && !self.dry_run && self.only.is_empty()
    }
}

impl Default for SyncOptions {
    fn default() -> Self {
        SyncOptions {
            force: false,
            allow_deletes: false,
            adopt_central: false,
            adopt_project: false,
            pull_only: false,
            recheck: false,
            dry_run: false,
            only: BTreeSet::new(),
            withdrawn: BTreeSet::new(),
            max_retries: None,
            deadline: None,
            prompt: Prompt::Forbidden,
            lock_wait: DEFAULT_LOCK_WAIT,
            trigger: "sync".into(),
            arrived: Arrived::No,
            interrupt: Arc::default(),
            cache_dir: None,
        }
    }
}

/// What a sync is doing, for progress displays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Waiting until another sync in this workspace is done, if there is one.
    Waiting,
    /// Asking central for its branch.
    Listing,
    /// Receiving objects.
    Fetching {
        /// Bytes that came so far.
        bytes: u64,
    },
    /// Writing hydrated files.
    Hydrating {
        /// Files dealt with.
        done: usize,
        /// Files in all.
        total: usize,
    },
    /// Reading own documents and making the commit.
    Dehydrating,
    /// Sending it.
    Pushing,
    /// Somebody was faster; the next cycle begins after this wait.
    Retrying {
        /// Which retry this is, from 1.
        retry: u32,
        /// The wait before it.
        wait: Duration,
    },
    /// Bringing metis.db up to date.
    RebuildingCache,
    /// Looking at the folders of a conduit.
    Scanning,
    /// Copying files of a conduit.
    Copying {
        /// Files dealt with.
        done: usize,
        /// Files in all.
        total: usize,
    },
}

/// As a person reads it.
impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Step::Waiting => f.write_str("waiting for another sync here to end"),
            Step::Listing => f.write_str("asking central"),
            Step::Fetching { bytes: 0 } => f.write_str("receiving"),
            Step::Fetching { bytes } if *bytes < 1 << 20 => write!(f, "receiving, {} KiB", bytes >> 10),
            Step::Fetching { bytes } => write!(f, "receiving, {:.1} MiB", *bytes as f64 / f64::from(1 << 20)),
            Step::Hydrating { done, total } => write!(f, "hydrating {done}/{total}"),
            Step::Dehydrating => f.write_str("reading own documents"),
            Step::Pushing => f.write_str("pushing"),
            Step::Retrying { retry, wait } => write!(f, "central moved, retry {retry} in {:.1} s", wait.as_secs_f64()),
            Step::RebuildingCache => f.write_str("rebuilding metis.db"),
            Step::Scanning => f.write_str("looking at the conduit's folders"),
            Step::Copying { done, total } => write!(f, "copying {done}/{total}"),
        }
    }
}

/// Told of every [`Step`]. Called from the thread that runs the sync.
pub trait Progress {
    /// A step begins or goes on.
    fn step(&mut self, step: Step);
}

/// Shows nothing.
impl Progress for () {
    fn step(&mut self, _: Step) {}
}
