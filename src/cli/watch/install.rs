//! `git metis-sync watch --install` and `--uninstall`.

use std::{
    io,
    path::{Path, PathBuf},
    sync::{Arc, atomic::AtomicBool},
};

use super::failed;
use crate::{
    cli::{Exit, Global, document, render},
    send_pack::connect::Prompt,
    sync::{SyncOptions, Workspace, heads},
    text::shown,
    watch::{
        program, registry,
        unit::{self, Manager},
    },
};

/// Registers the workspaces, after one listing each that worked, and has the system start the watcher.
pub fn install(global: &Global, paths: &[PathBuf], interrupt: &Arc<AtomicBool>) -> Result<Exit, Exit> {
    let options = SyncOptions {
        prompt: Prompt::Never,
        interrupt: Arc::clone(interrupt),
        ..SyncOptions::default()
    };
    for path in paths {
        let workspace = Workspace::discover(path).map_err(|kind| render::explained(global, "watch", &kind, ""))?;
        heads::listed(&workspace, &options)
            .map_err(|kind| render::explained(global, "watch", &kind, &workspace.upstream_name()))?;
    }
    for path in paths {
        let added =
            registry::add(path).map_err(|err| failed(global, &format!("cannot register {}: {err}", shown(path))))?;
        let word = if added { "Registered" } else { "Registered already:" };
        told(global, &format!("{word} {}", shown(path)));
    }
    let (manager, place) = place(global)?;
    let program = program::path().map_err(|err| failed(global, &format!("cannot find this program: {err}")))?;
    let text = manager.text(&program).ok_or_else(|| unspeakable(global, &program))?;
    unit::write(&place, &text).map_err(|err| failed(global, &format!("cannot write {}: {err}", shown(&place))))?;
    told(global, &format!("Wrote {}", shown(&place)));
    let start = manager.start(&place);
    match unit::run(&start, interrupt) {
        Ok(()) => {
            told(global, "The watcher runs, and starts with each session of yours.");
            Ok(Exit::Ok)
        }
        Err(stopped) => {
            let next = format!(
                "In a session of yours: `{}`. Until then `git metis-sync watch --all` watches what is registered.",
                unit::typed(&start)
            );
            Err(not_done(
                global,
                &place,
                "was written, but the system does not start it",
                &stopped,
                next,
            ))
        }
    }
}

/// Takes the workspaces out; with the last one goes what starts the watcher.
pub fn uninstall(global: &Global, paths: &[PathBuf], interrupt: &Arc<AtomicBool>) -> Result<Exit, Exit> {
    let cannot = |err: io::Error| failed(global, &format!("git's configuration cannot be changed: {err}"));
    for path in paths {
        let word = match registry::remove(path).map_err(cannot)? {
            true => "Taken out:",
            false => "Was not registered:",
        };
        told(global, &format!("{word} {}", shown(path)));
    }
    let is_last = registry::all().map_err(cannot)?.is_empty();
    let (manager, place) = place(global)?;
    if !place.exists() {
        return Ok(Exit::Ok);
    }
    // What runs goes on with those that are left, or ends.
    let commands = if is_last { manager.stop() } else { manager.start(&place) };
    let done = unit::run(&commands, interrupt);
    if is_last {
        unit::remove(&place).map_err(|err| failed(global, &format!("cannot remove {}: {err}", shown(&place))))?;
        told(global, &format!("Removed {}", shown(&place)));
    }
    match done {
        Ok(()) => Ok(Exit::Ok),
        Err(stopped) => {
            let what = if is_last {
                "was removed, but"
            } else {
                "is still there, and"
            };
            let what = format!("{what} a watcher that runs was not told");
            let next = format!(
                "In a session of yours: `{}`, or end its process.",
                unit::typed(&commands)
            );
            Err(not_done(global, &place, &what, &stopped, next))
        }
    }
}

fn place(global: &Global) -> Result<(Manager, PathBuf), Exit> {
    let manager = Manager::here();
    let place = manager
        .place()
        .ok_or_else(|| failed(global, "this user has no home directory"))?;
    Ok((manager, place))
}

fn unspeakable(global: &Global, program: &Path) -> Exit {
    let message = format!(
        "{} cannot be started with a session: its path has characters that the system's service manager does not take",
        shown(program)
    );
    let next = "Install the program in another folder, then run this again. The workspaces are registered.".to_owned();
    document::stopped(global, "watch", "service-manager", message, next)
}

fn not_done(global: &Global, place: &Path, what: &str, stopped: &unit::Stopped, next: String) -> Exit {
    let message = format!("{} {what}: `{}`: {}", shown(place), stopped.command, stopped.said);
    document::stopped(global, "watch", "service-manager", message, next)
}

fn told(global: &Global, line: &str) {
    if global.talks() {
        mention!("{line}");
    }
}
