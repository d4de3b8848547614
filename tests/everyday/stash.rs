//! What lies in a stash was put aside, not given up.

use crate::support::team::Team;

const DRAFTED: &str = "1=draft 2=v1 3=v1 9=made";

/// Nothing is committed, all of it is synced.
fn with_a_draft(source: &str) -> Team {
    let team = Team::publishing(source);
    team.ann.write(1, "draft");
    team.ann.write(9, "made");
    team.ann.syncs();
    assert_eq!(team.plans(), DRAFTED);
    team
}

/// A hook fires between the stash and the pop.
#[test]
fn put_aside_for_a_pull() {
    let team = with_a_draft("main");
    team.ann.install_hooks();
    team.bob.commit_code();
    team.bob.git("push -q");
    team.ann.git("stash -q -u");
    team.ann.git("pull -q");
    team.ann.hooks_end();
    assert_eq!(team.plans(), DRAFTED);
    team.ann.git("stash pop -q");
    team.ann.syncs();
    assert_eq!(team.plans(), DRAFTED);
    team.edits_get_through(&team.ann);
}

#[test]
fn a_sync_by_hand_meanwhile() {
    for source in ["main", "worktree"] {
        let team = with_a_draft(source);
        team.ann.git("stash -q -u");
        for _ in 0..2 {
            team.ann.syncs();
            assert_eq!(team.plans(), DRAFTED, "source {source}");
        }
        team.ann.git("stash pop -q");
        team.ann.syncs();
        assert_eq!(team.plans(), DRAFTED, "source {source}");
        team.edits_get_through(&team.ann);
    }
}

/// Below another one, and dropped in the end: then it is given up.
#[test]
fn dropped_in_the_end() {
    let team = with_a_draft("main");
    team.ann.git("stash -q -u");
    team.ann.put("main.c", "other();\n");
    team.ann.git("stash -q -u");
    team.ann.syncs();
    assert_eq!(team.plans(), DRAFTED);
    team.ann.git("stash clear");
    team.ann.syncs();
    assert_eq!(team.plans(), "1=v1 2=v1 3=v1");
    team.edits_get_through(&team.ann);
}

#[test]
fn moved_to_a_branch() {
    let team = with_a_draft("main");
    team.ann.git("stash -q -u");
    team.ann.git("stash branch later");
    team.ann.commit("later");
    team.ann.git("checkout -q main");
    team.ann.syncs();
    assert_eq!(team.plans(), DRAFTED);
    team.ann.git("merge -q later");
    team.ann.syncs();
    assert_eq!(team.plans(), DRAFTED);
    team.edits_get_through(&team.ann);
}

/// The draft was written in one worktree of the repository and is taken up in another.
#[test]
fn carried_to_another_worktree() {
    let team = with_a_draft("worktree");
    let linked = team.ann.elsewhere(team.ann.dir.with_extension("linked"));
    team.ann
        .git(&format!("worktree add -q -b topic {}", linked.dir.display()));
    team.ann.git("stash -q -u");
    for clone in [&linked, &team.ann, &linked] {
        clone.syncs();
        assert_eq!(team.plans(), DRAFTED, "{}", clone.dir.display());
    }
    linked.git("stash pop -q");
    linked.syncs();
    assert_eq!(team.plans(), DRAFTED);
    linked.commit("taken up");
    team.ann.git("merge -q topic");
    team.ann.syncs();
    assert_eq!(team.plans(), DRAFTED);
    team.edits_get_through(&team.ann);
}

/// A stash of `rebase --autostash` that could not be applied.
#[test]
fn put_aside_by_a_rebase() {
    let team = with_a_draft("main");
    team.ann.install_hooks_for(&["pre-push", "post-merge", "post-rewrite"]);
    team.bob.publishes(2, "bob");
    team.ann.git("add --all");
    team.ann.git("pull -q --rebase --autostash");
    team.ann.hooks_end();
    assert_eq!(team.plans(), "1=draft 2=bob 3=v1 9=made");
    team.ann.syncs();
    assert_eq!(team.plans(), "1=draft 2=bob 3=v1 9=made");
    team.ann.commit("draft");
    team.edits_get_through(&team.ann);
}

/// The commit below the draft is made anew meanwhile, by a rebase or amended.
#[test]
fn put_aside_while_the_commit_below_is_rewritten() {
    for source in ["main", "worktree"] {
        for rewrite in ["pull -q --rebase", "commit -q --amend -m again"] {
            let team = Team::publishing(source);
            team.ann.write(2, "ann");
            team.ann.commit("ann");
            team.ann.write(1, "draft");
            team.ann.write(9, "made");
            team.ann.remove(3);
            team.ann.syncs();
            let drafted = "1=draft 2=ann 9=made";
            assert_eq!(team.plans(), drafted);
            team.bob.commit_code();
            team.bob.git("push -q");
            team.ann.git("stash -q -u");
            team.ann.git(rewrite);
            for _ in 0..2 {
                team.ann.syncs();
                assert_eq!(team.plans(), drafted, "git {rewrite}, source {source}");
            }
            team.ann.git("stash pop -q");
            team.ann.syncs();
            assert_eq!(team.plans(), drafted, "git {rewrite}, source {source}");
            team.ann.git("reset -q --hard");
            team.ann.remove(9);
            team.ann.syncs();
            assert_eq!(
                team.plans(),
                "1=v1 2=ann 3=v1",
                "given up: git {rewrite}, source {source}"
            );
        }
    }
}

/// The commit is made anew, the draft on top of it is synced again, and only then put aside.
#[test]
fn put_aside_after_the_commit_below_was_rewritten() {
    let team = Team::publishing("main");
    team.ann.write(2, "ann");
    team.ann.commit("ann");
    team.ann.write(1, "draft");
    team.ann.syncs();
    team.ann.git("commit -q --amend -m again");
    team.ann.syncs();
    team.ann.git("stash -q");
    team.ann.syncs();
    assert_eq!(team.plans(), "1=draft 2=ann 3=v1");
    team.ann.git("stash drop -q");
    team.ann.syncs();
    assert_eq!(team.plans(), "1=v1 2=ann 3=v1");
    team.edits_get_through(&team.ann);
}

/// A removal can be put aside as well.
#[test]
fn a_removal_put_aside() {
    let team = Team::publishing("main");
    team.ann.remove(2);
    team.ann.syncs();
    team.ann.git("stash -q");
    team.ann.syncs();
    assert_eq!(team.plans(), "1=v1 3=v1");
    team.ann.git("stash pop -q");
    team.ann.syncs();
    assert_eq!(team.plans(), "1=v1 3=v1");
    team.ann.git("restore .");
    team.ann.syncs();
    assert_eq!(team.plans(), "1=v1 2=v1 3=v1");
    team.edits_get_through(&team.ann);
}
