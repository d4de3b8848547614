//! The power goes while a conduit is synced, on real file systems in images: see [`power`](super::power).

use super::{
    conduits::{Stage, points},
    trace::{self, spread, thinned},
};
use crate::support::{
    disk::{Disk, Format},
    servers::skip,
};

/// Loses the power at these steps, twice at each: with the disk as it was when it was last flushed, and with its journal written out
/// but not what the files hold. How often that was before the sync had ended, or `None` where there are no such disks.
fn cut(format: Format, choose: impl Fn(Vec<(&'static str, usize)>) -> Vec<(&'static str, usize)>) -> Option<usize> {
    let stage = Stage::new();
    let disk = Disk::image(&stage.pair.own.dir, format)?;
    // It is another folder now, which its user has to say is meant.
    stage.pair.run(&["enable", "notes"], 0);
    let mut killed = 0;
    for (syscall, when) in choose(points(&stage)) {
        for journal in [false, true] {
            let point = format!("{format:?}, no power at {syscall} {when}, with journal: {journal}");
            let before = stage.set();
            disk.flush();
            let command = stage.pair.own.metis_sync(&["conduit", "sync", "notes"]);
            let ended = trace::with_injected(&stage.pair.own, &command, syscall, "signal=KILL", &when.to_string());
            killed += usize::from(ended.code.is_none());
            disk.lose_power(journal);
            stage.assert_whole(&before, &point);
            stage.assert_recovers(&point);
        }
    }
    Some(killed)
}

#[test]
fn a_conduit_has_no_power_at_some_steps() {
    if !trace::available() {
        return skip("strace is not installed, or may not trace");
    }
    for format in Format::ALL {
        let Some(cut) = cut(format, |all| spread(&all, 4)) else {
            return;
        };
        assert!(cut >= 6, "{cut} of 8 points were reached");
    }
}

#[test]
#[ignore = "takes minutes: scripts/torture"]
fn a_conduit_has_no_power_at_many_steps() {
    for format in Format::ALL {
        let Some(cut) = cut(format, |all| thinned(&all, 40)) else {
            return;
        };
        println!("a conduit on {format:?}: no power at {cut} points");
        assert!(cut >= 60, "{cut}");
    }
}

/// What was said to be in step is so after the power comes again, and what was replaced is kept.
#[test]
fn what_a_conduit_said_to_be_in_step_survives() {
    for format in Format::ALL {
        let stage = Stage::new();
        let Some(disk) = Disk::image(&stage.pair.own.dir, format) else {
            return;
        };
        stage.pair.run(&["enable", "notes"], 0);
        for journal in [false, true] {
            let point = format!("{format:?}, with journal: {journal}");
            let before = stage.set();
            disk.flush();
            assert_eq!(stage.pair.sync(0)["status"], "verified", "{point}");
            disk.lose_power(journal);
            stage.assert_whole(&before, &point);
            assert_eq!(stage.pair.sync(0)["status"], "in-step", "{point}");
            stage.assert_recovers(&point);
        }
    }
}
