//! The progress line: there for somebody who waits on a terminal, and for nobody else.

use std::time::{Duration, Instant};

use super::two;
use crate::support::{point::Point, process::run, terminal::at_terminal, workspace::Workspace, world::World};

const WIPED: &str = "\r\x1b[2K";

fn on_a_terminal(workspace: &Workspace, args: &[&str], term: &str) -> Option<String> {
    let mut command = workspace.metis_sync(args);
    // As for a person: central might have asked for a password.
    command.env("TERM", term).env("GIT_TERMINAL_PROMPT", "1");
    Some(at_terminal(workspace, &command, "")?.success())
}

/// Central takes more than a second for each push here.
fn slow(world: &World) -> Workspace {
    let (api, _web) = two(world);
    for number in 1..=5 {
        world.points.script(Point::BeforeRef, &format!("sleep 1.{number}"));
    }
    api
}

#[test]
fn work_that_takes_longer_is_seen_and_leaves_nothing_behind() {
    let world = World::new();
    let api = slow(&world);
    api.edit("API-T-0001", "More.");
    let Some(shown) = on_a_terminal(&api, &[], "xterm") else {
        return;
    };
    let (before, after) = shown.rsplit_once(WIPED).expect("a line was drawn");
    assert!(before.contains(&format!("{WIPED}pushing")), "{shown:?}");
    assert!(after.starts_with("Pushed: 1 document (API-T-0001)\n"), "{shown:?}");
    assert!(!after.contains('\x1b') && after.lines().count() == 2, "{shown:?}");
}

#[test]
fn nobody_else_sees_it() {
    let world = World::new();
    let api = slow(&world);
    for (args, term) in [
        (&["--no-progress"][..], "xterm"),
        (&["--quiet"], "xterm"),
        (&[], "dumb"),
    ] {
        api.edit("API-T-0001", "More.");
        let Some(shown) = on_a_terminal(&api, args, term) else {
            return;
        };
        assert!(!shown.contains('\x1b') && !shown.contains('\r'), "{shown:?}");
    }
    api.edit("API-T-0001", "More.");
    let mut piped = api.metis_sync(&[]);
    piped.env("TERM", "xterm");
    let piped = run(piped);
    assert_eq!((piped.code, piped.stderr.as_str()), (Some(0), ""));
    assert_eq!(world.points.waiting(), 1, "each of them waited");
}

/// Whatever takes no longer than half a second has none.
#[test]
fn quick_work_has_none() {
    let world = World::new();
    let (api, _web) = two(&world);
    for args in [
        &["status"][..],
        &["log"],
        &["verify"],
        &["diff"],
        &["query", "workspace"],
    ] {
        let begun = Instant::now();
        let Some(shown) = on_a_terminal(&api, args, "xterm") else {
            return;
        };
        let quick = begun.elapsed() < Duration::from_millis(500);
        assert!(!quick || !shown.contains(WIPED), "{args:?} shows {shown:?}");
    }
}
