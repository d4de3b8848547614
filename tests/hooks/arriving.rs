//! Where the plans are those of one branch, hooks publish what has arrived in it: what its remote has once git has ended.

use std::{fs, path::Path};

use super::project::Project;
use crate::support::{
    document::document,
    point::Point,
    process::{Finished, run},
    world::World,
};

/// What central has of the api workspace's first document.
fn in_central(world: &World) -> String {
    let folder = world.central.folder("api");
    let text = folder.get("API-T-0001.md").map(Vec::as_slice).unwrap_or_default();
    String::from_utf8_lossy(text).into_owned()
}

/// A project whose first document is in central, with hooks.
fn published(world: &World) -> Project {
    let api = Project::of_main(world, "api");
    api.workspace.write("API-T-0001", "First.");
    api.commit("a document");
    api.hooks(&["install", "pre-push", "post-merge", "post-rewrite", "post-commit"]);
    api.git(&["push", "--quiet"]);
    assert_eq!(api.ended(1)["ended"], "synced", "{}", api.state("hook.log"));
    assert!(in_central(world).contains("First."));
    api
}

/// The number of syncs by hooks that have ended.
fn syncs(api: &Project) -> usize {
    api.state("hook.log").matches("\nEnded ").count()
}

/// Runs git and waits for the sync that its hook starts.
#[track_caller]
fn git_and_sync(api: &Project, args: &[&str]) -> Finished {
    let before = syncs(api);
    let finished = api.try_git(args);
    let ended = api.ended(before + 1);
    assert_eq!(ended["ended"], "synced", "{ended}\n{}", api.state("hook.log"));
    finished
}

#[test]
fn a_push_that_brings_nothing_changes_nothing() {
    let world = World::new();
    let api = published(&world);
    api.workspace.edit("API-T-0001", "Second.");
    git_and_sync(&api, &["commit", "--quiet", "--all", "-m", "an edit"]);
    assert!(in_central(&world).contains("First."), "a commit has not arrived");

    git_and_sync(&api, &["push", "--dry-run"]).success();
    assert!(in_central(&world).contains("First."), "a dry run");

    let origin_hook = api.origin.join("hooks/pre-receive");
    fs::create_dir_all(origin_hook.parent().expect("below the repository")).expect("temp folder is writable");
    fs::rename(api.script("refuse", "#!/bin/sh\nexit 1\n"), &origin_hook).expect("same disk");
    assert_ne!(git_and_sync(&api, &["push"]).code, Some(0));
    assert!(in_central(&world).contains("First."), "a push that was refused");
    fs::remove_file(origin_hook).expect("it is ours");

    api.workspace.edit("API-T-0001", "Not committed.");
    git_and_sync(&api, &["push", "--quiet"]).success();
    assert!(
        in_central(&world).contains("Second."),
        "what has arrived, and not what lies there"
    );
}

/// git has gone on to another branch before the sync reads anything.
#[test]
fn a_checkout_right_after_changes_nothing() {
    let world = World::new();
    let api = published(&world);
    api.git(&["branch", "old"]);
    api.workspace.edit("API-T-0001", "Second.");
    git_and_sync(&api, &["commit", "--quiet", "--all", "-m", "an edit"]);
    let hook = api.workspace.dir.join(".git/hooks/pre-push");
    let ours = fs::read_to_string(&hook).expect("it is installed");
    fs::write(&hook, format!("{ours}git switch --quiet old\n")).expect("it is ours");
    git_and_sync(&api, &["push", "--quiet", "origin", "main"]).success();
    assert_eq!(api.git(&["symbolic-ref", "--short", "HEAD"]), "old\n");
    assert!(in_central(&world).contains("Second."));

    git_and_sync(&api, &["push", "--quiet", "origin", "old"]).success();
    assert!(in_central(&world).contains("Second."), "another branch's push");
}

#[test]
fn what_a_pull_brings_is_published() {
    let world = World::new();
    let api = published(&world);
    let clone = api.workspace.home.join("colleague");
    let dir = clone.display().to_string();
    api.git(&["clone", "--quiet", &api.origin.display().to_string(), &dir]);
    let place = Path::new(".metis").join(api.workspace.place_of("API-T-0001"));
    fs::write(clone.join(place), document("API-T-0001", "Title", "By a colleague.")).expect("it is ours");
    api.git(&["-C", &dir, "commit", "--quiet", "--all", "-m", "an edit"]);
    let mut push = api.command(&["-C", &dir, "push", "--quiet"]);
    push.env("METIS_SYNC", "0");
    run(push).success();

    git_and_sync(&api, &["pull", "--quiet", "--no-rebase"]).success();
    assert!(in_central(&world).contains("By a colleague."));
}

/// Without a remote nothing arrives anywhere but in the branch itself.
#[test]
fn without_a_remote_the_branch_counts() {
    let world = World::new();
    let api = published(&world);
    api.git(&["remote", "remove", "origin"]);
    api.workspace.edit("API-T-0001", "Second.");
    git_and_sync(&api, &["commit", "--quiet", "--all", "-m", "an edit"]);
    assert!(in_central(&world).contains("Second."));
    api.git(&["switch", "--quiet", "-c", "topic"]);
    api.workspace.edit("API-T-0001", "A draft.");
    git_and_sync(&api, &["commit", "--quiet", "--all", "-m", "a draft"]);
    assert!(in_central(&world).contains("Second."), "drafts come with the merge");
}

/// A rebase of some other branch may take days; what is pushed meanwhile has arrived.
#[test]
fn a_stopped_rebase_does_not_hold_up_what_has_arrived() {
    let world = World::new();
    let api = published(&world);
    api.workspace.edit("API-T-0001", "Second.");
    git_and_sync(&api, &["commit", "--quiet", "--all", "-m", "an edit"]);
    let rebase = api.workspace.dir.join(".git/rebase-merge");
    fs::create_dir(&rebase).expect("the repository is writable");
    git_and_sync(&api, &["push", "--quiet"]).success();
    assert!(in_central(&world).contains("Second."));
}

/// A push that waits publishes what it brings to the source branch, before it has arrived, and nothing else.
#[test]
fn blocking_publishes_what_the_push_brings() {
    let world = World::new();
    let api = published(&world);
    api.set_hooks("blocking = true");
    api.workspace.edit("API-T-0001", "Second.");
    git_and_sync(&api, &["commit", "--quiet", "--all", "-m", "an edit"]);

    api.git(&["branch", "topic"]);
    for elsewhere in [
        &["push", "--quiet", "origin", "topic"][..],
        &["push", "--quiet", "origin", "main:review"],
    ] {
        git_and_sync(&api, elsewhere).success();
        assert!(in_central(&world).contains("First."), "{elsewhere:?}");
    }
    let fork = api.workspace.home.join("fork.git").display().to_string();
    api.git(&["init", "--quiet", "--bare", &fork]);
    git_and_sync(&api, &["push", "--quiet", &fork, "main"]).success();
    assert!(
        in_central(&world).contains("First."),
        "another remote's branch of that name"
    );

    api.workspace.edit("API-T-0001", "Third.");
    let mut gate = world.points.gate(Point::BeforeRef);
    let before = syncs(&api);
    let push = crate::support::process::Running::start(api.command(&["push"]));
    gate.wait();
    let there = api.git(&["ls-remote", "origin", "main"]);
    assert!(!there.starts_with(api.git(&["rev-parse", "main"]).trim()), "git waits");
    gate.open();
    push.finish().success();
    assert!(in_central(&world).contains("Second."));
    assert_eq!(api.ended(before + 1)["ended"], "synced");
    assert!(in_central(&world).contains("Second."), "and not the edit");
}

/// A day's work in no time, in two clones: whatever the hooks make of it, everything that has arrived is in central at the end.
#[test]
fn quick_successions_in_two_clones_lose_nothing() {
    let world = World::new();
    let ann = published(&world);
    let bob = ann.workspace.home.join("bob");
    let bobs = bob.display().to_string();
    ann.git(&["clone", "--quiet", &ann.origin.display().to_string(), &bobs]);
    let in_bobs = |args: &[&str]| {
        let mut command = ann.command(args);
        command.current_dir(&bob);
        run(command).success()
    };
    in_bobs(&["metis-sync", "hooks", "status"]);
    in_bobs(&[
        "metis-sync",
        "hooks",
        "install",
        "pre-push",
        "post-merge",
        "post-rewrite",
        "post-commit",
    ]);
    for round in 0..6 {
        let code = format!("API-T-1{round:03}");
        ann.workspace.write(&code, "By ann.");
        ann.commit("a document of ann's");
        ann.git(&["commit", "--quiet", "--amend", "--allow-empty", "-m", "amended"]);
        ann.git(&["pull", "--quiet", "--rebase"]);
        ann.git(&["push", "--quiet"]);

        let name = format!("API-T-2{round:03}");
        fs::write(
            bob.join(format!(".metis/{name}.md")),
            document(&name, "Title", "By bob."),
        )
        .expect("it is ours");
        in_bobs(&["switch", "--quiet", "-c", &format!("topic-{round}")]);
        in_bobs(&["add", "--all"]);
        in_bobs(&["commit", "--quiet", "-m", "a document of bob's"]);
        in_bobs(&["switch", "--quiet", "main"]);
        in_bobs(&["pull", "--quiet", "--no-rebase"]);
        in_bobs(&["merge", "--quiet", "--no-ff", "--no-edit", &format!("topic-{round}")]);
        in_bobs(&["push", "--quiet"]);
    }
    ann.git(&["pull", "--quiet", "--rebase"]);
    let log = |project: &Path| fs::read_to_string(project.join(".metis/.sync/hook.log")).unwrap_or_default();
    for project in [&ann.workspace.dir, &bob] {
        crate::support::process::eventually("all workers have ended", || {
            let log = log(project);
            let begun = log.lines().filter(|line| line.starts_with("--- ")).count();
            begun > 0 && log.lines().filter(|line| line.starts_with("Ended ")).count() == begun
        });
        assert!(!log(project).contains("panicked"), "{}", log(project));
    }
    let arrived = ann.git(&["ls-tree", "-r", "--name-only", "origin/main", ".metis/"]);
    let mut arrived: Vec<_> = arrived
        .lines()
        .filter(|path| path.ends_with(".md"))
        .filter_map(|path| path.rsplit('/').next())
        .collect();
    arrived.sort_unstable();
    assert_eq!(arrived.len(), 13);
    assert_eq!(world.central.folder("api").keys().collect::<Vec<_>>(), arrived);
    world.central.fsck_strict();
    assert_eq!(ann.git(&["status", "--porcelain"]), "");
    assert_eq!(in_bobs(&["status", "--porcelain"]), "");
}
