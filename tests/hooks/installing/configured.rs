//! Hooks that git's configuration names, in the place of files.

use super::text;
use crate::hooks::project::Project;
use crate::support::{servers::skip, world::World};

#[test]
fn the_configuration_instead_of_files() {
    let world = World::new();
    let api = Project::new(&world, "api");
    let config = api.workspace.dir.join(".git/config");
    let before = text(&config);
    let install = api.try_git(&["metis-sync", "hooks", "install", "--config"]);
    if install.code == Some(1) && install.stderr.contains("need git 2.54") {
        assert_eq!(text(&config), before);
        skip("this git has no hooks in its configuration");
        return;
    }
    install.success();
    assert_eq!(api.hooks(&["status"]).matches(" fires: hook.metis-sync-").count(), 2);
    let twice = api.try_git(&["metis-sync", "hooks", "install"]);
    assert!(twice.stderr.contains("configuration already"), "{}", twice.transcript());

    api.workspace.write("API-T-0001", "To be pushed.");
    api.commit("a document");
    api.git(&["push"]);
    assert_eq!(api.ended(1)["event"], "pre-push");
    assert_eq!(world.central.folder("api"), api.workspace.documents());
    api.hooks(&["uninstall"]);
    assert_eq!(text(&config), before);
}

/// By hand, for all repositories: it fires, `status` says so, and `install` adds nothing to it.
#[test]
fn the_configuration_for_all_repositories() {
    let world = World::new();
    let api = Project::new(&world, "api");
    let section = "hook.metis-sync-pre-push";
    api.git(&["config", "--global", &format!("{section}.event"), "pre-push"]);
    api.git(&[
        "config",
        "--global",
        &format!("{section}.command"),
        "git metis-sync hooks run pre-push --",
    ]);
    let status = api.try_git(&["metis-sync", "hooks", "status"]);
    let said = String::from_utf8_lossy(&status.stdout).into_owned();
    if said.contains("older than 2.54") {
        skip("this git has no hooks in its configuration");
        return;
    }
    assert!(
        status.code == Some(0) && said.contains(&format!("fires: {section} in your git configuration")),
        "{}",
        status.transcript()
    );
    let before = api.workspace.snapshot();
    assert!(
        api.hooks(&["install", "pre-push"])
            .contains("has its own line for it, which stays")
    );
    assert!(api.hooks(&["install", "--config", "pre-push"]).contains("which stays"));
    assert!(api.workspace.snapshot().since(&before).is_empty());

    api.workspace.write("API-T-0001", "To be pushed.");
    api.commit("a document");
    api.git(&["push"]);
    assert_eq!(api.ended(1)["ended"], "synced");
    assert_eq!(world.central.folder("api"), api.workspace.documents());
}
