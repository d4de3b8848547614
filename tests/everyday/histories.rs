//! Merges, rebases, picks and reverts: what git's history makes of a document is newer, whichever way it came about.

use crate::support::team::Team;

/// Commits that were synced are made anew on top of a colleague's.
#[test]
fn a_rebase_with_hooks() {
    let team = Team::new();
    team.ann
        .install_hooks_for(&["pre-push", "post-merge", "post-rewrite", "post-commit"]);
    for (number, text) in [(1, "v2"), (2, "v2"), (1, "v3")] {
        team.ann.commits(number, text);
        team.ann.hooks_end();
    }
    team.ann.syncs();
    let newest = "1=v3 2=v2 3=v1";
    assert_eq!(team.plans(), newest);
    team.bob.commit_code();
    team.bob.git("push -q");
    team.ann.git("pull -q --rebase");
    team.ann.hooks_end();
    assert_eq!(team.plans(), newest);
    team.ann.git("push -q");
    team.ann.hooks_end();
    team.ann.syncs();
    assert_eq!(team.plans(), newest);
    team.edits_get_through(&team.ann);
}

/// The result of the merge is neither side's text.
#[test]
fn a_merge_that_equals_neither_parent() {
    let team = Team::new();
    team.bob.publishes(1, "bob");
    team.ann.commits(1, "ann");
    team.ann.git_stops("pull -q");
    team.ann.commits(1, "neither");
    team.ann.syncs();
    assert_eq!(team.plans(), "1=neither 2=v1 3=v1");
    team.ann.git("push -q");
    team.bob.catches_up();
    team.edits_get_through(&team.bob);
}

/// A merge that keeps our side throws theirs away, on purpose.
#[test]
fn a_merge_that_keeps_one_side() {
    let team = Team::new();
    team.bob.publishes(1, "bob");
    team.ann.commits(1, "ann");
    team.ann.git("pull -q -s ours");
    team.ann.syncs();
    assert_eq!(team.plans(), "1=ann 2=v1 3=v1");
    team.edits_get_through(&team.ann);
}

#[test]
fn a_cherry_pick() {
    let team = Team::new();
    team.bob.git("checkout -q -b feature");
    team.bob.commits(1, "picked");
    team.bob.commits(2, "not-picked");
    team.bob.git("push -q -u origin feature");
    team.ann.git("fetch -q");
    team.ann.git("cherry-pick origin/feature~1");
    team.ann.syncs();
    let picked = "1=picked 2=v1 3=v1";
    assert_eq!(team.plans(), picked);
    team.ann.git("push -q");
    team.bob.syncs();
    assert_eq!(
        team.plans(),
        picked,
        "by somebody who has the original and not the copy"
    );
    team.bob.git("checkout -q main");
    team.bob.catches_up();
    team.edits_get_through(&team.bob);
}

/// Each of the three is newer than the one before, though the third is what the first was.
#[test]
fn a_revert_of_a_revert() {
    let team = Team::new();
    team.ann.publishes(1, "v2");
    team.bob.catches_up();
    for text in ["v1", "v2"] {
        team.ann.git("revert --no-edit HEAD");
        team.ann.git("push -q");
        team.ann.syncs();
        let plans = format!("1={text} 2=v1 3=v1");
        assert_eq!(team.plans(), plans);
        team.bob.syncs();
        assert_eq!(team.plans(), plans, "by a clone that lags");
    }
    team.bob.catches_up();
    team.edits_get_through(&team.bob);
}

/// A feature is published as a draft, squashed into main, and its branch deleted.
#[test]
fn a_squash_merge_of_a_published_draft() {
    let team = Team::publishing("worktree");
    team.ann.git("checkout -q -b feature");
    for (number, text) in [(1, "draft"), (5, "made"), (1, "ready")] {
        team.ann.commits(number, text);
        team.ann.syncs();
    }
    let ready = "1=ready 2=v1 3=v1 5=made";
    assert_eq!(team.plans(), ready);
    team.ann.git("checkout -q main");
    team.ann.syncs();
    assert_eq!(team.plans(), ready, "on main, before the merge");
    team.ann.git("merge -q --squash feature");
    team.ann.git("commit -q -m squash");
    team.ann.git("branch -q -D feature");
    team.ann.git("push -q");
    team.ann.syncs();
    assert_eq!(team.plans(), ready);
    team.bob.git("pull -q");
    team.bob.write(1, "after");
    team.bob.syncs();
    assert_eq!(team.plans(), "1=after 2=v1 3=v1 5=made");
    team.bob.commit("after");
    team.edits_get_through(&team.bob);
}

#[test]
fn a_squash_merge() {
    let team = Team::new();
    team.ann.git("checkout -q -b topic");
    team.ann.commits(5, "squashed");
    team.ann.git("checkout -q main");
    team.ann.git("merge -q --squash topic");
    team.ann.git("commit -q -m squash");
    team.ann.syncs();
    assert_eq!(team.plans(), "1=v1 2=v1 3=v1 5=squashed");
    team.edits_get_through(&team.ann);
}

#[test]
fn an_octopus() {
    let team = Team::new();
    for (branch, number) in [("one", 1), ("two", 2), ("five", 5)] {
        team.ann.git(&format!("checkout -q -b {branch} main"));
        team.ann.commits(number, branch);
    }
    team.ann.git("checkout -q main");
    team.bob.publishes(3, "bob");
    team.ann.git("pull -q");
    team.ann.git("merge -q one two five");
    team.ann.syncs();
    assert_eq!(team.plans(), "1=one 2=two 3=bob 5=five");
    team.ann.git("push -q");
    team.bob.catches_up();
    team.edits_get_through(&team.bob);
}

/// Between folders and edited, in the same commit: the code stays, so the document does.
#[test]
fn a_document_moved_and_edited() {
    let team = Team::new();
    team.ann.git(&format!("mv {} .metis/plan.md", team.ann.path(1)));
    team.ann.commit("move");
    team.ann.syncs();
    assert_eq!(team.plans(), "1=v1 2=v1 3=v1");
    std::fs::create_dir_all(team.ann.metis().join("archived")).expect("writable");
    team.ann.git("mv .metis/plan.md .metis/archived/plan.md");
    team.ann
        .put(".metis/archived/plan.md", team.ann.document(1, "archived"));
    team.ann.commit("archive");
    team.ann.git("push -q");
    team.ann.syncs();
    assert_eq!(team.plans(), "1=archived 2=v1 3=v1");
    team.bob.syncs();
    assert_eq!(team.plans(), "1=archived 2=v1 3=v1");
    team.bob.catches_up();
    team.edits_get_through(&team.bob);
}

/// The rename is uncommitted, and then turns up on one side of a merge.
#[test]
fn a_move_on_one_side_and_an_edit_on_the_other() {
    let team = Team::new();
    team.ann.publishes(1, "a\n\nb\n\nc");
    team.bob.git("pull -q");
    team.bob.publishes(1, "a\n\nb\n\nc-bob");
    team.ann.git(&format!("mv {} .metis/moved.md", team.ann.path(1)));
    team.ann.syncs();
    assert_eq!(team.plans(), "1=a\\n\\nb\\n\\nc-bob 2=v1 3=v1", "moved, not edited");
    team.ann.commit("move");
    team.ann.catches_up();
    assert_eq!(team.plans(), "1=a\\n\\nb\\n\\nc-bob 2=v1 3=v1");
    team.edits_get_through(&team.ann);
}

/// Brought back, and not committed yet, is newer than the commit that it goes back on, also for a clone that has had the old text all
/// the time.
#[test]
fn an_old_text_that_a_colleague_brought_back() {
    let team = Team::new();
    team.bob.write(1, "v2");
    team.bob.syncs();
    assert!(
        team.ann.syncs().contains("Behind"),
        "she sees the new text, and has the old one"
    );
    team.bob.commit("v2");
    team.bob.write(1, "v1");
    team.bob.syncs();
    assert!(!team.ann.syncs().contains("Behind"), "she has what central has");
    team.bob.git("push -q");
    team.ann.git("pull -q");
    assert_eq!(team.ann.read(1), "v2");
    assert!(team.ann.syncs().contains("Behind"));
    assert_eq!(team.plans(), "1=v1 2=v1 3=v1");
    team.bob.commit("v1 again");
    team.bob.git("push -q");
    team.ann.git("pull -q");
    team.ann.syncs();
    assert_eq!(team.plans(), "1=v1 2=v1 3=v1");
    team.edits_get_through(&team.ann);
}

/// The file stays where it is and gets another code, as when two branches have minted the same one.
#[test]
fn a_document_that_gets_another_code() {
    let team = Team::new();
    team.ann.put(team.ann.path(2), team.ann.document(22, "v1"));
    team.ann.syncs();
    assert_eq!(team.plans(), "1=v1 3=v1 22=v1");
    team.ann.commit("another code");
    team.ann.git("push -q");
    team.ann.syncs();
    team.bob.git("pull -q");
    team.bob.syncs();
    assert_eq!(team.plans(), "1=v1 3=v1 22=v1");
    team.edits_get_through(&team.bob);
}
