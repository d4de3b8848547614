//! Folders on disks that come and go.

use std::fs;

use super::Pair;
use crate::support::disk::Disk;

/// What is on a disk in one of the folders is unknown, so what the other side has under that name stays as it is, also once the disk
/// is not mounted and its place is an empty folder.
#[test]
fn a_disk_in_a_folder_is_not_mounted() {
    let pair = Pair::new(&["--mode", "mirror"]);
    pair.put("left/a", "1");
    pair.put("left/disk/on-it", "1");
    let Some(disk) = Disk::small(&pair.path("left/disk")) else {
        return;
    };
    pair.put("right/disk/kept", "1");
    let first = pair.sync(0);
    assert_eq!(first["skipped"][0]["path"], "disk", "{first}");
    let right = ["a=1", "disk/kept=1"];
    assert_eq!(pair.texts("right"), right);
    drop(disk);
    let stopped = pair.run(&["sync", "notes"], 3);
    assert!(
        stopped.stderr.contains("alpha: disk was on a disk of its own"),
        "{}",
        stopped.transcript()
    );
    assert_eq!(pair.texts("right"), right);
    // Its place is a plain folder from now on: the mirror makes beta the same.
    let said = pair.report(&["sync", "notes", "--accept-deletes"], 0);
    assert_eq!(said["deleted"]["beta"], 1, "{said}");
    assert_eq!(pair.texts("right"), ["a=1"]);
    assert_eq!(pair.sync(0)["status"], "in-step");
}

/// A folder that is not mounted may have something in it: it is another one than what was synced.
#[test]
fn another_folder_lies_where_a_disk_was() {
    let pair = Pair::new(&[]);
    for name in ["a", "b", "c"] {
        pair.put(&format!("left/{name}"), "1");
    }
    let Some(disk) = Disk::small(&pair.path("right")) else {
        return;
    };
    pair.sync(0);
    drop(disk);
    for name in ["a", "b"] {
        pair.put(&format!("right/{name}"), "old");
    }
    for _ in 0..2 {
        let stopped = pair.run(&["sync", "notes"], 3);
        assert!(stopped.stderr.contains("Mount it"), "{}", stopped.transcript());
    }
    assert_eq!(pair.texts("left"), ["a=1", "b=1", "c=1"]);
    assert_eq!(pair.texts("right"), ["a=old", "b=old"]);
    // A disk that is there again, with what was on it, needs no word.
    fs::remove_dir_all(pair.path("right")).expect("it is ours");
    fs::create_dir(pair.path("right")).expect("it is free");
    for name in ["a", "b", "c"] {
        pair.put(&format!("right/{name}"), "1");
    }
    let Some(_disk) = Disk::small(&pair.path("right")) else {
        return;
    };
    assert_eq!(pair.sync(0)["status"], "in-step");
}

/// It is told before anything is copied, and nothing is deleted.
#[test]
fn a_disk_has_no_room_for_what_comes() {
    let pair = Pair::new(&[]);
    pair.put("left/a", "1");
    pair.put("left/gone", "1");
    let Some(disk) = Disk::small(&pair.path("right")) else {
        return;
    };
    pair.sync(0);
    pair.remove("left/gone");
    pair.put("left/large", &"x".repeat(1 << 20));
    disk.leave(100_000, 100);
    let full = pair.run(&["sync", "notes"], 1);
    assert!(
        full.stderr.contains("beta has no room for the 1048576 bytes"),
        "{}",
        full.transcript()
    );
    assert_eq!(pair.texts("right"), ["a=1", "gone=1"]);
    disk.make_room();
    pair.sync(0);
    assert_eq!(pair.tree("right").len(), 2);
}
