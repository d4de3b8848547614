//! Syncing conduits, and what past syncs did.

use std::{collections::BTreeMap, sync::atomic::AtomicBool};

use serde_json::{Value, json};

use super::{
    super::{Exit, Global, render},
    failure, show,
};
use crate::{
    conduit::{self, ConduitError, Order, Report, definition},
    sync::{DEFAULT_LOCK_WAIT, Workspace},
};

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
            exit = failure::tell(global, error, Some(name));
        }
        exit
    }
}

pub fn sync(global: &Global, workspace: &Workspace, names: &[String], order: &Order<'_>) -> Exit {
    let synced = match names {
        [] => match enabled(workspace) {
            Ok(names) => sync_all(workspace, names, order),
            Err(error) => return failure::tell(global, &error, None),
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

pub fn history(global: &Global, workspace: &Workspace, name: &str, number: Option<u64>) -> Result<Exit, ConduitError> {
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

pub fn undo(
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
