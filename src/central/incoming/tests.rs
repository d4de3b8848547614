//! Streams that git makes, received in small pieces.

use std::{collections::BTreeSet, fs, io::Write as _, sync::atomic::AtomicBool};

use super::{Bounds, Here, IncomingError, Received, receive};
use crate::{
    central::{CentralError, fixture::git, objects},
    names::{ObjectFormat, ObjectId},
};

const SMALL: Bounds = Bounds {
    pack: 8 * 1024,
    object: 64 * 1024,
};

/// A repository of git's that sends, and a folder that receives.
struct Line {
    folder: tempfile::TempDir,
    format: ObjectFormat,
}

impl Line {
    fn new(format: ObjectFormat) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("objects/pack")).unwrap();
        let line = Line { folder, format };
        let name = match format {
            ObjectFormat::Sha1 => "sha1",
            ObjectFormat::Sha256 => "sha256",
        };
        line.git(&["init", "-q", "--bare", "--object-format", name, "."], b"");
        line
    }

    fn objects(&self) -> std::path::PathBuf {
        self.folder.path().join("objects")
    }

    fn git(&self, arguments: &[&str], stdin: &[u8]) -> Vec<u8> {
        let central = self.folder.path().join("central.git");
        fs::create_dir_all(&central).unwrap();
        git(&central, arguments, stdin)
    }

    /// Puts documents under their names on top of what is there; returns the commit.
    fn commit(&self, documents: &[(String, Vec<u8>)]) -> String {
        let mut stream = Vec::new();
        let has_parent = !self.git(&["for-each-ref"], b"").is_empty();
        write!(stream, "commit refs/heads/main\ncommitter A <a@b> 1 +0000\ndata 0\n").unwrap();
        if has_parent {
            writeln!(stream, "from refs/heads/main^0").unwrap();
        }
        for (name, bytes) in documents {
            write!(stream, "M 100644 inline {name}\ndata {}\n", bytes.len()).unwrap();
            stream.extend_from_slice(bytes);
            stream.push(b'\n');
        }
        self.git(&["fast-import", "--quiet", "--force"], &stream);
        text(&self.git(&["rev-parse", "main"], b""))
    }

    /// Three versions of eighty documents of 2 KB: most are sent as differences.
    fn history(&self) -> String {
        let mut last = String::new();
        for version in 0..3 {
            let documents: Vec<_> = (0..80)
                .map(|n| (format!("api/API-T-{n:04}.md"), prose(n, version)))
                .collect();
            last = self.commit(&documents);
        }
        last
    }

    /// What git sends of `revisions` (as for `git rev-list`).
    fn sent(&self, revisions: &str, options: &[&str]) -> Vec<u8> {
        let mut arguments = vec!["pack-objects", "--revs", "--stdout", "-q", "--window=50"];
        arguments.extend_from_slice(options);
        self.git(&arguments, revisions.as_bytes())
    }

    fn receive(&self, sent: &[u8], bounds: Bounds) -> Result<Received, IncomingError> {
        self.receive_without(sent, bounds, &BTreeSet::new())
    }

    fn receive_without(
        &self,
        sent: &[u8],
        bounds: Bounds,
        left_out: &BTreeSet<ObjectId>,
    ) -> Result<Received, IncomingError> {
        let bases = objects::open(&self.objects(), self.format).unwrap();
        let here = Here {
            bases: &bases,
            left_out,
        };
        receive(
            sent,
            &self.objects(),
            &here,
            self.format,
            bounds,
            &AtomicBool::new(false),
        )
    }

    fn packs(&self) -> Vec<std::path::PathBuf> {
        let mut packs: Vec<_> = fs::read_dir(self.objects().join("pack"))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        packs.sort();
        packs
    }

    /// Every pack stands alone before git's eyes, and every object that `revisions` reach is here, byte for byte.
    fn holds(&self, revisions: &str) {
        for pack in self.packs() {
            if pack.extension().is_some_and(|it| it == "idx") {
                self.git(&["verify-pack", pack.to_str().unwrap()], b"");
            }
        }
        let listed = text(&self.git(&["rev-list", "--objects", "--no-object-names", revisions], b""));
        let theirs = self.git(&["cat-file", "--batch"], listed.as_bytes());
        let mine = self.folder.path().join("mine.git");
        if !mine.exists() {
            let format = text(&self.git(&["rev-parse", "--show-object-format"], b""));
            fs::create_dir(&mine).unwrap();
            git(&mine, &["init", "-q", "--bare", "--object-format", &format, "."], b"");
            fs::write(mine.join("objects/info/alternates"), self.objects().to_str().unwrap()).unwrap();
        }
        assert!(git(&mine, &["cat-file", "--batch"], listed.as_bytes()) == theirs);
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim().to_owned()
}

/// 2 KB that do not compress to nothing and differ little between versions.
fn prose(document: u64, version: u64) -> Vec<u8> {
    let mut bytes = format!("version {version} of {document}\n").into_bytes();
    let mut state = document + 1;
    while bytes.len() < 2000 {
        state = state
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        bytes.extend_from_slice(format!("{:016x}\n", state).as_bytes());
    }
    bytes
}

#[test]
fn a_stream_becomes_packs_that_stand_alone() {
    for format in [ObjectFormat::Sha1, ObjectFormat::Sha256] {
        // With bases by distance, as servers send that were told we understand it; and by name.
        for options in [&["--delta-base-offset"][..], &[]] {
            let line = Line::new(format);
            line.history();
            let sent = line.sent("main\n", options);
            let received = line.receive(&sent, SMALL).unwrap();
            assert_eq!(received.objects, u32::from_be_bytes(sent[8..12].try_into().unwrap()));
            assert!(!received.is_partial);
            // A pack and its index each.
            assert!(line.packs().len() > 10, "{:?}", line.packs());
            line.holds("main");
        }
    }
}

#[test]
fn what_follows_builds_on_what_is_here() {
    for options in [&["--thin", "--delta-base-offset"][..], &["--thin"]] {
        let line = Line::new(ObjectFormat::Sha1);
        let first = line.history();
        line.receive(&line.sent("main\n", &["--delta-base-offset"]), SMALL)
            .unwrap();
        let before = line.packs().len();
        line.commit(&[("api/API-T-0007.md".to_owned(), prose(7, 9))]);
        let sent = line.sent(&format!("main\n^{first}\n"), options);
        assert!(sent.len() < 1500, "{} bytes: not as differences", sent.len());
        line.receive(&sent, SMALL).unwrap();
        assert_eq!(line.packs().len(), before + 2);
        line.holds("main");
    }
}

#[test]
fn files_beyond_the_bound_are_passed_by_with_all_that_builds_on_them() {
    let line = Line::new(ObjectFormat::Sha1);
    let mut huge = prose(1, 1);
    while huge.len() < 100_000 {
        huge.extend_from_slice(&prose(huge.len() as u64, 1));
    }
    let first = line.commit(&[
        ("api/API-T-0001.md".to_owned(), huge.clone()),
        ("api/API-T-0002.md".to_owned(), prose(2, 1)),
    ]);
    huge.extend_from_slice(b"A line more.\n");
    let second = line.commit(&[("api/API-T-0001.md".to_owned(), huge.clone())]);
    let received = line
        .receive(&line.sent("main\n", &["--delta-base-offset"]), SMALL)
        .unwrap();
    assert!(received.is_partial);
    let odb = objects::open(&line.objects(), line.format).unwrap();
    let id = |revision: &str| -> ObjectId { text(&line.git(&["rev-parse", revision], b"")).parse().unwrap() };
    let is_here = |revision: &str| objects::blob(&odb, id(revision), u64::MAX).is_ok_and(|bytes| bytes.is_some());
    assert!(is_here("main:api/API-T-0002.md"));
    assert!(!is_here(&format!("{first}:api/API-T-0001.md")) && !is_here(&format!("{second}:api/API-T-0001.md")));

    // Later the server takes them for being here, and sends differences.
    let left_out = BTreeSet::from([id(&format!("{first}:api/API-T-0001.md")), id("main:api/API-T-0001.md")]);
    huge.truncate(50_000);
    line.commit(&[
        ("api/API-T-0001.md".to_owned(), huge),
        ("api/API-T-0003.md".to_owned(), prose(3, 1)),
    ]);
    let sent = line.sent(&format!("main\n^{second}\n"), &["--thin", "--delta-base-offset"]);
    assert!(sent.len() < 20_000, "{} bytes: not as a difference", sent.len());
    assert!(matches!(
        line.receive_without(&sent, SMALL, &left_out),
        Err(IncomingError::BaseLeftOut)
    ));
    // Without knowing that, it is a stream that lacks a base.
    assert!(line.receive(&sent, SMALL).is_err());
}

#[test]
fn folders_beyond_the_bound_are_an_error() {
    let line = Line::new(ObjectFormat::Sha1);
    let many: Vec<_> = (0..3000)
        .map(|n| (format!("api/API-T-{n:04}.md"), vec![b'x']))
        .collect();
    line.commit(&many);
    let err = line.receive(&line.sent("main\n", &[]), SMALL).unwrap_err();
    assert!(err.is_too_large(), "{err}");
}

#[test]
fn streams_that_end_early_or_changed_on_the_way_are_errors() {
    let line = Line::new(ObjectFormat::Sha1);
    line.commit(&[("api/API-T-0001.md".to_owned(), prose(1, 1))]);
    let sent = line.sent("main\n", &["--delta-base-offset"]);
    line.receive(&sent, SMALL).unwrap();
    for end in 0..sent.len() {
        assert!(
            line.receive(&sent[..end], SMALL).is_err(),
            "{end} of {} bytes",
            sent.len()
        );
    }
    for place in 0..sent.len() {
        let mut changed = sent.clone();
        changed[place] ^= 1 << (place % 8);
        assert!(line.receive(&changed, SMALL).is_err(), "changed at {place}");
    }
}

#[test]
fn a_difference_to_what_never_comes_is_an_error() {
    let line = Line::new(ObjectFormat::Sha1);
    let first = line.history();
    line.commit(&[("api/API-T-0007.md".to_owned(), prose(7, 9))]);
    let thin = line.sent(&format!("main\n^{first}\n"), &["--thin"]);
    let err = line.receive(&thin, SMALL).unwrap_err();
    assert!(
        !matches!(err, IncomingError::Store(CentralError::Object { .. })),
        "{err}"
    );
}
