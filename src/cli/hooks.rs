//! `git metis-sync hooks install|uninstall|status|run`.

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
    sync::{Arc, atomic::AtomicBool},
};

use anyhow::Context as _;
use clap::{Args, Subcommand};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::{
    hooks::{
        Event,
        install::{self, Outcome, Wish},
        last_run::{Ended, LastRun},
        repository::Repository,
        run::{self, Order, RunError, Target},
        script::{self, Call},
        status::{self, Place, Proof},
        worker::{self, Waited},
    },
    send_pack::connect::Prompt,
    state::files::StateDir,
    sync::{self, SyncError, SyncErrorKind, SyncOptions, Workspace},
    workspace::{MetisDir, MetisDirError},
};

use super::{
    Global,
    hint::{self, Exit},
    render,
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
    args: Vec<std::ffi::OsString>,
}

/// Runs the subcommand.
pub fn run(global: &Global, args: &HooksArgs, interrupt: Arc<AtomicBool>) -> Exit {
    let done = match &args.command {
        HooksCommand::Install(args) => install(global, args),
        HooksCommand::Uninstall => uninstall(global),
        HooksCommand::Status => status(global),
        HooksCommand::Run(args) if args.worker => Ok(work(global, args, interrupt)),
        HooksCommand::Run(args) => Ok(fire(global, args, &interrupt)),
    };
    done.unwrap_or_else(|err| {
        eprintln!("error: {err:#}");
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
    print_outcomes(global, "hooks install", &done);
    if all && global.talks() && !global.json {
        println!("`git metis-sync hooks status` shows whether they fire.");
    }
    Ok(if all { Exit::Ok } else { Exit::Error })
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
    print_outcomes(global, "hooks uninstall", &done);
    if done.is_empty() && global.talks() && !global.json {
        println!("No hooks are installed.");
    }
    let refused = done
        .iter()
        .any(|(_, outcome)| matches!(outcome, Outcome::Refused { .. }));
    Ok(if refused { Exit::Error } else { Exit::Ok })
}

fn print_outcomes(global: &Global, command: &str, done: &[(Event, Outcome)]) {
    if global.json {
        let hooks: Vec<Value> = done
            .iter()
            .map(|(event, outcome)| outcome_json(*event, outcome))
            .collect();
        render::print_json(&render::document(command, json!({ "hooks": hooks })));
        return;
    }
    for (event, outcome) in done {
        let text = outcome_text(*event, outcome);
        if matches!(outcome, Outcome::Refused { .. }) {
            eprint!("{text}");
        } else if global.talks() || !outcome.is_installed() {
            let _ = io::stdout().lock().write_all(text.as_bytes());
        }
    }
}

fn outcome_text(event: Event, outcome: &Outcome) -> String {
    let indented = |text: &str| text.lines().map(|line| format!("    {line}\n")).collect::<String>();
    match outcome {
        Outcome::Created(path) => format!("{event}: made {}\n", path.display()),
        Outcome::Inserted(path) => format!("{event}: added to {}\n", path.display()),
        Outcome::Unchanged(path) => format!("{event}: is there already, in {}\n", path.display()),
        Outcome::ByHand(path) => format!("{event}: {} has its own line for it, which stays\n", path.display()),
        Outcome::Configured(section) => format!("{event}: configured as {section}\n"),
        Outcome::Managed(manager, path) => {
            format!("{event}: {manager} has been told already, in {}\n", path.display())
        }
        Outcome::ForManager {
            manager,
            config,
            snippet,
        } => format!(
            "{event}: {manager} is in charge of this repository's hooks; nothing was changed. Add to {}:\n\n{}\n",
            config.display(),
            indented(snippet)
        ),
        Outcome::Refused { path, why, snippet } => {
            let hint = match snippet.is_empty() {
                true => String::new(),
                false => format!(
                    "  To call it from there yourself, the command is:\n\n{}\n",
                    indented(snippet)
                ),
            };
            format!("{event}: {} was not changed: {why}\n{hint}", path.display())
        }
        Outcome::Restored(path) => format!("{event}: {} is as it was\n", path.display()),
        Outcome::Removed(path) => format!("{event}: removed {}\n", path.display()),
        Outcome::Unconfigured(section) => format!("{event}: removed {section} from the configuration\n"),
    }
}

fn outcome_json(event: Event, outcome: &Outcome) -> Value {
    let (word, place) = match outcome {
        Outcome::Created(path) => ("created", path.display().to_string()),
        Outcome::Inserted(path) => ("inserted", path.display().to_string()),
        Outcome::Unchanged(path) => ("unchanged", path.display().to_string()),
        Outcome::ByHand(path) => ("by-hand", path.display().to_string()),
        Outcome::Configured(section) => ("configured", section.clone()),
        Outcome::Managed(_, path) => ("managed", path.display().to_string()),
        Outcome::ForManager { config, .. } => ("for-manager", config.display().to_string()),
        Outcome::Refused { path, .. } => ("refused", path.display().to_string()),
        Outcome::Restored(path) => ("restored", path.display().to_string()),
        Outcome::Removed(path) => ("removed", path.display().to_string()),
        Outcome::Unconfigured(section) => ("unconfigured", section.clone()),
    };
    let mut value = json!({ "event": event.name(), "outcome": word, "place": place });
    match outcome {
        Outcome::Managed(manager, _) => value["manager"] = manager.to_string().into(),
        Outcome::ForManager { manager, snippet, .. } => {
            value["manager"] = manager.to_string().into();
            value["snippet"] = snippet.as_str().into();
        }
        Outcome::Refused { why, snippet, .. } => {
            value["reason"] = why.to_string().into();
            value["snippet"] = snippet.as_str().into();
        }
        _ => {}
    }
    value
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
        let hooks: Vec<Value> = hooks.iter().map(status_json).collect();
        let value =
            json!({ "hooks_dir": repository.hooks_dir.display().to_string(), "hooks": hooks, "last_run": last_run });
        render::print_json(&render::document("hooks status", value));
    } else {
        let mut out = io::stdout().lock();
        let _ = writeln!(out, "git looks for hooks in {}", repository.hooks_dir.display());
        for (event, place, proof) in &hooks {
            let _ = writeln!(out, "{event:<13}{}", status_text(place, proof));
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

fn status_text(place: &Place, proof: &Proof) -> String {
    let place = match place {
        Place::None => return "not installed".into(),
        Place::File(path, script::Order::Before) => path.display().to_string(),
        Place::File(path, script::Order::After) => format!("{}, after its own lines", path.display()),
        Place::ByHand(path) => format!("{}, by a line of yours", path.display()),
        Place::Config(section) => format!("{section} in the repository's configuration"),
        Place::Managed(manager, path) => format!("{manager}, in {}", path.display()),
        Place::Untold(manager, path) => {
            return format!(
                "not installed; {manager} is in charge and {} does not call it (`hooks install` shows how)",
                path.display()
            );
        }
        Place::Damaged(path, why) => return format!("{}: {why}", path.display()),
    };
    match proof {
        Proof::Fires => format!("fires: {place}"),
        Proof::Silent(why) => format!("does not fire: {place}: {why}"),
        Proof::NotTried => format!("installed: {place} (not tried, which would run the rest of it too)"),
        Proof::Nothing => place,
    }
}

fn status_json((event, place, proof): &(Event, Place, Proof)) -> Value {
    let (kind, path) = match place {
        Place::None => ("none", None),
        Place::File(path, _) => ("file", Some(path.display().to_string())),
        Place::ByHand(path) => ("by-hand", Some(path.display().to_string())),
        Place::Config(section) => ("config", Some(section.clone())),
        Place::Managed(_, path) => ("managed", Some(path.display().to_string())),
        Place::Untold(_, path) => ("for-manager", Some(path.display().to_string())),
        Place::Damaged(path, _) => ("damaged", Some(path.display().to_string())),
    };
    let mut value = json!({ "event": event.name(), "kind": kind, "place": path, "fires": Value::Null });
    match place {
        Place::File(_, order) => value["after"] = (*order == script::Order::After).into(),
        Place::Managed(manager, _) | Place::Untold(manager, _) => value["manager"] = manager.to_string().into(),
        Place::Damaged(_, why) => value["reason"] = why.as_str().into(),
        _ => {}
    }
    match proof {
        Proof::Fires => value["fires"] = true.into(),
        Proof::Silent(why) => {
            value["fires"] = false.into();
            value["reason"] = why.as_str().into();
        }
        Proof::NotTried | Proof::Nothing => {}
    }
    value
}

/// What git's command runs: over in milliseconds, and never a failure, unless the user wants to wait for the sync.
fn fire(global: &Global, args: &RunArgs, interrupt: &AtomicBool) -> Exit {
    let order = run::order(&|name| std::env::var_os(name));
    let event = match (args.event.parse::<Event>(), order) {
        (_, Order::Nothing) => return Exit::Ok,
        (Ok(event), Order::Answer(nonce)) => {
            println!("{}", run::answer(&nonce, event));
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
fn work(global: &Global, args: &RunArgs, interrupt: Arc<AtomicBool>) -> Exit {
    worker::detach();
    let event = args.event.as_str();
    if !args.foreground {
        println!("--- {} {event}", Timestamp::now());
    }
    let workspace = match Workspace::discover(&global.start_dir()) {
        Ok(workspace) => workspace,
        Err(kind) => return super::sync::fail_early(global, "sync", kind),
    };
    let Some(settings) = workspace.config().sync.as_ref() else {
        return Exit::Ok;
    };
    let deadline = run::deadline(&settings.hooks);
    let state = match StateDir::create(workspace.metis().path()) {
        Ok(state) => state,
        Err(err) => return super::sync::fail_early(global, "sync", SyncErrorKind::State(err)),
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
                println!("Another hook's sync is about to begin: that is enough.");
                return Exit::Ok;
            }
            Ok(Waited::Unfinished(what)) => {
                println!("Skipped: {what} is not finished.");
                record(Ended::Skipped, &format!("{what} is not finished"));
                return Exit::Ok;
            }
            Ok(Waited::Busy) => {
                println!("Given up: another hook's sync is still running.");
                record(Ended::Failed, "another hook's sync was still running");
                return Exit::Locked;
            }
            Err(err) => return super::sync::fail_early(global, "sync", SyncErrorKind::State(err)),
        }
    };
    watch(&workspace, deadline, event, &interrupt);
    let options = SyncOptions {
        deadline: Some(deadline),
        lock_wait: deadline.min(sync::DEFAULT_LOCK_WAIT),
        prompt: Prompt::Never,
        trigger: format!("hook {event}"),
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
            super::sync::fail(global, "sync", &workspace, &err)
        }
    }
}

fn watch(workspace: &Workspace, deadline: std::time::Duration, event: &str, interrupt: &Arc<AtomicBool>) {
    let (dot_metis, event) = (workspace.metis().path().to_owned(), event.to_owned());
    worker::watch(deadline, Arc::clone(interrupt), move || {
        eprintln!("error: the sync did not end in time and was ended");
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
