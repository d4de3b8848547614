//! `git metis-sync workspace`: this workspace's folder in central gets another name, or goes.

use std::sync::{Arc, atomic::AtomicBool};

use clap::{Args, Subcommand};
use clap_complete::ArgValueCompleter;
use serde_json::json;

use super::{Exit, Global, completions::candidates, init::Person, progress::Bar, render, sync::options};
use crate::{
    names::Prefix,
    sync::{
        SyncErrorKind, Workspace,
        folder::{self, Change, Done},
    },
    workspace::CONFIG_FILE,
};

#[derive(Debug, Clone, Args)]
pub struct WorkspaceArgs {
    #[command(subcommand)]
    change: ChangeArgs,
}

#[derive(Debug, Clone, Subcommand)]
enum ChangeArgs {
    /// Give this workspace's folder in central another name, in one commit, and write it into config.toml
    Rename {
        /// The name that it has in central
        #[arg(value_name = "OLD", add = ArgValueCompleter::new(candidates::workspaces))]
        old: Prefix,
        /// The name that it gets
        #[arg(value_name = "NEW")]
        new: Prefix,
    },
    /// Take this workspace's folder out of central, in one commit; the documents here stay
    Retire {
        /// The folder, or one that this workspace had before
        #[arg(value_name = "PREFIX", add = ArgValueCompleter::new(candidates::workspaces))]
        prefix: Prefix,
        /// Don't ask
        #[arg(short, long)]
        yes: bool,
    },
}

/// Changes central and this clone, or says why not.
pub fn run(global: &Global, args: &WorkspaceArgs, interrupt: Arc<AtomicBool>) -> Exit {
    let workspace = match Workspace::discover(&global.start_dir()) {
        Ok(workspace) => workspace,
        Err(kind) => return render::explained(global, "workspace", &kind, ""),
    };
    let url = workspace.upstream_name();
    let change = match &args.change {
        ChangeArgs::Rename { old, new } => Change::Rename {
            old: old.clone(),
            new: new.clone(),
        },
        ChangeArgs::Retire { prefix, yes } => {
            if !yes {
                let Some(person) = Person::at(global) else {
                    mention!(
                        "error: this takes {prefix}/ out of central, for everybody\n  If it is meant: `git metis-sync workspace \
                         retire {prefix} --yes`. Nothing was changed."
                    );
                    return Exit::Usage;
                };
                if !person.agrees(&format!("Take {prefix}/ out of {url}, for everybody?")) {
                    mention!("Nothing was changed.");
                    return Exit::Stopped;
                }
            }
            Change::Retire(prefix.clone())
        }
    };
    let options = options(global, interrupt, "workspace");
    let mut bar = Bar::new(global);
    let done = folder::change(&workspace, &options, &change, &mut bar);
    bar.clear();
    match done {
        Ok(done) => {
            tell(global, &workspace, &change, &done);
            Exit::Ok
        }
        Err(SyncErrorKind::NoUpstream) => render::single_workspace(global, "workspace"),
        Err(kind) => render::explained(global, "workspace", &kind, &url),
    }
}

fn tell(global: &Global, workspace: &Workspace, change: &Change, done: &Done) {
    if global.json {
        let mut value = json!({ "commit": done.commit, "config_changed": done.configured });
        match change {
            Change::Rename { old, new } => value["renamed"] = json!({ "old": old, "new": new }),
            Change::Retire(prefix) => value["retired"] = json!(prefix),
        }
        render::print_json(&render::document("workspace", value));
        return;
    }
    if !global.talks() {
        return;
    }
    match (change, done.commit) {
        (Change::Rename { old, new }, Some(commit)) => {
            say!(
                "Renamed {old}/ to {new}/ in central (commit {}).",
                render::short(commit)
            );
        }
        (Change::Rename { old, new }, None) => {
            say!("Central has {new}/ in the place of {old}/ already; this clone writes {new}/ from now on.");
        }
        (Change::Retire(prefix), commit) => {
            match commit {
                Some(commit) => say!(
                    "Took {prefix}/ out of central (commit {}). The documents here stay.",
                    render::short(commit)
                ),
                None => say!("Central has no {prefix}/."),
            }
            if workspace.config().workspace.as_ref() == Some(prefix) {
                say!(
                    "Syncs push nothing from here until `git metis-sync init` says so, and go on hydrating the others' documents."
                );
            }
        }
    }
    if let (Change::Rename { new, .. }, true) = (change, done.configured) {
        let hint = match workspace.project().tracks(CONFIG_FILE) {
            true => ", which git tracks: commit that, so that the other clones get it",
            false => "",
        };
        say!("Wrote prefix = \"{new}\" into config.toml{hint}.");
    }
}
