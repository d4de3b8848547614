//! One sync, and one question to central: what threads do. The workspace is looked up anew for each, as its configuration may
//! have changed.

use std::{
    path::Path,
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use super::survey::Place;
use crate::{
    hooks::run::DEFAULT_DEADLINE,
    names::ObjectId,
    plan::watch::{Failure, Settings, Way},
    send_pack::connect::Prompt,
    service::{self, Direction, Served, SyncRequest},
    sync::{
        SyncError, SyncErrorKind, SyncOptions, Workspace,
        heads::{self, Central, Heads},
        stop::{self, Exit, Hint, Stop},
    },
    workspace::MetisDirError,
};

/// What a watcher syncs by: how, where central is, and where to look here.
pub type Configured = (Settings, Central, Place);

/// What came of a sync.
pub struct Synced {
    /// Which way.
    pub way: Way,
    /// What the survey before it had found.
    pub print: Option<u64>,
    /// What is configured meanwhile. `None`: that could not be read.
    pub configured: Option<Configured>,
    /// The report, or why it stopped.
    pub result: Result<Served, Stopped>,
}

/// Why a sync or a listing stopped.
#[derive(Debug)]
pub struct Stopped {
    /// How that is waited out.
    pub failure: Failure,
    /// The kind of stop.
    pub stop: &'static str,
    /// In one line.
    pub message: String,
    /// Whether the workspace is not there.
    pub is_gone: bool,
    /// How far central was seen all the same.
    pub head: Option<ObjectId>,
}

impl Stopped {
    fn of(kind: &SyncErrorKind, hint: &Hint, head: Option<ObjectId>) -> Self {
        Stopped {
            failure: failure(hint.stop, hint.exit),
            stop: hint.stop.name(),
            message: hint.line().to_string(),
            is_gone: matches!(kind, SyncErrorKind::MetisDir(_) | SyncErrorKind::NoFolder(_)),
            head,
        }
    }

    fn of_kind(kind: &SyncErrorKind, url: &str) -> Self {
        Stopped::of(kind, &stop::explain(kind, url), None)
    }

    fn of_sync(err: &SyncError, url: &str) -> Self {
        Stopped::of(&err.kind, &stop::of_sync(err, url), err.report.seen)
    }

    /// The work panicked.
    pub fn defect() -> Self {
        Stopped {
            failure: Failure::Local,
            stop: "defect",
            message: "the sync broke off, which is a defect of this program; nothing of it is lost".into(),
            is_gone: false,
            head: None,
        }
    }
}

/// How a stop is waited out.
fn failure(stop: Stop, exit: Exit) -> Failure {
    match exit {
        _ if stop == Stop::Refused => Failure::Refused,
        Exit::Auth | Exit::Refused => Failure::Auth,
        Exit::Locked => Failure::Locked,
        Exit::Stopped | Exit::Usage => Failure::Guard,
        Exit::Network | Exit::Moved => Failure::Network,
        _ if stop == Stop::NoRepository => Failure::Network,
        _ => Failure::Local,
    }
}

/// The workspace in `folder` itself: where there is none any more, one further up is another.
pub fn workspace(folder: &Path) -> Result<Workspace, SyncErrorKind> {
    let workspace = Workspace::discover(folder)?;
    let found = workspace.metis().project().canonicalize();
    match found.is_ok_and(|found| found == folder) {
        true => Ok(workspace),
        false => Err(MetisDirError::NotFound {
            start: folder.to_owned(),
        }
        .into()),
    }
}

/// What is configured there.
pub fn configured(workspace: &Workspace) -> Result<Configured, SyncErrorKind> {
    let sync = workspace.config().sync.as_ref().ok_or(SyncErrorKind::NoUpstream)?;
    let settings = Settings {
        push: sync.watch.push,
        settle: Duration::from_secs(sync.watch.settle_seconds),
        poll: Duration::from_secs(sync.watch.poll_seconds),
    };
    Ok((settings, heads::central(workspace)?, Place::of(workspace)))
}

/// Syncs the workspace in `folder`.
pub fn sync(folder: &Path, way: Way, print: Option<u64>, interrupt: Arc<AtomicBool>) -> Synced {
    let request = SyncRequest {
        direction: match way {
            Way::Both => Direction::Both,
            Way::Pull => Direction::Pull,
        },
        prompt: Prompt::Never,
        trigger: "watch".into(),
        interrupt,
        ..SyncRequest::default()
    };
    let found = workspace(folder);
    let result = match &found {
        Ok(workspace) => service::execute(workspace, &request, &mut ())
            .map_err(|err| Stopped::of_sync(&err, &workspace.upstream_name())),
        Err(kind) => Err(Stopped::of_kind(kind, "")),
    };
    Synced {
        way,
        print,
        configured: found.ok().and_then(|workspace| configured(&workspace).ok()),
        result,
    }
}

/// Asks the central of the workspace in `folder` for its heads.
pub fn listed(folder: &Path, interrupt: Arc<AtomicBool>) -> Result<Heads, Stopped> {
    let options = SyncOptions {
        prompt: Prompt::Never,
        interrupt,
        deadline: Some(DEFAULT_DEADLINE),
        ..SyncOptions::default()
    };
    let workspace = workspace(folder).map_err(|kind| Stopped::of_kind(&kind, ""))?;
    heads::listed(&workspace, &options).map_err(|kind| Stopped::of_kind(&kind, &workspace.upstream_name()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_stop_is_waited_out_in_some_way() {
        let table = [
            (Stop::Unreachable, Failure::Network),
            (Stop::NoRepository, Failure::Network),
            (Stop::Retries, Failure::Network),
            (Stop::Unauthenticated, Failure::Auth),
            (Stop::Forbidden, Failure::Auth),
            (Stop::Refused, Failure::Refused),
            (Stop::Locked, Failure::Locked),
            (Stop::Deletes, Failure::Guard),
            (Stop::Rewound, Failure::Guard),
            (Stop::Unfinished, Failure::Guard),
            (Stop::Full, Failure::Local),
            (Stop::ConfigMarkers, Failure::Local),
        ];
        for (stop, expected) in table {
            assert_eq!(failure(stop, stop.exit()), expected, "{stop:?}");
        }
    }

    #[test]
    fn a_workspace_further_up_is_another() {
        let folder = tempfile::tempdir().unwrap();
        let outer = folder.path().canonicalize().unwrap();
        let inner = outer.join("inner");
        for folder in [&outer, &inner] {
            std::fs::create_dir_all(folder.join(".metis")).unwrap();
            std::fs::write(folder.join(".metis/config.toml"), "[workspace]\nprefix = \"api\"\n").unwrap();
        }
        assert!(workspace(&inner).is_ok());
        std::fs::remove_dir_all(inner.join(".metis")).unwrap();
        assert!(matches!(
            workspace(&inner),
            Err(SyncErrorKind::MetisDir(MetisDirError::NotFound { .. }))
        ));
        assert!(workspace(&outer).is_ok());
    }
}
