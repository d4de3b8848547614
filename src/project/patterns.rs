//! Patterns as they stand in a `.gitignore`.

use gix::{
    bstr::ByteSlice,
    glob::pattern::Case,
    ignore::{Search, search::Ignore},
};

/// Some patterns, of which the last one that matches counts.
#[derive(Debug)]
pub struct Patterns(Search);

impl Patterns {
    /// From lines such as `*.md`, `drafts/`, `!keep`, `/only/here`.
    pub fn new(lines: &[String]) -> Self {
        let parse = Ignore {
            support_precious: false,
        };
        Patterns(Search::from_overrides(lines, parse))
    }

    /// Whether `path` itself is meant. What lies in a folder that is meant is for the caller to know.
    pub fn matches(&self, path: &str, is_folder: bool) -> bool {
        let found = self
            .0
            .pattern_matching_relative_path(path.as_bytes().as_bstr(), Some(is_folder), Case::Sensitive);
        found.is_some_and(|found| !found.pattern.is_negative())
    }
}
