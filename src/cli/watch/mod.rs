//! `git metis-sync watch`.

mod install;
mod status;

use std::{
    os::unix::process::CommandExt,
    path::PathBuf,
    process::{Command, Stdio},
    sync::{Arc, atomic::AtomicBool},
};

use clap::Args;

use super::{Exit, Global, render};
use crate::{
    hooks::environment,
    sync::{SyncErrorKind, Workspace},
    text::{escaped, shown},
    watch::{
        program, registry,
        run::{self, Ended},
    },
};

#[derive(Debug, Clone, Args)]
pub struct WatchArgs {
    /// Workspaces [default: the one around]
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// All workspaces that are registered
    #[arg(long, conflicts_with = "paths")]
    all: bool,
    /// Register the workspaces; all that are registered are watched with each session
    #[arg(long, conflicts_with_all = ["all", "uninstall", "status"])]
    install: bool,
    /// Take them out again
    #[arg(long, conflicts_with_all = ["install", "status"])]
    uninstall: bool,
    /// Show what is watched, and how it goes
    #[arg(long)]
    status: bool,
    /// In an environment of its own already
    #[arg(long, hide = true)]
    started: bool,
}

/// Watches until it is asked to end, or does what else the arguments say.
pub fn run(global: &Global, args: &WatchArgs, interrupt: Arc<AtomicBool>) -> Exit {
    let paths = match paths(global, args) {
        Ok(paths) => paths,
        Err(exit) => return exit,
    };
    match args {
        WatchArgs { status: true, .. } => status::show(global, &paths),
        WatchArgs { install: true, .. } => install::install(global, &paths, &interrupt).unwrap_or_else(|exit| exit),
        WatchArgs { uninstall: true, .. } => install::uninstall(global, &paths, &interrupt).unwrap_or_else(|exit| exit),
        _ => watch(global, args, &paths, &interrupt),
    }
}

fn watch(global: &Global, args: &WatchArgs, paths: &[PathBuf], interrupt: &Arc<AtomicBool>) -> Exit {
    if paths.is_empty() {
        mention!("error: no workspace is registered\n  `git metis-sync watch --install PATH` registers one.");
        return Exit::Usage;
    }
    if !args.started {
        return again(global, args, paths);
    }
    match global.quiet {
        true => {}
        false if paths.len() == 1 => mention!("watching {}", shown(&paths[0])),
        false => mention!("watching {} workspaces", paths.len()),
    }
    let quiet = global.quiet;
    let mut tell = |line: &str| {
        if !quiet {
            mention!("{}", escaped(line));
        }
    };
    match run::watch(paths, !args.all, interrupt, &mut tell) {
        Ended::Interrupted => Exit::Interrupted,
        Ended::Replaced => again(global, args, paths),
        Ended::Watched(holder) => {
            let kind = SyncErrorKind::Watched { holder: holder.into() };
            render::explained(global, "watch", &kind, "")
        }
        Ended::Stopped(kind) => render::explained(global, "watch", &kind, ""),
    }
}

/// The workspaces that are meant: absolute, without links.
fn paths(global: &Global, args: &WatchArgs) -> Result<Vec<PathBuf>, Exit> {
    let is_about_all = args.all || (args.status && args.paths.is_empty());
    let mut out = match is_about_all {
        true => registry::all().map_err(|err| failed(global, &format!("git's configuration cannot be read: {err}")))?,
        false => Vec::new(),
    };
    if args.all {
        return Ok(out);
    }
    let start = global.start_dir();
    let given = match args.paths.as_slice() {
        [] => vec![start.clone()],
        paths => paths.iter().map(|path| start.join(path)).collect(),
    };
    for path in given {
        let workspace = match Workspace::discover(&path) {
            Ok(workspace) => workspace,
            // Where it is gone its name is enough to take it out.
            Err(_) if args.uninstall && !path.exists() => {
                out.push(path);
                continue;
            }
            Err(_) if is_about_all => continue,
            Err(kind) => return Err(render::explained(global, "watch", &kind, "")),
        };
        let project = workspace.metis().project();
        let project = project.canonicalize().unwrap_or_else(|_| project.to_owned());
        if !out.contains(&project) {
            out.push(project);
        }
    }
    Ok(out)
}

/// The same program in an environment that is not about whatever started it, away from any folder that may go.
fn again(global: &Global, args: &WatchArgs, paths: &[PathBuf]) -> Exit {
    let program = match program::path() {
        Ok(program) => program,
        Err(err) => return failed(global, &format!("cannot find this program: {err}")),
    };
    let mut command = Command::new(program);
    command.args(global.quiet.then_some("--quiet"));
    command.args(global.json.then_some("--json"));
    command.args((0..global.verbose).map(|_| "--verbose"));
    command.args(["watch", "--started"]);
    match args.all {
        true => command.arg("--all"),
        false => command.arg("--").args(paths),
    };
    command
        .env_clear()
        .envs(environment::kept())
        .env(environment::INSIDE, "1")
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("SSH_ASKPASS_REQUIRE", "never")
        .current_dir("/")
        .stdin(Stdio::null());
    let err = command.exec();
    failed(global, &format!("cannot start watching: {err}"))
}

fn failed(global: &Global, message: &str) -> Exit {
    let next = "Mend that, then run the same command again.";
    super::document::stopped(global, "watch", "io", message.to_owned(), next.into())
}
