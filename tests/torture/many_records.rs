//! A device that has written very much: all of it is published, a newcomer takes all of it up, and both show the same. What goes over
//! the line for that is as little as it was meant to be.

use std::{path::Path, process::Command};

use crate::{
    records::{dump, json, sync, unpublished},
    support::{servers::installed, world::World},
};

/// How many a command writes.
const EACH: usize = 5000;

fn a_newcomer_takes_up(entries: usize) {
    let world = World::new();
    let api = world.workspace("api");
    api.write("API-T-0001", "One.");
    sync(&api);
    for first in (0..entries).step_by(EACH) {
        let tags: Vec<String> = (first..first + EACH).map(|number| format!("tag-{number}")).collect();
        let tags: Vec<&str> = tags.iter().map(String::as_str).collect();
        api.run(&[&["-q", "tag", "add", "API-T-0001"], &tags[..]].concat())
            .success();
    }
    let all = entries as u64;
    assert_eq!(unpublished(&api), all);
    assert_eq!((sync(&api), unpublished(&api)), ((0, all), 0));
    let web = world.workspace("web");
    assert_eq!(sync(&web), (all, 0));
    let shown = dump(&web);
    assert_eq!(shown.matches("\"model\":\"tag\"").count(), entries);
    assert!(shown == dump(&api), "they differ");
    for workspace in [&api, &web] {
        assert_eq!(sync(workspace), (0, 0), "a second sync sends nothing");
    }
    json(&api, &["tag", "rm", "API-T-0001", "tag-0"]);
    json(&web, &["tag", "add", "API-T-0001", "one-more"]);
    assert_eq!((sync(&api), sync(&web), sync(&api)), ((0, 1), (1, 1), (1, 0)));
    let shown = dump(&web);
    assert_eq!(shown.matches("\"model\":\"tag\"").count(), entries);
    assert!(shown == dump(&api), "they differ");
    world.central.fsck_strict();
}

#[test]
fn ten_thousand_entries_reach_a_newcomer() {
    a_newcomer_takes_up(10_000);
}

#[test]
#[ignore = "takes half a minute: scripts/torture"]
fn a_hundred_thousand_entries_reach_a_newcomer() {
    a_newcomer_takes_up(100_000);
}

/// The goals stand where the figures for docs/performance.md are measured; this fails where one is missed.
#[test]
fn few_bytes_bring_many_records() {
    let Some([python]) = installed(["python3"]) else {
        return;
    };
    let mut bench = Command::new(python);
    bench.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/bench"));
    bench.args(["--bytes", "--program", env!("CARGO_BIN_EXE_git-metis-sync")]);
    // On a busy machine it takes longer than a command of a test may.
    let ended = bench.output().expect("Python runs");
    let said = String::from_utf8_lossy(&ended.stdout).into_owned();
    assert!(
        ended.status.success(),
        "{said}{}",
        String::from_utf8_lossy(&ended.stderr)
    );
    let goals = ["25,000 bytes", "6,000 bytes", "200,000 bytes"];
    assert_eq!(said.lines().count(), goals.len(), "{said}");
    for (line, goal) in said.lines().zip(goals) {
        assert!(line.ends_with(&format!(" bytes (goal {goal}).")), "{line}");
    }
}
