//! One workspace, two clones of it, both syncing: neither undoes what the other one pushed.

use std::fs;

use crate::support::{process::run, report::Report, workspace::Workspace, world::World};

const CODES: [&str; 4] = ["API-T-0001", "API-T-0002", "API-T-0003", "API-T-0004"];

/// A checkout of the same project by somebody else, who has not synced yet.
fn checkout(world: &World) -> Workspace {
    let clone = world.workspace("api");
    for code in CODES {
        clone.write(code, "As it was.");
    }
    clone
}

/// Two clones, both in step with central.
fn two_clones(world: &World) -> (Workspace, Workspace) {
    let (ann, bob) = (checkout(world), checkout(world));
    assert!(ann.sync().report().registered);
    let report = bob.sync().report();
    assert_eq!((report.commit, report.behind.len()), (None, 0), "the same is no news");
    (ann, bob)
}

fn behind(report: &Report) -> Vec<(&str, &str)> {
    let words = |one: &'static str, value: &serde_json::Value| value[one].as_str().unwrap().to_owned().leak() as &str;
    report
        .behind
        .iter()
        .map(|behind| (words("code", behind), words("change", behind)))
        .collect()
}

/// What central holds of these clones.
fn central(world: &World, code: &str) -> Option<String> {
    let bytes = world.central.folder("api").remove(&format!("{code}.md"))?;
    Some(String::from_utf8(bytes).unwrap())
}

#[test]
fn changes_to_different_documents_both_survive() {
    let world = World::new();
    let (ann, bob) = two_clones(&world);
    ann.edit("API-T-0001", "Ann was here.");
    ann.delete("API-T-0002");
    ann.write("API-T-0005", "Made by Ann.");
    ann.sync().report();
    bob.edit("API-T-0003", "Bob was here.");
    bob.delete("API-T-0004");
    bob.write("API-T-0006", "Made by Bob.");

    let report = bob.sync().report();

    assert_eq!(report.pushed, ["API-T-0003", "API-T-0006"]);
    assert_eq!(report.removed, ["API-T-0004"]);
    assert_eq!(
        behind(&report),
        [
            ("API-T-0001", "changed"),
            ("API-T-0002", "removed"),
            ("API-T-0005", "added")
        ]
    );
    for _ in 0..2 {
        // However often the stale clone syncs.
        bob.sync().report();
        assert!(central(&world, "API-T-0001").unwrap().contains("Ann was here."));
        assert!(central(&world, "API-T-0003").unwrap().contains("Bob was here."));
        assert_eq!(central(&world, "API-T-0002"), None);
        assert_eq!(central(&world, "API-T-0004"), None);
        assert!(central(&world, "API-T-0005").is_some() && central(&world, "API-T-0006").is_some());
    }
    world.central.fsck_strict();
}

/// Both edit; or one edits what the other removes; or both make it.
#[test]
fn changes_to_the_same_document_stop_and_force_decides() {
    type Change = fn(&Workspace);
    let edited: Change = |clone| clone.edit("API-T-0001", "Changed by Bob.");
    let removed: Change = |clone| clone.delete("API-T-0001");
    let both: [(Change, Change, &str); 4] = [
        (|ann| ann.edit("API-T-0001", "Changed by Ann."), edited, "API-T-0001"),
        (|ann| ann.delete("API-T-0001"), edited, "API-T-0001"),
        (|ann| ann.edit("API-T-0001", "Changed by Ann."), removed, "API-T-0001"),
        (
            |ann| drop(ann.write("API-T-0005", "Ann's.")),
            |bob| drop(bob.write("API-T-0005", "Bob's.")),
            "API-T-0005",
        ),
    ];
    for (by_ann, by_bob, code) in both {
        let world = World::new();
        let (ann, bob) = two_clones(&world);
        by_ann(&ann);
        ann.sync().report();
        by_bob(&bob);
        bob.edit("API-T-0002", "Also changed by Bob.");
        let tip = world.central.tip();
        let mine = bob.documents();

        for _ in 0..2 {
            let failure = bob.sync().failure(3);
            assert_eq!(failure.kind, "diverged");
            assert!(failure.message.contains(code), "{failure:?}");
            assert!(!failure.message.contains("API-T-0002"), "{failure:?}");
            assert!(failure.next.unwrap().contains("git metis-sync resolve"));
        }
        assert_ne!(world.central.tip(), tip, "the rest is pushed");
        assert!(central(&world, "API-T-0002").unwrap().contains("Also changed by Bob."));
        assert_ne!(
            world.central.folder("api").get(&format!("{code}.md")),
            mine.get(&format!("{code}.md"))
        );
        assert_eq!(bob.documents(), mine, "and nothing is touched here");

        bob.sync_with(&["--force"]).report();
        assert_eq!(
            world.central.folder("api").get(&format!("{code}.md")),
            mine.get(&format!("{code}.md"))
        );
        assert!(central(&world, "API-T-0002").unwrap().contains("Also changed by Bob."));
    }
}

/// The same happens when the other clone is faster in between: the retry reads central anew and stops.
#[test]
fn a_race_for_the_same_document_stops_in_the_retry() {
    let world = World::new();
    let (ann, bob) = two_clones(&world);
    ann.edit("API-T-0001", "Changed by Ann.");
    bob.edit("API-T-0001", "Changed by Bob.");
    world
        .points
        .command(crate::support::point::Point::BeforeRef, &ann.sync_command(&[]));
    let failure = bob.sync().failure(3);
    assert_eq!(failure.kind, "diverged");
    assert!(central(&world, "API-T-0001").unwrap().contains("Changed by Ann."));
}

/// Ann changes one, removes one and makes one; then a clone that knows nothing of it syncs.
fn ann_moves_on(ann: &Workspace) {
    ann.edit("API-T-0001", "Ann was here.");
    ann.delete("API-T-0002");
    ann.write("API-T-0005", "Made by Ann.");
    ann.sync().report();
}

/// Whatever the stale one pushed, Ann's changes are there.
#[track_caller]
fn nothing_is_undone(world: &World) {
    assert!(central(world, "API-T-0001").unwrap().contains("Ann was here."));
    assert_eq!(central(world, "API-T-0002"), None, "what Ann removed stays removed");
    assert!(central(world, "API-T-0005").is_some());
    world.central.fsck_strict();
}

/// A fresh clone of an old checkout, without `.metis/.sync`: central's own history shows what is old.
#[test]
fn the_first_sync_of_a_stale_checkout_undoes_nothing() {
    for age in 0..2 {
        let world = World::new();
        let (ann, _) = two_clones(&world);
        ann_moves_on(&ann);
        for more in 0..age {
            ann.edit("API-T-0003", &format!("And more {more}."));
            ann.sync().report();
        }
        let fresh = checkout(&world);
        fresh.write("API-T-0006", "Made here, before the first sync.");
        let report = fresh.sync().report();
        nothing_is_undone(&world);
        assert_eq!(report.pushed, ["API-T-0006"]);
        let mut expected = vec![("API-T-0001", "changed"), ("API-T-0002", "removed")];
        expected.extend((age > 0).then_some(("API-T-0003", "changed")));
        expected.push(("API-T-0005", "added"));
        assert_eq!(behind(&report), expected);
        fresh.sync().report();
        nothing_is_undone(&world);
    }
}

/// What was edited in the stale checkout is a person's to decide, also where Ann removed it.
#[test]
fn edits_in_a_stale_checkout_stop_the_first_sync() {
    for code in ["API-T-0001", "API-T-0002"] {
        let world = World::new();
        let (ann, _) = two_clones(&world);
        ann_moves_on(&ann);
        let fresh = checkout(&world);
        fresh.edit(code, "Changed before the first sync.");
        let failure = fresh.sync().failure(3);
        assert!(failure.message.contains(code), "{failure:?}");
        nothing_is_undone(&world);
        fresh.sync_with(&["--force"]).report();
        assert!(
            central(&world, code)
                .unwrap()
                .contains("Changed before the first sync.")
        );
    }
}

/// The clone's own memory is lost while it is behind.
#[test]
fn without_its_state_a_clone_undoes_nothing() {
    let world = World::new();
    let (ann, bob) = two_clones(&world);
    ann_moves_on(&ann);
    fs::remove_dir_all(bob.metis().join(".sync")).unwrap();
    let report = bob.sync().report();
    assert_eq!(report.pushed, Vec::<String>::new());
    nothing_is_undone(&world);
    fs::write(bob.metis().join(".sync/cursor.json"), "{ not json").unwrap();
    bob.sync().report();
    nothing_is_undone(&world);
}

/// `last_synced_commit` comes with the project, this clone has not seen what it names.
#[test]
fn a_pulled_config_says_nothing_about_this_clone() {
    let world = World::new();
    let (ann, bob) = two_clones(&world);
    ann_moves_on(&ann);
    fs::copy(ann.metis().join("config.toml"), bob.metis().join("config.toml")).unwrap();
    let report = bob.sync().report();
    assert_eq!((report.pushed.len(), report.removed.len()), (0, 0));
    assert_eq!(report.behind.len(), 3);
    nothing_is_undone(&world);

    let fresh = checkout(&world);
    fs::copy(ann.metis().join("config.toml"), fresh.metis().join("config.toml")).unwrap();
    fresh.sync().report();
    nothing_is_undone(&world);
}

/// Everything was removed knowingly; an old checkout with the record of a sync in its config.toml does not bring it back.
#[test]
fn an_emptied_workspace_stays_empty() {
    let world = World::new();
    let (ann, _) = two_clones(&world);
    let config = ann.config();
    for code in CODES {
        ann.delete(code);
    }
    ann.sync().failure(3);
    let report = ann.sync_with(&["--allow-deletes"]).report();
    assert_eq!(report.removed, CODES);
    let fresh = checkout(&world);
    fresh.put("config.toml", config);
    let report = fresh.sync().report();
    assert_eq!((report.pushed.len(), report.behind.len()), (0, 4), "{report:?}");
    assert_eq!(world.central.folder("api").len(), 0);
}

/// What was added and removed again between two syncs, and came here by git in its old state.
#[test]
fn what_came_and_went_meanwhile_does_not_come_back() {
    let world = World::new();
    let (ann, bob) = two_clones(&world);
    ann.write("API-T-0005", "Made by Ann.");
    ann.sync().report();
    bob.sync().report();
    ann.delete("API-T-0005");
    ann.sync().report();
    bob.write("API-T-0005", "Made by Ann.");
    let report = bob.sync().report();
    assert_eq!(behind(&report), [("API-T-0005", "removed")]);
    assert_eq!(central(&world, "API-T-0005"), None);
}

/// In a project with git: what the checkout and central hold alike is where the work here started from.
#[test]
fn an_edit_on_top_of_the_committed_version_is_pushed_by_the_first_sync() {
    let world = World::new();
    let (_ann, _) = two_clones(&world);
    let fresh = checkout(&world);
    let git = |args: &[&str]| {
        let mut command = fresh.program("git");
        command
            .args(["-c", "user.name=Fresh", "-c", "user.email=fresh@example.org"])
            .args(args);
        run(command).success();
    };
    git(&["init", "--quiet"]);
    git(&["add", ".metis"]);
    git(&["commit", "--quiet", "-m", "As cloned"]);
    fresh.edit("API-T-0001", "Changed before the first sync.");
    assert_eq!(fresh.sync().report().pushed, ["API-T-0001"]);
}
