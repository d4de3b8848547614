//! Documents that are behind or diverged, and what a person decides about them with `resolve`.

use crate::support::team::{Team, exits};

/// Both edit the same document without a word to each other, and Bob's sync stops for it.
fn diverged(ann: &str, bob: &str) -> Team {
    let team = Team::new();
    team.ann.write(1, "a\n\nb\n\nc");
    team.ann.commit("paragraphs");
    team.ann.git("push -q");
    team.ann.syncs();
    team.bob.git("pull -q");
    team.bob.syncs();
    team.ann.write(1, ann);
    team.ann.syncs();
    team.bob.write(1, bob);
    team.bob.commit("bob");
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
    team.ann.git("pull -q");
    team.ann.syncs();
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
