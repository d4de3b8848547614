//! A rebuild is killed.

use std::fs;

use super::*;

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

    let documents = crate::cache::Cache::open(killed.path(), &made_here)
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
