mod protected;
mod unreadable;

use std::{cell::Cell, fs, path::PathBuf, time::Duration};

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
