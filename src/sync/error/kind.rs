//! What kind of stop an error is, for those who only want to know that.

use super::SyncErrorKind;
use crate::{
    central::CentralError,
    plan::guard::OtherProject,
    send_pack::connect::{ConnectError, FailureKind},
    stage::own::OwnError,
};

impl SyncErrorKind {
    /// The failure of the connection, where that is what went wrong.
    pub fn connection(&self) -> Option<&ConnectError> {
        match self {
            SyncErrorKind::Central(CentralError::Connect(err)) | SyncErrorKind::AnswerLost { cause: err } => Some(err),
            _ => None,
        }
    }

    /// Whether throwing central's objects away and fetching them anew may help.
    pub(in crate::sync) fn is_damaged_store(&self) -> bool {
        matches!(self, SyncErrorKind::Central(err) if err.is_damaged_cache())
    }

    /// One word for why a sync stopped, for machines: the journal's and JSON's `kind`.
    pub fn word(&self) -> &'static str {
        if let SyncErrorKind::Central(CentralError::Connect(err)) = self {
            return match err.kind {
                FailureKind::Unauthenticated => "auth",
                FailureKind::Forbidden => "refused",
                FailureKind::Unreachable => "network",
                FailureKind::TimedOut => "timeout",
                FailureKind::NoRepository => "no-repository",
                FailureKind::Interrupted => "interrupted",
                FailureKind::Refused => "url",
                _ => "protocol",
            };
        }
        match self {
            SyncErrorKind::MetisDir(_) | SyncErrorKind::NoFolder(_) => "no-workspace",
            SyncErrorKind::Dir(_) => "io",
            SyncErrorKind::UpstreamUrl(_) | SyncErrorKind::UpstreamInside { .. } => "url",
            SyncErrorKind::Config(_)
            | SyncErrorKind::CommittedConfig { .. }
            | SyncErrorKind::NoPrefix
            | SyncErrorKind::NoUpstream => "config",
            SyncErrorKind::State(_) => "state",
            SyncErrorKind::Locked { .. } => "locked",
            SyncErrorKind::Watched { .. } => "watched",
            SyncErrorKind::UpstreamChanged { .. } => "upstream-changed",
            SyncErrorKind::PrefixChanged { .. } => "prefix-changed",
            SyncErrorKind::Unconfirmed(_) => "unconfirmed",
            SyncErrorKind::StateTracked { .. } => "state-tracked",
            SyncErrorKind::Rewound { .. } | SyncErrorKind::Rehashed => "rewound",
            SyncErrorKind::BranchGone { .. } => "branch-gone",
            SyncErrorKind::NoBranch { .. } => "no-branch",
            SyncErrorKind::Stale { .. } => "stale",
            SyncErrorKind::Diverged { .. } => "diverged",
            SyncErrorKind::Own(OwnError::Unfinished(_)) => "unfinished",
            SyncErrorKind::Own(OwnError::NoBranch(_) | OwnError::LeftBehind { .. }) => "no-source",
            SyncErrorKind::Own(OwnError::NoTree(_) | OwnError::Dir(_) | OwnError::Stalled) => "io",
            SyncErrorKind::OtherProject(OtherProject::Renamed { .. } | OtherProject::RenamedElsewhere { .. }) => {
                "renamed"
            }
            SyncErrorKind::OtherProject(OtherProject::Retired(_)) => "retired",
            SyncErrorKind::Folder(_) => "folder",
            SyncErrorKind::OtherProject(_) => "other-project",
            SyncErrorKind::TooManyDeletes(_) => "deletes",
            SyncErrorKind::RetriesExhausted { .. } => "moved",
            SyncErrorKind::OutOfTime { .. } => "timeout",
            SyncErrorKind::Cache(_) => "cache",
            SyncErrorKind::Central(_) => "central",
            SyncErrorKind::Refused(_) => "refused",
            SyncErrorKind::AnswerLost { .. } => "network",
            SyncErrorKind::Restless { .. } => "restless",
            SyncErrorKind::Unsupported(_) => "unsupported",
            SyncErrorKind::Interrupted => "interrupted",
            SyncErrorKind::NotConfigured { .. } => "config",
            SyncErrorKind::NotResolved(_) => "resolve",
            SyncErrorKind::NeverSynced => "never-synced",
            SyncErrorKind::NotInHistory(_) => "no-such-document",
            SyncErrorKind::Since(_) => "since",
            SyncErrorKind::NoSuchWorkspace(_) => "no-such-workspace",
        }
    }

    /// Whether it is about how the sync was asked for, which says nothing of how it went.
    pub(in crate::sync) fn is_mistake(&self) -> bool {
        matches!(self, SyncErrorKind::Since(_) | SyncErrorKind::NoSuchWorkspace(_))
    }

    /// Whether it was an interruption, however it surfaced.
    pub fn is_interruption(&self) -> bool {
        matches!(self, SyncErrorKind::Interrupted)
            || self
                .connection()
                .is_some_and(|err| err.kind == FailureKind::Interrupted)
    }
}
