//! `git metis-sync conduit`: folders that are kept in step.

mod define;
mod diff;
pub mod failure;
pub mod overview;
mod show;
mod sync;

use std::sync::{Arc, atomic::AtomicBool};

use clap::{Args, Subcommand, ValueEnum};
use serde::de::DeserializeOwned;

use super::{Exit, Global, render};
use crate::{
    conduit::Order,
    plan::conduit::{Mode, OnConflict, Outcome, Side},
    sync::{SyncOptions, Workspace},
};

pub use self::sync::tell;

#[derive(Debug, Clone, Args)]
pub struct ConduitArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Clone, Subcommand)]
enum What {
    /// Tie two sides (folders, central:NAME), and enable that here
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
    /// Show what a sync would change, or a past one changed
    Diff {
        name: String,
        /// Only what this generation changed
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

impl What {
    /// The conduit that it is about.
    fn name(&self) -> &str {
        match self {
            What::Add(AddArgs { name, .. })
            | What::Resolve(ResolveArgs { name, .. })
            | What::Show { name }
            | What::Remove { name }
            | What::Enable { name }
            | What::Disable { name }
            | What::History { name, .. }
            | What::Diff { name, .. }
            | What::Undo { name, .. } => name,
            What::List | What::Sync(_) => "NAME",
        }
    }
}

#[derive(Debug, Clone, Args)]
struct AddArgs {
    name: String,
    /// The source: a folder, from the project's top, central:NAME, or workspace:PREFIX
    alpha: String,
    /// The target: a folder or central:NAME
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
    /// Let the permission to run files travel through central
    #[arg(long, hide_short_help = true)]
    exec: bool,
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
    /// Accept a branch of central that was rewound or made anew
    #[arg(long)]
    adopt_central: bool,
}

#[derive(Debug, Clone, Args)]
struct ResolveArgs {
    name: String,
    #[arg(required = true)]
    paths: Vec<String>,
    /// Which version: alpha, beta, both beside each other, or base, as both had it last
    #[arg(long, hide_possible_values = true)]
    take: Take,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Take {
    Alpha,
    Beta,
    Both,
    Base,
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
    let options = |trigger: &str| super::sync::options(global, Arc::clone(&interrupt), trigger);
    let done = match &args.what {
        What::Add(args) => define::add(global, &workspace, args),
        What::List => define::list(global, &workspace),
        What::Show { name } => define::show_one(global, &workspace, name),
        What::Remove { name } => define::remove(global, &workspace, name),
        What::Enable { name } => define::enable(global, &workspace, name),
        What::Disable { name } => define::disable(global, &workspace, name),
        What::Sync(args) => {
            return sync::sync(global, &workspace, &args.names, |told| Order {
                options: SyncOptions {
                    dry_run: args.dry_run,
                    adopt_central: args.adopt_central,
                    ..options("conduit sync")
                },
                accept_deletes: args.accept_deletes,
                accept_first: args.accept_first,
                told,
                ..Order::default()
            });
        }
        What::History { name, generation } => sync::history(global, &workspace, name, *generation),
        What::Diff { name, generation } => {
            let order = Order {
                options: SyncOptions {
                    dry_run: true,
                    ..options("conduit diff")
                },
                ..Order::default()
            };
            diff::diff(global, &workspace, name, *generation, &order)
        }
        What::Resolve(args) => {
            let outcome = match args.take {
                Take::Alpha => Outcome::Take(Side::Alpha),
                Take::Beta => Outcome::Take(Side::Beta),
                Take::Both => Outcome::Beside(Side::Alpha),
                Take::Base => Outcome::Base,
            };
            return sync::sync(global, &workspace, std::slice::from_ref(&args.name), |told| Order {
                options: options("conduit resolve"),
                decided: args.paths.iter().map(|path| (path.clone(), outcome)).collect(),
                told,
                ..Order::default()
            });
        }
        What::Undo { name, generation } => {
            let order = Order {
                options: options("conduit undo"),
                ..Order::default()
            };
            sync::undo(global, &workspace, name, *generation, &order)
        }
    };
    done.unwrap_or_else(|error| failure::tell(global, &error, args.what.name()))
}
