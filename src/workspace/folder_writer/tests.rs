use std::{collections::BTreeSet, fs, os::unix::fs::symlink};

use super::*;
use crate::workspace::hydrated::survey;

/// No hash at all, but different for the different contents of these tests.
fn hash(bytes: &[u8]) -> ObjectId {
    let mut digest = [0; 20];
    for (i, byte) in bytes.iter().enumerate() {
        digest[i % 20] ^= byte.rotate_left(i as u32 / 20);
    }
    ObjectId::from_bytes(&digest).unwrap()
}

struct World {
    temp: tempfile::TempDir,
    metis: Dir,
}

impl World {
    fn new() -> Self {
        let temp = tempfile::tempdir().unwrap();
        let metis = Dir::open_root(temp.path()).unwrap();
        World { temp, metis }
    }

    fn open(&self, prefix: &str) -> Result<FolderWriter<'_>, FolderError> {
        let survey = survey(&self.metis, &BTreeSet::new()).unwrap();
        FolderWriter::open(&self.metis, &survey, &prefix.parse().unwrap(), 1000)
    }

    fn text(&self, path: &str) -> String {
        fs::read_to_string(self.temp.path().join(path)).unwrap()
    }

    fn put(&self, path: &str, text: &str) {
        fs::write(self.temp.path().join(path), text).unwrap();
    }
}

fn marker() -> Marker {
    Marker {
        central: "https://host/central".into(),
        tree: None,
        applying: Some(hash(b"tree")),
    }
}

/// Where nobody is expected to have written yet, whoever did keeps what is theirs.
#[test]
fn what_is_new_replaces_nothing() {
    let world = World::new();
    let writer = world.open("api").unwrap();
    assert!(writer.is_new());
    world.put("api/API-T-0001.md", "theirs");
    assert!(!writer.write_new("API-T-0001.md", b"ours").unwrap());
    assert!(writer.write_new("API-T-0002.md", b"ours").unwrap());
    assert!(matches!(
        writer.write_new("../x.md", b"ours"),
        Err(FolderError::BadName { .. })
    ));
    assert_eq!(
        (world.text("api/API-T-0001.md"), world.text("api/API-T-0002.md")),
        ("theirs".into(), "ours".into())
    );
    writer.mark(&marker()).unwrap();
    assert!(!world.open("api").unwrap().is_new());
}

#[test]
fn of_what_was_kept_only_empty_folders_go() {
    let dot_metis = tempfile::tempdir().unwrap();
    let at = |path: &str| dot_metis.path().join(path);
    for folder in ["2026/api", "2027/api", "2027/web"] {
        fs::create_dir_all(at(KEPT_DIR).join(folder)).unwrap();
    }
    fs::write(at(KEPT_DIR).join("2027/web/WEB-T-0001.md"), "edited").unwrap();
    sweep_kept(&Dir::open_root(dot_metis.path()).unwrap());
    assert!(!at(KEPT_DIR).join("2026").exists());
    assert!(!at(KEPT_DIR).join("2027/api").exists());
    let kept = at(KEPT_DIR).join("2027/web/WEB-T-0001.md.kept");
    assert_eq!(
        fs::read_to_string(&kept).unwrap(),
        "edited",
        "no document for the Metis tools"
    );

    fs::remove_file(kept).unwrap();
    sweep_kept(&Dir::open_root(dot_metis.path()).unwrap());
    assert!(!at(KEPT_DIR).exists());
}

#[test]
fn a_folder_is_made_filled_and_dissolved() {
    let world = World::new();
    let strat = world.open("strat").unwrap();
    strat.mark(&marker()).unwrap();
    assert_eq!(strat.check("S-T-0001.md", &[], &hash).unwrap(), OnDisk::Absent);
    strat.write("S-T-0001.md", b"one").unwrap();
    strat.write("S-T-0001.md", b"two").unwrap();
    assert_eq!(world.text("strat/S-T-0001.md"), "two");
    assert_eq!(strat.names().unwrap(), ["S-T-0001.md"]);

    let strat = world.open("strat").unwrap();
    strat.remove("S-T-0001.md").unwrap();
    strat.remove("S-T-0001.md").unwrap();
    assert!(strat.dissolve().unwrap().is_empty());
    assert!(world.metis.list().unwrap().is_empty());
}

#[test]
fn local_edits_are_noticed_and_kept_for_good() {
    let world = World::new();
    let strat = world.open("strat").unwrap();
    let check = |expected: &[ObjectId]| strat.check("S-T-0001.md", expected, &hash).unwrap();
    strat.write("S-T-0001.md", b"one").unwrap();
    assert_eq!(check(&[hash(b"zero"), hash(b"one")]), OnDisk::Expected(hash(b"one")));

    world.put("strat/S-T-0001.md", "edited");
    assert_eq!(check(&[hash(b"one")]), OnDisk::LocallyEdited(hash(b"edited")));
    world.put("strat/S-T-0001.md", "");
    assert_eq!(check(&[hash(b"one")]), OnDisk::Expected(hash(b"")));
    world.put("strat/S-T-0001.md", "\0\0\0");
    assert_eq!(check(&[hash(b"one")]), OnDisk::Expected(hash(b"\0\0\0")));
    world.put("strat/S-T-0001.md", "edited");
    let kept = strat.keep("S-T-0001.md", "2026-02-26T013000Z").unwrap();
    assert_eq!(kept, ".sync/kept/2026-02-26T013000Z/strat/S-T-0001.md.kept");
    assert_eq!(
        strat.keep("S-T-0001.md", "2026-02-26T013000Z").unwrap(),
        kept,
        "the same bytes once"
    );
    world.put("strat/S-T-0001.md", "edited again");
    let again = strat.keep("S-T-0001.md", "2026-02-26T013000Z").unwrap();
    assert_eq!(
        (world.text(&kept), world.text(&again)),
        ("edited".into(), "edited again".into())
    );

    for stamp in ["", "..", "a/b", ".x"] {
        assert!(strat.keep("S-T-0001.md", stamp).is_err(), "{stamp:?}");
    }
}

#[test]
fn what_is_the_users_own_is_refused_and_untouched() {
    let world = World::new();
    fs::create_dir(world.temp.path().join("tasks")).unwrap();
    world.put("tasks/mine.md", "mine");
    world.put("file", "mine");
    symlink("tasks", world.temp.path().join("link")).unwrap();
    for prefix in ["tasks", "file", "link"] {
        assert!(
            matches!(world.open(prefix), Err(FolderError::Foreign { .. })),
            "{prefix}"
        );
    }
    assert!(matches!(world.open("adrs"), Err(FolderError::Reserved { .. })));
    assert_eq!(world.text("tasks/mine.md"), "mine");
    assert_eq!(world.metis.list().unwrap().len(), 3);
}

#[test]
fn names_that_are_no_documents_never_reach_the_disk() {
    let world = World::new();
    let strat = world.open("strat").unwrap();
    for name in [
        "",
        "..",
        "../x.md",
        "README.md",
        ".hydrated",
        "a/S-T-0001.md",
        "S-T-0001.MD",
        "S-T-0001.md/",
    ] {
        assert!(
            matches!(strat.write(name, b""), Err(FolderError::BadName { .. })),
            "{name:?}"
        );
        assert!(
            matches!(strat.remove(name), Err(FolderError::BadName { .. })),
            "{name:?}"
        );
        assert!(
            matches!(strat.keep(name, "now"), Err(FolderError::BadName { .. })),
            "{name:?}"
        );
    }
    assert!(strat.names().unwrap().is_empty());
}

#[test]
fn links_and_folders_in_a_documents_place_are_left_alone() {
    let world = World::new();
    let strat = world.open("strat").unwrap();
    world.put("mine.md", "mine");
    symlink("../mine.md", world.temp.path().join("strat/S-T-0001.md")).unwrap();
    fs::create_dir(world.temp.path().join("strat/S-T-0002.md")).unwrap();
    for name in ["S-T-0001.md", "S-T-0002.md"] {
        assert_eq!(strat.check(name, &[], &hash).unwrap(), OnDisk::NotAFile);
        assert!(strat.write(name, b"theirs").is_err());
        assert!(strat.keep(name, "now").is_err());
    }
    assert_eq!(world.text("mine.md"), "mine");
}

#[test]
fn the_users_extra_files_outlive_the_folder() {
    let world = World::new();
    let strat = world.open("strat").unwrap();
    strat.mark(&marker()).unwrap();
    world.put("strat/my notes.txt", "mine");
    assert_eq!(strat.dissolve().unwrap(), ["my notes.txt"]);
    assert_eq!(world.text("strat/my notes.txt"), "mine");
    assert!(!world.temp.path().join("strat/.hydrated").exists());
}

#[test]
fn many_threads_may_write_at_once() {
    let world = World::new();
    let strat = world.open("strat").unwrap();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let strat = &strat;
            scope.spawn(move || {
                for i in 0..50 {
                    strat.write(&format!("S-T-{:04}.md", thread * 50 + i), b"text").unwrap();
                    strat.write("S-T-9999.md", &[b'a' + thread as u8; 500]).unwrap();
                    strat.keep("S-T-9999.md", "now").unwrap();
                }
            });
        }
    });
    assert_eq!(strat.names().unwrap().len(), 201);
    let last = world.text("strat/S-T-9999.md");
    assert_eq!(last, last[..1].repeat(500), "one writer's, whole");
    let kept = world.metis.open_dir(".sync/kept/now/strat").unwrap().list().unwrap();
    assert!(kept.len() <= 4, "each version once: {kept:?}");
}
