//! Hooks publish what has arrived in the project's remote, once git's command is over.

use crate::support::{
    process::run,
    team::{NEWEST, Team},
};

#[test]
fn a_push_that_was_only_tried() {
    let team = Team::new();
    team.ann.install_hooks();
    team.ann.commits(1, "v2");
    team.ann.git("push -q --dry-run");
    team.ann.hooks_end();
    assert_eq!(team.plans(), "1=v1 2=v1 3=v1");
    team.ann.git("push -q");
    team.ann.hooks_end();
    assert_eq!(team.plans(), "1=v2 2=v1 3=v1");
    team.edits_get_through(&team.ann);
}

/// Somebody was faster.
#[test]
fn a_push_that_the_remote_rejects() {
    let team = Team::new();
    team.bob.commit_code();
    team.bob.git("push -q");
    team.ann.install_hooks();
    team.ann.commits(1, "v2");
    team.ann.git_stops("push -q");
    team.ann.hooks_end();
    assert_eq!(team.plans(), "1=v1 2=v1 3=v1");
    team.ann.git("pull -q");
    team.ann.git("push -q");
    team.ann.hooks_end();
    assert_eq!(team.plans(), "1=v2 2=v1 3=v1");
    team.edits_get_through(&team.ann);
}

/// A hook of the user's own forbids it, after ours has run.
#[test]
fn a_push_that_another_hook_forbids() {
    let team = Team::new();
    team.ann.install_hooks();
    let hook = team.ann.dir.join(".git/hooks/pre-push");
    let text = std::fs::read_to_string(&hook).expect("installed");
    std::fs::write(&hook, text + "\nexit 1\n").expect("writable");
    team.ann.commits(1, "v2");
    team.ann.git_stops("push -q");
    team.ann.hooks_end();
    assert_eq!(team.plans(), "1=v1 2=v1 3=v1");
    team.edits_get_through(&team.ann);
}

/// What is not committed stays at home, whatever is pushed.
#[test]
fn an_uncommitted_edit() {
    let team = Team::new();
    team.ann.install_hooks();
    team.ann.commits(2, "committed");
    team.ann.write(1, "draft");
    team.ann.git("push -q");
    team.ann.hooks_end();
    assert_eq!(team.plans(), "1=v1 2=committed 3=v1");
    team.edits_get_through(&team.ann);
}

/// A draft that was published by hand is not taken back by a hook that reads main.
#[test]
fn a_draft_published_by_hand() {
    let team = Team::new();
    team.ann.install_hooks();
    team.ann.write(1, "draft");
    team.ann.syncs();
    team.ann.put("main.c", "code();\n");
    team.ann.git("add main.c");
    team.ann.git("commit -q -m code");
    team.ann.git("push -q");
    team.ann.hooks_end();
    assert_eq!(team.plans(), "1=draft 2=v1 3=v1");
    team.edits_get_through(&team.ann);
}

/// Tags and other branches fire the hook, too.
#[test]
fn a_push_of_something_else() {
    let team = Team::new();
    team.moves_on();
    team.ann.install_hooks();
    team.ann.git("tag v0.9 old");
    for line in [
        "push -q origin v0.9",
        "push -q origin old:refs/heads/maintenance",
        "push -q origin :old",
    ] {
        team.ann.git(line);
        team.ann.hooks_end();
        assert_eq!(team.plans(), NEWEST, "git {line}");
    }
    team.edits_get_through(&team.ann);
}

/// A project that has no remote: its own main is what counts.
#[test]
fn without_a_remote() {
    let team = Team::new();
    team.ann.git("remote remove origin");
    team.ann.install_hooks_for(&["post-merge", "post-commit"]);
    team.ann.commits(1, "v2");
    team.ann.hooks_end();
    assert_eq!(team.plans(), "1=v2 2=v1 3=v1");
    team.ann.git("checkout -q -b topic HEAD~1");
    team.ann.commit_code();
    team.ann.hooks_end();
    assert_eq!(team.plans(), "1=v2 2=v1 3=v1");
}

/// Two pushes, the second one while the sync of the first is still under way.
#[test]
fn two_pushes_in_a_row() {
    let team = Team::new();
    team.ann.install_hooks();
    for text in ["v2", "v3"] {
        team.ann.pushes(1, text);
    }
    team.ann.hooks_end();
    assert_eq!(team.plans(), "1=v3 2=v1 3=v1");
    team.edits_get_through(&team.ann);
}

/// `METIS_SYNC=0` for this once.
#[test]
fn switched_off() {
    let team = Team::new();
    team.ann.install_hooks();
    team.ann.commits(1, "v2");
    let mut push = team.ann.program("git");
    push.args(["push", "-q"]).env("METIS_SYNC", "0");
    run(push).success();
    team.ann.hooks_end();
    assert_eq!(team.plans(), "1=v1 2=v1 3=v1");
    team.edits_get_through(&team.ann);
}

/// A draft that was published by hand stays when the commit below it is made anew and pushed: the hook does not see the draft.
#[test]
fn a_draft_on_top_of_a_commit_that_is_rewritten() {
    for rewrite in ["commit -q --amend -m again", "pull -q --rebase --autostash"] {
        let team = Team::new();
        team.ann.install_hooks_for(&["pre-push", "post-merge", "post-rewrite"]);
        team.ann.write(2, "ann");
        team.ann.commit("ann");
        team.ann.write(1, "draft");
        team.ann.write(9, "made");
        team.ann.remove(3);
        team.ann.syncs();
        team.bob.commit_code();
        if rewrite.starts_with("pull") {
            team.bob.git("push -q");
        }
        team.ann.git(rewrite);
        team.ann.hooks_end();
        team.ann.git("push -q");
        team.ann.hooks_end();
        let drafted = "1=draft 2=ann 9=made";
        assert_eq!(team.plans(), drafted, "git {rewrite}");
        team.ann.git("checkout -q -b feature");
        let said = team.ann.syncs();
        assert!(
            said.contains("an edit of this clone that is not committed yet"),
            "{said}"
        );
        assert_eq!(team.plans(), drafted, "on another branch after git {rewrite}");
        team.ann.git("checkout -q main");
        team.ann.syncs();
        assert_eq!(team.plans(), drafted, "git {rewrite}");
    }
}
