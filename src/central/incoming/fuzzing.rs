//! The way in for `fuzz/`, which knows what comes over the wire and nothing else.

use std::{collections::BTreeSet, fs, path::Path, sync::atomic::AtomicBool};

use gix::{hash::Kind, objs::FindExt};

use super::{Bounds, Here, receive};
use crate::{central::objects, names::ObjectFormat};

/// Receives `pack` below the empty folder `folder` and reads what has come. Small bounds, so that packs are cut and files left out.
pub fn received(pack: &[u8], folder: &Path) {
    let (incoming, here) = (folder.join("objects"), folder.join("here"));
    for objects in [&incoming, &here] {
        fs::create_dir_all(objects.join("pack")).expect("a temp folder");
    }
    let here = objects::open(&here, ObjectFormat::Sha1).expect("an empty folder");
    let known = Here {
        bases: &here,
        left_out: &BTreeSet::new(),
    };
    let bounds = Bounds {
        pack: 512,
        object: 4096,
    };
    let never = AtomicBool::new(false);
    if receive(pack, &incoming, &known, ObjectFormat::Sha1, bounds, &never).is_err() {
        return;
    }
    let odb = objects::open(&incoming, ObjectFormat::Sha1).expect("it was received");
    let ids: Vec<_> = odb.store_ref().iter().expect("it was received").flatten().collect();
    let mut buffer = Vec::new();
    for id in ids {
        if let Ok(object) = odb.find(&id, &mut buffer) {
            let found = gix::objs::compute_hash(Kind::Sha1, object.kind, object.data).expect("it has one");
            assert_eq!(found, id);
        }
    }
}
