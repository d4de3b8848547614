//! Other programs, and other processes of this one, have the database open or own what is there.

use std::fs;

use super::*;

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

    let reads = Count::default();
    let load = |workspace: &WorkspaceSource<'_>, document: &DocumentSource| {
        if reads.add() == 0 {
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
    let reads = Count::default();
    let load = |workspace: &WorkspaceSource<'_>, document: &DocumentSource| {
        if reads.add() == 0 {
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
