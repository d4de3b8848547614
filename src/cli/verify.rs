//! `git metis-sync verify`: central and this workspace compared id by id, down to every file of the hydrated folders.

use std::{
    io::{self, Write},
    sync::{Arc, atomic::AtomicBool},
};

use clap::Args;

use crate::{
    names::ShortCode,
    plan::{compare::Differences, dehydrate::CentralChange},
    stage::verify::{FolderCheck, MarkerCheck},
    sync::{
        SyncErrorKind, Workspace,
        preview::{self, Ask},
    },
    view::{Own, Verified},
};

use super::{
    Exit, Global,
    colour::Paint,
    conduit::overview::{self, Looked},
    output,
    progress::Bar,
    render::{self, number, short},
    sync::options,
};

/// Lines per folder, and folders, before the rest is summed up.
const LINES: usize = 20;
const FOLDERS: usize = 20;

#[derive(Debug, Clone, Args)]
pub struct VerifyArgs {
    /// Compare with central as it is now; otherwise with what the last sync saw, without any network
    #[arg(long)]
    fetch: bool,
}

/// Compares and prints; exit code 1 if anything differs.
pub fn run(global: &Global, args: &VerifyArgs, interrupt: Arc<AtomicBool>) -> Exit {
    let workspace = match Workspace::discover(&global.start_dir()) {
        Ok(workspace) => workspace,
        Err(kind) => return render::explained(global, "verify", &kind, ""),
    };
    let options = options(global, interrupt, "verify");
    let ask = if args.fetch { Ask::Central } else { Ask::Nobody };
    let mut bar = Bar::new(global);
    let verified =
        preview::look(&workspace, &options, ask, &mut bar).and_then(|preview| Verified::of(preview, args.fetch));
    bar.clear();
    let conduits = overview::look(&workspace, &options, args.fetch);
    match verified {
        Ok(verified) => {
            let is_right = verified.right && conduits.is_right();
            if global.json {
                let mut value = serde_json::to_value(&verified).unwrap_or_default();
                value["right"] = is_right.into();
                value["conduits"] = conduits.json();
                render::print_json(&render::document("verify", value));
            } else if global.talks() || !is_right {
                let _ = print(global, &verified, &conduits);
            }
            if is_right { Exit::Ok } else { Exit::Error }
        }
        Err(SyncErrorKind::NoUpstream) => match overview::tell_alone(global, "verify", &conduits) {
            Exit::Ok if !conduits.is_right() => Exit::Error,
            exit => exit,
        },
        Err(kind) => render::explained(global, "verify", &kind, &workspace.upstream_name()),
    }
}

fn print(global: &Global, verified: &Verified, conduits: &Looked) -> io::Result<()> {
    let paint = Paint::stdout(global);
    let mut out = io::BufWriter::new(output::stdout());
    let own = &verified.own;
    let head = verified.head.map_or_else(
        || "an empty central".to_owned(),
        |head| format!("central ({})", short(head)),
    );
    if verified.right {
        let documents: usize = verified.folders.iter().map(|folder| folder.documents).sum();
        writeln!(
            out,
            "{} {head}: {}, {} from {}.",
            paint.green("Everything matches"),
            match own.documents {
                1 => "1 own document".to_owned(),
                n => format!("{} own documents", number(n)),
            },
            number(documents),
            match verified.folders.len() {
                1 => "1 other workspace".to_owned(),
                n => format!("{} other workspaces", number(n)),
            }
        )?;
    } else {
        writeln!(out, "Compared with {head}:")?;
        own_lines(&mut out, paint, own)?;
        let wrong: Vec<&FolderCheck> = verified.folders.iter().filter(|folder| !folder.is_right()).collect();
        for folder in wrong.iter().take(FOLDERS) {
            folder_lines(&mut out, paint, folder)?;
        }
        if let Some(more) = wrong.len().checked_sub(FOLDERS).filter(|more| *more > 0) {
            writeln!(out, "… and {more} more folders")?;
        }
        if let Some(way_out) = way_out(own) {
            writeln!(out, "Own documents: {way_out}")?;
        }
        if !wrong.is_empty() {
            writeln!(out, "Folders: `git metis-sync doctor --fix` mends them.")?;
        }
    }
    for line in conduits.lines(paint, global.is_verbose()) {
        writeln!(out, "{line}")?;
    }
    for obstacle in &verified.obstacles {
        writeln!(out, "{} {}", paint.red("Blocked:"), obstacle.message)?;
        writeln!(out, "  {}", obstacle.next)?;
    }
    for warning in verified.warnings.iter().take(LINES) {
        writeln!(out, "{} {warning}", paint.yellow("Note:"))?;
    }
    if let Some(more) = verified.warnings.len().checked_sub(LINES).filter(|more| *more > 0) {
        writeln!(out, "… and {more} more notes")?;
    }
    out.flush()
}

/// What to do about own documents that differ. Nothing for those that cannot be read: the notes say what is wrong with them.
fn way_out(own: &Own) -> Option<&'static str> {
    let waiting = own.behind.len() + own.conflicts.len();
    match own.differences.len() - own.unreadable.len() {
        0 => None,
        n if n > waiting => Some("`git metis-sync diff` shows them, `git metis-sync` pushes them."),
        _ => Some("`git metis-sync diff` shows them, `git metis-sync resolve` decides."),
    }
}

fn own_lines(out: &mut dyn Write, paint: Paint, own: &Own) -> io::Result<()> {
    if own.differences.is_empty() {
        return Ok(());
    }
    let how = |code: &ShortCode| {
        if own.conflicts.contains(code) {
            return " (changed here and in central)";
        }
        if own.unreadable.contains(code) {
            return " (cannot be read here, so central's stays)";
        }
        match own
            .behind
            .iter()
            .find(|behind| behind.code == *code)
            .map(|behind| behind.change)
        {
            Some(CentralChange::Added | CentralChange::Changed) => " (central has the newer version)",
            Some(CentralChange::Removed) => " (removed from central)",
            None => " (not pushed yet)",
        }
    };
    writeln!(out, "{}", paint.bold("own documents"))?;
    let lines = difference_lines(paint, &own.differences, &how);
    bounded(out, &lines)
}

fn folder_lines(out: &mut dyn Write, paint: Paint, folder: &FolderCheck) -> io::Result<()> {
    let about = match (folder.tree, folder.marker) {
        (None, _) => "central has no such workspace (any more)",
        (_, MarkerCheck::Right) => "",
        (_, MarkerCheck::Other) => "its marker says that it is at another tree",
        (_, MarkerCheck::Unfinished) => "a sync was cut short in it",
        (_, MarkerCheck::Lost) => "its marker is lost",
        (_, MarkerCheck::Foreign) => "it has no marker, so it counts as a folder of your own",
        (_, MarkerCheck::Newer) => "a later version of git-metis-sync wrote it",
        (_, MarkerCheck::Absent) => "there is no such folder here",
    };
    let colon = if about.is_empty() { "" } else { ": " };
    writeln!(out, "{}{colon}{about}", paint.bold(&format!("{}/", folder.prefix)))?;
    // Of a folder that is not there every document is missing, which needs no saying.
    if folder.marker == MarkerCheck::Absent {
        return Ok(());
    }
    let mut lines = difference_lines(paint, &folder.differences, &|_| "");
    lines.extend(
        folder
            .unreadable
            .iter()
            .map(|reason| format!("  {} {reason}", paint.red("unreadable"))),
    );
    bounded(out, &lines)
}

fn difference_lines(paint: Paint, differences: &Differences, how: &dyn Fn(&ShortCode) -> &'static str) -> Vec<String> {
    let line = |word: String, code: &ShortCode| format!("  {word} {code}{}", how(code));
    let differing = differences
        .differing
        .iter()
        .map(|d| line(paint.yellow("differs"), &d.code));
    let missing = differences.missing.iter().map(|code| line(paint.red("missing"), code));
    let extra = differences.extra.iter().map(|code| line(paint.green("extra  "), code));
    differing.chain(missing).chain(extra).collect()
}

fn bounded(out: &mut dyn Write, lines: &[String]) -> io::Result<()> {
    for line in lines.iter().take(LINES) {
        writeln!(out, "{line}")?;
    }
    match lines.len().checked_sub(LINES) {
        Some(more) if more > 0 => writeln!(out, "  … and {more} more"),
        _ => Ok(()),
    }
}
