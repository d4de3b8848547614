//! The programs that manage hooks, each the real one: told what `install` prints it syncs, and what it does to a hook
//! of ours is noticed.

use std::{fs, path::Path};

use serde_json::Value;

use super::project::Project;
use crate::support::{
    process::{eventually, run},
    servers::skip,
    world::World,
};

/// A project, unless this machine lacks the program, which is said in the open.
fn managed(world: &World, program: &str) -> Option<Project> {
    let api = Project::new(world, "api");
    if api.program(program).arg("--version").output().is_err() {
        skip(&format!("{program} is not installed"));
        return None;
    }
    Some(api)
}

impl Project {
    /// A manager's own command, which must succeed.
    #[track_caller]
    fn manager(&self, program: &str, args: &[&str]) -> String {
        let mut command = self.program(program);
        command.args(args);
        run(command).success()
    }

    /// `install` for `event`, which must change nothing and say what to write where.
    #[track_caller]
    fn snippet(&self, manager: &str, event: &str) -> (String, String) {
        let before = self.workspace.snapshot();
        let shown = self.try_git(&["metis-sync", "--json", "hooks", "install", event]);
        assert_eq!(shown.code, Some(1), "{}", shown.transcript());
        assert!(self.workspace.snapshot().since(&before).is_empty());
        let document: Value = serde_json::from_slice(&shown.stdout).expect("one document");
        let hook = &document["hooks"][0];
        assert_eq!(
            (&hook["outcome"], &hook["manager"]),
            (&"for-manager".into(), &manager.into())
        );
        let text = |key: &str| hook[key].as_str().expect("a string").to_owned();
        (text("place"), text("snippet"))
    }

    fn put(&self, place: impl AsRef<Path>, text: &str) {
        let place = self.workspace.dir.join(place);
        fs::create_dir_all(place.parent().expect("in the project")).expect("temp folder is writable");
        fs::write(place, text).expect("temp folder is writable");
    }

    /// A push that sends a new document to central, and one without the program that passes in silence.
    #[track_caller]
    fn syncs_by_pushing(&self, world: &World, code: &str) {
        let before = world.central.tip();
        self.workspace.write(code, "To be pushed.");
        self.commit("a document");
        self.git(&["push"]);
        eventually("its sync has arrived", || world.central.tip() != before);
        self.wait_for_worker();
        assert_eq!(world.central.folder("api"), self.workspace.documents());
    }

    #[track_caller]
    fn passes_without_the_program(&self) {
        let program = self.workspace.home.with_file_name("bin").join("git-metis-sync");
        let aside = self.workspace.home.join("aside");
        fs::rename(&program, &aside).expect("same disk");
        let push = self.try_git(&["push", "origin", "HEAD:refs/heads/without"]);
        assert_eq!(push.code, Some(0), "{}", push.transcript());
        assert!(!push.stderr.contains("metis-sync: "), "{}", push.transcript());
        fs::rename(&aside, &program).expect("same disk");
    }
}

#[test]
fn husky() {
    let world = World::new();
    let Some(api) = managed(&world, "husky") else { return };
    api.manager("husky", &[]);
    assert_eq!(api.git(&["config", "core.hooksPath"]), ".husky/_\n");
    for event in ["pre-push", "post-merge"] {
        let (place, snippet) = api.snippet("husky", event);
        api.put(place, &snippet);
    }
    assert!(api.hooks(&["install"]).contains("husky has been told already"));
    assert_eq!(api.hooks(&["status"]).matches("husky, in ").count(), 2);

    api.syncs_by_pushing(&world, "API-T-0001");
    api.passes_without_the_program();
    api.colleague_commits("README");
    api.git(&["pull", "--quiet", "--no-rebase"]);
    eventually("the pull has synced too", || {
        api.state("hook.log").contains("post-merge")
    });
    api.wait_for_worker();
}

#[test]
fn lefthook() {
    let world = World::new();
    let Some(api) = managed(&world, "lefthook") else { return };
    api.put(
        "lefthook.yml",
        "commit-msg:\n  commands:\n    mine:\n      run: 'true'\n",
    );
    api.manager("lefthook", &["install"]);
    let mut config = String::new();
    for event in ["pre-push", "post-merge"] {
        let (place, snippet) = api.snippet("lefthook", event);
        assert!(place.ends_with("lefthook.yml"), "{place}");
        config += &snippet;
    }
    api.put("lefthook.yml", &config);
    api.manager("lefthook", &["install"]);
    assert!(api.hooks(&["install"]).contains("lefthook has been told already"));
    api.syncs_by_pushing(&world, "API-T-0001");
    api.passes_without_the_program();
}

/// Installed over a hook of ours lefthook sets it aside and does not run it.
#[test]
fn lefthook_comes_later() {
    let world = World::new();
    let Some(api) = managed(&world, "lefthook") else { return };
    api.hooks(&["install", "pre-push"]);
    api.put("lefthook.yml", "pre-push:\n  commands:\n    mine:\n      run: 'true'\n");
    api.manager("lefthook", &["install"]);
    let status = api.hooks(&["status"]);
    assert!(status.contains("lefthook is in charge"), "{status}");
    assert!(api.workspace.dir.join(".git/hooks/pre-push.old").exists());
    api.hooks(&["uninstall"]);
    assert!(!api.workspace.dir.join(".git/hooks/pre-push.old").exists());
    assert!(
        api.workspace.dir.join(".git/hooks/pre-push").exists(),
        "that one is lefthook's"
    );
}

const HOOK_TYPES: [&str; 5] = ["install", "--hook-type", "pre-push", "--hook-type", "post-merge"];

#[test]
fn pre_commit() {
    let world = World::new();
    let Some(api) = managed(&world, "pre-commit") else {
        return;
    };
    api.put(".pre-commit-config.yaml", "repos: []\n");
    api.manager("pre-commit", &HOOK_TYPES);
    let mut config = "repos:\n".to_owned();
    for event in ["pre-push", "post-merge"] {
        let (place, snippet) = api.snippet("pre-commit", event);
        assert!(place.ends_with(".pre-commit-config.yaml"), "{place}");
        config += &snippet;
    }
    api.put(".pre-commit-config.yaml", &config);
    assert!(api.hooks(&["install"]).contains("pre-commit has been told already"));
    api.syncs_by_pushing(&world, "API-T-0001");
    api.passes_without_the_program();
}

/// From our repository: what it takes of it is `.pre-commit-hooks.yaml` and the scripts in `hooks/`.
#[test]
fn pre_commit_takes_the_hooks_from_our_repository() {
    let world = World::new();
    let Some(api) = managed(&world, "pre-commit") else {
        return;
    };
    let ours = world.root().join("ours").display().to_string();
    let source = env!("CARGO_MANIFEST_DIR");
    api.git(&["init", "--quiet", "--initial-branch=main", &ours]);
    let mut copy = api.program("cp");
    copy.arg("-R")
        .args([".pre-commit-hooks.yaml", "hooks"].map(|name| format!("{source}/{name}")))
        .arg(&ours);
    run(copy).success();
    api.git(&["-C", &ours, "add", "--all"]);
    api.git(&["-C", &ours, "commit", "--quiet", "-m", "hooks"]);
    let revision = api.git(&["-C", &ours, "rev-parse", "HEAD"]);
    let config = format!(
        "repos:\n- repo: {ours}\n  rev: {}\n  hooks:\n    - id: metis-sync-pre-push\n    - id: metis-sync-post-merge\n",
        revision.trim()
    );
    api.put(".pre-commit-config.yaml", &config);
    api.manager("pre-commit", &HOOK_TYPES);
    assert!(api.hooks(&["install"]).contains("pre-commit has been told already"));
    api.syncs_by_pushing(&world, "API-T-0001");
    api.passes_without_the_program();
}

/// Installed over a hook of ours pre-commit sets it aside and goes on running it.
#[test]
fn pre_commit_comes_later() {
    let world = World::new();
    let Some(api) = managed(&world, "pre-commit") else {
        return;
    };
    api.hooks(&["install", "pre-push"]);
    api.put(".pre-commit-config.yaml", "repos: []\n");
    api.manager("pre-commit", &HOOK_TYPES);
    assert!(api.workspace.dir.join(".git/hooks/pre-push.legacy").exists());
    assert!(api.hooks(&["status"]).contains("fires: "));
    api.syncs_by_pushing(&world, "API-T-0001");
    api.hooks(&["uninstall"]);
    assert!(!api.workspace.dir.join(".git/hooks/pre-push.legacy").exists());
}
