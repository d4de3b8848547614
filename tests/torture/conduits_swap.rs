//! Folders and files of a conduit that are swapped for links out of it, at any moment of many syncs.

use std::{
    fs,
    io::Write,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    thread,
};

use rustix::fs::{Mode, OFlags, openat};

use super::swap::exchange;
use crate::{conduits::Pair, support::snapshot::Snapshot};

/// Writes to a file of the folder `d` in `side`, where that is a folder.
fn write_inside(side: &fs::File, name: &str, text: &str) {
    let flags = OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let Ok(folder) = openat(side, "d", flags | OFlags::DIRECTORY, Mode::empty()) else {
        return;
    };
    let flags = flags | OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC;
    if let Ok(file) = openat(&folder, name, flags, Mode::from(0o644)) {
        fs::File::from(file).write_all(text.as_bytes()).expect("there is room");
    }
}

/// `d` of both sides, and a file in it, are what they are at one moment and links out of the conduit at the next, until so many
/// swaps and syncs were made. Nothing outside is touched, and nothing of it comes in.
fn swapped(at_least: usize, syncs: usize) {
    let pair = Pair::new(&["--on-conflict", "source"]);
    for n in 0..8 {
        pair.put(&format!("left/d/{n}"), "mine");
        pair.put(&format!("left/still/{n}"), "mine");
        pair.put(&format!("outside/{n}"), "precious");
    }
    pair.sync(0);
    let outside = pair.path("outside");
    let before = Snapshot::of(&outside);
    let open = |path: &str| fs::File::open(pair.path(path)).expect("it is there");
    // The folders themselves, wherever their names lead at a moment.
    let (left, right, inner) = (open("left"), open("right"), open("right/d"));
    let (done, swaps) = (AtomicBool::new(false), AtomicUsize::new(0));
    let targets = [
        (&left, "d", outside.clone()),
        (&right, "d", outside.clone()),
        (&inner, "1", outside.join("1")),
    ];
    let mut rounds = 0;
    thread::scope(|scope| {
        for (number, (folder, name, outside)) in targets.iter().enumerate() {
            let spare = pair.path(&format!("spare-{number}"));
            let (done, swaps) = (&done, &swaps);
            scope.spawn(move || exchange(folder, name, outside, &spare, done, swaps));
        }
        while rounds < syncs || swaps.load(Ordering::Relaxed) < at_least {
            rounds += 1;
            for n in 0..4 {
                write_inside(&left, &n.to_string(), &format!("mine {rounds}"));
            }
            pair.put("left/still/0", &format!("mine {rounds}"));
            // It may fail to copy what is swapped, and says so; what counts is where it writes.
            pair.own.run(&["conduit", "sync", "notes", "--accept-deletes"]);
        }
        done.store(true, Ordering::Relaxed);
    });
    // Nobody interferes any more.
    pair.own.run(&["conduit", "sync", "notes", "--accept-deletes"]);
    println!("{swaps:?} swaps during {rounds} syncs");
    let after = Snapshot::of(&outside);
    assert!(after.since(&before).is_empty(), "{:?}", after.since(&before));
    let come = |side: &str| pair.tree(side).into_iter().find(|(_, text)| text.contains("precious"));
    assert_eq!((come("left"), come("right")), (None, None));
    assert_eq!(pair.tree("right")["still/0"], format!("mine {rounds}"));
}

#[test]
fn a_conduits_folders_are_swapped_for_links() {
    swapped(1000, 10);
}

#[test]
#[ignore = "takes minutes: scripts/torture"]
fn a_conduits_folders_are_swapped_a_hundred_thousand_times() {
    swapped(100_000, 300);
}
