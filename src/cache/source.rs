//! What a rebuild is fed with. The cache knows neither central nor the disk: it is told what there is.

use std::io;

use crate::names::{ObjectId, Prefix, ShortCode};

/// One workspace, with its documents listed only when they are needed.
pub struct WorkspaceSource<'a> {
    /// The workspace's folder in central.
    pub prefix: Prefix,
    /// Whether it is this clone's own workspace.
    pub owned: bool,
    /// Any text which changes whenever a document's path, code or blob id does. For a hydrated folder its tree id; for
    /// the owned workspace the tree id is not enough, since a document can move (to `archived/`) without a change of it.
    /// Empty means unknown: the documents are then compared one by one.
    pub fingerprint: String,
    /// Lists all documents, in any order, each path once. An error leaves what the cache has about this workspace as it is.
    pub documents: Box<dyn Fn() -> io::Result<Vec<DocumentSource>> + Sync + 'a>,
    /// The id of a document's bytes.
    pub hash: Box<Hash<'a>>,
}

/// One document of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentSource {
    /// Relative to `.metis/`, with `/`.
    pub path: String,
    /// The document's code. A function of path and blob: the same path with the same blob has the same code.
    pub code: ShortCode,
    /// The id of its bytes, as far as that is known without a look at them.
    pub blob: Option<ObjectId>,
}

/// Where one document is and which bytes it has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Identified {
    pub path: String,
    pub code: ShortCode,
    pub blob: ObjectId,
}

/// What a document says, as far as the cache has use for it. Texts as written, not validated.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DocumentFacts {
    /// `id`: what other documents of the same workspace may call it.
    pub slug: Option<String>,
    /// `title`.
    pub title: String,
    /// `level`: `vision`, `initiative`, `task`, `adr`, ….
    pub level: Option<String>,
    /// The phase without its `#phase/`: `todo`, `active`, `completed`, ….
    pub phase: Option<String>,
    /// The parent's code or slug.
    pub parent: Option<String>,
    /// The codes or slugs of the documents which block this one.
    pub blocked_by: Vec<String>,
    /// `archived`.
    pub archived: bool,
    /// All tags as written.
    pub tags: Vec<String>,
}

impl DocumentSource {
    /// With the id that it is listed with, or else this one.
    pub(super) fn with(self, blob: impl FnOnce() -> ObjectId) -> Identified {
        Identified {
            blob: self.blob.unwrap_or_else(blob),
            path: self.path,
            code: self.code,
        }
    }
}

impl From<Identified> for DocumentSource {
    fn from(known: Identified) -> Self {
        DocumentSource {
            path: known.path,
            code: known.code,
            blob: Some(known.blob),
        }
    }
}

/// Each path once, in their order. Of several with one path, one is taken.
pub(super) fn each_once<T>(listed: &mut Vec<T>, path: impl Fn(&T) -> &str) {
    listed.sort_by(|a, b| path(a).cmp(path(b)));
    listed.dedup_by(|a, b| path(a) == path(b));
}

/// Reads a document's bytes. Called only where the cache does not have the blob id yet, or nobody knows it.
pub type Load<'a> = dyn Fn(&WorkspaceSource<'_>, &DocumentSource) -> io::Result<Vec<u8>> + Sync + 'a;

/// Parses a document's frontmatter; the error says in words why it can't.
pub type Parse<'a> = dyn Fn(&[u8]) -> Result<DocumentFacts, String> + Sync + 'a;

/// Makes the id of a document's bytes.
pub type Hash<'a> = dyn Fn(&[u8]) -> ObjectId + Sync + 'a;

/// What marks a database as made by this clone, of what tells that file from others.
pub type Maker<'a> = dyn Fn(&str) -> String + 'a;

/// How much of a document's body is searched, in bytes.
const MAX_BODY: usize = 1 << 20;

/// As much of a body as is searched.
pub(super) fn searched(body: &str) -> &str {
    let end = (0..=MAX_BODY.min(body.len()))
        .rev()
        .find(|at| body.is_char_boundary(*at));
    &body[..end.unwrap_or_default()]
}

const MAX_TITLE: usize = 1000;
const MAX_TEXT: usize = 100;
/// An answer has the lists of all documents that it names, so a hundred documents of a hundred links each are ten thousand.
const MAX_ITEMS: usize = 100;

impl DocumentFacts {
    /// With texts and lists cut to what a row may hold, and empty entries left out.
    ///
    /// Frontmatter comes from anybody who can push to central. Prepared rows are held in memory until they are written,
    /// and relations multiply rows, so both need a bound.
    pub(super) fn bounded(mut self) -> Self {
        let cut = |text: &mut String, max: usize| {
            if let Some((end, _)) = text.char_indices().nth(max) {
                text.truncate(end);
            }
        };
        let list = |items: &mut Vec<String>| {
            items.retain(|item| !item.trim().is_empty());
            items.truncate(MAX_ITEMS);
            items.iter_mut().for_each(|item| cut(item, MAX_TEXT));
        };
        cut(&mut self.title, MAX_TITLE);
        // A code means the document that has it, never one that calls itself so.
        self.slug = self.slug.filter(|slug| slug.parse::<ShortCode>().is_err());
        for text in [&mut self.slug, &mut self.level, &mut self.phase, &mut self.parent] {
            *text = text.take().filter(|text| !text.trim().is_empty());
            if let Some(text) = text {
                cut(text, MAX_TEXT);
            }
        }
        list(&mut self.blocked_by);
        list(&mut self.tags);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_are_bounded_on_character_borders() {
        let facts = DocumentFacts {
            title: "ä".repeat(5000),
            parent: Some(" ".into()),
            blocked_by: vec!["A-T-0001".into(); 5000],
            tags: vec!["é".repeat(500), String::new()],
            ..Default::default()
        }
        .bounded();
        assert_eq!(facts.title.chars().count(), MAX_TITLE);
        assert_eq!(facts.parent, None);
        assert_eq!(facts.blocked_by.len(), MAX_ITEMS);
        assert_eq!(facts.tags, ["é".repeat(MAX_TEXT)]);
        assert_eq!(searched(&format!("a{}", "ä".repeat(MAX_BODY))).len(), MAX_BODY - 1);
    }
}
