//! Packs of a server that means harm: whatever comes, [`receive()`] ends, does not panic, holds little, and what it calls
//! received can be read and is what its id says.

use std::{
    env, fs,
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
    sync::atomic::AtomicBool,
};

use gix::{
    objs::{FindExt, Kind},
    odb::HeaderExt,
    zlib::stream::deflate,
};
use gix_pack::data::entry::Header;
use proptest::prelude::*;

use super::{super::repack, *};

const SHA1: gix::hash::Kind = gix::hash::Kind::Sha1;

/// A pack of whatever entries, well-formed or not.
struct Crafted {
    bytes: Vec<u8>,
    places: Vec<u64>,
}

impl Crafted {
    fn new() -> Self {
        Crafted {
            bytes: b"PACK\0\0\0\x02\0\0\0\0".to_vec(),
            places: Vec::new(),
        }
    }

    fn next(&self) -> u64 {
        self.bytes.len() as u64
    }

    /// An entry that says to be `size` bytes.
    fn add_lying(&mut self, header: Header, size: u64, data: &[u8]) -> u64 {
        let place = self.next();
        self.places.push(place);
        header.write_to(size, &mut self.bytes).unwrap();
        self.bytes.extend(deflated(data));
        place
    }

    fn add(&mut self, header: Header, data: &[u8]) -> u64 {
        self.add_lying(header, data.len() as u64, data)
    }

    fn blob(&mut self, data: &[u8]) -> u64 {
        self.add(Header::Blob, data)
    }

    fn difference_to(&mut self, place: u64, difference: &[u8]) -> u64 {
        let base_distance = self.next() - place;
        self.add(Header::OfsDelta { base_distance }, difference)
    }

    /// With a checksum that fits.
    fn counted(mut self, count: u32) -> Vec<u8> {
        self.bytes[8..12].copy_from_slice(&count.to_be_bytes());
        sealed(&self.bytes)
    }

    fn done(self) -> Vec<u8> {
        let count = self.places.len() as u32;
        self.counted(count)
    }
}

fn sealed(pack: &[u8]) -> Vec<u8> {
    let mut hash = gix::hash::hasher(SHA1);
    hash.update(pack);
    [pack, hash.try_finalize().unwrap().as_slice()].concat()
}

fn deflated(data: &[u8]) -> Vec<u8> {
    let mut out = deflate::Write::new(Vec::new(), gix::zlib::Compression::BEST_SPEED);
    out.write_all(data).unwrap();
    out.flush().unwrap();
    out.into_inner()
}

fn number(mut n: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while n > 0x7f {
        bytes.push(n as u8 | 0x80);
        n >>= 7;
    }
    bytes.push(n as u8);
    bytes
}

/// The difference that makes `of` bytes into themselves with `and` behind.
fn appending(of: u64, and: &[u8]) -> Vec<u8> {
    let mut difference = [number(of), number(of + and.len() as u64)].concat();
    let mut at = 0;
    while at < of {
        let part = (of - at).min(0xff_ffff);
        difference.push(0xff);
        difference.extend(&(at as u32).to_le_bytes());
        difference.extend(&(part as u32).to_le_bytes()[..3]);
        at += part;
    }
    for part in and.chunks(0x7f) {
        difference.push(part.len() as u8);
        difference.extend(part);
    }
    difference
}

fn id_of(data: &[u8]) -> gix::ObjectId {
    gix::objs::compute_hash(SHA1, Kind::Blob, data).unwrap()
}

/// What came, and how many objects can be read. Panics if one is not what its id says.
fn received(pack: &[u8]) -> Result<(Received, usize), IncomingError> {
    received_in(pack, tempfile::tempdir().unwrap().path(), usize::MAX)
}

/// The same, with no more than so many objects read: those at the end of a long chain take long.
fn received_in(pack: &[u8], folder: &Path, most: usize) -> Result<(Received, usize), IncomingError> {
    let objects = folder.join("objects");
    for folder in [objects.join("pack"), folder.join("here/pack")] {
        fs::create_dir_all(folder).unwrap();
    }
    let here = objects::open(&folder.join("here"), ObjectFormat::Sha1).unwrap();
    let known = Here {
        bases: &here,
        left_out: &BTreeSet::new(),
    };
    let received = receive(
        pack,
        &objects,
        &known,
        ObjectFormat::Sha1,
        Bounds::default(),
        &AtomicBool::new(false),
    )?;
    let odb = objects::open(&objects, ObjectFormat::Sha1).unwrap();
    let ids: BTreeSet<gix::ObjectId> = odb.store_ref().iter().unwrap().map(Result::unwrap).collect();
    let mut buffer = Vec::new();
    let mut readable = 0;
    for id in ids.into_iter().take(most) {
        // One that takes more than is ever held is no object for us, and is not torn either.
        let Ok(object) = odb.find(&id, &mut buffer) else {
            continue;
        };
        let found = gix::objs::compute_hash(SHA1, object.kind, object.data).unwrap();
        assert_eq!(found, id);
        assert_eq!(odb.header(id).unwrap().size(), object.data.len() as u64);
        readable += 1;
    }
    Ok((received, readable))
}

/// A pack as git sends it, with differences of both kinds.
fn real(options: &[&str]) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let git = |args: &[&str], input: &[u8]| {
        let mut child = Command::new("git")
            .current_dir(&folder)
            .env_clear()
            .envs(env::var_os("PATH").map(|path| ("PATH", path)))
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{args:?}");
        output.stdout
    };
    git(&["init", "--quiet", "--bare", "."], b"");
    let mut history = Vec::new();
    let mut text = String::new();
    for round in 0..6 {
        text += &format!("Line {round} with {}\n", round * 7919);
        writeln!(
            history,
            "commit refs/heads/main\ncommitter a <a@b> {round} +0000\ndata 0\nM 100644 inline api/API-T-0001.md\ndata {}\n{text}",
            text.len(),
        )
        .unwrap();
        writeln!(history, "M 100644 inline web/WEB-T-000{round}.md\ndata 2\n{round}").unwrap();
    }
    git(&["fast-import", "--quiet"], &history);
    git(
        &[
            &["pack-objects", "--stdout", "--revs", "--window=10", "--quiet"],
            options,
        ]
        .concat(),
        b"main\n",
    )
}

#[test]
fn a_pack_of_gits_comes_whole() {
    for options in [&["--delta-base-offset"][..], &[]] {
        let (received, readable) = received(&real(options)).unwrap();
        // Six commits, six root trees, six of each folder, twelve files.
        assert_eq!((received.objects, readable, received.is_partial), (36, 36, false));
    }
}

/// What an attacker does to bytes.
#[derive(Debug, Clone)]
enum Change {
    Cut(usize),
    Flip(usize, u8),
    Repeat(usize, usize),
    Remove(usize, usize),
    Swap(usize, usize),
    Insert(usize, Vec<u8>),
}

impl Change {
    fn any() -> impl Strategy<Value = Self> {
        let at = any::<usize>;
        prop_oneof![
            1 => at().prop_map(Change::Cut),
            4 => (at(), 1..=255_u8).prop_map(|(at, with)| Change::Flip(at, with)),
            1 => (at(), 1..300_usize).prop_map(|(at, len)| Change::Repeat(at, len)),
            1 => (at(), 1..300_usize).prop_map(|(at, len)| Change::Remove(at, len)),
            1 => (at(), at()).prop_map(|(a, b)| Change::Swap(a, b)),
            1 => (at(), proptest::collection::vec(any::<u8>(), 1..40)).prop_map(|(at, what)| Change::Insert(at, what)),
        ]
    }

    fn make(self, bytes: &mut Vec<u8>) {
        let len = bytes.len().max(1);
        let range = |at: usize, count: usize| at % len..(at % len + count).min(bytes.len());
        match self {
            _ if bytes.is_empty() => {}
            Change::Cut(at) => bytes.truncate(at % len),
            Change::Flip(at, with) => bytes[at % len] ^= with,
            Change::Swap(a, b) => bytes.swap(a % len, b % len),
            Change::Remove(at, count) => drop(bytes.drain(range(at, count))),
            Change::Repeat(at, count) => {
                let again = bytes[range(at, count)].to_vec();
                bytes.splice(at % len..at % len, again);
            }
            Change::Insert(at, what) => drop(bytes.splice(at % len..at % len, what)),
        }
    }
}

/// What an entry is said to build on, by place or by id.
#[derive(Debug, Clone)]
enum On {
    Nothing(Header),
    Place(usize),
    Itself,
    Behind(u64),
    Before,
    Within(usize, u64),
    Id(usize),
    NoId,
}

#[derive(Debug, Clone)]
struct Spec {
    on: On,
    /// What is said of its size, and of that of what it leads to.
    lie: Option<u64>,
    base_lie: Option<u64>,
    result_lie: Option<u64>,
    data: Vec<u8>,
}

fn lie() -> impl Strategy<Value = Option<u64>> {
    prop_oneof![
        12 => Just(None),
        1 => (0..40_u64).prop_map(Some),
        1 => prop_oneof![Just(0), Just(1 << 26), Just(70 << 20), Just(1 << 31), Just(1 << 32), Just(1 << 60), Just(u64::MAX)]
            .prop_map(Some),
    ]
}

fn specs() -> impl Strategy<Value = Vec<Spec>> {
    let on = prop_oneof![
        4 => prop_oneof![Just(Header::Blob), Just(Header::Tree), Just(Header::Commit), Just(Header::Tag)].prop_map(On::Nothing),
        8 => any::<usize>().prop_map(On::Place),
        1 => Just(On::Itself),
        1 => (1..200_u64).prop_map(On::Behind),
        1 => Just(On::Before),
        1 => (any::<usize>(), 1..9_u64).prop_map(|(nth, by)| On::Within(nth, by)),
        4 => any::<usize>().prop_map(On::Id),
        1 => Just(On::NoId),
    ];
    let data = proptest::collection::vec(any::<u8>(), 0..60);
    let spec = (on, lie(), lie(), lie(), data).prop_map(|(on, lie, base_lie, result_lie, data)| Spec {
        on,
        lie,
        base_lie,
        result_lie,
        data,
    });
    proptest::collection::vec(spec, 1..25)
}

/// Builds it so that what is no lie is right: objects that build on others are really what their ids say.
fn crafted(specs: &[Spec]) -> Crafted {
    let mut pack = Crafted::new();
    let mut contents: Vec<Vec<u8>> = Vec::new();
    for (n, spec) in specs.iter().enumerate() {
        let next = pack.next();
        let base = match spec.on {
            On::Place(nth) | On::Within(nth, _) | On::Id(nth) if n > 0 => Some(nth % n),
            _ => None,
        };
        let header = match (&spec.on, base) {
            (On::Nothing(header), _) => *header,
            (On::Itself, _) => Header::OfsDelta { base_distance: 0 },
            // A distance is never negative: what wraps around lies behind.
            (On::Behind(by), _) => Header::OfsDelta {
                base_distance: 0_u64.wrapping_sub(*by),
            },
            (On::Before, _) => Header::OfsDelta {
                base_distance: next + 1,
            },
            (On::Place(_), Some(base)) => Header::OfsDelta {
                base_distance: next - pack.places[base],
            },
            (On::Within(_, by), Some(base)) => Header::OfsDelta {
                base_distance: next - pack.places[base] - by,
            },
            (On::Id(_), Some(base)) => Header::RefDelta {
                base_id: id_of(&contents[base]),
            },
            _ => Header::RefDelta { base_id: SHA1.null() },
        };
        let (content, data) = match base {
            Some(base) => {
                let base = &contents[base];
                let content = [base.as_slice(), &spec.data].concat();
                let honest = appending(base.len() as u64, &spec.data);
                let sizes = [number(base.len() as u64), number(content.len() as u64)].concat();
                let said = [
                    number(spec.base_lie.unwrap_or(base.len() as u64)),
                    number(spec.result_lie.unwrap_or(content.len() as u64)),
                ]
                .concat();
                (content, [&said, &honest[sizes.len()..]].concat())
            }
            None => (spec.data.clone(), spec.data.clone()),
        };
        pack.add_lying(header, spec.lie.unwrap_or(data.len() as u64), &data);
        contents.push(content);
    }
    pack
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_real_pack_that_was_changed(
        by_place in any::<bool>(),
        changes in proptest::collection::vec(Change::any(), 1..5),
        checksum_fits in prop::bool::weighted(0.8),
    ) {
        let mut pack = real_ones()[usize::from(by_place)].clone();
        pack.truncate(pack.len() - SHA1.len_in_bytes());
        for change in changes {
            change.make(&mut pack);
        }
        if checksum_fits {
            pack = sealed(&pack);
        }
        // Either is well: what counts is what `received` looks at.
        let _ = received(&pack);
    }

    #[test]
    fn a_pack_that_was_made_up(specs in specs(), count in prop_oneof![9 => Just(None), 1 => (0..40_u32).prop_map(Some)]) {
        let pack = crafted(&specs);
        let count = count.unwrap_or(specs.len() as u32);
        let _ = received(&pack.counted(count));
    }
}

fn real_ones() -> &'static [Vec<u8>; 2] {
    static REAL: std::sync::OnceLock<[Vec<u8>; 2]> = std::sync::OnceLock::new();
    REAL.get_or_init(|| [real(&[]), real(&["--delta-base-offset"])])
}

/// Each is refused in words, and nothing else happens.
#[test]
fn packs_that_break_the_rules() {
    let one = || {
        let mut pack = Crafted::new();
        pack.blob(b"a blob");
        pack
    };
    let with = |header, size: Option<u64>, data: &[u8]| {
        let mut pack = one();
        pack.add_lying(header, size.unwrap_or(data.len() as u64), data);
        pack.done()
    };
    let to = |base_distance| Header::OfsDelta { base_distance };
    let first = one().next() - 12;
    let whole = one().done();
    let mut reserved = one();
    for kind in [0, 5] {
        reserved.places.push(reserved.next());
        reserved.bytes.push(kind << 4);
        reserved.bytes.extend(deflated(b""));
    }
    let mut endless_size = one();
    endless_size.places.push(endless_size.next());
    endless_size.bytes.extend([0xbf; 40]);
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("nothing", Vec::new()),
        ("no pack", b"HTTP/1.1 200 OK\r\n\r\n".to_vec()),
        ("a header alone", whole[..12].to_vec()),
        ("half an entry", whole[..16].to_vec()),
        ("no checksum", whole[..whole.len() - 20].to_vec()),
        ("half a checksum", whole[..whole.len() - 5].to_vec()),
        (
            "a wrong checksum",
            [&whole[..whole.len() - 1], &[!whole[whole.len() - 1]]].concat(),
        ),
        (
            "version 4",
            sealed(&[b"PACK\0\0\0\x04", &whole[8..whole.len() - 20]].concat()),
        ),
        ("more than it says", {
            let mut p = one();
            p.blob(b"b");
            p.counted(1)
        }),
        ("less than it says", one().counted(2)),
        ("four billion objects", one().counted(u32::MAX)),
        ("reserved kinds", reserved.done()),
        ("a size without end", endless_size.done()),
        ("a size of 2^60", with(Header::Blob, Some(1 << 60), b"b")),
        ("a size of 2^64 - 1", with(Header::Blob, Some(u64::MAX), b"b")),
        ("a size too small", with(Header::Blob, Some(3), b"longer than that")),
        ("a size too large", with(Header::Blob, Some(30), b"shorter")),
        ("no zlib", {
            let mut p = one();
            p.places.push(p.next());
            p.bytes.extend([0x33, 1, 2, 3]);
            p.done()
        }),
        ("a difference to itself", with(to(0), None, &appending(6, b"x"))),
        (
            "a difference to what comes",
            with(to(0_u64.wrapping_sub(30)), None, &appending(6, b"x")),
        ),
        (
            "a difference to before the pack",
            with(to(1 << 40), None, &appending(6, b"x")),
        ),
        (
            "a difference to the header",
            with(to(first + 12), None, &appending(6, b"x")),
        ),
        (
            "a difference to the middle of one",
            with(to(first - 1), None, &appending(6, b"x")),
        ),
        (
            "a difference to nothing known",
            with(Header::RefDelta { base_id: SHA1.null() }, None, &appending(6, b"x")),
        ),
        ("a difference that is empty", with(to(first), None, b"")),
        (
            "a difference to a longer one",
            with(to(first), None, &appending(60, b"x")),
        ),
        (
            "a difference that copies what is not there",
            with(to(first), None, &[6, 7, 0x91, 5, 7]),
        ),
        (
            "a difference that says less than it makes",
            with(to(first), None, &[6, 2, 0x90, 6]),
        ),
        (
            "a difference that says more than it makes",
            with(to(first), None, &[6, 50, 0x90, 6]),
        ),
        (
            "a difference with the reserved order",
            with(to(first), None, &[6, 6, 0]),
        ),
        (
            "a difference that ends within an order",
            with(to(first), None, &[6, 6, 0x91]),
        ),
        (
            "a difference with sizes without end",
            with(to(first), None, &[0xff; 30]),
        ),
        ("two that build on each other", {
            // Nobody can make ids that fit, but a pack can say so by place and by id at once.
            let mut pack = one();
            let place = pack.add(
                Header::RefDelta {
                    base_id: id_of(b"a blobxy"),
                },
                &appending(7, b"y"),
            );
            pack.difference_to(place, &appending(7, b"x"));
            pack.done()
        }),
        ("a commit of 70 MiB", with(Header::Commit, None, &vec![b'x'; 70 << 20])),
    ];
    for (name, pack) in cases {
        let folder = tempfile::tempdir().unwrap();
        match received_in(&pack, folder.path(), 9) {
            // What follows the pack is the connection's affair.
            Ok((received, 1)) if name == "more than it says" => assert_eq!(received.objects, 1),
            // Without a size it is as large as can be.
            Ok((received, 1)) if received.is_partial => assert_eq!(received.objects, 1, "{name}"),
            Ok(came) => panic!("{name}: {came:?}"),
            Err(err) => {
                let words = err.to_string();
                assert!(!words.is_empty() && words.len() < 1000, "{name}: {words}");
            }
        }
    }
}

/// The same object many times over, whole and as a difference, is one object. One that comes as a difference to itself as
/// well may be found there and not be readable, but the search for it ends.
#[test]
fn an_object_that_comes_again_and_again() {
    let mut pack = Crafted::new();
    let first = pack.blob(b"the same");
    let longer = pack.blob(b"the same and more");
    for _ in 0..20 {
        pack.blob(b"the same");
        pack.difference_to(first, &appending(8, b""));
        pack.difference_to(first, &appending(8, b" and more"));
        pack.add(
            Header::RefDelta {
                base_id: id_of(b"the same and more"),
            },
            &appending(17, b""),
        );
    }
    pack.difference_to(longer, &appending(17, b"!"));
    let folder = tempfile::tempdir().unwrap();
    let (received, readable) = received_in(&pack.done(), folder.path(), usize::MAX).unwrap();
    assert_eq!(received.objects, 83);
    assert!([2, 3].contains(&readable), "{readable}");
    // Where that is so the packs stay as they are.
    let together = put_together(folder.path());
    assert_eq!(together.is_ok(), readable == 3, "{together:?}");
}

/// Each line names an attack that is a process of its own, with so much memory that it may allocate, its threads' stacks
/// included.
const HEAVY: [(&str, u64); 9] = [
    ("chain of 10,000", 200),
    ("chain of 66,000", 200),
    ("chain of 10,000 by id", 200),
    ("chain of 10,000, the last first", 200),
    ("comb", 130),
    ("large comb", 450),
    ("half a million times nothing", 80),
    ("300 MiB", 200),
    ("a difference that leads to a gibibyte", 200),
];

fn chain(length: u32) -> Crafted {
    let mut pack = Crafted::new();
    let mut last = pack.blob(b"0000");
    for n in 1..length {
        let new = [&[4, 4, 4][..], format!("{n:04x}").as_bytes().get(..4).unwrap()].concat();
        let new = if n < 0x10000 {
            new
        } else {
            [&[4, 4, 4][..], &n.to_le_bytes()].concat()
        };
        last = pack.difference_to(last, &new);
    }
    pack
}

/// Each builds on the one before, and so do others that nothing builds on: whoever resolves them last holds all that
/// they build on until then.
fn comb(size: u64, length: u64) -> Crafted {
    let mut pack = Crafted::new();
    let mut last = pack.blob(&vec![0; size as usize]);
    let mut len = size;
    for _ in 0..length {
        for n in 0..6_u8 {
            pack.difference_to(last, &appending(len, &[n]));
        }
        last = pack.difference_to(last, &appending(len, b"longer"));
        len += 6;
    }
    pack
}

/// Receives so many small packs more that all are put together.
fn put_together(folder: &Path) -> Result<Vec<std::path::PathBuf>, repack::RepackError> {
    let objects = folder.join("objects");
    for n in 0..60_u32 {
        let mut pack = Crafted::new();
        pack.blob(&n.to_be_bytes());
        received_in(&pack.done(), folder, 0).unwrap();
    }
    let area = folder.join("area");
    fs::create_dir_all(area.join("pack")).unwrap();
    let odb = objects::open(&objects, ObjectFormat::Sha1).unwrap();
    let plan = repack::plan(repack::census(&objects).unwrap()).unwrap();
    repack::apply(&plan, &objects, &area, &odb)
}

fn heavy(name: &str) {
    let zeros = vec![0; 1 << 20];
    let few = |pack: &[u8]| received_in(pack, tempfile::tempdir().unwrap().path(), 20);
    let result = match name {
        "chain of 10,000" => few(&chain(10_000).done()),
        "chain of 66,000" => few(&chain(66_000).done()),
        "chain of 10,000 by id" => {
            let mut pack = Crafted::new();
            let mut content = b"0000".to_vec();
            pack.blob(&content);
            for n in 1..10_000 {
                let base_id = id_of(&content);
                content = format!("{n:04x}").into_bytes();
                pack.add(Header::RefDelta { base_id }, &[&[4, 4, 4], &content[..]].concat());
            }
            few(&pack.done())
        }
        "chain of 10,000, the last first" => {
            let mut pack = Crafted::new();
            for n in (1..10_000).rev() {
                let base_id = id_of(format!("{:04x}", n - 1).as_bytes());
                let new = format!("{n:04x}");
                pack.add(Header::RefDelta { base_id }, &[&[4, 4, 4], new.as_bytes()].concat());
            }
            pack.blob(b"0000");
            few(&pack.done())
        }
        "comb" => few(&comb(4 << 20, 40).done()),
        "large comb" => few(&comb(60 << 20, 12).done()),
        "half a million times nothing" => {
            let mut pack = Crafted::new();
            for _ in 0..500_000 {
                pack.places.push(0);
                pack.bytes.extend([0x30, 0x78, 0x9c, 3, 0, 0, 0, 0, 1]);
            }
            few(&pack.done())
        }
        "300 MiB" | "a difference that leads to a gibibyte" => {
            let mut pack = Crafted::new();
            let first = pack.blob(&zeros);
            if name == "300 MiB" {
                pack.places.push(pack.next());
                Header::Blob.write_to(300 << 20, &mut pack.bytes).unwrap();
                let mut out = deflate::Write::new(&mut pack.bytes, gix::zlib::Compression::BEST_SPEED);
                for _ in 0..300 {
                    out.write_all(&zeros).unwrap();
                }
                out.flush().unwrap();
            } else {
                let copies = [0xf0, 0, 0, 0x10].repeat(1 << 10);
                pack.difference_to(first, &[number(1 << 20), number(1 << 30), copies].concat());
            }
            pack.blob(b"last");
            few(&pack.done())
        }
        other => panic!("{other}?"),
    };
    println!("\n{result:?}");
    match name {
        "300 MiB" | "a difference that leads to a gibibyte" => {
            let (received, readable) = result.unwrap();
            assert_eq!((received.is_partial, readable), (true, 2));
        }
        "half a million times nothing" => assert_eq!(result.unwrap().1, 1),
        _ => {
            let (received, readable) = result.unwrap();
            assert!(readable > 0);
            assert_eq!(received.is_partial, name == "large comb", "twice that is too large");
        }
    }
}

const ATTACK: &str = "METIS_SYNC_TEST_ATTACK";

/// Re-run by the test below as a process of its own.
#[test]
fn the_attacked_process() {
    let Ok(name) = env::var(ATTACK) else { return };
    let (_, mib) = HEAVY.iter().find(|(heavy, _)| *heavy == name).unwrap();
    let limit = Some(mib << 20);
    let limit = rustix::process::Rlimit {
        current: limit,
        maximum: limit,
    };
    rustix::process::setrlimit(rustix::process::Resource::Data, limit).unwrap();
    heavy(&name);
}

/// What costs more to receive than to send costs bounded memory.
#[test]
fn packs_that_weigh_more_than_they_seem() {
    let (_, module) = module_path!().split_once("::").unwrap();
    for (name, mib) in HEAVY {
        let output = Command::new(env::current_exe().unwrap())
            .args(["--exact", "--nocapture", &format!("{module}::the_attacked_process")])
            .env(ATTACK, name)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{name} in {mib} MiB: {said}");
    }
}
