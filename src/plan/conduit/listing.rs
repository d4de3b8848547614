//! What lies in a folder, as a list of paths.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use crate::names::ObjectId;

/// One of the two folders of a conduit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// The source.
    Alpha,
    /// The target.
    Beta,
}

impl Side {
    /// Both, alpha first.
    pub const BOTH: [Side; 2] = [Side::Alpha, Side::Beta];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Side::Alpha => "alpha",
            Side::Beta => "beta",
        }
    }

    /// The one across.
    pub fn other(self) -> Side {
        match self {
            Side::Alpha => Side::Beta,
            Side::Beta => Side::Alpha,
        }
    }
}

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Form {
    /// A regular file.
    File,
    /// A regular file that may be run.
    Executable,
    /// A symbolic link.
    Link,
}

/// One entry of a listing: a file, or a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Item {
    /// The blob of a file's bytes, or of a link's target.
    pub id: ObjectId,
    /// What it is.
    pub form: Form,
}

impl Item {
    /// Whether it is a symbolic link.
    pub fn is_link(&self) -> bool {
        self.form == Form::Link
    }

    /// Whether both are the same but for the permission to run it.
    pub fn has_content_of(&self, other: &Item) -> bool {
        self.id == other.id && self.is_link() == other.is_link()
    }
}

/// What a folder has: paths of plain names joined by `/`, in [`path_order()`], each once, none below another.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// Files and links.
    pub items: Vec<(String, Item)>,
    /// What was left out, and everything below it: ignored, unreadable, too large, on another file system.
    pub unknown: Vec<String>,
}

impl Listing {
    /// What is at `path`.
    pub fn at(&self, path: &str) -> Option<Item> {
        Some(self.items[self.position(path)?].1)
    }

    /// Where `path` is among the items.
    pub fn position(&self, path: &str) -> Option<usize> {
        self.items.binary_search_by(|(other, _)| path_order(other, path)).ok()
    }

    /// Whether something unknown lies in the folder `path`.
    pub(super) fn hides_below(&self, path: &str) -> bool {
        let at = self
            .unknown
            .partition_point(|unknown| path_order(unknown, path).is_le());
        self.unknown.get(at).is_some_and(|unknown| is_below(unknown, path))
    }
}

/// The order of paths in which a folder's files come right behind the place of the folder itself: `/` before all else.
pub fn path_order(a: &str, b: &str) -> Ordering {
    let at = a.bytes().zip(b.bytes()).position(|(a, b)| a != b);
    match at {
        None => a.len().cmp(&b.len()),
        Some(at) => {
            let rank = |byte: u8| if byte == b'/' { 0 } else { byte };
            rank(a.as_bytes()[at]).cmp(&rank(b.as_bytes()[at]))
        }
    }
}

/// Whether `path` lies in the folder `folder`.
pub(super) fn is_below(path: &str, folder: &str) -> bool {
    path.len() > folder.len() && path.as_bytes()[folder.len()] == b'/' && path.starts_with(folder)
}

/// `path` and all folders that it lies in, the innermost first.
pub(super) fn with_folders(path: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(path), |path| path.rfind('/').map(|at| &path[..at]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folders_files_follow_its_own_place() {
        let mut paths = ["a.md", "a/b", "a", "a-b", "a/b/c", "a/b.md", "B", "é", "a/"];
        paths.sort_by(|a, b| path_order(a, b));
        assert_eq!(paths, ["B", "a", "a/", "a/b", "a/b/c", "a/b.md", "a-b", "a.md", "é"]);
    }

    #[test]
    fn an_item_is_found_by_its_path() {
        let item = |n: u8, form| Item {
            id: ObjectId::from_bytes(&[n; 20]).unwrap(),
            form,
        };
        let items = ["a", "a/b", "a-b"].map(String::from).into_iter().zip(1..);
        let listing = Listing {
            items: items.map(|(path, n)| (path, item(n, Form::File))).collect(),
            ..Listing::default()
        };
        for (path, place) in [
            ("a", Some(0)),
            ("a/b", Some(1)),
            ("a-b", Some(2)),
            ("b", None),
            ("", None),
        ] {
            assert_eq!(listing.position(path), place, "{path}");
            assert_eq!(listing.at(path), place.map(|place| listing.items[place].1), "{path}");
        }
        let file = item(1, Form::File);
        for (other, is_same) in [
            (file, true),
            (item(1, Form::Executable), true),
            (item(1, Form::Link), false),
            (item(2, Form::File), false),
        ] {
            assert_eq!(file.has_content_of(&other), is_same, "{other:?}");
        }
        assert!(item(1, Form::Link).has_content_of(&item(1, Form::Link)));
        assert_eq!(Side::BOTH.map(Side::name), ["alpha", "beta"]);
    }

    #[test]
    fn what_lies_in_a_folder_begins_with_its_name_and_a_slash() {
        for (path, folder, below) in [
            ("a/b", "a", true),
            ("a", "a", false),
            ("ab/c", "a", false),
            ("a", "a/b", false),
        ] {
            assert_eq!(is_below(path, folder), below, "{path} in {folder}");
        }
        assert_eq!(with_folders("a/b/c").collect::<Vec<_>>(), ["a/b/c", "a/b", "a"]);
        let listing = Listing {
            unknown: ["a-b", "a/x/y", "b"].map(String::from).into(),
            ..Listing::default()
        };
        let mut listing = listing;
        listing.unknown.sort_by(|a, b| path_order(a, b));
        for (folder, hides) in [("a", true), ("a/x", true), ("a/x/y", false), ("b", false), ("c", false)] {
            assert_eq!(listing.hides_below(folder), hides, "{folder}");
        }
    }
}
