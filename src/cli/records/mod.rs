//! What all commands about records share: opening them, and saying why that failed.

mod about;
mod assign;
mod claim;
mod collection;
mod link;
mod note;
mod star;
mod tag;

pub use about::{RecordArgs, record};
pub use assign::{AssignArgs, assign};
pub use claim::{ClaimArgs, ReleaseArgs, claim, not_claimed, release};
pub use collection::{CollectionArgs, collection};
pub use link::{LinkArgs, link};
pub use note::{NoteArgs, note};
pub use star::{StarArgs, star};
pub use tag::{TagArgs, tag};

use std::collections::BTreeMap;

use serde_json::json;
use shared_records::Cell;

use crate::{
    hooks::publish,
    names::ShortCode,
    plan::listing::printable,
    records::{Records, RecordsError, Tx},
    stage::Warning,
    sync::{self, NotWritten, SyncErrorKind, Workspace},
};

use super::{Exit, Global, document, pager, render, table::Page};

/// Why a command about records failed.
enum Failure {
    /// Those that are here.
    Records(RecordsError),
    /// The workspace.
    Workspace(SyncErrorKind),
    /// What was asked for is not there: what is wrong, and what to do about it.
    Absent(String, &'static str),
}

impl From<RecordsError> for Failure {
    fn from(err: RecordsError) -> Self {
        Failure::Records(err)
    }
}

impl From<NotWritten> for Failure {
    fn from(err: NotWritten) -> Self {
        match err {
            NotWritten::Records(err) => Failure::Records(err),
            NotWritten::Workspace(kind) => Failure::Workspace(kind),
        }
    }
}

impl From<SyncErrorKind> for Failure {
    fn from(kind: SyncErrorKind) -> Self {
        Failure::Workspace(kind)
    }
}

/// Runs a command in the workspace around the current folder, and says why it failed.
fn run(global: &Global, command: &str, work: impl FnOnce(&Workspace) -> Result<(), Failure>) -> Exit {
    let failure = match Workspace::discover(&global.start_dir()) {
        Err(kind) => Failure::Workspace(kind),
        Ok(workspace) => match work(&workspace) {
            Ok(()) => return Exit::Ok,
            Err(failure) => failure,
        },
    };
    match failure {
        Failure::Workspace(kind) => render::explained(global, command, &kind, ""),
        Failure::Absent(message, next) => document::stopped(global, command, "absent", message, next.into()),
        Failure::Records(err) => document::stopped(global, command, "records", err.to_string(), err.next().into()),
    }
}

/// What is here. `None`: nothing, and nothing is made.
fn here(workspace: &Workspace) -> Result<Option<Records>, Failure> {
    let mut guard = workspace.guard().map_err(SyncErrorKind::from)?;
    let records = sync::open_records(workspace, &mut guard)?;
    if let Some(warning) = records.as_ref().and_then(sync::moved_away) {
        warn(warning);
    }
    Ok(records)
}

/// Writes in one transaction, which goes to central in the background.
fn write<T>(workspace: &Workspace, work: impl FnOnce(&mut Tx<'_>) -> Result<T, RecordsError>) -> Result<T, Failure> {
    let written = sync::write_records(workspace, warn, work)?;
    publish::start(workspace);
    Ok(written)
}

fn warn(warning: Warning) {
    mention!("warning: {warning}");
}

/// Puts a record in each of these places, or takes it away from there. Returns the names of those that this changed, and of the others.
fn put_or_remove<'n>(
    workspace: &Workspace,
    cells: &'n [(String, Cell)],
    is_there: bool,
) -> Result<(Vec<&'n String>, Vec<&'n String>), Failure> {
    write(workspace, |tx| {
        let mut parts = (Vec::new(), Vec::new());
        for (name, cell) in cells {
            let written = match is_there {
                true => tx.put(cell, true.into())?,
                false => tx.remove(cell)?,
            };
            (if written.is_some() { &mut parts.0 } else { &mut parts.1 }).push(name);
        }
        Ok(parts)
    })
}

/// The same, and says what that changed: `word` is for what was done.
fn put_all(
    global: &Global,
    workspace: &Workspace,
    [command, word]: [&str; 2],
    cells: &[(String, Cell)],
    is_there: bool,
) -> Result<(), Failure> {
    let (changed, unchanged) = put_or_remove(workspace, cells, is_there)?;
    if global.json {
        let value = json!({ "changed": changed, "unchanged": unchanged });
        render::print_json(&render::document(command, value));
    } else if global.talks() {
        for (word, names) in [(word, changed), ("Unchanged", unchanged)] {
            names
                .iter()
                .for_each(|name| say!("{word}: {}", printable(name.as_bytes())));
        }
    }
    Ok(())
}

/// Lists the records of a model whose keys have three parts, which are called as in `named`.
fn list_triples(
    global: &Global,
    workspace: &Workspace,
    [command, model, several]: [&str; 3],
    named: [&str; 3],
    is_meant: impl Fn(&[String; 3]) -> bool,
) -> Result<(), Failure> {
    let records = here(workspace)?.map(|records| records.list_of(model)).transpose()?;
    let keys = records.into_iter().flatten().map(|record| record.key);
    let found: Vec<[String; 3]> = keys.filter_map(|key| key.try_into().ok()).filter(is_meant).collect();
    if global.json {
        let value = |key: &[String; 3]| -> BTreeMap<&str, String> { named.into_iter().zip(key.clone()).collect() };
        let values: Vec<_> = found.iter().map(value).collect();
        render::print_json(&render::document(command, json!({ several: values })));
        return Ok(());
    }
    let line = |key: &[String; 3]| {
        let words: Vec<String> = key.iter().map(|part| printable(part.as_bytes())).collect();
        words.join("  ")
    };
    show_lines(global, workspace, found.iter().map(line));
    Ok(())
}

/// Shows a list of any length.
fn show_lines(global: &Global, workspace: &Workspace, lines: impl IntoIterator<Item = String>) {
    pager::start(global, workspace.project());
    let mut page = Page::new(global, usize::MAX);
    lines.into_iter().for_each(|line| page.line(&line));
    page.end();
}

/// How an id is begun is enough where no other begins so.
const SHORT_ID: usize = 6;

fn short(id: &str) -> String {
    id.chars().take(SHORT_ID).collect()
}

/// Says which of these documents nobody has: what is written about them shows when they come.
fn mention_unknown<'c>(global: &Global, workspace: &Workspace, codes: impl IntoIterator<Item = &'c ShortCode>) {
    if !global.talks() {
        return;
    }
    let Ok(guard) = workspace.guard() else { return };
    let Ok(cache) = sync::open_unmarked(workspace, &guard) else {
        return;
    };
    for code in codes.into_iter().filter(|code| cache.document(code).is_err()) {
        mention!("warning: no workspace known here has {code}; what is written about it shows when it comes");
    }
}
