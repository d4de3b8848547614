//! Documents by their codes.

use std::collections::{HashMap, HashSet};

use super::Target;
use crate::{cache::Document, text::UntrustedName};

/// Finds documents by their codes, of which thousands of workspaces may have the same.
pub(super) struct Index<'d> {
    /// The first document of a code.
    by_code: HashMap<&'d str, usize>,
    /// The first one in a workspace.
    by_place: HashMap<(&'d str, &'d str), usize>,
    /// The codes that block nothing any more.
    pub(super) done: HashSet<&'d str>,
}

impl<'d> Index<'d> {
    pub(super) fn new(documents: &'d [Document]) -> Self {
        let mut index = Index {
            by_code: HashMap::with_capacity(documents.len()),
            by_place: HashMap::with_capacity(documents.len()),
            done: HashSet::new(),
        };
        for (number, document) in documents.iter().enumerate() {
            let code = document.code.raw();
            index.by_code.entry(code).or_insert(number);
            index.by_place.entry((document.workspace.raw(), code)).or_insert(number);
            if document.archived || document.is_finished() {
                index.done.insert(code);
            }
        }
        index
    }

    /// The document that `from` means by a code: the one in its own workspace, or else the first one.
    pub(super) fn find(&self, code: &str, from: &Document) -> Option<usize> {
        let near = self.by_place.get(&(from.workspace.raw(), code));
        near.or_else(|| self.by_code.get(code)).copied()
    }

    pub(super) fn target(&self, code: &UntrustedName, from: &Document) -> Target {
        match self.find(code.raw(), from) {
            Some(number) => Target::Card(number),
            None => Target::Nowhere(code.into()),
        }
    }
}
