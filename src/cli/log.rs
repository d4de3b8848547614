//! `git metis-sync log`: what past syncs did, from this clone's journal.

use std::{
    io::{self, Write},
    path::Path,
    sync::{Arc, atomic::AtomicBool},
};

use clap::Args;
use clap_complete::ArgValueCompleter;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::{
    conduit::{self, ConduitError, Generation, Status},
    fs::Dir,
    names::ShortCode,
    plan::listing::printable,
    project::{Project, trust},
    state::{
        files::{StateDir, StateError},
        journal::{self, Journal, JournalEntry},
        last::LastSync,
    },
    sync::{self, SyncErrorKind, Workspace},
    workspace::MetisDir,
};

use super::{
    Exit, Global,
    colour::Paint,
    completions::candidates,
    conduit::failure,
    document,
    history::{self, DepthArg},
    output, pager,
    render::{self, short},
};

/// Workspaces and warnings that one entry may name.
const NAMED: usize = 5;

#[derive(Debug, Clone, Args)]
pub struct LogArgs {
    /// A document: its versions in central instead of the syncs of this clone
    #[arg(value_name = "CODE", value_parser = document::code, add = ArgValueCompleter::new(candidates::codes))]
    code: Option<ShortCode>,
    /// The last N
    #[arg(short = 'n', long = "max-count", value_name = "N", default_value_t = 10)]
    count: usize,
    #[command(flatten)]
    depth: DepthArg,
}

/// Prints the journal, newest first. No journal is an empty one; config.toml need not be readable for it.
pub fn run(global: &Global, args: &LogArgs, interrupt: Arc<AtomicBool>) -> Exit {
    if let Some(code) = &args.code {
        return history::log(global, code, args.count, args.depth, interrupt);
    }
    let found = match Workspace::discover(&global.start_dir()) {
        Ok(workspace) => Ok(workspace.metis().path().to_owned()),
        Err(SyncErrorKind::Config(_) | SyncErrorKind::CommittedConfig { .. }) => {
            MetisDir::discover(&global.start_dir(), &trust::may_hold_workspace)
                .map(|metis| metis.path().to_owned())
                .map_err(SyncErrorKind::from)
        }
        Err(kind) => Err(kind),
    };
    let metis = match found {
        Ok(metis) => metis,
        Err(kind) => return render::explained(global, "log", &kind, ""),
    };
    let project = Project::discover(&metis);
    if let Err(kind) = sync::check_state(&project) {
        return render::explained(global, "log", &kind, "");
    }
    let now = Timestamp::now();
    let (mut journal, last) = match read(&metis, args.count, now) {
        Ok(read) => read,
        Err(err) => return render::explained(global, "log", &err.into(), ""),
    };
    journal.entries.reverse();
    let conduits = match recent(&metis, args.count) {
        Ok(conduits) => conduits,
        Err(error) => return failure::tell(global, &error, "NAME"),
    };
    if global.json {
        let generation = |(name, generation): &(String, Generation)| {
            let mut value = json!(generation);
            value["name"] = json!(name);
            value
        };
        let conduits: Vec<Value> = conduits.iter().map(generation).collect();
        let value = json!({
            "entries": journal.entries,
            "unreadable": journal.unreadable,
            "last": last,
            "conduits": conduits,
        });
        render::print_json(&render::document("log", value));
    } else if global.talks() {
        pager::start(global, &project);
        let _ = print(global, args.count, &journal, &conduits, last.as_ref(), now);
    }
    Exit::Ok
}

/// The last syncs that changed something or failed, and the last one that went well.
fn read(metis: &Path, count: usize, now: Timestamp) -> Result<(Journal, Option<LastSync>), StateError> {
    match StateDir::open(metis)? {
        Some(state) => Ok((journal::read_last(&state, count)?, LastSync::load(&state, now))),
        None => Ok(Default::default()),
    }
}

/// What conduits did last.
fn recent(metis: &Path, count: usize) -> Result<Vec<(String, Generation)>, ConduitError> {
    match Dir::open_root(metis) {
        Ok(metis) => conduit::recent(&metis, count),
        Err(err) if err.is_gone() => Ok(Vec::new()),
        Err(err) => Err(err.into()),
    }
}

fn print(
    global: &Global,
    count: usize,
    journal: &Journal,
    conduits: &[(String, Generation)],
    last: Option<&LastSync>,
    now: Timestamp,
) -> io::Result<()> {
    let paint = Paint::stdout(global);
    let mut out = io::BufWriter::new(output::stdout());
    if journal.entries.is_empty() && conduits.is_empty() {
        writeln!(out, "No sync has changed anything here yet.")?;
    }
    if let Some(last) = last.filter(|last| last.idle > 0) {
        let ago = render::seconds_since(last.completed.raw(), now).map(render::ago);
        let times = if last.idle == 1 {
            String::new()
        } else {
            format!(" × {}", last.idle)
        };
        writeln!(
            out,
            "{time}  {}{times}  {:.1} s, by `{}`{}",
            last.outcome.brief(),
            last.seconds,
            last.trigger.brief(),
            ago.map(|ago| format!(", {ago}")).unwrap_or_default(),
            time = render::time(last.completed.raw()),
        )?;
    }
    // Both are the newest first.
    let mut conduits = conduits.iter().peekable();
    let mut entries = journal.entries.iter().peekable();
    for _ in 0..count {
        let is_later = |(_, generation): &&(String, Generation)| {
            entries
                .peek()
                .is_none_or(|entry| generation.started.as_str() > entry.started.raw())
        };
        if let Some((name, generation)) = conduits.next_if(is_later) {
            writeln!(out, "{}", generation_line(paint, name, generation, now))?;
        } else if let Some(entry) = entries.next() {
            entry_lines(&mut out, global, paint, entry, now)?;
        } else {
            break;
        }
    }
    if journal.unreadable > 0 {
        writeln!(out, "{} lines of the journal cannot be read.", journal.unreadable)?;
    }
    out.flush()
}

fn entry_lines(
    out: &mut dyn Write,
    global: &Global,
    paint: Paint,
    entry: &JournalEntry,
    now: Timestamp,
) -> io::Result<()> {
    let time = render::time(entry.started.raw());
    let age = render::seconds_since(entry.started.raw(), now).map(render::ago);
    let outcome = match &entry.error {
        Some(error) => paint.red(&format!("failed: {}", render::reason(error.raw()))),
        None => paint.green(&entry.outcome.brief().to_string()),
    };
    writeln!(
        out,
        "{time}  {outcome}{}  {:.1} s, by `{}`{}",
        what(entry),
        entry.seconds,
        entry.trigger.brief(),
        age.map(|age| format!(", {age}")).unwrap_or_default(),
    )?;
    if !entry.documents.is_empty() {
        writeln!(out, "    {}", named(entry))?;
    }
    if global.is_verbose() {
        for warning in entry.warnings.iter().take(NAMED) {
            writeln!(out, "    {} {}", paint.yellow("warning:"), warning.brief())?;
        }
        if let Some(more) = entry.warnings.len().checked_sub(NAMED).filter(|more| *more > 0) {
            writeln!(out, "    … and {more} more warnings")?;
        }
    }
    Ok(())
}

/// `…  conduit skills: verified  copied 2, deleted 1 → 1a2b3c4d5e  by `sync`, 2 minutes ago`
fn generation_line(paint: Paint, name: &str, generation: &Generation, now: Timestamp) -> String {
    let status = match generation.status {
        Status::Verified => paint.green("verified"),
        Status::Failed => paint.red("failed"),
        Status::Interrupted => paint.red("interrupted"),
        Status::Copying | Status::Deleting | Status::Verifying => paint.yellow("not ended"),
    };
    let counted = [
        (generation.copied.alpha + generation.copied.beta, "copied"),
        (generation.deleted.alpha + generation.deleted.beta, "deleted"),
    ];
    let mut parts: Vec<String> = counted
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{word} {count}"))
        .collect();
    match generation.conflicts.len() {
        0 => {}
        1 => parts.push("1 conflict".into()),
        n => parts.push(format!("{n} conflicts")),
    }
    let commit = generation.commit.as_deref().and_then(|id| id.get(..10));
    format!(
        "{}  conduit {name}: {status}  {}{}, by `{}`{}",
        render::time(&generation.started),
        parts.join(", "),
        commit.map(|id| format!(" → {id}")).unwrap_or_default(),
        printable(generation.trigger.as_bytes()),
        render::seconds_since(&generation.started, now)
            .map(render::ago)
            .map(|age| format!(", {age}"))
            .unwrap_or_default(),
    )
}

/// `API-T-0001, API-T-0002 and 3 more`
fn named(entry: &JournalEntry) -> String {
    let shown: Vec<&str> = entry.documents.iter().take(NAMED).map(ShortCode::as_str).collect();
    let all = entry.pushed + entry.removed + entry.pulled.values().sum::<u64>();
    let more = match all.saturating_sub(shown.len() as u64) {
        0 => String::new(),
        n => format!(" and {n} more"),
    };
    format!("{}{more}", shown.join(", "))
}

/// `  pulled 12 (api, web), pushed 2, 1 retry → 1a2b3c4d5e`
fn what(entry: &JournalEntry) -> String {
    let mut parts = Vec::new();
    let pulled: u64 = entry.pulled.values().sum();
    if pulled > 0 {
        let names: Vec<&str> = entry.pulled.keys().take(NAMED).map(|prefix| prefix.as_str()).collect();
        let more = if entry.pulled.len() > NAMED { ", …" } else { "" };
        parts.push(format!("pulled {pulled} ({}{more})", names.join(", ")));
    }
    for (n, word) in [(entry.pushed, "pushed"), (entry.removed, "removed")] {
        if n > 0 {
            parts.push(format!("{word} {n}"));
        }
    }
    match entry.retries {
        0 => {}
        1 => parts.push("1 retry".into()),
        n => parts.push(format!("{n} retries")),
    }
    match entry.idle {
        0 => {}
        1 => parts.push("after 1 that changed nothing".into()),
        n => parts.push(format!("after {n} that changed nothing")),
    }
    match entry.warnings.len() {
        0 => {}
        1 => parts.push("1 warning".into()),
        n => parts.push(format!("{n} warnings")),
    }
    let commit = entry.commit.map(|id| format!(" → {}", short(id))).unwrap_or_default();
    if parts.is_empty() {
        commit
    } else {
        format!("  {}{commit}", parts.join(", "))
    }
}
