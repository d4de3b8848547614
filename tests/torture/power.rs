//! The power goes, on real file systems in images: what was said to be done is there when it comes again, everything else
//! is whole, and the next sync succeeds unaided.
//!
//! Twice at each place: with the disk as it was when it was last flushed, and with its journal written out but not what the
//! files hold, as a disk does every few seconds. The second is how files come to be empty.

use super::{
    stage::{Stage, Story, is_of_one_that_died},
    trace::{self, spread, thinned},
};
use crate::support::{
    disk::{Disk, Format},
    servers::skip,
};

/// What is on the disk that loses its power.
#[derive(Debug, Clone, Copy)]
enum Where {
    /// The project with its `.metis/`.
    Project,
    /// The home with the cache directory.
    Home,
}

impl Where {
    const BOTH: [Where; 2] = [Where::Project, Where::Home];

    fn disk(self, stage: &Stage, format: Format) -> Option<Disk> {
        let folder = match self {
            Where::Project => &stage.own.dir,
            Where::Home => &stage.own.home,
        };
        Disk::image(folder, format)
    }
}

/// Loses the power at the system calls that `choose` picks: how often that was before the sync had ended, or `None` where
/// there are no such disks.
fn cut(
    story: Story,
    place: Where,
    format: Format,
    choose: impl Fn(Vec<(&'static str, usize)>) -> Vec<(&'static str, usize)>,
) -> Option<usize> {
    let mut stage = Stage::new(story);
    stage.loses_power = true;
    let disk = place.disk(&stage, format)?;
    let log = stage.world.root().join("strace.log");
    let counts = trace::counts(&stage.own, &stage.set(), &log);
    let mut killed = 0;
    for (syscall, when) in choose(trace::points(&counts)) {
        for journal in [false, true] {
            let point =
                format!("{story:?}, {place:?} on {format:?}, no power at {syscall} {when}, with journal: {journal}");
            let command = stage.set();
            disk.flush();
            let before = stage.before();
            let ended = trace::with_injected(&stage.own, &command, syscall, "signal=KILL", &when.to_string());
            killed += usize::from(ended.code.is_none());
            disk.lose_power(journal);
            stage.assert_whole(&before, &point);
            stage.assert_recovers(&point);
        }
    }
    Some(killed)
}

/// 81#31, for a whole machine.
#[test]
fn no_power_at_some_steps() {
    if !trace::available() {
        return skip("strace is not installed, or may not trace");
    }
    for (format, place) in Format::ALL.into_iter().zip(Where::BOTH) {
        let Some(cut) = cut(Story::BothWays, place, format, |all| spread(&all, 4)) else {
            return;
        };
        assert!(cut >= 6, "{cut} of 8 points were reached");
    }
}

#[test]
#[ignore = "takes minutes: scripts/torture"]
fn no_power_at_many_steps() {
    for story in [Story::First, Story::BothWays, Story::Packs] {
        for place in Where::BOTH {
            for format in Format::ALL {
                let Some(cut) = cut(story, place, format, |all| thinned(&all, 20)) else {
                    return;
                };
                println!("{story:?}, {place:?} on {format:?}: no power at {cut} points");
                assert!(cut >= 30, "{story:?}: {cut} points");
            }
        }
    }
}

/// A sync that said it is done has hydrated for good, and what it pushed is known to be pushed.
#[test]
fn what_was_said_to_be_synced_survives() {
    for format in Format::ALL {
        let stage = Stage::new(Story::BothWays);
        let Some(disk) = Where::Project.disk(&stage, format) else {
            return;
        };
        for journal in [false, true] {
            stage.set();
            disk.flush();
            let before = stage.before();
            stage.own.sync().report();
            disk.lose_power(journal);
            stage.assert_whole(&before, &format!("{format:?}, with journal: {journal}"));
            assert_eq!(stage.own.hydrated(&stage.other.prefix), stage.other.documents());
            let next = stage.own.sync().report();
            assert!(next.pulled.is_empty() && next.pushed.is_empty(), "{next:?}");
            // That the lock was given back is not forced to the disk: a no-op would wait for it.
            let warnings: Vec<_> = next
                .warnings
                .iter()
                .filter(|warning| !is_of_one_that_died(warning))
                .collect();
            assert_eq!((warnings, next.kept), (Vec::new(), Vec::new()));
            stage.assert_recovers(&format!("{format:?}, with journal: {journal}"));
        }
    }
}
