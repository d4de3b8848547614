//! `git metis-sync hooks install|uninstall|status|run`.

mod run;
mod show;

use std::{
    ffi::OsString,
    io::{self, Write},
    path::PathBuf,
    sync::{Arc, atomic::AtomicBool},
};

use anyhow::Context as _;
use clap::{Args, Subcommand};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Global, hint::Exit, render};
use crate::{
    hooks::{
        Event,
        install::{self, Outcome, Wish},
        last_run::{Ended, LastRun},
        repository::Repository,
        script::{self, Call},
        status::{self, Place, Proof},
    },
    state::files::StateDir,
    sync::Workspace,
    workspace::{MetisDir, MetisDirError, Record},
};

#[derive(Debug, Clone, Args)]
pub struct HooksArgs {
    #[command(subcommand)]
    command: HooksCommand,
}

#[derive(Debug, Clone, Subcommand)]
enum HooksCommand {
    /// Sync by itself on pushes and merges
    Install(InstallArgs),
    /// Put all hook files back as they were
    Uninstall,
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
struct RunArgs {
    /// pre-push, post-merge, post-rewrite or post-commit
    event: String,
    /// Be the process that syncs
    #[arg(long, hide = true)]
    worker: bool,
    /// Be it at once, for somebody who waits
    #[arg(long, hide = true, requires = "worker")]
    foreground: bool,
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
        HooksCommand::Uninstall => uninstall(global),
        HooksCommand::Status => status(global),
        HooksCommand::Run(args) if args.worker => Ok(run::work(global, args, interrupt)),
        HooksCommand::Run(args) => Ok(run::fire(global, args, &interrupt)),
    };
    done.unwrap_or_else(|err| {
        mention!("error: {err:#}");
        Exit::Error
    })
}

fn install(global: &Global, args: &InstallArgs) -> anyhow::Result<Exit> {
    let repository = Repository::discover(&global.start_dir())?;
    let folder = workspace_folder(global, &repository)?;
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
        let call = Call {
            event,
            folder: folder.clone(),
        };
        let outcome = install::install(&repository, &call, &wish).context("hooks are installed only in part")?;
        done.push((event, outcome));
    }
    let all = done.iter().all(|(_, outcome)| outcome.is_installed());
    show::print_outcomes(global, "hooks install", &done);
    if all && global.talks() && !global.json {
        say!("`git metis-sync hooks status` shows whether they fire.");
        if notes_in_config(global) {
            say!(
                "A sync notes central's commit in .metis/config.toml, where git sees a change; `git metis-sync init --record \
                 local` keeps it in this clone."
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

/// Where the workspace is, as seen from where git runs hooks, unless that is it. Somebody may also install hooks before there is
/// a workspace, or for those that linked worktrees have.
fn workspace_folder(global: &Global, repository: &Repository) -> anyhow::Result<Option<String>> {
    let metis = match MetisDir::discover(&global.start_dir()) {
        Ok(metis) => metis,
        Err(MetisDirError::NotFound { .. } | MetisDirError::NoConfig { .. }) => return Ok(None),
        Err(err) => return Err(err.into()),
    };
    let run_dir = repository.run_dir.canonicalize().context("cannot find the work tree")?;
    let folder = match metis.project().strip_prefix(&run_dir) {
        Ok(folder) if folder.as_os_str().is_empty() => return Ok(None),
        Ok(folder) => folder,
        // A workspace around the repository is another project's.
        Err(_) => return Ok(None),
    };
    let folder = folder
        .to_str()
        .with_context(|| format!("the path {} is not UTF-8", folder.display()))?;
    Ok(Some(folder.to_owned()))
}

fn uninstall(global: &Global) -> anyhow::Result<Exit> {
    let repository = Repository::discover(&global.start_dir())?;
    let mut done = Vec::new();
    for event in Event::ALL {
        let outcomes = install::uninstall(&repository, event).context("hooks are uninstalled only in part")?;
        done.extend(outcomes.into_iter().map(|outcome| (event, outcome)));
    }
    show::print_outcomes(global, "hooks uninstall", &done);
    if done.is_empty() && global.talks() && !global.json {
        say!("No hooks are installed.");
    }
    let refused = done
        .iter()
        .any(|(_, outcome)| matches!(outcome, Outcome::Refused { .. }));
    Ok(if refused { Exit::Error } else { Exit::Ok })
}

fn status(global: &Global) -> anyhow::Result<Exit> {
    let repository = Repository::discover(&global.start_dir())?;
    let folder = workspace_folder(global, &repository)?;
    let mut hooks = Vec::new();
    for event in Event::ALL {
        let call = Call {
            event,
            folder: folder.clone(),
        };
        let (place, proof) = status::survey(&repository, &call)?;
        hooks.push((event, place, proof));
    }
    let last_run = MetisDir::discover(&global.start_dir())
        .ok()
        .and_then(|metis| StateDir::open(metis.path()).ok().flatten())
        .and_then(|state| LastRun::load(&state));
    if global.json {
        let hooks: Vec<Value> = hooks.iter().map(show::status_json).collect();
        let value =
            json!({ "hooks_dir": repository.hooks_dir.display().to_string(), "hooks": hooks, "last_run": last_run });
        render::print_json(&render::document("hooks status", value));
    } else {
        let mut out = io::stdout().lock();
        let _ = writeln!(out, "git looks for hooks in {}", repository.hooks_dir.display());
        for (event, place, proof) in &hooks {
            let _ = writeln!(out, "{event:<13}{}", show::status_text(place, proof));
        }
        if let Some(run) = last_run {
            let what = match run.ended {
                Ended::Synced => "succeeded",
                Ended::Failed => "failed",
                Ended::Skipped => "was skipped",
            };
            let colon = if run.message.is_empty() { "" } else { ": " };
            let age = run.age(Timestamp::now());
            let _ = writeln!(
                out,
                "The last sync by a hook ({}) {what} {age}{colon}{}",
                run.event, run.message
            );
        }
    }
    let broken = hooks
        .iter()
        .any(|(_, place, proof)| matches!(proof, Proof::Silent(_)) || matches!(place, Place::Damaged(..)));
    Ok(if broken { Exit::Error } else { Exit::Ok })
}
