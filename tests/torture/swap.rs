//! What changes under our feet. Folders that are swapped for links at any moment are tried 100,000 times where they are
//! opened, in `fs::safe_dir`; here whole syncs meet them, and documents that are being rewritten.

use std::{
    fs,
    io::{Seek, Write},
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    thread,
};

use crate::support::{document::document, snapshot::Snapshot, world::World};

/// Until `done`, exchanges `name` in `folder` with a fresh link to `outside`, which waits at `spare`.
pub(super) fn exchange(
    folder: &fs::File,
    name: &str,
    outside: &Path,
    spare: &Path,
    done: &AtomicBool,
    swaps: &AtomicUsize,
) {
    while !done.load(Ordering::Relaxed) {
        // What came back from the last exchange may be a file of the sync's, and the link may have been replaced.
        if !fs::symlink_metadata(spare).is_ok_and(|meta| meta.is_symlink() || meta.is_dir()) {
            let _ = fs::remove_file(spare);
            symlink(outside, spare).expect("temp folder is writable");
        }
        let flags = rustix::fs::RenameFlags::EXCHANGE;
        if rustix::fs::renameat_with(folder, name, rustix::fs::CWD, spare, flags).is_ok() {
            swaps.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// `.metis/web`, a document in it and its marker are what they are at one moment and links out of the workspace at the
/// next, all through each sync, until so many swaps and syncs were made. Nothing outside is touched.
fn swapped(at_least: usize, syncs: usize) {
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
    let open = |path: PathBuf| fs::File::open(path).expect("it is there");
    // The folder itself, wherever its name leads at a moment.
    let (metis, web) = (open(api.metis()), open(api.metis().join("web")));
    let (done, swaps) = (AtomicBool::new(false), AtomicUsize::new(0));
    let targets = [
        (&metis, "web", outside.clone()),
        (&web, "WEB-T-0001.md", outside.join("WEB-T-0001.md")),
        (&web, ".hydrated", outside.join(".hydrated")),
    ];
    let mut rounds = 0;
    thread::scope(|scope| {
        for (number, (folder, name, outside)) in targets.iter().enumerate() {
            let spare = world.root().join(format!("spare-{number}"));
            let (done, swaps) = (&done, &swaps);
            scope.spawn(move || exchange(folder, name, outside, &spare, done, swaps));
        }
        while rounds < syncs || swaps.load(Ordering::Relaxed) < at_least {
            rounds += 1;
            let text = document("WEB-T-0001", "Theirs", &format!("Round {rounds}."));
            world.central.land("web/WEB-T-0001.md", text);
            let name = format!("web/WEB-T-{:04}.md", rounds + 1);
            world.central.land(&name, document("WEB-T-0002", "New", ""));
            // It may fail to hydrate the folder, and says so; what counts is where it writes.
            api.sync();
        }
        done.store(true, Ordering::Relaxed);
    });
    println!("{swaps:?} swaps during {rounds} syncs");
    let after = Snapshot::of(&outside);
    assert!(after.since(&before).is_empty(), "{:?}", after.since(&before));
    // Nobody interferes any more.
    let folder = api.metis().join("web");
    if fs::symlink_metadata(&folder).expect("one of them").is_symlink() {
        fs::remove_file(&folder).expect("it is ours");
        fs::rename(world.root().join("spare-0"), &folder).expect("one file system");
    }
    for name in [".hydrated", "WEB-T-0001.md"] {
        if fs::symlink_metadata(folder.join(name)).is_ok_and(|meta| meta.is_symlink()) {
            fs::remove_file(folder.join(name)).expect("it is ours");
        }
    }
    api.sync();
    let after = Snapshot::of(&outside);
    assert!(after.since(&before).is_empty(), "{:?}", after.since(&before));
    assert_eq!(world.central.folder("api"), api.documents());
}

#[test]
fn links_here_and_there() {
    swapped(1000, 6);
}

#[test]
#[ignore = "takes minutes: scripts/torture"]
fn links_a_hundred_thousand_times() {
    swapped(100_000, 150);
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
