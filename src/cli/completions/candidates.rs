//! Values that depend on the workspace around the current folder. No network, and no word where there is no workspace.

use std::{collections::BTreeSet, ffi::OsStr, path::Path};

use clap::builder::StyledStr;
use clap_complete::CompletionCandidate;

use super::super::render;
use crate::{
    cache::{Cache, Document, MarkKind},
    sync::{self, Workspace},
    text::UntrustedName,
};

type Candidates = Vec<CompletionCandidate>;

/// Codes of all workspaces, with titles. Letters may be typed small.
pub fn codes(typed: &OsStr) -> Candidates {
    documents(typed).map(of_document).collect()
}

/// Codes of own documents.
pub fn own_codes(typed: &OsStr) -> Candidates {
    documents(typed)
        .filter(|document| document.owned)
        .map(of_document)
        .collect()
}

fn documents(typed: &OsStr) -> impl Iterator<Item = Document> {
    let letters = typed.to_str().map(str::to_uppercase);
    let found = letters.and_then(|letters| cache()?.beginning(&letters).ok());
    found.into_iter().flatten()
}

fn of_document(document: Document) -> CompletionCandidate {
    with_help(document.code.raw(), document.title.to_string())
}

/// The workspaces that there are, this one among them.
pub fn workspaces(typed: &OsStr) -> Candidates {
    let found = cache().and_then(|cache| cache.workspaces().ok());
    let candidates = found.into_iter().flatten().map(|workspace| {
        let own = if workspace.owned { ", own" } else { "" };
        let documents = usize::try_from(workspace.documents).unwrap_or_default();
        with_help(workspace.prefix.raw(), format!("{}{own}", render::count(documents)))
    });
    beginning(typed, candidates)
}

/// The project's branches.
pub fn branches(typed: &OsStr) -> Candidates {
    let branches = workspace().map(|workspace| workspace.project().branches());
    beginning(typed, branches.into_iter().flatten().map(CompletionCandidate::new))
}

/// The same, and the word for whatever is checked out.
pub fn sources(typed: &OsStr) -> Candidates {
    let worktree = with_help("worktree", "whatever is checked out".into());
    let mut found = branches(typed);
    found.extend(beginning(typed, [worktree].into_iter()));
    found
}

/// Types and phases that documents have.
pub fn kinds(typed: &OsStr) -> Candidates {
    said(typed, |document| document.kind.into_iter().collect())
}

/// See [`kinds()`].
pub fn phases(typed: &OsStr) -> Candidates {
    said(typed, |document| document.phase.into_iter().collect())
}

/// The same, and tags that shared records put on documents, be those known here or not.
pub fn tags(typed: &OsStr) -> Candidates {
    let bare = |tag: UntrustedName| tag.raw().trim_start_matches('#').into();
    let said = documents(OsStr::new("")).flat_map(|document| document.tags).map(bare);
    named(typed, said.chain(marked(MarkKind::Tag)))
}

/// Collections, by their titles.
pub fn collections(typed: &OsStr) -> Candidates {
    let collections = workspace().map(|workspace| sync::collections(&workspace));
    let titles = collections
        .into_iter()
        .flatten()
        .map(|collection| collection.title.into());
    named(typed, titles)
}

/// Those who have something to do.
pub fn assigned(typed: &OsStr) -> Candidates {
    named(typed, marked(MarkKind::Assigned))
}

fn marked(kind: MarkKind) -> impl Iterator<Item = UntrustedName> {
    let marks = workspace().map(|workspace| sync::marks(&workspace));
    let of_kind = marks.into_iter().flatten().filter(move |mark| mark.kind == kind);
    of_kind.map(|mark| mark.name.into())
}

fn said(typed: &OsStr, what: impl Fn(Document) -> Vec<UntrustedName>) -> Candidates {
    named(typed, documents(OsStr::new("")).flat_map(what))
}

fn named(typed: &OsStr, names: impl Iterator<Item = UntrustedName>) -> Candidates {
    let all: BTreeSet<UntrustedName> = names.collect();
    beginning(typed, all.iter().map(|word| CompletionCandidate::new(word.raw())))
}

fn beginning(typed: &OsStr, found: impl Iterator<Item = CompletionCandidate>) -> Candidates {
    let typed = typed.as_encoded_bytes();
    found
        .filter(|it| it.get_value().as_encoded_bytes().starts_with(typed))
        .collect()
}

fn with_help(value: &str, help: String) -> CompletionCandidate {
    CompletionCandidate::new(value).help(Some(StyledStr::from(help)))
}

fn workspace() -> Option<Workspace> {
    Workspace::discover(Path::new(".")).ok()
}

fn cache() -> Option<Cache> {
    let workspace = workspace()?;
    sync::open_unmarked(&workspace, &workspace.guard().ok()?).ok()
}
