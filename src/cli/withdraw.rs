//! `git metis-sync withdraw`: own documents that are not published any more go from central.

use std::sync::{Arc, atomic::AtomicBool};

use clap::Args;
use clap_complete::ArgValueCompleter;

use super::{
    Exit, Global,
    completions::candidates,
    document,
    init::Person,
    progress::Bar,
    render,
    sync::{fail, prompt},
};
use crate::{
    names::ShortCode,
    service::{self, SyncRequest},
    sync::{NotWithdrawn, Workspace},
};

#[derive(Debug, Clone, Args)]
pub struct WithdrawArgs {
    /// The documents, which .metis/.syncignore or [sync] exclude keeps from being published
    #[arg(value_name = "CODE", required = true, value_parser = document::code, add = ArgValueCompleter::new(candidates::own_codes))]
    codes: Vec<ShortCode>,
    /// Don't ask
    #[arg(short, long)]
    yes: bool,
}

/// Asks, and takes them out in one commit.
pub fn run(global: &Global, args: &WithdrawArgs, interrupt: Arc<AtomicBool>) -> Exit {
    let workspace = match Workspace::discover(&global.start_dir()) {
        Ok(workspace) => workspace,
        Err(kind) => return render::explained(global, "withdraw", &kind, ""),
    };
    let named: Vec<&str> = args.codes.iter().map(ShortCode::as_str).collect();
    let named = named.join(" ");
    if !args.yes {
        let Some(person) = Person::at(global) else {
            mention!(
                "error: this takes {named} out of central, for everybody\n  If it is meant: `git metis-sync withdraw --yes` \
                 with the same codes. Nothing was changed."
            );
            return Exit::Usage;
        };
        if !person.agrees(&format!(
            "Take {named} out of {}, for everybody?",
            workspace.upstream_name()
        )) {
            mention!("Nothing was changed.");
            return Exit::Stopped;
        }
    }
    let request = SyncRequest {
        prompt: prompt(global),
        interrupt,
        trigger: "withdraw".into(),
        ..SyncRequest::default()
    };
    let mut bar = Bar::new(global);
    let result = service::withdraw(&workspace, &request, &args.codes.iter().cloned().collect(), &mut bar);
    bar.clear();
    match result {
        Ok(served) => {
            render::report(global, "withdraw", &served.report, None);
            Exit::Ok
        }
        Err(NotWithdrawn::Sync(err)) => fail(global, "withdraw", &workspace, &err),
        Err(err @ NotWithdrawn::Published(_)) => {
            let next = "Exclude it first, in .metis/.syncignore or [sync] exclude.";
            document::stopped(global, "withdraw", "published", err.to_string(), next.into())
        }
        Err(err) => {
            let next = "`git metis-sync status` names what is not published.";
            document::stopped(global, "withdraw", "absent", err.to_string(), next.into())
        }
    }
}
