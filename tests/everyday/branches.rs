//! Something older than the newest plans is checked out when a sync runs.

use crate::support::{
    point::Point,
    team::{NEWEST, Team, exits},
};

/// Pushing the branch fires the hook, and nothing fires when Ann is back on main.
#[test]
fn a_hotfix_on_a_release_branch() {
    let team = Team::new();
    team.moves_on();
    team.ann.install_hooks();
    team.ann.git("checkout -q old");
    team.ann.commit_code();
    team.ann.git("push -q -u origin old");
    team.ann.hooks_end();
    assert_eq!(team.plans(), NEWEST);
    team.ann.git("checkout -q main");
    assert_eq!(team.plans(), NEWEST);
    team.edits_get_through(&team.ann);
}

#[test]
fn an_older_branch() {
    for source in ["main", "worktree"] {
        let team = Team::publishing(source);
        team.moves_on();
        team.ann.git("checkout -q old");
        team.ann.git("push -q -u origin old");
        team.ann.syncs();
        assert_eq!(team.plans(), NEWEST, "source {source}");
        team.edits_get_through(&team.ann);
    }
}

/// Drafts on other branches reach central with the merge.
#[test]
fn switching_to_a_feature_and_back() {
    let team = Team::new();
    team.ann.install_hooks();
    team.ann.git("checkout -q -b feature");
    team.ann.write(1, "feature");
    team.ann.write(5, "made");
    team.ann.commit("a feature");
    team.ann.git("push -q -u origin feature");
    team.ann.hooks_end();
    let published = "1=v1 2=v1 3=v1";
    assert_eq!(team.plans(), published, "not merged yet");
    team.bob.commit_code();
    team.bob.git("push -q");

    team.ann.git("checkout -q main");
    team.ann.git("pull -q");
    team.ann.hooks_end();
    team.ann.syncs();
    assert_eq!(team.plans(), published);
    team.ann.git("checkout -q feature");
    team.ann.syncs();
    assert_eq!(team.plans(), published);
    let why = "those of the branch main, whose files are not checked out here";
    let status = exits(&team.ann.run(&["status"]), 0);
    assert!(status.contains(why), "{status}");

    team.ann.git("checkout -q main");
    team.ann.git("merge -q feature");
    team.ann.hooks_end();
    team.ann.syncs();
    assert_eq!(team.plans(), "1=feature 2=v1 3=v1 5=made");
    let status = exits(&team.ann.run(&["status"]), 0);
    assert!(!status.contains(why), "{status}");
}

/// With the work tree as source the draft is seen before the merge, and leaving the branch does not take it back.
#[test]
fn a_draft_in_the_work_tree_is_seen_and_stays() {
    let team = Team::publishing("worktree");
    team.ann.git("checkout -q -b feature");
    team.ann.write(1, "feature");
    team.ann.write(5, "made");
    team.ann.commit("a feature");
    team.ann.syncs();
    let drafted = "1=feature 2=v1 3=v1 5=made";
    assert_eq!(team.plans(), drafted);
    for branch in ["main", "feature", "main"] {
        team.ann.git(&format!("checkout -q {branch}"));
        team.ann.syncs();
        assert_eq!(team.plans(), drafted, "on {branch}");
    }
    team.bob.syncs();
    assert_eq!(team.plans(), drafted, "by somebody who does not have the branch");
    team.ann.git("merge -q --no-ff feature");
    team.ann.syncs();
    assert_eq!(team.plans(), drafted);
    team.edits_get_through(&team.ann);
}

#[test]
fn a_fresh_clone_of_a_feature() {
    for source in ["main", "worktree"] {
        let team = Team::publishing(source);
        team.ann.git("checkout -q -b feature");
        team.ann.commits(1, "feature");
        team.ann.git("push -q -u origin feature");
        let carl = team.clone("carl", "-b feature");
        carl.syncs();
        let published = if source == "main" { "v1" } else { "feature" };
        assert_eq!(team.plans(), format!("1={published} 2=v1 3=v1"), "source {source}");
        team.edits_get_through(&team.ann);
    }
}

/// What is edited on a branch from an old commit gets out; what is merely older there does not.
#[test]
fn a_new_branch_from_an_old_commit() {
    let team = Team::publishing("worktree");
    team.moves_on();
    team.ann.git("switch -q -c fix HEAD~1");
    team.ann.write(2, "fixed");
    team.ann.syncs();
    assert_eq!(team.plans(), "1=v2 2=fixed 3=v1 4=new", "not committed yet");
    team.ann.commit("fix");
    team.ann.syncs();
    assert_eq!(team.plans(), "1=v2 2=fixed 3=v1 4=new");
    team.ann.git("checkout -q main");
    team.ann.syncs();
    assert_eq!(team.plans(), "1=v2 2=fixed 3=v1 4=new");
    team.ann.git("merge -q fix");
    team.ann.syncs();
    team.edits_get_through(&team.ann);
    assert_eq!(team.plans(), "1=v2 2=fixed 3=edited 4=new");
}

/// Removed there, where it is older: that is no removal of what is newer.
#[test]
fn a_removal_on_an_old_branch_waits_for_the_merge() {
    let team = Team::new();
    team.moves_on();
    team.ann.git("checkout -q old");
    team.ann.remove(2);
    team.ann.commit("drop a plan");
    team.ann.syncs();
    assert_eq!(team.plans(), NEWEST);
    team.ann.git("checkout -q main");
    team.ann.git("merge -q old");
    team.ann.syncs();
    assert_eq!(team.plans(), "1=v2 3=v1 4=new");
    team.edits_get_through(&team.ann);
}

#[test]
fn a_tag() {
    for source in ["main", "worktree"] {
        let team = Team::publishing(source);
        team.moves_on();
        team.ann.git("checkout -q v1.0");
        team.ann.syncs();
        assert_eq!(team.plans(), NEWEST, "source {source}");
        team.edits_get_through(&team.ann);
    }
}

#[test]
fn a_step_of_a_bisection() {
    let team = Team::new();
    for _ in 0..3 {
        team.ann.commit_code();
    }
    team.moves_on();
    team.ann.git("bisect start main main~4");
    assert_eq!(team.ann.read(1), "v1", "the commit to be tried is an older one");
    team.ann.syncs();
    assert_eq!(team.plans(), NEWEST);
    team.ann.git("bisect reset");
    team.edits_get_through(&team.ann);
}

#[test]
fn a_linked_worktree_on_an_older_branch() {
    for source in ["main", "worktree"] {
        let team = Team::publishing(source);
        team.moves_on();
        let linked = team.ann.elsewhere(team.ann.dir.with_extension("old"));
        team.ann.git(&format!("worktree add -q {} old", linked.dir.display()));
        for _ in 0..2 {
            linked.syncs();
            assert_eq!(team.plans(), NEWEST, "source {source}");
        }
        team.edits_get_through(&team.ann);
    }
}

/// Reset to look at something, then pulled again.
#[test]
fn a_hard_reset_and_a_pull() {
    let team = Team::new();
    team.moves_on();
    for text in ["v3", "v4"] {
        team.ann.commits(1, text);
    }
    team.ann.git("push -q");
    team.ann.syncs();
    team.ann.git("reset -q --hard HEAD~3");
    let newest = "1=v4 2=v1 3=v1 4=new";
    team.ann.syncs();
    assert_eq!(team.plans(), newest, "the commits are in origin");
    team.ann.catches_up();
    assert_eq!(team.plans(), newest);
    team.edits_get_through(&team.ann);
}

/// With hooks: the pull fires one while the older plans have just gone.
#[test]
fn a_hard_reset_and_a_pull_with_hooks() {
    let team = Team::new();
    team.moves_on();
    team.ann.install_hooks();
    team.ann.git("reset -q --hard HEAD~1");
    team.ann.git("pull -q");
    team.ann.hooks_end();
    assert_eq!(team.plans(), NEWEST);
    team.edits_get_through(&team.ann);
}

/// Another branch is checked out as soon as the push has returned, before the hook's sync has begun to read.
#[test]
fn a_checkout_right_after_the_push() {
    let team = Team::new();
    team.ann.git("branch old");
    team.ann.install_hooks();
    team.ann.write(1, "v2");
    team.ann.write(4, "new");
    team.ann.commit("newer plans");
    team.ann.git("push -q");
    team.ann.git("checkout -q old");
    team.ann.hooks_end();
    assert_eq!(team.plans(), NEWEST);
    team.edits_get_through(&team.ann);
}

/// Before the sync has read the documents, and when it has made its commit of them.
#[test]
fn a_checkout_in_the_middle_of_a_sync() {
    for source in ["main", "worktree"] {
        for point in [Point::BeforeFetch, Point::BeforePush] {
            let team = Team::publishing(source);
            team.moves_on();
            team.ann.commits(2, "v2");
            let mut checkout = team.ann.program("git");
            checkout.args(["checkout", "-q", "old"]);
            team.world.points.command(point, &checkout);
            team.ann.syncs();
            assert_eq!(team.ann.read(1), "v1", "the branch was changed");
            let plans = team.plans();
            let either = [NEWEST, "1=v2 2=v2 3=v1 4=new"];
            assert!(either.contains(&plans.as_str()), "source {source}, {point:?}: {plans}");
            team.edits_get_through(&team.ann);
            assert_eq!(team.plans(), "1=v2 2=v2 3=edited 4=new");
        }
    }
}

/// A branch on which the project has no `.metis` yet.
#[test]
fn a_branch_from_before_the_workspace() {
    let team = Team::new();
    team.moves_on();
    team.ann.git("checkout -q --orphan pages");
    team.ann.git("rm -r -q --cached .");
    team.ann.put("index.html", "<p>");
    team.ann.git("add index.html");
    team.ann.git("commit -q -m pages");
    team.ann.syncs();
    assert_eq!(team.plans(), NEWEST);
    team.edits_get_through(&team.ann);
}
