//! `git metis-sync status`: where the workspace stands, and what a sync would do or stumble over.
//!
//! Central is asked once for its branch, and what it has that is new is received into the object cache, where the next
//! sync finds it. `--offline` compares with what the last sync saw. A central that cannot be reached is said in a line
//! and is no failure of this command.

mod porcelain;
mod text;

use std::sync::{Arc, atomic::AtomicBool};

use clap::{Args, ValueEnum};
use jiff::Timestamp;

use crate::{
    sync::{
        SyncErrorKind, Workspace,
        preview::{self, Ask},
    },
    view::Status,
};

use super::{Exit, Global, background, conduit::overview, progress::Bar, render, sync::options};

#[derive(Debug, Clone, Args)]
pub struct StatusArgs {
    /// Offline: compare with the last sync
    #[arg(long)]
    offline: bool,
    /// Print lines for scripts, stable across versions
    #[arg(long, value_name = "VERSION", num_args = 0..=1, require_equals = true, default_missing_value = "v1")]
    porcelain: Option<Porcelain>,
    /// End the lines for scripts with NUL, paths as they are (implies --porcelain)
    #[arg(short = 'z')]
    nul: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Porcelain {
    V1,
}

/// Looks and prints. What is found is never a failure of this command.
pub fn run(global: &Global, args: &StatusArgs, interrupt: Arc<AtomicBool>) -> Exit {
    let workspace = match Workspace::discover(&global.start_dir()) {
        Ok(workspace) => workspace,
        Err(kind) => return render::explained(global, "status", &kind, ""),
    };
    let options = options(global, interrupt, "status");
    let ask = if args.offline { Ask::Nobody } else { Ask::Everybody };
    let mut bar = Bar::new(global);
    let looked = preview::look(&workspace, &options, ask, &mut bar);
    bar.clear();
    let conduits = overview::look(&workspace, &options, !args.offline);
    let preview = match looked {
        Ok(preview) => preview,
        Err(SyncErrorKind::NoUpstream) => return overview::tell_alone(global, "status", &conduits),
        Err(kind) => return render::explained(global, "status", &kind, ""),
    };
    let mut status = Status::of(&preview, Timestamp::now());
    status.background = background::unsettled(workspace.metis()).map(Into::into);
    status.add_records(&workspace);
    if args.porcelain.is_some() || args.nul {
        porcelain::print(&status, &conduits, args.nul);
    } else if global.json {
        let mut value = serde_json::to_value(&status).unwrap_or_default();
        value["conduits"] = conduits.json();
        render::print_json(&render::document("status", value));
    } else if global.talks() {
        text::print(global, &status, &conduits);
    }
    Exit::Ok
}
