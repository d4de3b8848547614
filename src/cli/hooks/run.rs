//! `hooks run`: what a hook file calls, and the worker that it starts.

use std::{
    io::{self, Write},
    path::Path,
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use jiff::Timestamp;

use super::{
    super::{
        Global,
        hint::{self, Exit},
        render,
        sync::{fail, fail_early},
    },
    RunArgs,
};
use crate::{
    hooks::{
        Event,
        last_run::{Ended, LastRun},
        run::{self, Order, RunError, Target},
        worker::{self, Waited},
    },
    send_pack::connect::Prompt,
    state::files::StateDir,
    sync::{self, Arrived, SyncError, SyncErrorKind, SyncOptions, Workspace},
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
            say(&format!("{}: {err}", args.event.escape_debug()));
            return Exit::Ok;
        }
    };
    let started = Target::discover(&global.start_dir(), std::env::var_os("GIT_DIR").as_deref());
    match started {
        Ok(None) => Exit::Ok,
        Ok(Some(target)) if target.blocks(event) => block(&target, event, interrupt),
        Ok(Some(target)) => {
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
    if let Some(mut last) = LastRun::load(&state)
        && let Some(line) = last.untold(Timestamp::now())
    {
        say(&line);
        last.told = true;
        // At worst it is told again.
        let _ = last.store(&state);
    }
    target.start(event, &state)
}

fn block(target: &Target, event: Event, interrupt: &AtomicBool) -> Exit {
    let next = "[sync.hooks] blocking = true in .metis/config.toml makes it wait; METIS_SYNC=0 git push goes without";
    match target.run(event, interrupt) {
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
    let line = line.replace(char::is_control, " ");
    let _ = writeln!(io::stderr().lock(), "metis-sync: {line}");
}

/// The worker: standard output and error are the log, or the terminal of somebody who waits.
pub fn work(global: &Global, args: &RunArgs, interrupt: Arc<AtomicBool>) -> Exit {
    worker::detach();
    let event = args.event.as_str();
    if !args.foreground {
        say!("--- {} {event}", Timestamp::now());
    }
    let workspace = match Workspace::discover(&global.start_dir()) {
        Ok(workspace) => workspace,
        Err(kind) => return fail_early(global, "sync", kind),
    };
    let Some(settings) = workspace.config().sync.as_ref() else {
        return Exit::Ok;
    };
    let deadline = run::deadline(&settings.hooks);
    let state = match StateDir::create(workspace.metis().path()) {
        Ok(state) => state,
        Err(err) => return fail_early(global, "sync", SyncErrorKind::State(err)),
    };
    let record = |ended, message: &str| {
        // The log has it too.
        let _ = LastRun::new(event, ended, message, Timestamp::now()).store(&state);
    };
    let _turn = if args.foreground {
        None
    } else {
        match worker::wait_for_turn(&state, args.git_dir.as_deref(), deadline) {
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
    watch(&workspace, deadline, event, &interrupt);
    let options = SyncOptions {
        deadline: Some(deadline),
        lock_wait: deadline.min(sync::DEFAULT_LOCK_WAIT),
        prompt: Prompt::Never,
        trigger: format!("hook {event}"),
        arrived: Arrived::Tracking,
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

fn watch(workspace: &Workspace, deadline: Duration, event: &str, interrupt: &Arc<AtomicBool>) {
    let (dot_metis, event) = (workspace.metis().path().to_owned(), event.to_owned());
    worker::watch(deadline, Arc::clone(interrupt), move || {
        mention!("error: the sync did not end in time and was ended");
        give_up(&dot_metis, &event);
    });
}

fn give_up(dot_metis: &Path, event: &str) {
    if let Ok(Some(state)) = StateDir::open(dot_metis) {
        let run = LastRun::new(
            event,
            Ended::Failed,
            "it did not end in time and was ended",
            Timestamp::now(),
        );
        let _ = run.store(&state);
    }
}

fn in_one_line(err: &SyncError, workspace: &Workspace) -> String {
    let hint = hint::of_sync(err, &workspace.upstream_name());
    format!("{}. {}", hint.message.trim_end_matches('.'), hint.next)
}
