//! The same where the project's repository is laid out otherwise.

use std::fs;

use super::{TASK, is_stale, looking_only, pushes, theirs, with_something_to_push};
use crate::support::world::World;

/// 81#8, 81#9 with an upstream of another name than the branch.
#[test]
fn the_upstream_counts_not_the_name() {
    let world = World::new();
    let (workspace, project) = with_something_to_push(&world);
    project.git(
        &workspace.dir,
        &["checkout", "--quiet", "-b", "work", "--track", "origin/main"],
    );
    // A branch of the same name there is somebody else's.
    project.git(&project.remote, &["branch", "work", "main"]);
    project.colleague_pushes("work", TASK, Some(&theirs("API-T-0001")));
    pushes(&project, &workspace);
    workspace.edit("API-T-0002", "Once more.");
    project.colleague_pushes("main", TASK, Some(&theirs("API-T-0001")));
    assert!(
        is_stale(&world, &project, &workspace)
            .message
            .starts_with("origin/main ")
    );
}

/// 81#8, 81#9 in a linked worktree, and with a remote by a relative path.
#[test]
fn in_a_linked_worktree() {
    let world = World::new();
    let (mut workspace, project) = with_something_to_push(&world);
    let linked = workspace.dir.with_file_name("linked");
    project.git(&workspace.dir, &["remote", "set-url", "origin", "../../project.git"]);
    project.git(
        &workspace.dir,
        &["worktree", "add", "--quiet", "-b", "topic", "../linked", "HEAD"],
    );
    workspace.dir = linked;
    project.git(
        &workspace.dir,
        &["push", "--quiet", "--set-upstream", "origin", "topic"],
    );
    workspace.edit("API-T-0002", "Changed in the worktree.");
    pushes(&project, &workspace);
    workspace.edit("API-T-0002", "Once more.");
    project.colleague_pushes("topic", TASK, Some(&theirs("API-T-0001")));
    assert!(
        is_stale(&world, &project, &workspace)
            .message
            .starts_with("origin/topic ")
    );
}

/// 81#8, 81#9 in a shallow clone: what lies behind its end was pulled long ago.
#[test]
fn in_a_shallow_clone() {
    let world = World::new();
    let (mut workspace, project) = with_something_to_push(&world);
    // A side branch from before the end of the shallow clone, with a change that main has as well.
    project.git(&project.remote, &["branch", "side", "main"]);
    project.colleague_pushes("main", TASK, Some(&theirs("API-T-0001")));
    project.colleague_pushes("main", "src/main.rs", Some("fn main() {}"));
    project.colleague_pushes("side", "src/lib.rs", Some("//! A library."));
    project.colleague_pushes("side", TASK, Some(&theirs("API-T-0001")));

    let shallow = workspace.dir.with_file_name("shallow");
    let parent = shallow.parent().unwrap();
    project.git(parent, &["clone", "--quiet", "--depth=1", &project.url(), "shallow"]);
    workspace.dir = shallow;
    workspace.edit("API-T-0002", "Changed in the shallow clone.");
    looking_only(&project, &workspace, || workspace.sync_with(&["--force"]).report());
    let git_dir = workspace.dir.join(".git");
    assert!(git_dir.join("shallow").exists());

    let dir = project.colleague("main");
    project.git(dir, &["merge", "--quiet", "--no-edit", "origin/side"]);
    project.git(dir, &["push", "--quiet", "origin", "main"]);
    workspace.edit("API-T-0002", "Once more.");
    pushes(&project, &workspace);

    workspace.edit("API-T-0002", "And again.");
    project.colleague_pushes(
        "main",
        TASK,
        Some(&theirs("API-T-0001").replace("Changed", "Changed again")),
    );
    is_stale(&world, &project, &workspace);
}

/// 81#9: the workspace is a folder of a larger repository.
#[test]
fn in_a_folder_of_a_repository() {
    let world = World::new();
    let (mut workspace, project) = with_something_to_push(&world);
    let dir = project.colleague("main");
    fs::create_dir_all(dir.join("services/api")).unwrap();
    project.git(dir, &["mv", ".metis", "services/api/.metis"]);
    project.commit(dir);
    project.git(dir, &["push", "--quiet", "origin", "main"]);
    project.git(&workspace.dir, &["stash", "--quiet"]);
    project.git(&workspace.dir, &["pull", "--quiet", "--ff-only"]);
    workspace.dir = workspace.dir.join("services/api");
    workspace.edit("API-T-0002", "Changed here.");
    pushes(&project, &workspace);

    workspace.edit("API-T-0002", "Once more.");
    project.colleague_pushes("main", ".metis/adrs/API-A-0001.md", Some(&theirs("API-A-0001")));
    pushes(&project, &workspace);
    workspace.edit("API-T-0002", "And again.");
    project.colleague_pushes("main", &format!("services/api/{TASK}"), Some(&theirs("API-T-0001")));
    is_stale(&world, &project, &workspace);
}
