//! What happens in the folders while a sync works there. Each is done between two steps of the sync, the same each time.

use std::fs;

use metis_sync::{conduit::Report, sync::Step};

use super::Pair;

/// Three files that are in step.
fn pair() -> Pair {
    let pair = Pair::in_git();
    for name in ["a", "b", "c"] {
        pair.put(&format!("left/{name}"), "1");
    }
    pair.sync(0);
    pair
}

/// Syncs, and does something once, when the new files are made and none is in place.
fn sync_while(pair: &Pair, meanwhile: &mut dyn FnMut()) -> Report {
    let mut is_done = false;
    let (report, _) = pair.sync_here(&mut |step| {
        if let Step::Copying { done, total } = step
            && done == total
            && !is_done
        {
            is_done = true;
            meanwhile();
        }
    });
    assert!(is_done);
    report
}

/// syncthing#2416, #5571: the target is edited after it was looked at and before the new version is in its place. The edit is there,
/// and both versions meet in a conflict.
#[test]
fn a_target_is_edited_between_the_look_and_the_swap() {
    let pair = pair();
    pair.put("left/a", "new");
    let mut edit = || pair.put("right/a", "an edit");
    let report = sync_while(&pair, &mut edit);
    assert_eq!(pair.texts("right"), ["a=an edit", "b=1", "c=1"]);
    assert_eq!(pair.texts("left"), ["a=new", "b=1", "c=1"]);
    assert_eq!(report.conflicts.len(), 1, "{report:?}");
    pair.sync(8);
}

/// The same with a target that is about to be deleted, or that came to be.
#[test]
fn a_target_is_edited_between_the_look_and_the_delete() {
    let pair = pair();
    pair.remove("left/a");
    pair.put("left/b", "new");
    pair.put("left/made", "1");
    let mut edit = || {
        pair.put("right/a", "an edit");
        pair.put("right/made", "another one");
    };
    let report = sync_while(&pair, &mut edit);
    assert_eq!(pair.texts("right"), ["a=an edit", "b=new", "c=1", "made=another one"]);
    let waits: Vec<&str> = report.conflicts.iter().map(|conflict| conflict.path.raw()).collect();
    assert_eq!(waits, ["a", "made"], "{report:?}");
}

/// rclone#8359: an edit of the source while it is copied comes with the next look, of this sync or of the next one.
#[test]
fn a_source_is_edited_during_the_copy() {
    let pair = pair();
    pair.put("left/a", "new");
    let mut edit = || pair.put("left/a", "newer");
    let report = sync_while(&pair, &mut edit);
    assert!(report.verified, "{report:?}");
    pair.assert_both(&["a=newer", "b=1", "c=1"]);
    pair.put("left/a", "newest");
    let mut restless = 0;
    let (report, _) = pair.sync_here(&mut |step| {
        if matches!(step, Step::Copying { .. }) {
            restless += 1;
            pair.put("left/a", &format!("restless {restless}"));
        }
    });
    assert!(!report.verified && restless >= 2, "{report:?}");
    assert_eq!(report.failed.len(), 1, "{report:?}");
    pair.sync(0);
    pair.assert_both(&[&format!("a=restless {restless}"), "b=1", "c=1"]);
}

/// A folder becomes another one, and the one that was looked at lies elsewhere: nothing is written or deleted outside.
#[test]
fn a_folder_is_exchanged_for_a_link() {
    let pair = Pair::in_git();
    pair.put("left/d/a", "1");
    pair.put("left/d/gone", "1");
    pair.put("left/z", "1");
    pair.put("outside/a", "theirs");
    pair.put("outside/gone", "1");
    pair.sync(0);
    pair.put("left/d/a", "new");
    pair.put("left/d/made", "new");
    pair.remove("left/d/gone");
    let mut exchange = || {
        fs::rename(pair.path("right/d"), pair.path("aside")).expect("it is ours");
        std::os::unix::fs::symlink(pair.path("outside"), pair.path("right/d")).expect("it is free");
    };
    let report = sync_while(&pair, &mut exchange);
    assert!(!report.verified || !report.skipped.is_empty(), "{report:?}");
    assert_eq!(pair.texts("outside"), ["a=theirs", "gone=1"]);
    assert_eq!(pair.texts("aside"), ["a=1", "gone=1"]);
}
