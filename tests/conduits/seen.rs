//! What `status`, `verify`, `doctor` and `log` say of conduits.

use std::fs;

use serde_json::Value;

use super::{
    Pair,
    central::{self, Project},
};
use crate::support::{snapshot::Snapshot, workspace::Workspace, world::World};

fn says(own: &Workspace, args: &[&str], exit: i32) -> String {
    let finished = own.run(args);
    assert_eq!(finished.code, Some(exit), "{}", finished.transcript());
    String::from_utf8_lossy(&finished.stdout).into_owned()
}

fn json(own: &Workspace, args: &[&str], exit: i32) -> Value {
    serde_json::from_str(&says(own, &[&["--json"], args].concat(), exit)).expect("it is JSON")
}

/// The level of what `doctor` found about conduits, and what it said.
fn diagnosed(own: &Workspace, exit: i32) -> (String, String) {
    let found = json(own, &["doctor"], exit);
    let findings = found["findings"].as_array().expect("a list");
    let of_conduits = findings.iter().find(|finding| finding["check"] == "conduits");
    let finding = of_conduits.unwrap_or_else(|| panic!("nothing about conduits: {found}"));
    let text = |name: &str| finding[name].as_str().unwrap_or_default().to_owned();
    (text("level"), text("message") + " " + &text("advice"))
}

#[test]
fn two_folders_without_a_central() {
    let pair = Pair::new(&[]);
    let own = &pair.own;
    pair.put("left/a", "1");
    pair.put("left/b", "1");
    let before = Snapshot::of(&own.dir);
    assert!(says(own, &["status"], 0).contains("Conduits: notes: 2 to copy"));
    assert!(says(own, &["verify"], 1).contains("Conduits: notes: 2 to copy"));
    assert_eq!(diagnosed(own, 0), ("ok".into(), "notes: 2 to copy ".into()));
    assert_eq!(Snapshot::of(&own.dir).since(&before), Vec::<&std::path::Path>::new());

    pair.sync(0);
    assert!(says(own, &["status"], 0).contains("Conduits: notes: in step"));
    assert_eq!(json(own, &["verify"], 0)["conduits"][0]["plan"]["status"], "in-step");
    let log = says(own, &["log"], 0);
    assert!(
        log.contains("conduit notes: verified  copied 2, by `conduit sync`"),
        "{log}"
    );

    pair.put("left/a", "2");
    pair.put("right/a", "3");
    pair.remove("right/b");
    assert!(says(own, &["status"], 0).contains("notes: 1 to delete, 1 to decide"));
    let (level, message) = diagnosed(own, 0);
    assert!(level == "note" && message.contains("conduit diff notes"), "{message}");
    assert_eq!(
        json(own, &["status"], 0)["conduits"][0]["plan"]["conflicts"][0]["kind"],
        "MM"
    );

    fs::rename(pair.path("left"), pair.path("aside")).expect("it is ours");
    let (level, message) = diagnosed(own, 1);
    assert!(level == "problem" && message.contains("put it back"), "{message}");
    assert!(says(own, &["verify"], 1).contains("notes: stopped: "));
    fs::rename(pair.path("aside"), pair.path("left")).expect("it is free");

    pair.run(&["disable", "notes"], 0);
    assert!(says(own, &["status"], 0).contains("Conduits: notes: not enabled"));
    assert_eq!(diagnosed(own, 0).0, "note");
    says(own, &["verify"], 0);
}

#[test]
fn a_branch_as_it_is_and_as_the_last_sync_saw_it() {
    let world = World::new();
    let [shop, web] = ["shop", "web"].map(|prefix| Project::new(&world, prefix, &[]));
    shop.0.run(&[]).success();
    shop.put("a", "1");
    assert!(says(&shop.0, &["status"], 0).contains("Conduits: skills: 1 to copy"));
    shop.sync(0);
    web.sync(0);
    web.put("b", "1");
    web.sync(0);
    let line = "Conduits: skills: 1 to copy";
    assert!(says(&shop.0, &["status"], 0).contains(line));
    assert!(says(&shop.0, &["verify", "--fetch"], 1).contains(line));
    let in_step = "Conduits: skills: in step";
    assert!(says(&shop.0, &["status", "--offline"], 0).contains(in_step));
    assert!(says(&shop.0, &["verify"], 0).contains(in_step));
    assert!(says(&shop.0, &["status", "--porcelain"], 0).contains("K\tskills\tenabled\t1 to copy\n"));
    shop.sync(0);
    let commit = world.central.git(&["rev-parse", central::BRANCH]);
    let log = json(&web.0, &["log"], 0);
    assert_eq!(log["conduits"][0]["commit"], commit.trim(), "{log}");
    let log = says(&web.0, &["log"], 0);
    assert!(log.contains(&format!("copied 1 → {}", &commit[..10])), "{log}");
}

/// Line by line: what a sync would do, what waits, and what a past one did.
#[test]
fn differences_are_shown_line_by_line() {
    let pair = Pair::new(&[]);
    for path in ["same", "edited", "gone", "both"] {
        pair.put(&format!("left/{path}"), "old\n");
    }
    pair.sync(0);
    pair.put("left/edited", "new\n");
    pair.put("left/made", "made\n");
    pair.remove("right/gone");
    pair.put("left/both", "left\n");
    pair.put("right/both", "right\n");
    let before = Snapshot::of(&pair.own.dir);
    let shown = says(&pair.own, &["conduit", "diff", "notes"], 0);
    for lines in [
        "# in beta: edited\n",
        "-old\n+new\n",
        "# in alpha: gone\n",
        "# in beta: made\n",
        "new file",
        "# waits: both (edited on both sides)",
        "-left\n+right\n",
    ] {
        assert!(shown.contains(lines), "{lines:?} in {shown}");
    }
    assert!(!shown.contains("same"), "{shown}");
    assert_eq!(
        Snapshot::of(&pair.own.dir).since(&before),
        Vec::<&std::path::Path>::new()
    );

    pair.sync(8);
    let told = json(&pair.own, &["conduit", "diff", "notes", "2"], 0);
    let paths: Vec<&str> = told["differences"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|difference| difference["path"].as_str())
        .collect();
    assert_eq!(paths, ["edited", "made", "gone"], "{told}");
    assert!(
        told["differences"][0]["diff"]
            .as_str()
            .unwrap()
            .contains("-old\n+new\n")
    );
    assert!(told["differences"][2]["diff"].as_str().unwrap().contains("-old\n"));
    says(&pair.own, &["conduit", "diff", "notes", "7"], 1);
}
