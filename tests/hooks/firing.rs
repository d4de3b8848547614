//! What starts a sync, and that git's command has nothing of it but the start.

use std::fs;

use super::project::Project;
use crate::support::{point::Point, process::eventually, world::World};

#[test]
fn a_push_sends_the_own_documents() {
    let world = World::new();
    let api = Project::new(&world, "api");
    api.hooks(&["install"]);
    api.workspace.write("API-T-0001", "To be pushed.");
    api.commit("a document");

    let push = api.try_git(&["push"]);

    assert_eq!(push.code, Some(0), "{}", push.transcript());
    assert!(!push.stderr.contains("metis-sync:"), "{}", push.transcript());
    assert_eq!(api.ended(1)["ended"], "synced", "{}", api.state("hook.log"));
    assert_eq!(world.central.folder("api"), api.workspace.documents());
    assert!(api.state("journal.jsonl").contains("hook pre-push"));
    assert!(api.state("hook.log").contains("Registered"));
}

/// Central stands still until the test lets it go on: the push is done long before.
#[test]
fn a_push_does_not_wait() {
    let world = World::new();
    let api = Project::new(&world, "api");
    api.hooks(&["install"]);
    api.workspace.write("API-T-0001", "To be pushed.");
    api.commit("a document");
    let mut gate = world.points.gate(Point::BeforeRef);

    // With its output captured: it ends only when nobody has that open any more.
    api.git(&["push"]);

    gate.wait();
    assert!(world.central.folder("api").is_empty());
    gate.open();
    assert_eq!(api.ended(1)["ended"], "synced");
    assert_eq!(world.central.folder("api"), api.workspace.documents());
}

#[test]
fn a_pull_brings_the_others_documents() {
    let world = World::new();
    let (api, web) = (Project::new(&world, "api"), world.workspace("web"));
    api.hooks(&["install"]);
    web.write("WEB-T-0001", "Somebody else's.");
    web.sync().report();
    api.colleague_commits("README");

    api.git(&["pull", "--quiet", "--no-rebase"]);

    assert_eq!(api.ended(1)["event"], "post-merge");
    assert_eq!(api.workspace.hydrated("web"), web.documents());
}

#[test]
fn a_merge_of_a_branch_too() {
    let world = World::new();
    let api = Project::new(&world, "api");
    api.hooks(&["install"]);
    api.git(&["switch", "--quiet", "-c", "topic"]);
    api.workspace.write("API-T-0001", "On a branch.");
    api.commit("a document");
    api.git(&["switch", "--quiet", "main"]);
    api.commit("meanwhile");
    api.git(&["merge", "--quiet", "--no-edit", "topic"]);
    assert_eq!(api.ended(1)["ended"], "synced");
    assert_eq!(world.central.folder("api"), api.workspace.documents());
}

/// `post-rewrite` fires while the rebase's state is still there; the sync begins when it is gone.
#[test]
fn a_rebase_syncs_when_it_is_over() {
    let world = World::new();
    let api = Project::new(&world, "api");
    api.hooks(&["install", "post-rewrite", "post-commit"]);
    api.colleague_commits("README");
    for number in 1..4 {
        api.workspace.write(&format!("API-T-000{number}"), "Rebased.");
        api.git(&["add", "--all"]);
        // The hook for commits would sync for each of them.
        let mut commit = api.command(&["commit", "--quiet", "-m", "a document"]);
        commit.env("METIS_SYNC", "0");
        crate::support::process::run(commit).success();
    }
    assert_eq!(api.state("hook.log"), "", "switched off");

    api.git(&["pull", "--quiet", "--rebase"]);

    eventually("rewriting started one", || {
        api.state("hook.log").contains("post-rewrite")
    });
    eventually("one sync went through", || {
        api.state("hook.json").contains("\"synced\"")
    });
    api.wait_for_worker();
    assert_eq!(world.central.folder("api"), api.workspace.documents());
    assert_eq!(world.central.log().len(), 2, "README, and one commit of ours");
}

/// In the middle of a rebase that waits for the user nothing is touched.
#[test]
fn a_stopped_rebase_is_left_alone() {
    let world = World::new();
    let api = Project::new(&world, "api");
    api.set_hooks("deadline_seconds = 1");
    api.commit("a short deadline");
    api.hooks(&["install", "post-commit"]);
    api.workspace.write("API-T-0001", "Not yet.");
    fs::create_dir(api.workspace.dir.join(".git/rebase-merge")).expect("the repository is writable");

    api.git(&["metis-sync", "hooks", "run", "post-commit"]);

    let ended = api.ended(1);
    assert_eq!(
        (&ended["ended"], &ended["message"]),
        (&"skipped".into(), &"a rebase is not finished".into())
    );
    assert!(world.central.folder("api").is_empty());
}

#[test]
fn a_commit_syncs_on_request() {
    let world = World::new();
    let api = Project::new(&world, "api");
    api.hooks(&["install", "post-commit"]);
    api.workspace.write("API-T-0001", "Committed.");
    api.commit("a document");
    assert_eq!(api.ended(1)["event"], "post-commit");
    assert_eq!(world.central.folder("api"), api.workspace.documents());
}

/// What git sets for its hooks, and what users set for git, is about another repository than central's.
#[test]
fn the_environment_of_the_command_stays_with_it() {
    let world = World::new();
    let api = Project::new(&world, "api");
    api.hooks(&["install"]);
    api.workspace.write("API-T-0001", "To be pushed.");
    api.commit("a document");
    let dir = |name: &str| api.workspace.dir.join(name).display().to_string();
    let mut push = api.command(&["-c", "core.bare=false", "-c", "user.name=Nobody", "push"]);
    push.env("GIT_DIR", dir(".git"))
        .env("GIT_WORK_TREE", dir(""))
        .env("GIT_INDEX_FILE", dir(".git/index"))
        .env("GIT_OBJECT_DIRECTORY", dir(".git/objects"))
        .env("GIT_AUTHOR_NAME", "Nobody")
        .env("GIT_COMMITTER_DATE", "1999-01-01T00:00:00Z");
    crate::support::process::run(push).success();
    assert_eq!(api.ended(1)["ended"], "synced", "{}", api.state("hook.log"));
    assert_eq!(world.central.folder("api"), api.workspace.documents());
    let author = world.central.git(&["log", "-1", "--format=%an %cn %cs", "main"]);
    assert!(author.starts_with("Person Person 2"), "{author}");
    assert!(!author.contains("1999"), "{author}");
}

/// A hook of central's, or of a repository that a hook of the user's pushes to, must not begin again.
#[test]
fn a_sync_does_not_start_a_sync() {
    let world = World::new();
    let api = Project::new(&world, "api");
    let mut nested = api.command(&["metis-sync", "hooks", "run", "pre-push"]);
    nested.env("METIS_SYNC_INSIDE_HOOK", "1");
    crate::support::process::run(nested).success();
    assert!(!api.workspace.metis().join(".sync").exists());
}

#[test]
fn blocking_waits_for_the_sync_and_fails_with_it() {
    let world = World::new();
    let api = Project::new(&world, "api");
    api.set_hooks("blocking = true");
    api.hooks(&["install"]);
    api.workspace.write("API-T-0001", "To be pushed.");
    api.commit("a document");

    let push = api.try_git(&["push", "--porcelain"]);
    assert_eq!(push.code, Some(0), "{}", push.transcript());
    assert_eq!(world.central.folder("api"), api.workspace.documents(), "already");
    assert!(push.stderr.contains("Pushed: 1 document"), "{}", push.transcript());
    assert!(
        !String::from_utf8_lossy(&push.stdout).contains("Pushed"),
        "standard output is git's"
    );

    assert_eq!(api.ended(1)["ended"], "synced", "afterwards there is nothing to add");
    assert_eq!(world.central.log().len(), 2);

    api.workspace.edit("API-T-0001", "Refused.");
    api.commit("an edit");
    world
        .points
        .script(Point::BeforeRef, "echo 'central is frozen' >&2; exit 1");
    let head = api.git(&["rev-parse", "origin/main"]);
    let refused = api.try_git(&["push"]);
    assert_ne!(refused.code, Some(0));
    assert!(refused.stderr.contains("central is frozen"), "{}", refused.transcript());
    assert!(
        refused.stderr.contains("METIS_SYNC=0 git push"),
        "{}",
        refused.transcript()
    );
    assert_eq!(
        api.git(&["ls-remote", "origin", "main"])[..40],
        head[..40],
        "nothing was pushed"
    );

    let mut without = api.command(&["push"]);
    without.env("METIS_SYNC", "0");
    crate::support::process::run(without).success();
}
