//! `git metis-sync nuke`: throws away what a sync made here, and makes it anew.

use std::sync::{Arc, atomic::AtomicBool};

use clap::Args;
use serde_json::json;

use super::{
    Exit, Global,
    init::Person,
    progress::Bar,
    render::{self, count},
    sync::{fail, prompt},
};
use crate::{
    names::Prefix,
    service::{self, NukePlan, SyncRequest},
    sync::{SyncErrorKind, Workspace},
};

/// Workspaces that are named.
const NAMED: usize = 10;

#[derive(Debug, Clone, Args)]
pub struct NukeArgs {
    /// Don't ask
    #[arg(short, long)]
    yes: bool,
}

/// Shows what goes, asks, and syncs anew.
pub fn run(global: &Global, args: &NukeArgs, interrupt: Arc<AtomicBool>) -> Exit {
    let workspace = match Workspace::discover(&global.start_dir()) {
        Ok(workspace) => workspace,
        Err(kind) => return render::explained(global, "nuke", &kind, ""),
    };
    let request = SyncRequest {
        prompt: prompt(global),
        interrupt,
        conduits: false,
        trigger: "nuke".into(),
        ..SyncRequest::default()
    };
    let mut bar = Bar::new(global);
    let planned = service::plan_nuke(&workspace, &request, &mut bar);
    bar.clear();
    let plan = match planned {
        Ok(plan) => plan,
        Err(SyncErrorKind::NoUpstream) => return render::single_workspace(global, "nuke"),
        Err(kind) => return render::explained(global, "nuke", &kind, &workspace.upstream_name()),
    };
    if !global.json && global.talks() {
        show(&plan);
    }
    if !args.yes {
        let Some(person) = Person::at(global) else {
            mention!(
                "error: this throws away what syncs made here\n  If it is meant: `git metis-sync nuke --yes`. Nothing was changed."
            );
            return Exit::Usage;
        };
        if !person.agrees("Throw that away, and sync anew?") {
            mention!("Nothing was changed.");
            return Exit::Stopped;
        }
    }
    let result = service::nuke(&workspace, &request, &plan, &mut bar);
    bar.clear();
    match result {
        Ok(served) => {
            render::report(global, "nuke", &served.report, Some(("thrown_away", json!(plan))));
            Exit::Ok
        }
        Err(err) => fail(global, "nuke", &workspace, &err),
    }
}

fn show(plan: &NukePlan) {
    let names: Vec<&str> = plan.workspaces.keys().take(NAMED).map(Prefix::as_str).collect();
    let more = if plan.workspaces.len() > NAMED { ", …" } else { "" };
    say!("This goes, and comes back from {}:", plan.upstream);
    match names.as_slice() {
        [] => say!("  no copies of other workspaces' documents"),
        names => say!(
            "  the copies of {} from {} other workspaces ({}{more}), {}",
            count(plan.documents()),
            plan.workspaces.len(),
            names.join(", "),
            megabytes(plan.folder_bytes)
        ),
    }
    say!(
        "  central's objects in the cache, {}; they serve all workspaces of yours that sync with it",
        megabytes(plan.store_bytes)
    );
    say!(
        "  {} rows of metis.db, and what spares reading documents again",
        plan.rows
    );
    say!(
        "Own documents: {}, not touched. Edited copies are kept aside.",
        plan.own_documents
    );
}

fn megabytes(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / 1e6)
}
