//! What lies on disk: what git is spared, what becomes of copies, and how much of it there may be.

mod beginning;
mod chosen;
mod copies;
mod git;
mod limits;
mod pulled;
mod wanted;

use crate::support::{process::run, workspace::Workspace, world::World};

/// Runs git in the project as the workspace's person; it must succeed.
#[track_caller]
fn git(workspace: &Workspace, args: &[&str]) -> String {
    let mut command = workspace.program("git");
    command
        .args(["-c", "user.name=Ann", "-c", "user.email=ann@example.org"])
        .args(["-c", "init.defaultBranch=main", "-c", "gc.auto=0"])
        .args(args);
    run(command).success()
}

/// A workspace with one document, which has synced.
fn synced(world: &World, prefix: &str) -> Workspace {
    let workspace = world.workspace(prefix);
    workspace.write(&format!("{}-T-0001", prefix.to_uppercase()), "First.");
    workspace.sync().report();
    workspace
}

/// The same in a git repository, with everything that git does not ignore committed before the sync.
fn committed(world: &World, prefix: &str) -> Workspace {
    let workspace = world.workspace(prefix);
    workspace.write(&format!("{}-T-0001", prefix.to_uppercase()), "First.");
    git(&workspace, &["init", "--quiet"]);
    git(&workspace, &["add", "--all"]);
    git(&workspace, &["commit", "--quiet", "--message", "Plans"]);
    workspace.sync().report();
    workspace
}
