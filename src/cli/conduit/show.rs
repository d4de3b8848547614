//! What conduits are and did, as text and as JSON.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::{Exit, Global, render};
use crate::{
    conduit::{Generation, Report, definition::Defined},
    plan::conduit::{Action, Change, Side},
    text::{self, UntrustedName, shell_word},
    view,
};

/// More lines of one kind than this are summed up.
const MAX_LINES: usize = 20;

/// The state of a conduit in this clone, in a word.
fn state(name: &str, defined: &Defined, enabled: &BTreeMap<String, String>) -> &'static str {
    defined.definition.confirmed(enabled.get(name)).words()
}

fn value_of<T: serde::Serialize>(value: &T) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}

fn word<T: serde::Serialize>(value: &T) -> String {
    value_of(value).as_str().unwrap_or_default().to_owned()
}

pub fn list(global: &Global, all: &BTreeMap<String, Defined>, enabled: &BTreeMap<String, String>) {
    if global.json {
        let listed = all.iter().map(|(name, defined)| {
            json!({ "name": name, "state": state(name, defined, enabled), "definition": value_of(&defined.definition) })
        });
        let conduits: Vec<Value> = listed.collect();
        return render::print_json(&render::document("conduit", json!({ "conduits": conduits })));
    }
    if all.is_empty() {
        say!("This workspace has no conduits. `git metis-sync conduit add` makes one.");
    }
    for (name, defined) in all {
        let definition = &defined.definition;
        say!(
            "{name}: {} → {}, {}, {}",
            definition.alpha,
            definition.beta,
            word(&definition.mode),
            state(name, defined, enabled)
        );
    }
}

pub fn definition(global: &Global, name: &str, defined: &Defined, enabled: &BTreeMap<String, String>) {
    let definition = &defined.definition;
    let state = state(name, defined, enabled);
    if global.json {
        let value = json!({ "name": name, "state": state, "definition": value_of(definition) });
        return render::print_json(&render::document("conduit", value));
    }
    if !global.talks() {
        return;
    }
    say!("{name}, defined in {}: {state} in this clone", defined.file);
    if let Value::Object(keys) = value_of(definition) {
        for (key, value) in keys {
            say!("  {key} = {}", text::json(&value).unwrap_or_default());
        }
    }
}

/// How a sync ended.
pub fn exit(report: &Report, dry_run: bool) -> Exit {
    match (dry_run, report.verified, report.conflicts.is_empty()) {
        (true, _, true) | (false, true, true) => Exit::Ok,
        (false, false, _) => Exit::NotVerified,
        (_, _, false) => Exit::Conflicts,
    }
}

pub fn report(global: &Global, report: &Report, dry_run: bool) {
    if global.talks() {
        let name = &report.name;
        if report.changes.is_empty() {
            match report.conflicts.len() {
                0 => say!("{name}: both sides are in step."),
                _ => say!("{name}: nothing was changed."),
            }
        } else {
            let (copied, deleted) = match dry_run {
                true => ("would copy", "delete"),
                false => ("copied", "deleted"),
            };
            say!(
                "{name}: {copied} {} to alpha and {} to beta, {deleted} {} in alpha and {} in beta.",
                report.copied.alpha,
                report.copied.beta,
                report.deleted.alpha,
                report.deleted.beta
            );
        }
        if dry_run || global.is_verbose() {
            changes(&report.changes);
        }
        if !report.kept.is_empty() {
            let count = report.kept.len();
            let files = if count == 1 { "file is" } else { "files are" };
            say!("  {count} replaced or deleted {files} kept in .metis/.sync/conduits/{name}/kept.");
        }
    }
    for skipped in report.skipped.iter().take(MAX_LINES) {
        mention!("warning: {}: skipped {}: {}", report.name, skipped.path, skipped.reason);
    }
    more(report.skipped.len());
    for conflict in &report.conflicts {
        mention!(
            "conflict: {}: {} ({})",
            report.name,
            conflict.path,
            conflict.kind.words()
        );
    }
    if let Some(first) = report.conflicts.first() {
        mention!(
            "  Nothing was done to {}. Decide with `git metis-sync conduit resolve {} {} --take alpha|beta|both|base`, or make both \
             sides the same.",
            if report.conflicts.len() == 1 { "it" } else { "them" },
            report.name,
            shell_word(first.path.raw())
        );
    }
    for failed in report.failed.iter().take(MAX_LINES) {
        mention!("error: {}: {}", report.name, failed);
    }
    more(report.failed.len());
    if !report.failed.is_empty() {
        mention!("  What was done is recorded, and nothing is lost: run the sync again when the folders are at rest.");
    }
}

fn more(count: usize) {
    if count > MAX_LINES {
        mention!("  and {} more", count - MAX_LINES);
    }
}

fn changes(changes: &[Change]) {
    for change in changes {
        let side = match change.side {
            Side::Alpha => "alpha",
            Side::Beta => "beta",
        };
        let path = &change.path;
        match &change.action {
            Action::Put { was: None, .. } => say!("  {side}: create {path}"),
            Action::Put { was: Some(was), now } if was.has_content_of(now) => {
                say!("  {side}: change the permission to run {path}");
            }
            Action::Put { .. } => say!("  {side}: overwrite {path}"),
            Action::Remove { was } => match renamed_to(changes, change.side, *was) {
                Some(new) => say!("  {side}: delete {path} (renamed to {new})"),
                None => say!("  {side}: delete {path}"),
            },
            Action::Replace { now, .. } if now.len() == 1 && change.path == now[0].0 => {
                say!("  {side}: replace the folder {path} by a file");
            }
            Action::Replace { .. } => say!("  {side}: replace {path} by a folder"),
            Action::Rename { from, .. } => say!("  {side}: rename {from} to {path}"),
        }
    }
}

/// Where the same content comes to, under another name.
fn renamed_to(changes: &[Change], side: Side, was: crate::plan::conduit::Item) -> Option<&UntrustedName> {
    let found = changes.iter().find(|change| {
        change.side == side && matches!(change.action, Action::Put { was: None, now } if now.id == was.id)
    });
    found.map(|change| &change.path)
}

pub fn history(global: &Global, name: &str, all: &[(Generation, Vec<Change>)], in_full: bool) {
    if global.json {
        let told = all.iter().map(|(generation, changes)| {
            let mut value = value_of(generation);
            if in_full {
                value["changes"] = value_of(changes);
            }
            value
        });
        let generations: Vec<Value> = told.collect();
        return render::print_json(&render::document(
            "conduit",
            json!({ "name": name, "generations": generations }),
        ));
    }
    if all.is_empty() {
        say!("No sync of {name} has changed anything yet.");
    }
    for (generation, done) in all {
        say!(
            "{}  {}  {}: copied {} to alpha and {} to beta, deleted {} in alpha and {} in beta",
            generation.generation,
            render::time(&generation.started),
            word(&generation.status),
            generation.copied.alpha,
            generation.copied.beta,
            generation.deleted.alpha,
            generation.deleted.beta
        );
        if in_full {
            for (side, trees) in &generation.trees {
                let after = trees.after.map_or("?".to_owned(), view::short);
                say!("  {}: {} -> {after}", side.name(), view::short(trees.before));
            }
            changes(done);
            for failed in &generation.failed {
                say!("  not done: {}", failed);
            }
        }
    }
}

pub fn undone(global: &Global, name: &str, generation: &Generation, done: &[Change]) {
    if global.json {
        let value = json!({ "name": name, "undone": value_of(generation), "changes": value_of(&done) });
        render::print_json(&render::document("conduit", value));
    } else if global.talks() {
        say!(
            "{name}: put back {} files in alpha and {} in beta, removed {} in alpha and {} in beta.",
            generation.copied.alpha,
            generation.copied.beta,
            generation.deleted.alpha,
            generation.deleted.beta
        );
        say!(
            "  That is generation {}. The next sync carries it on to the other side.",
            generation.generation
        );
    }
    for failed in &generation.failed {
        mention!("warning: {name}: {}", failed);
    }
}
