//! Killed at every step. Whatever system call was the last one: every file is old or new and whole, `config.toml` can be
//! read, central is sound and has the commit or has it not, and the next sync succeeds unaided and leaves nothing behind.
//!
//! `METIS_TORTURE_URL` names a central of one's own to do it against (`scripts/torture --url`).

use std::env;

use super::{
    stage::{STORIES, Stage, Story},
    trace::{self, spread, thinned},
};
use crate::support::servers::skip;

/// What the disk answers. The last one is no failure: a write that a signal cut short is tried again.
const FAILURES: [&str; 5] = [
    "error=ENOSPC",
    "error=EIO",
    "error=EACCES",
    "error=EMFILE",
    "error=EINTR",
];

/// Lets one call fail at each of the points that `choose` picks. What was said to be done is done, and what was not is whole.
fn fail(story: Story, choose: impl Fn(Vec<(&'static str, usize)>) -> Vec<(&'static str, usize)>) -> usize {
    let stage = Stage::new(story);
    let log = stage.world.root().join("strace.log");
    let counts = trace::counts(&stage.own, &stage.set(), &log);
    let all = counts
        .iter()
        // A lock that is refused is another story.
        .filter(|(name, _)| !["flock", "sendto"].contains(name))
        .flat_map(|(name, count)| (1..=*count).map(move |n| (*name, n)))
        .collect();
    let mut failed = 0;
    for (number, (syscall, when)) in choose(all).into_iter().enumerate() {
        let kinds = if syscall == "write" { 5 } else { 4 };
        let what = FAILURES[number % kinds];
        let point = format!("{story:?}, {what} at {syscall} {when}");
        let command = stage.set();
        let before = stage.before();
        let ended = trace::with_injected(&stage.own, &command, syscall, what, &when.to_string());
        failed += usize::from(ended.code != Some(0));
        stage.assert_whole_after(&ended, &before, &point);
        stage.assert_honest(&ended, &before, &point);
        stage.assert_recovers(&point);
    }
    failed
}

/// A disk that is full, broken, or forbidden at one moment, and there again for the next sync.
#[test]
fn the_disk_fails_at_twelve_steps() {
    if !trace::available() {
        return skip("strace is not installed, or may not trace");
    }
    let failed = fail(Story::BothWays, |all| {
        let all: Vec<_> = all
            .into_iter()
            .filter(|(name, n)| *name != "openat" || *n > 12)
            .collect();
        spread(&all, 12)
    });
    assert!(failed > 0, "no failure was noticed");
}

#[test]
#[ignore = "takes minutes: scripts/torture"]
fn the_disk_fails_at_many_steps() {
    for story in [Story::First, Story::BothWays, Story::Packs, Story::Cache] {
        let failed = fail(story, |all| thinned(&all, 120));
        println!("{story:?}: {failed} failures ended a sync");
        assert!(failed > 10, "{story:?}: {failed}");
    }
}

/// Kills at the points that `choose` picks from all of a story, and says how many those were.
fn sweep(story: Story, choose: impl FnOnce(Vec<(&'static str, usize)>) -> Vec<(&'static str, usize)>) -> usize {
    let stage = Stage::new(story);
    let log = stage.world.root().join("strace.log");
    let command = stage.set();
    let counts = trace::counts(&stage.own, &command, &log);
    let all = counts
        .iter()
        .flat_map(|(name, count)| (1..=*count).map(move |n| (*name, n)))
        .collect();
    let mut killed = 0;
    for (syscall, when) in choose(all) {
        let point = format!("{story:?}, killed at {syscall} {when}");
        let command = stage.set();
        let before = stage.before();
        let ended = trace::with_injected(&stage.own, &command, syscall, "signal=KILL", &when.to_string());
        killed += usize::from(ended.code.is_none());
        stage.assert_whole(&before, &point);
        stage.assert_recovers(&point);
    }
    killed
}

/// 81#31, 82#17
#[test]
fn killed_at_thirty_steps() {
    if !trace::available() {
        return skip("strace is not installed, or may not trace");
    }
    let mut killed = 0;
    for (story, points) in STORIES.into_iter().zip([8, 8, 7, 6, 5]) {
        killed += sweep(story, |all| {
            // Loading the program opens libraries before there is anything to disturb.
            let all: Vec<_> = all
                .into_iter()
                .filter(|(name, n)| *name != "openat" || *n > 12)
                .collect();
            spread(&all, points)
        });
    }
    assert!(killed >= 30, "{killed} of 34 points were reached");
}

/// Up to so many points of a story, evenly spread.
fn whole(story: Story, most: usize) {
    assert!(trace::available(), "strace is needed");
    if story == Story::Retry && env::var_os("METIS_TORTURE_URL").is_some() {
        return println!("nobody can be made to be faster on a server that is not ours");
    }
    let mut points = 0;
    // Somebody else's server is asked over a line, and looked at by fresh clones.
    let most = if env::var_os("METIS_TORTURE_URL").is_some() {
        most / 4
    } else {
        most
    };
    let killed = sweep(story, |all| {
        let chosen = thinned(&all, most);
        points = chosen.len();
        println!("{story:?}: {points} of {} points", all.len());
        chosen
    });
    println!("{story:?}: killed at {killed} points");
    // Threads share the work as it comes: the last calls of each kind may not be reached every time.
    assert!(
        points >= 16 && killed >= points * 3 / 4,
        "{story:?}: {killed} of {points}"
    );
}

#[test]
#[ignore = "takes minutes: scripts/torture"]
fn killed_all_through_a_first_sync() {
    whole(Story::First, 250);
}

#[test]
#[ignore = "takes minutes: scripts/torture"]
fn killed_all_through_a_sync_both_ways() {
    whole(Story::BothWays, 250);
}

#[test]
#[ignore = "takes minutes: scripts/torture"]
fn killed_all_through_a_retry() {
    whole(Story::Retry, 250);
}

#[test]
#[ignore = "takes minutes: scripts/torture"]
fn killed_all_through_putting_packs_together() {
    whole(Story::Packs, 200);
}

#[test]
#[ignore = "takes minutes: scripts/torture"]
fn killed_all_through_rebuilding_the_cache() {
    whole(Story::Cache, 100);
}
