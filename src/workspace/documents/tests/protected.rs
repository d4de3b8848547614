//! A document that something befell is not taken for deleted.

use std::{
    cell::RefCell,
    ffi::OsStr,
    fs,
    os::unix::{ffi::OsStrExt, fs::symlink},
};

use super::*;

/// What happens to the document `A-T-0001` in `d/x.md`, and what it is called.
type Accident = (&'static str, fn(&World));

const ACCIDENTS: &[Accident] = &[
    ("emptied", |world| world.put("d/x.md", "")),
    ("cut short", |world| world.put("d/x.md", &document("A-T-0001")[..20])),
    ("frontmatter lost", |world| world.put("d/x.md", "# About\n")),
    ("code lost", |world| world.put("d/x.md", "---\ntitle: x\n---\n")),
    ("code broken", |world| world.put("d/x.md", document("a-t-1"))),
    ("code a number", |world| {
        world.put("d/x.md", "---\nshort_code: 1\n---\n")
    }),
    ("two codes", |world| {
        world.put("d/x.md", "---\nshort_code: A-T-0001\nshort_code: A-T-0002\n---\n")
    }),
    ("bad YAML", |world| {
        world.put("d/x.md", "---\ntitle: \"N of \"M\"\"\nshort_code: A-T-0001\n---\n")
    }),
    ("bad YAML, another code", |world| {
        world.put("d/x.md", "---\na: [\nshort_code: A-T-0007\n---\n")
    }),
    ("a merge's conflict", |world| {
        world.put(
            "d/x.md",
            "---\n<<<<<<< HEAD\nlevel: a\n=======\nlevel: b\n>>>>>>> x\nshort_code: A-T-0001\n---\n",
        );
    }),
    ("latin-1", |world| {
        world.put("d/x.md", b"---\ntitle: caf\xe9\nshort_code: A-T-0001\n---\n")
    }),
    ("zero bytes of a crash", |world| world.put("d/x.md", [0; 200])),
    ("frontmatter too long", |world| {
        world.put(
            "d/x.md",
            format!("---\nshort_code: A-T-0001\nx: {}\n---\n", "x".repeat(70_000)),
        );
    }),
    ("too large", |world| {
        world.put("d/x.md", document("A-T-0001"));
        let file = fs::File::options().write(true).open(world.at("d/x.md")).unwrap();
        file.set_len(DOCUMENT_LIMIT + 1).unwrap();
    }),
    ("too large and emptied", |world| {
        fs::File::create(world.at("d/x.md"))
            .unwrap()
            .set_len(DOCUMENT_LIMIT + 1)
            .unwrap();
    }),
    ("a folder in its place", |world| {
        world.remove("d/x.md");
        fs::create_dir(world.at("d/x.md")).unwrap();
    }),
    ("a link in its place", |world| {
        fs::rename(world.at("d/x.md"), world.at("x.txt")).unwrap();
        symlink("../x.txt", world.at("d/x.md")).unwrap();
    }),
    ("a dangling link in its place", |world| {
        world.remove("d/x.md");
        symlink("/nowhere", world.at("d/x.md")).unwrap();
    }),
    ("a pipe in its place", |world| {
        world.remove("d/x.md");
        let mode = rustix::fs::Mode::from(0o644);
        let fifo = rustix::fs::FileType::Fifo;
        rustix::fs::mknodat(rustix::fs::CWD, world.at("d/x.md"), fifo, mode, 0).unwrap();
    }),
    ("its folder behind a link", |world| {
        fs::rename(world.at("d"), world.at(".elsewhere")).unwrap();
        symlink(".elsewhere", world.at("d")).unwrap();
    }),
    ("its folder a dangling link", |world| {
        world.remove("d");
        symlink("/nowhere", world.at("d")).unwrap();
    }),
    ("its folder became a hydrated one", |world| world.put("d/.hydrated", "")),
    ("duplicated", |world| world.put("e/copy.md", document("A-T-0001"))),
    ("duplicated under a name that is no UTF-8", |world| {
        fs::write(
            world.temp.path().join(OsStr::from_bytes(b"caf\xe9.md")),
            document("A-T-0001"),
        )
        .unwrap();
    }),
    ("renamed so", |world| {
        let name = OsStr::from_bytes(b"caf\xe9.md");
        fs::rename(world.at("d/x.md"), world.temp.path().join(name)).unwrap();
    }),
    ("moved and damaged", |world| {
        world.remove("d/x.md");
        world.put(
            "archived/x.md",
            "---\ntitle: \"N of \"M\"\"\nshort_code: A-T-0001\n---\n",
        );
    }),
    ("moved and damaged, only its name left", |world| {
        world.remove("d/x.md");
        world.put("archived/A-T-0001.md", "---\n");
    }),
    ("moved and grown too large", |world| {
        world.remove("d/x.md");
        world.put("archived/x.md", document("A-T-0001"));
        let file = fs::File::options().write(true).open(world.at("archived/x.md")).unwrap();
        file.set_len(DOCUMENT_LIMIT + 1).unwrap();
    }),
    ("moved and damaged beyond recognition", |world| {
        world.remove("d/x.md");
        world.put("archived/x.md", "---\n: [");
    }),
];

#[test]
fn whatever_befalls_a_document_it_is_not_taken_for_deleted() {
    for (what, befall) in ACCIDENTS {
        let mut world = World::synced(&[("d/x.md", "A-T-0001"), ("y.md", "A-T-0002"), ("z.md", "A-T-0003")]);
        befall(&world);
        // The damage stays for several syncs, the last of them without any memory but of the paths.
        for forget in [false, false, true] {
            if forget {
                world.cache = StatCache::default();
            }
            let scan = world.scan();
            assert!(!scan.documents.contains_key(&code("A-T-0001")), "{what}");
            assert!(scan.protects(&code("A-T-0001")), "{what}");
            assert!(!scan.damaged.is_empty(), "{what}: nobody is told");
            assert!(
                scan.documents.contains_key(&code("A-T-0003")),
                "{what}: the others go on"
            );
            assert!(world.last.contains_key(&code("A-T-0001")), "{what}: forgotten");
        }
        // And ends.
        for path in ["d", "e", ".elsewhere", "archived"] {
            let _ = fs::remove_file(world.at(path));
            let _ = fs::remove_dir_all(world.at(path));
        }
        let _ = fs::remove_file(world.temp.path().join(OsStr::from_bytes(b"caf\xe9.md")));
        assert!(
            !world.scan().protects(&code("A-T-0001")),
            "{what}: at last it is deleted"
        );
        world.put("d/x.md", document("A-T-0001"));
        assert!(
            world.scan().documents.contains_key(&code("A-T-0001")),
            "{what}: it is back"
        );
    }
}

#[test]
fn without_the_paths_the_cache_and_the_names_still_know() {
    for forget_cache in [false, true] {
        let mut world = World::synced(&[("vision.md", "A-V-0001"), ("tasks/A-T-0001.md", "A-T-0001")]);
        world.last = Paths::new();
        world.put("vision.md", "");
        world.put("tasks/A-T-0001.md", "");
        if forget_cache {
            world.cache = StatCache::default();
        }
        let scan = world.scan();
        assert!(scan.protects(&code("A-T-0001")), "by its name");
        assert_eq!(scan.protects(&code("A-V-0001")), !forget_cache, "by the cache");
    }
}

#[test]
fn the_cache_remembers_a_damaged_document_from_scan_to_scan() {
    let mut world = World::synced(&[("vision.md", "A-V-0001"), ("d/x.md", "A-T-0001")]);
    world.put("vision.md", "");
    fs::rename(world.at("d"), world.at(".elsewhere")).unwrap();
    symlink(".elsewhere", world.at("d")).unwrap();
    for _ in 0..3 {
        world.last = Paths::new();
        let scan = world.scan();
        assert_eq!(reported(&scan), ["d/x.md A-T-0001", "vision.md A-V-0001"]);
    }
}

#[test]
fn a_damaged_document_that_is_known_protects_nothing_but_itself() {
    let mut world = World::synced(&[("d/x.md", "A-T-0001"), ("y.md", "A-T-0002")]);
    world.put("d/x.md", "---\n: [");
    world.remove("y.md");
    let scan = world.scan();
    assert_eq!(reported(&scan), ["d/x.md A-T-0001"]);
    assert!(!scan.protects(&code("A-T-0002")));
}

#[test]
fn what_takes_the_place_of_a_document_that_moved_is_nobodys_business() {
    let mut world = World::synced(&[("x.md", "A-T-0001"), ("y.md", "A-T-0002"), ("z.md", "A-T-0003")]);
    fs::create_dir(world.at("archived")).unwrap();
    for name in ["x.md", "y.md", "z.md"] {
        fs::rename(world.at(name), world.at("archived").join(name)).unwrap();
    }
    world.put("x.md", "# A new README");
    symlink("archived/y.md", world.at("y.md")).unwrap();
    fs::create_dir(world.at("z.md")).unwrap();
    world.put("notes/A-T-0001.md", "# Notes on it");
    let scan = world.scan();
    assert_eq!((scan.documents.len(), reported(&scan)), (3, vec![]));
    assert_eq!(scan.protected, Protected::default());
}

#[test]
fn a_folder_named_after_a_document_is_a_clue_only_while_that_is_missing() {
    let mut world = World::new();
    world.put("initiatives/A-I-0001/initiative.md", "---\n: [");
    let scan = world.scan();
    assert_eq!(reported(&scan), ["initiatives/A-I-0001/initiative.md A-I-0001"]);
    assert!(scan.protects(&code("A-I-0001")) && !scan.protects(&code("A-T-0001")));

    let mut world = World::synced(&[("initiatives/A-I-0001/initiative.md", "A-I-0001")]);
    world.put("initiatives/A-I-0001/notes.md", "# Notes");
    let scan = world.scan();
    assert_eq!((reported(&scan), found(&scan).len()), (vec![], 1));
    world.remove("initiatives/A-I-0001/initiative.md");
    assert!(
        !world.scan().protects(&code("A-I-0001")),
        "the notes are known to be notes"
    );

    let mut world = World::synced(&[("initiatives/A-I-0001/initiative.md", "A-I-0001")]);
    world.put("initiatives/A-I-0001/unknown.md", "---\n: [");
    let scan = world.scan();
    assert_eq!(reported(&scan), ["initiatives/A-I-0001/unknown.md"]);
    assert!(!scan.protects(&code("A-I-0001")));
    assert!(scan.protects(&code("A-T-0001")), "it may be anything that is not there");
}

/// Many small accidents, none of which removes a document's bytes from the workspace: after each, every document is
/// found or protected.
#[test]
fn no_run_of_accidents_loses_a_document() {
    let seed = RefCell::new(0x2545_f491_4f6c_dd1d_u64);
    let random = |below: usize| {
        let mut seed = seed.borrow_mut();
        *seed ^= *seed << 13;
        *seed ^= *seed >> 7;
        *seed ^= *seed << 17;
        (*seed % below as u64) as usize
    };
    let folders = ["", "a/", "a/b/", "A-I-0001/", "c/"];
    for round in 0..60 {
        let mut world = World::new();
        let codes: Vec<String> = (0..6).map(|i| format!("A-T-{i:04}")).collect();
        let mut places: Vec<String> = Vec::new();
        for code in &codes {
            places.push(format!("{}{code}.md", folders[random(folders.len())]));
            world.put(places.last().unwrap(), document(code));
        }
        world.scan();
        for step in 0..8 {
            let i = random(codes.len());
            let text = fs::read_to_string(world.at(&places[i])).unwrap_or_default();
            match random(7) {
                0 => world.put(&places[i], text.replace("---\n\n", "\n")),
                1 => world.put(&places[i], text.replace("short_code", "short_cod")),
                2 => world.put(&places[i], document(&codes[i])),
                3 => world.put(&places[i], format!("---\n: [{text}")),
                4 => {
                    let to = format!("{}moved-{round}-{step}.md", folders[random(folders.len())]);
                    if text.contains("short_code") {
                        fs::create_dir_all(world.at(&to).parent().unwrap()).unwrap();
                        fs::rename(world.at(&places[i]), world.at(&to)).unwrap();
                        places[i] = to;
                    }
                }
                5 => world.put(&format!("copy-{step}.md"), text),
                _ => world.cache = StatCache::default(),
            }
            let scan = world.scan();
            for code in &codes {
                let code = code.parse().unwrap();
                let safe = scan.documents.contains_key(&code) || scan.protects(&code);
                assert!(safe, "round {round}, step {step}: {code} {:?}", scan.damaged);
            }
        }
    }
}
