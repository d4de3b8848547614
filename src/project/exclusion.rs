//! Patterns of gitignore, matched as git matches them: what is not to be published, and what git itself ignores.

use std::collections::BTreeSet;

use gix::{
    bstr::ByteSlice,
    glob::pattern::Case,
    ignore::{Search, search::Ignore},
};

use super::Project;

/// What stands for folders of any depth.
const DEEP: &str = "**";
/// How often that may be in a pattern.
const MOST_DEEP: usize = 8;

/// Lists of patterns. What any of them excludes is excluded: a `!` takes back what stands in its own list only.
#[derive(Debug, Default)]
pub struct Exclusion {
    lists: Vec<Search>,
    case: Case,
}

impl Exclusion {
    /// Of texts as they stand in files of patterns.
    pub fn new(texts: &[Vec<u8>], ignores_case: bool) -> Self {
        let list = |text: &Vec<u8>| {
            let mut search = Search::default();
            let lines: Vec<_> = text.split(|byte| *byte == b'\n').map(affordable).collect();
            // Only a root that is no folder above the source can be an error, and there is none.
            let _ = search.add_patterns_buffer(&lines.join(&b'\n'), "", None, Ignore::default());
            search
        };
        Exclusion {
            lists: texts.iter().filter(|text| !text.trim().is_empty()).map(list).collect(),
            case: if ignores_case { Case::Fold } else { Case::Sensitive },
        }
    }

    /// Whether there are no patterns.
    pub fn is_empty(&self) -> bool {
        self.lists.is_empty()
    }

    /// Whether the file at `path`, whose folders count too, is excluded.
    pub fn excludes(&self, path: &str) -> bool {
        self.lists.iter().any(|list| self.is_excluded_by(list, path))
    }

    fn is_excluded_by(&self, list: &Search, path: &str) -> bool {
        let matches = |path: &str, is_folder: bool| {
            let found = list.pattern_matching_relative_path(path.as_bytes().as_bstr(), Some(is_folder), self.case);
            found.is_some_and(|found| !found.pattern.is_negative())
        };
        // What is below an excluded folder cannot be taken back.
        path.match_indices('/').any(|(at, _)| matches(&path[..at], true)) || matches(path, false)
    }
}

/// A pattern that can be matched in the time there is: each `**` multiplies how long a deep path takes. What comes after the
/// last that may be is left out, so that the pattern excludes more; one that takes back, less.
fn affordable(pattern: &[u8]) -> &[u8] {
    match pattern.find_iter(DEEP).nth(MOST_DEEP) {
        None => pattern,
        Some(_) if pattern.starts_with(b"!") => b"",
        Some(at) => &pattern[..at],
    }
}

/// Whether a pattern takes no longer to match than one may.
pub fn is_affordable(pattern: &str) -> bool {
    affordable(pattern.as_bytes()).len() == pattern.len()
}

impl Project {
    /// Whether file names that differ in case are the same to git here.
    pub fn ignores_case(&self) -> bool {
        self.config
            .boolean("core.ignoreCase")
            .ok()
            .flatten()
            .unwrap_or_default()
    }

    /// Those of `paths` (below `.metis/`) that git ignores and does not track. Where git ignores all of `.metis/` that says
    /// nothing of a single document.
    pub fn ignored<'a>(&self, paths: impl Iterator<Item = &'a str>) -> BTreeSet<&'a str> {
        let mut found = BTreeSet::new();
        let mut paths = paths.peekable();
        if paths.peek().is_none() || self.ignores_metis() {
            return found;
        }
        let Some(repo) = &self.repo else { return found };
        let Ok(index) = repo.index_or_empty() else { return found };
        let source = gix::worktree::stack::state::ignore::Source::WorktreeThenIdMappingIfNotSkipped;
        let Ok(mut stack) = repo.excludes(&index, None, source) else {
            return found;
        };
        for path in paths {
            let whole = match self.metis_path() {
                metis if metis.is_empty() => path.to_owned(),
                metis => format!("{metis}/{path}"),
            };
            let is_tracked = index.entry_by_path(whole.as_bytes().as_bstr()).is_some();
            let mode = Some(gix::index::entry::Mode::FILE);
            if !is_tracked && stack.at_entry(whole.as_str(), mode).is_ok_and(|at| at.is_excluded()) {
                found.insert(path);
            }
        }
        found
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    fn excluded(lists: &[&str], path: &str) -> bool {
        let lists: Vec<Vec<u8>> = lists.iter().map(|list| list.as_bytes().to_vec()).collect();
        Exclusion::new(&lists, false).excludes(path)
    }

    #[test]
    fn patterns_are_gits() {
        for (list, path, is) in [
            ("drafts/", "drafts/a.md", true),
            ("drafts/", "backlog/drafts/deep/a.md", true),
            ("/drafts/", "backlog/drafts/a.md", false),
            ("drafts", "drafts.md", false),
            ("*.private.md", "backlog/x.private.md", true),
            ("backlog/*.md", "backlog/deep/a.md", false),
            ("backlog/**/a.md", "backlog/deep/er/a.md", true),
            ("# *.md\n\n", "a.md", false),
            ("\\#a.md", "#a.md", true),
            ("*.md\n!kept.md", "kept.md", false),
            ("*.md\n!kept.md", "lost.md", true),
            ("drafts/\n!drafts/kept.md", "drafts/kept.md", true),
            ("drafts/*\n!drafts/kept.md", "drafts/kept.md", false),
            ("a.md  ", "a.md", true),
            ("[ab].md", "b.md", true),
            ("A.md", "a.md", false),
        ] {
            assert_eq!(excluded(&[list], path), is, "{list:?} {path}");
        }
    }

    #[test]
    fn a_pattern_takes_no_longer_than_it_may() {
        let deep = vec!["a"; 400].join("/");
        for unit in ["**/", "**/a/", "**/*a/", "*/**/", "**/?*/"] {
            let pattern = format!("{}b", unit.repeat(1000));
            assert!(!is_affordable(&pattern));
            assert!(excluded(&[&pattern], &deep), "{unit}: it excludes more than it says");
            assert!(
                excluded(&[&format!("*\n!{pattern}")], &deep),
                "{unit}: it takes nothing back"
            );
        }
        assert!(is_affordable(&"**/a/".repeat(MOST_DEEP)));
    }

    #[test]
    fn one_list_takes_nothing_back_that_another_excludes() {
        assert!(excluded(&["*.md", "!a.md"], "a.md"));
        assert!(Exclusion::new(&[b" \n".to_vec()], false).is_empty());
        assert!(Exclusion::new(&[b"A.md".to_vec()], true).excludes("a.md"));
    }
}
