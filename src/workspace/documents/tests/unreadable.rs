//! What cannot be read, or does not hold still, may be any document that is absent.

use std::{cell::Cell, fs, os::unix::fs::PermissionsExt};

use super::*;

#[test]
fn something_unreadable_without_a_clue_protects_all_that_is_absent() {
    let mut world = World::synced(&[("a.md", "A-T-0001"), ("b.md", "A-T-0002")]);
    world.remove("b.md");
    world.put("c.md", "---\n: [");
    let scan = world.scan();
    assert_eq!(
        (found(&scan), reported(&scan)),
        (vec!["A-T-0001 a.md".to_owned()], vec!["c.md".to_owned()])
    );
    assert!(scan.protected.all_absent);
    assert!(scan.protects(&code("A-T-0002")) && !scan.protects(&code("A-T-0001")));
    world.remove("c.md");
    assert!(!world.scan().protects(&code("A-T-0002")));
}

#[test]
fn a_folder_that_cannot_be_opened_or_is_too_deep_protects_all_that_is_absent() {
    // Longer than any path the system takes: unreadable for root too.
    let mut overlong = World::synced(&[("a.md", "A-T-0001"), ("b.md", "A-T-0002")]);
    let mut dir = overlong.metis.create_dir("d").unwrap();
    for _ in 0..17 {
        dir = dir.create_dir("x".repeat(255)).unwrap();
    }
    dir.write_atomic("c.md", document("A-T-0003").as_bytes(), crate::fs::FileMode::Plain)
        .unwrap();

    let mut deep = World::synced(&[("a.md", "A-T-0001"), ("b.md", "A-T-0002")]);
    deep.put(&format!("{}c.md", "x/".repeat(65)), document("A-T-0003"));

    for world in [&mut overlong, &mut deep] {
        world.remove("b.md");
        let scan = world.scan();
        assert_eq!((found(&scan).len(), scan.damaged.len()), (1, 1));
        assert!(scan.protects(&code("A-T-0002")) && scan.protects(&code("A-T-0003")));
    }
    let mut just_deep_enough = World::new();
    just_deep_enough.put(&format!("{}c.md", "x/".repeat(64)), document("A-T-0003"));
    assert_eq!(just_deep_enough.scan().documents.len(), 1);
}

#[test]
fn files_and_folders_without_permission_are_protected() {
    let world = World::synced(&[("a.md", "A-T-0001"), ("d/b.md", "A-T-0002"), ("c.md", "A-T-0003")]);
    world.put("a.md", document("A-T-0001") + "changed");
    world.remove("c.md");
    let set = |path: &str, mode| fs::set_permissions(world.at(path), fs::Permissions::from_mode(mode)).unwrap();
    set("a.md", 0);
    set("d", 0);
    if fs::read(world.at("a.md")).is_ok() {
        eprintln!("skipped: permissions do not bind this user (root)");
        return;
    }
    let last = world.last.clone();
    let hash = |file: FileRead<'_>| Ok((digest(file.bytes, 20), None));
    let scan = scan(
        &world.metis,
        &BTreeSet::new(),
        &hash,
        digest(b"", 20),
        &world.cache,
        &last,
        SystemTime::now(),
    )
    .unwrap();
    set("d", 0o755);
    assert_eq!(reported(&scan), ["a.md A-T-0001", "d"]);
    assert!(last.keys().all(|code| scan.protects(code)));
}

#[test]
fn a_file_that_never_holds_still_is_protected() {
    let mut world = World::synced(&[("a.md", "A-T-0001")]);
    let done = std::sync::atomic::AtomicBool::new(false);
    let path = world.at("a.md");
    std::thread::scope(|scope| {
        scope.spawn(|| {
            use std::{io::Write, sync::atomic::Ordering::Relaxed};
            let text = document("A-T-0001");
            while !done.load(Relaxed) {
                // Truncated and written in pieces: what lies there in between is no document.
                let mut file = fs::File::create(&path).unwrap();
                for byte in text.as_bytes().chunks(7) {
                    file.write_all(byte).unwrap();
                }
            }
        });
        for _ in 0..200 {
            let scan = world.scan();
            let found = scan.documents.contains_key(&code("A-T-0001"));
            assert!(found || scan.protects(&code("A-T-0001")));
        }
        done.store(true, std::sync::atomic::Ordering::Relaxed);
    });
}

#[test]
fn a_document_that_moves_while_we_walk_is_neither_missed_nor_doubled() {
    for (from, to) in [("a/x.md", "z/x.md"), ("z/x.md", "a/x.md")] {
        let world = World::synced(&[(from, "A-T-0001"), ("m/y.md", "A-T-0002")]);
        fs::create_dir_all(world.at(to).parent().unwrap()).unwrap();
        world.put("m/y.md", document("A-T-0002") + "so that it is read");
        let moved = Cell::new(false);
        let hash = |file: FileRead<'_>| {
            if !moved.replace(true) {
                fs::rename(world.at(from), world.at(to)).unwrap();
            }
            Ok((digest(file.bytes, 20), None))
        };
        let now = SystemTime::now();
        let any_id = digest(b"", 20);
        let scan = scan(
            &world.metis,
            &BTreeSet::new(),
            &hash,
            any_id,
            &world.cache,
            &world.last,
            now,
        )
        .unwrap();
        assert!(moved.get());
        assert_eq!(found(&scan), [format!("A-T-0001 {to}"), "A-T-0002 m/y.md".to_owned()]);
        assert_eq!(scan.protected, Protected::default());
    }
}

#[test]
fn a_workspace_that_vanishes_is_an_error_and_not_an_empty_one() {
    let temp = tempfile::tempdir().unwrap();
    fs::create_dir(temp.path().join(".metis")).unwrap();
    fs::write(temp.path().join(".metis/a.md"), document("A-T-0001")).unwrap();
    let metis = Dir::open_root(&temp.path().join(".metis")).unwrap();
    let hash = |file: FileRead<'_>| Ok((digest(file.bytes, 20), None));
    let scan = |hash: Hash<'_>| {
        let now = SystemTime::now();
        scan(
            &metis,
            &BTreeSet::new(),
            hash,
            digest(b"", 20),
            &StatCache::default(),
            &Paths::new(),
            now,
        )
    };
    assert_eq!(scan(&hash).unwrap().documents.len(), 1);
    let vanish = |file: FileRead<'_>| {
        let _ = fs::remove_dir_all(temp.path().join(".metis"));
        Ok((digest(file.bytes, 20), None))
    };
    assert!(scan(&vanish).unwrap_err().is_gone());
    assert!(scan(&hash).unwrap_err().is_gone());
}

#[test]
fn a_file_that_never_was_a_document_holds_no_removal_back() {
    let mut world = World::synced(&[("a.md", "A-T-0001"), ("b.md", "A-T-0002")]);
    world.put("template.md", "---\nshort_code: \"{{ code }}\"\n---\n");
    assert_eq!(reported(&world.scan()).len(), 1);
    world.remove("a.md");
    let scan = world.scan();
    assert_eq!(reported(&scan).len(), 1, "it is still named");
    assert!(!scan.protects(&code("A-T-0001")));
}

#[test]
fn a_document_that_went_when_a_file_came_that_cannot_be_told_stays_protected() {
    let mut world = World::synced(&[("a.md", "A-T-0001"), ("b.md", "A-T-0002")]);
    world.remove("a.md");
    world.put("moved.md", "---\nshort_code: \"A-T-00\n---\n");
    for _ in 0..3 {
        assert!(world.scan().protects(&code("A-T-0001")));
    }
    world.remove("b.md");
    let scan = world.scan();
    assert!(scan.protects(&code("A-T-0001")) && !scan.protects(&code("A-T-0002")));
}
