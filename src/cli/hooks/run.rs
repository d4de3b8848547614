//! `hooks run`: what a hook file calls, and the worker that it starts.

use std::{
    io,
    sync::{Arc, atomic::AtomicBool},
};

use jiff::Timestamp;

use super::{
    super::{Exit, Global, conduit, render},
    RunArgs,
};
use crate::{
    hooks::{
        fire::{self, Fired, Hook},
        work::{self, Around, Task, Worked},
    },
    plan::listing::escaped,
    sync::stop,
};

/// What git's command runs.
pub fn fire(global: &Global, args: &RunArgs, interrupt: &AtomicBool) -> Exit {
    let start = global.start_dir();
    let hook = Hook {
        start: &start,
        event: &args.event,
        args: &args.args,
    };
    // One line each in the output of git's command.
    match fire::fire(hook, interrupt, &mut |line| mention!("metis-sync: {}", escaped(line))) {
        Fired::Passed => Exit::Ok,
        Fired::Stopped(exit) => exit,
        Fired::Answered(answer) => {
            say!("{answer}");
            Exit::Stopped
        }
    }
}

/// The worker: standard output and error are the log, or the terminal of somebody who waits.
pub fn work(global: &Global, args: &RunArgs, interrupt: Arc<AtomicBool>) -> Exit {
    let start = global.start_dir();
    let task = Task {
        start: &start,
        event: &args.event,
        args: &args.args,
        foreground: args.foreground,
        until_end_of: args.until_end_of.as_deref(),
        git_dir: args.git_dir.as_ref(),
    };
    if !args.foreground {
        say!("--- {} {}", Timestamp::now(), args.event);
    }
    let mut around = Around {
        interrupt,
        input: &mut io::stdin().lock(),
        tell: &mut |line| say!("{line}"),
        out_of_time,
    };
    let exit = show(global, args, work::work(task, &mut around));
    if !args.foreground {
        ended();
    }
    exit
}

fn show(global: &Global, args: &RunArgs, worked: Worked) -> Exit {
    match worked {
        Worked::Nothing => Exit::Ok,
        Worked::Busy => Exit::Locked,
        Worked::Synced(served) => {
            let quiet = args.foreground && served.report.is_noop();
            let global = Global {
                quiet: global.quiet || quiet,
                ..global.clone()
            };
            render::report(&global, "sync", &served.report, None);
            served
                .conduits
                .as_ref()
                .map_or(Exit::Ok, |conduits| conduit::tell(&global, conduits))
        }
        Worked::Stopped(err, url) => {
            let hint = stop::of_sync(&err, &url);
            render::failure(global, "sync", err.kind.word(), &hint, Some(&err.report));
            hint.exit
        }
    }
}

/// A file system or a program of somebody else's that hangs cannot hold the worker up.
fn out_of_time() {
    mention!("error: the sync did not end in time and was ended");
    ended();
    std::process::exit(1);
}

/// The last line of a worker in the log.
fn ended() {
    say!("Ended {}", Timestamp::now());
}
