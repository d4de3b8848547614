//! What git's command runs: over in milliseconds, and never a failure, unless the user wants to wait for the sync.

use std::{ffi::OsString, path::Path, sync::atomic::AtomicBool};

use jiff::Timestamp;

use super::{
    Event,
    environment::{self, Signal},
    last_run::{LastRun, Note},
    run::{RunError, Target},
};
use crate::sync::stop::Exit;

/// A hook that git runs.
#[derive(Debug, Clone, Copy)]
pub struct Hook<'a> {
    /// Where it runs.
    pub start: &'a Path,
    /// Its name, as the hook file has it.
    pub event: &'a str,
    /// What git gave to it.
    pub args: &'a [OsString],
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fired {
    /// git's command goes on.
    Passed,
    /// git's command is stopped.
    Stopped(Exit),
    /// It was only to answer this. Whatever else the hook file does is not to be done.
    Answered(String),
}

/// Starts the worker, and waits for it where the user wants that. `tell` gets lines for the output of git's command.
pub fn fire(hook: Hook<'_>, interrupt: &AtomicBool, tell: &mut dyn FnMut(&str)) -> Fired {
    let signal = environment::signal(&|name| std::env::var_os(name));
    let event = match (hook.event.parse::<Event>(), signal) {
        (_, Signal::Nothing) => return Fired::Passed,
        (Ok(event), Signal::Answer(nonce)) => return Fired::Answered(environment::answer(&nonce, event, hook.start)),
        (Ok(event), Signal::Sync) => event,
        // A script of a later version must not fail with this one.
        (Err(err), _) => {
            tell(&format!("{}: {err}", hook.event));
            return Fired::Passed;
        }
    };
    let target = match Target::discover(hook.start, std::env::var_os("GIT_DIR").as_deref()) {
        Ok(None) => return Fired::Passed,
        Ok(Some(target)) => target,
        Err(err) => {
            tell(&format!("no sync was started: {err}"));
            return Fired::Passed;
        }
    };
    if target.blocks(event)
        && let Some(exit) = block(&target, event, hook.args, interrupt, tell)
    {
        return Fired::Stopped(exit);
    }
    // Also after one that was waited for: only afterwards is it known what has arrived.
    if let Err(err) = start(&target, event, tell) {
        tell(&format!("no sync was started: {err}"));
    }
    Fired::Passed
}

fn start(target: &Target, event: Event, tell: &mut dyn FnMut(&str)) -> Result<(), RunError> {
    let state = target.state()?;
    for note in [Note::Waiting, Note::Syncing] {
        if let Some(mut last) = LastRun::load(&state, note)
            && let Some(line) = last.untold(Timestamp::now())
            && target.has_own_state()
        {
            tell(&line);
            last.told = true;
            // At worst it is told again.
            let _ = last.store(&state, note);
        }
    }
    target.start(event, &state)
}

/// How git's command is stopped, if it is.
fn block(
    target: &Target,
    event: Event,
    args: &[OsString],
    interrupt: &AtomicBool,
    tell: &mut dyn FnMut(&str),
) -> Option<Exit> {
    let next = "[sync.hooks] blocking = true in .metis/config.toml makes it wait; METIS_SYNC=0 git push goes without";
    match target.run(event, args.first().map(OsString::as_os_str), interrupt) {
        Ok(Some(0)) => None,
        Ok(code) => {
            tell(&format!("the push is stopped because the sync failed ({next})"));
            let code = code.and_then(|code| u8::try_from(code).ok());
            Some(code.map_or(Exit::Interrupted, Exit::from_code)).filter(|exit| *exit != Exit::Ok)
        }
        Err(err) => {
            tell(&format!("the push is stopped: {err} ({next})"));
            Some(Exit::Error)
        }
    }
}
