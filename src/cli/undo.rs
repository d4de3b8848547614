//! `git metis-sync undo`: takes back what the last syncs did.

use std::{
    io::{self, Write},
    sync::{Arc, atomic::AtomicBool},
};

use clap::Args;
use serde_json::json;

use super::{
    Exit, Global, document,
    init::Person,
    output,
    progress::Bar,
    render,
    sync::{fail, options},
};
use crate::{
    names::ShortCode,
    sync::{
        SyncErrorKind, Workspace,
        undo::{self, UndoPlan},
    },
};

#[derive(Debug, Clone, Args)]
pub struct UndoArgs {
    /// How many of the last syncs that did something; what was taken back already does not count
    #[arg(value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    count: u16,
    /// Show what would be taken back, and leave it
    #[arg(short = 'n', long)]
    dry_run: bool,
    /// Don't ask
    #[arg(short, long)]
    yes: bool,
}

/// Shows what goes back, asks, and does it.
pub fn run(global: &Global, args: &UndoArgs, interrupt: Arc<AtomicBool>) -> Exit {
    let workspace = match Workspace::discover(&global.start_dir()) {
        Ok(workspace) => workspace,
        Err(kind) => return render::explained(global, "undo", &kind, ""),
    };
    let options = options(global, interrupt, "undo");
    let mut bar = Bar::new(global);
    let planned = undo::plan(&workspace, &options, args.count.into(), &mut bar);
    bar.clear();
    let plan = match planned {
        Ok(plan) => plan,
        Err(SyncErrorKind::NoUpstream) => return render::single_workspace(global, "undo"),
        Err(kind) => return render::explained(global, "undo", &kind, &workspace.upstream_name()),
    };
    if plan.is_empty() {
        return nothing(global, &plan);
    }
    if global.talks() && !global.json {
        output::note(show(&plan));
    }
    if args.dry_run {
        if global.json {
            render::print_json(&render::document("undo", json!({ "outcome": "planned", "plan": plan })));
        }
        return Exit::Ok;
    }
    if !args.yes {
        let Some(person) = Person::at(global) else {
            mention!(
                "error: this changes what central has and the files here\n  If it is meant: `git metis-sync undo --yes`. \
                 Nothing was changed."
            );
            return Exit::Usage;
        };
        if !person.agrees("Take that back?") {
            mention!("Nothing was changed.");
            return Exit::Stopped;
        }
    }
    let result = undo::apply(&workspace, &options, &plan, &mut bar);
    bar.clear();
    match result {
        Ok(report) => {
            render::report(global, "undo", &report, Some(("plan", json!(plan))));
            Exit::Ok
        }
        Err(err) => fail(global, "undo", &workspace, &err),
    }
}

fn nothing(global: &Global, plan: &UndoPlan) -> Exit {
    let why = plan.left.iter().map(|(name, left)| format!("{name}: {}", left.words()));
    let message = match plan.entries.is_empty() {
        true => "no sync here has left anything that can be taken back".to_owned(),
        false => format!("nothing can be taken back ({})", why.collect::<Vec<_>>().join("; ")),
    };
    let next = "`git metis-sync log` lists what syncs did; `git metis-sync log CODE` and `show CODE@TIME` have the texts of before.";
    document::stopped(global, "undo", "nothing", message, next.into())
}

fn show(plan: &UndoPlan) -> io::Result<()> {
    let mut out = io::BufWriter::new(output::stdout());
    for entry in &plan.entries {
        let time = render::time(entry.started.raw());
        writeln!(out, "Taken back: `{}` of {time}", entry.trigger.brief())?;
    }
    let codes = |goes: bool| {
        let chosen = plan.documents.iter().filter(|(_, to)| to.is_none() == goes);
        let codes: Vec<&str> = chosen.map(|(code, _)| code.as_str()).collect();
        codes.join(" ")
    };
    if !codes(false).is_empty() {
        writeln!(
            out,
            "  central gets the version of before, in a new commit: {}",
            codes(false)
        )?;
    }
    if !codes(true).is_empty() {
        writeln!(
            out,
            "  central did not have it before, and loses it in a new commit: {}",
            codes(true)
        )?;
    }
    for prefix in plan.folders.keys() {
        writeln!(
            out,
            "  .metis/{prefix}/ goes back to the copies of before, until central changes and a sync brings the new ones"
        )?;
    }
    for file in &plan.files {
        writeln!(out, "  .metis/{} gets its text of before", file.path)?;
    }
    for (name, left) in &plan.left {
        writeln!(out, "  stays as it is: {name}, as {}", left.words())?;
    }
    let kept: Vec<&str> = plan.held_back.iter().map(ShortCode::as_str).collect();
    if !kept.is_empty() {
        writeln!(
            out,
            "The files of {} stay as they are, and are not published again until they change; `git metis-sync resolve CODE --take \
             local` publishes one as it is, `--take central` gives it central's text.",
            kept.join(" ")
        )?;
    }
    out.flush()
}
