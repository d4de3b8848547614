//! Deliberate returns: what its author has given up does not stay in central.

use crate::support::team::{Checkout, NEWEST, Team, exits};

#[test]
fn a_revert() {
    let team = Team::new();
    team.ann.publishes(1, "v2");
    team.ann.git("revert --no-edit HEAD");
    team.ann.syncs();
    assert_eq!(team.plans(), "1=v1 2=v1 3=v1", "not pushed yet");
    team.ann.git("push -q");
    team.bob.catches_up();
    assert_eq!(team.plans(), "1=v1 2=v1 3=v1");
    team.edits_get_through(&team.bob);
}

/// An edit and a new document that were synced without a commit, then thrown away.
#[test]
fn an_uncommitted_edit() {
    for source in ["main", "worktree"] {
        for way in ["restore .", "checkout -q -- .", "reset -q --hard"] {
            let team = Team::publishing(source);
            team.ann.write(1, "draft");
            team.ann.write(9, "scratch");
            team.ann.syncs();
            assert_eq!(team.plans(), "1=draft 2=v1 3=v1 9=scratch");
            team.ann.git(way);
            team.ann.remove(9);
            team.ann.syncs();
            assert_eq!(team.plans(), "1=v1 2=v1 3=v1", "git {way}, source {source}");
            team.edits_get_through(&team.ann);
        }
    }
}

/// Nobody else takes it back: Bob never had it.
#[test]
fn an_uncommitted_edit_is_not_a_colleagues_to_give_up() {
    let team = Team::new();
    team.ann.write(1, "draft");
    team.ann.write(9, "scratch");
    team.ann.syncs();
    team.bob.commit_code();
    team.bob.git("push -q");
    for _ in 0..2 {
        team.bob.syncs();
        assert_eq!(team.plans(), "1=draft 2=v1 3=v1 9=scratch");
    }
    team.edits_get_through(&team.bob);
}

#[test]
fn an_uncommitted_removal() {
    let team = Team::new();
    team.ann.remove(2);
    team.ann.syncs();
    assert_eq!(team.plans(), "1=v1 3=v1");
    team.bob.syncs();
    assert_eq!(team.plans(), "1=v1 3=v1", "Bob changed nothing");
    team.ann.git("restore .");
    team.ann.syncs();
    assert_eq!(team.plans(), "1=v1 2=v1 3=v1");
    team.edits_get_through(&team.ann);
}

#[test]
fn an_amended_commit() {
    let team = Team::new();
    team.ann.commits(2, "v2");
    team.ann.syncs();
    team.ann.write(2, "v2-amended");
    team.ann.git("commit -q --all --amend --no-edit");
    team.ann.syncs();
    assert_eq!(team.plans(), "1=v1 2=v2-amended 3=v1");
    team.edits_get_through(&team.ann);
}

/// An unpushed commit is dropped.
#[test]
fn a_reset_of_what_was_never_pushed() {
    let team = Team::new();
    team.ann.write(1, "v2");
    team.ann.write(5, "made");
    team.ann.commit("v2");
    team.ann.syncs();
    team.ann.git("reset -q --hard HEAD~1");
    team.ann.syncs();
    assert_eq!(team.plans(), "1=v1 2=v1 3=v1");
    team.edits_get_through(&team.ann);
}

/// The commit that was reset is still a branch: not given up.
#[test]
fn a_reset_of_what_another_branch_keeps() {
    let team = Team::new();
    team.ann.commits(1, "v2");
    team.ann.syncs();
    team.ann.git("branch later");
    team.ann.git("reset -q --hard HEAD~1");
    team.ann.syncs();
    assert_eq!(team.plans(), "1=v2 2=v1 3=v1");
    team.ann.git("merge -q later");
    team.ann.syncs();
    team.edits_get_through(&team.ann);
}

/// With `source = "worktree"` a draft goes with its branch.
#[test]
fn a_deleted_feature_branch() {
    let team = Team::publishing("worktree");
    team.ann.git("checkout -q -b feature");
    team.ann.write(1, "draft");
    team.ann.write(5, "made");
    team.ann.commit("draft");
    team.ann.syncs();
    team.ann.git("checkout -q main");
    team.ann.syncs();
    assert_eq!(team.plans(), "1=draft 2=v1 3=v1 5=made", "the branch is there");
    team.ann.git("branch -q -D feature");
    team.ann.syncs();
    assert_eq!(team.plans(), "1=v1 2=v1 3=v1");
    team.edits_get_through(&team.ann);
}

/// Deleted here, but pushed before: a colleague may go on with it.
#[test]
fn a_deleted_feature_branch_that_origin_has() {
    let team = Team::publishing("worktree");
    team.ann.git("checkout -q -b feature");
    team.ann.commits(1, "draft");
    team.ann.git("push -q -u origin feature");
    team.ann.syncs();
    team.ann.git("checkout -q main");
    team.ann.git("branch -q -D feature");
    team.ann.syncs();
    assert_eq!(team.plans(), "1=draft 2=v1 3=v1");
    team.edits_get_through(&team.ann);
}

/// Removed, committed, synced; then taken back from an older commit.
#[test]
fn a_removed_document_restored_from_an_older_commit() {
    let team = Team::new();
    team.ann.remove(2);
    team.ann.commit("drop it");
    team.ann.git("push -q");
    team.ann.syncs();
    assert_eq!(team.plans(), "1=v1 3=v1");
    team.bob.syncs();
    assert_eq!(team.plans(), "1=v1 3=v1", "Bob has not pulled the removal");
    team.ann.git(&format!("checkout -q HEAD~1 -- {}", team.ann.path(2)));
    team.ann.syncs();
    assert_eq!(team.plans(), "1=v1 2=v1 3=v1");
    team.ann.commit("take it back");
    team.ann.syncs();
    assert_eq!(team.plans(), "1=v1 2=v1 3=v1");
    team.edits_get_through(&team.ann);
}

/// A colleague removed it; whoever has pulled that and synced brings it back on top of the removal.
#[test]
fn a_colleagues_removal_that_is_taken_back() {
    type Way = (&'static str, fn(&Checkout));
    let ways: [Way; 4] = [
        ("2=v1", |bob| {
            bob.git(&format!("checkout -q HEAD~1 -- {}", bob.path(2)));
        }),
        ("2=v1", |bob| {
            bob.git("revert --no-edit HEAD");
        }),
        ("2=another", |bob| bob.commits(2, "another")),
        ("2=kept", |bob| {
            bob.git_stops("merge -q kept");
            bob.git("add --all");
            bob.git("commit -q --no-edit");
        }),
    ];
    for (expected, take_back) in ways {
        let team = Team::new();
        team.bob.git("checkout -q -b kept");
        team.bob.commits(2, "kept");
        team.bob.git("checkout -q main");
        team.ann.remove(2);
        team.ann.commit("drop it");
        team.ann.git("push -q");
        team.ann.syncs();
        team.bob.catches_up();
        assert_eq!(team.plans(), "1=v1 3=v1");
        take_back(&team.bob);
        team.bob.syncs();
        let back = format!("1=v1 {expected} 3=v1");
        assert_eq!(team.plans(), back);
        team.ann.syncs();
        assert_eq!(team.plans(), back, "by a clone that lags");
        // An older commit that still has it says nothing new.
        team.bob.git("checkout -q -f HEAD~1");
        team.bob.syncs();
        assert_eq!(team.plans(), back);
    }
}

/// One document as it was, the others as they are.
#[test]
fn an_edited_document_restored_from_an_older_commit() {
    let team = Team::new();
    team.moves_on();
    team.ann.git(&format!("checkout -q old -- {}", team.ann.path(1)));
    team.ann.syncs();
    assert_eq!(team.plans(), "1=v1 2=v1 3=v1 4=new");
    team.ann.commit("as it was");
    team.ann.git("push -q");
    team.bob.catches_up();
    assert_eq!(team.plans(), "1=v1 2=v1 3=v1 4=new");
    team.edits_get_through(&team.bob);
}

/// The same, and not meant after all: that an older branch has the older text as well keeps nothing there.
#[test]
fn an_older_text_that_was_tried() {
    let team = Team::new();
    team.moves_on();
    team.ann.git("checkout -q old -- .metis");
    team.ann.syncs();
    assert_eq!(team.plans(), "1=v1 2=v1 3=v1 4=new");
    team.ann.git("checkout -q HEAD -- .metis");
    team.ann.syncs();
    assert_eq!(team.plans(), NEWEST);
    team.edits_get_through(&team.ann);
}

/// git has thrown away the commit itself by the time of the next sync.
#[test]
fn a_dropped_commit_that_git_has_thrown_away() {
    let team = Team::new();
    team.ann.git("remote remove origin");
    team.ann.write(1, "v2");
    team.ann.commit("v2");
    team.ann.syncs();
    team.ann.git("reset -q --hard HEAD~1");
    team.ann.git("reflog expire --expire=now --all");
    team.ann.git("gc -q --prune=now");
    team.ann.syncs();
    assert_eq!(team.plans(), "1=v1 2=v1 3=v1");
    team.edits_get_through(&team.ann);
}

/// A draft of a colleague that was taken over from central is not this clone's to give up.
#[test]
fn a_colleagues_draft_that_was_taken_over() {
    let team = Team::new();
    team.ann.write(1, "draft");
    team.ann.syncs();
    team.bob.syncs();
    exits(&team.bob.run(&["resolve", "API-T-0001", "--take", "central"]), 0);
    assert_eq!(team.bob.read(1), "draft");
    team.bob.git("restore .");
    team.bob.syncs();
    assert_eq!(team.plans(), "1=draft 2=v1 3=v1");
    team.edits_get_through(&team.bob);
}
