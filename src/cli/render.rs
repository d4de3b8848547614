//! A report as a person reads it, and as a machine does.

use std::{
    fmt::Display,
    io::{self, Write},
};

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::{
    names::ObjectId,
    plan::{dehydrate::CentralChange, listing::printable},
    sync::{SyncErrorKind, SyncOutcome, SyncReport},
    text::{self, escaped},
};

use super::{
    Global,
    colour::Paint,
    hint::{self, Exit, Hint},
    output,
};

/// The version of every JSON document that is printed.
pub const SCHEMA: u32 = 1;

const NOT_CONFIGURED: &str = "No central repository is configured: nothing to sync.";

/// More lines of one kind than this are summed up.
const MAX_LINES: usize = 20;

/// Prints what a sync did: the summary or one JSON document on stdout, warnings on stderr.
pub fn report(global: &Global, command: &str, report: &SyncReport) {
    if global.json {
        print_json(&document(command, serde_json::to_value(report).unwrap_or_default()));
        return;
    }
    warnings(global, &report.warnings);
    if global.talks() {
        let _ = summary(report, global.verbose, &mut output::stdout());
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
            "message": hint.message,
            "server_text": hint.server_text,
            "state": hint.state,
            "next": hint.next,
            "exit": hint.exit as u8,
        });
        print_json(&document(command, value));
    }
    if let Some(report) = report
        && !global.json
    {
        warnings(global, &report.warnings);
    }
    let mut err = output::stderr();
    // What our message says already is not said twice.
    let said = |line: &str| !line.is_empty() && hint.message.contains(line);
    for line in hint.server_text.lines().filter(|line| !said(line.trim())) {
        let _ = writeln!(err, "remote: {}", escaped(line));
    }
    let _ = writeln!(
        err,
        "{} {}",
        Paint::stderr(global).red("error:"),
        escaped(&hint.message)
    );
    for line in [&hint.state, &hint.next] {
        if !line.is_empty() {
            let _ = writeln!(err, "  {}", escaped(line));
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

/// A workspace on its own is no error, there is only nothing to tell.
pub fn single_workspace(global: &Global, command: &str) -> Exit {
    if global.json {
        print_json(&document(command, json!({ "state": "not-configured" })));
    } else if global.talks() {
        let _ = writeln!(output::stdout(), "{NOT_CONFIGURED}");
    }
    Exit::Ok
}

/// Prints an error of a command that changes nothing, and returns its exit code.
pub fn explained(global: &Global, command: &str, kind: &SyncErrorKind, url: &str) -> Exit {
    let (message, next, exit) = hint::explain(kind, url);
    let server_text = kind.connection().map(|err| err.server_text.clone()).unwrap_or_default();
    let hint = Hint {
        message,
        server_text,
        state: String::new(),
        next,
        exit,
    };
    failure(global, command, kind.word(), &hint, None);
    exit
}

/// The first digits of an id, enough to recognize it by.
pub fn short(id: ObjectId) -> String {
    let mut hex = id.to_string();
    hex.truncate(10);
    hex
}

/// Whole seconds from an RFC 3339 time to `now`; `None` if it is none.
pub fn seconds_since(time: &str, now: Timestamp) -> Option<i64> {
    let time: Timestamp = time.parse().ok()?;
    Some(now.as_second() - time.as_second())
}

/// An RFC 3339 time to the second.
pub fn time(time: &str) -> String {
    match time.parse::<Timestamp>() {
        Ok(time) => time.strftime("%Y-%m-%d %H:%M:%SZ").to_string(),
        Err(_) => printable(time.as_bytes()),
    }
}

/// How long ago, as people say it.
pub fn ago(seconds: i64) -> String {
    let (n, unit) = match seconds {
        ..0 => return "in the future, by this clock".into(),
        0..=59 => (seconds, "second"),
        60..=3599 => (seconds / 60, "minute"),
        3600..=86_399 => (seconds / 3600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    format!("{n} {unit}{} ago", if n == 1 { "" } else { "s" })
}

/// Prints the first warnings on standard error, and how many more there are.
pub fn warnings<T: Display>(global: &Global, warnings: &[T]) {
    let word = Paint::stderr(global).yellow("warning:");
    let mut err = output::stderr();
    for warning in warnings.iter().take(MAX_LINES) {
        let _ = writeln!(err, "{word} {}", escaped(&warning.to_string()));
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
            let names: Vec<&str> = codes.iter().take(limit).map(|code| code.as_str()).collect();
            let more = codes.len() - names.len();
            let more = if more > 0 {
                format!(" and {more} more")
            } else {
                String::new()
            };
            writeln!(out, "{word}: {} ({}{more})", count(codes.len()), names.join(", "))?;
        }
    }
    for behind in report.behind.iter().take(MAX_LINES) {
        let what = match behind.change {
            CentralChange::Added => "is new in central",
            CentralChange::Changed => "is newer in central",
            CentralChange::Removed => "was removed from central",
        };
        let code = &behind.code;
        match behind.pull {
            true => writeln!(out, "Behind: {code} {what}; it comes with `git pull`")?,
            false => writeln!(
                out,
                "Behind: {code} {what} ({}); `git metis-sync resolve {code}` decides",
                behind.why.words()
            )?,
        }
    }
    for kept in report.kept.iter().take(MAX_LINES) {
        writeln!(out, "Kept: your edited copy of a hydrated file, as {kept}")?;
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

/// Whether a sync that noted where central is had nothing else to do.
fn is_idle(report: &SyncReport) -> bool {
    report.pulled.is_empty() && report.pushed.is_empty() && report.removed.is_empty() && report.behind.is_empty()
}

/// `1 document`, `n documents`.
pub fn count(n: usize) -> String {
    if n == 1 {
        "1 document".into()
    } else {
        format!("{n} documents")
    }
}
