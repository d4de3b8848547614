//! The records that commands write, by what they are about.

use shared_records::Cell;

use super::{RecordsError, Tx, random_id};
use crate::text::is_hidden;

/// How long a tag, a title and the like may be, in bytes.
const MAX_NAME: usize = 100;

/// A tag as it is typed, with or without `#`.
pub fn tag_name(typed: &str) -> Result<String, String> {
    name(typed.trim().trim_start_matches('#'), "a tag")
}

/// What somebody or something is called, which takes no more than part of a line.
pub fn name(typed: &str, what: &str) -> Result<String, String> {
    match typed.trim() {
        "" => Err(format!("{what} needs a name")),
        name if name.len() > MAX_NAME => Err(format!("{what} has {MAX_NAME} bytes at most")),
        name if name.contains(is_hidden) => Err(format!("{what} has no control characters")),
        name => Ok(name.to_owned()),
    }
}

/// A tag on a document.
pub fn tag(document: &str, tag: &str) -> Cell {
    Cell::new("tag", &[document, tag], "")
}

/// A property of a note.
pub fn note(id: &str, field: &str) -> Cell {
    Cell::new("note", &[id], field)
}

/// Whether somebody starred a document.
pub fn star(user: &str, document: &str) -> Cell {
    Cell::new("meta", &[user, document], "star")
}

/// That a document leads to another one.
pub fn link(from: &str, kind: &str, to: &str) -> Cell {
    Cell::new("link", &[from, kind, to], "")
}

/// That a document is somebody's.
pub fn assignment(document: &str, kind: &str, user: &str) -> Cell {
    Cell::new("assignment", &[document, kind, user], "")
}

/// A property of a collection.
pub fn collection(id: &str, field: &str) -> Cell {
    Cell::new("collection", &[id], field)
}

/// A property of a document in a collection; with none, that it is in there.
pub fn item(id: &str, document: &str, field: &str) -> Cell {
    Cell::new("collection", &[id, document], field)
}

/// Writes a new note, and returns its id.
pub fn add_note(
    tx: &mut Tx<'_>,
    document: &str,
    author: &str,
    text: &str,
    parent: Option<&str>,
) -> Result<String, RecordsError> {
    let id = random_id();
    tx.put(&note(&id, "document"), document.into())?;
    tx.put(&note(&id, "author"), author.into())?;
    if let Some(parent) = parent {
        tx.put(&note(&id, "parent"), parent.into())?;
    }
    tx.put(&note(&id, "body"), text.into())?;
    Ok(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_taken_as_they_are_typed() {
        assert_eq!(tag_name("#urgent"), Ok("urgent".into()));
        assert_eq!(tag_name(" in review "), Ok("in review".into()));
        for odd in ["", "#", "# ", "a\u{1b}b", &"x".repeat(101)] {
            assert!(tag_name(odd).is_err(), "{odd:?}");
        }
    }
}
