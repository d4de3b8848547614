//! The hooks path that counts, in every kind of repository.

mod subfolders;

use std::{fs, path::Path};

use super::project::Project;
use crate::support::{
    process::{eventually, run},
    world::World,
};

#[test]
fn a_hooks_path_in_the_work_tree() {
    let world = World::new();
    let api = Project::new(&world, "api");
    api.git(&["config", "core.hooksPath", "tools/hooks"]);
    fs::create_dir(api.workspace.dir.join("src")).expect("temp folder is writable");
    // Relative to the top, wherever one is.
    api.git(&["-C", "src", "metis-sync", "hooks", "install"]);
    assert!(api.workspace.dir.join("tools/hooks/pre-push").exists());
    assert!(
        api.git(&["-C", "src", "metis-sync", "hooks", "status"])
            .contains("fires: ")
    );
    api.workspace.write("API-T-0001", "To be pushed.");
    api.commit("a document");
    api.git(&["-C", "src", "push"]);
    assert_eq!(api.ended(1)["ended"], "synced");

    // It is found again when the path has gone back.
    api.git(&["config", "--unset", "core.hooksPath"]);
    api.hooks(&["install"]);
    api.git(&["config", "core.hooksPath", "tools/hooks"]);
    api.hooks(&["uninstall"]);
    assert!(!api.workspace.dir.join("tools/hooks/pre-push").exists());
    assert!(!api.workspace.dir.join(".git/hooks/pre-push").exists());
}

#[test]
fn a_hooks_path_that_others_share() {
    let world = World::new();
    let api = Project::new(&world, "api");
    let shared = api.workspace.home.join("hooks");
    fs::create_dir(&shared).expect("temp folder is writable");
    api.git(&["config", "--global", "core.hooksPath", "~/hooks"]);
    let refused = api.try_git(&["metis-sync", "hooks", "install"]);
    assert_eq!(refused.code, Some(1));
    assert!(refused.stderr.contains("--shared"), "{}", refused.transcript());
    assert_eq!(fs::read_dir(&shared).expect("it is there").count(), 0);

    api.hooks(&["install", "--shared"]);
    assert!(shared.join("pre-push").exists());
    api.git(&["push", "origin", "main:first"]);
    assert_eq!(api.ended(1)["ended"], "synced");
    api.hooks(&["uninstall"]);
    assert_eq!(fs::read_dir(&shared).expect("it is there").count(), 0);
}

/// Linked worktrees share their hooks, and each has a `.metis/` of its own.
#[test]
fn linked_worktrees() {
    let world = World::new();
    let api = Project::new(&world, "api");
    let tree = api.workspace.home.join("tree");
    let place = tree.display().to_string();
    api.git(&["worktree", "add", "--quiet", "-b", "topic", &place]);
    let there = |args: &[&str]| {
        let mut command = api.command(args);
        command.current_dir(&tree);
        run(command).success()
    };
    let said = there(&["metis-sync", "hooks", "install"]);
    assert!(
        said.contains(&api.workspace.dir.join(".git/hooks/pre-push").display().to_string()),
        "{said}"
    );
    assert_eq!(there(&["metis-sync", "hooks", "status"]).matches("fires: ").count(), 2);
    there(&["push", "--quiet", "--set-upstream", "origin", "topic"]);
    eventually("its own workspace has synced", || {
        tree.join(".metis/.sync/hook.json").exists()
    });
    assert!(!api.workspace.metis().join(".sync").exists());
    assert!(api.hooks(&["status"]).contains("fires: "));
    api.hooks(&["uninstall"]);
    assert!(there(&["metis-sync", "hooks", "status"]).contains("not installed"));
    // The worker must be gone before its folder is.
    let lock = fs::File::open(tree.join(".metis/.sync/hook-running.lock")).expect("it has run");
    lock.lock().expect("this system has locks");
}

/// A bare repository has no workspace, but its worktrees may.
#[test]
fn a_bare_repository_with_worktrees() {
    let world = World::new();
    let api = Project::new(&world, "api");
    let bare = api.workspace.home.join("bare.git").display().to_string();
    let tree = api.workspace.home.join("tree").display().to_string();
    api.git(&["clone", "--quiet", "--bare", &api.origin.display().to_string(), &bare]);
    api.git(&["-C", &bare, "metis-sync", "hooks", "install"]);
    assert!(Path::new(&bare).join("hooks/pre-push").exists());
    assert!(
        api.git(&["-C", &bare, "metis-sync", "hooks", "status"])
            .contains("fires: ")
    );
    api.git(&["-C", &bare, "push", "--quiet", "origin", "main:from-bare"]);
    api.git(&["-C", &bare, "worktree", "add", "--quiet", &tree, "main"]);
    api.git(&["-C", &tree, "push", "--quiet", "origin", "main:from-tree"]);
    eventually("the worktree's workspace has synced", || {
        Path::new(&tree).join(".metis/.sync/hook.json").exists()
    });
    api.git(&["-C", &bare, "metis-sync", "hooks", "uninstall"]);
    assert!(!Path::new(&bare).join("hooks/pre-push").exists());
    let lock = fs::File::open(Path::new(&tree).join(".metis/.sync/hook-running.lock")).expect("it has run");
    lock.lock().expect("this system has locks");
}

/// A submodule has hooks of its own, and its pushes say nothing about the plans of what it is part of.
#[test]
fn submodules() {
    let world = World::new();
    let api = Project::new(&world, "api");
    let library = api.workspace.home.join("library.git").display().to_string();
    api.git(&[
        "clone",
        "--quiet",
        "--bare",
        &api.origin.display().to_string(),
        &library,
    ]);
    api.git(&["submodule", "--quiet", "add", &library, "library"]);
    let inside = api.workspace.dir.join("library");
    api.git(&["-C", "library", "rm", "--quiet", "-r", ".metis"]);
    api.git(&["-C", "library", "commit", "--quiet", "-m", "a library has no plans"]);
    api.git(&["-C", "library", "metis-sync", "hooks", "install"]);
    assert!(api.workspace.dir.join(".git/modules/library/hooks/pre-push").exists());
    assert!(!api.workspace.dir.join(".git/hooks/pre-push").exists());
    api.git(&["-C", "library", "push", "--quiet", "origin", "HEAD:main"]);
    assert!(!inside.join(".metis").exists());
    assert!(
        !api.workspace.metis().join(".sync").exists(),
        "nothing of the project's was synced"
    );
    api.git(&["-C", "library", "metis-sync", "hooks", "uninstall"]);
    assert!(!api.workspace.dir.join(".git/modules/library/hooks/pre-push").exists());
}

#[test]
fn no_repository_is_an_error() {
    let world = World::new();
    let lone = world.workspace("api");
    let none = lone.run(&["hooks", "install"]);
    assert_eq!(none.code, Some(1));
    assert!(none.stderr.contains("no git repository"), "{}", none.transcript());
}

/// Waits for the first sync by a hook in `project`.
#[track_caller]
fn has_synced(project: &Path) {
    let state = project.join(".metis/.sync");
    eventually("it has synced", || {
        fs::read_to_string(state.join("hook.json")).is_ok_and(|run| run.contains("\"synced\""))
    });
    let lock = fs::File::open(state.join("hook-running.lock")).expect("it has run");
    lock.lock().expect("this system has locks");
}

/// Whatever a folder is called, the push goes through and the workspace in it is meant.
#[test]
fn folders_with_any_name() {
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt};
    let names: [&[u8]; 8] = [
        b"-d",
        b"--help",
        b"two  words",
        b"it's",
        b"$(touch ran)`touch ran`",
        b"line\nend\n",
        b"not \xff utf-8",
        b"\"quoted\" \\n {0}",
    ];
    for name in names {
        let world = World::new();
        let outer = Project::new(&world, "api");
        outer.workspace.write("API-T-0001", "In a folder.");
        let folder = outer.workspace.dir.join(OsStr::from_bytes(name));
        fs::create_dir(&folder).expect("temp folder is writable");
        fs::rename(outer.workspace.metis(), folder.join(".metis")).expect("same disk");
        outer.commit("moved");
        let hooks = |arg: &str| {
            let mut command = outer.command(&["metis-sync", "hooks", arg]);
            command.current_dir(&folder);
            run(command).success()
        };
        hooks("install");
        let status = hooks("status");
        assert_eq!(status.matches(" fires: ").count(), 2, "{status}");
        let push = outer.try_git(&["push", "--quiet"]);
        assert_eq!(
            (push.code, push.stderr.as_str()),
            (Some(0), ""),
            "{}",
            push.transcript()
        );
        has_synced(&folder);
        assert_eq!(world.central.folder("api").len(), 1);
        assert!(!outer.workspace.dir.join("ran").exists() && !folder.join("ran").exists());
        hooks("uninstall");
        assert!(!outer.workspace.dir.join(".git/hooks/pre-push").exists());
    }
}

/// `.metis/` is a repository of its own, as it is where the plans are private: its pushes and pulls sync it.
#[test]
fn plans_in_a_repository_of_their_own() {
    let world = World::new();
    let code = Project::new(&world, "api");
    let plans = code.workspace.home.join("plans.git").display().to_string();
    let inside = |args: &[&str]| code.git(&[&["-C", ".metis"], args].concat());
    code.git(&["rm", "--quiet", "-r", "--cached", ".metis"]);
    code.git(&["commit", "--quiet", "-m", "the plans move out"]);
    code.git(&["init", "--quiet", "--bare", "--initial-branch=main", &plans]);
    inside(&["init", "--quiet", "--initial-branch=main"]);
    inside(&["remote", "add", "origin", &plans]);
    inside(&["metis-sync", "hooks", "install"]);
    assert!(code.workspace.metis().join(".git/hooks/pre-push").exists());
    let status = inside(&["metis-sync", "hooks", "status"]);
    assert_eq!(status.matches(" fires: ").count(), 2, "{status}");
    code.workspace.write("API-T-0001", "Private.");
    inside(&["add", "--all"]);
    inside(&["commit", "--quiet", "-m", "plans"]);

    inside(&["push", "--quiet", "--set-upstream", "origin", "main"]);

    assert_eq!(code.ended(1)["ended"], "synced", "{}", code.state("hook.log"));
    assert_eq!(world.central.folder("api"), code.workspace.documents());
    inside(&["metis-sync", "hooks", "uninstall"]);
    assert!(!code.workspace.metis().join(".git/hooks/pre-push").exists());
}
