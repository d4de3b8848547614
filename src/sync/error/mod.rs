//! Why a sync stopped.

mod causes;
mod from;
mod kind;

use std::sync::Arc;

use crate::{
    central::CentralError,
    fs,
    names::Prefix,
    plan::{
        dehydrate::Conflict,
        folder,
        guard::{OtherProject, TooManyDeletes},
    },
    send_pack::{
        Refusal,
        connect::{self, ConnectError},
    },
    stage::own::OwnError,
    state,
    text::{Untrusted, first_of},
    workspace,
};

use super::report::SyncReport;

pub use self::causes::{NoFolder, NotResolved};

/// A sync that stopped, with what it did before that.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{kind}")]
pub struct SyncError {
    /// Why.
    #[source]
    pub kind: Arc<SyncErrorKind>,
    /// What had been done until then: hydrated folders stay hydrated.
    pub report: Box<SyncReport>,
}

/// See the variants. Which exit code and advice belongs to which is in the table of [stops](super::stop).
#[derive(Debug, thiserror::Error)]
pub enum SyncErrorKind {
    /// `.metis/` could not be used.
    #[error(transparent)]
    MetisDir(#[from] workspace::MetisDirError),
    /// Something below `.metis/` could not be read or written.
    #[error(transparent)]
    Dir(#[from] fs::DirError),
    /// config.toml is unusable.
    #[error(transparent)]
    Config(#[from] workspace::ConfigError),
    /// The same of what is committed.
    #[error("in the branch {branch}: {source}")]
    CommittedConfig {
        /// The branch.
        branch: Untrusted,
        /// What is wrong.
        source: workspace::ConfigError,
    },
    /// There is no folder of plans here.
    #[error(transparent)]
    NoFolder(#[from] NoFolder),
    /// The configured URL is not one that is connected to.
    #[error(".metis/config.toml: sync.upstream_url is not accepted: {0}")]
    UpstreamUrl(connect::UrlError),
    /// The central repository would be the project itself, something in it, or files of another checkout.
    #[error("{url} leads into {whose}, and what comes with a checkout is not taken for a central repository")]
    UpstreamInside {
        /// The location, without secrets.
        url: Untrusted,
        /// What it leads into.
        whose: &'static str,
    },
    /// config.toml has no upstream: single-workspace mode, in which there is nothing for this command to do.
    #[error("config.toml names no central repository ([sync] upstream_url)")]
    NoUpstream,
    /// config.toml has an upstream but no owned prefix.
    #[error("config.toml names a central repository but no [workspace] prefix, so nothing can be pushed")]
    NoPrefix,
    /// `.metis/.sync/` could not be used.
    #[error(transparent)]
    State(#[from] state::files::StateError),
    /// Another sync runs in this workspace.
    #[error("another sync is running here: {holder}")]
    Locked {
        /// Who, in words.
        holder: Untrusted,
    },
    /// Another watcher has this workspace.
    #[error("another watcher has this workspace: {holder}")]
    Watched {
        /// Who, in words.
        holder: Untrusted,
    },
    /// config.toml names another central than this clone synced with before.
    #[error("config.toml names the central repository {configured}, this clone has synced with {remembered} so far")]
    UpstreamChanged {
        /// As in config.toml, without secrets.
        configured: Untrusted,
        /// As remembered.
        remembered: Untrusted,
    },
    /// config.toml names another owned folder than this clone wrote before.
    #[error(
        "config.toml names {configured}/ as this workspace's folder in central, this clone has written {remembered}/ so far"
    )]
    PrefixChanged {
        /// As in config.toml.
        configured: Prefix,
        /// As remembered.
        remembered: Prefix,
    },
    /// A setting that needs this clone's word has another value than the confirmed one.
    #[error("{0}")]
    Unconfirmed(workspace::Unconfirmed),
    /// git tracks files in `.metis/.sync/`, where only this clone's own state may be.
    #[error(
        "git tracks {}: .metis/.sync/ is for what this clone alone knows, and what comes with a commit is somebody else's",
        list(files.iter().map(|file| format!(".metis/.sync{file}")))
    )]
    StateTracked {
        /// What comes after `.metis/.sync`: nothing where that is a submodule, a link or a file itself.
        files: Vec<Untrusted>,
    },
    /// Central's branch does not descend from the commit that this clone saw last.
    #[error(
        "central was rewound or force-pushed: its branch {branch} no longer contains {seen}, the commit this workspace synced with last"
    )]
    Rewound {
        /// Central's branch.
        branch: Untrusted,
        /// The lost commit.
        seen: crate::names::ObjectId,
    },
    /// Central has another hash function than the one that this clone met before.
    #[error("central was made anew: its objects have another hash function than before")]
    Rehashed,
    /// Central's branch is gone, and there are others.
    #[error("central's branch {branch} is gone; {}", whereabouts(has_it, others))]
    BranchGone {
        /// Central's branch.
        branch: Untrusted,
        /// The branches that have the commit seen last.
        has_it: Vec<Untrusted>,
        /// All branches.
        others: Vec<Untrusted>,
    },
    /// Central has branches, but not the one that a new workspace would use.
    #[error(
        "central has no branch {branch}, and its HEAD names none of the branches that it has: {}",
        list(others)
    )]
    NoBranch {
        /// The branch.
        branch: Untrusted,
        /// Those that there are.
        others: Vec<Untrusted>,
    },
    /// The project's remote has newer documents than this checkout.
    #[error(
        "{remote} has commits that are not pulled yet and that change planning documents: {}",
        list(documents)
    )]
    Stale {
        /// The remote's branch.
        remote: Untrusted,
        /// The documents.
        documents: Vec<Untrusted>,
    },
    /// Documents changed here and in central.
    #[error("conflict: changed here and in central: {}", list(conflicts.iter().map(|c| c.code.to_string())))]
    Diverged {
        /// The documents.
        conflicts: Vec<Conflict>,
    },
    /// The own documents cannot be read as the project has them.
    #[error(transparent)]
    Own(#[from] OwnError),
    /// The owned folder in central and this project do not belong together.
    #[error(transparent)]
    OtherProject(#[from] OtherProject),
    /// A folder in central is neither renamed nor taken away.
    #[error(transparent)]
    Folder(#[from] folder::Refusal),
    /// Central has the new name, config.toml has not.
    #[error("central has {new}/ in the place of {old}/, but config.toml could not be changed: {reason}")]
    NotConfigured {
        /// The name that the folder had.
        old: Prefix,
        /// The one that it has.
        new: Prefix,
        /// Why not.
        reason: Untrusted,
    },
    /// A document is not decided.
    #[error(transparent)]
    NotResolved(#[from] NotResolved),
    /// The plan removes too much.
    #[error("{} of the {} documents that central holds for this workspace would be removed", .0.removed, .0.held)]
    TooManyDeletes(TooManyDeletes),
    /// Retries are spent.
    #[error("sync failed after {retries} retries — another workspace is pushing frequently, try again")]
    RetriesExhausted {
        /// How many.
        retries: u32,
    },
    /// The deadline passed.
    #[error("the sync did not finish within {seconds} s")]
    OutOfTime {
        /// The whole time there was.
        seconds: u64,
    },
    /// metis.db could not be rebuilt.
    #[error(transparent)]
    Cache(#[from] crate::cache::CacheError),
    /// Central could not be worked with.
    #[error(transparent)]
    Central(#[from] CentralError),
    /// Central does not accept the push.
    #[error("central refused the push: {}", .0.reason)]
    Refused(Refusal),
    /// The connection broke before the server's answer to the push, and asking again did not show it in central (yet).
    #[error("the connection broke before central answered: {cause}")]
    AnswerLost {
        /// How.
        cause: ConnectError,
    },
    /// A document changed every time it was read.
    #[error("{path} keeps changing while it is read")]
    Restless {
        /// Relative to `.metis/`.
        path: Untrusted,
    },
    /// Central's objects have another hash than this clone's records.
    #[error("the server does not offer what a safe push needs: {0}")]
    Unsupported(Untrusted),
    /// The user or the system asked us to stop.
    #[error("interrupted")]
    Interrupted,
    /// There is nothing of central to compare with.
    #[error("this clone has never synced, so there is nothing to compare with")]
    NeverSynced,
    /// Asked for a document that central never had.
    #[error("central's history has no document {0}")]
    NotInHistory(String),
    /// Asked what changed since something that is neither a commit nor a time that this clone knows.
    #[error(transparent)]
    Since(#[from] super::since::NoSince),
    /// Asked for a workspace that central does not have.
    #[error("central has no workspace {0}")]
    NoSuchWorkspace(Prefix),
}

impl From<SyncErrorKind> for SyncError {
    /// Before anything was done.
    fn from(kind: SyncErrorKind) -> Self {
        SyncError {
            kind: Arc::new(kind),
            report: Box::default(),
        }
    }
}

/// Where the commit is that was synced last.
fn whereabouts(has_it: &[Untrusted], others: &[Untrusted]) -> String {
    match has_it {
        [] => format!(
            "of its other branches ({}) none has the commit synced last",
            list(others)
        ),
        [one] => format!("{one} has the commit synced last"),
        more => format!("{} have the commit synced last", list(more)),
    }
}

/// Up to ten items and how many more there are.
fn list(items: impl IntoIterator<Item = impl ToString>) -> String {
    let items: Vec<String> = items.into_iter().map(|item| item.to_string()).collect();
    first_of(&items, 10, ", ")
}
