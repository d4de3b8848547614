//! `git metis-sync show` and `open`: one document, as it is or as it was.

use std::{
    io::Write,
    sync::{Arc, atomic::AtomicBool},
};

use clap::Args;
use clap_complete::ArgValueCompleter;
use jiff::{Timestamp, tz::TimeZone};
use serde_json::{Value, json};

use crate::{
    central::past::{Past, Step},
    names::ShortCode,
    project,
    sync::Workspace,
    text::escaped,
};

use super::{
    Exit, Global,
    completions::candidates,
    document::{self, Asked},
    editor,
    history::{self, DepthArg},
    output, pager, render,
    words::local,
};

#[derive(Debug, Clone, Args)]
pub struct ShowArgs {
    /// The document; with @ and a commit of central, or a time such as 2026-02-26 or "2 weeks ago", as it was then
    #[arg(value_name = "CODE[@COMMIT|@TIME]", add = ArgValueCompleter::new(candidates::codes))]
    document: Asked,
    #[command(flatten)]
    depth: DepthArg,
}

#[derive(Debug, Clone, Args)]
pub struct OpenArgs {
    /// The document: an own one is edited, a copy is shown
    #[arg(value_name = "CODE", value_parser = document::code, add = ArgValueCompleter::new(candidates::codes))]
    code: ShortCode,
}

/// Shows a document.
pub fn show(global: &Global, args: &ShowArgs, interrupt: Arc<AtomicBool>) -> Exit {
    let workspace = match Workspace::discover(&global.start_dir()) {
        Ok(workspace) => workspace,
        Err(kind) => return render::explained(global, "show", &kind, ""),
    };
    let code = &args.document.code;
    match &args.document.when {
        None => now(global, "show", &workspace, code),
        Some(when) => then(global, &workspace, code, when, args.depth, interrupt),
    }
}

fn now(global: &Global, command: &str, workspace: &Workspace, code: &ShortCode) -> Exit {
    let found = match document::find(workspace, code) {
        Ok(Ok(found)) => found,
        Ok(Err(err)) => return document::unanswered(global, command, &err),
        Err(kind) => return render::explained(global, command, &kind, ""),
    };
    match document::read(workspace, &found) {
        Ok(bytes) => {
            let value = serde_json::to_value(&found).unwrap_or_default();
            print(global, command, workspace, value, &bytes);
            Exit::Ok
        }
        Err([message, next]) => document::stopped(global, command, "io", message, next),
    }
}

/// The bytes as they are for a program, fit for a terminal for a person.
fn print(global: &Global, command: &str, workspace: &Workspace, document: Value, bytes: &[u8]) {
    if global.json {
        let value = json!({ "document": document, "text": String::from_utf8_lossy(bytes) });
        render::print_json(&render::document(command, value));
        return;
    }
    pager::start(global, workspace.project());
    let _ = match output::is_terminal() {
        true => output::stdout().write_all(bytes),
        false => output::bytes().write_all(bytes),
    };
}

fn then(
    global: &Global,
    workspace: &Workspace,
    code: &ShortCode,
    when: &str,
    depth: DepthArg,
    interrupt: Arc<AtomicBool>,
) -> Exit {
    let meant = meant(when, Timestamp::now(), &TimeZone::system());
    let wanted = |past: &Past| -> Vec<_> { step(past, when, meant).and_then(|step| step.blob).into_iter().collect() };
    let past = match history::look(global, workspace, code, depth, &wanted, interrupt) {
        Ok(past) => past,
        Err(kind) => return render::explained(global, "show", &kind, &workspace.upstream_name()),
    };
    let stop = |kind, message, next: &str| document::stopped(global, "show", kind, message, next.to_owned());
    let further = "`--depth N` looks further back.";
    match (step(&past, when, meant), meant) {
        (
            Some(Step {
                blob: Some(blob),
                commit,
                time,
                prefix,
                ..
            }),
            _,
        ) => match past.texts.get(blob) {
            Some(bytes) => {
                let value = json!({ "code": code, "workspace": prefix, "commit": commit, "time": time.to_string(), "blob": blob });
                print(global, "show", workspace, value, bytes);
                Exit::Ok
            }
            None => stop(
                "central",
                format!("central does not hand out {code} as it was in {commit}"),
                "",
            ),
        },
        (
            Some(Step {
                commit, prefix, time, ..
            }),
            _,
        ) => {
            let time = local(*time, &TimeZone::system());
            let message = format!("{prefix}/ had no {code} in commit {} of {time}", render::short(*commit));
            stop(
                "absent",
                message,
                "`git metis-sync log CODE` lists when it was changed.",
            )
        }
        (None, _) if !past.is_complete => stop(
            "absent",
            format!(
                "{when} is not among the last {} commits of central",
                render::number(past.steps.len())
            ),
            further,
        ),
        (None, Some(_)) => stop("absent", "central's history begins later than that".into(), ""),
        (None, None) => stop(
            "absent",
            format!("{when} is neither a commit in central's history nor a time"),
            "Times are written as 2026-02-26, \"2026-02-26 14:30\" or \"2 weeks ago\".",
        ),
    }
}

/// What was asked for, as a moment if it is one and not the digits of a commit.
fn meant(when: &str, now: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
    project::moment(when, now, zone)
}

fn step<'a>(past: &'a Past, when: &str, meant: Option<Timestamp>) -> Option<&'a Step> {
    let is_hex = when.len() >= 4 && when.bytes().all(|b| b.is_ascii_hexdigit());
    let by_commit = if is_hex {
        past.at_commit(&when.to_lowercase())
    } else {
        None
    };
    by_commit.or_else(|| past.at(meant?))
}

/// Opens an own document in the editor, and shows a copy.
pub fn open(global: &Global, args: &OpenArgs) -> Exit {
    let workspace = match Workspace::discover(&global.start_dir()) {
        Ok(workspace) => workspace,
        Err(kind) => return render::explained(global, "open", &kind, ""),
    };
    let found = match document::find(&workspace, &args.code) {
        Ok(Ok(found)) => found,
        Ok(Err(err)) => return document::unanswered(global, "open", &err),
        Err(kind) => return render::explained(global, "open", &kind, ""),
    };
    if !found.owned {
        if global.talks() {
            mention!(
                "{} is a copy of {}/'s, so it is shown and not edited.",
                args.code,
                found.workspace
            );
        }
        return now(global, "open", &workspace, &args.code);
    }
    if let Err([message, next]) = document::read(&workspace, &found) {
        return document::stopped(global, "open", "io", message, next);
    }
    let file = workspace.metis().path().join(found.path.raw());
    let (message, next) = match editor::edit(workspace.metis().project(), &file) {
        Ok((_, status)) if status.success() => {
            if global.json {
                let value = json!({ "document": found });
                render::print_json(&render::document("open", value));
            }
            return Exit::Ok;
        }
        Ok((editor, status)) => (format!("the editor {editor} ended with {status}"), String::new()),
        Err(err) => {
            let next = "Set GIT_EDITOR, core.editor, VISUAL or EDITOR.".to_owned();
            (format!("no editor can be started: {err}"), next)
        }
    };
    document::stopped(global, "open", "editor", escaped(&message), next)
}
