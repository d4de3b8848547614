//! Documents by the words in them, best first.

use rusqlite::{Connection, ToSql, params_from_iter};
use serde::{Serialize, Serializer};

use super::{
    Cache, Document, Filter, QueryError,
    schema::TOKENIZE,
    select::{BEHIND, FROM, columns, document},
    source::searched,
};
use crate::text::UntrustedName;

/// How much a word counts in the title, the code, the tags and the body.
const WEIGHTS: &str = "8.0, 8.0, 4.0, 1.0";

/// Words around what was found.
const SNIPPET_WORDS: u8 = 24;

/// In how long parts a text is looked through for the best place: SQLite compares each place that fits in a part with each other one.
const PART: usize = 8 << 10;

/// Enclose what was found in SQLite's snippet. What is searched holds no control characters.
const MARKS: [char; 2] = ['\u{2}', '\u{3}'];

/// What is sought: words, and phrases in double quotes, all of which have to be there. A word that ends in `*` is the beginning
/// of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sought(String);

impl Sought {
    /// Takes anything: whatever FTS5 would read as an operator is a word. `None` if there is no letter and no digit to look for.
    pub fn parse(typed: &str) -> Option<Self> {
        let mut all = Vec::new();
        for (at, part) in plain(typed).split('"').enumerate() {
            // Every other part stands in quotes, the last one perhaps only in the first of them.
            let words: Vec<&str> = match at % 2 {
                0 => part.split(' ').collect(),
                _ => vec![part],
            };
            for word in words.into_iter().filter(|word| word.contains(char::is_alphanumeric)) {
                let begins = at % 2 == 0 && word.ends_with('*');
                all.push(format!("\"{word}\"{}", if begins { "*" } else { "" }));
            }
        }
        (!all.is_empty()).then(|| Sought(all.join(" ")))
    }
}

/// What a search found.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Hits {
    /// How many documents fit, those beyond the limit included.
    pub total: u64,
    /// The best of them, best first.
    pub documents: Vec<Found>,
}

/// A document that fits.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Found {
    /// The document.
    #[serde(flatten)]
    pub document: Document,
    /// The place in its body that fits best; nothing if that cannot be read, or changed since the cache was built.
    #[serde(serialize_with = "joined")]
    pub snippet: Vec<Piece>,
}

/// A piece of a snippet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// As in the document, without its line breaks and control characters.
    pub text: UntrustedName,
    /// Whether it is what was sought.
    pub fits: bool,
}

fn joined<S: Serializer>(pieces: &[Piece], serializer: S) -> Result<S::Ok, S::Error> {
    let text: String = pieces.iter().map(|piece| piece.text.raw()).collect();
    serializer.serialize_str(&text)
}

impl Cache {
    /// The documents that have all that is `sought` and fit the `filter`, no more than `limit`. `body` reads a document's text; it is
    /// asked for those that came since the last search, which are indexed first, and for those that were found.
    pub fn search(
        &self,
        sought: &Sought,
        filter: &Filter,
        limit: usize,
        body: &dyn Fn(&Document) -> Option<String>,
    ) -> Result<Hits, QueryError> {
        self.index_words(body)?;
        let (condition, values) = filter.sql();
        let values = [vec![sought.0.clone()], values].concat();
        // What is shown of a document is read of the best ones alone.
        let order = "w.owned DESC, w.prefix, d.code";
        let sql = format!(
            "WITH hits AS MATERIALIZED (SELECT rowid, bm25(sync_text, {WEIGHTS}) AS rank FROM sync_text WHERE sync_text MATCH ?),
             best AS MATERIALIZED (
                SELECT d.id, h.rank, count(*) OVER () AS total {FROM} JOIN hits h ON h.rowid = d.id WHERE {condition}
                ORDER BY h.rank, {order} LIMIT {limit})
             SELECT {}, b.total {FROM} JOIN best b ON b.id = d.id ORDER BY b.rank, {order}",
            columns(),
        );
        let (total, found) = self.ask(|db| {
            let mut total = 0;
            let mut select = db.prepare(&sql)?;
            let values = params_from_iter(values.iter().map(|value| value as &dyn ToSql));
            let found = select.query_map(values, |row| {
                total = row.get::<_, i64>(BEHIND)?.max(0) as u64;
                document(row)
            })?;
            let found: Vec<Document> = found.collect::<rusqlite::Result<_>>()?;
            Ok((total, found))
        })?;
        // A snippet is an extra: without it, what was found is told all the same.
        let snippets = Snippets::new(sought).ok();
        let found = found.into_iter().map(|document| {
            let snippet = snippets
                .as_ref()
                .and_then(|snippets| snippets.of(&body(&document)?).ok());
            Found {
                document,
                snippet: snippet.unwrap_or_default(),
            }
        });
        Ok(Hits {
            total,
            documents: found.collect(),
        })
    }
}

/// Finds the place by the tokenizer and the matcher that found the document, in a database of one text.
struct Snippets<'s> {
    db: Connection,
    sought: &'s Sought,
}

impl<'s> Snippets<'s> {
    fn new(sought: &'s Sought) -> rusqlite::Result<Self> {
        let db = Connection::open_in_memory()?;
        db.execute_batch(&format!("CREATE VIRTUAL TABLE one USING fts5(body, {TOKENIZE})"))?;
        Ok(Snippets { db, sought })
    }

    fn of(&self, body: &str) -> rusqlite::Result<Vec<Piece>> {
        // Its parts are gone again with the transaction.
        let transaction = self.db.unchecked_transaction()?;
        let mut insert = transaction.prepare_cached("INSERT INTO one (body) VALUES (?1)")?;
        for part in parts(plain(searched(body)).trim()) {
            insert.execute([part])?;
        }
        // The words may be in the title and in the body, so each of those in the body will do.
        let any = self
            .sought
            .0
            .replace("\" \"", "\" OR \"")
            .replace("\"* \"", "\"* OR \"");
        let [open, close] = MARKS.map(String::from);
        let text: String = self.db.query_row(
            "SELECT snippet(one, 0, ?2, ?3, '…', ?4) FROM one WHERE one MATCH ?1 ORDER BY rank LIMIT 1",
            (any, open, close, SNIPPET_WORDS),
            |row| row.get(0),
        )?;
        Ok(pieces(&text))
    }
}

/// A text in parts of bounded length, each of whole words where there is a space in it.
fn parts(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = text;
    while rest.len() > PART {
        let most = (0..=PART).rev().find(|at| rest.is_char_boundary(*at)).unwrap_or(PART);
        let end = rest[..most].rfind(' ').map_or(most, |space| space + 1);
        let (part, behind) = rest.split_at(end);
        parts.push(part);
        rest = behind;
    }
    parts.push(rest);
    parts
}

fn pieces(text: &str) -> Vec<Piece> {
    let mut fits = true;
    let parts = text.split(MARKS).map(|text| {
        fits = !fits;
        Piece {
            text: text.into(),
            fits,
        }
    });
    parts.filter(|piece| !piece.text.raw().is_empty()).collect()
}

/// On one line, without control characters: those would end a search early, or pass for marks.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        let c = if c.is_control() || c.is_whitespace() { ' ' } else { c };
        if !(c == ' ' && out.ends_with(' ')) {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests;
