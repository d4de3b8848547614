//! `git metis-sync conduit`: folders that are kept in step.

mod show;

use std::{
    collections::BTreeMap,
    sync::{Arc, atomic::AtomicBool},
};

use clap::{Args, Subcommand, ValueEnum};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{Exit, Global, render};
use crate::{
    conduit::{self, ConduitError, Definition, Order, Report, definition},
    plan::conduit::{Mode, OnConflict, Outcome, Side},
    state::files::StateDir,
    sync::{DEFAULT_LOCK_WAIT, Workspace},
    workspace::ConfigFile,
};

#[derive(Debug, Clone, Args)]
pub struct ConduitArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Clone, Subcommand)]
enum What {
    /// Tie two folders, and enable that in this clone
    Add(AddArgs),
    /// List the conduits of this workspace
    List,
    /// Show the definition of a conduit
    Show { name: String },
    /// Forget a conduit; its folders stay as they are
    Remove { name: String },
    /// Confirm a conduit's definition for this clone
    Enable { name: String },
    /// Don't sync a conduit in this clone
    Disable { name: String },
    /// Sync these conduits, or all that are enabled
    Sync(SyncArgs),
    /// List what past syncs of a conduit did
    History {
        name: String,
        /// Only this generation, path by path
        generation: Option<u64>,
    },
    /// Decide paths that both sides changed
    Resolve(ResolveArgs),
    /// Take back what a sync did; the next one carries that on
    Undo {
        name: String,
        /// Which sync [default: the newest one]
        generation: Option<u64>,
    },
}

#[derive(Debug, Clone, Args)]
struct AddArgs {
    name: String,
    /// The source: a folder, from the project's top
    alpha: String,
    /// The target, likewise
    beta: String,
    /// bidirectional (the default), mirror, selective
    #[arg(long, value_parser = one_of::<Mode>)]
    mode: Option<Mode>,
    /// prompt (the default), newest, source, target, file
    #[arg(long, value_name = "WHO", value_parser = one_of::<OnConflict>)]
    on_conflict: Option<OnConflict>,
    /// Only what matches this pattern (may be repeated)
    #[arg(long, value_name = "PATTERN")]
    include: Vec<String>,
    /// Not what matches this pattern (may be repeated)
    #[arg(long, value_name = "PATTERN")]
    exclude: Vec<String>,
    /// Define it in this clone only; its folders may lie outside the project
    #[arg(long)]
    local: bool,
}

#[derive(Debug, Clone, Default, Args)]
struct SyncArgs {
    names: Vec<String>,
    /// Write nothing; say what would happen
    #[arg(long)]
    dry_run: bool,
    /// Allow most or all of a side to be deleted or overwritten
    #[arg(long)]
    accept_deletes: bool,
    /// Allow a first mirror to replace and delete what is in the target
    #[arg(long)]
    accept_first: bool,
}

#[derive(Debug, Clone, Args)]
struct ResolveArgs {
    name: String,
    #[arg(required = true)]
    paths: Vec<String>,
    /// Which version: alpha, beta, or both beside each other
    #[arg(long, hide_possible_values = true)]
    take: Take,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Take {
    Alpha,
    Beta,
    Both,
}

/// A value by its name in config.toml.
fn one_of<T: DeserializeOwned>(word: &str) -> Result<T, String> {
    serde_json::from_value(word.into()).map_err(|err| err.to_string())
}

/// Does what the arguments say.
pub fn run(global: &Global, args: &ConduitArgs, interrupt: Arc<AtomicBool>) -> Exit {
    let workspace = match Workspace::discover(&global.start_dir()) {
        Ok(workspace) => workspace,
        Err(kind) => return render::explained(global, "conduit", &kind, ""),
    };
    let order = Order {
        dry_run: false,
        accept_deletes: false,
        accept_first: false,
        decided: BTreeMap::new(),
        trigger: "conduit sync",
        interrupt: &interrupt,
        lock_wait: DEFAULT_LOCK_WAIT,
    };
    let done = match &args.what {
        What::Add(args) => add(global, &workspace, args),
        What::List => list(global, &workspace),
        What::Show { name } => show_one(global, &workspace, name),
        What::Remove { name } => remove(global, &workspace, name),
        What::Enable { name } => enable(global, &workspace, name),
        What::Disable { name } => disable(global, &workspace, name),
        What::Sync(args) => {
            let order = Order {
                dry_run: args.dry_run,
                accept_deletes: args.accept_deletes,
                accept_first: args.accept_first,
                ..order
            };
            return sync(global, &workspace, &args.names, &order);
        }
        What::History { name, generation } => history(global, &workspace, name, *generation),
        What::Resolve(args) => {
            let outcome = match args.take {
                Take::Alpha => Outcome::Take(Side::Alpha),
                Take::Beta => Outcome::Take(Side::Beta),
                Take::Both => Outcome::Beside(Side::Alpha),
            };
            let order = Order {
                decided: args.paths.iter().map(|path| (path.clone(), outcome)).collect(),
                trigger: "conduit resolve",
                ..order
            };
            return sync(global, &workspace, std::slice::from_ref(&args.name), &order);
        }
        What::Undo { name, generation } => undo(
            global,
            &workspace,
            name,
            *generation,
            &Order {
                trigger: "conduit undo",
                ..order
            },
        ),
    };
    done.unwrap_or_else(|error| show::failure(global, &error, None))
}

fn add(global: &Global, workspace: &Workspace, args: &AddArgs) -> Result<Exit, ConduitError> {
    let metis = workspace.metis().dir();
    if definition::all(metis)?.contains_key(&args.name) {
        return Err(ConduitError::Exists(args.name.clone()));
    }
    let new = Definition {
        mode: args.mode.unwrap_or_default(),
        on_conflict: args.on_conflict.unwrap_or_default(),
        include: args.include.clone(),
        exclude: args.exclude.clone(),
        ..Definition::new(args.alpha.clone(), args.beta.clone())
    };
    let file = if args.local {
        ConfigFile::Local
    } else {
        ConfigFile::Shared
    };
    conduit::check(workspace, &args.name, &new, file)?;
    if args.local {
        StateDir::create(workspace.metis().path())?;
    }
    definition::add(metis, file, &args.name, &new)?;
    confirm(workspace, &args.name, Some(new.digest()))?;
    told(
        global,
        &args.name,
        "enabled",
        &format!(
            "{file} has the conduit {} now, and it is enabled in this clone.\nSync it: `git metis-sync conduit sync {}`",
            args.name, args.name
        ),
    );
    Ok(Exit::Ok)
}

fn confirm(workspace: &Workspace, name: &str, digest: Option<String>) -> Result<(), ConduitError> {
    Ok(workspace.guard()?.update(|notes| {
        match digest {
            Some(digest) => notes.conduits.insert(name.to_owned(), digest),
            None => notes.conduits.remove(name),
        };
    })?)
}

fn told(global: &Global, name: &str, state: &str, words: &str) {
    if global.json {
        render::print_json(&render::document("conduit", json!({ "name": name, "state": state })));
    } else if global.talks() {
        for line in words.lines() {
            say!("{line}");
        }
    }
}

fn list(global: &Global, workspace: &Workspace) -> Result<Exit, ConduitError> {
    let all = definition::all(workspace.metis().dir())?;
    let guard = workspace.guard()?;
    show::list(global, &all, &guard.notes().conduits);
    Ok(Exit::Ok)
}

fn defined(workspace: &Workspace, name: &str) -> Result<definition::Defined, ConduitError> {
    let all = definition::all(workspace.metis().dir())?;
    all.get(name)
        .cloned()
        .ok_or_else(|| ConduitError::Unknown(name.to_owned()))
}

fn show_one(global: &Global, workspace: &Workspace, name: &str) -> Result<Exit, ConduitError> {
    let defined = defined(workspace, name)?;
    let guard = workspace.guard()?;
    show::definition(global, name, &defined, &guard.notes().conduits);
    Ok(Exit::Ok)
}

fn remove(global: &Global, workspace: &Workspace, name: &str) -> Result<Exit, ConduitError> {
    let defined = defined(workspace, name)?;
    definition::remove(workspace.metis().dir(), defined.file, name)?;
    confirm(workspace, name, None)?;
    conduit::forget(workspace, name)?;
    told(
        global,
        name,
        "removed",
        &format!(
            "{} has no conduit {name} any more. Its folders are as they were, and what its syncs kept is in .metis/.sync/conduits/{name}/kept.",
            defined.file
        ),
    );
    Ok(Exit::Ok)
}

fn enable(global: &Global, workspace: &Workspace, name: &str) -> Result<Exit, ConduitError> {
    let defined = defined(workspace, name)?;
    conduit::check(workspace, name, &defined.definition, defined.file)?;
    confirm(workspace, name, Some(defined.definition.digest()))?;
    let guard = workspace.guard()?;
    show::definition(global, name, &defined, &guard.notes().conduits);
    Ok(Exit::Ok)
}

fn disable(global: &Global, workspace: &Workspace, name: &str) -> Result<Exit, ConduitError> {
    defined(workspace, name)?;
    confirm(workspace, name, None)?;
    told(
        global,
        name,
        "disabled",
        &format!("{name} is not synced in this clone any more."),
    );
    Ok(Exit::Ok)
}

/// What became of several conduits.
pub struct Synced {
    reports: Vec<Report>,
    failures: Vec<(String, ConduitError)>,
    dry_run: bool,
}

impl Synced {
    /// For a JSON document.
    pub fn json(&self) -> Value {
        show::synced(&self.reports, &self.failures)
    }

    /// Prints it, but for what a JSON document has, and returns the exit code.
    pub fn tell(&self, global: &Global) -> Exit {
        let mut exit = Exit::Ok;
        for report in &self.reports {
            if exit == Exit::Ok {
                exit = show::exit(report, self.dry_run);
            }
            if !global.json {
                show::report(global, report, self.dry_run);
            }
        }
        for (name, error) in &self.failures {
            exit = show::failure(global, error, Some(name));
        }
        exit
    }
}

fn sync(global: &Global, workspace: &Workspace, names: &[String], order: &Order<'_>) -> Exit {
    let synced = match names {
        [] => match enabled(workspace) {
            Ok(names) => sync_all(workspace, names, order),
            Err(error) => return show::failure(global, &error, None),
        },
        names => sync_all(workspace, names.to_vec(), order),
    };
    if global.json {
        render::print_json(&render::document("conduit", json!({ "conduits": synced.json() })));
    }
    synced.tell(global)
}

/// Syncs conduits one after the other. One that cannot be synced does not stop the others.
fn sync_all(workspace: &Workspace, names: Vec<String>, order: &Order<'_>) -> Synced {
    let mut synced = Synced {
        reports: Vec::new(),
        failures: Vec::new(),
        dry_run: order.dry_run,
    };
    for name in names {
        match conduit::sync_now(workspace, &name, order) {
            Ok(report) => synced.reports.push(report),
            Err(error) => synced.failures.push((name, error)),
        }
    }
    synced
}

fn enabled(workspace: &Workspace) -> Result<Vec<String>, ConduitError> {
    let all = definition::all(workspace.metis().dir())?;
    let guard = workspace.guard()?;
    Ok(all
        .into_keys()
        .filter(|name| guard.notes().conduits.contains_key(name))
        .collect())
}

/// Syncs what is enabled, after the documents were synced. `None`: nothing is.
pub fn sync_enabled(workspace: &Workspace, dry_run: bool, interrupt: &AtomicBool) -> Option<Synced> {
    if !workspace.has_conduits() {
        return None;
    }
    let order = Order {
        dry_run,
        accept_deletes: false,
        accept_first: false,
        decided: BTreeMap::new(),
        trigger: "sync",
        interrupt,
        lock_wait: DEFAULT_LOCK_WAIT,
    };
    // Whoever has a damaged definition is told by every `conduit` command.
    let names = enabled(workspace).ok().filter(|names| !names.is_empty())?;
    Some(sync_all(workspace, names, &order))
}

fn history(global: &Global, workspace: &Workspace, name: &str, number: Option<u64>) -> Result<Exit, ConduitError> {
    let mut all = conduit::generations(workspace, name)?;
    if let Some(number) = number {
        all.retain(|(generation, _)| generation.generation == number);
        if all.is_empty() {
            return Err(ConduitError::NoGeneration {
                name: name.to_owned(),
                number,
            });
        }
    }
    show::history(global, name, &all, number.is_some());
    Ok(Exit::Ok)
}

fn undo(
    global: &Global,
    workspace: &Workspace,
    name: &str,
    number: Option<u64>,
    order: &Order<'_>,
) -> Result<Exit, ConduitError> {
    let (generation, changes) = conduit::undo(workspace, name, number, order)?;
    show::undone(global, name, &generation, &changes);
    Ok(match generation.failed.is_empty() {
        true => Exit::Ok,
        false => Exit::NotVerified,
    })
}
