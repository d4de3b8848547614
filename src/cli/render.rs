//! A report as a person reads it, and as a machine does.

use std::{
    fmt::Display,
    io::{self, Write},
};

use serde_json::{Value, json};

use crate::{
    plan::{dehydrate::CentralChange, newer::Why},
    sync::{
        SyncErrorKind, SyncOutcome, SyncReport, Workspace,
        stop::{self, Hint},
    },
    text::{self, escaped, first_of},
};

use super::words::Given;
pub use super::words::{ago, count, number, reason, seconds_since, short, time};
use super::{Exit, Global, colour::Paint, output};

/// The version of every JSON document that is printed.
pub const SCHEMA: u32 = 1;

const NOT_CONFIGURED: &str = "No central repository is configured: nothing to sync.";

/// More lines of one kind than this are summed up.
const MAX_LINES: usize = 20;

/// Prints what a sync did: the summary or one JSON document on stdout, warnings on stderr. `more` is for the document alone.
pub fn report(global: &Global, command: &str, report: &SyncReport, more: Option<(&str, Value)>) {
    if global.json {
        let mut value = serde_json::to_value(report).unwrap_or_default();
        if let Some((key, more)) = more {
            value[key] = more;
        }
        print_json(&document(command, value));
        return;
    }
    warnings(global, &report.warnings);
    if global.talks() {
        let _ = summary(report, global.is_verbose(), &mut output::stdout());
    }
}

/// Prints why a command failed: on stderr, or as one JSON document with what had been done on stdout.
pub fn failure(global: &Global, command: &str, kind: &str, hint: &Hint, report: Option<&SyncReport>) {
    if global.json {
        let mut value = report
            .and_then(|report| serde_json::to_value(report).ok())
            .unwrap_or_else(|| json!({}));
        value["outcome"] = "failed".into();
        value["error"] = json!({
            "kind": kind,
            "stop": hint.stop.name(),
            "message": hint.message,
            "server_text": hint.server_text,
            "state": hint.state,
            "next": hint.next,
            "exit": hint.exit as u8,
        });
        print_json(&document(command, value));
    }
    let mut err = output::stderr();
    let word = Paint::stderr(global).red("error:");
    let seconds = report.map_or(0.0, |report| report.seconds);
    let state = match seconds > 0.0 {
        true => format!("{} It took {seconds:.1} s.", hint.state),
        false => hint.state.clone(),
    };
    if hint.exit == Exit::Interrupted {
        // Whoever asked for it knows the rest.
        let state = escaped(state.trim_end_matches('.'));
        let _ = match state.as_str() {
            "" => writeln!(err, "{word} {}", hint.message),
            state => writeln!(err, "{word} {}. {state}.", hint.message),
        };
        return;
    }
    if let Some(report) = report
        && !global.json
    {
        warnings(global, &report.warnings);
    }
    // What our message says already is not said twice.
    let said = |line: &str| !line.is_empty() && hint.message.raw().contains(line);
    for line in hint.server_text.lines().filter(|line| !said(line.trim())) {
        let _ = writeln!(err, "remote: {}", escaped(line));
    }
    let _ = writeln!(err, "{word} {}", hint.message);
    for line in [escaped(&state), hint.next.to_string()] {
        if !line.is_empty() {
            let _ = writeln!(err, "  {line}");
        }
    }
}

/// One JSON document: `schema` and `command` first.
pub fn document(command: &str, mut value: Value) -> Value {
    let mut out = json!({ "schema": SCHEMA, "command": command });
    if let (Some(out), Some(value)) = (out.as_object_mut(), value.as_object_mut()) {
        out.append(value);
    }
    out
}

/// Prints a JSON document and ends the line.
pub fn print_json(value: &Value) {
    say!("{}", text::json(value).unwrap_or_default());
}

/// A workspace on its own is no error, there is only nothing to tell but what may be why it is one.
pub fn single_workspace(global: &Global, command: &str) -> Exit {
    alone(global, command, json!({}))
}

/// The same with something `more` to tell in JSON.
pub fn alone(global: &Global, command: &str, mut more: Value) -> Exit {
    let unknown = Workspace::discover(&global.start_dir()).map(|workspace| workspace.unknown_keys());
    let unknown = unknown.unwrap_or_default();
    if global.json {
        more["state"] = "not-configured".into();
        more["warnings"] = json!(unknown);
        print_json(&document(command, more));
        return Exit::Ok;
    }
    warnings(global, &unknown);
    if global.talks() {
        let _ = writeln!(output::stdout(), "{NOT_CONFIGURED}");
    }
    Exit::Ok
}

/// Prints an error of a command that changes nothing, and returns its exit code.
pub fn explained(global: &Global, command: &str, kind: &SyncErrorKind, url: &str) -> Exit {
    let hint = stop::explain(kind, url);
    failure(global, command, kind.word(), &hint, None);
    hint.exit
}

/// Prints the first warnings on standard error, and how many more there are.
pub fn warnings<T: Display>(global: &Global, warnings: &[T]) {
    let word = Paint::stderr(global).yellow("warning:");
    let mut err = output::stderr();
    let mut given = Given::default();
    for warning in warnings.iter().take(MAX_LINES) {
        let _ = writeln!(err, "{word} {}", given.once(&escaped(&warning.to_string())));
    }
    if let Some(more) = warnings.len().checked_sub(MAX_LINES).filter(|more| *more > 0) {
        let _ = writeln!(err, "{word} … and {more} more (all of them with --json)");
    }
}

fn summary(report: &SyncReport, verbose: bool, out: &mut dyn Write) -> io::Result<()> {
    let planned = report.outcome == SyncOutcome::Planned;
    match report.outcome {
        SyncOutcome::NotConfigured => {
            return writeln!(out, "{NOT_CONFIGURED}");
        }
        SyncOutcome::UpToDate => writeln!(out, "Already up to date.")?,
        SyncOutcome::Synced | SyncOutcome::Planned => {}
    }
    if report.documents_only && report.is_first && report.outcome != SyncOutcome::UpToDate {
        writeln!(
            out,
            "There is no .metis/ on disk here: own documents are read from the branch, nothing is hydrated, and there is no metis.db."
        )?;
    }
    let would = |done: &'static str, planned_word: &'static str| if planned { planned_word } else { done };
    if report.registered {
        let word = would("Registered", "Would register");
        let owned = report
            .workspace
            .as_ref()
            .map(|prefix| format!(" {prefix}/"))
            .unwrap_or_default();
        writeln!(out, "{word}:{owned} (first push)")?;
    }
    let word = would("Pulled", "Would pull");
    for (prefix, pulled) in report.pulled.iter().take(MAX_LINES) {
        let removed = match pulled.removed {
            0 => String::new(),
            n => format!(", {n} removed"),
        };
        writeln!(out, "{word}: {prefix}/ {} written{removed}", pulled.written)?;
    }
    if let Some(more) = report.pulled.len().checked_sub(MAX_LINES).filter(|more| *more > 0) {
        writeln!(out, "{word}: … and {more} more workspaces")?;
    }
    let pushed = would("Pushed", "Would push");
    let removed = would("Removed", "Would remove");
    for (word, codes) in [(pushed, &report.pushed), (removed, &report.removed)] {
        if !codes.is_empty() {
            let limit = if verbose || planned { MAX_LINES } else { 3 };
            let names: Vec<&str> = codes.iter().map(|code| code.as_str()).collect();
            writeln!(
                out,
                "{word}: {} ({})",
                count(codes.len()),
                first_of(&names, limit, ", ")
            )?;
        }
    }
    records(report, out)?;
    changed(report, out)?;
    behind(report, out)?;
    for kept in report.kept.iter().take(MAX_LINES) {
        writeln!(out, "Kept: your edits to a copy were replaced; saved as {kept}")?;
    }
    if planned {
        if report.pulled.is_empty() && report.pushed.is_empty() && report.removed.is_empty() {
            writeln!(out, "Nothing would change.")?;
        }
    } else if report.outcome == SyncOutcome::Synced {
        if is_idle(report) {
            writeln!(out, "There was nothing to pull or push.")?;
        }
        let retries = match report.retries {
            0 => String::new(),
            1 => ", 1 retry".into(),
            n => format!(", {n} retries"),
        };
        writeln!(out, "Done in {:.1} s{retries}.", report.seconds)?;
    }
    Ok(())
}

/// What is new since what was asked for.
fn changed(report: &SyncReport, out: &mut dyn Write) -> io::Result<()> {
    let Some(changed) = &report.changed else { return Ok(()) };
    let names: Vec<&str> = changed.iter().take(MAX_LINES).map(|code| code.as_str()).collect();
    match changed.len() - names.len() {
        _ if names.is_empty() => writeln!(out, "Changed since then: nothing"),
        0 => writeln!(
            out,
            "Changed since then: {} ({})",
            count(changed.len()),
            names.join(", ")
        ),
        more => writeln!(
            out,
            "Changed since then: {} ({} and {more} more)",
            count(changed.len()),
            names.join(", ")
        ),
    }
}

fn behind(report: &SyncReport, out: &mut dyn Write) -> io::Result<()> {
    let mut given = Given::default();
    let alone = report.behind.iter().filter(|behind| !behind.pull).count() == 1;
    for behind in report.behind.iter().take(MAX_LINES) {
        let what = match behind.change {
            _ if behind.why == Why::TakenBack => "stays in central as it is there",
            CentralChange::Added => "is new in central",
            CentralChange::Changed => "is newer in central",
            CentralChange::Removed => "was removed from central",
        };
        let code = &behind.code;
        let line = match behind.pull {
            true => format!("Behind: {code} {what}; it comes with `git pull`"),
            false => {
                let why = behind.why.words();
                match alone {
                    true => format!("Behind: {code} {what} ({why}); `git metis-sync resolve {code}` decides"),
                    false => format!("Behind: {code} {what} ({why}); `git metis-sync resolve` decides"),
                }
            }
        };
        writeln!(out, "{}", given.once(&line))?;
    }
    Ok(())
}

/// What was done with shared records.
fn records(report: &SyncReport, out: &mut dyn Write) -> io::Result<()> {
    let done = report.records;
    let words = [(done.received, "received"), (done.published as usize, "sent")];
    let parts: Vec<String> = words
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{} {word}", number(*count)))
        .collect();
    match parts.is_empty() {
        true => Ok(()),
        false => writeln!(out, "Records: {}", parts.join(", ")),
    }
}

/// Whether a sync that noted where central is had nothing else to do.
fn is_idle(report: &SyncReport) -> bool {
    report.records.is_nothing()
        && report.pulled.is_empty()
        && report.pushed.is_empty()
        && report.removed.is_empty()
        && report.behind.is_empty()
}
