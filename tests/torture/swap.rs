//! What changes under our feet. Folders that are swapped for links at any moment are tried 100,000 times where they are
//! opened, in `workspace::safe_dir`; here whole syncs meet them, and documents that are being rewritten.

use std::{
    fs,
    io::{Seek, Write},
    os::unix::fs::symlink,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    thread,
};

use crate::support::{document::document, snapshot::Snapshot, world::World};

/// `.metis/web` is a folder at one moment and a link out of the workspace at the next, all through each sync.
#[test]
fn a_folder_that_is_a_link_now_and_then() {
    let world = World::new();
    let api = world.workspace("api");
    api.write("API-T-0001", "Mine.");
    world
        .central
        .land("web/WEB-T-0001.md", document("WEB-T-0001", "Theirs", ""));
    api.sync().report();
    let outside = world.root().join("outside");
    fs::create_dir(&outside).expect("temp folder is writable");
    for n in 1..=12 {
        fs::write(outside.join(format!("WEB-T-{n:04}.md")), "precious").expect("temp folder is writable");
    }
    // A marker, as if it were ours.
    fs::copy(api.metis().join("web/.hydrated"), outside.join(".hydrated")).expect("temp folder is writable");
    let before = Snapshot::of(&outside);
    let (folder, link) = (api.metis().join("web"), world.root().join("link"));
    symlink(&outside, &link).expect("temp folder is writable");
    let (done, swaps) = (AtomicBool::new(false), AtomicUsize::new(0));
    thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                let flags = rustix::fs::RenameFlags::EXCHANGE;
                if rustix::fs::renameat_with(rustix::fs::CWD, &folder, rustix::fs::CWD, &link, flags).is_ok() {
                    swaps.fetch_add(1, Ordering::Relaxed);
                }
            }
        });
        for n in 1..=8 {
            let text = document("WEB-T-0001", "Theirs", &format!("Round {n}."));
            world.central.land("web/WEB-T-0001.md", text);
            world
                .central
                .land(&format!("web/WEB-T-{:04}.md", n + 1), document("WEB-T-0002", "New", ""));
            // It may fail to hydrate the folder, and says so; what counts is where it writes.
            api.sync();
        }
        done.store(true, Ordering::Relaxed);
    });
    assert!(swaps.load(Ordering::Relaxed) > 1000, "{swaps:?}");
    let after = Snapshot::of(&outside);
    assert!(after.since(&before).is_empty(), "{:?}", after.since(&before));
    if fs::symlink_metadata(&folder).expect("one of them").is_symlink() {
        fs::remove_file(&folder).expect("it is ours");
        fs::rename(&link, &folder).expect("one file system");
    }
    api.sync().report();
    assert_eq!(api.hydrated("web"), world.central.folder("web"));
}

/// An editor that writes in place, slowly: torn versions may be seen, but never as a removal, and the last one arrives.
#[test]
fn a_document_that_is_being_rewritten() {
    let world = World::new();
    let api = world.workspace("api");
    let path = api.write("API-T-0001", "First.");
    api.write("API-T-0002", "Untouched.");
    api.sync().report();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut file = fs::File::options().write(true).open(&path).expect("it is there");
            for n in 0_u64.. {
                let text = document("API-T-0001", "Rewritten", &format!("Round {n}.\n").repeat(200));
                file.set_len(0).expect("it is ours");
                file.rewind().expect("a file");
                for part in text.as_bytes().chunks(64) {
                    file.write_all(part).expect("there is room");
                }
                if done.load(Ordering::Relaxed) {
                    return;
                }
            }
        });
        for _ in 0..15 {
            // It may find the document damaged or restless, and says so.
            api.sync();
            let folder = world.central.folder("api");
            assert!(folder.contains_key("API-T-0001.md"), "taken for removed");
            assert!(folder.contains_key("API-T-0002.md"), "taken for removed");
        }
        done.store(true, Ordering::Relaxed);
    });
    api.sync().report();
    world.assert_converged(&[api]);
}
