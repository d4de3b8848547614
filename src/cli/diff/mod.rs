//! `git metis-sync diff`: what a sync would push, or with `--central` what it would bring, as unified diffs.
//!
//! Names are central's, `a/` is what would be replaced and `b/` what would replace it, so `git apply` understands it.

mod patch;

use std::{
    collections::BTreeSet,
    io::{self, Write},
    sync::{Arc, atomic::AtomicBool},
};

use clap::Args;
use clap_complete::ArgValueCompleter;
use serde_json::{Value, json};

use crate::{
    central,
    names::{ObjectId, Prefix, ShortCode},
    plan::dehydrate::CentralChange,
    stage::own::{OwnDocument, ReadError},
    sync::{
        SyncErrorKind, SyncOptions, Workspace,
        preview::{self, Ask, CentralView, Preview},
        stop,
    },
    workspace,
};

use super::{Exit, Global, colour::Paint, completions::candidates, output, pager, progress::Bar, render, sync::prompt};
use patch::{Kind, Line, SHOWN_BYTES, Version};

#[derive(Debug, Clone, Args)]
pub struct DiffArgs {
    /// What a sync would push: own documents against central's (the default)
    #[arg(long, conflicts_with = "central")]
    local: bool,
    /// What a sync would bring, and which own documents central has newer
    #[arg(long)]
    central: bool,
    /// Offline: compare with the last sync
    #[arg(long)]
    offline: bool,
    /// Exit with 1 if anything differs
    #[arg(long)]
    exit_code: bool,
    /// Show at most this many lines in all
    #[arg(short = 'n', long, value_name = "N", default_value_t = 1000)]
    lines: usize,
    /// Only these documents
    #[arg(value_name = "CODE", add = ArgValueCompleter::new(candidates::codes))]
    codes: Vec<ShortCode>,
}

/// Where a version's bytes are.
enum Side {
    Nowhere,
    /// A blob of central.
    Central(ObjectId),
    /// A file, relative to `.metis/`.
    Here(String),
    /// An own document.
    Own(OwnDocument),
}

/// One document that differs, or may.
struct Change {
    prefix: Prefix,
    code: ShortCode,
    old: Side,
    new: Side,
    conflict: bool,
}

/// Looks, compares and prints.
pub fn run(global: &Global, args: &DiffArgs, interrupt: Arc<AtomicBool>) -> Exit {
    let workspace = match Workspace::discover(&global.start_dir()) {
        Ok(workspace) => workspace,
        Err(kind) => return render::explained(global, "diff", &kind, ""),
    };
    let options = SyncOptions {
        prompt: prompt(global),
        interrupt,
        trigger: "diff".into(),
        ..SyncOptions::default()
    };
    let ask = if args.offline { Ask::Nobody } else { Ask::Central };
    let mut bar = Bar::new(global);
    let looked = preview::look(&workspace, &options, ask, &mut bar);
    bar.clear();
    let preview = match looked {
        Ok(preview) => preview,
        Err(SyncErrorKind::NoUpstream) => return render::single_workspace(global, "diff"),
        Err(kind) => return render::explained(global, "diff", &kind, ""),
    };
    if !args.exit_code {
        pager::start(global, workspace.project());
    }
    match diff(global, args, preview) {
        Ok(differs) if differs && args.exit_code => Exit::Error,
        Ok(_) => Exit::Ok,
        Err(kind) => render::explained(global, "diff", &kind, &workspace.upstream_name()),
    }
}

fn diff(global: &Global, args: &DiffArgs, mut preview: Preview<'_>) -> Result<bool, SyncErrorKind> {
    let view = std::mem::replace(&mut preview.central, CentralView::NotAsked);
    let url = preview.ctx.upstream_shown.clone();
    if preview.snapshot.is_none() {
        return Err(match (view, preview.stops.pop()) {
            (CentralView::Failed(err), _) => err.into(),
            (_, Some(stop)) => stop,
            (_, None) => preview::not_at_hand(preview.cursor.head),
        });
    }
    for code in &args.codes {
        let known = preview.own.documents.contains_key(code) || preview.held.contains_key(code);
        if !args.central && !known {
            mention!("warning: neither this workspace nor its folder in central has a document {code}");
        }
    }
    if let CentralView::Failed(err) = view {
        mention!(
            "warning: {}; compared with the last sync",
            stop::explain_central(&err, &url)
        );
    }
    for stop in &preview.stops {
        mention!(
            "warning: a sync would stop ({}): {}",
            stop.word(),
            stop::explain(stop, &url).message
        );
    }
    let mut changes = if args.central {
        incoming(&preview)
    } else {
        outgoing(&preview)
    };
    if !args.codes.is_empty() {
        let wanted: BTreeSet<&ShortCode> = args.codes.iter().collect();
        changes.retain(|change| wanted.contains(&change.code));
    }
    if global.json {
        json(args, &preview, &changes)
    } else {
        print(global, args, &preview, &changes)
    }
}

/// Own documents whose version here would go to central, and those that nobody can decide.
fn outgoing(preview: &Preview<'_>) -> Vec<Change> {
    let Some(prefix) = &preview.ctx.owned else {
        return Vec::new();
    };
    let plan = &preview.plan;
    let changed = plan.push.keys().chain(&plan.remove).map(|code| (code, false));
    let conflicts = plan.conflicts.iter().map(|conflict| (&conflict.code, true));
    let mut changes: Vec<Change> = changed
        .chain(conflicts)
        .map(|(code, conflict)| Change {
            prefix: prefix.clone(),
            code: code.clone(),
            old: theirs(preview, code),
            new: ours(preview, code),
            conflict,
        })
        .collect();
    changes.sort_by(|a, b| a.code.cmp(&b.code));
    changes
}

/// Own documents that central has newer, and what hydrating would change.
fn incoming(preview: &Preview<'_>) -> Vec<Change> {
    let mut changes = Vec::new();
    if let Some(prefix) = &preview.ctx.owned {
        let plan = &preview.plan;
        let behind = plan.behind.iter().map(|behind| (&behind.code, false));
        let conflicts = plan.conflicts.iter().map(|conflict| (&conflict.code, true));
        changes.extend(behind.chain(conflicts).map(|(code, conflict)| Change {
            prefix: prefix.clone(),
            code: code.clone(),
            old: ours(preview, code),
            new: theirs(preview, code),
            conflict,
        }));
    }
    let Some(plan) = &preview.hydrate else { return changes };
    let work = plan.work.iter().map(|work| (&work.prefix, &work.files));
    for (prefix, files) in work.chain(plan.gone.iter().map(|(prefix, files)| (prefix, files))) {
        let change = |code: &ShortCode, new| Change {
            prefix: prefix.clone(),
            code: code.clone(),
            old: Side::Here(format!("{prefix}/{}", code.file_name())),
            new,
            conflict: false,
        };
        changes.extend(
            files
                .write
                .iter()
                .map(|write| change(&write.code, Side::Central(write.blob))),
        );
        changes.extend(files.remove.iter().map(|remove| change(&remove.code, Side::Nowhere)));
    }
    changes.sort_by(|a, b| (&a.prefix, &a.code).cmp(&(&b.prefix, &b.code)));
    changes
}

fn theirs(preview: &Preview<'_>, code: &ShortCode) -> Side {
    preview
        .held
        .get(code)
        .map_or(Side::Nowhere, |blob| Side::Central(*blob))
}

fn ours(preview: &Preview<'_>, code: &ShortCode) -> Side {
    match preview.own.documents.get(code) {
        Some(document) => Side::Own(document.clone()),
        None => Side::Nowhere,
    }
}

/// Fetches a version's bytes from where they are.
fn version(preview: &Preview<'_>, side: &Side) -> Result<Option<Version>, SyncErrorKind> {
    match side {
        Side::Nowhere => Ok(None),
        Side::Central(id) => {
            let Some(store) = &preview.store else { return Ok(None) };
            let bytes = store.blob(*id, SHOWN_BYTES)?;
            Ok(Some(Version { id: *id, bytes }))
        }
        Side::Own(document) => match preview.own.reader(&preview.ctx).read(document) {
            Ok(bytes) => Ok(Some(Version {
                id: document.blob,
                bytes: (bytes.len() as u64 <= SHOWN_BYTES).then_some(bytes),
            })),
            Err(ReadError::Changed { .. }) => Ok(None),
            Err(ReadError::Dir(err)) => Err(err.into()),
            Err(ReadError::Object(err)) => Err(err.into()),
        },
        Side::Here(path) => match workspace::read_document(preview.ctx.metis.dir(), path) {
            Ok(bytes) => Ok(Some(Version {
                id: central::blob_id(preview.cursor.format, &bytes),
                bytes: (bytes.len() as u64 <= SHOWN_BYTES).then_some(bytes),
            })),
            Err(err) if err.is_gone() => Ok(None),
            Err(err) => Err(err.into()),
        },
    }
}

/// The versions of a change, `None` if they turn out to be the same.
type Versions = Option<(Option<Version>, Option<Version>)>;

fn versions(preview: &Preview<'_>, change: &Change) -> Result<Versions, SyncErrorKind> {
    let (old, new) = (version(preview, &change.old)?, version(preview, &change.new)?);
    let id = |version: &Option<Version>| version.as_ref().map(|version| version.id);
    Ok((id(&old) != id(&new)).then_some((old, new)))
}

fn name(change: &Change) -> String {
    format!("{}/{}", change.prefix, change.code.file_name())
}

fn print(global: &Global, args: &DiffArgs, preview: &Preview<'_>, changes: &[Change]) -> Result<bool, SyncErrorKind> {
    let paint = Paint::stdout(global);
    let mut out = io::BufWriter::new(output::stdout());
    let mut left = args.lines;
    let mut differs = false;
    for (at, change) in changes.iter().enumerate() {
        if left == 0 && differs {
            let more = changes.len() - at;
            let word = if more == 1 { "document" } else { "documents" };
            let _ = writeln!(
                out,
                "… and {more} more {word}, the first of them {}; name it to see it, or allow more with --lines",
                name(change)
            );
            break;
        }
        let Some((old, new)) = versions(preview, change)? else {
            continue;
        };
        differs = true;
        if !global.talks() {
            continue;
        }
        if change.conflict {
            let text = format!("# {}: changed here and in central; a sync stops", change.code);
            let _ = writeln!(out, "{}", paint.yellow(&text));
        }
        let lines = patch::lines(&name(change), old.as_ref(), new.as_ref());
        for line in lines.iter().take(left) {
            let _ = writeln!(out, "{}", coloured(paint, line));
        }
        if let Some(more) = lines.len().checked_sub(left).filter(|more| *more > 0) {
            let _ = writeln!(out, "… and {more} more lines of {}; see all with --lines", name(change));
        }
        left = left.saturating_sub(lines.len());
    }
    let _ = out.flush();
    Ok(differs)
}

fn coloured(paint: Paint, line: &Line) -> String {
    match line.kind {
        Kind::Header => paint.bold(&line.text),
        Kind::Hunk => paint.cyan(&line.text),
        Kind::Context => line.text.clone(),
        Kind::Removed => paint.red(&line.text),
        Kind::Added => paint.green(&line.text),
    }
}

fn json(args: &DiffArgs, preview: &Preview<'_>, changes: &[Change]) -> Result<bool, SyncErrorKind> {
    let mut left = args.lines;
    let mut documents: Vec<Value> = Vec::new();
    for change in changes {
        let Some((old, new)) = versions(preview, change)? else {
            continue;
        };
        let what = match (&old, &new) {
            (None, _) => CentralChange::Added,
            (_, None) => CentralChange::Removed,
            _ => CentralChange::Changed,
        };
        let lines = patch::lines(&name(change), old.as_ref(), new.as_ref());
        let shown: String = lines.iter().take(left).map(|line| format!("{}\n", line.text)).collect();
        documents.push(json!({
            "workspace": change.prefix,
            "code": change.code,
            "change": what,
            "conflict": change.conflict,
            "old": old.map(|version| version.id),
            "new": new.map(|version| version.id),
            "diff": shown,
            "lines_left_out": lines.len().saturating_sub(left),
        }));
        left = left.saturating_sub(lines.len());
    }
    let differs = !documents.is_empty();
    let value = json!({
        "side": if args.central { "central" } else { "local" },
        "head": preview.snapshot.as_ref().and_then(|snapshot| snapshot.head),
        "documents": documents,
    });
    render::print_json(&render::document("diff", value));
    Ok(differs)
}
