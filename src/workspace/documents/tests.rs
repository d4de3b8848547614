use std::{
    cell::{Cell, RefCell},
    ffi::OsStr,
    fs,
    os::unix::{
        ffi::OsStrExt,
        fs::{PermissionsExt, symlink},
    },
    path::PathBuf,
    time::Duration,
};

use super::*;
use crate::workspace::FileRead;

type Paths = BTreeMap<ShortCode, String>;

fn code(code: &str) -> ShortCode {
    code.parse().unwrap()
}

fn document(code: &str) -> String {
    format!("---\nlevel: task\nshort_code: \"{code}\"\n---\n\n# About {code}\n")
}

/// No hash at all, but different for the different contents of these tests.
fn digest(bytes: &[u8], len: usize) -> ObjectId {
    let mut digest = vec![0; len];
    for (i, byte) in bytes.iter().enumerate() {
        digest[i % len] ^= byte.rotate_left((i / len) as u32 % 8);
    }
    ObjectId::from_bytes(&digest).unwrap()
}

/// A workspace as it is synced again and again: each scan gets what the last one left.
struct World {
    temp: tempfile::TempDir,
    metis: Dir,
    cache: StatCache,
    last: Paths,
    reads: Cell<usize>,
}

impl World {
    fn new() -> Self {
        let temp = tempfile::tempdir().unwrap();
        let metis = Dir::open_root(temp.path()).unwrap();
        let (cache, last, reads) = Default::default();
        World {
            temp,
            metis,
            cache,
            last,
            reads,
        }
    }

    /// A workspace that was synced with these documents in these places.
    fn synced(documents: &[(&str, &str)]) -> Self {
        let mut world = World::new();
        for (path, code) in documents {
            world.put(path, document(code));
        }
        world.scan();
        world
    }

    fn at(&self, path: &str) -> PathBuf {
        self.temp.path().join(path)
    }

    fn put(&self, path: &str, text: impl AsRef<[u8]>) {
        fs::create_dir_all(self.at(path).parent().unwrap()).unwrap();
        fs::write(self.at(path), text).unwrap();
    }

    fn remove(&self, path: &str) {
        match self.at(path).is_dir() {
            true => fs::remove_dir_all(self.at(path)).unwrap(),
            false => fs::remove_file(self.at(path)).unwrap(),
        }
    }

    fn scan(&mut self) -> Scan {
        self.scan_with(&[], SystemTime::now() + Duration::from_secs(60))
    }

    fn scan_with(&mut self, hydrated: &[&str], now: SystemTime) -> Scan {
        let hydrated = hydrated.iter().map(|name| name.parse().unwrap()).collect();
        let hash = |file: FileRead<'_>| {
            self.reads.set(self.reads.get() + 1);
            Ok((digest(file.bytes, 20), None))
        };
        let any_id = digest(b"", 20);
        let scan = scan(&self.metis, &hydrated, &hash, any_id, &self.cache, &self.last, now).unwrap();
        self.cache = StatCache::from_bytes(&scan.stat_cache.to_bytes());
        self.last = scan.last_paths(&self.last);
        scan
    }
}

fn found(scan: &Scan) -> Vec<String> {
    let places = scan
        .documents
        .iter()
        .map(|(code, document)| format!("{code} {}", document.path));
    places.collect()
}

fn reported(scan: &Scan) -> Vec<String> {
    let files = scan.damaged.iter();
    files
        .map(|file| match &file.may_be {
            Some(code) => format!("{} {code}", file.path),
            None => file.path.raw().to_owned(),
        })
        .collect()
}

#[test]
fn documents_are_found_in_whatever_layout() {
    let mut world = World::synced(&[
        ("vision.md", "API-V-0001"),
        ("strategies/NULL/initiatives/API-I-0001/initiative.md", "API-I-0001"),
        (
            "strategies/NULL/initiatives/API-I-0001/tasks/API-T-0001.md",
            "API-T-0001",
        ),
        ("archived/backlog/bugs/API-T-0002.md", "API-T-0002"),
        ("api/API-T-0003.md", "API-T-0003"),
        ("backlog/API-T-9999.md", "API-T-0004"),
    ]);
    world.put("README.md", "# How we plan\n");
    world.put("notes.md", "---\ntitle: no code\n---\n");
    world.put("empty.md", "");
    world.put("code-index.md", document("API-T-0005"));
    world.put("code-index-old/x.md", document("API-T-0005"));
    world.put(".sync/kept/x.md", document("API-T-0005"));
    world.put("adrs/.API-T-0005.md", document("API-T-0005"));
    world.put("strat/API-T-0005.md", document("API-T-0005"));
    world.put("listed/API-T-0005.md", document("API-T-0005"));
    world.put("strat/.hydrated", "");
    world.put("archived/strat/API-T-0005.md", document("API-T-0005"));
    world.put("archived/strat/.hydrated", "");
    world.put("not-markdown.txt", document("API-T-0005"));

    let scan = world.scan_with(&["listed"], SystemTime::now());
    assert_eq!(
        found(&scan),
        [
            "API-I-0001 strategies/NULL/initiatives/API-I-0001/initiative.md",
            "API-T-0001 strategies/NULL/initiatives/API-I-0001/tasks/API-T-0001.md",
            "API-T-0002 archived/backlog/bugs/API-T-0002.md",
            "API-T-0003 api/API-T-0003.md",
            "API-T-0004 backlog/API-T-9999.md",
            "API-V-0001 vision.md",
        ]
    );
    assert!(scan.damaged.is_empty(), "{:?}", scan.damaged);
    assert_eq!(scan.protected, Protected::default());
    let vision = &scan.documents[&code("API-V-0001")];
    let bytes = read_document(&world.metis, vision.path.raw()).unwrap();
    assert_eq!((digest(&bytes, 20), bytes.len() as u64), (vision.blob, vision.len));
}

#[test]
fn only_what_changed_is_read_again() {
    let mut world = World::synced(&[("a.md", "A-T-0001"), ("b.md", "A-T-0002")]);
    world.put("README.md", "# Hello");
    assert!(world.scan().cache_changed);
    world.reads.set(0);
    let scan = world.scan();
    assert_eq!((world.reads.get(), scan.cache_changed, scan.cache_gain), (0, false, 0));
    assert_eq!(scan.documents.len(), 2);

    world.put("b.md", document("A-T-0002").replace("About", "aBOUT"));
    let scan = world.scan();
    assert_eq!((world.reads.get(), scan.cache_changed), (1, true));
    let changed = fs::read(world.at("b.md")).unwrap();
    assert_eq!(scan.documents[&code("A-T-0002")].blob, digest(&changed, 20));
}

#[test]
fn what_changed_shortly_before_a_scan_is_read_again_without_a_write() {
    let mut world = World::new();
    world.put("a.md", document("A-T-0001"));
    world.scan_with(&[], SystemTime::now());
    world.reads.set(0);
    let again = world.scan_with(&[], SystemTime::now());
    assert_eq!(
        (world.reads.get(), again.cache_changed, again.cache_gain),
        (1, false, 0)
    );
    let later = world.scan_with(&[], SystemTime::now() + Duration::from_secs(60));
    assert_eq!(
        (world.reads.get(), later.cache_changed, later.cache_gain),
        (2, false, 1)
    );
    world.scan();
    assert_eq!(world.reads.get(), 2);
}

#[test]
fn another_object_format_reads_everything_again() {
    let mut world = World::synced(&[("a.md", "A-T-0001")]);
    let before = world.scan();
    let hash = |file: FileRead<'_>| Ok((digest(file.bytes, 32), None));
    let scan = scan(
        &world.metis,
        &BTreeSet::new(),
        &hash,
        digest(b"", 32),
        &before.stat_cache,
        &world.last,
        SystemTime::now(),
    );
    assert_eq!(scan.unwrap().documents[&code("A-T-0001")].blob.as_bytes().len(), 32);
}

#[test]
fn a_document_that_went_or_made_room_for_another_is_deleted() {
    let mut world = World::synced(&[
        ("gone.md", "A-T-0001"),
        ("gone/with/folder.md", "A-T-0002"),
        ("became/a-file/x.md", "A-T-0003"),
        ("other.md", "A-T-0004"),
        ("moved.md", "A-T-0005"),
        ("archived-with/tasks/x.md", "A-T-0006"),
    ]);
    world.remove("gone.md");
    world.remove("gone");
    world.remove("became/a-file");
    world.put("became/a-file", "");
    world.put("other.md", document("A-T-0104"));
    fs::create_dir_all(world.at("archived/deep")).unwrap();
    fs::rename(world.at("moved.md"), world.at("archived/deep/new-name.md")).unwrap();
    fs::rename(world.at("archived-with"), world.at("archived/with")).unwrap();

    let scan = world.scan();
    let expected = [
        "A-T-0005 archived/deep/new-name.md",
        "A-T-0006 archived/with/tasks/x.md",
        "A-T-0104 other.md",
    ];
    assert_eq!(found(&scan), expected);
    assert!(scan.damaged.is_empty(), "{:?}", scan.damaged);
    for deleted in 1..=4 {
        assert!(!scan.protects(&code(&format!("A-T-000{deleted}"))));
    }
    assert_eq!(world.last.len(), 3);
    let again = world.scan();
    assert_eq!((found(&again).len(), again.cache_changed), (3, false));
}

#[test]
fn whatever_befalls_a_document_it_is_not_taken_for_deleted() {
    type Befall = fn(&World);
    let cases: &[(&str, Befall)] = &[
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
    for (what, befall) in cases {
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
