//! `git metis-sync diff`: what a sync would push, or with `--central` what it would bring, as unified diffs.
//!
//! Names are central's, `a/` is what would be replaced and `b/` what would replace it, so `git apply` understands it.

use std::{
    collections::BTreeSet,
    io::{self, Write},
    sync::{Arc, atomic::AtomicBool},
};

use clap::Args;
use clap_complete::ArgValueCompleter;
use serde_json::{Value, json};

use crate::{
    names::ShortCode,
    sync::{
        SyncErrorKind, Workspace,
        preview::{self, Ask, Preview},
        stop,
    },
    view::{
        diff::{self, Change, Compared, Kind, Line, Side},
        lines::Patience,
    },
};

use super::{
    Exit, Global, colour::Paint, completions::candidates, output, pager, progress::Bar, render, sync::options,
};

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

/// Looks, compares and prints.
pub fn run(global: &Global, args: &DiffArgs, interrupt: Arc<AtomicBool>) -> Exit {
    let workspace = match Workspace::discover(&global.start_dir()) {
        Ok(workspace) => workspace,
        Err(kind) => return render::explained(global, "diff", &kind, ""),
    };
    let options = options(global, interrupt, "diff");
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
    let unreached = diff::check(&mut preview)?;
    let url = preview.ctx.upstream_shown.clone();
    for code in &args.codes {
        let known = preview.own.documents.contains_key(code) || preview.held.contains_key(code);
        if !args.central && !known {
            mention!("warning: neither this workspace nor its folder in central has a document {code}");
        }
    }
    if let Some(err) = unreached {
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
    let side = if args.central { Side::Central } else { Side::Local };
    let mut changes = diff::changes(&preview, side);
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

fn print(global: &Global, args: &DiffArgs, preview: &Preview<'_>, changes: &[Change]) -> Result<bool, SyncErrorKind> {
    let paint = Paint::stdout(global);
    let mut out = io::BufWriter::new(output::stdout());
    let mut left = args.lines;
    let mut differs = false;
    let mut patience = Patience::default();
    for (at, change) in changes.iter().enumerate() {
        if left == 0 && differs {
            let more = changes.len() - at;
            let word = if more == 1 { "document" } else { "documents" };
            let _ = writeln!(
                out,
                "… and {more} more {word}, the first of them {}; name it to see it, or allow more with --lines",
                change.name()
            );
            break;
        }
        let Some(compared) = change.compared(preview, &mut patience)? else {
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
        let lines = &compared.lines;
        for line in lines.iter().take(left) {
            let _ = writeln!(out, "{}", coloured(paint, line));
        }
        if let Some(more) = lines.len().checked_sub(left).filter(|more| *more > 0) {
            let _ = writeln!(
                out,
                "… and {more} more lines of {}; see all with --lines",
                change.name()
            );
        }
        left = left.saturating_sub(lines.len());
    }
    let _ = out.flush();
    Ok(differs)
}

/// A line in the colour of its kind.
pub fn coloured(paint: Paint, line: &Line) -> String {
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
    let mut patience = Patience::default();
    for change in changes {
        let Some(Compared {
            change: what,
            old,
            new,
            lines,
        }) = change.compared(preview, &mut patience)?
        else {
            continue;
        };
        let shown: String = lines.iter().take(left).map(|line| format!("{}\n", line.text)).collect();
        documents.push(json!({
            "workspace": change.prefix,
            "code": change.code,
            "change": what,
            "conflict": change.conflict,
            "old": old,
            "new": new,
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
