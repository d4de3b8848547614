//! `git metis-sync trust`: the values of config.toml that wait for this clone's word, and giving it.

use std::io::Write as _;

use clap::Args;
use serde_json::json;

use super::{Exit, Global, output, render};
use crate::{
    sync::{SyncErrorKind, Workspace, stop},
    text::Untrusted,
    workspace::{KEYS, Unconfirmed},
};

#[derive(Debug, Clone, Args)]
pub struct TrustArgs {
    /// The keys to confirm; without any, show what is to be confirmed
    #[arg(value_name = "KEY", value_parser = clap::builder::PossibleValuesParser::new(KEYS.iter().map(|key| key.name)), hide_possible_values = true)]
    keys: Vec<String>,
    /// Confirm all of them
    #[arg(long, conflicts_with = "keys")]
    all: bool,
}

/// Shows what waits, or confirms it for this clone.
pub fn run(global: &Global, args: &TrustArgs) -> Exit {
    let workspace = match Workspace::discover(&global.start_dir()) {
        Ok(workspace) => workspace,
        Err(kind) => return render::explained(global, "trust", &kind, ""),
    };
    match trust(global, args, &workspace) {
        Ok(exit) => exit,
        Err(kind) => render::explained(global, "trust", &kind, &workspace.upstream_name()),
    }
}

fn trust(global: &Global, args: &TrustArgs, workspace: &Workspace) -> Result<Exit, SyncErrorKind> {
    let chosen = |unconfirmed: &&Unconfirmed| args.all || args.keys.iter().any(|key| key == unconfirmed.key);
    let (confirmed, waiting): (Vec<_>, Vec<_>) = workspace.unconfirmed().iter().partition(chosen);
    if !confirmed.is_empty() {
        workspace.guard()?.update(|notes| {
            for value in &confirmed {
                let is = value.is.as_ref().map_or("", Untrusted::raw).to_owned();
                notes.confirmed.insert(value.key.to_owned(), is);
            }
        })?;
    }
    // Where pushes go is confirmed by `init`, which asks the new place first.
    let moved = workspace.moved()?;
    if global.json {
        let told = |values: &[&Unconfirmed]| -> Vec<_> {
            let told = |value: &&Unconfirmed| json!({ "key": value.key, "was": value.was, "is": value.is });
            values.iter().map(told).collect()
        };
        let moved: Vec<_> = moved.iter().map(ToString::to_string).collect();
        let value = json!({ "confirmed": told(&confirmed), "waiting": told(&waiting), "for_init": moved });
        render::print_json(&render::document("trust", value));
    } else if global.talks() {
        let mut out = output::stdout();
        for value in &confirmed {
            let _ = writeln!(out, "{} is confirmed for this clone.", value.key);
        }
        for value in &waiting {
            let _ = writeln!(out, "{value}.");
        }
        for kind in &moved {
            let hint = stop::explain(kind, &workspace.upstream_name());
            let _ = writeln!(out, "{}.\n  {}", hint.message, hint.next);
        }
        if let Some(first) = waiting.first() {
            let _ = writeln!(
                out,
                "`git metis-sync trust {}` confirms this one, `--all` each of them.",
                first.key
            );
        } else if confirmed.is_empty() && moved.is_empty() {
            let _ = writeln!(out, "Nothing in config.toml waits for your word.");
        }
    }
    Ok(Exit::Ok)
}
