//! `git metis-sync note`: notes on anybody's documents.

use std::collections::{BTreeMap, BTreeSet};

use clap::{Args, Subcommand};
use clap_complete::ArgValueCompleter;
use serde::Serialize;
use serde_json::{Value, json};

use super::{Failure, SHORT_ID, here, mention_unknown, run, short, show_lines, write};
use crate::{
    cli::{Exit, Global, completions::candidates, document, render},
    names::ShortCode,
    plan::listing::printable,
    records::{Records, kinds},
    sync::Workspace,
    text::UntrustedName,
};

#[derive(Debug, Clone, Args)]
pub struct NoteArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Clone, Subcommand)]
enum What {
    /// Write a note on a document, whoever owns it
    Add {
        /// The document
        #[arg(value_name = "CODE", value_parser = document::code, add = ArgValueCompleter::new(candidates::codes))]
        code: ShortCode,
        /// What it says
        #[arg(value_name = "TEXT")]
        text: String,
        /// The note that it answers
        #[arg(long, value_name = "ID")]
        reply: Option<String>,
    },
    /// Change what a note says
    Edit {
        /// The note, or how its id begins
        #[arg(value_name = "ID")]
        id: String,
        /// What it says
        #[arg(value_name = "TEXT")]
        text: String,
    },
    /// Take a note away
    Rm {
        /// The note, or how its id begins
        #[arg(value_name = "ID")]
        id: String,
    },
    /// List the notes on a document, or on all
    List {
        /// The document
        #[arg(value_name = "CODE", value_parser = document::code, add = ArgValueCompleter::new(candidates::codes))]
        code: Option<ShortCode>,
    },
}

/// A note as it is shown.
#[derive(Debug, Clone, Default, Serialize)]
struct Note {
    id: UntrustedName,
    document: UntrustedName,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent: Option<UntrustedName>,
    #[serde(skip_serializing_if = "Option::is_none")]
    author: Option<UntrustedName>,
    body: UntrustedName,
    /// What others wrote at the same time.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    others: Vec<UntrustedName>,
}

/// Adds, edits, removes or lists.
pub fn note(global: &Global, args: &NoteArgs) -> Exit {
    run(global, "note", |workspace| match &args.what {
        What::Add { code, text, reply } => add(global, workspace, code, text, reply.as_deref()),
        What::Edit { id, text } => {
            let id = find(workspace, id)?.id.raw().to_owned();
            write(workspace, |tx| tx.put(&kinds::note(&id, "body"), text.as_str().into()))?;
            tell(global, "edited", "Edited", &id);
            Ok(())
        }
        What::Rm { id } => {
            let id = find(workspace, id)?.id.raw().to_owned();
            write(workspace, |tx| tx.put(&kinds::note(&id, "gone"), true.into()))?;
            tell(global, "removed", "Removed", &id);
            Ok(())
        }
        What::List { code } => list(global, workspace, code.as_ref()),
    })
}

fn add(
    global: &Global,
    workspace: &Workspace,
    code: &ShortCode,
    text: &str,
    reply: Option<&str>,
) -> Result<(), Failure> {
    let parent = reply.map(|id| find(workspace, id)).transpose()?;
    let author = workspace.project().committer().0;
    let parent = parent.as_ref().map(|parent| parent.id.raw());
    let id = write(workspace, |tx| {
        kinds::add_note(tx, code.as_str(), &author, text, parent)
    })?;
    mention_unknown(global, workspace, [code]);
    tell(global, "added", "Noted", &id);
    Ok(())
}

fn tell(global: &Global, what: &str, word: &str, id: &str) {
    if global.json {
        render::print_json(&render::document("note", json!({ what: id })));
    } else if global.talks() {
        say!("{word}: {id}");
    }
}

/// The note with this id, else those whose ids begin like that. Somebody may have given a note an id that begins with another one's.
fn named(notes: Vec<Note>, typed: &str) -> Vec<Note> {
    let (exact, others): (Vec<Note>, Vec<Note>) = notes.into_iter().partition(|note| note.id == typed);
    match exact.is_empty() {
        true => others
            .into_iter()
            .filter(|note| note.id.raw().starts_with(typed))
            .collect(),
        false => exact,
    }
}

/// The note that a typed id means.
fn find(workspace: &Workspace, typed: &str) -> Result<Note, Failure> {
    let notes = here(workspace)?
        .map(|records| notes(&records))
        .transpose()?
        .unwrap_or_default();
    let mut found = named(notes, typed);
    let typed = printable(typed.as_bytes());
    match (found.pop(), found.len()) {
        (Some(note), 0) => Ok(note),
        (None, _) => Err(Failure::Absent(
            format!("there is no note {typed}"),
            "`git metis-sync note list` shows those that are known here.",
        )),
        (Some(_), _) => Err(Failure::Absent(
            format!("several notes begin with {typed}"),
            "Type more of its id, which `git metis-sync note list` shows.",
        )),
    }
}

/// All notes that are not gone, and that have all they need: one whose first half has not come yet waits for it.
fn notes(records: &Records) -> Result<Vec<Note>, Failure> {
    let mut notes: BTreeMap<String, (Note, bool)> = BTreeMap::new();
    for record in records.list_of("note")? {
        let [id] = record.key.as_slice() else { continue };
        let (note, is_gone) = notes.entry(id.clone()).or_default();
        note.id = id.as_str().into();
        let text = |value: &Value| UntrustedName::from(value.as_str().unwrap_or_default());
        let value = text(&record.shown.value);
        match record.field.as_str() {
            "document" => note.document = value,
            "parent" => note.parent = Some(value),
            "author" => note.author = Some(value),
            "body" => {
                note.body = value;
                note.others = record.shown.others.iter().map(text).collect();
            }
            "gone" => *is_gone = record.shown.value == true,
            _ => {}
        }
    }
    // An answer to one that has not come yet waits for that, too.
    let begun: BTreeSet<String> = notes
        .iter()
        .filter(|(_, (note, _))| !note.document.raw().is_empty())
        .map(|(id, _)| id.clone())
        .collect();
    let is_there = |(note, is_gone): &(Note, bool)| {
        let has_parent = note.parent.iter().all(|parent| begun.contains(parent.raw()));
        !is_gone && has_parent && !note.document.raw().is_empty()
    };
    Ok(notes.into_values().filter(is_there).map(|(note, _)| note).collect())
}

fn list(global: &Global, workspace: &Workspace, of: Option<&ShortCode>) -> Result<(), Failure> {
    let mut notes = here(workspace)?
        .map(|records| notes(&records))
        .transpose()?
        .unwrap_or_default();
    notes.retain(|note| of.is_none_or(|of| of.as_str() == note.document.raw()));
    if global.json {
        render::print_json(&render::document("note", json!({ "notes": notes })));
        return Ok(());
    }
    let lines = notes.iter().flat_map(|note| {
        let author = note
            .author
            .as_ref()
            .map(|author| format!("{}: ", author.brief()))
            .unwrap_or_default();
        let others = note.others.iter();
        let others = others.map(|other| format!("{:SHORT_ID$}  at the same time: {other}", ""));
        let first = format!("{}  {}  {author}{}", short(note.id.raw()), note.document, note.body);
        std::iter::once(first).chain(others)
    });
    show_lines(global, workspace, lines);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Programs get what was written, line breaks and all; a terminal gets no line of its own.
    #[test]
    fn what_a_note_says_is_kept() {
        let note = Note {
            body: "a\nb\u{1b}".into(),
            ..Note::default()
        };
        assert_eq!(serde_json::to_value(&note).unwrap()["body"], "a\nb\u{1b}");
        assert_eq!(note.body.to_string(), "a\\u{a}b\\u{1b}");
    }

    #[test]
    fn an_id_that_begins_with_another_one_leads_nowhere_else() {
        let notes = |typed: &str| {
            let note = |id: &str| Note {
                id: id.into(),
                ..Note::default()
            };
            let found = named(["4f2a", "4f2a77", "99cc"].map(note).into(), typed);
            found.iter().map(|note| note.id.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(notes("4f2a"), ["4f2a"]);
        assert_eq!(notes("4f2"), ["4f2a", "4f2a77"], "a person has to say which");
        assert_eq!(notes("9"), ["99cc"]);
        assert!(notes("5").is_empty());
    }
}
