//! Our lines in the user's hook files: in, and out again byte for byte.

mod configured;
mod managed;

use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::Path,
    process::Command,
};

use serde_json::Value;

use super::project::Project;
use crate::support::{process::run, servers::skip, snapshot::Snapshot, world::World};

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("it is there").permissions().mode() & 0o7777
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).expect("it is there")
}

#[test]
fn where_nothing_was_nothing_is_afterwards() {
    let world = World::new();
    let api = Project::new(&world, "api");
    let hooks = api.workspace.dir.join(".git/hooks");
    let before = Snapshot::of(&hooks);
    api.hooks(&["install", "pre-push", "post-merge", "post-rewrite", "post-commit"]);
    let installed = Snapshot::of(&hooks);
    let names = ["post-commit", "post-merge", "post-rewrite", "pre-push"];
    assert_eq!(installed.since(&before), names.map(Path::new));
    assert!(api.hooks(&["install"]).contains("is there already"));
    assert!(Snapshot::of(&hooks).since(&installed).is_empty(), "twice is once");

    let status = api.hooks(&["status"]);
    assert_eq!(status.matches(" fires: ").count(), 4, "{status}");
    api.hooks(&["uninstall"]);
    assert!(Snapshot::of(&hooks).since(&before).is_empty());
    assert!(api.hooks(&["status"]).contains("pre-push     not installed"));
}

/// A sync's record in config.toml is a change that nobody made by hand, once hooks start it: there is a way around it.
#[test]
fn the_record_in_config_is_mentioned() {
    let world = World::new();
    let api = Project::around(&world, world.workspace("api"));
    let hint = "`git metis-sync init --record auto` keeps it out of files that git tracks";
    assert!(!api.hooks(&["install"]).contains(hint));
    let config = api.workspace.config();
    api.workspace.put(
        "config.toml",
        config.replace("[sync]\n", "[sync]\nrecord = \"config\"\n"),
    );
    assert!(api.hooks(&["install"]).contains(hint));
    assert!(!api.hooks(&["install", "--quiet"]).contains(hint));
    api.git(&["metis-sync", "init", "--record", "auto"]);
    assert!(!api.hooks(&["install"]).contains(hint));
    api.commit("keep the record out of what git tracks");
    api.workspace.write("API-T-0001", "To be pushed.");
    api.commit("a document");
    api.git(&["push"]);
    assert_eq!(api.ended(1)["ended"], "synced");
    assert_eq!(api.git(&["status", "--porcelain"]), "", "nothing changed by itself");
}

/// The user's own hook, which reads what git tells it, and ends as git's samples do.
const READER: &str = "#!/bin/sh\nwhile read -r local id remote old; do echo \"$1 $local\" >>seen; done\nexit 0\n";

#[test]
fn before_and_after_the_users_own_lines() {
    for order in [&["install"][..], &["install", "--after"]] {
        let world = World::new();
        let api = Project::new(&world, "api");
        let hook = api.hook("pre-push", READER);
        fs::set_permissions(&hook, fs::Permissions::from_mode(0o750)).expect("it is ours");
        api.hooks(order);
        api.workspace.write("API-T-0001", "To be pushed.");
        api.commit("a document");
        assert!(api.hooks(&["status"]).contains("fires: "));
        assert!(
            !api.workspace.dir.join("seen").exists(),
            "showing that it fires runs nothing of the user's"
        );

        api.git(&["push"]);

        assert_eq!(text(&api.workspace.dir.join("seen")), "origin refs/heads/main\n");
        assert_eq!(api.ended(1)["ended"], "synced");
        assert_eq!(world.central.folder("api"), api.workspace.documents());
        assert_eq!(mode(&hook), 0o750);
        api.hooks(&["uninstall"]);
        assert_eq!(text(&hook), READER);
        assert_eq!(mode(&hook), 0o750);
    }
}

/// git has `sh` run a script that does not say what is to run it.
#[test]
fn a_hook_without_a_first_line_of_its_own() {
    let world = World::new();
    let api = Project::new(&world, "api");
    let hook = api.hook("pre-push", "echo mine >seen");
    api.hooks(&["install", "pre-push"]);
    assert!(api.hooks(&["status"]).contains("fires: "));
    api.git(&["push", "origin", "main:first"]);
    assert_eq!(api.ended(1)["ended"], "synced");
    assert_eq!(text(&api.workspace.dir.join("seen")), "mine\n");
    api.hooks(&["uninstall"]);
    assert_eq!(text(&hook), "echo mine >seen");
}

#[test]
fn after_means_only_if_they_succeed() {
    let world = World::new();
    let api = Project::new(&world, "api");
    api.hook("pre-push", "#!/bin/sh\n[ -e fine ] || exit 7\n");
    api.hooks(&["install", "--after"]);
    api.workspace.write("API-T-0001", "To be pushed.");
    api.commit("a document");
    assert_ne!(api.try_git(&["push"]).code, Some(0));
    assert!(!api.workspace.metis().join(".sync").exists(), "no sync was started");
    fs::write(api.workspace.dir.join("fine"), "").expect("temp folder is writable");
    api.git(&["push"]);
    assert_eq!(api.ended(1)["ended"], "synced");
}

#[test]
fn after_and_blocking_fails_the_push_too() {
    let world = World::new();
    let api = Project::new(&world, "api");
    api.hook("pre-push", "#!/bin/sh\nexit 0\n");
    api.set_hooks("blocking = true");
    let config = api
        .workspace
        .config()
        .replace(&world.central.url(), "/nowhere/central.git");
    api.workspace.put("config.toml", config);
    api.hooks(&["install", "--after"]);
    let push = api.try_git(&["push", "origin", "main:first"]);
    assert_ne!(push.code, Some(0), "{}", push.transcript());
    assert!(push.stderr.contains("the push is stopped"), "{}", push.transcript());
}

#[test]
fn what_cannot_take_lines_is_left_alone() {
    let world = World::new();
    let api = Project::new(&world, "api");
    for (file, options, reason) in [
        ("#!/usr/bin/env python3\nprint('mine')\n", &[][..], "one for python3"),
        ("#!/bin/sh\nexec make test\n", &["--after"], "nothing can run after it"),
        (
            "#!/bin/sh\ntrap 'rm x' EXIT\n",
            &["--after"],
            "nothing can run after it",
        ),
        ("#!/bin/sh\n# >>> git-metis-sync >>>\n", &[], "incomplete"),
    ] {
        let hook = api.hook("pre-push", file);
        let install = ["metis-sync", "hooks", "install", "pre-push"];
        let refused = api.try_git(&[&install, options].concat());
        assert_eq!(refused.code, Some(1), "{}", refused.transcript());
        assert!(refused.stderr.contains(reason), "{}", refused.transcript());
        assert_eq!(text(&hook), file);
    }
    let hook = api.hook("pre-push", "#!/bin/sh\nmake\n");
    fs::set_permissions(&hook, fs::Permissions::from_mode(0o644)).expect("it is ours");
    let off = api.try_git(&["metis-sync", "hooks", "install", "pre-push"]);
    assert!(off.stderr.contains("not executable"), "{}", off.transcript());
    assert_eq!((text(&hook), mode(&hook)), ("#!/bin/sh\nmake\n".into(), 0o644));
}

#[test]
fn links_out_of_the_repository_are_not_followed() {
    let world = World::new();
    let api = Project::new(&world, "api");
    let outside = api.workspace.home.join("my-pre-push");
    fs::write(&outside, "#!/bin/sh\n").expect("temp folder is writable");
    fs::set_permissions(&outside, fs::Permissions::from_mode(0o755)).expect("it is ours");
    let hook = api.workspace.dir.join(".git/hooks/pre-push");
    fs::create_dir_all(hook.parent().expect("in the repository")).expect("temp folder is writable");
    symlink(&outside, &hook).expect("temp folder has links");
    let refused = api.try_git(&["metis-sync", "hooks", "install", "pre-push"]);
    assert_eq!(refused.code, Some(1));
    assert!(
        refused.stderr.contains("leads out of this repository"),
        "{}",
        refused.transcript()
    );
    assert_eq!(text(&outside), "#!/bin/sh\n");

    // Inside it is the target that changes, and the link stays.
    let inside = api.script("tools/pre-push", "#!/bin/sh\n");
    fs::remove_file(&hook).expect("it is ours");
    symlink("../../tools/pre-push", &hook).expect("temp folder has links");
    api.hooks(&["install", "pre-push"]);
    assert!(text(&inside).contains("hooks run pre-push"));
    api.hooks(&["uninstall"]);
    assert_eq!(text(&inside), "#!/bin/sh\n");
    assert!(hook.is_symlink());
}

#[test]
fn status_tells_a_hook_that_does_not_fire() {
    let world = World::new();
    let api = Project::new(&world, "api");
    api.hooks(&["install", "pre-push"]);
    let hook = api.workspace.dir.join(".git/hooks/pre-push");
    let pre_push = || {
        let status = api.try_git(&["metis-sync", "--json", "hooks", "status"]);
        let value: Value = serde_json::from_slice(&status.stdout).expect("one document");
        (status.code, value["hooks"][0].clone())
    };
    let (code, fires) = pre_push();
    assert_eq!(
        (code, &fires["fires"], &fires["event"]),
        (Some(0), &true.into(), &"pre-push".into())
    );

    fs::set_permissions(&hook, fs::Permissions::from_mode(0o644)).expect("it is ours");
    let (code, off) = pre_push();
    assert_eq!((code, &off["fires"]), (Some(1), &false.into()), "{off}");

    fs::write(&hook, text(&hook).replacen("#!/bin/sh\n", "#!/bin/sh\nexit 0\n", 1)).expect("it is ours");
    fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).expect("it is ours");
    let (code, unreached) = pre_push();
    assert_eq!((code, &unreached["fires"]), (Some(1), &false.into()), "{unreached}");
}

/// Whatever we write passes the check that we ask of our own scripts.
#[test]
fn what_is_written_is_clean_shell() {
    let world = World::new();
    let api = Project::new(&world, "api");
    let hook = api.hook("post-merge", "#!/bin/sh\necho mine\n");
    api.hooks(&["install", "pre-push"]);
    api.hooks(&["install", "--after", "post-merge"]);
    let mut check = Command::new("shellcheck");
    check.arg(&hook).arg(api.workspace.dir.join(".git/hooks/pre-push"));
    if Command::new("shellcheck").arg("--version").output().is_err() {
        skip("shellcheck is not installed");
        return;
    }
    run(check).success();
}
