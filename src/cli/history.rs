//! `git metis-sync log CODE` and `blame CODE`: what became of one document in central.

use std::{
    io::{self, Write},
    sync::{Arc, atomic::AtomicBool},
};

use clap::Args;
use clap_complete::ArgValueCompleter;
use jiff::{Timestamp, tz::TimeZone};
use serde_json::json;

use crate::{
    central::past::{Change, Past, Version},
    names::{ObjectId, Prefix, ShortCode},
    sync::{self, SyncErrorKind, SyncOptions, Workspace},
    view::lines::{Patience, attributed},
};

use super::{
    Exit, Global,
    colour::Paint,
    completions::candidates,
    document, output, pager,
    progress::Bar,
    render::{self, ago, number, short},
    sync::prompt,
    words::local,
};

/// The most lines of a text that are told apart: each is printed with who wrote it.
const MOST_LINES: usize = 100_000;

#[derive(Debug, Clone, Copy, Args)]
pub struct DepthArg {
    /// Look back through this many commits of central at most
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    depth: u32,
}

#[derive(Debug, Clone, Args)]
pub struct BlameArgs {
    /// The document
    #[arg(value_name = "CODE", value_parser = document::code, add = ArgValueCompleter::new(candidates::codes))]
    code: ShortCode,
    #[command(flatten)]
    depth: DepthArg,
}

/// A document's past. Of the texts those that `wanted` names.
pub fn look(
    global: &Global,
    workspace: &Workspace,
    code: &ShortCode,
    depth: DepthArg,
    wanted: &dyn Fn(&Past) -> Vec<ObjectId>,
    interrupt: Arc<AtomicBool>,
) -> Result<Past, SyncErrorKind> {
    let prefix = folder(workspace, code)?;
    let options = SyncOptions {
        prompt: prompt(global),
        interrupt,
        ..SyncOptions::default()
    };
    let mut bar = Bar::new(global);
    let past = sync::past(
        workspace,
        &options,
        code,
        &prefix,
        depth.depth as usize,
        wanted,
        &mut bar,
    );
    bar.clear();
    past
}

/// The folder that has the document; one that nobody has any more may have been ours.
fn folder(workspace: &Workspace, code: &ShortCode) -> Result<Prefix, SyncErrorKind> {
    let known = document::find(workspace, code)?.ok();
    let known = known.and_then(|document| document.workspace.raw().parse().ok());
    known
        .or_else(|| workspace.config().workspace.clone())
        .ok_or(SyncErrorKind::NoPrefix)
}

/// Lists the versions of a document, newest first.
pub fn log(global: &Global, code: &ShortCode, count: usize, depth: DepthArg, interrupt: Arc<AtomicBool>) -> Exit {
    let workspace = match Workspace::discover(&global.start_dir()) {
        Ok(workspace) => workspace,
        Err(kind) => return render::explained(global, "log", &kind, ""),
    };
    let past = look(global, &workspace, code, depth, &|_| Vec::new(), interrupt);
    let past = match past.and_then(|past| known(code, past)) {
        Ok(past) => past,
        Err(kind) => return render::explained(global, "log", &kind, &workspace.upstream_name()),
    };
    let shown = &past.versions[..past.versions.len().min(count)];
    if global.json {
        let value = json!({
            "code": code,
            "total": past.versions.len(),
            "versions": shown,
            "commits": past.steps.len(),
            "complete": past.is_complete,
        });
        render::print_json(&render::document("log", value));
        return Exit::Ok;
    }
    pager::start(global, workspace.project());
    let paint = Paint::stdout(global);
    let mut out = io::BufWriter::new(output::stdout());
    for version in shown {
        let _ = writeln!(out, "{}", line(paint, version, Timestamp::now(), &TimeZone::system()));
    }
    let _ = out.flush();
    drop(out);
    if let Some(more) = past.versions.len().checked_sub(count).filter(|more| *more > 0) {
        mention!("… and {} older; -n N shows more", number(more));
    }
    ended(global, &past);
    Exit::Ok
}

fn known(code: &ShortCode, past: Past) -> Result<Past, SyncErrorKind> {
    match past.versions.is_empty() {
        true => Err(unknown(code, &past)),
        false => Ok(past),
    }
}

/// How far was looked, where that is not to the beginning.
fn ended(global: &Global, past: &Past) {
    if !past.is_complete && global.talks() {
        mention!(
            "Looked back through {} commits of central; --depth N looks further.",
            number(past.steps.len())
        );
    }
}

fn line(paint: Paint, version: &Version, now: Timestamp, zone: &TimeZone) -> String {
    let did = match version.change {
        Change::Added => paint.green("added"),
        Change::Changed => "changed".into(),
        Change::Moved => paint.cyan("moved"),
        Change::Removed => paint.red("removed"),
        Change::Earlier => "earlier".into(),
    };
    let from = version
        .project_commit
        .map(|id| format!(", from the project's {}", short(id)));
    format!(
        "{}  {}  {did} in {}/ by {}{}, {}",
        paint.yellow(&short(version.commit)),
        local(version.time, zone),
        version.workspace,
        version.author.brief(),
        from.unwrap_or_default(),
        ago(now.as_second() - version.time.as_second()),
    )
}

/// Says which commit each line comes from.
pub fn blame(global: &Global, args: &BlameArgs, interrupt: Arc<AtomicBool>) -> Exit {
    let workspace = match Workspace::discover(&global.start_dir()) {
        Ok(workspace) => workspace,
        Err(kind) => return render::explained(global, "blame", &kind, ""),
    };
    let all = |past: &Past| past.versions.iter().filter_map(|version| version.blob).collect();
    let past = look(global, &workspace, &args.code, args.depth, &all, interrupt);
    let past = match past.and_then(|past| known(&args.code, past)) {
        Ok(past) => past,
        Err(kind) => return render::explained(global, "blame", &kind, &workspace.upstream_name()),
    };
    let texts: Vec<String> = past.versions.iter().map_while(|version| text(&past, version)).collect();
    if texts.is_empty() {
        let message = format!("{} is too large for its lines to be told apart", args.code);
        return document::stopped(global, "blame", "too-large", message, String::new());
    }
    let mut patience = Patience::default();
    let lines = attributed(&texts, &mut patience);
    let is_complete = past.is_complete && texts.len() == past.versions.len();
    if global.json {
        let told = lines.iter().enumerate().map(|(number, (version, text))| {
            let Version {
                commit, time, author, ..
            } = &past.versions[*version];
            json!({ "line": number + 1, "commit": commit, "time": time.to_string(), "author": author, "text": text })
        });
        let told: Vec<_> = told.collect();
        let value = json!({ "code": args.code, "lines": told, "complete": is_complete, "rough": patience.is_over() });
        render::print_json(&render::document("blame", value));
        return Exit::Ok;
    }
    pager::start(global, workspace.project());
    let paint = Paint::stdout(global);
    let zone = TimeZone::system();
    let mut out = io::BufWriter::new(output::stdout());
    let width = lines.len().to_string().len();
    for (number, (version, text)) in lines.iter().enumerate() {
        let Version {
            commit,
            time,
            author,
            change,
            ..
        } = &past.versions[*version];
        // What came in before the last text that can be shown is said to be of that one.
        let is_earlier = *change == Change::Earlier || version + 1 == texts.len() && texts.len() < past.versions.len();
        let mark = if is_earlier { "^" } else { "" };
        let commit = &short(*commit)[..10 - mark.len()];
        let author: String = author.to_string().chars().take(16).collect();
        let day = &local(*time, &zone)[..10];
        let number = number + 1;
        let commit = paint.yellow(&format!("{mark}{commit}"));
        let _ = writeln!(out, "{commit} ({author:<16} {day} {number:>width$}) {text}");
    }
    let _ = out.flush();
    drop(out);
    if patience.is_over() {
        mention!(
            "Its versions have too little in common to be compared to the last line: some lines may be older than is said."
        );
    }
    ended(global, &past);
    Exit::Ok
}

/// The text of a version, empty for one that took the document away. `None`: it is not to be had, or has too many lines.
fn text(past: &Past, version: &Version) -> Option<String> {
    let Some(blob) = version.blob else {
        return Some(String::new());
    };
    let text = String::from_utf8_lossy(past.texts.get(&blob)?).into_owned();
    (text.lines().count() <= MOST_LINES).then_some(text)
}

/// The error of what central's history has nothing of.
fn unknown(code: &ShortCode, past: &Past) -> SyncErrorKind {
    let folder = past
        .steps
        .first()
        .map(|step| format!(" in {}/", step.prefix))
        .unwrap_or_default();
    SyncErrorKind::NotInHistory(format!("{code}{folder}"))
}
