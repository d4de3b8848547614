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
        let sql = format!(
            "WITH hits AS MATERIALIZED (SELECT rowid, bm25(sync_text, {WEIGHTS}) AS rank FROM sync_text WHERE sync_text MATCH ?)
             SELECT {}, count(*) OVER () {FROM} JOIN hits h ON h.rowid = d.id WHERE {condition}
             ORDER BY h.rank, w.owned DESC, w.prefix, d.code LIMIT {limit}",
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
        let body = plain(searched(body)).trim().to_owned();
        self.db
            .execute("INSERT OR REPLACE INTO one (rowid, body) VALUES (1, ?1)", [body])?;
        // The words may be in the title and in the body, so each of those in the body will do.
        let any = self
            .sought
            .0
            .replace("\" \"", "\" OR \"")
            .replace("\"* \"", "\"* OR \"");
        let [open, close] = MARKS.map(String::from);
        let text: String = self.db.query_row(
            "SELECT snippet(one, 0, ?2, ?3, '…', ?4) FROM one WHERE one MATCH ?1",
            (any, open, close, SNIPPET_WORDS),
            |row| row.get(0),
        )?;
        Ok(pieces(&text))
    }
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
mod tests {
    use super::super::fixture::{World, made_here};
    use super::*;

    fn world() -> World {
        let mut world = World::default();
        let mut put = |code: &str, text: &str| {
            let workspace = code[..3].to_lowercase();
            world.put(&workspace, code, text);
        };
        put(
            "API-T-0001",
            "title: Rotate keys\nlevel: task\nphase: todo\nbody: All of them, one by one",
        );
        put(
            "API-T-0002",
            "title: Logout\nlevel: task\nphase: todo\nbody: Drop the session and rotate its keys at once",
        );
        put(
            "WEB-T-0001",
            "title: Form\nlevel: task\nphase: active\ntags: #ui\nbody: Überprüfung of keys that were lost",
        );
        put(
            "WEB-T-0002",
            "title: Old keys\nlevel: task\nphase: todo\narchived: true",
        );
        world
    }

    fn opened(world: &World) -> (tempfile::TempDir, Cache) {
        let dir = tempfile::tempdir().unwrap();
        world.rebuild(dir.path()).unwrap();
        let cache = Cache::open(dir.path(), &made_here).unwrap();
        cache.index_words(&|document| world.body(document)).unwrap();
        (dir, cache)
    }

    fn codes(cache: &Cache, typed: &str, filter: &Filter) -> Vec<String> {
        let Some(sought) = Sought::parse(typed) else {
            return Vec::new();
        };
        let hits = cache.search(&sought, filter, 100, &|_| None).unwrap();
        assert_eq!(hits.total, hits.documents.len() as u64);
        let code = |found: &Found| found.document.code.to_string();
        hits.documents.iter().map(code).collect()
    }

    #[test]
    fn words_are_all_wanted_and_titles_come_first() {
        let (_dir, cache) = opened(&world());
        let all = Filter::default();
        for (typed, found) in [
            ("keys", &["API-T-0001", "WEB-T-0001", "API-T-0002"][..]),
            ("rotate keys", &["API-T-0001", "API-T-0002"]),
            ("KEYS session", &["API-T-0002"]),
            ("\"rotate keys\"", &["API-T-0001"]),
            ("\"keys rotate\"", &[]),
            ("\"its keys", &["API-T-0002"]),
            ("sess*", &["API-T-0002"]),
            ("sess", &[]),
            ("uberprufung", &["WEB-T-0001"]),
            ("ui keys", &["WEB-T-0001"]),
            ("api-t-0002", &["API-T-0002"]),
            ("keys OR session", &[]),
            ("!?", &[]),
        ] {
            assert_eq!(codes(&cache, typed, &all), found, "{typed}");
        }
        let archived = Filter {
            archived: true,
            ..all.clone()
        };
        assert_eq!(codes(&cache, "keys", &archived).len(), 4);
        let active = Filter {
            phases: vec!["active".into()],
            ..all
        };
        assert_eq!(codes(&cache, "keys", &active), ["WEB-T-0001"]);
    }

    #[test]
    fn whatever_is_typed_is_no_syntax() {
        let (_dir, cache) = opened(&world());
        let all = Filter::default();
        for typed in [
            "AND",
            "NOT keys",
            "keys NEAR(",
            "title:keys",
            "^keys",
            "{title} : keys",
            "a + b",
            "\"",
            "\"\"",
            "*",
            "keys \"",
            "(((",
            "keys\0\"session",
            "-keys",
            "'; DROP TABLE sync_text; --",
            "x AND",
            "\u{202e}keys\u{1b}[2J",
            "😀",
            "%",
            "a*b*",
        ] {
            codes(&cache, typed, &all);
        }
        assert_eq!(codes(&cache, "^keys", &all).len(), 3);
        assert_eq!(codes(&cache, "keys\0\"session", &all), ["API-T-0002"]);
        assert_eq!(codes(&cache, &"keys ".repeat(5000), &all).len(), 3);
        assert_eq!(
            codes(
                &cache,
                &(0..5000).map(|n| format!("word{n} ")).collect::<String>(),
                &all
            )
            .len(),
            0
        );
        assert_eq!(Sought::parse(" \"!\" * "), None);
    }

    #[test]
    fn the_limit_leaves_out_the_worst() {
        let (_dir, cache) = opened(&world());
        let hits = cache
            .search(&Sought::parse("keys").unwrap(), &Filter::default(), 1, &|_| None)
            .unwrap();
        assert_eq!((hits.total, hits.documents.len()), (3, 1));
        assert_eq!(hits.documents[0].document.code, "API-T-0001");
    }

    #[test]
    fn a_snippet_is_the_place_that_fits() {
        let (_dir, cache) = opened(&world());
        let snippet = |typed: &str, body: &str| {
            let sought = Sought::parse(typed).unwrap();
            let hits = cache
                .search(&sought, &Filter::default(), 1, &|_| Some(body.to_owned()))
                .unwrap();
            let shown = |piece: &Piece| match piece.fits {
                true => format!("[{}]", piece.text),
                false => piece.text.to_string(),
            };
            hits.documents[0].snippet.iter().map(shown).collect::<String>()
        };
        let filler = "lorem ipsum ".repeat(50);
        let found = snippet("rotate keys", &format!("{filler}the\r\n\tkeys\u{2}are [new]\n{filler}"));
        assert!(found.contains("the [keys] are [new] lorem"), "{found}");
        assert!(
            found.starts_with('…') && found.ends_with('…') && found.len() < 300,
            "{found}"
        );
        assert_eq!(snippet("keys", "changed since"), "");
    }

    #[test]
    fn what_came_went_or_changed_since_the_last_search_is_heeded() {
        let mut world = world();
        let (dir, cache) = opened(&world);
        let indexed = world.loaded.get();
        world.put("api", "API-T-0001", "title: Logins\nbody: Nothing of the kind");
        world.put("ops", "OPS-T-0001", "title: Keys\nbody: Another");
        world.workspaces.remove("web");
        world.rebuild(dir.path()).unwrap();
        let archived = Filter {
            archived: true,
            ..Filter::default()
        };
        let read = indexed + 2;
        assert_eq!(world.loaded.get(), read, "the rows");
        let search = |typed: &str| {
            let sought = Sought::parse(typed).unwrap();
            let hits = cache
                .search(&sought, &archived, 100, &|document| world.body(document))
                .unwrap();
            hits.documents
                .into_iter()
                .map(|found| found.document.code)
                .collect::<Vec<_>>()
        };
        assert_eq!(search("form"), Vec::<String>::new());
        assert_eq!(world.loaded.get(), read + 2, "the words of what is new");
        assert_eq!(search("keys"), ["OPS-T-0001", "API-T-0002"]);
        assert_eq!(search("nothing kind"), ["API-T-0001"]);
        assert_eq!(world.loaded.get(), read + 5, "the snippets");
        assert!(super::super::fixture::dump(dir.path()).starts_with("ok\n"));
    }

    #[test]
    fn what_cannot_be_read_is_indexed_once_it_can() {
        let world = world();
        let dir = tempfile::tempdir().unwrap();
        world.rebuild(dir.path()).unwrap();
        let cache = Cache::open(dir.path(), &made_here).unwrap();
        let path = "api/API-T-0002.md";
        world.unreadable.borrow_mut().insert(path.into());
        let search = || {
            let sought = Sought::parse("session").unwrap();
            let hits = cache.search(&sought, &Filter::default(), 100, &|document| world.body(document));
            hits.unwrap().total
        };
        assert_eq!(search(), 0);
        world.unreadable.borrow_mut().remove(path);
        assert_eq!(search(), 1);
    }

    #[test]
    fn what_cannot_be_written_down_is_found_all_the_same() {
        let mut world = world();
        let (dir, mut reading) = opened(&world);
        world.put("api", "API-T-0003", "title: More keys");
        world.rebuild(dir.path()).unwrap();
        let file = dir.path().join(super::super::FILE_NAME);
        let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
        reading.db = Connection::open_with_flags(&file, flags).unwrap();
        super::super::marks::create(&reading.db).unwrap();
        let keys = Sought::parse("keys").unwrap();
        for _ in 0..2 {
            let hits = reading.search(&keys, &Filter::default(), 100, &|document| world.body(document));
            assert_eq!(hits.unwrap().total, 4);
        }
        let written = Connection::open(&file).unwrap();
        let words = "SELECT count(*) FROM sync_text_docsize";
        assert_eq!(written.query_row(words, [], |row| row.get::<_, i64>(0)).unwrap(), 4);
    }

    #[test]
    fn more_documents_than_are_indexed_at_once_are_all_found() {
        let mut world = World::default();
        for number in 1..=2500 {
            world.put("api", &format!("API-T-{number:04}"), "title: Keys");
        }
        let (_dir, cache) = opened(&world);
        let hits = cache.search(&Sought::parse("keys").unwrap(), &Filter::default(), 1, &|_| None);
        assert_eq!(hits.unwrap().total, 2500);
    }

    #[test]
    fn nothing_is_indexed_in_tables_that_another_made_meanwhile() {
        let world = world();
        let dir = tempfile::tempdir().unwrap();
        world.rebuild(dir.path()).unwrap();
        let cache = Cache::open(dir.path(), &made_here).unwrap();
        let other = Connection::open(dir.path().join(super::super::FILE_NAME)).unwrap();
        other
            .execute_batch("UPDATE sync_meta SET value = 'them' WHERE key = 'maker'")
            .unwrap();
        cache.index_words(&|document| world.body(document)).unwrap();
        let words: i64 = other
            .query_row("SELECT count(*) FROM sync_text_docsize", [], |row| row.get(0))
            .unwrap();
        assert_eq!(words, 0);
    }
}
