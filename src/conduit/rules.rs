//! What of a folder belongs to a conduit, and what never does.

use super::Definition;
use crate::{fs::is_temp, plan::conduit::is_conflict_name, project::Patterns, text::is_hidden, workspace::METIS_DIR};

/// The patterns of a definition.
pub struct Rules {
    include: Option<Patterns>,
    exclude: Option<Patterns>,
}

impl Rules {
    pub fn new(definition: &Definition) -> Self {
        let patterns = |lines: &[String]| (!lines.is_empty()).then(|| Patterns::new(lines));
        Rules {
            include: patterns(&definition.include),
            exclude: patterns(&definition.exclude),
        }
    }

    /// Whether the patterns leave `path` out, whatever includes it.
    pub fn excludes(&self, path: &str, is_folder: bool) -> bool {
        self.exclude
            .as_ref()
            .is_some_and(|exclude| exclude.matches(path, is_folder))
    }

    /// Whether the patterns ask for `path`, and with a folder for all that is in it.
    pub fn includes(&self, path: &str, is_folder: bool) -> bool {
        self.include
            .as_ref()
            .is_none_or(|include| include.matches(path, is_folder))
    }

    /// Whether a scan looks into the folder at `path`.
    pub fn enters(&self, path: &str) -> bool {
        let mut folders = path.match_indices('/').map(|(at, _)| &path[..at]).chain([path]);
        !folders.any(|folder| self.excludes(folder, true))
    }

    /// Whether the file at `path` belongs to the conduit, as the scan sees it.
    pub fn covers(&self, path: &str) -> bool {
        if self.include.is_none() && self.exclude.is_none() {
            return true;
        }
        let folders = || path.match_indices('/').map(|(at, _)| &path[..at]);
        let excluded = self.excludes(path, false) || folders().any(|folder| self.excludes(folder, true));
        !excluded && (self.includes(path, false) || folders().any(|folder| self.includes(folder, true)))
    }
}

/// Whether an entry of this name never travels: git's own folder under any name that a file system takes for it, `.metis`,
/// what is being written, and what lost a conflict.
pub fn is_private(name: &str) -> bool {
    // Most names are plain: only what begins with these could be one of them.
    let is_plain = name.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    if is_plain && !name.starts_with(['.', 'g', 'G']) {
        return is_conflict_name(name);
    }
    let plain: String = name.chars().filter(|c| !is_hidden(*c)).collect();
    let plain = plain.trim_end_matches(['.', ' ']).to_lowercase();
    let plain = plain.split(':').next().unwrap_or_default();
    [".git", "git~1", METIS_DIR].contains(&plain) || is_temp(name.as_ref()) || is_conflict_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_choose_files_and_whole_folders() {
        let rules = |include: &[&str], exclude: &[&str]| {
            let texts = |patterns: &[&str]| patterns.iter().map(|text| (*text).to_owned()).collect();
            Rules::new(&Definition {
                include: texts(include),
                exclude: texts(exclude),
                ..Definition::new("a".into(), "b".into())
            })
        };
        for (include, exclude, path, covers) in [
            (&[][..], &[][..], "a/b", true),
            (&["*.md"], &[], "a/b.md", true),
            (&["*.md"], &[], "a/b.txt", false),
            (&["a/"], &[], "a/b/c.txt", true),
            (&["/a"], &[], "x/a", false),
            (&["*.md"], &["drafts/"], "drafts/a.md", false),
            (&[], &["drafts/"], "x/drafts/a.md", false),
            (&[], &["*.tmp", "!keep.tmp"], "keep.tmp", true),
            (&[], &["*.tmp", "!keep.tmp"], "a.tmp", false),
        ] {
            assert_eq!(
                rules(include, exclude).covers(path),
                covers,
                "{include:?} {exclude:?} {path}"
            );
        }
    }

    #[test]
    fn what_git_could_take_for_its_own_never_travels() {
        for name in [
            ".git",
            ".GIT",
            ".git.",
            ".git ",
            ".g\u{200c}it",
            "GIT~1",
            ".git::$INDEX_ALLOCATION",
            ".metis",
            "a (conflict 1a2b3c4d5e6f).md",
        ] {
            assert!(is_private(name), "{name}");
        }
        for name in [".gitignore", "git", ".github", "a.md", ".metis-notes"] {
            assert!(!is_private(name), "{name}");
        }
    }
}
