//! The board: the documents of all workspaces by phase, with their progress and what they wait for, as a value. [`page()`] makes
//! a page of it.

mod index;
mod markdown;
mod page;

use std::collections::HashMap;

use jiff::Timestamp;
use serde::Serialize;

pub use page::{is_board, page};

use self::index::Index;
use super::AsOf;
use crate::{
    cache::Document,
    state::journal::JournalEntry,
    text::{Untrusted, UntrustedName},
};

/// How much of all documents' texts the page has.
const MAX_TEXTS: usize = 128 << 20;

/// Parents that a document counts for. Real documents have four levels.
const MAX_LEVELS: usize = 100;

/// The phases of all types of documents, from the first to the last. Others stand behind them.
const PHASES: [&str; 18] = [
    "backlog",
    "draft",
    "discovery",
    "todo",
    "discussion",
    "drafting",
    "design",
    "ready",
    "decompose",
    "active",
    "doing",
    "blocked",
    "review",
    "completed",
    "done",
    "decided",
    "published",
    "superseded",
];

/// All that the page shows.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Board {
    /// When it was made, RFC 3339.
    pub made: String,
    /// Which state of central it shows.
    pub as_of: AsOf,
    /// The workspaces, this clone's own first.
    pub workspaces: Vec<Share>,
    /// The columns: the phases that documents are in, from the first to the last.
    pub phases: Vec<Untrusted>,
    /// The documents, by workspace and code.
    pub cards: Vec<Card>,
    /// The last syncs that changed something here or failed, newest first.
    pub syncs: Vec<JournalEntry>,
}

/// How far a workspace is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Share {
    /// Its folder in central.
    pub prefix: UntrustedName,
    /// Whether it is this clone's own.
    pub owned: bool,
    /// All documents, archived ones included.
    pub total: usize,
    /// Those with nothing left to do.
    pub finished: usize,
}

/// A document on the board.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Card {
    /// Its code.
    pub code: UntrustedName,
    /// Its title.
    pub title: Untrusted,
    /// Its workspace's prefix.
    pub workspace: UntrustedName,
    /// `task`, `initiative`, ….
    #[serde(rename = "type")]
    pub kind: Untrusted,
    /// Which of the board's phases it is in.
    pub phase: usize,
    /// Whether it is put away.
    pub archived: bool,
    /// Whether nothing is left to do.
    pub finished: bool,
    /// Whether it is a task that can be begun.
    pub ready: bool,
    /// Its tags, those for its type and phase left out.
    pub tags: Vec<Untrusted>,
    /// What it is a part of.
    pub parent: Option<Target>,
    /// What it waits for.
    pub blocked_by: Vec<Target>,
    /// How many documents are below it, at all levels.
    pub below: usize,
    /// Those of them with nothing left to do.
    pub below_finished: usize,
    /// Its Markdown, which is no part of the list of cards.
    #[serde(skip)]
    pub text: String,
}

/// Another document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Target {
    /// The card of this number.
    Card(usize),
    /// No workspace has it.
    Nowhere(Untrusted),
}

/// Puts the board together from the documents as `list` has them, own ones first. `text` reads a document's Markdown. `syncs` are
/// newest first.
pub fn plan(
    documents: &[Document],
    text: &dyn Fn(&Document) -> Option<String>,
    syncs: Vec<JournalEntry>,
    as_of: AsOf,
    made: Timestamp,
) -> Board {
    let index = Index::new(documents);
    let phases = phases(documents);
    let below = below(documents, &index);
    let places: HashMap<&str, usize> = phases.iter().enumerate().map(|(at, phase)| (phase.raw(), at)).collect();
    let mut room = MAX_TEXTS;
    let mut workspaces: Vec<Share> = Vec::new();
    let cards = documents.iter().enumerate().map(|(number, document)| {
        let finished = document.is_finished();
        if workspaces.last().is_none_or(|last| last.prefix != document.workspace) {
            workspaces.push(Share {
                prefix: document.workspace.clone(),
                owned: document.owned,
                total: 0,
                finished: 0,
            });
        }
        if let Some(share) = workspaces.last_mut() {
            share.total += 1;
            share.finished += usize::from(finished);
        }
        let phase = phase(document);
        Card {
            code: document.code.clone(),
            title: (&document.title).into(),
            workspace: document.workspace.clone(),
            kind: lowercase(&document.kind),
            phase: places.get(phase.raw()).copied().unwrap_or_default(),
            archived: document.archived,
            finished,
            ready: is_ready(document, &index),
            tags: tags(document),
            parent: document.parent.as_ref().map(|code| index.target(code, document)),
            blocked_by: document
                .blocked_by
                .iter()
                .map(|code| index.target(code, document))
                .collect(),
            below: below[number].0,
            below_finished: below[number].1,
            text: text(document).map(|text| fitting(text, &mut room)).unwrap_or_default(),
        }
    });
    Board {
        cards: cards.collect(),
        made: made.to_string(),
        as_of,
        workspaces,
        phases,
        syncs,
    }
}

/// As much of a text as the page shows, taken from the `room` for all of them: they are held in memory at once.
fn fitting(mut text: String, room: &mut usize) -> String {
    let most = markdown::LOOKED_AT.min(*room);
    if text.len() > most {
        text.truncate(
            (0..=most)
                .rev()
                .find(|at| text.is_char_boundary(*at))
                .unwrap_or_default(),
        );
        if *room < markdown::LOOKED_AT {
            text.push_str("\n\n… The page has no room for the rest.\n");
        }
        text.shrink_to_fit();
    }
    *room = room.saturating_sub(text.len());
    text
}

fn phase(document: &Document) -> Untrusted {
    lowercase(&document.phase)
}

fn lowercase(word: &Option<UntrustedName>) -> Untrusted {
    word.as_ref().map_or("", UntrustedName::raw).to_lowercase().into()
}

/// The phases that there are: the known ones in their order, the others by name, none at all at the end.
fn phases(documents: &[Document]) -> Vec<Untrusted> {
    let mut found: Vec<Untrusted> = documents.iter().map(phase).collect();
    found.sort_by_cached_key(|phase| {
        let place = PHASES.iter().position(|known| phase == known);
        (phase.raw().is_empty(), place.unwrap_or(PHASES.len()), phase.clone())
    });
    found.dedup();
    found
}

/// What is not said by the type and the phase already.
fn tags(document: &Document) -> Vec<Untrusted> {
    let kind = document.kind.as_ref().map_or("", UntrustedName::raw);
    let tags = document.tags.iter().chain(&document.shared_tags);
    let tags = tags.map(|tag| tag.raw().trim_start_matches('#'));
    tags.filter(|tag| !tag.starts_with("phase/") && !tag.eq_ignore_ascii_case(kind))
        .map(Untrusted::from)
        .collect()
}

/// As `list --ready` has it: to do, and blocked by nothing that is unfinished or in no workspace.
fn is_ready(document: &Document, index: &Index<'_>) -> bool {
    let is = |value: &Option<UntrustedName>, word: &str| {
        let value = value.as_ref();
        value.is_some_and(|value| value.raw().eq_ignore_ascii_case(word))
    };
    is(&document.kind, "task")
        && is(&document.phase, "todo")
        && !document.archived
        && document.blocked_by.iter().all(|code| index.done.contains(code.raw()))
}

/// For each document how many are below it, and how many of those are finished. Whoever stands in a circle of parents is counted
/// once and not below itself.
fn below(documents: &[Document], index: &Index<'_>) -> Vec<(usize, usize)> {
    let mut below = vec![(0, 0); documents.len()];
    let parent = |number: usize| {
        let document: &Document = &documents[number];
        index.find(document.parent.as_ref()?.raw(), document)
    };
    for (number, document) in documents.iter().enumerate() {
        let mut seen = vec![number];
        while let Some(above) = parent(seen[seen.len() - 1]) {
            if seen.contains(&above) || seen.len() > MAX_LEVELS {
                break;
            }
            below[above].0 += 1;
            below[above].1 += usize::from(document.is_finished());
            seen.push(above);
        }
    }
    below
}

#[cfg(test)]
pub(super) mod tests;
