//! What both sides changed: who gives way, and under which name what gives way stays.

use serde::{Deserialize, Serialize};

use super::listing::Side;
use crate::{names::ObjectId, text::UntrustedName};

/// In which way two sides disagree. The two letters are its name in reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Kind {
    /// Both created it, each with its own content.
    #[serde(rename = "CC")]
    BothCreated,
    /// Both edited it.
    #[serde(rename = "MM")]
    BothEdited,
    /// One edited it, the other one deleted it.
    #[serde(rename = "MD")]
    EditedDeleted,
    /// A file became a link, or a link a file, and the other side has something else again.
    #[serde(rename = "TT")]
    FormChanged,
    /// A file, or a link, on one side is a folder on the other one, and both changed.
    #[serde(rename = "TD")]
    FileAgainstFolder,
    /// Names that some file systems take for one.
    #[serde(rename = "COLLISION")]
    Collision,
    /// A folder would have to give way that has something in it which could not be looked at.
    #[serde(rename = "OBSTRUCTED")]
    Obstructed,
}

impl Kind {
    /// What happened, to follow the path.
    pub fn words(self) -> &'static str {
        match self {
            Kind::BothCreated => "created on both sides, with different content",
            Kind::BothEdited => "edited on both sides",
            Kind::EditedDeleted => "edited on one side and deleted on the other",
            Kind::FormChanged => "a link on one side and a file on the other, and both changed",
            Kind::FileAgainstFolder => "a file on one side and a folder on the other, and both changed",
            Kind::Collision => "its name differs from another one only in case or in the form of its letters",
            Kind::Obstructed => "in the place of a folder that has ignored or unreadable files in it",
        }
    }
}

/// A path that waits for a person. All that lies below it waits too.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Conflict {
    /// The path.
    pub path: UntrustedName,
    /// In which way the sides disagree.
    pub kind: Kind,
}

/// Who may write where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Beta becomes what alpha is.
    Mirror,
    /// Both get what the other one changed.
    #[default]
    Bidirectional,
    /// Beta gets what alpha has, and keeps everything of its own: only what came from alpha is replaced or deleted.
    Selective,
}

/// What to do where both sides changed a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnConflict {
    /// The later change wins.
    Newest,
    /// Alpha wins.
    Source,
    /// Beta wins.
    Target,
    /// One keeps the name, the other one stays beside it under another name.
    File,
    /// A person decides.
    #[default]
    Prompt,
}

/// What becomes of a conflict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing, until a person decides.
    Waits,
    /// Both get what this side has.
    Take(Side),
    /// The same, and what the other side has stays there as a conflict file.
    Beside(Side),
    /// Both get what both had in common last, which may be nothing.
    Base,
}

/// Clocks and file systems are not better than this.
const SAME_TIME_NS: i64 = 2_000_000_000;

/// What decides where both sides changed.
#[derive(Clone, Copy)]
pub struct Policy<'a> {
    /// Who may write where.
    pub mode: Mode,
    /// What to do about conflicts.
    pub on_conflict: OnConflict,
    /// The present, in nanoseconds since 1970: no change is later.
    pub now_ns: i64,
    /// When a path was changed on a side, likewise.
    pub changed_ns: &'a dyn Fn(Side, &str) -> Option<i64>,
    /// Whose version keeps the name where one stays beside the other.
    pub keeps_name: Side,
    /// What a person decided about the conflict at a path.
    pub decided: &'a dyn Fn(&str) -> Option<Outcome>,
    /// Which sides take names for one that differ in case only.
    pub folds: [bool; 2],
}

impl Policy<'_> {
    /// What becomes of the conflict at `path`. `survivor` is the side that edited it, or has the folder, where only one has.
    pub fn outcome(&self, kind: Kind, path: &str, survivor: Option<Side>) -> Outcome {
        if let Some(decided) = (self.decided)(path) {
            return match (kind, decided, survivor) {
                // Of one version there is nothing to put beside it.
                (Kind::EditedDeleted, Outcome::Beside(_), Some(survivor)) => Outcome::Take(survivor),
                (Kind::FileAgainstFolder, Outcome::Beside(_), Some(folder)) => Outcome::Beside(folder),
                _ => decided,
            };
        }
        match (kind, self.on_conflict) {
            (Kind::Collision | Kind::Obstructed, _) | (_, OnConflict::Prompt) => Outcome::Waits,
            (_, OnConflict::Source) => Outcome::Take(Side::Alpha),
            (_, OnConflict::Target) => Outcome::Take(Side::Beta),
            (Kind::EditedDeleted, OnConflict::Newest | OnConflict::File) => {
                survivor.map_or(Outcome::Waits, Outcome::Take)
            }
            (Kind::FileAgainstFolder, OnConflict::Newest | OnConflict::File) => {
                survivor.map_or(Outcome::Waits, Outcome::Beside)
            }
            (_, OnConflict::Newest) => self.later(path).map_or(Outcome::Beside(self.keeps_name), Outcome::Take),
            (_, OnConflict::File) => Outcome::Beside(self.keeps_name),
        }
    }

    /// The side with the later change, unless that cannot be told.
    fn later(&self, path: &str) -> Option<Side> {
        let [alpha, beta] = Side::BOTH.map(|side| (self.changed_ns)(side, path));
        let (alpha, beta) = (alpha?, beta?);
        let in_future = alpha.max(beta) > self.now_ns;
        let difference = alpha.saturating_sub(beta);
        if in_future || difference.saturating_abs() <= SAME_TIME_NS {
            return None;
        }
        Some(match difference.is_positive() {
            true => Side::Alpha,
            false => Side::Beta,
        })
    }
}

/// No file system takes longer names than 255 bytes, and some programs add to them.
const LONGEST_NAME: usize = 200;
const DIGITS: usize = 12;
const MARK: &str = " (conflict ";

/// The path beside `path` under which `loser` stays: `stem (conflict 1a2b3c4d5e6f).ext`.
///
/// It depends on the path and the content only, so that the same conflict makes the same file however often it comes.
pub fn conflict_name(path: &str, loser: ObjectId) -> String {
    let (folder, name) = path.split_at(path.rfind('/').map_or(0, |at| at + 1));
    let (stem, ext) = match name.rfind('.') {
        // More than that is no extension but a sentence with a full stop in it.
        Some(at) if at > 0 && name.len() - at <= 32 => name.split_at(at),
        _ => (name, ""),
    };
    let mut mark = format!("{MARK}{loser}");
    mark.truncate(MARK.len() + DIGITS);
    mark.push(')');
    let mut end = stem.len().min(LONGEST_NAME - mark.len() - ext.len());
    while !stem.is_char_boundary(end) {
        end -= 1;
    }
    format!("{folder}{}{mark}{ext}", &stem[..end])
}

/// Whether a file's name is one that [`conflict_name()`] makes. Such files belong to one side and never travel.
pub fn is_conflict_name(name: &str) -> bool {
    let Some((_, rest)) = name.rsplit_once(MARK) else {
        return false;
    };
    let is_digit = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    match rest.split_at_checked(DIGITS) {
        Some((digits, rest)) => {
            digits.as_bytes().iter().all(is_digit)
                && rest
                    .strip_prefix(')')
                    .is_some_and(|ext| ext.is_empty() || ext.starts_with('.'))
        }
        None => false,
    }
}

#[cfg(test)]
mod tests;
