//! `git metis-sync hooks install|uninstall|status|run`.

mod run;
mod show;

use std::{
    ffi::OsString,
    io::Write,
    path::PathBuf,
    sync::{Arc, atomic::AtomicBool},
};

use anyhow::Context as _;
use clap::{Args, Subcommand};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Exit, Global, output, render};
use crate::{
    hooks::{
        Event,
        install::{self, Outcome, Wish},
        last_run::LastRun,
        repository::Repository,
        script::{self, Call},
        status::{self, Place, Proof},
    },
    plan::listing::escaped,
    project::{Project, trust},
    sync::{self, Workspace},
    workspace::{MetisDir, MetisDirError, Record},
};

#[derive(Debug, Clone, Args)]
pub struct HooksArgs {
    #[command(subcommand)]
    command: HooksCommand,
}

#[derive(Debug, Clone, Subcommand)]
enum HooksCommand {
    /// Run a sync automatically on git push and merge
    Install(InstallArgs),
    /// Take this workspace's lines out of all hook files
    Uninstall(UninstallArgs),
    /// Where hooks are, whether they fire, and how the last sync that one started went
    Status,
    /// What a hook file calls
    Run(RunArgs),
}

#[derive(Debug, Clone, Args)]
struct InstallArgs {
    /// pre-push, post-merge, post-rewrite, post-commit [default: pre-push post-merge]
    #[arg(value_name = "EVENT")]
    events: Vec<Event>,
    /// Run after what a hook file does already, if that succeeds; otherwise before it
    #[arg(long)]
    after: bool,
    /// Allow a core.hooksPath outside of this repository
    #[arg(long)]
    shared: bool,
    /// Write to the repository's configuration instead of hook files (git 2.54 or later)
    #[arg(long, conflicts_with_all = ["after", "shared"])]
    config: bool,
}

#[derive(Debug, Clone, Args)]
struct UninstallArgs {
    /// Those of the repository's other workspaces too, so that every file is as it was
    #[arg(long)]
    all: bool,
}

#[derive(Debug, Clone, Args)]
struct RunArgs {
    /// pre-push, post-merge, post-rewrite or post-commit
    event: String,
    /// Be the process that syncs
    #[arg(long, hide = true)]
    worker: bool,
    /// Be it at once, for somebody who waits
    #[arg(long, hide = true, requires = "worker")]
    foreground: bool,
    /// The process whose end is to be waited for
    #[arg(long, hide = true, requires = "worker", conflicts_with = "foreground")]
    until_end_of: Option<String>,
    /// The repository whose unfinished business is to be waited for
    #[arg(long, hide = true, requires = "worker")]
    git_dir: Option<PathBuf>,
    /// What git gives to its hook
    #[arg(last = true)]
    args: Vec<OsString>,
}

/// Runs the subcommand.
pub fn run(global: &Global, args: &HooksArgs, interrupt: Arc<AtomicBool>) -> Exit {
    let done = match &args.command {
        HooksCommand::Install(args) => install(global, args),
        HooksCommand::Uninstall(args) => uninstall(global, args),
        HooksCommand::Status => status(global),
        HooksCommand::Run(args) if args.worker => Ok(run::work(global, args, interrupt)),
        HooksCommand::Run(args) => Ok(run::fire(global, args, &interrupt)),
    };
    done.unwrap_or_else(|err| {
        mention!("error: {}", escaped(&format!("{err:#}")));
        Exit::Error
    })
}

fn install(global: &Global, args: &InstallArgs) -> anyhow::Result<Exit> {
    let repository = Repository::discover(&global.start_dir())?;
    let seat = Seat::find(global, &repository)?;
    let wish = Wish {
        order: match args.after {
            true => script::Order::After,
            false => script::Order::Before,
        },
        shared: args.shared,
        configured: args.config,
    };
    let mut events = args.events.clone();
    if events.is_empty() {
        events.extend(Event::DEFAULT);
    }
    let mut done = Vec::new();
    for event in events {
        let call = seat.call(event);
        let outcome = install::install(&repository, &call, &wish).context("hooks are installed only in part")?;
        done.push((event, outcome));
    }
    let all = done.iter().all(|(_, outcome)| outcome.is_installed());
    show::print_outcomes(global, "hooks install", &done);
    if all && global.talks() && !global.json {
        say!("`git metis-sync hooks status` shows whether they fire.");
        if !seat.is_workspace {
            say!("There is no workspace here yet: until then the hooks do nothing.");
        }
        if notes_in_config(global) {
            say!(
                "[sync] record = \"config\": a sync notes central's commit in .metis/config.toml, where git sees a change; \
                 `git metis-sync init --record auto` keeps it out of files that git tracks."
            );
        }
    }
    Ok(if all { Exit::Ok } else { Exit::Error })
}

/// Whether a sync that nobody started by hand will change a file that people commit.
fn notes_in_config(global: &Global) -> bool {
    let workspace = Workspace::discover(&global.start_dir()).ok();
    let settings = workspace
        .as_ref()
        .and_then(|workspace| workspace.config().sync.as_ref());
    settings.is_some_and(|settings| settings.record == Record::Config)
}

/// Where a workspace is among those of its repository.
struct Seat {
    /// Its folder as seen from where git runs hooks; `None` if it is there.
    folder: Option<PathBuf>,
    /// Whether there is a workspace at all. Somebody may also install hooks before there is one, or for those that linked
    /// worktrees have.
    is_workspace: bool,
}

impl Seat {
    fn find(global: &Global, repository: &Repository) -> anyhow::Result<Self> {
        let run_dir = repository.run_dir.canonicalize().context("cannot find the work tree")?;
        let none = Seat {
            folder: None,
            is_workspace: false,
        };
        let metis = match MetisDir::discover(&global.start_dir(), &trust::may_hold_workspace) {
            Ok(metis) => metis,
            Err(MetisDirError::NotFound { .. } | MetisDirError::NoConfig { .. }) => return Ok(none),
            Err(err) => return Err(err.into()),
        };
        let folder = match metis.project().strip_prefix(&run_dir) {
            Ok(folder) => Some(folder.to_owned()).filter(|folder| !folder.as_os_str().is_empty()),
            // `.metis` is a repository of its own.
            Err(_) if metis.path() == run_dir => None,
            // A workspace around the repository is another project's.
            Err(_) => return Ok(none),
        };
        Ok(Seat {
            folder,
            is_workspace: true,
        })
    }

    fn call(&self, event: Event) -> Call {
        Call {
            event,
            folder: self.folder.clone(),
        }
    }
}

fn uninstall(global: &Global, args: &UninstallArgs) -> anyhow::Result<Exit> {
    let repository = Repository::discover(&global.start_dir())?;
    let seat = Seat::find(global, &repository)?;
    let mut done = Vec::new();
    for event in Event::ALL {
        let outcomes = install::uninstall(&repository, &seat.call(event), args.all)
            .context("hooks are uninstalled only in part")?;
        done.extend(outcomes.into_iter().map(|outcome| (event, outcome)));
    }
    show::print_outcomes(global, "hooks uninstall", &done);
    if done.is_empty() && global.talks() && !global.json {
        match install::others(&repository, &Event::ALL.map(|event| seat.call(event)))? {
            true => say!(
                "No hooks are installed for this workspace. There are those of other workspaces in this repository: uninstall from \
                 there, or all of them with --all."
            ),
            false => say!("No hooks are installed."),
        }
    }
    let refused = done
        .iter()
        .any(|(_, outcome)| matches!(outcome, Outcome::Refused { .. }));
    Ok(if refused { Exit::Error } else { Exit::Ok })
}

fn status(global: &Global) -> anyhow::Result<Exit> {
    let repository = Repository::discover(&global.start_dir())?;
    let seat = Seat::find(global, &repository)?;
    let mut hooks = Vec::new();
    for event in Event::ALL {
        let (place, proof) = status::survey(&repository, &seat.call(event))?;
        hooks.push((event, place, proof));
    }
    let last_run = MetisDir::discover(&global.start_dir(), &trust::may_hold_workspace)
        .ok()
        .and_then(|metis| sync::own_state(&metis, &Project::discover(metis.path())))
        .and_then(|state| LastRun::latest(&state));
    if global.json {
        let hooks: Vec<Value> = hooks.iter().map(show::status_json).collect();
        let value = json!({ "hooks_dir": show::shown(&repository.hooks_dir), "hooks": hooks, "last_run": last_run });
        render::print_json(&render::document("hooks status", value));
    } else {
        let mut out = output::stdout();
        let _ = writeln!(out, "git looks for hooks in {}", show::shown(&repository.hooks_dir));
        for (event, place, proof) in &hooks {
            let _ = writeln!(out, "{event:<13}{}", show::status_text(place, proof));
        }
        if let Some(run) = last_run {
            let how = run.how(Timestamp::now());
            let _ = writeln!(out, "The last sync by a hook ({}) {how}", run.event);
        }
    }
    let broken = hooks
        .iter()
        .any(|(_, place, proof)| matches!(proof, Proof::Silent(_)) || matches!(place, Place::Damaged(..)));
    Ok(if broken { Exit::Error } else { Exit::Ok })
}
