//! `diff`: what a sync would push or bring, as unified diffs.

use std::fs;

use serde_json::Value;

use super::{assert_harmless, json, second_clone, strings, text, two};
use crate::support::{document::document, process::run, world::World};

#[test]
fn nothing_to_show() {
    let world = World::new();
    let (api, _web) = two(&world);
    let before = api.snapshot();
    assert_eq!(text(&api, &["diff"], 0), "");
    assert_eq!(text(&api, &["diff", "--exit-code"], 0), "");
    assert_eq!(json(&api, &["diff"], 0)["documents"], Value::Array(vec![]));
    assert_eq!(api.snapshot(), before);
}

/// The proof that it is what a sync would push: git, given the diff, makes central's files the same as ours.
#[test]
fn git_can_apply_what_would_be_pushed() {
    let world = World::new();
    let (api, _web) = two(&world);
    api.edit("API-T-0001", "More.");
    api.delete("API-T-0002");
    api.write_at(
        "adrs/x.md",
        "API-A-0001",
        document("API-A-0001", "New", "No newline at the end").trim_end(),
    );
    let diff = text(&api, &["diff"], 0);
    assert!(!diff.contains('\u{1b}'), "no colour into a pipe");
    assert!(diff.contains("--- a/api/API-T-0002.md\n+++ /dev/null\n"), "{diff}");
    assert!(diff.contains("\\ No newline at end of file"), "{diff}");

    let clone = world.clone_central();
    let patch = world.root().join("a.patch");
    fs::write(&patch, &diff).unwrap();
    let mut apply = api.program("git");
    run({
        apply.current_dir(&clone).arg("apply").arg(&patch);
        apply
    })
    .success();
    for (name, bytes) in api.documents() {
        assert_eq!(fs::read(clone.join("api").join(&name)).ok(), Some(bytes), "{name}");
    }
    assert!(!clone.join("api/API-T-0002.md").exists());

    let one = text(&api, &["diff", "API-T-0002"], 0);
    assert!(one.contains("API-T-0002") && !one.contains("API-T-0001"), "{one}");
    assert_eq!(api.run(&["diff", "--exit-code", "-q"]).code, Some(1));
    assert_eq!(api.run(&["diff", "nonsense"]).code, Some(2));

    let value = json(&api, &["diff"], 0);
    assert_eq!(
        strings(&value["documents"], "code"),
        ["API-A-0001", "API-T-0001", "API-T-0002"]
    );
    assert_eq!(strings(&value["documents"], "change"), ["added", "changed", "removed"]);
    let joined: String = strings(&value["documents"], "diff").concat();
    assert_eq!(joined, diff);
}

#[test]
fn what_would_come() {
    let world = World::new();
    let (api, web) = two(&world);
    let clone = second_clone(&world);
    clone.edit("API-T-0001", "By the clone.");
    clone.sync().report();
    web.edit("WEB-T-0001", "By web.");
    web.delete("WEB-T-0002");
    web.sync().report();
    assert_eq!(text(&api, &["diff"], 0), "", "nothing of ours would go");
    let diff = text(&api, &["diff", "--central"], 0);
    for line in [
        "+By the clone.",
        "+By web.",
        "--- a/web/WEB-T-0002.md",
        "diff --git a/api/API-T-0001.md b/api/API-T-0001.md",
    ] {
        assert!(diff.lines().any(|found| found == line), "{line}: {diff}");
    }
    assert_eq!(
        text(&api, &["diff", "--central", "--offline"], 0),
        "",
        "the last sync saw nothing of it"
    );
    assert_eq!(json(&api, &["diff", "--central", "--exit-code"], 1)["side"], "central");

    api.edit("API-T-0001", "Here.");
    let conflict = json(&api, &["diff"], 0);
    assert_eq!(conflict["documents"][0]["conflict"], true);
    let shown = api.run(&["diff"]);
    assert!(
        shown.stderr.contains("a sync would stop (diverged)"),
        "{}",
        shown.transcript()
    );
    assert!(
        String::from_utf8(shown.stdout)
            .unwrap()
            .contains("-By the clone.\n+Here.\n")
    );
}

#[test]
fn first_time_and_out_of_reach() {
    let world = World::new();
    let api = world.workspace("api");
    api.write("API-T-0001", "New.");
    assert!(text(&api, &["diff"], 0).contains("+++ b/api/API-T-0001.md"));
    let offline = json(&api, &["diff", "--offline"], 1);
    assert_eq!(offline["error"]["kind"], "never-synced");
    api.sync().report();
    api.edit("API-T-0001", "More.");
    fs::rename(&world.central.dir, world.root().join("moved.git")).unwrap();
    let shown = api.run(&["diff"]);
    assert_eq!(shown.code, Some(0), "{}", shown.transcript());
    assert!(
        shown.stderr.contains("compared with the last sync"),
        "{}",
        shown.transcript()
    );
    assert!(String::from_utf8(shown.stdout).unwrap().contains("+More."));
}

#[test]
fn hostile_and_huge_documents_are_bounded() {
    let world = World::new();
    let (api, web) = two(&world);
    web.write_at(
        "adrs/e.md",
        "WEB-A-0001",
        document("WEB-A-0001", "Escape", "\x1b]0;title\x07 \u{202e}turned \u{9b}2J"),
    );
    web.write_at("adrs/b.md", "WEB-A-0002", document("WEB-A-0002", "Binary", "a\0b"));
    web.write_at(
        "adrs/h.md",
        "WEB-A-0003",
        document("WEB-A-0003", "Huge", &"line\n".repeat(400_000)),
    );
    web.write_at(
        "adrs/l.md",
        "WEB-A-0004",
        document("WEB-A-0004", "Long", &"line\n".repeat(5_000)),
    );
    for number in 10..60 {
        web.write(&format!("WEB-T-00{number}"), "Many.");
    }
    web.sync().report();
    let shown = text(&api, &["diff", "--central"], 0);
    assert_harmless(&shown);
    assert!(shown.contains("Binary files a/web/WEB-A-0002.md"), "{shown}");
    assert!(shown.contains("too large to be shown"), "{shown}");
    let lines = shown.lines().count();
    assert!((1000..1010).contains(&lines), "{lines}");
    assert!(shown.contains("more lines of web/WEB-A-0004.md"), "{shown}");
    assert!(
        shown.lines().last().unwrap().starts_with("… and 50 more documents"),
        "{shown}"
    );
    let value = json(&api, &["diff", "--central", "--lines", "30"], 0);
    assert_eq!(value["documents"].as_array().unwrap().len(), 54);
    assert_harmless(&strings(&value["documents"], "diff").concat());
}
