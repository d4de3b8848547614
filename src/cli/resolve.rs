//! `git metis-sync resolve`: documents that are behind or diverged, and what a person decides about them.

use std::{
    io::{self, Write},
    sync::{Arc, atomic::AtomicBool},
};

use clap::Args;
use clap_complete::ArgValueCompleter;
use serde_json::json;

use super::{
    Global,
    completions::candidates,
    hint::Exit,
    output,
    progress::Bar,
    render,
    sync::{fail, fail_early, prompt},
};
use crate::{
    names::ShortCode,
    sync::{
        self, SyncErrorKind, SyncOptions, Workspace,
        preview::{self, Ask},
        resolve::{self, Open, Resolved, Take},
    },
};

#[derive(Debug, Clone, Args)]
pub struct ResolveArgs {
    /// The documents; without any, those that wait for a decision are listed
    #[arg(value_name = "CODE", add = ArgValueCompleter::new(candidates::own_codes))]
    codes: Vec<ShortCode>,
    /// What to take: `local` publishes what is here, `central` writes central's version here, `merge` puts both together
    #[arg(long, value_name = "SIDE")]
    take: Option<Side>,
    /// All documents that wait
    #[arg(long, conflicts_with = "codes", requires = "take")]
    all: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Side {
    Local,
    Central,
    Merge,
}

/// Lists, or decides and syncs.
pub fn run(global: &Global, args: &ResolveArgs, interrupt: Arc<AtomicBool>) -> Exit {
    let workspace = match Workspace::discover(&global.start_dir()) {
        Ok(workspace) => workspace,
        Err(kind) => return fail_early(global, "resolve", kind),
    };
    let url = workspace.upstream_name();
    let options = SyncOptions {
        prompt: prompt(global),
        interrupt,
        trigger: "resolve".into(),
        ..SyncOptions::default()
    };
    let mut bar = Bar::new(global);
    let open = preview::look(&workspace, &options, Ask::Central, &mut bar).map(|preview| resolve::open(&preview));
    bar.clear();
    let open = match open {
        Ok(open) => open,
        Err(SyncErrorKind::NoUpstream) => return render::single_workspace(global, "resolve"),
        Err(kind) => return render::explained(global, "resolve", &kind, &url),
    };
    if let Some(unknown) = args
        .codes
        .iter()
        .find(|code| !open.iter().any(|open| open.code == **code))
    {
        let message = format!("{unknown} waits for no decision; `git metis-sync resolve` lists those that do");
        return render::explained(global, "resolve", &SyncErrorKind::Mend(message.into()), &url);
    }
    let all = args.all || args.codes.is_empty();
    let chosen: Vec<Open> = open
        .into_iter()
        .filter(|open| all || args.codes.contains(&open.code))
        .collect();
    let side = match args.take {
        Some(Side::Local) => Take::Local,
        Some(Side::Central) => Take::Central,
        Some(Side::Merge) => Take::Merge,
        None => {
            output::note(list(global, &chosen));
            return Exit::Ok;
        }
    };
    if !args.all && args.codes.is_empty() {
        let message = "name the documents, or say --all".to_owned();
        return render::explained(global, "resolve", &SyncErrorKind::Mend(message.into()), &url);
    }
    let done = match resolve::take(&workspace, &options, &chosen, side) {
        Ok(done) => done,
        Err(kind) => return render::explained(global, "resolve", &kind, &url),
    };
    if global.talks() && !global.json {
        for open in &chosen {
            let said = match &done[&open.code] {
                Resolved::Local => continue,
                Resolved::Central(None) => "has central's version".to_owned(),
                Resolved::Central(Some(kept)) => format!("has central's version; what it was is kept as {kept}"),
                Resolved::Merged => "has the changes of both".to_owned(),
                Resolved::Marked(marks) => format!(
                    "has {marks} {} between conflict markers: edit them, then run `git metis-sync`",
                    if *marks == 1 { "place" } else { "places" }
                ),
            };
            say!("{}: {} {said}.", open.code, open.path);
        }
    }
    if done.values().any(|resolved| matches!(resolved, Resolved::Marked(_))) {
        return Exit::Stopped;
    }
    // Removing was decided document by document, which is more than the guard asks for.
    let options = SyncOptions {
        allow_deletes: true,
        ..options
    };
    let mut bar = Bar::new(global);
    let result = sync::sync(&workspace, &options, &mut bar);
    bar.clear();
    match result {
        Ok(report) => {
            render::report(global, "resolve", &report);
            Exit::Ok
        }
        Err(err) => fail(global, "resolve", &workspace, &err),
    }
}

fn list(global: &Global, open: &[Open]) -> io::Result<()> {
    if global.json {
        let documents: Vec<_> = open
            .iter()
            .map(|open| {
                json!({
                    "code": open.code, "path": open.path, "why": open.why,
                    "base": open.base, "here": open.here, "central": open.central,
                })
            })
            .collect();
        render::print_json(&render::document("resolve", json!({ "documents": documents })));
        return Ok(());
    }
    let mut out = io::BufWriter::new(output::stdout());
    if open.is_empty() {
        writeln!(out, "Nothing waits for a decision.")?;
        return out.flush();
    }
    let short = |id: Option<crate::names::ObjectId>| id.map_or_else(|| "none".to_owned(), render::short);
    for open in open {
        writeln!(
            out,
            "{}  {}: {}",
            open.code,
            crate::plan::listing::escaped(&open.path),
            open.why
        )?;
        writeln!(
            out,
            "    base {}, here {}, central {}",
            short(open.base),
            short(open.here),
            short(open.central)
        )?;
    }
    writeln!(
        out,
        "`git metis-sync diff` shows the texts; `git metis-sync resolve CODE --take local|central|merge` decides."
    )?;
    out.flush()
}
