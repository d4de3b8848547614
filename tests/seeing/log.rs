//! `log`: past syncs.

use std::fs;

use super::{json, strings, text, two};
use crate::support::world::World;

#[test]
fn past_syncs_newest_first() {
    let world = World::new();
    let (api, _web) = two(&world);
    let log = json(&api, &["log"], 0);
    assert_eq!(strings(&log["entries"], "outcome"), ["synced", "synced"]);
    assert_eq!(
        (&log["entries"][0]["pulled"]["web"], &log["entries"][1]["pushed"]),
        (&2.into(), &3.into())
    );

    fs::rename(&world.central.dir, world.root().join("moved.git")).unwrap();
    api.sync().failure(1);
    let log = json(&api, &["log", "-n", "1"], 0);
    assert_eq!(strings(&log["entries"], "error"), ["no-repository"]);
    let shown = text(&api, &["log"], 0);
    let lines: Vec<&str> = shown.lines().collect();
    assert_eq!(lines.len(), 5, "{shown}");
    assert!(
        lines[0].contains("failed: no repository at central's address"),
        "{shown}"
    );
    assert!(lines[1].contains("synced  pulled 2 (web) → "), "{shown}");
    assert_eq!(lines[2], "    WEB-T-0001, WEB-T-0002");
    assert!(lines[3].contains("synced  pushed 3 → "), "{shown}");
    assert_eq!(lines[4], "    API-T-0001, API-T-0002, API-T-0003");
    let status = text(&api, &["status"], 0);
    assert!(
        status.contains("The last attempt failed") && status.contains("no repository at central's address"),
        "{status}"
    );
}

#[test]
fn no_journal_and_a_damaged_one() {
    let world = World::new();
    let api = world.workspace("api");
    assert_eq!(text(&api, &["log"], 0), "No sync has changed anything here yet.\n");
    assert!(!api.metis().join(".sync").exists(), "looking makes nothing");
    api.write("API-T-0001", "New.");
    api.sync().report();
    let journal = api.metis().join(".sync/journal.jsonl");
    let hostile = r#"{"schema":1,"started":"\u001b[2J","outcome":"\u202e","error":"\u0007","trigger":"\u009b"}"#;
    fs::write(
        &journal,
        format!("{hostile}\nno json\n{}", fs::read_to_string(&journal).unwrap()),
    )
    .unwrap();
    let shown = text(&api, &["log", "-v"], 0);
    super::assert_harmless(&shown);
    assert!(shown.ends_with("1 lines of the journal cannot be read.\n"), "{shown}");
    assert_eq!(json(&api, &["log"], 0)["unreadable"], 1);
}
