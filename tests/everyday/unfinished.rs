//! A sync by hand while git waits for somebody to finish what they began.

use std::{fs, path::PathBuf};

use crate::support::{
    process::{Running, built, eventually, run},
    team::{Checkout, NEWEST, Team},
};

/// Ann has changed two documents and synced, Bob has pushed another text of the first: each way of putting them together
/// stops. Central has what Ann's commits say.
fn about_to_conflict(source: &str) -> Team {
    let team = Team::publishing(source);
    team.ann.commits(2, "ann");
    team.ann.commits(3, "ann");
    team.ann.syncs();
    team.bob.pushes(2, "bob");
    team.ann.git("fetch -q");
    assert_eq!(team.plans(), PUBLISHED);
    team
}

const PUBLISHED: &str = "1=v1 2=ann 3=ann";

/// Whatever is unfinished: nothing half done is pushed, nothing that waits is taken back, and once it is undone all is as before.
#[track_caller]
fn is_left_alone(team: &Team, begin: &str, undo: &str) {
    team.ann.git_stops(begin);
    for _ in 0..2 {
        team.ann.syncs();
        assert_eq!(team.plans(), PUBLISHED, "during git {begin}");
    }
    team.ann.git(undo);
    team.ann.syncs();
    assert_eq!(team.plans(), PUBLISHED, "after git {undo}");
}

#[test]
fn a_rebase() {
    is_left_alone(&about_to_conflict("main"), "rebase -q origin/main", "rebase --abort");
    is_left_alone(
        &about_to_conflict("main"),
        "rebase --apply origin/main",
        "rebase --abort",
    );
}

#[test]
fn a_merge() {
    is_left_alone(&about_to_conflict("main"), "merge -q origin/main", "merge --abort");
}

#[test]
fn a_cherry_pick() {
    is_left_alone(
        &about_to_conflict("main"),
        "cherry-pick origin/main",
        "cherry-pick --abort",
    );
}

#[test]
fn a_revert() {
    let team = Team::new();
    for text in ["v2", "v3"] {
        team.ann.commits(2, text);
    }
    team.ann.syncs();
    team.ann.git_stops("revert --no-edit HEAD~1");
    team.ann.syncs();
    assert_eq!(team.plans(), "1=v1 2=v3 3=v1");
    team.ann.git("revert --abort");
    team.ann.syncs();
    assert_eq!(team.plans(), "1=v1 2=v3 3=v1");
    team.edits_get_through(&team.ann);
}

#[test]
fn mailed_patches() {
    let team = about_to_conflict("main");
    let patches = team.world.root().join("patches");
    team.bob.git(&format!("format-patch -q -1 -o {}", patches.display()));
    let patch = std::fs::read_dir(&patches)
        .expect("made")
        .next()
        .expect("one")
        .expect("readable")
        .path();
    is_left_alone(&team, &format!("am -q -3 {}", patch.display()), "am --abort");
}

/// What git could merge is staged, what it could not is unmerged: the whole merge waits, and comes with its commit.
#[test]
fn a_merge_that_is_finished_later() {
    let team = about_to_conflict("main");
    team.bob.pushes(1, "bob");
    team.bob.sync_exits(3);
    assert_eq!(team.plans(), "1=bob 2=ann 3=ann", "the first document stops no other");
    team.ann.git_stops("pull -q");
    team.ann.syncs();
    assert_eq!(team.plans(), "1=bob 2=ann 3=ann");
    team.ann.write(2, "both");
    team.ann.git("add --all");
    team.ann.syncs();
    assert_eq!(team.plans(), "1=bob 2=ann 3=ann", "resolved, not committed");
    team.ann.git("commit -q --no-edit");
    team.ann.syncs();
    assert_eq!(team.plans(), "1=bob 2=both 3=ann");
    team.edits_get_through(&team.ann);
}

/// With `source = "worktree"` there is no other tree to read: the sync says what is unfinished, and touches nothing.
#[test]
fn with_the_work_tree_as_source_the_sync_stops() {
    for (begin, undo, word) in [
        ("rebase -q origin/main", "rebase --abort", "rebase"),
        ("merge -q origin/main", "merge --abort", "merge"),
        ("cherry-pick origin/main", "cherry-pick --abort", "cherry-pick"),
    ] {
        let team = about_to_conflict("worktree");
        team.ann.git_stops(begin);
        let said = team.ann.sync_exits(3);
        assert!(said.contains(word), "{said}");
        assert_eq!(team.plans(), PUBLISHED);
        team.ann.git(undo);
        team.ann.syncs();
        assert_eq!(team.plans(), PUBLISHED);
    }
    let team = Team::publishing("worktree");
    for _ in 0..3 {
        team.ann.commit_code();
    }
    team.moves_on();
    team.ann.git("bisect start main main~4");
    let said = team.ann.sync_exits(3);
    assert!(said.contains("bisect"), "{said}");
    assert_eq!(team.plans(), crate::support::team::NEWEST);
    team.ann.git("bisect reset");
    team.edits_get_through(&team.ann);
}

/// A stash that does not fit leaves an unmerged file, and nothing that git calls unfinished.
#[track_caller]
fn pop_that_conflicts(clone: &Checkout) {
    clone.write(1, "stashed");
    clone.git("stash -q");
    clone.write(1, "committed");
    clone.write(2, "committed");
    clone.commit("meanwhile");
    clone.syncs();
    clone.git_stops("stash pop -q");
}

#[test]
fn a_stash_that_does_not_fit() {
    for source in ["main", "worktree"] {
        let team = Team::publishing(source);
        pop_that_conflicts(&team.ann);
        team.ann.write(3, "edited");
        let said = team.ann.syncs();
        assert!(said.contains("API-T-0001"), "it is named: {said}");
        assert_eq!(team.plans(), "1=committed 2=committed 3=edited", "source {source}");
        team.ann.sync_with(&["--force"]);
        assert_eq!(
            team.plans(),
            "1=committed 2=committed 3=edited",
            "source {source}, forced"
        );
        team.ann.write(1, "both");
        team.ann.git("add --all");
        team.ann.syncs();
        assert_eq!(team.plans(), "1=both 2=committed 3=edited", "source {source}");
        team.edits_get_through(&team.ann);
    }
}

/// Removed on one side, edited on the other: git leaves the edited text, without markers, unmerged.
#[test]
fn removed_here_and_edited_there() {
    let team = Team::new();
    team.bob.publishes(1, "bob");
    team.ann.remove(1);
    team.ann.commit("drop it");
    team.ann.git_stops("pull -q");
    team.ann.sync_exits(3);
    assert_eq!(team.plans(), "1=bob 2=v1 3=v1", "neither is newer");
    team.ann.git(&format!("rm -q {}", team.ann.path(1)));
    team.ann.git("commit -q --no-edit");
    team.ann.syncs();
    assert_eq!(team.plans(), "2=v1 3=v1");
    team.edits_get_through(&team.ann);
}

/// A checkout of git's that stops on its way, with documents changed already and `HEAD` still to be moved: a filter waits for leave
/// to write a file that comes after them.
pub struct HalfWay {
    checkout: Running,
    leave: PathBuf,
}

impl HalfWay {
    pub fn begin(person: &Checkout, branch: &str) -> Self {
        let (reached, leave) = (person.home.join("reached"), person.home.join("leave"));
        let (reached_shown, leave_shown) = (reached.display(), leave.display());
        let script = format!("touch {reached_shown}; until [ -e {leave_shown} ]; do sleep 0.01; done; cat");
        let mut config = person.program("git");
        config.args(["config", "filter.slow.smudge", &script]);
        run(config).success();
        let mut command = person.program("git");
        command.args(["checkout", "-q", branch]);
        let checkout = Running::start(command);
        eventually("half of a checkout", || reached.exists());
        HalfWay { checkout, leave }
    }

    pub fn go_on(self) {
        fs::write(&self.leave, "").unwrap();
        self.checkout.finish().success();
    }
}

/// Ann's main has newer plans than the branch `old`, and a file that is filtered.
pub fn with_a_slow_filter(source: &str) -> Team {
    let team = Team::publishing(source);
    team.ann.put(".gitattributes", "zz.txt filter=slow\n");
    team.ann.put("zz.txt", "old\n");
    team.ann.commit("a filtered file");
    team.ann.git("branch old");
    team.ann.write(1, "v2");
    team.ann.write(4, "new");
    team.ann.put("zz.txt", "new\n");
    team.ann.commit("newer plans");
    team.ann.git("push -q");
    team.ann.syncs();
    assert_eq!(team.plans(), NEWEST);
    team
}

/// What a checkout has done by then is neither an edit nor a removal.
#[test]
fn half_of_a_checkout_is_not_pushed() {
    for source in ["main", "worktree"] {
        let team = with_a_slow_filter(source);
        let half_way = HalfWay::begin(&team.ann, "old");
        assert_eq!(team.ann.read(1), "v1", "git has come that far");
        let said = team.ann.sync_exits(1);
        assert!(said.contains(".git/index"), "{said}");
        assert_eq!(team.plans(), NEWEST, "{source}");
        half_way.go_on();
        team.ann.sync();
        assert_eq!(team.plans(), NEWEST, "{source}");
        team.edits_get_through(&team.ann);
    }
}

/// A sync that comes while git is at it waits for it.
#[test]
fn a_sync_waits_for_a_checkout() {
    let team = with_a_slow_filter("main");
    let half_way = HalfWay::begin(&team.ann, "old");
    let mut command = team.ann.program(built("git-metis-sync"));
    command.args(["sync"]);
    let sync = Running::start(command);
    half_way.go_on();
    assert_eq!(sync.finish().code, Some(0));
    assert_eq!(team.plans(), NEWEST);
}
