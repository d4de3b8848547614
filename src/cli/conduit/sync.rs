//! Syncing conduits, and what past syncs did.

use serde_json::json;

use super::{
    super::{Exit, Global, progress::Bar, render},
    failure, show,
};
use crate::{
    conduit::{self, ConduitError, Order, Told},
    service::{Conduits, conduits},
    sync::Workspace,
};

/// Prints what became of conduits, but for what a JSON document has, and returns the exit code.
pub fn tell(global: &Global, synced: &Conduits) -> Exit {
    let mut exit = Exit::Ok;
    for report in &synced.reports {
        if exit == Exit::Ok {
            exit = show::exit(report, synced.dry_run);
        }
        if !global.json {
            show::report(global, report, synced.dry_run);
        }
    }
    for (name, error) in &synced.failures {
        exit = failure::tell_of_sync(global, error, name);
    }
    exit
}

/// Syncs the conduits of these names, or all. `order`: what is asked, by who is told how far it is.
pub fn sync(
    global: &Global,
    workspace: &Workspace,
    names: &[String],
    order: impl for<'a> FnOnce(Told<'a>) -> Order<'a>,
) -> Exit {
    let names = match names {
        [] => match conduits::enabled(workspace) {
            Ok(names) => names,
            Err(error) => return failure::tell(global, &error, "NAME"),
        },
        names => names.to_vec(),
    };
    let mut bar = Bar::new(global);
    let synced = conduits::sync(workspace, names, &order(Told::by(&mut bar)));
    bar.clear();
    if global.json {
        render::print_json(&render::document("conduit", json!({ "conduits": synced })));
    }
    tell(global, &synced)
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
