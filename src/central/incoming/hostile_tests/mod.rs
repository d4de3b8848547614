//! Packs of a server that means harm: whatever comes, [`receive()`] ends, does not panic, holds little, and what it calls
//! received can be read and is what its id says.

use std::{collections::BTreeSet, fs, io::Write as _, path::Path, sync::atomic::AtomicBool};

use gix::{objs::FindExt, odb::HeaderExt};

use super::{Bounds, Here, IncomingError, Received, receive};
use crate::{
    central::{fixture::git, objects},
    names::ObjectFormat,
};

mod broken;
mod changed;
mod crafted;
mod heavy;

use crafted::SHA1;

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
    let git = |args: &[&str], input: &[u8]| git(folder.path(), args, input);
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

/// Every id is checked by a hash that notices how collisions are made, and then gives none. This is one of the two files
/// of "SHA-1 is a Shambles", which have the same plain SHA-1.
#[test]
fn a_collision_has_no_id() {
    let mut hash = gix::hash::hasher(super::hash_kind(ObjectFormat::Sha1));
    hash.update(include_bytes!("../../../../crates/test-world/src/sha-mbles-1.bin"));
    let err = hash.try_finalize().unwrap_err();
    assert!(err.to_string().contains("collision"), "{err}");
}
