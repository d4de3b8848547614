//! `git metis-sync doctor`: what is broken around this workspace, and with `--fix` the mending of it.

use std::{
    io::{self, Write},
    sync::{Arc, atomic::AtomicBool},
};

use clap::Args;
use serde_json::json;

use crate::{
    conduit,
    sync::{
        SyncErrorKind, SyncOptions, Workspace,
        doctor::{self, Finding, Level, Repaired},
        preview::{self, Ask},
        stop,
    },
};

use super::{Exit, Global, colour::Paint, output, progress::Bar, render, sync::options, words::Given};

/// Findings that are shown; the rest is counted.
const SHOWN: usize = 40;

#[derive(Debug, Clone, Args)]
pub struct DoctorArgs {
    /// Repair what can be repaired without risk; own documents are never touched
    #[arg(long)]
    fix: bool,
    /// Offline: leave out what needs a network
    #[arg(long)]
    offline: bool,
}

/// Examines, mends if asked to, prints; exit code 1 if something is broken and stays so.
pub fn run(global: &Global, args: &DoctorArgs, interrupt: Arc<AtomicBool>) -> Exit {
    let options = options(global, interrupt, "doctor");
    let ask = if args.offline { Ask::Nobody } else { Ask::Central };
    let mut bar = Bar::new(global);
    let workspace = Workspace::discover(&global.start_dir());
    let (url, result) = match &workspace {
        Ok(workspace) => (
            workspace.upstream_name(),
            diagnosed(workspace, args, &options, ask, &mut bar),
        ),
        Err(kind) => (String::new(), Ok((vec![unusable(kind, "")], Vec::new()))),
    };
    bar.clear();
    let (findings, repaired) = match result {
        Ok(found) => found,
        Err(kind @ (SyncErrorKind::Locked { .. } | SyncErrorKind::Interrupted)) => {
            return render::explained(global, "doctor", &kind, &url);
        }
        Err(kind) => (vec![unusable(&kind, &url)], Vec::new()),
    };
    let mended = |finding: &Finding| {
        let repair = finding.repair.as_ref();
        repaired
            .iter()
            .any(|repaired| Some(&repaired.repair) == repair && repaired.done)
    };
    let well = findings
        .iter()
        .all(|finding| finding.level != Level::Problem || mended(finding));
    if global.json {
        let value = json!({ "well": well, "findings": findings, "repairs": repaired });
        render::print_json(&render::document("doctor", value));
    } else if global.talks() || !well {
        let _ = print(global, args, &findings, &repaired);
    }
    if well { Exit::Ok } else { Exit::Error }
}

fn diagnosed(
    workspace: &Workspace,
    args: &DoctorArgs,
    options: &SyncOptions,
    ask: Ask,
    bar: &mut Bar,
) -> Result<(Vec<Finding>, Vec<Repaired>), SyncErrorKind> {
    let conduits = conduit::findings(workspace, options, !args.offline);
    if workspace.config().sync.is_none() {
        let note = Finding::note(
            "config",
            "no central repository is configured, so there is nothing to sync",
        )
        .advise("Set one with `git metis-sync init --upstream URL`.");
        let unknown = workspace.config().unknown_keys.iter();
        let unknown = unknown.map(|key| Finding::note("config", key.to_string()));
        let found = std::iter::once(note).chain(unknown);
        return Ok((found.chain(conduits).collect(), Vec::new()));
    }
    let (mut findings, repaired) = match args.fix {
        true => doctor::repair(workspace, options, ask)?,
        false => (
            doctor::examine(&preview::look(workspace, options, ask, bar)?),
            Vec::new(),
        ),
    };
    findings.extend(conduits);
    Ok((findings, repaired))
}

/// The one finding where there is nothing to look at.
fn unusable(kind: &SyncErrorKind, url: &str) -> Finding {
    let hint = stop::explain(kind, url);
    let check = match kind.word() {
        "state" => "state",
        "config" | "url" => "config",
        _ => "workspace",
    };
    Finding::problem(check, hint.message).advise(hint.next)
}

fn print(global: &Global, args: &DoctorArgs, findings: &[Finding], repaired: &[Repaired]) -> io::Result<()> {
    let paint = Paint::stdout(global);
    let mut out = io::BufWriter::new(output::stdout());
    let mut given = Given::default();
    for finding in findings.iter().take(SHOWN) {
        let mark = match finding.level {
            Level::Ok => paint.green("ok     "),
            Level::Note => paint.yellow("note   "),
            Level::Problem => paint.red("problem"),
        };
        writeln!(out, "{mark} {:<11} {}", finding.check, finding.message)?;
        if let Some(advice) = finding.advice.as_ref().filter(|advice| given.is_new(advice.raw())) {
            writeln!(out, "{:20}{advice}", "")?;
        }
        if let (Some(repair), false) = (&finding.repair, args.fix) {
            writeln!(out, "{:20}--fix would {}.", "", repair.words())?;
        }
    }
    if let Some(more) = findings.len().checked_sub(SHOWN).filter(|more| *more > 0) {
        writeln!(out, "… and {more} more (all of them with --json)")?;
    }
    for repaired in repaired.iter().take(SHOWN) {
        let mark = if repaired.done {
            paint.green("mended ")
        } else {
            paint.red("failed ")
        };
        writeln!(out, "{mark} {}: {}", repaired.repair.words(), repaired.message)?;
    }
    if let Some(more) = repaired.len().checked_sub(SHOWN).filter(|more| *more > 0) {
        writeln!(out, "… and {more} more repairs (all of them with --json)")?;
    }
    out.flush()
}
