//! The worker: it waits until git's command has ended and for its turn, and syncs what has arrived.

use std::{
    ffi::OsString,
    io::BufRead,
    path::{Path, PathBuf},
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use jiff::Timestamp;

use super::{
    last_run::{Ended, LastRun, Note},
    notify,
    process::Process,
    pushed, run,
    worker::{self, Waited},
};
use crate::{
    project::trust,
    send_pack::connect::Prompt,
    service::{self, Conduits, Served, SyncRequest},
    stage::own::WORKTREE,
    state::files::StateDir,
    sync::{self, Arrived, SyncError, SyncErrorKind, Workspace, stop},
    workspace::{MetisDir, MetisDirError},
};

/// What a worker is told on its command line.
#[derive(Debug, Clone, Copy)]
pub struct Task<'a> {
    /// Where the workspace is.
    pub start: &'a Path,
    /// The hook that fired.
    pub event: &'a str,
    /// What git gave to it.
    pub args: &'a [OsString],
    /// Whether somebody waits for it.
    pub foreground: bool,
    /// The process whose end is to be waited for, as [`Process::to_argument()`] writes it.
    pub until_end_of: Option<&'a str>,
    /// The repository whose unfinished business is to be waited for.
    pub git_dir: Option<&'a PathBuf>,
}

/// What a worker came to.
#[derive(Debug)]
pub enum Worked {
    /// There was nothing for this one to do; what it has told says why.
    Nothing,
    /// Another one was still syncing when the time was over.
    Busy,
    /// It synced.
    Synced(Box<Served>),
    /// It stopped; central's name, without secrets, as far as it is known.
    Stopped(SyncError, String),
}

impl From<SyncErrorKind> for Worked {
    fn from(kind: SyncErrorKind) -> Self {
        Worked::Stopped(kind.into(), String::new())
    }
}

/// What a worker has around it.
pub struct Around<'a> {
    /// Set when it is asked to end.
    pub interrupt: Arc<AtomicBool>,
    /// What git wrote to its hook.
    pub input: &'a mut dyn BufRead,
    /// Gets lines for the log.
    pub tell: &'a mut dyn FnMut(&str),
    /// Called on a thread of its own when the worker has not ended long after its deadline: this has to end the process.
    pub out_of_time: fn(),
}

/// Waits and syncs.
pub fn work(task: Task<'_>, around: &mut Around<'_>) -> Worked {
    worker::detach();
    let metis = match MetisDir::discover(task.start, &trust::may_hold_workspace) {
        Err(MetisDirError::NotFound { .. } | MetisDirError::NoConfig { .. }) => {
            Workspace::discover(task.start).map(Workspace::into_metis)
        }
        found => found.map_err(SyncErrorKind::from),
    };
    let state = metis.and_then(|metis| Ok(sync::made_state(&metis)?));
    let state = match state {
        Ok(state) => state,
        Err(kind) => return kind.into(),
    };
    if let Some(git) = task.until_end_of.and_then(Process::from_argument) {
        if LastRun::load(&state, Note::Waiting).is_some_and(|other| other.covers(&git)) {
            (around.tell)("Another hook of the same command waits for its end: that is enough.");
            return Worked::Nothing;
        }
        let longest = worker::GIT_PATIENCE + worker::LONGEST_END;
        // Without the note nobody learns that this process was killed, which is no reason not to sync.
        let _ = LastRun::begun(task.event, longest, Some(&git), Timestamp::now()).store(&state, Note::Waiting);
        worker::wait_for_git(&git, worker::GIT_PATIENCE);
    }
    let worked = take_turn(task, &state, around);
    LastRun::waits_no_more(&state);
    worked
}

/// Waits until no other worker syncs, and syncs. What git's command has brought, config.toml included, is there by now.
fn take_turn(task: Task<'_>, state: &StateDir, around: &mut Around<'_>) -> Worked {
    let workspace = match Workspace::discover(task.start) {
        Ok(workspace) => workspace,
        Err(kind) => return kind.into(),
    };
    let Some(settings) = workspace.config().sync.as_ref() else {
        return Worked::Nothing;
    };
    let deadline = run::deadline(&settings.hooks);
    let wants_notice = settings.hooks.notify && !task.foreground;
    let record = |ended, message: &str, tell: &mut dyn FnMut(&str)| {
        let run = LastRun::new(task.event, ended, message, Timestamp::now());
        // The log has it too.
        let _ = run.store(state, Note::Syncing);
        notice(wants_notice, &run, tell);
    };
    let source = settings.source.as_ref().filter(|source| **source != WORKTREE);
    // A branch's tree is whole whatever git is in the middle of.
    let git_dir = task.git_dir.filter(|_| source.is_none());
    let waited = match task.foreground {
        true => None,
        false => Some(worker::wait_for_turn(state, git_dir.map(PathBuf::as_path), deadline)),
    };
    let _turn = match waited {
        None => None,
        Some(Ok(Waited::Turn(turn))) => Some(turn),
        Some(Ok(Waited::OneIsEnough)) => {
            (around.tell)("Another hook's sync is about to begin: that is enough.");
            return Worked::Nothing;
        }
        Some(Ok(Waited::Unfinished(what))) => {
            (around.tell)(&format!("Skipped: {what} is not finished."));
            record(Ended::Skipped, &format!("{what} is not finished"), around.tell);
            return Worked::Nothing;
        }
        Some(Ok(Waited::Busy)) => {
            (around.tell)("Given up: another hook's sync is still running.");
            record(Ended::Failed, "another hook's sync was still running", around.tell);
            return Worked::Busy;
        }
        Some(Err(err)) => return SyncErrorKind::State(err).into(),
    };
    let begun = LastRun::begun(task.event, deadline + worker::LONGEST_END, None, Timestamp::now());
    let _ = begun.store(state, Note::Syncing);
    watch(&workspace, deadline, task.event, wants_notice, around);
    let arrived = match task.foreground {
        true => about_to_arrive(&workspace, source.map(|source| source.raw()), task.args, around.input),
        false => Arrived::Tracking,
    };
    let request = SyncRequest {
        deadline: Some(deadline),
        lock_wait: deadline.min(sync::DEFAULT_LOCK_WAIT),
        prompt: Prompt::Never,
        trigger: format!("hook {}", task.event),
        arrived,
        interrupt: Arc::clone(&around.interrupt),
        // Somebody who waits for a push waits for documents alone.
        conduits: !task.foreground,
        ..SyncRequest::default()
    };
    match service::execute(&workspace, &request, &mut ()) {
        Ok(served) => {
            match served.conduits.as_ref().and_then(Conduits::trouble) {
                Some(trouble) => record(Ended::Failed, &trouble, around.tell),
                None => record(Ended::Synced, "", around.tell),
            }
            Worked::Synced(Box::new(served))
        }
        Err(err) => {
            let url = workspace.upstream_name();
            record(Ended::Failed, stop::of_sync(&err, &url).line().raw(), around.tell);
            Worked::Stopped(err, url)
        }
    }
}

/// What the push, which waits for this process, brings to the source branch, and nothing else of what it may push. Where git's
/// lines do not say so, or it goes to another remote: what has arrived before.
fn about_to_arrive(workspace: &Workspace, source: Option<&str>, args: &[OsString], input: &mut dyn BufRead) -> Arrived {
    let Some((remote, name)) = source.and_then(|branch| workspace.project().counterpart(branch)) else {
        return Arrived::Tracking;
    };
    if args.first().is_none_or(|pushed_to| *pushed_to != *remote) {
        return Arrived::Tracking;
    }
    pushed::commit(&pushed::read(input), &name).map_or(Arrived::Tracking, Arrived::Commit)
}

fn watch(workspace: &Workspace, deadline: Duration, event: &str, wants_notice: bool, around: &Around<'_>) {
    let (dot_metis, event) = (workspace.metis().path().to_owned(), event.to_owned());
    let out_of_time = around.out_of_time;
    worker::watch(deadline, Arc::clone(&around.interrupt), move || {
        give_up(&dot_metis, &event, wants_notice);
        out_of_time();
    });
}

/// Says on the desktop that a sync failed, if that is wanted.
fn notice(wanted: bool, run: &LastRun, tell: &mut dyn FnMut(&str)) {
    if let Some(line) = run.unsettled(Timestamp::now()).filter(|_| wanted)
        && let Err(err) = notify::notify(&line)
    {
        tell(&format!("Not shown on the desktop: {err}"));
    }
}

fn give_up(dot_metis: &Path, event: &str, wants_notice: bool) {
    if let Ok(Some(state)) = StateDir::open(dot_metis) {
        let run = LastRun::new(
            event,
            Ended::Failed,
            "it did not end in time and was ended",
            Timestamp::now(),
        );
        let _ = run.store(&state, Note::Syncing);
        notice(wants_notice, &run, &mut |_| {});
    }
}
