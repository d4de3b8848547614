//! A metis.db that came with the project.

use std::fs;

use super::in_a_project;
use crate::{
    scenarios::project::Project,
    support::{workspace::Workspace, world::World},
};

/// A clone of the project on a machine of its own.
fn cloned(world: &World, project: &Project) -> Workspace {
    let clone = world.workspace("api");
    fs::remove_dir_all(&clone.dir).expect("it is there");
    let dir = clone.dir.display().to_string();
    project.git(&world.root(), &["clone", "--quiet", &project.url(), &dir]);
    clone
}

/// A metis.db that came with the project tells nothing: neither before a sync, nor after it. What else is in it stays.
#[test]
fn a_database_that_came_with_the_project() {
    let forgeries = [
        "UPDATE sync_documents SET title = 'FORGED'",
        "DROP TABLE sync_documents;
         CREATE TABLE sync_documents (id INTEGER PRIMARY KEY, workspace INTEGER NOT NULL, path TEXT NOT NULL,
            code TEXT NOT NULL, title TEXT AS ('FORGED'), type TEXT, phase TEXT, archived INTEGER NOT NULL,
            tags TEXT NOT NULL, blob BLOB NOT NULL)",
        "CREATE TRIGGER forge AFTER INSERT ON sync_documents BEGIN UPDATE sync_documents SET title = 'FORGED'; END",
        "ALTER TABLE sync_documents RENAME TO hidden; CREATE VIEW sync_documents AS SELECT *, 'FORGED' AS t FROM hidden",
        "DROP TABLE sync_meta; CREATE TABLE sync_meta (key TEXT PRIMARY KEY, value TEXT AS ('FORGED'))",
    ];
    for (number, forgery) in forgeries.into_iter().enumerate() {
        let world = World::new();
        let (api, project) = in_a_project(&world);
        let db = rusqlite::Connection::open(api.metis().join("metis.db")).expect("it synced");
        db.execute_batch(&format!(
            "CREATE TABLE theirs (text TEXT); INSERT INTO theirs VALUES ('kept'); {forgery}"
        ))
        .expect("SQL");
        drop(db);
        project.git(&api.dir, &["add", "--force", ".metis/metis.db"]);
        project.commit(&api.dir);
        project.git(&api.dir, &["push", "--quiet"]);

        let clone = cloned(&world, &project);
        let asked = || {
            let ended = clone.run(&["query", "workspace", "api"]);
            let said = String::from_utf8_lossy(&ended.stdout).into_owned() + &ended.stderr;
            assert!(!said.contains("FORGED"), "{forgery}: {}", ended.transcript());
            (ended.code, said)
        };
        assert_eq!(asked().0, Some(1), "{forgery}");
        clone.sync().report();
        let (code, said) = asked();
        // What has a name of ours but is not of our making is left to its owner.
        match number < 3 {
            true => assert!(
                code == Some(0) && said.contains("Title of API-T-0001"),
                "{forgery}: {said}"
            ),
            false => assert_eq!(code, Some(1), "{forgery}: {said}"),
        }
        let db = rusqlite::Connection::open(clone.metis().join("metis.db")).expect("it is there");
        let kept: String = db
            .query_row("SELECT text FROM theirs", [], |row| row.get(0))
            .expect("SQL");
        assert_eq!(kept, "kept");
    }
}

/// What SQLite keeps beside its database it would play into it, or follow.
#[test]
fn files_beside_the_database() {
    let world = World::new();
    let (api, project) = in_a_project(&world);
    api.put("metis.db-wal", "from a commit");
    project.git(&api.dir, &["add", "--force", ".metis/metis.db-wal"]);
    api.edit("API-T-0001", "More.");
    let report = api.sync().report();
    assert!(
        report.warnings.iter().any(|warning| warning.contains("git tracks")),
        "{report:?}"
    );
    for args in [&["query", "workspace", "api"][..], &["rebuild-cache"]] {
        let ended = api.run(args);
        assert_eq!(ended.code, Some(1), "{}", ended.transcript());
        assert!(ended.stderr.contains("git rm --cached"), "{}", ended.transcript());
    }
    project.git(&api.dir, &["rm", "--cached", "--quiet", ".metis/metis.db-wal"]);
    fs::remove_file(api.metis().join("metis.db-wal")).expect("it is there");
    let precious = world.root().join("precious");
    fs::write(&precious, "mine").expect("temp folder is writable");
    std::os::unix::fs::symlink(&precious, api.metis().join("metis.db-journal")).expect("temp folder is writable");
    assert_eq!(api.run(&["rebuild-cache"]).code, Some(1));
    assert_eq!(fs::read_to_string(&precious).expect("it is there"), "mine");
    fs::remove_file(api.metis().join("metis.db-journal")).expect("it is there");
    api.run(&["rebuild-cache"]).success();
}
