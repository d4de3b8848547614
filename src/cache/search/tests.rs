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

/// SQLite would compare half a million places with each other.
#[test]
fn a_text_that_fits_everywhere_is_no_work() {
    let mut world = World::default();
    let filler = "|x".repeat(500_000);
    let text = format!(
        "title: T\nlevel: task\nphase: todo\nbody: {filler} the needle at its end {}",
        "y".repeat(100_000)
    );
    world.put("api", "API-T-0001", &text);
    let (_dir, cache) = opened(&world);
    let found = |typed: &str| {
        let sought = Sought::parse(typed).unwrap();
        let body = |document: &Document| world.body(document);
        let hits = cache.search(&sought, &Filter::default(), 10, &body).unwrap();
        let pieces = hits.documents[0].snippet.iter();
        pieces.map(|piece| piece.text.raw().to_owned()).collect::<String>()
    };
    assert!(found("x").contains("x|x|x"), "{}", found("x"));
    assert!(found("x needle").contains("x the needle"), "{}", found("x needle"));
}

#[test]
fn parts_are_of_whole_words_and_all_of_a_text() {
    for text in [
        "",
        "a b",
        &"word ".repeat(5_000),
        &"ü".repeat(20_000),
        &format!(" {}", "ü".repeat(20_000)),
    ] {
        let parts = parts(text);
        assert_eq!(parts.concat(), text);
        assert!(parts.iter().all(|part| part.len() <= PART));
    }
    let words = "word ".repeat(5_000);
    assert!(
        parts(&words).iter().all(|part| part.starts_with('w')),
        "{:?}",
        parts(&words)
    );
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
    world.unreadable.lock().insert(path.into());
    let search = || {
        let sought = Sought::parse("session").unwrap();
        let hits = cache.search(&sought, &Filter::default(), 100, &|document| world.body(document));
        hits.unwrap().total
    };
    assert_eq!(search(), 0);
    world.unreadable.lock().remove(path);
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
