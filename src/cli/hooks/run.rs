//! `hooks run`: what a hook file calls, and the worker that it starts.

use std::{
    ffi::OsString,
    io,
    path::Path,
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use jiff::Timestamp;

use super::{
    super::{
        Exit, Global, render,
        sync::{fail, fail_early},
    },
    RunArgs,
};
use crate::{
    hooks::{
        Event,
        last_run::{Ended, LastRun, Note},
        notify,
        process::Process,
        pushed,
        run::{self, Order, RunError, Target},
        worker::{self, Waited},
    },
    plan::listing::escaped,
    project::trust,
    send_pack::connect::Prompt,
    stage::own::WORKTREE,
    state::files::StateDir,
    sync::{self, Arrived, SyncError, SyncErrorKind, SyncOptions, Workspace, stop},
    workspace::{MetisDir, MetisDirError},
};

/// What git's command runs: over in milliseconds, and never a failure, unless the user wants to wait for the sync.
pub fn fire(global: &Global, args: &RunArgs, interrupt: &AtomicBool) -> Exit {
    let order = run::order(&|name| std::env::var_os(name));
    let event = match (args.event.parse::<Event>(), order) {
        (_, Order::Nothing) => return Exit::Ok,
        (Ok(event), Order::Answer(nonce)) => {
            say!("{}", run::answer(&nonce, event, &global.start_dir()));
            // Whatever else the hook file does is not to be done now.
            return Exit::Stopped;
        }
        (Ok(event), Order::Sync) => event,
        // A script of a later version must not fail with this one.
        (Err(err), _) => {
            say(&format!("{}: {err}", args.event));
            return Exit::Ok;
        }
    };
    let started = Target::discover(&global.start_dir(), std::env::var_os("GIT_DIR").as_deref());
    match started {
        Ok(None) => Exit::Ok,
        Ok(Some(target)) => {
            if target.blocks(event) {
                let blocked = block(&target, event, args, interrupt);
                if blocked != Exit::Ok {
                    return blocked;
                }
            }
            // Also after one that was waited for: only afterwards is it known what has arrived.
            if let Err(err) = start(&target, event) {
                say(&format!("no sync was started: {err}"));
            }
            Exit::Ok
        }
        Err(err) => {
            say(&format!("no sync was started: {err}"));
            Exit::Ok
        }
    }
}

fn start(target: &Target, event: Event) -> Result<(), RunError> {
    let state = target.state()?;
    for note in [Note::Waiting, Note::Syncing] {
        if let Some(mut last) = LastRun::load(&state, note)
            && let Some(line) = last.untold(Timestamp::now())
        {
            say(&line);
            last.told = true;
            // At worst it is told again.
            let _ = last.store(&state, note);
        }
    }
    target.start(event, &state)
}

fn block(target: &Target, event: Event, args: &RunArgs, interrupt: &AtomicBool) -> Exit {
    let next = "[sync.hooks] blocking = true in .metis/config.toml makes it wait; METIS_SYNC=0 git push goes without";
    match target.run(event, args.args.first().map(OsString::as_os_str), interrupt) {
        Ok(Some(0)) => Exit::Ok,
        Ok(code) => {
            say(&format!("the push is stopped because the sync failed ({next})"));
            code.and_then(|code| u8::try_from(code).ok())
                .map_or(Exit::Interrupted, Exit::from_code)
        }
        Err(err) => {
            say(&format!("the push is stopped: {err} ({next})"));
            Exit::Error
        }
    }
}

/// One line in the output of git's command.
fn say(line: &str) {
    mention!("metis-sync: {}", escaped(line));
}

/// The worker: standard output and error are the log, or the terminal of somebody who waits.
pub fn work(global: &Global, args: &RunArgs, interrupt: Arc<AtomicBool>) -> Exit {
    worker::detach();
    if args.foreground {
        return wait_and_sync(global, args, interrupt);
    }
    say!("--- {} {}", Timestamp::now(), args.event);
    let exit = wait_and_sync(global, args, interrupt);
    ended();
    exit
}

/// The last line of a worker in the log.
fn ended() {
    say!("Ended {}", Timestamp::now());
}

fn wait_and_sync(global: &Global, args: &RunArgs, interrupt: Arc<AtomicBool>) -> Exit {
    let start = global.start_dir();
    let metis = match MetisDir::discover(&start, &trust::may_hold_workspace) {
        Err(MetisDirError::NotFound { .. } | MetisDirError::NoConfig { .. }) => {
            Workspace::discover(&start).map(Workspace::into_metis)
        }
        found => found.map_err(SyncErrorKind::from),
    };
    let state = metis.and_then(|metis| Ok(sync::made_state(&metis)?));
    let state = match state {
        Ok(state) => state,
        Err(kind) => return fail_early(global, "sync", kind),
    };
    if let Some(git) = args.until_end_of.as_deref().and_then(Process::from_argument) {
        if LastRun::load(&state, Note::Waiting).is_some_and(|other| other.covers(&git)) {
            say!("Another hook of the same command waits for its end: that is enough.");
            return Exit::Ok;
        }
        let longest = worker::GIT_PATIENCE + worker::LONGEST_END;
        // Without the note nobody learns that this process was killed, which is no reason not to sync.
        let _ = LastRun::begun(&args.event, longest, Some(&git), Timestamp::now()).store(&state, Note::Waiting);
        worker::wait_for_git(&git, worker::GIT_PATIENCE);
    }
    let exit = take_turn(global, args, &state, interrupt);
    LastRun::waits_no_more(&state);
    exit
}

/// Waits until no other worker syncs, and syncs. What git's command has brought, config.toml included, is there by now.
fn take_turn(global: &Global, args: &RunArgs, state: &StateDir, interrupt: Arc<AtomicBool>) -> Exit {
    let workspace = match Workspace::discover(&global.start_dir()) {
        Ok(workspace) => workspace,
        Err(kind) => return fail_early(global, "sync", kind),
    };
    let Some(settings) = workspace.config().sync.as_ref() else {
        return Exit::Ok;
    };
    let deadline = run::deadline(&settings.hooks);
    let wants_notice = settings.hooks.notify && !args.foreground;
    let record = |ended, message: &str| {
        let run = LastRun::new(&args.event, ended, message, Timestamp::now());
        // The log has it too.
        let _ = run.store(state, Note::Syncing);
        notice(wants_notice, &run);
    };
    let source = settings.source.as_deref().filter(|source| *source != WORKTREE);
    // A branch's tree is whole whatever git is in the middle of.
    let git_dir = args.git_dir.as_deref().filter(|_| source.is_none());
    let _turn = if args.foreground {
        None
    } else {
        match worker::wait_for_turn(state, git_dir, deadline) {
            Ok(Waited::Turn(turn)) => Some(turn),
            Ok(Waited::OneIsEnough) => {
                say!("Another hook's sync is about to begin: that is enough.");
                return Exit::Ok;
            }
            Ok(Waited::Unfinished(what)) => {
                say!("Skipped: {what} is not finished.");
                record(Ended::Skipped, &format!("{what} is not finished"));
                return Exit::Ok;
            }
            Ok(Waited::Busy) => {
                say!("Given up: another hook's sync is still running.");
                record(Ended::Failed, "another hook's sync was still running");
                return Exit::Locked;
            }
            Err(err) => return fail_early(global, "sync", SyncErrorKind::State(err)),
        }
    };
    let begun = LastRun::begun(&args.event, deadline + worker::LONGEST_END, None, Timestamp::now());
    let _ = begun.store(state, Note::Syncing);
    watch(&workspace, deadline, &args.event, wants_notice, &interrupt);
    let arrived = match args.foreground {
        true => about_to_arrive(&workspace, source, args),
        false => Arrived::Tracking,
    };
    let options = SyncOptions {
        deadline: Some(deadline),
        lock_wait: deadline.min(sync::DEFAULT_LOCK_WAIT),
        prompt: Prompt::Never,
        trigger: format!("hook {}", args.event),
        arrived,
        interrupt,
        ..SyncOptions::default()
    };
    match sync::sync(&workspace, &options, &mut ()) {
        Ok(report) => {
            record(Ended::Synced, "");
            let quiet = args.foreground && report.is_noop();
            let global = Global {
                quiet: global.quiet || quiet,
                ..global.clone()
            };
            render::report(&global, "sync", &report);
            Exit::Ok
        }
        Err(err) => {
            record(Ended::Failed, &in_one_line(&err, &workspace));
            fail(global, "sync", &workspace, &err)
        }
    }
}

/// What the push, which waits for this process, brings to the source branch, and nothing else of what it may push. Where git's
/// lines do not say so, or it goes to another remote: what has arrived before.
fn about_to_arrive(workspace: &Workspace, source: Option<&str>, args: &RunArgs) -> Arrived {
    let Some((remote, name)) = source.and_then(|branch| workspace.project().counterpart(branch)) else {
        return Arrived::Tracking;
    };
    if args.args.first().is_none_or(|pushed_to| *pushed_to != *remote) {
        return Arrived::Tracking;
    }
    pushed::commit(&pushed::read(io::stdin().lock()), &name).map_or(Arrived::Tracking, Arrived::Commit)
}

fn watch(workspace: &Workspace, deadline: Duration, event: &str, wants_notice: bool, interrupt: &Arc<AtomicBool>) {
    let (dot_metis, event) = (workspace.metis().path().to_owned(), event.to_owned());
    worker::watch(deadline, Arc::clone(interrupt), move || {
        mention!("error: the sync did not end in time and was ended");
        give_up(&dot_metis, &event, wants_notice);
        ended();
    });
}

/// Says on the desktop that a sync failed, if that is wanted.
fn notice(wanted: bool, run: &LastRun) {
    if let Some(line) = run.unsettled(Timestamp::now()).filter(|_| wanted)
        && let Err(err) = notify::notify(&line)
    {
        say!("Not shown on the desktop: {err}");
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
        notice(wants_notice, &run);
    }
}

fn in_one_line(err: &SyncError, workspace: &Workspace) -> String {
    let hint = stop::of_sync(err, &workspace.upstream_name());
    format!("{}. {}", hint.message.trim_end_matches('.'), hint.next)
}
