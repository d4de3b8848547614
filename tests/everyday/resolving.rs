//! Documents that are behind or diverged, and what a person decides about them with `resolve`.

use crate::support::{
    process::{Finished, quoted, run},
    team::{Team, exits},
    world::World,
};

/// Both edit the same document without a word to each other, and Bob's sync stops for it.
fn diverged(ann: &str, bob: &str) -> Team {
    let team = Team::new();
    team.ann.publishes(1, "a\n\nb\n\nc");
    team.bob.catches_up();
    team.ann.write(1, ann);
    team.ann.syncs();
    team.bob.commits(1, bob);
    let said = team.bob.sync_exits(3);
    assert!(said.contains("git metis-sync resolve"), "{said}");
    team
}

#[test]
fn what_waits_is_listed() {
    let team = diverged("ann\n\nb\n\nc", "bob\n\nb\n\nc");
    let said = exits(&team.bob.run(&["resolve"]), 0);
    assert!(said.contains("API-T-0001") && said.contains("--take"), "{said}");
    assert!(!said.contains("API-T-0002"), "{said}");
    let said = exits(&team.ann.run(&["resolve"]), 0);
    assert!(said.contains("Nothing waits"), "{said}");
    let said = exits(&team.bob.run(&["resolve", "API-T-0002", "--take", "local"]), 1);
    assert!(said.contains("waits for no decision"), "{said}");
}

#[test]
fn taking_what_is_here_publishes_it() {
    let team = diverged("ann\n\nb\n\nc", "bob\n\nb\n\nc");
    exits(&team.bob.run(&["resolve", "API-T-0001", "--take", "local"]), 0);
    assert_eq!(team.plans(), "1=bob\\n\\nb\\n\\nc 2=v1 3=v1");
    team.bob.git("push -q");
    team.ann.git("checkout -q -- .");
    team.ann.catches_up();
    assert_eq!(
        team.plans(),
        "1=bob\\n\\nb\\n\\nc 2=v1 3=v1",
        "it is newer for everybody"
    );
    team.edits_get_through(&team.ann);
}

#[test]
fn taking_centrals_version_keeps_what_was_here() {
    let team = diverged("ann\n\nb\n\nc", "bob\n\nb\n\nc");
    let said = exits(&team.bob.run(&["resolve", "API-T-0001", "--take", "central"]), 0);
    assert!(said.contains(".sync/kept/"), "{said}");
    assert!(team.bob.read(1).starts_with("ann"));
    assert_eq!(team.plans(), "1=ann\\n\\nb\\n\\nc 2=v1 3=v1");
    team.bob.commit("ann's");
    team.bob.git("push -q");
    team.bob.syncs();
    team.edits_get_through(&team.bob);
}

#[test]
fn a_merge_has_the_changes_of_both() {
    let team = diverged("ann\n\nb\n\nc", "a\n\nb\n\nbob");
    exits(&team.bob.run(&["resolve", "--all", "--take", "merge"]), 0);
    assert_eq!(team.plans(), "1=ann\\n\\nb\\n\\nbob 2=v1 3=v1");
    team.bob.commit("both");
    team.bob.git("push -q");
    team.bob.syncs();
    team.edits_get_through(&team.bob);
}

/// Nothing of a merge that a person has to finish gets out before that.
#[test]
fn a_merge_that_a_person_has_to_finish() {
    let team = diverged("ann\n\nb\n\nc", "bob\n\nb\n\nc");
    let said = exits(&team.bob.run(&["resolve", "API-T-0001", "--take", "merge"]), 3);
    assert!(said.contains("conflict markers"), "{said}");
    assert!(team.bob.read(1).contains("<<<<<<< here"));
    team.bob.sync();
    assert_eq!(team.plans(), "1=ann\\n\\nb\\n\\nc 2=v1 3=v1");
    team.bob.write(1, "ann and bob\n\nb\n\nc");
    team.bob.syncs();
    assert_eq!(team.plans(), "1=ann and bob\\n\\nb\\n\\nc 2=v1 3=v1");
}

/// A document that central has and that no pull brings: it can be had, and it can be taken out.
#[test]
fn a_document_in_central_alone() {
    for side in ["central", "local"] {
        let team = Team::new();
        team.ann.write(9, "only here");
        team.ann.syncs();
        let said = team.bob.syncs();
        assert!(said.contains("resolve API-T-0009"), "{said}");
        exits(&team.bob.run(&["resolve", "API-T-0009", "--take", side]), 0);
        let there = if side == "central" { " 9=only here" } else { "" };
        assert_eq!(team.plans(), format!("1=v1 2=v1 3=v1{there}"));
        team.bob.syncs();
        assert_eq!(team.plans(), format!("1=v1 2=v1 3=v1{there}"));
    }
}

/// A script in the place of an editor, at the end of which the file is as given.
fn editor(team: &Team, variable: &str, script: &str) -> Finished {
    let path = team.bob.home.join("editor");
    std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    let mut resolve = team.bob.program(env!("CARGO_BIN_EXE_git-metis-sync"));
    resolve.env_remove("GIT_EDITOR").env("TERM", "xterm");
    resolve.env(variable, format!("sh {}", quoted(&path.display().to_string())));
    resolve.args(["resolve", "API-T-0001", "--edit"]);
    run(resolve)
}

/// As in git: GIT_EDITOR, then core.editor, VISUAL and EDITOR.
#[test]
fn an_editor_finishes_the_merge() {
    for variable in ["GIT_EDITOR", "VISUAL", "EDITOR"] {
        let team = diverged("ann\n\nb\n\nc", "bob\n\nb\n\nc");
        let keep = "grep -q '^||||||| base' \"$1\" && sed -i '/^<<<<<<< /,/^=======/d; /^>>>>>>> /d' \"$1\"";
        let said = exits(&editor(&team, variable, keep), 0);
        assert!(said.contains("API-T-0001: backlog/API-T-0001.md is merged."), "{said}");
        assert_eq!(team.plans(), "1=ann\\n\\nb\\n\\nc 2=v1 3=v1", "{variable}");
        team.bob.commit("both");
        team.bob.git("push -q");
        team.bob.syncs();
        team.edits_get_through(&team.bob);
    }
}

/// Markers that are left, and an editor that fails, decide nothing; the next time goes on from there.
#[test]
fn an_editor_that_does_not_finish() {
    let team = diverged("ann\n\nb\n\nc", "bob\n\nb\n\nc");
    let before = team.plans();
    for unfinished in ["exit 0", "exit 1"] {
        let said = exits(&editor(&team, "GIT_EDITOR", unfinished), 3);
        assert!(said.contains("still has conflict markers"), "{said}");
        assert_eq!(team.bob.read(1).matches("<<<<<<< ").count(), 1, "merged once");
        team.bob.sync();
        assert_eq!(team.plans(), before);
    }
    let said = exits(&team.bob.run(&["resolve"]), 0);
    assert!(
        said.contains("API-T-0001  backlog/API-T-0001.md: has conflict markers in it"),
        "{said}"
    );
    let finish = "sed -i '/^<<<<<<< /,/^=======/d; /^>>>>>>> /d' \"$1\"";
    exits(&editor(&team, "GIT_EDITOR", finish), 0);
    assert_eq!(team.plans(), before, "it is ann's");
    team.bob.syncs();
}

/// A merge without conflicts is looked at too, and not published behind the back of somebody whose editor failed.
#[test]
fn an_editor_for_a_merge_without_conflicts() {
    let team = diverged("ann\n\nb\n\nc", "a\n\nb\n\nbob");
    let said = exits(&editor(&team, "GIT_EDITOR", "exit 1"), 3);
    assert!(said.contains("nothing is decided"), "{said}");
    assert_eq!(team.plans(), "1=ann\\n\\nb\\n\\nc 2=v1 3=v1");
    let said = exits(&editor(&team, "GIT_EDITOR", "sed -i s/bob/BOB/ \"$1\""), 0);
    assert!(said.contains("is merged"), "{said}");
    assert_eq!(team.plans(), "1=ann\\n\\nb\\n\\nBOB 2=v1 3=v1");
}

/// git's merge tool gets the three versions and the file to write.
#[test]
fn a_merge_tool_finishes_the_merge() {
    let team = diverged("ann\n\nb\n\nc", "bob\n\nb\n\nc");
    let tool = team.bob.home.join("tool");
    let script =
        "grep -q '^a$' \"$1\" && grep -q '^bob$' \"$2\" && grep -q '^ann$' \"$3\" && sed s/ann/tool/ \"$3\" >\"$4\"";
    std::fs::write(&tool, script).unwrap();
    team.bob.git("config merge.tool mine");
    team.bob.git("config mergetool.mine.trustExitCode true");
    let command = format!(
        "sh {} \"$BASE\" \"$LOCAL\" \"$REMOTE\" \"$MERGED\"",
        quoted(&tool.display().to_string())
    );
    let mut config = team.bob.program("git");
    config.args(["config", "mergetool.mine.cmd", &command]);
    run(config).success();
    exits(&team.bob.run(&["resolve", "--all", "--tool"]), 0);
    assert_eq!(team.plans(), "1=tool\\n\\nb\\n\\nc 2=v1 3=v1");
}

/// Where there is no git, what a merge left is held back all the same.
#[test]
fn a_merge_in_a_plain_folder() {
    let world = World::new();
    let [ann, bob] = [world.workspace("api"), world.workspace("api")];
    ann.write("API-T-0001", "first");
    ann.sync().report();
    bob.write("API-T-0001", "first");
    bob.sync().report();
    ann.write("API-T-0001", "ann");
    ann.sync().report();
    bob.write("API-T-0001", "bob");
    bob.sync().failure(3);
    exits(&bob.run(&["resolve", "API-T-0001", "--take", "merge"]), 3);
    bob.sync();
    assert_eq!(world.central.folder("api"), ann.documents());
    bob.write("API-T-0001", "both");
    bob.sync().report();
    assert_eq!(world.central.folder("api"), bob.documents());
}

#[test]
fn who_decides_says_what() {
    let team = Team::new();
    for arguments in [
        &["--take", "local"][..],
        &["--edit"],
        &["--all"],
        &["API-T-0001", "--edit", "--tool"],
    ] {
        exits(&team.bob.run(&[&["resolve"], arguments].concat()), 2);
    }
}
