//! How far a sync is, and the time that all conduits have together.

use std::{fs, os::unix::fs::MetadataExt};

use metis_sync::sync::Step;

use super::{Pair, central::Project};
use crate::support::world::World;

/// Looking, then each file, then once more looking.
#[test]
fn progress_is_told_file_by_file() {
    let pair = Pair::in_git();
    let files = 700;
    for n in 0..files {
        pair.put(&format!("left/{n}"), "1");
    }
    let mut far = Vec::new();
    let (report, steps) = pair.sync_here(&mut |step| {
        if let Step::Copying { done, total } = step {
            assert_eq!(total, files);
            far.push(done);
        }
    });
    assert!(report.verified);
    assert_eq!(steps, ["scan", "copy", "scan"]);
    assert!(
        far.is_sorted() && far.len() > files / 10 && far.last() == Some(&files),
        "{far:?}"
    );
}

/// One that waits for a folder that somebody else works on uses up the time of those that come after it.
#[test]
fn all_conduits_together_have_the_time_of_one_sync() {
    let world = World::new();
    let shop = Project::new(&world, "shop", &[]);
    for folder in ["left", "right"] {
        fs::create_dir(shop.0.dir.join(folder)).expect("temp folder is writable");
    }
    shop.run(&["add", "zulu", "left", "right"], 0);
    shop.0.run(&[]).success();
    fs::write(shop.0.dir.join("left/a"), "1").expect("temp folder is writable");
    let config = shop.0.config().replace("[sync]\n", "[sync]\ndeadline_seconds = 5\n");
    shop.0.put("config.toml", config);
    let folder = shop.folder().metadata().expect("it is there");
    let lock = format!("{:x}-{:x}.lock", folder.dev(), folder.ino());
    let busy = fs::File::open(shop.0.home.join(".cache/git-metis-sync/conduits").join(lock)).expect("it is there");
    busy.lock().expect("nobody has it");
    let ended = shop.0.run(&[]);
    assert_eq!(ended.code, Some(4), "{}", ended.transcript());
    for words in ["another sync is running here", "the time for the whole sync was over"] {
        assert!(ended.stderr.contains(words), "{}", ended.transcript());
    }
    assert!(!shop.0.dir.join("right/a").exists());
    busy.unlock().expect("it is ours");
    shop.0.run(&[]).success();
    assert!(shop.0.dir.join("right/a").exists());
}
