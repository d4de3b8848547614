//! What a sync did is taken back with `undo`, and no later sync brings it back unasked.

use std::fs;

use crate::support::team::{Checkout, Team, exits};

/// Undoes, and returns all that was said.
#[track_caller]
fn undoes(person: &Checkout, options: &[&str]) -> String {
    exits(&person.run(&[&["undo", "--yes"], options].concat()), 0)
}

/// Central's history, newest first.
fn commits(team: &Team) -> Vec<String> {
    let central = team.world.central.dir.display().to_string();
    let log = team
        .ann
        .git(&format!("--git-dir={central} log --first-parent --format=%H main"));
    log.lines().map(str::to_owned).collect()
}

#[test]
fn a_published_edit_goes_back_and_stays_there() {
    for source in ["main", "worktree"] {
        let team = Team::publishing(source);
        team.ann.publishes(1, "v2");
        let before = commits(&team);
        let said = undoes(&team.ann, &[]);
        assert!(said.contains("in a new commit: API-T-0001\n"), "{said}");
        assert_eq!(team.plans(), "1=v1 2=v1 3=v1", "source {source}");
        assert_eq!(commits(&team)[1..], before, "never a rewind");
        assert!(team.ann.read(1).contains("v2"), "own files are nobody's to change");

        // Nobody's sync takes that back: not hers, not a colleague's who has the commit, not a hook's.
        let said = team.ann.syncs();
        assert!(said.contains("taken back by `git metis-sync undo`"), "{said}");
        team.ann.commit_code();
        team.ann.syncs();
        assert_eq!(team.plans(), "1=v1 2=v1 3=v1", "hers, source {source}");
        for _ in 0..2 {
            team.bob.catches_up();
            assert_eq!(team.plans(), "1=v1 2=v1 3=v1", "Bob's, source {source}");
        }
        team.ann.install_hooks();
        team.ann.git("push -q");
        team.ann.hooks_end();
        assert_eq!(team.plans(), "1=v1 2=v1 3=v1", "a hook's, source {source}");

        // What comes after it is published like anything else.
        team.ann.commits(1, "v3");
        team.ann.syncs();
        assert_eq!(team.plans(), "1=v3 2=v1 3=v1", "source {source}");
        team.edits_get_through(&team.ann);
    }
}

#[test]
fn a_person_may_have_it_published_after_all() {
    let team = Team::new();
    team.ann.publishes(1, "v2");
    undoes(&team.ann, &[]);
    exits(&team.ann.run(&["resolve", "API-T-0001", "--take", "local"]), 0);
    assert_eq!(team.plans(), "1=v2 2=v1 3=v1");
    let said = team.ann.syncs();
    assert!(!said.contains("taken back"), "{said}");
    // Or take what central has.
    undoes(&team.ann, &[]);
    exits(&team.ann.run(&["resolve", "API-T-0001", "--take", "central"]), 0);
    assert!(team.ann.read(1).contains("v1"));
    team.ann.commit("back");
    team.ann.git("push -q");
    team.ann.syncs();
    team.bob.catches_up();
    assert_eq!(team.plans(), "1=v1 2=v1 3=v1");
    team.edits_get_through(&team.bob);
}

#[test]
fn an_uncommitted_edit_a_new_document_and_a_removal() {
    let team = Team::new();
    team.ann.write(1, "draft");
    team.ann.write(4, "new");
    team.ann.remove(2);
    team.ann.syncs();
    assert_eq!(team.plans(), "1=draft 3=v1 4=new");
    let said = undoes(&team.ann, &[]);
    assert!(said.contains("loses it in a new commit: API-T-0004\n"), "{said}");
    assert_eq!(team.plans(), "1=v1 2=v1 3=v1");
    for person in [&team.ann, &team.bob, &team.ann] {
        person.syncs();
        assert_eq!(team.plans(), "1=v1 2=v1 3=v1");
    }
    assert!(!team.ann.metis().join("API-T-0002.md").exists());
    // Put away and written once more: another version is another matter.
    team.ann.write(4, "better");
    team.ann.syncs();
    assert_eq!(team.plans(), "1=v1 2=v1 3=v1 4=better");
    team.edits_get_through(&team.bob);
}

#[test]
fn several_syncs_and_again() {
    let team = Team::new();
    for text in ["v2", "v3", "v4"] {
        team.ann.publishes(1, text);
    }
    undoes(&team.ann, &["2"]);
    assert_eq!(team.plans(), "1=v2 2=v1 3=v1");
    undoes(&team.ann, &[]);
    assert_eq!(team.plans(), "1=v1 2=v1 3=v1", "the one before those");
    team.ann.syncs();
    team.bob.catches_up();
    assert_eq!(team.plans(), "1=v1 2=v1 3=v1");
}

#[test]
fn nothing_that_somebody_went_on_from() {
    let team = Team::new();
    team.ann.publishes(1, "v2");
    team.bob.git("pull -q");
    team.bob.publishes(1, "bob");
    let said = exits(&team.ann.run(&["undo", "--yes"]), 1);
    assert!(said.contains("API-T-0001: it was changed again since"), "{said}");

    team.ann.catches_up();
    team.ann.write(2, "v2");
    team.ann.write(3, "v2");
    team.ann.syncs();
    team.ann.write(2, "edited since");
    let said = undoes(&team.ann, &[]);
    assert!(said.contains("API-T-0002, as it was edited here since"), "{said}");
    assert_eq!(team.plans(), "1=bob 2=v2 3=v1");
    team.ann.syncs();
    assert_eq!(team.plans(), "1=bob 2=edited since 3=v1");
}

#[test]
fn it_is_shown_and_asked_for_before_anything_is_done() {
    let team = Team::new();
    team.ann.publishes(1, "v2");
    let before = commits(&team);
    let said = exits(&team.ann.run(&["undo", "--dry-run"]), 0);
    assert!(
        said.contains("Taken back: `sync` of ") && said.contains("API-T-0001"),
        "{said}"
    );
    exits(&team.ann.run(&["undo"]), 2);
    assert_eq!(commits(&team), before);
    let planned = team.ann.run(&["--json", "undo", "-n"]);
    let planned: serde_json::Value = serde_json::from_slice(&planned.stdout).expect("a document");
    assert_eq!(planned["plan"]["held_back"], serde_json::json!(["API-T-0001"]));

    // Where nothing was done, there is nothing to take back.
    let cleo = team.clone("cleo", "");
    let said = exits(&cleo.run(&["undo", "--yes"]), 1);
    assert!(said.contains("no sync here has left anything"), "{said}");
    // And without central nothing that was published.
    fs::rename(&team.world.central.dir, team.world.root().join("away")).expect("temp folder is writable");
    assert_ne!(team.ann.run(&["undo", "--yes"]).code, Some(0));
}

#[test]
fn copies_of_other_workspaces_go_back() {
    let team = Team::new();
    let copy = team.ann.metis().join("web/WEB-T-0001.md");
    team.web.publishes(1, "v2");
    team.web.publishes(9, "new");
    team.ann.syncs();
    assert!(fs::read_to_string(&copy).unwrap().contains("v2"));
    let head = commits(&team);
    // Central is not needed for that.
    let away = team.world.root().join("away");
    fs::rename(&team.world.central.dir, &away).expect("temp folder is writable");
    let said = undoes(&team.ann, &[]);
    fs::rename(&away, &team.world.central.dir).expect("temp folder is writable");
    assert!(said.contains(".metis/web/ goes back"), "{said}");
    assert!(fs::read_to_string(&copy).unwrap().contains("v1"));
    assert!(!team.ann.metis().join("web/WEB-T-0009.md").exists());
    assert_eq!(commits(&team), head);
    let listed = exits(&team.ann.run(&["list", "--workspace", "web"]), 0);
    assert!(!listed.contains("WEB-T-0009"), "metis.db says so too: {listed}");

    team.ann.syncs();
    assert!(
        fs::read_to_string(&copy).unwrap().contains("v1"),
        "as long as central is as it was"
    );
    team.web.publishes(2, "v2");
    team.ann.syncs();
    assert!(fs::read_to_string(&copy).unwrap().contains("v2"));
    assert!(team.ann.metis().join("web/WEB-T-0009.md").exists());
}

#[test]
fn what_resolve_wrote_goes_back() {
    for side in ["central", "merge"] {
        let team = Team::new();
        team.ann.publishes(1, "a\n\nb\n\nc");
        team.bob.catches_up();
        team.ann.write(1, "ann\n\nb\n\nc");
        team.ann.syncs();
        team.bob.commits(1, "a\n\nb\n\nbob");
        team.bob.sync_exits(3);
        let central = team.plans();
        exits(&team.bob.run(&["resolve", "API-T-0001", "--take", side]), 0);
        assert!(team.bob.read(1).contains("ann"), "{side}");
        undoes(&team.bob, &[]);
        assert!(
            team.bob.read(1).starts_with(r"a\n\nb\n\nbob"),
            "{side}: {}",
            team.bob.read(1)
        );
        assert_eq!(team.plans(), central, "{side}");
        let said = team.bob.syncs();
        assert!(said.contains("taken back"), "{side}: {said}");
        assert_eq!(team.plans(), central, "it is as open as before: {side}");
        exits(&team.bob.run(&["resolve", "API-T-0001", "--take", "local"]), 0);
        assert!(team.plans().starts_with("1=a\\n\\nb\\n\\nbob"), "{side}");
    }
}

#[test]
fn the_log_names_documents_and_what_was_taken_back() {
    let team = Team::new();
    for number in 1..=6 {
        team.ann.write(number, "v2");
    }
    team.ann.syncs();
    undoes(&team.ann, &[]);
    let log = exits(&team.ann.run(&["log"]), 0);
    let named = "    API-T-0001, API-T-0002, API-T-0003, API-T-0004, API-T-0005 and 1 more\n";
    assert_eq!(log.matches(named).count(), 2, "{log}");
    assert!(log.contains("undone  pushed 3, removed 3"), "{log}");
}
