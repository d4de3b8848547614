//! The stages as commands. Each reads one JSON record on standard input (or takes flags instead), does its stage, and
//! prints the record with what it added, so that
//!
//! ```sh
//! git metis-sync fetch | git metis-sync hydrate | git metis-sync records | git metis-sync dehydrate | git metis-sync push \
//!     | git metis-sync rebuild-cache
//! ```
//!
//! does what `git metis-sync sync` does. A stage that fails prints a record of its failure, which the later ones pass on
//! with its exit code: the pipe's exit code is that of the stage that failed.

mod rebuild_cache;
mod record;

use std::sync::{Arc, atomic::AtomicBool};

use clap::Args;
use clap_complete::ArgValueCompleter;
use serde_json::json;

use crate::{
    hooks::run::DEFAULT_DEADLINE,
    names::{ObjectId, Prefix},
    sync::{
        Clock, Session, SyncError, SyncErrorKind, SyncOptions, SyncReport, Workspace,
        steps::{self, End, Fetched, Prepared},
        stop,
    },
};

use super::{Exit, Global, completions::candidates, progress::Bar, render, sync::options};
pub use rebuild_cache::{RebuildCacheArgs, rebuild_cache};
use record::{NoRecord, Record, Source};

#[derive(Debug, Clone, Args)]
pub struct FetchArgs {
    /// Go on with a central whose history was rewritten
    #[arg(long)]
    adopt_central: bool,
}

#[derive(Debug, Clone, Args)]
pub struct HydrateArgs {
    #[command(flatten)]
    source: Source,
    /// Hydrate only this workspace (may be repeated)
    #[arg(long = "workspace", value_name = "P", add = ArgValueCompleter::new(candidates::workspaces))]
    workspaces: Vec<Prefix>,
}

#[derive(Debug, Clone, Args)]
pub struct RecordsArgs {
    /// Exchange records without a record of the stage before
    #[arg(long)]
    alone: bool,
}

#[derive(Debug, Clone, Args)]
pub struct DehydrateArgs {
    #[command(flatten)]
    source: Source,
    /// Work from a stale checkout, and let the versions here win where both sides changed
    #[arg(long)]
    force: bool,
    /// Allow most or all own documents to be removed from central
    #[arg(long)]
    allow_deletes: bool,
}

#[derive(Debug, Clone, Args)]
pub struct PushArgs {
    #[command(flatten)]
    source: Source,
    /// With --head: the commit to push on top of it
    #[arg(long, value_name = "COMMIT", requires = "head")]
    commit: Option<ObjectId>,
}

/// Runs one stage with everything set up around it, and turns its result into output and exit code.
fn stage(
    global: &Global,
    name: &str,
    options: &SyncOptions,
    work: impl FnMut(&mut Session<'_>) -> Result<(), SyncErrorKind>,
) -> Exit {
    let workspace = match Workspace::discover(&global.start_dir()) {
        Ok(workspace) => workspace,
        Err(kind) => return failed(global, name, kind, SyncReport::default(), ""),
    };
    let mut report = SyncReport::default();
    let mut bar = Bar::new(global);
    let clock = Clock::start();
    let stages = "fetch | hydrate | records | dehydrate | push";
    let result = workspace
        .needs_folder(stages)
        .and_then(|()| Session::new(&workspace, options, &mut bar, &mut report, clock))
        .and_then(|mut session| session.soundly(work));
    bar.clear();
    if !result.as_ref().is_err_and(SyncErrorKind::is_interruption) {
        render::warnings(global, &report.warnings);
    }
    match result {
        Ok(()) if report.diverged.is_empty() => Exit::Ok,
        // The record goes on all the same: everything else is synced.
        Ok(()) => {
            let conflicts = std::mem::take(&mut report.diverged);
            let hint = stop::explain(&SyncErrorKind::Diverged { conflicts }, "");
            mention!("error: {}\n  {}", hint.message, hint.next);
            hint.exit
        }
        Err(kind) => failed(global, name, kind, report, &workspace.upstream_name()),
    }
}

/// Says why on stderr, and in a record for the stages behind.
fn failed(global: &Global, name: &str, kind: SyncErrorKind, report: SyncReport, url: &str) -> Exit {
    let err = SyncError {
        kind: kind.into(),
        report: Box::new(report),
    };
    let hint = stop::of_sync(&err, url);
    let global = Global {
        json: true,
        ..global.clone()
    };
    render::failure(&global, name, err.kind.word(), &hint, Some(&err.report));
    hint.exit
}

fn without_record(name: &str, problem: NoRecord) -> Exit {
    match problem {
        NoRecord::Earlier(exit, earlier) => {
            render::print_json(&earlier);
            Exit::from_code(exit)
        }
        NoRecord::Unreadable(message) => {
            let message = format!("{name}: {message:#}");
            mention!("error: {message}\n  Nothing was changed.");
            let error = json!({ "kind": "usage", "message": message, "exit": Exit::Usage as u8 });
            render::print_json(&render::document(name, json!({ "error": error })));
            Exit::Usage
        }
    }
}

/// `git metis-sync fetch`
pub fn fetch(global: &Global, args: &FetchArgs, interrupt: Arc<AtomicBool>) -> Exit {
    let options = SyncOptions {
        adopt_central: args.adopt_central,
        pull_only: true,
        ..options(global, interrupt, "fetch")
    };
    stage(global, "fetch", &options, |session| {
        let fetched = Fetched::list(session, None)?;
        let mut record = Record::of(&fetched.snapshot);
        record.upstream = Some(session.ctx.upstream_shown.clone());
        record.print("fetch", session.report);
        Ok(())
    })
}

/// `git metis-sync hydrate`
pub fn hydrate(global: &Global, args: &HydrateArgs, interrupt: Arc<AtomicBool>) -> Exit {
    let record = match Record::read(&args.source) {
        Ok(record) => record,
        Err(problem) => return without_record("hydrate", problem),
    };
    let options = SyncOptions {
        only: args.workspaces.iter().cloned().collect(),
        pull_only: true,
        ..options(global, interrupt, "hydrate")
    };
    stage(global, "hydrate", &options, |session| {
        let mut fetched = Fetched::resume(session, record.snapshot())?;
        fetched.hydrate(session)?;
        fetched.note(session)?;
        let mut record = record.clone();
        record.pulled.clone_from(&session.report.pulled);
        record.kept.clone_from(&session.report.kept);
        record.print("hydrate", session.report);
        Ok(())
    })
}

/// `git metis-sync records`
pub fn records(global: &Global, args: &RecordsArgs, interrupt: Arc<AtomicBool>) -> Exit {
    let piped = match args.alone {
        true => None,
        false => match Record::piped() {
            Ok(record) => Some(record),
            Err(problem) => return without_record("records", problem),
        },
    };
    let options = SyncOptions {
        // Whoever starts it alone does not wait for it.
        deadline: args.alone.then_some(DEFAULT_DEADLINE),
        ..options(global, interrupt, "records")
    };
    stage(global, "records", &options, |session| {
        steps::exchange_records(session)?;
        let done = session.report.records;
        match piped.clone() {
            Some(mut record) => {
                record.records = done;
                record.print("records", session.report);
            }
            None => render::print_json(&render::document("records", json!({ "records": done }))),
        }
        Ok(())
    })
}

/// `git metis-sync dehydrate`
pub fn dehydrate(global: &Global, args: &DehydrateArgs, interrupt: Arc<AtomicBool>) -> Exit {
    let record = match Record::read(&args.source) {
        Ok(record) => record,
        Err(problem) => return without_record("dehydrate", problem),
    };
    let options = SyncOptions {
        force: args.force,
        allow_deletes: args.allow_deletes,
        ..options(global, interrupt, "dehydrate")
    };
    stage(global, "dehydrate", &options, |session| {
        let fetched = Fetched::resume(session, record.snapshot())?;
        let mut record = record.clone();
        if let Some(prefix) = session.pushes_to().cloned() {
            let prepared = fetched.prepare(session, &prefix)?;
            record.commit = prepared.commit();
            record.notes = prepared.into_notes();
        }
        record.diverged.clone_from(&session.report.diverged);
        record.pushed.clone_from(&session.report.pushed);
        record.removed.clone_from(&session.report.removed);
        record.behind.clone_from(&session.report.behind);
        record.registered = session.report.registered;
        record.print("dehydrate", session.report);
        Ok(())
    })
}

/// `git metis-sync push`
pub fn push(global: &Global, args: &PushArgs, interrupt: Arc<AtomicBool>) -> Exit {
    let mut record = match Record::read(&args.source) {
        Ok(record) => record,
        Err(problem) => return without_record("push", problem),
    };
    record.commit = record.commit.or(args.commit);
    let options = options(global, interrupt, "push");
    stage(global, "push", &options, |session| {
        let fetched = Fetched::resume(session, record.snapshot())?;
        let report = &mut *session.report;
        report.pulled.clone_from(&record.pulled);
        report.pushed.clone_from(&record.pushed);
        report.removed.clone_from(&record.removed);
        report.registered = record.registered;
        report.diverged.clone_from(&record.diverged);
        let prepared = Prepared::of(fetched, record.commit, record.notes.clone());
        match prepared.publish(session)? {
            End::Moved(_) | End::GaveWay(_) => return Err(SyncErrorKind::RetriesExhausted { retries: 0 }),
            End::Done(published) => steps::record(session, *published)?,
        }
        let mut record = record.clone();
        record.head = session.report.head;
        record.print("push", session.report);
        Ok(())
    })
}
