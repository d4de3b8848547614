use std::{cell::Cell, fs, os::unix::fs::MetadataExt};

use super::super::{
    DocumentSource,
    fixture::{World, dump, made_here, parse},
};
use super::*;

fn files(dir: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn from_nothing_then_nothing_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let world = World::small();

    let first = world.rebuild(dir.path()).unwrap();
    assert_eq!((first.outcome, first.documents, first.read), (Outcome::Created, 5, 5));
    assert_eq!(files(dir.path()), ["metis.db"]);

    let stamp = |dir: &Path| {
        let metadata = fs::metadata(dir.join("metis.db")).unwrap();
        let folder = fs::metadata(dir).unwrap();
        (
            metadata.ino(),
            metadata.mtime_nsec(),
            folder.mtime_nsec(),
            fs::read(dir.join("metis.db")).unwrap(),
        )
    };
    let (before, listed) = (stamp(dir.path()), world.listed.get());
    let second = world.rebuild(dir.path()).unwrap();
    assert_eq!(
        (second.outcome, second.documents, second.read),
        (Outcome::Unchanged, 5, 0)
    );
    assert_eq!(stamp(dir.path()), before);
    assert_eq!(world.listed.get(), listed, "no workspace was even listed");
}

#[test]
fn only_new_bytes_are_loaded() {
    let dir = tempfile::tempdir().unwrap();
    let mut world = World::small();
    world.rebuild(dir.path()).unwrap();
    world.loaded.set(0);

    // One changes, one moves to the archive, one goes.
    world.put("web", "WEB-T-0001", "title: Form\nphase: completed");
    let api = world.workspaces.get_mut("api").unwrap();
    let text = api.remove("api/API-T-0001.md").unwrap();
    api.insert("archived/API-T-0001.md".into(), text);
    api.remove("api/API-T-0002.md").unwrap();

    let rebuilt = world.rebuild(dir.path()).unwrap();
    assert_eq!(
        (rebuilt.outcome, rebuilt.documents, rebuilt.read, rebuilt.removed),
        (Outcome::Updated, 4, 1, 1)
    );
    assert_eq!(world.loaded.get(), 1);
    assert_eq!(dump(dir.path()), world.expected());
}

/// Whatever happened in whichever order, the result is what a database from nothing would have.
#[test]
fn incremental_equals_from_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let mut world = World::default();
    let mut state = 7u64;
    let mut random = move |below: u64| {
        state = state
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (state >> 33) % below
    };
    for _ in 0..60 {
        for _ in 0..=random(6) {
            let prefix = ["api", "web", "ops"][random(3) as usize];
            let code = format!("X-T-{:04}", random(12));
            let place = ["x", "archived"][random(2) as usize];
            let path = format!("{place}/{code}.md");
            match random(6) {
                0 => drop(world.workspaces.remove(prefix)),
                1 => drop(world.workspaces.entry(prefix.into()).or_default().remove(&path)),
                2 => world.put_at(prefix, &path, "damaged"),
                _ => {
                    let (parent, blocker) = (random(12), random(12));
                    let text = format!(
                        "title: {}\nparent: X-T-{parent:04}\nblocked_by: X-T-{blocker:04} Y",
                        random(3)
                    );
                    world.put_at(prefix, &path, &text);
                }
            }
        }
        world.rebuild(dir.path()).unwrap();
        assert_eq!(dump(dir.path()), world.expected());
    }
}

#[test]
fn what_cannot_be_read_is_not_taken_for_deleted() {
    let dir = tempfile::tempdir().unwrap();
    let mut world = World::small();
    world.rebuild(dir.path()).unwrap();

    world.put("api", "API-T-0001", "title: New");
    world.put("web", "WEB-T-0002", "title: New");
    world.unreadable.borrow_mut().insert("api/API-T-0001.md".into());
    world.unlisted.borrow_mut().insert("web".into());
    for _ in 0..2 {
        let rebuilt = world.rebuild(dir.path()).unwrap();
        assert_eq!((rebuilt.documents, rebuilt.read, rebuilt.removed), (5, 0, 0));
        assert_eq!(rebuilt.skipped.len(), 2, "said every time: {:?}", rebuilt.skipped);
        let known = dump(dir.path());
        assert!(known.contains("Token") && known.contains("Form") && !known.contains("New"));
    }

    world.unreadable.borrow_mut().clear();
    world.unlisted.borrow_mut().clear();
    assert_eq!(world.rebuild(dir.path()).unwrap().documents, 6);
    assert_eq!(dump(dir.path()), world.expected());
}

/// The Metis tools have the database open, in write-ahead mode and in the other, and go on using it.
#[test]
fn tables_of_others_survive_also_while_they_are_in_use() {
    for mode in ["wal", "delete"] {
        let dir = tempfile::tempdir().unwrap();
        let theirs = Connection::open(dir.path().join("metis.db")).unwrap();
        theirs.pragma_update(None, "journal_mode", mode).unwrap();
        theirs
            .execute_batch(
                "PRAGMA user_version = 42; CREATE TABLE documents (id TEXT); INSERT INTO documents VALUES ('one')",
            )
            .unwrap();
        let mut world = World::small();

        assert_eq!(world.rebuild(dir.path()).unwrap().outcome, Outcome::Updated);
        theirs.execute("INSERT INTO documents VALUES ('two')", []).unwrap();
        world.put("web", "WEB-T-0003", "title: More");
        assert_eq!(world.rebuild(dir.path()).unwrap().documents, 6);
        theirs.execute("INSERT INTO documents VALUES ('three')", []).unwrap();
        drop(theirs);

        let after = Connection::open(dir.path().join("metis.db")).unwrap();
        let rows: i64 = after
            .query_row("SELECT count(*) FROM documents", [], |row| row.get(0))
            .unwrap();
        let version: i64 = after
            .pragma_query_value(None, "user_version", |row| row.get(0))
            .unwrap();
        let kept: String = after
            .pragma_query_value(None, "journal_mode", |row| row.get(0))
            .unwrap();
        assert_eq!((rows, version, kept.as_str()), (3, 42, mode));
        drop(after);
        assert_eq!(dump(dir.path()), world.expected());
    }
}

#[test]
fn what_is_not_ours_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("metis.db");
    let world = World::small();

    fs::write(
        &path,
        "my notes, at some length, so that SQLite takes a look at them ".repeat(40),
    )
    .unwrap();
    let before = fs::read(&path).unwrap();
    let error = world.rebuild(dir.path()).unwrap_err();
    assert!(
        error.to_string().contains("metis.db is not an SQLite database"),
        "{error}"
    );
    assert_eq!(fs::read(&path).unwrap(), before);
    fs::remove_file(&path).unwrap();

    let theirs = Connection::open(&path).unwrap();
    theirs.execute_batch("CREATE TABLE sync_documents (mine TEXT)").unwrap();
    let error = world.rebuild(dir.path()).unwrap_err();
    assert!(matches!(error, CacheError::NameTaken { .. }), "{error}");
    theirs
        .execute_batch("INSERT INTO sync_documents VALUES ('x'); DROP TABLE sync_documents")
        .unwrap();
    drop(theirs);

    // A database cut short, as after a disk failure.
    world.rebuild(dir.path()).unwrap();
    let whole = fs::read(&path).unwrap();
    fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    let error = world.rebuild(dir.path()).unwrap_err();
    assert!(error.to_string().contains("damaged SQLite database"), "{error}");
    assert_eq!(fs::metadata(&path).unwrap().len() as usize, whole.len() / 2);
}

#[test]
fn a_locked_database_is_an_error_and_stays_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let mut world = World::small();
    world.rebuild(dir.path()).unwrap();
    let before = dump(dir.path());
    let theirs = Connection::open(dir.path().join("metis.db")).unwrap();
    theirs.execute_batch("BEGIN IMMEDIATE").unwrap();

    world.put("web", "WEB-T-0001", "title: Changed");
    let load =
        |workspace: &WorkspaceSource<'_>, document: &DocumentSource| world.load(&workspace.prefix, &document.path);
    let result = rebuild_waiting(
        dir.path(),
        &world.sources(),
        &load,
        &parse,
        &made_here,
        Duration::from_millis(1),
    );
    assert!(matches!(result, Err(CacheError::Busy { .. })), "{result:?}");

    theirs.execute_batch("ROLLBACK").unwrap();
    assert_eq!(dump(dir.path()), before);
    world.rebuild(dir.path()).unwrap();
    assert_eq!(dump(dir.path()), world.expected());
}

/// A rebuild that was overtaken while it read plans again instead of writing what it planned for older rows.
#[test]
fn another_rebuild_in_between_is_noticed() {
    let dir = tempfile::tempdir().unwrap();
    let mut ours = World::small();
    ours.rebuild(dir.path()).unwrap();
    let mut theirs = ours.clone();
    theirs.workspaces.remove("api");
    ours.put("api", "API-T-0001", "title: Changed");

    let reads = Cell::new(0);
    let load = |workspace: &WorkspaceSource<'_>, document: &DocumentSource| {
        if reads.replace(reads.get() + 1) == 0 {
            theirs.rebuild(dir.path()).unwrap();
        }
        ours.load(&workspace.prefix, &document.path)
    };
    rebuild(dir.path(), &ours.sources(), &load, &parse, &made_here).unwrap();

    assert_eq!(
        reads.get(),
        1 + 4,
        "the first plan's one document, then the whole workspace that the other removed"
    );
    assert_eq!(dump(dir.path()), ours.expected());
}

#[test]
fn two_first_builds_at_once_make_one_database() {
    let dir = tempfile::tempdir().unwrap();
    let (ours, mut theirs) = (World::small(), World::small());
    theirs.workspaces.remove("web");
    let reads = Cell::new(0);
    let load = |workspace: &WorkspaceSource<'_>, document: &DocumentSource| {
        if reads.replace(reads.get() + 1) == 0 {
            theirs.rebuild(dir.path()).unwrap();
        }
        ours.load(&workspace.prefix, &document.path)
    };
    let rebuilt = rebuild(dir.path(), &ours.sources(), &load, &parse, &made_here).unwrap();

    assert_eq!(
        rebuilt.outcome,
        Outcome::Updated,
        "the other's database was there first"
    );
    assert_eq!(files(dir.path()), ["metis.db"]);
    assert_eq!(dump(dir.path()), ours.expected());
}

/// Copies the files of a transaction under way, which is what a kill at that moment leaves.
#[test]
fn killed_while_it_writes_the_old_state_is_back() {
    let (dir, killed) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut world = World::small();
    for number in 0..500 {
        world.put(
            "ops",
            &format!("OPS-T-{number:04}"),
            &format!("title: {}", "x".repeat(900)),
        );
    }
    world.rebuild(dir.path()).unwrap();
    let writer = Connection::open(dir.path().join("metis.db")).unwrap();
    writer
        .execute_batch("PRAGMA cache_size = 2; BEGIN; UPDATE sync_documents SET title = 'half' || id")
        .unwrap();
    let copy_all = |from: &Path, to: &Path| {
        for name in files(from) {
            fs::copy(from.join(&name), to.join(&name)).unwrap();
        }
    };
    copy_all(dir.path(), killed.path());
    assert_eq!(files(killed.path()), ["metis.db", "metis.db-journal"]);
    let raw = fs::read(killed.path().join("metis.db")).unwrap();
    assert!(
        raw.windows(4).any(|bytes| bytes == b"half"),
        "the transaction had reached the file"
    );

    let documents = super::super::Cache::open(killed.path(), &made_here)
        .unwrap()
        .workspace(&"ops".parse().unwrap())
        .unwrap();
    assert!(
        documents
            .documents
            .iter()
            .all(|document| !document.title.raw().starts_with("half"))
    );
    assert_eq!(files(killed.path()), ["metis.db"]);

    fs::remove_file(killed.path().join("metis.db")).unwrap();
    copy_all(dir.path(), killed.path());
    assert_eq!(world.rebuild(killed.path()).unwrap().outcome, Outcome::Unchanged);
    assert_eq!(dump(killed.path()), world.expected());
}

/// Somebody deletes `metis.db` but not its journal, which must not be played into the new one.
#[test]
fn a_journal_without_its_database_is_not_believed() {
    for sidecar in ["metis.db-wal", "metis.db-journal"] {
        let (dir, old) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let theirs = Connection::open(old.path().join("metis.db")).unwrap();
        let mode = if sidecar.ends_with("wal") { "wal" } else { "delete" };
        theirs.pragma_update(None, "journal_mode", mode).unwrap();
        theirs
            .execute_batch(
                "CREATE TABLE t (x); INSERT INTO t VALUES (randomblob(99999)); PRAGMA cache_size = 2;
                 BEGIN; UPDATE t SET x = randomblob(99998)",
            )
            .unwrap();
        fs::copy(old.path().join(sidecar), dir.path().join(sidecar)).unwrap();

        let world = World::small();
        world.rebuild(dir.path()).unwrap();
        assert_eq!(dump(dir.path()), world.expected());
        assert_eq!(files(dir.path()), ["metis.db"]);
    }
}

/// Re-run by the test below as a process of its own; does nothing otherwise.
#[test]
fn dies_in_the_middle_of_a_build() {
    let Some(dir) = std::env::var_os("METIS_SYNC_TEST_DIES_IN") else {
        return;
    };
    let world = World::small();
    let load = |workspace: &WorkspaceSource<'_>, document: &DocumentSource| {
        if world.loaded.get() == 3 {
            std::process::abort();
        }
        world.load(&workspace.prefix, &document.path)
    };
    rebuild(Path::new(&dir), &world.sources(), &load, &parse, &made_here).unwrap();
}

#[test]
fn killed_in_a_first_build_nothing_stays_behind() {
    let dir = tempfile::tempdir().unwrap();
    let (_, module) = module_path!().split_once("::").unwrap();
    let status = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &format!("{module}::dies_in_the_middle_of_a_build")])
        .env("METIS_SYNC_TEST_DIES_IN", dir.path())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .status()
        .unwrap();
    assert!(!status.success());
    assert_eq!(files(dir.path()).len(), 1);
    assert!(files(dir.path())[0].starts_with("metis.db.sync-build-"));

    let world = World::small();
    world.rebuild(dir.path()).unwrap();
    assert_eq!(files(dir.path()), ["metis.db"]);
    assert_eq!(dump(dir.path()), world.expected());
}

#[test]
fn tables_of_another_version_are_made_anew() {
    let dir = tempfile::tempdir().unwrap();
    let world = World::small();
    world.rebuild(dir.path()).unwrap();
    let db = Connection::open(dir.path().join("metis.db")).unwrap();
    db.execute_batch(
        "UPDATE sync_meta SET value = '999' WHERE key = 'schema'; DROP TABLE sync_documents; CREATE TABLE mine (x)",
    )
    .unwrap();
    drop(db);

    let rebuilt = world.rebuild(dir.path()).unwrap();
    assert_eq!((rebuilt.outcome, rebuilt.read), (Outcome::Updated, 5));
    assert_eq!(dump(dir.path()), world.expected());
    let db = Connection::open(dir.path().join("metis.db")).unwrap();
    db.execute_batch("SELECT * FROM mine").unwrap();
}

/// Prints what 100,000 documents cost: `cargo test --release … -- --ignored --nocapture hundred_thousand`.
#[test]
#[ignore = "a measurement"]
fn hundred_thousand_documents() {
    use std::time::Instant;

    let dir = tempfile::tempdir().unwrap();
    let mut world = World::default();
    for workspace in 0..10 {
        for number in 0..10_000 {
            let text = format!(
                "title: Document number {number} of {workspace}\nlevel: task\nphase: todo\nparent: W{workspace}-T-{:05}\n\
                 blocked_by: W{workspace}-T-{:05}\ntags: #task #phase/todo",
                number / 10,
                number / 2
            );
            world.put(
                &format!("ws-{workspace}"),
                &format!("W{workspace}-T-{number:05}"),
                &text,
            );
        }
    }
    let all: std::collections::BTreeMap<_, _> = world
        .workspaces
        .values()
        .flatten()
        .map(|(k, v)| (k.clone(), v.clone()))
        .collect();
    let mut single = World::default();
    single.workspaces.insert("all".into(), all);
    for (what, mut world) in [("10 × 10,000", world), ("1 × 100,000", single)] {
        let dir = dir.path().join(what);
        fs::create_dir(&dir).unwrap();
        let measure = |label: &str, world: &World| {
            let sources = world.sources();
            let load = |workspace: &WorkspaceSource<'_>, document: &DocumentSource| {
                world.load(&workspace.prefix, &document.path)
            };
            let start = Instant::now();
            let rebuilt = rebuild(&dir, &sources, &load, &parse, &made_here).unwrap();
            println!(
                "{what}: {label}: {:?} ({:?}, read {})",
                start.elapsed(),
                rebuilt.outcome,
                rebuilt.read
            );
        };
        measure("from nothing", &world);
        println!("{what}: {} bytes", fs::metadata(dir.join("metis.db")).unwrap().len());
        for _ in 0..3 {
            measure("unchanged", &world);
        }
        for round in 0..3 {
            let documents = world.workspaces.values_mut().next().unwrap();
            let text = documents.values_mut().nth(777).unwrap();
            *text = format!("title: Changed {round}");
            measure("one changed", &world);
        }
        let cache = super::super::Cache::open(&dir, &made_here).unwrap();
        for question in ["children", "progress", "upstream", "blocks", "workspaces", "workspace"] {
            let code = &"W3-T-00000".parse().unwrap();
            let start = Instant::now();
            match question {
                "children" => drop(cache.children(code).unwrap()),
                "progress" => drop(cache.progress(code).unwrap()),
                "upstream" => drop(cache.upstream(&"W3-T-09999".parse().unwrap()).unwrap()),
                "blocks" => drop(cache.blocks(code).unwrap()),
                "workspaces" => drop(cache.workspaces().unwrap()),
                _ => drop(
                    cache
                        .workspace(&world.workspaces.keys().next().unwrap().parse().unwrap())
                        .unwrap(),
                ),
            }
            println!("{what}: query {question}: {:?}", start.elapsed());
        }
        drop(cache);
        fs::remove_file(dir.join("metis.db")).unwrap();
        Connection::open(dir.join("metis.db"))
            .unwrap()
            .execute_batch("CREATE TABLE theirs (x)")
            .unwrap();
        measure("all of it beside foreign tables", &world);
    }
}

/// A database of before there was an index of words, and one that such a version made its own tables in again.
#[test]
fn what_an_older_version_made_is_made_anew() {
    let dir = tempfile::tempdir().unwrap();
    let world = World::small();
    for sql in [
        "UPDATE sync_meta SET value = '2' WHERE key = 'schema'; DROP TABLE sync_text",
        "UPDATE sync_meta SET value = '2' WHERE key = 'schema'; DELETE FROM sync_documents",
    ] {
        world.rebuild(dir.path()).unwrap();
        let db = Connection::open(dir.path().join("metis.db")).unwrap();
        db.execute_batch(sql).unwrap();
        let rebuilt = world.rebuild(dir.path()).unwrap();
        assert_eq!((rebuilt.outcome, rebuilt.read), (Outcome::Updated, 5));
        assert_eq!(dump(dir.path()), world.expected());
    }
}

/// An index that does not hold together is thrown away with the rest where it can be, and named where SQLite cannot open it.
#[test]
fn a_forged_index_of_words_is_not_believed() {
    let world = World::small();
    for sql in [
        "DELETE FROM sync_text_data",
        "UPDATE sync_text_data SET block = randomblob(200)",
        "DELETE FROM sync_text_idx",
        "DELETE FROM sync_text_config",
        "UPDATE sync_text_config SET v = 99",
    ] {
        let dir = tempfile::tempdir().unwrap();
        world.rebuild(dir.path()).unwrap();
        let db = Connection::open(dir.path().join("metis.db")).unwrap();
        db.execute_batch(&format!(
            "UPDATE sync_meta SET value = 'them' WHERE key = 'maker'; {sql}"
        ))
        .unwrap();
        drop(db);
        match world.rebuild(dir.path()) {
            Ok(_) => assert_eq!(dump(dir.path()), world.expected(), "{sql}"),
            Err(error) => assert!(
                sql.contains("sync_text_config") && matches!(error, CacheError::Unreadable { .. }),
                "{sql}: {error}"
            ),
        }
    }
}
