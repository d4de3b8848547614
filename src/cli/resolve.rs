//! `git metis-sync resolve`: documents that are behind or diverged, and what a person decides about them.

use std::{
    io::{self, Write},
    sync::{Arc, atomic::AtomicBool},
};

use clap::Args;
use clap_complete::ArgValueCompleter;
use serde_json::json;

use super::{
    Exit, Global,
    completions::candidates,
    editor, output,
    progress::Bar,
    render,
    sync::{fail, fail_early, options},
};
use crate::{
    names::ShortCode,
    plan::listing::escaped,
    service::{self, SyncRequest},
    sync::{
        NotResolved, SyncErrorKind, SyncOptions, Workspace,
        preview::{self, Ask, Preview},
        resolve::{self, Open, Resolved, Take},
    },
};

#[derive(Debug, Clone, Args)]
pub struct ResolveArgs {
    /// The documents; without any, those that wait for a decision are listed
    #[arg(value_name = "CODE", add = ArgValueCompleter::new(candidates::own_codes))]
    codes: Vec<ShortCode>,
    /// What to take: `local` publishes what is here, `central` writes central's version here, `merge` puts both together
    #[arg(long, value_name = "SIDE", conflicts_with_all = ["edit", "tool"])]
    take: Option<Side>,
    /// Merge, and open the file in git's editor (GIT_EDITOR, core.editor, EDITOR) to finish it
    #[arg(long, conflicts_with = "tool")]
    edit: bool,
    /// Merge with git's merge tool (merge.tool)
    #[arg(long)]
    tool: bool,
    /// All documents that wait
    #[arg(long, conflicts_with = "codes")]
    all: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Side {
    Local,
    Central,
    Merge,
}

impl ResolveArgs {
    fn decides(&self) -> bool {
        self.take.is_some() || self.edit || self.tool
    }
}

/// Lists, or decides and syncs.
pub fn run(global: &Global, args: &ResolveArgs, interrupt: Arc<AtomicBool>) -> Exit {
    let named = args.all || !args.codes.is_empty();
    if args.decides() && !named {
        mention!("error: name the documents, or say --all");
        return Exit::Usage;
    }
    if args.all && !args.decides() {
        mention!("error: --all needs one of --take, --edit and --tool");
        return Exit::Usage;
    }
    let workspace = match Workspace::discover(&global.start_dir()) {
        Ok(workspace) => workspace,
        Err(kind) => return fail_early(global, "resolve", kind),
    };
    if let Err(kind) = workspace.needs_folder("resolve") {
        return fail_early(global, "resolve", kind);
    }
    let options = options(global, interrupt, "resolve");
    match resolve(global, args, &workspace, &options) {
        Ok(Some(exit)) => exit,
        Ok(None) => publish(global, &workspace, options),
        Err(SyncErrorKind::NoUpstream) => render::single_workspace(global, "resolve"),
        Err(kind) => render::explained(global, "resolve", &kind, &workspace.upstream_name()),
    }
}

/// `None`: all that was chosen is decided, and can be published.
fn resolve(
    global: &Global,
    args: &ResolveArgs,
    workspace: &Workspace,
    options: &SyncOptions,
) -> Result<Option<Exit>, SyncErrorKind> {
    let mut bar = Bar::new(global);
    let looked = preview::look(workspace, options, Ask::Central, &mut bar);
    bar.clear();
    let preview = looked?;
    let (open, begun) = (resolve::open(&preview), resolve::begun(&preview));
    let finishes = args.edit || args.tool;
    let is_open = |code: &ShortCode| open.iter().any(|open| open.code == *code);
    let is_begun = |code: &ShortCode| begun.iter().any(|open| open.code == *code);
    let may_be_named = |code: &ShortCode| is_open(code) || (is_begun(code) && (finishes || !args.decides()));
    if let Some(unknown) = args.codes.iter().find(|code| !may_be_named(code)) {
        return Err(NotResolved::NothingOpen(unknown.clone()).into());
    }
    let is_chosen = |open: &&Open| args.codes.is_empty() || args.codes.contains(&open.code);
    let chosen: Vec<Open> = open.iter().filter(is_chosen).cloned().collect();
    let begun: Vec<Open> = begun.iter().filter(is_chosen).cloned().collect();
    let side = match args.take {
        Some(Side::Local) => Take::Local,
        Some(Side::Central) => Take::Central,
        Some(Side::Merge) => Take::Merge,
        None if finishes => return finish(args, workspace, options, &preview, &[chosen, begun]),
        None => {
            output::note(list(global, &[chosen, begun].concat()));
            return Ok(Some(Exit::Ok));
        }
    };
    let done = resolve::take(workspace, options, &chosen, side)?;
    if global.talks() && !global.json {
        for open in &chosen {
            tell(open, &done[&open.code]);
        }
    }
    let is_marked = |resolved: &Resolved| matches!(resolved, Resolved::Marked(_));
    Ok(done.values().any(is_marked).then_some(Exit::Stopped))
}

fn tell(open: &Open, resolved: &Resolved) {
    let (code, path) = (&open.code, &open.path);
    match resolved {
        Resolved::Local => {}
        Resolved::Central(None) => say!("{code}: {path} has central's version."),
        Resolved::Central(Some(kept)) => {
            say!("{code}: {path} has central's version; what it was is kept as {kept}.");
        }
        Resolved::Merged => say!("{code}: {path} has the changes of both."),
        Resolved::Marked(marks) => say!(
            "{code}: {path} has {marks} {} between conflict markers: edit them (`git metis-sync resolve {code} --edit` opens \
             the file), then run `git metis-sync`.",
            if *marks == 1 { "place" } else { "places" }
        ),
    }
}

/// Has a person finish the merges: those that are still to be made, and those that have been `begun`.
fn finish(
    args: &ResolveArgs,
    workspace: &Workspace,
    options: &SyncOptions,
    preview: &Preview<'_>,
    [open, begun]: &[Vec<Open>; 2],
) -> Result<Option<Exit>, SyncErrorKind> {
    let mut all_done = true;
    let project = workspace.metis().project();
    for (open, is_begun) in open
        .iter()
        .map(|open| (open, false))
        .chain(begun.iter().map(|open| (open, true)))
    {
        let file = workspace.metis().path().join(open.path.raw());
        let made = match is_begun {
            true => None,
            false => Some(resolve::draft(preview, open)?.0),
        };
        let ended = match &made {
            Some(versions) if args.tool => editor::merge(project, versions, &file).map(|status| status.success()),
            _ => editor::edit(project, &file).map(|(_, status)| status.success()),
        };
        let (code, path) = (&open.code, &open.path);
        let is_marked = resolve::is_marked(preview, open)?;
        let ended_well = matches!(ended, Ok(true));
        if is_marked || ended_well {
            resolve::note(workspace, options, &[open])?;
        }
        let way_out = format!("`git metis-sync resolve {code} --edit` opens it again");
        match (ended, is_marked) {
            (Ok(true), false) => say!("{code}: {path} is merged."),
            (Ok(_), true) => mention!("{code}: {path} still has conflict markers, so it is not published; {way_out}."),
            (Ok(false), false) => mention!("{code}: the program did not end well, so nothing is decided; {way_out}."),
            (Err(err), _) => mention!(
                "{code}: no editor could be started for {path} ({}); {way_out}.",
                escaped(&err.to_string())
            ),
        }
        all_done &= ended_well && !is_marked;
    }
    Ok((!all_done).then_some(Exit::Stopped))
}

/// Syncs, with what was decided.
fn publish(global: &Global, workspace: &Workspace, options: SyncOptions) -> Exit {
    // Removing was decided document by document, which is more than the guard asks for.
    let request = SyncRequest {
        allow_deletes: true,
        conduits: false,
        prompt: options.prompt,
        interrupt: options.interrupt,
        trigger: options.trigger,
        ..SyncRequest::default()
    };
    let mut bar = Bar::new(global);
    let result = service::execute(workspace, &request, &mut bar);
    bar.clear();
    match result {
        Ok(served) => {
            render::report(global, "resolve", &served.report, None);
            Exit::Ok
        }
        Err(err) => fail(global, "resolve", workspace, &err),
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
        writeln!(out, "{}  {}: {}", open.code, open.path, open.why)?;
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
        "`git metis-sync diff` shows the texts; `git metis-sync resolve CODE --take local|central|merge` decides, and `--edit` \
         opens the editor."
    )?;
    out.flush()
}
