//! The conduits of a workspace, one after the other. One that cannot be synced does not stop the others.

use std::{sync::Arc, time::Instant};

use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use super::SyncRequest;
use crate::{
    conduit::{self, ConduitError, Order, Report, Told, definition},
    sync::{Progress, Workspace},
    text::Untrusted,
};

/// What became of several conduits. Serialised it is a list, those that were not synced with the reason.
#[derive(Debug, Clone)]
pub struct Conduits {
    /// Those that were synced.
    pub reports: Vec<Report>,
    /// Those that were not, and why.
    pub failures: Vec<(String, Arc<ConduitError>)>,
    /// Whether nothing was to be done.
    pub dry_run: bool,
}

impl Conduits {
    /// What waits for a person, in one line.
    pub fn trouble(&self) -> Option<String> {
        let failed = self.failures.iter().map(|(name, error)| format!("{name}: {error}"));
        let left = self.reports.iter().filter_map(|report| {
            let name = &report.name;
            match (report.conflicts.len(), report.failed.first()) {
                (_, Some(failed)) => Some(format!("{name}: {failed}")),
                (0, None) => None,
                (conflicts, None) => Some(format!("{name}: {conflicts} conflicts to decide")),
            }
        });
        failed.chain(left).next().map(|trouble| format!("conduit {trouble}"))
    }
}

impl Serialize for Conduits {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let synced = self.reports.iter().map(Entry::Synced);
        let stopped = self.failures.iter().map(|(name, error)| {
            let hint = conduit::explain(error, name);
            Entry::Stopped {
                name,
                status: "stopped",
                verified: false,
                stop: hint.stop.name(),
                error: hint.message,
                next: hint.next,
            }
        });
        serializer.collect_seq(synced.chain(stopped))
    }
}

#[derive(Serialize)]
#[serde(untagged)]
enum Entry<'a> {
    Synced(&'a Report),
    Stopped {
        name: &'a str,
        status: &'static str,
        verified: bool,
        stop: &'static str,
        error: Untrusted,
        next: Untrusted,
    },
}

/// Syncs the conduits of these names.
pub fn sync(workspace: &Workspace, names: Vec<String>, order: &Order<'_>) -> Conduits {
    let mut conduits = Conduits {
        reports: Vec::new(),
        failures: Vec::new(),
        dry_run: order.options.dry_run,
    };
    for name in names {
        match conduit::sync_now(workspace, &name, order) {
            Ok(report) => conduits.reports.push(report),
            Err(error) => conduits.failures.push((name, Arc::new(error))),
        }
    }
    conduits
}

/// Where all conduits stand, or why that cannot be told, for programs. `asks`: branches of central are looked at as they are now.
pub fn look(workspace: &Workspace, request: &SyncRequest, asks: bool) -> Value {
    match conduit::overview(workspace, &request.options(), asks) {
        Ok(all) => json!(all),
        Err(error) => {
            let hint = conduit::explain(&error, "NAME");
            json!([{ "stop": hint.stop.name(), "message": hint.message, "next": hint.next }])
        }
    }
}

/// The names of those that this clone enabled.
pub fn enabled(workspace: &Workspace) -> Result<Vec<String>, ConduitError> {
    let all = definition::all(workspace.metis().dir())?;
    let guard = workspace.guard()?;
    Ok(all
        .into_keys()
        .filter(|name| guard.notes().conduits.contains_key(name))
        .collect())
}

/// Syncs what is enabled, after the documents were synced, in what is left of the time that began at `begun`. `None`: nothing is.
pub(super) fn sync_enabled(
    workspace: &Workspace,
    request: &SyncRequest,
    begun: Instant,
    progress: &mut dyn Progress,
) -> Option<Conduits> {
    if !workspace.has_conduits() {
        return None;
    }
    let options = request.options();
    let order = Order {
        until: begun.checked_add(workspace.deadline(&options)),
        told: Told::by(progress),
        options,
        ..Order::default()
    };
    // Whoever has a damaged definition is told by every `conduit` command.
    let names = enabled(workspace).ok().filter(|names| !names.is_empty())?;
    Some(sync(workspace, names, &order))
}
