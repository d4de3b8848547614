//! Two people who work on the same plans.

use crate::support::team::{NEWEST, Team, exits};

/// Bob edits and syncs; Ann pulls, edits on top, syncs.
#[test]
fn one_after_the_other() {
    for source in ["main", "worktree"] {
        let team = Team::publishing(source);
        team.bob.publishes(1, "bob");
        team.ann.git("pull -q");
        team.ann.write(1, "ann-on-top");
        team.ann.syncs();
        assert_eq!(team.plans(), "1=ann-on-top 2=v1 3=v1", "source {source}");
        team.ann.commit("ann");
        team.ann.git("push -q");
        team.bob.catches_up();
        assert_eq!(team.plans(), "1=ann-on-top 2=v1 3=v1", "source {source}");
        team.edits_get_through(&team.bob);
    }
}

/// Both edited; whoever pulled and merged has both.
#[test]
fn a_merge_of_both_edits() {
    let team = Team::new();
    team.ann.publishes(1, "a\n\nb\n\nc");
    team.bob.catches_up();
    team.bob.publishes(1, "a-bob\n\nb\n\nc");
    team.ann.commits(1, "a\n\nb\n\nc-ann");
    team.ann.catches_up();
    assert_eq!(team.plans(), "1=a-bob\\n\\nb\\n\\nc-ann 2=v1 3=v1");
    team.edits_get_through(&team.ann);
}

/// Ann syncs an edit on top of what she pushed; Bob pulls what she pushed and changes nothing.
#[test]
fn a_clone_that_lags_changed_nothing() {
    let team = Team::new();
    team.ann.pushes(1, "v3");
    team.ann.write(1, "v4");
    team.ann.syncs();
    team.bob.git("pull -q");
    let said = team.bob.syncs();
    assert_eq!(team.plans(), "1=v4 2=v1 3=v1");
    assert!(!said.contains("--force"), "{said}");
    team.edits_get_through(&team.bob);
}

/// Ann's disk is lost before she pushed: no pull brings what central alone has, and nobody is promised that it does.
#[test]
fn what_central_alone_has_does_not_come_with_a_pull() {
    let team = Team::new();
    team.ann.write(10, "alone");
    team.ann.syncs();
    std::fs::remove_dir_all(&team.ann.dir).expect("it is ours");
    team.bob.git("pull -q");
    let said = team.bob.syncs();
    assert!(said.contains("API-T-0010"), "{said}");
    assert!(!said.contains("comes with `git pull`"), "{said}");
    assert_eq!(team.plans(), "1=v1 2=v1 3=v1 10=alone");
    team.edits_get_through(&team.bob);
}

/// Where there is something to pull, that is the way.
#[test]
fn what_the_remote_has_comes_with_a_pull() {
    let team = Team::new();
    team.moves_on();
    let said = team.bob.syncs();
    assert!(said.contains("git pull"), "{said}");
    assert_eq!(team.plans(), NEWEST);
    team.bob.catches_up();
    team.edits_get_through(&team.bob);
}

/// One document that both changed stops itself and no other; after a merge it gets through.
#[test]
fn a_conflict_stops_one_document() {
    let team = Team::new();
    team.ann.commits(1, "ann");
    team.ann.syncs();
    team.bob.write(1, "bob");
    team.bob.write(2, "bob");
    team.bob.commit("bob");
    team.bob.git("push -q");
    let said = team.bob.sync_exits(3);
    assert!(
        said.contains("API-T-0001") && !said.contains("changed here and in central: API-T-0002"),
        "{said}"
    );
    assert_eq!(team.plans(), "1=ann 2=bob 3=v1");

    team.ann.git_stops("pull -q");
    team.ann.commits(1, "both");
    team.ann.syncs();
    assert_eq!(team.plans(), "1=both 2=bob 3=v1");
    team.ann.git("push -q");
    team.bob.catches_up();
    team.edits_get_through(&team.bob);
}

/// Ann synced without committing, Bob committed another text: neither is newer.
#[test]
fn an_uncommitted_edit_and_a_commit() {
    let team = Team::new();
    team.ann.write(1, "ann-draft");
    team.ann.syncs();
    team.bob.commits(1, "bob");
    team.bob.sync_exits(3);
    assert_eq!(team.plans(), "1=ann-draft 2=v1 3=v1");
    team.bob.git("push -q");
    team.ann.commit("ann");
    team.ann.git_stops("pull -q");
    team.ann.commits(1, "both");
    team.ann.syncs();
    assert_eq!(team.plans(), "1=both 2=v1 3=v1");
}

/// Bob, who had Ann's commit, takes it out of main by force. His version did not come after hers, hers is gone: he is stopped
/// once; Ann, whose version it was, takes it back when she follows.
#[test]
fn a_forced_push_over_a_colleagues_commit() {
    let team = Team::new();
    team.ann.publishes(1, "ann");
    team.bob.git("pull -q");
    team.bob.git("reset -q --hard HEAD~1");
    team.bob.commits(1, "bob");
    team.bob.git("push -q --force");
    team.bob.sync_exits(3);
    assert_eq!(team.plans(), "1=ann 2=v1 3=v1");

    team.ann.git("fetch -q");
    team.ann.git("reset -q --hard origin/main");
    team.ann.syncs();
    assert_eq!(team.plans(), "1=bob 2=v1 3=v1");
    team.bob.syncs();
    team.edits_get_through(&team.bob);
}

#[test]
fn an_amended_commit_pushed_by_force() {
    let team = Team::new();
    team.ann.publishes(1, "v2");
    team.ann.write(1, "v2-amended");
    team.ann.git("commit -q --all --amend --no-edit");
    team.ann.git("push -q --force");
    team.ann.syncs();
    assert_eq!(team.plans(), "1=v2-amended 2=v1 3=v1");
    team.bob.git("fetch -q");
    team.bob.git("reset -q --hard origin/main");
    team.bob.syncs();
    assert_eq!(team.plans(), "1=v2-amended 2=v1 3=v1");
    team.edits_get_through(&team.bob);
}

/// Main begins anew: no commit in common with what central's version was made from, which looks like another project.
#[test]
fn a_main_that_begins_anew() {
    let team = Team::new();
    team.ann.git("checkout -q --orphan anew");
    team.ann.commit("all of it");
    team.ann.git("branch -q -M main");
    team.ann.git("push -q --force -u origin main");
    team.ann.write(1, "v2");
    let said = team.ann.sync_exits(3);
    assert!(said.contains("--adopt-project"), "{said}");
    assert_eq!(team.plans(), "1=v1 2=v1 3=v1");
    exits(&team.ann.sync_with(&["--adopt-project"]), 0);
    assert_eq!(team.plans(), "1=v2 2=v1 3=v1");
    team.ann.commit("v2");
    team.edits_get_through(&team.ann);
}

/// An edit is synced, then committed and pulled by a colleague, who edits on top of it before the next sync.
#[test]
fn an_edit_on_top_of_what_was_synced_before_it_was_committed() {
    let team = Team::new();
    team.ann.write(1, "ann");
    team.ann.syncs();
    team.ann.commit("ann");
    team.ann.git("push -q");
    team.bob.git("pull -q");
    team.bob.write(1, "bob-on-top");
    team.bob.syncs();
    assert_eq!(team.plans(), "1=bob-on-top 2=v1 3=v1");
    team.edits_get_through(&team.bob);
}
