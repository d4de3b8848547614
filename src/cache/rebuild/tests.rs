mod killed;
mod measured;
mod others;

use std::{fs, os::unix::fs::MetadataExt};

use super::super::{
    DocumentSource,
    fixture::{Count, World, dump, made_here, parse},
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

/// As of a folder on the disk: what the bytes are is found out by reading them, once where all of them are to be read.
#[test]
fn a_listing_need_not_know_the_bytes() {
    let dir = tempfile::tempdir().unwrap();
    let mut world = World::small();
    let rebuild_unknown = |world: &World| {
        let mut sources = world.sources();
        for source in &mut sources {
            let listed = (source.documents)().unwrap();
            let unknown = |mut document: DocumentSource| {
                document.blob = None;
                document
            };
            let listed: Vec<_> = listed.into_iter().map(unknown).collect();
            source.documents = Box::new(move || Ok(listed.clone()));
        }
        let load =
            |workspace: &WorkspaceSource<'_>, document: &DocumentSource| world.load(&workspace.prefix, &document.path);
        world.loaded.set(0);
        let rebuilt = rebuild(dir.path(), &sources, &load, &parse, &made_here).unwrap();
        (rebuilt.outcome, rebuilt.read, world.loaded.get())
    };
    assert_eq!(rebuild_unknown(&world), (Outcome::Created, 5, 5));
    assert_eq!(dump(dir.path()), world.expected());
    assert_eq!(rebuild_unknown(&world), (Outcome::Unchanged, 0, 0));
    world.put("api", "API-T-0001", "title: Changed");
    assert_eq!(rebuild_unknown(&world), (Outcome::Updated, 1, 4 + 1));
    world.put("ops", "OPS-T-0001", "title: New");
    assert_eq!(rebuild_unknown(&world), (Outcome::Updated, 1, 1));
    assert_eq!(dump(dir.path()), world.expected());
    // One of a workspace that the database has cannot be read: what it has stays.
    world.put("api", "API-T-0001", "title: Again");
    world.unreadable.lock().insert("api/API-T-0002.md".into());
    let before = dump(dir.path());
    assert_eq!(rebuild_unknown(&world).0, Outcome::Unchanged);
    assert_eq!(dump(dir.path()), before);
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
    world.unreadable.lock().insert("api/API-T-0001.md".into());
    world.unlisted.lock().insert("web".into());
    for _ in 0..2 {
        let rebuilt = world.rebuild(dir.path()).unwrap();
        assert_eq!((rebuilt.documents, rebuilt.read, rebuilt.removed), (5, 0, 0));
        assert_eq!(rebuilt.skipped.len(), 2, "said every time: {:?}", rebuilt.skipped);
        let known = dump(dir.path());
        assert!(known.contains("Token") && known.contains("Form") && !known.contains("New"));
    }

    world.unreadable.lock().clear();
    world.unlisted.lock().clear();
    assert_eq!(world.rebuild(dir.path()).unwrap().documents, 6);
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
