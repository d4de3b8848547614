//! What is noted of a sync: `last.json`, the journal, how long it took.

use std::fs;

use serde_json::json;

use super::{json, last, two};
use crate::support::{point::Point, world::World};

/// Every full sync that went well is noted, one that changed nothing too; no other one resets it.
#[test]
fn the_last_full_sync_that_went_well() {
    let world = World::new();
    let api = world.workspace("api");
    let web = world.workspace("web");
    web.write("WEB-T-0001", "Theirs.");
    web.sync().report();
    assert_eq!(last(&api), None);
    api.write("API-T-0001", "Mine.");
    api.sync().report();
    let first = last(&api).unwrap();
    assert_eq!(
        (&first["outcome"], &first["trigger"]),
        (&json!("synced"), &json!("sync"))
    );
    assert_eq!(first["head"], json!(world.central.tip().unwrap()));

    for idle in 1..=2 {
        api.sync().report();
        let noted = last(&api).unwrap();
        assert_eq!(
            (&noted["outcome"], &noted["idle"]),
            (&json!("up-to-date"), &json!(idle))
        );
    }
    let noted = last(&api);
    for partial in [&["--pull-only"][..], &["--workspace", "web"], &["--dry-run"]] {
        api.sync_with(partial).report();
        assert_eq!(last(&api), noted, "{partial:?}");
    }
    fs::rename(&world.central.dir, world.root().join("away.git")).unwrap();
    api.sync().failure(1);
    assert_eq!(last(&api), noted);
    let status = json(&api, &["status", "--offline"], 0);
    assert_eq!(status["last_failure"]["error"], "no-repository");
    assert_eq!(status["last_completed"]["idle"], 2);

    fs::rename(world.root().join("away.git"), &world.central.dir).unwrap();
    api.sync().report();
    let status = json(&api, &["status"], 0);
    assert_eq!(status["last_failure"], json!(null), "one went well since");
    let log = json(&api, &["log"], 0);
    assert_eq!(log["last"]["idle"], 3);
    let shown = String::from_utf8(api.run(&["log"]).stdout).unwrap();
    assert!(shown.lines().next().unwrap().contains("up-to-date × 3"), "{shown}");
    let shown = String::from_utf8(api.run(&["status"]).stdout).unwrap();
    assert!(shown.contains("; central looked at just now (by `sync`)"), "{shown}");

    api.edit("API-T-0001", "More.");
    api.sync().report();
    assert_eq!(last(&api).unwrap()["idle"], 0);
    let log = json(&api, &["log", "-n", "1"], 0);
    assert_eq!(log["entries"][0]["idle"], 3);
}

/// The kernel frees the lock of a dead process; its line tells of it.
#[test]
fn a_sync_that_was_killed_is_told_of() {
    let world = World::new();
    let (api, _web) = two(&world);
    api.edit("API-T-0001", "More.");
    let mut gate = world.points.gate(Point::BeforePush);
    let sync = api.start_sync();
    gate.wait();
    let killed = sync.kill();
    assert_eq!(killed.code, None);
    gate.open();
    let report = api.sync().report();
    let warned: Vec<&String> = report
        .warnings
        .iter()
        .filter(|warning| warning.contains("was ended before it was done"))
        .collect();
    assert_eq!(warned.len(), 1, "{report:?}");
    assert!(warned[0].contains("`git metis-sync sync`"), "{warned:?}");
    let log = json(&api, &["log", "-n", "2"], 0);
    let entries = log["entries"].as_array().unwrap();
    assert_eq!(
        (&entries[0]["outcome"], &entries[1]["outcome"]),
        (&json!("synced"), &json!("died"))
    );
    assert_eq!(entries[1]["trigger"], "sync");
    let shown = String::from_utf8(api.run(&["log"]).stdout).unwrap();
    assert!(
        shown.contains("failed: its process was ended before it was done"),
        "{shown}"
    );
    assert_eq!(api.sync().report().warnings, Vec::<String>::new(), "once");
}

#[test]
fn a_failure_says_how_long_it_took() {
    let world = World::new();
    let (api, _web) = two(&world);
    fs::remove_dir_all(&world.central.dir).unwrap();
    let failed = api.run(&["sync"]);
    assert_eq!(failed.code, Some(1));
    let said = failed.stderr;
    let (_, rest) = said.split_once("\n  Nothing was pushed. It took ").unwrap();
    rest.split_once(" s.\n").unwrap().0.parse::<f64>().unwrap();
    assert!(json(&api, &["sync"], 1)["seconds"].as_f64().unwrap() > 0.0);
}
