//! Disks with hardly any room left, and processes with hardly any files: what cannot be done is said, nothing is torn, and
//! the next sync with room enough succeeds unaided.

use std::process::Command;

use super::{
    stage::{Stage, Story},
    trace::thinned,
};
use crate::support::{
    disk::Disk,
    process::{Finished, run},
};

/// What is on the disk that is full.
#[derive(Debug, Clone, Copy)]
enum Where {
    /// The project with its `.metis/`.
    Project,
    /// The home with the cache directory.
    Home,
    /// Central, on this machine.
    Central,
}

impl Where {
    const ALL: [Where; 3] = [Where::Project, Where::Home, Where::Central];
}

/// A stage whose documents are not small.
fn stage(story: Story) -> Stage {
    let mut stage = Stage::new(story);
    stage.bulk = 20_000;
    stage
}

/// Syncs with room for so many bytes and so many files, and again with room enough. Returns how many syncs failed, or
/// left something out and said so.
fn starve(story: Story, place: Where, room: impl IntoIterator<Item = (u64, u64)>) -> Option<usize> {
    let stage = stage(story);
    let folder = match place {
        Where::Project => &stage.own.dir,
        Where::Home => &stage.own.home,
        Where::Central => &stage.world.central.dir,
    };
    let disk = Disk::small(folder)?;
    let mut failed = 0;
    for (bytes, files) in room {
        let point = format!("{story:?}, room for {bytes} bytes and {files} files in {place:?}");
        let command = stage.set();
        let before = stage.before();
        disk.leave(bytes, files);
        let ended = run(command);
        failed += usize::from(ended.code != Some(0) || ended.transcript().contains("could not be"));
        stage.assert_whole_after(&ended, &before, &point);
        stage.assert_honest(&ended, &before, &point);
        disk.make_room();
        stage.assert_recovers(&point);
    }
    Some(failed)
}

const PAGE: u64 = 4096;
const ENOUGH: u64 = 1000;

#[test]
fn hardly_any_room() {
    for place in Where::ALL {
        let room = [
            (0, ENOUGH),
            (3 * PAGE, ENOUGH),
            (9 * PAGE, ENOUGH),
            (ENOUGH * PAGE, 0),
            (ENOUGH * PAGE, 3),
        ];
        let Some(failed) = starve(Story::BothWays, place, room) else {
            return;
        };
        assert!(failed >= 3, "{place:?}: {failed} of 5 syncs failed");
    }
}

#[test]
#[ignore = "takes minutes: scripts/torture"]
fn a_little_more_room_each_time() {
    for story in [Story::First, Story::BothWays] {
        for place in Where::ALL {
            let pages: Vec<_> = (0..60).map(|pages| (pages * PAGE, ENOUGH)).collect();
            let files: Vec<_> = (0..40).map(|files| (ENOUGH * PAGE, files)).collect();
            let room = [thinned(&pages, 40), thinned(&files, 25)].concat();
            let of = room.len();
            let Some(failed) = starve(story, place, room) else {
                return;
            };
            println!("{story:?}, little room in {place:?}: {failed} of {of} syncs failed");
            assert!(failed > 5, "{failed}");
        }
    }
}

/// Under a limit of `prlimit`. With `signal`, a file that becomes too large ends the program as it does by default; else
/// it is told after a write that was cut short.
fn limited(command: &Command, limit: &str, signal: bool, stage: &Stage) -> Finished {
    let mut shell = stage.own.program("sh");
    let trap = if signal { "" } else { "trap '' XFSZ; " };
    shell
        .current_dir(command.get_current_dir().expect("it has one"))
        .args(["-c", &format!("{trap}exec \"$@\""), "sh", "prlimit", limit])
        .arg(command.get_program())
        .args(command.get_args());
    super::trace::settled(shell)
}

/// Writes that really write less than they were asked to, wherever that is: in a document, a pack, the database, central.
fn short(story: Story, sizes: impl IntoIterator<Item = usize>) -> usize {
    let stage = stage(story);
    let mut failed = 0;
    for size in sizes {
        for signal in [false, true] {
            let point = format!("{story:?}, files end at {size} bytes, by a signal: {signal}");
            let command = stage.set();
            let before = stage.before();
            let ended = limited(&command, &format!("--fsize={size}"), signal, &stage);
            failed += usize::from(ended.code != Some(0));
            stage.assert_whole_after(&ended, &before, &point);
            if ended.code.is_some() || !signal {
                stage.assert_honest(&ended, &before, &point);
            }
            stage.assert_recovers(&point);
        }
    }
    failed
}

#[test]
fn files_that_end_too_soon() {
    let failed = short(Story::BothWays, [1, 100, 1000, 5000, 20_500, 60_000]);
    assert!(failed >= 8, "{failed} of 12 syncs failed");
}

#[test]
#[ignore = "takes minutes: scripts/torture"]
fn files_that_end_at_any_size() {
    for story in [Story::First, Story::BothWays] {
        let sizes = thinned(&(0..160).map(|n| n * n * 5).collect::<Vec<_>>(), 80);
        let of = 2 * sizes.len();
        println!(
            "{story:?}, files that end too soon: {} of {of} syncs failed",
            short(story, sizes)
        );
    }
}

fn few_files(story: Story, limits: impl IntoIterator<Item = usize>) -> usize {
    let stage = stage(story);
    let mut failed = 0;
    for files in limits {
        let point = format!("{story:?}, {files} open files at most");
        let command = stage.set();
        let before = stage.before();
        let ended = limited(&command, &format!("--nofile={files}"), false, &stage);
        failed += usize::from(ended.code != Some(0));
        stage.assert_whole_after(&ended, &before, &point);
        stage.assert_honest(&ended, &before, &point);
        stage.assert_recovers(&point);
    }
    failed
}

#[test]
fn few_open_files() {
    let failed = few_files(Story::BothWays, [4, 6, 8, 10, 12, 14, 18]);
    assert!(failed >= 4, "{failed} of 7 syncs failed");
}

#[test]
#[ignore = "takes minutes: scripts/torture"]
fn any_number_of_open_files() {
    for story in [Story::First, Story::BothWays] {
        println!(
            "{story:?}, few open files: {} of 40 syncs failed",
            few_files(story, 3..43)
        );
    }
}
