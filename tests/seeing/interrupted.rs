//! Ctrl-C while one of the commands that look works.

use std::{
    process::Stdio,
    time::{Duration, Instant},
};

use crate::support::{
    interrupt::{AT_ONCE, interrupted},
    world::World,
};

/// A long look back ends when it is told to.
#[test]
fn a_look_back_can_be_interrupted() {
    let world = World::new();
    let api = world.workspace("api");
    api.write("API-T-0001", "One.");
    api.sync().report();
    let branch = &world.central.branch;
    let mut history = String::new();
    for n in 0..20_000 {
        let from = if n == 0 {
            format!("from refs/heads/{branch}^0\n")
        } else {
            String::new()
        };
        let text = n.to_string();
        history += &format!(
            "commit refs/heads/{branch}\ncommitter a <a@b> {n} +0000\ndata 0\n{from}M 100644 inline web/WEB-T-0001.md\ndata {}\n{text}\n",
            text.len()
        );
    }
    world
        .central
        .git_reading(&["fast-import", "--quiet"], history.as_bytes());
    api.sync().report();
    let mut log = api.metis_sync(&["log", "--depth", "1000000", "API-T-0001"]);
    let log = log
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it runs");
    let begun = Instant::now();
    let (status, took) = interrupted(log, || begun.elapsed() > Duration::from_millis(300));
    assert_eq!(status.code(), Some(130));
    assert!(took < 2 * AT_ONCE, "{took:?}");
}
