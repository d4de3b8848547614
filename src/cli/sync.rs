//! `git metis-sync [sync]`.

use std::sync::{Arc, atomic::AtomicBool};

use clap::Args;
use clap_complete::ArgValueCompleter;
use serde_json::json;

use crate::{
    names::Prefix,
    send_pack::connect::Prompt,
    service::{self, Direction, SyncRequest},
    sync::{SyncError, SyncErrorKind, SyncOptions, Workspace, stop},
    workspace::MAX_RETRIES,
};

use super::{Exit, Global, background, completions::candidates, conduit, progress::Bar, render};

#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
pub struct SyncArgs {
    /// Write nothing; say what would happen
    #[arg(long)]
    dry_run: bool,
    /// Hydrate only; push nothing
    #[arg(long)]
    pull_only: bool,
    /// Push from a stale checkout, and let the versions here win where both sides changed
    #[arg(long)]
    force: bool,
    /// Allow most or all own documents to be removed from central
    #[arg(long)]
    allow_deletes: bool,
    /// Go on with a central whose history was rewritten
    #[arg(long, hide_short_help = true)]
    adopt_central: bool,
    /// Go on although central's folder was made from another project, or from this one before its history was rewritten
    #[arg(long, hide_short_help = true)]
    adopt_project: bool,
    /// Read every file again, and make metis.db anew
    #[arg(long)]
    recheck: bool,
    /// Say which documents differ in central from what it had at this commit or time
    #[arg(long, value_name = "COMMIT|DATE")]
    since: Option<String>,
    /// Full cycles to repeat when central moves meanwhile [default: 5]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(..=i64::from(MAX_RETRIES)))]
    max_retries: Option<u32>,
    /// Hydrate only this workspace (may be repeated)
    #[arg(long = "workspace", value_name = "P", add = ArgValueCompleter::new(candidates::workspaces))]
    workspaces: Vec<Prefix>,
}

impl SyncArgs {
    fn request(&self, global: &Global, interrupt: Arc<AtomicBool>) -> SyncRequest {
        SyncRequest {
            only: self.workspaces.iter().cloned().collect(),
            direction: match self.pull_only {
                true => Direction::Pull,
                false => Direction::Both,
            },
            since: self.since.clone(),
            recheck: self.recheck,
            dry_run: self.dry_run,
            force: self.force,
            allow_deletes: self.allow_deletes,
            adopt_central: self.adopt_central,
            adopt_project: self.adopt_project,
            max_retries: self.max_retries,
            prompt: prompt(global),
            interrupt,
            ..SyncRequest::default()
        }
    }
}

/// Whether passwords may be asked for.
pub fn prompt(global: &Global) -> Prompt {
    if global.may_prompt() {
        Prompt::Allowed
    } else {
        Prompt::Forbidden
    }
}

/// What a command that `trigger` names asks of the library if it is asked for nothing else.
pub fn options(global: &Global, interrupt: Arc<AtomicBool>, trigger: &str) -> SyncOptions {
    SyncOptions {
        prompt: prompt(global),
        interrupt,
        trigger: trigger.into(),
        ..SyncOptions::default()
    }
}

/// Syncs the workspace around the start folder.
pub fn run(global: &Global, args: &SyncArgs, interrupt: Arc<AtomicBool>) -> Exit {
    let request = args.request(global, interrupt);
    let workspace = match Workspace::discover(&global.start_dir()) {
        Ok(workspace) => workspace,
        Err(kind) => {
            background::tell(global);
            return fail_early(global, "sync", kind);
        }
    };
    background::tell_of(global, workspace.metis());
    let mut bar = Bar::new(global);
    let result = service::execute(&workspace, &request, &mut bar);
    bar.clear();
    match result {
        Ok(served) => {
            let conduits = served.conduits.as_ref();
            let more = conduits.map(|conduits| ("conduits", json!(conduits)));
            render::report(global, "sync", &served.report, more);
            conduits.map_or(Exit::Ok, |conduits| conduit::tell(global, conduits))
        }
        Err(err) => fail(global, "sync", &workspace, &err),
    }
}

/// Prints an error of the sync engine and returns its exit code.
pub fn fail(global: &Global, command: &str, workspace: &Workspace, err: &SyncError) -> Exit {
    let hint = stop::of_sync(err, &workspace.upstream_name());
    render::failure(global, command, err.kind.word(), &hint, Some(&err.report));
    hint.exit
}

/// The same before there is a workspace.
pub fn fail_early(global: &Global, command: &str, kind: SyncErrorKind) -> Exit {
    let err = SyncError::from(kind);
    let hint = stop::of_sync(&err, "");
    render::failure(global, command, err.kind.word(), &hint, None);
    hint.exit
}
