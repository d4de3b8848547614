//! The stages as commands. Each reads one JSON record on standard input (or takes flags instead), does its stage, and
//! prints the record with what it added, so that
//!
//! ```sh
//! git metis-sync fetch | git metis-sync hydrate | git metis-sync dehydrate | git metis-sync push | git metis-sync rebuild-cache
//! ```
//!
//! does what `git metis-sync sync` does. A stage that fails prints a record of its failure, which the later ones pass on
//! with its exit code: the pipe's exit code is that of the stage that failed.

use std::{
    collections::BTreeMap,
    io::{self, IsTerminal, Read},
    sync::{Arc, atomic::AtomicBool},
    time::Instant,
};

use anyhow::{Context as _, ensure};
use clap::Args;
use clap_complete::ArgValueCompleter;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    names::{ObjectFormat, ObjectId, Prefix, ShortCode},
    plan::{
        dehydrate::{Behind, Conflict},
        guard::Lineage,
        hydrate::Pulled,
        listing::printable,
    },
    stage::dehydrate::Notes,
    stage::fetch::Snapshot,
    sync::{self, Setup, SyncError, SyncErrorKind, SyncOptions, SyncReport, Workspace, steps},
};

use super::{
    Global,
    completions::candidates,
    hint::{self, Exit, Hint},
    output,
    progress::Bar,
    render,
    sync::{fail_early, prompt},
};

/// Larger records are no records: this is ample for a hundred thousand documents.
const MAX_RECORD: u64 = 64 << 20;

#[derive(Debug, Clone, Args)]
pub struct FetchArgs {
    /// Go on with a central whose history was rewritten
    #[arg(long)]
    adopt_central: bool,
}

#[derive(Debug, Clone, Args)]
pub struct Source {
    /// Work on this commit of central instead of reading a record
    #[arg(long, value_name = "COMMIT")]
    head: Option<ObjectId>,
    /// With --head: central's branch
    #[arg(long, value_name = "NAME", default_value = "main")]
    branch: String,
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

#[derive(Debug, Clone, Args)]
pub struct RebuildCacheArgs {}

/// What travels through the pipe. Unknown fields of a newer version are passed over.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Record {
    schema: u32,
    stage: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    upstream: Option<String>,
    #[serde(default)]
    branch: String,
    format: ObjectFormat,
    head: Option<ObjectId>,
    #[serde(default)]
    received: u32,
    #[serde(default)]
    adopted: bool,
    #[serde(default)]
    pulled: BTreeMap<Prefix, Pulled>,
    #[serde(default)]
    kept: Vec<String>,
    #[serde(default)]
    commit: Option<ObjectId>,
    #[serde(default)]
    pushed: Vec<ShortCode>,
    #[serde(default)]
    removed: Vec<ShortCode>,
    #[serde(default)]
    behind: Vec<Behind>,
    #[serde(default)]
    registered: bool,
    #[serde(default)]
    diverged: Vec<Conflict>,
    #[serde(default)]
    notes: Option<Notes>,
    #[serde(default)]
    warnings: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Failed {
    error: FailedError,
}

#[derive(Debug, Deserialize)]
struct FailedError {
    exit: u8,
}

/// Why there is no record to work on.
enum NoRecord {
    /// An earlier stage failed and said so.
    Earlier(u8, Value),
    /// There was nothing, or nothing that can be read.
    Unreadable(anyhow::Error),
}

impl Record {
    fn read(source: &Source) -> Result<Self, NoRecord> {
        if let Some(head) = source.head {
            return Ok(Record::of(&Snapshot {
                branch: source.branch.clone(),
                format: head.format(),
                head: Some(head),
                lineage: Lineage::Same,
                received: 0,
            }));
        }
        let text = read_stdin().map_err(NoRecord::Unreadable)?;
        let earlier = serde_json::from_str::<Value>(&text).ok();
        if let Some(earlier) = earlier
            && let Ok(failed) = Failed::deserialize(&earlier)
        {
            return Err(NoRecord::Earlier(failed.error.exit, earlier));
        }
        Record::parse(&text).map_err(NoRecord::Unreadable)
    }

    fn parse(text: &str) -> anyhow::Result<Self> {
        let record: Record = serde_json::from_str(text).context("standard input is no record")?;
        ensure!(
            record.schema == render::SCHEMA,
            "the record has another schema than {}",
            render::SCHEMA
        );
        Ok(record)
    }

    fn of(snapshot: &Snapshot) -> Self {
        Record {
            schema: render::SCHEMA,
            stage: "fetch".into(),
            upstream: None,
            branch: snapshot.branch.clone(),
            format: snapshot.format,
            head: snapshot.head,
            received: snapshot.received,
            adopted: snapshot.lineage == Lineage::Rewound,
            pulled: BTreeMap::new(),
            kept: Vec::new(),
            commit: None,
            pushed: Vec::new(),
            removed: Vec::new(),
            behind: Vec::new(),
            registered: false,
            diverged: Vec::new(),
            notes: None,
            warnings: Vec::new(),
        }
    }

    fn snapshot(&self) -> Snapshot {
        Snapshot {
            branch: self.branch.clone(),
            format: self.format,
            head: self.head,
            lineage: if self.adopted { Lineage::Rewound } else { Lineage::Same },
            received: self.received,
        }
    }

    fn print(mut self, stage: &str, report: &SyncReport) {
        self.stage = stage.into();
        self.warnings.extend(report.warnings.iter().map(ToString::to_string));
        render::print_json(&serde_json::to_value(&self).unwrap_or_default());
    }
}

fn read_stdin() -> anyhow::Result<String> {
    ensure!(
        !io::stdin().is_terminal(),
        "pipe the stage before into this one, or name a commit with --head"
    );
    let mut text = String::new();
    io::stdin()
        .lock()
        .take(MAX_RECORD)
        .read_to_string(&mut text)
        .context("standard input cannot be read")?;
    ensure!(
        !text.trim().is_empty(),
        "the stage before said nothing; it may have failed"
    );
    Ok(text)
}

/// Runs one stage with everything set up around it, and turns its result into output and exit code.
fn stage(
    global: &Global,
    name: &str,
    options: &SyncOptions,
    work: impl FnOnce(&mut Setup<'_>, &mut Bar, &mut SyncReport) -> Result<(), SyncErrorKind>,
) -> Exit {
    let workspace = match Workspace::discover(&global.start_dir()) {
        Ok(workspace) => workspace,
        Err(kind) => return failed(global, name, kind, SyncReport::default(), ""),
    };
    let mut report = SyncReport::default();
    let mut bar = Bar::new(global);
    let result = Setup::new(&workspace, options, Instant::now(), Timestamp::now()).and_then(|mut setup| {
        let result = work(&mut setup, &mut bar, &mut report);
        report.warnings.append(&mut setup.take_warnings());
        result
    });
    bar.clear();
    if !result.as_ref().is_err_and(SyncErrorKind::is_interruption) {
        render::warnings(global, &report.warnings);
    }
    match result {
        Ok(()) if report.diverged.is_empty() => Exit::Ok,
        // The record goes on all the same: everything else is synced.
        Ok(()) => {
            let conflicts = std::mem::take(&mut report.diverged);
            let (message, next, exit) = hint::explain(&SyncErrorKind::Diverged { conflicts }, "");
            mention!("error: {message}\n  {next}");
            exit
        }
        Err(kind) => failed(global, name, kind, report, &workspace.upstream_name()),
    }
}

/// Says why on stderr, and in a record for the stages behind.
fn failed(global: &Global, name: &str, kind: SyncErrorKind, report: SyncReport, url: &str) -> Exit {
    let err = SyncError {
        kind,
        report: Box::new(report),
    };
    let hint = hint::of_sync(&err, url);
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
            let hint = Hint {
                message: format!("{name}: {message:#}"),
                server_text: String::new(),
                state: "Nothing was changed.".into(),
                next: String::new(),
                exit: Exit::Usage,
            };
            mention!("error: {}\n  {}", hint.message, hint.state);
            let error = json!({ "kind": "usage", "message": hint.message, "exit": hint.exit as u8 });
            render::print_json(&render::document(name, json!({ "error": error })));
            hint.exit
        }
    }
}

fn options(global: &Global, interrupt: Arc<AtomicBool>, trigger: &str) -> SyncOptions {
    SyncOptions {
        prompt: prompt(global),
        interrupt,
        trigger: trigger.into(),
        ..SyncOptions::default()
    }
}

/// `git metis-sync fetch`
pub fn fetch(global: &Global, args: &FetchArgs, interrupt: Arc<AtomicBool>) -> Exit {
    let options = SyncOptions {
        adopt_central: args.adopt_central,
        pull_only: true,
        ..options(global, interrupt, "fetch")
    };
    stage(global, "fetch", &options, |setup, bar, report| {
        let snapshot = steps::fetched(setup, &options, bar, report)?;
        let mut record = Record::of(&snapshot);
        record.upstream = Some(setup.ctx.upstream_shown.clone());
        record.print("fetch", report);
        Ok(())
    })
}

/// `git metis-sync hydrate`
pub fn hydrate(global: &Global, args: &HydrateArgs, interrupt: Arc<AtomicBool>) -> Exit {
    let mut record = match Record::read(&args.source) {
        Ok(record) => record,
        Err(problem) => return without_record("hydrate", problem),
    };
    let options = SyncOptions {
        only: args.workspaces.iter().cloned().collect(),
        pull_only: true,
        ..options(global, interrupt, "hydrate")
    };
    stage(global, "hydrate", &options, |setup, bar, report| {
        let snapshot = record.snapshot();
        steps::resume(setup, &snapshot)?;
        steps::hydrated(setup, &options, bar, report, &snapshot)?;
        steps::note(setup, report, &snapshot)?;
        record.pulled.clone_from(&report.pulled);
        record.kept.clone_from(&report.kept);
        record.print("hydrate", report);
        Ok(())
    })
}

/// `git metis-sync dehydrate`
pub fn dehydrate(global: &Global, args: &DehydrateArgs, interrupt: Arc<AtomicBool>) -> Exit {
    let mut record = match Record::read(&args.source) {
        Ok(record) => record,
        Err(problem) => return without_record("dehydrate", problem),
    };
    let options = SyncOptions {
        force: args.force,
        allow_deletes: args.allow_deletes,
        ..options(global, interrupt, "dehydrate")
    };
    stage(global, "dehydrate", &options, |setup, _, report| {
        let snapshot = record.snapshot();
        steps::resume(setup, &snapshot)?;
        let prepared = steps::prepared(setup, &options, report, &snapshot)?;
        record.commit = prepared.commit;
        record.notes = prepared.notes;
        record.diverged.clone_from(&report.diverged);
        record.pushed.clone_from(&report.pushed);
        record.removed.clone_from(&report.removed);
        record.behind.clone_from(&report.behind);
        record.registered = report.registered;
        record.print("dehydrate", report);
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
    let started = (Instant::now(), Timestamp::now());
    stage(global, "push", &options, |setup, bar, report| {
        let snapshot = record.snapshot();
        steps::resume(setup, &snapshot)?;
        report.pulled = record.pulled.clone();
        report.pushed = record.pushed.clone();
        report.removed = record.removed.clone();
        report.registered = record.registered;
        report.diverged = record.diverged.clone();
        let prepared = steps::Prepared {
            commit: record.commit,
            notes: record.notes.take(),
        };
        match steps::published(setup, bar, report, &snapshot, &prepared)? {
            steps::End::Moved => return Err(SyncErrorKind::RetriesExhausted { retries: 0 }),
            steps::End::Done => {}
        }
        steps::record(setup, report, "push", started.1, started.0.elapsed())?;
        record.head = report.head;
        record.print("push", report);
        Ok(())
    })
}

/// `git metis-sync rebuild-cache`
pub fn rebuild_cache(global: &Global, _args: &RebuildCacheArgs) -> Exit {
    // A record that is piped in is only waited for: what the cache says comes from the files.
    if !io::stdin().is_terminal() {
        let source = Source {
            head: None,
            branch: String::new(),
        };
        if let Err(problem @ NoRecord::Earlier(..)) = Record::read(&source) {
            return without_record("rebuild-cache", problem);
        }
    }
    let workspace = match Workspace::discover(&global.start_dir()) {
        Ok(workspace) => workspace,
        Err(kind) => return fail_early(global, "rebuild-cache", kind),
    };
    match sync::rebuild_cache(&workspace) {
        Ok(rebuilt) => {
            let skipped = rebuilt.skipped.iter().map(|skipped| {
                let path = skipped.path.as_deref().unwrap_or("(all)");
                format!("{}: {}", printable(path.as_bytes()), skipped.reason)
            });
            render::warnings(global, &skipped.collect::<Vec<_>>());
            let value = serde_json::to_value(&rebuilt).unwrap_or_default();
            if global.json || !output::is_terminal() {
                render::print_json(&render::document("rebuild-cache", value));
            } else if !global.quiet {
                say!(
                    "metis.db has {} documents; {} were read anew.",
                    rebuilt.documents,
                    rebuilt.read
                );
            }
            Exit::Ok
        }
        Err(kind) => fail_early(global, "rebuild-cache", kind),
    }
}
