//! What a config.toml that came with a pull may set, and what waits for this clone's word.

use std::fs;

use super::synced;
use crate::{
    hooks::project::Project,
    support::{workspace::Workspace, world::World},
};

fn pull(workspace: &Workspace, lines: &str) {
    let config = workspace.config().replace("[sync]\n", &format!("[sync]\n{lines}\n"));
    workspace.put("config.toml", config);
}

#[track_caller]
fn said(workspace: &Workspace, args: &[&str]) -> String {
    workspace.run(args).success()
}

#[test]
fn another_branch_stops_the_sync_until_it_is_confirmed() {
    let world = World::new();
    let api = synced(&world, "api");
    world.central.git(&["branch", "attic", "main"]);
    pull(&api, "branch = \"attic\"");
    api.write("API-T-0002", "New.");
    let before = world.central.tip();
    let failure = api.sync().failure(3);
    assert_eq!(failure.kind, "unconfirmed");
    assert!(
        failure
            .message
            .starts_with("config.toml sets sync.branch to attic, which was not confirmed for this clone"),
        "{}",
        failure.message
    );
    assert!(failure.next.unwrap().contains("`git metis-sync trust sync.branch`"));
    assert!(said(&api, &["status"]).contains("git metis-sync trust sync.branch"));
    assert_eq!(world.central.tip(), before);
    assert_eq!(world.central.git(&["rev-parse", "attic"]).trim(), before.unwrap());

    assert!(said(&api, &["trust"]).contains("sync.branch"));
    assert_eq!(api.sync().failure(3).kind, "unconfirmed", "looking confirms nothing");
    assert!(said(&api, &["trust", "sync.branch"]).contains("sync.branch is confirmed for this clone."));
    api.sync().report();
    assert!(
        world
            .central
            .git(&["ls-tree", "-r", "--name-only", "attic"])
            .contains("API-T-0002")
    );
    assert!(said(&api, &["trust"]).contains("Nothing in config.toml waits for your word."));

    // Taking it out again is a change as well.
    api.put("config.toml", api.config().replace("branch = \"attic\"\n", ""));
    assert_eq!(api.sync().failure(3).kind, "unconfirmed");
    assert_eq!(api.run(&["trust", "sync.hooks"]).code, Some(2));
}

#[test]
fn a_sync_goes_on_with_what_was_confirmed() {
    let world = World::new();
    synced(&world, "web");
    let api = synced(&world, "api");
    pull(
        &api,
        "limits.workspaces = 6000\nlimits.entries = 5\nhooks.blocking = true",
    );
    let report = api.sync().report();
    let held: Vec<_> = report
        .warnings
        .iter()
        .filter(|warning| warning.contains("its default counts"))
        .collect();
    assert_eq!(held.len(), 2, "{:?}", report.warnings);
    assert!(held[0].contains("sync.hooks.blocking to true") && held[1].contains("sync.limits.workspaces to 6000"));
    assert!(said(&api, &["status"]).contains("sync.hooks.blocking"));
    assert!(said(&api, &["trust", "--all"]).contains("sync.limits.workspaces is confirmed for this clone."));
    assert_eq!(api.sync().report().warnings, Vec::<String>::new());
    api.put("config.toml", api.config().replace("6000", "7000"));
    assert!(api.sync().report().warnings[0].contains("to 7000, which was not confirmed for this clone: 6000 counts"));

    let said = said(&api, &["init"]);
    assert!(
        said.contains("Confirmed for this clone: sync.limits.workspaces = 7000"),
        "{said}"
    );
    assert_eq!(api.sync().report().warnings, Vec::<String>::new());
    pull(&api, "hooks.deadline_seconds = 600");
    api.put(".sync/config.toml", "[sync]\nhooks.deadline_seconds = 500\n");
    assert_eq!(
        api.sync().report().warnings,
        Vec::<String>::new(),
        "this clone has its own"
    );
}

/// What is there when a clone syncs first is taken, also by a clone of an earlier version.
#[test]
fn the_first_sync_takes_what_stands_there() {
    let world = World::new();
    let api = world.workspace("api");
    pull(
        &api,
        "limits.workspaces = 6000\nhooks.blocking = true\nbranch = \"main\"",
    );
    api.write("API-T-0001", "First.");
    assert_eq!(api.sync().report().warnings, Vec::<String>::new());
    assert!(said(&api, &["trust"]).contains("Nothing in config.toml waits"));
    pull(&api, "limits.total_bytes = 9000000000");
    assert_eq!(api.sync().report().warnings.len(), 1);
}

#[test]
fn a_pulled_config_makes_no_hook_wait() {
    let world = World::new();
    let api = Project::new(&world, "api");
    api.workspace.write("API-T-0001", "First.");
    api.workspace.sync().report();
    api.hooks(&["install"]);
    pull(&api.workspace, "hooks.blocking = true");
    api.commit("a new setting");
    fs::rename(&world.central.dir, world.root().join("away")).unwrap();
    api.git(&["push", "--quiet"]);
    assert_eq!(api.ended(1)["ended"], "failed", "in the background");

    api.git(&["metis-sync", "trust", "--all"]);
    api.commit("more");
    let blocked = api.try_git(&["push", "--quiet"]);
    assert_ne!(blocked.code, Some(0), "{}", blocked.transcript());
    assert!(
        blocked.stderr.contains("the push is stopped"),
        "{}",
        blocked.transcript()
    );
}

/// Nor does a file of this clone's own that came with a commit.
#[test]
fn nothing_that_git_tracks_is_this_clone_s_own_word() {
    let world = World::new();
    let api = Project::new(&world, "api");
    api.workspace.write("API-T-0001", "First.");
    api.workspace.sync().report();
    api.hooks(&["install"]);
    api.workspace
        .put(".sync/config.toml", "[sync.hooks]\nblocking = true\n");
    api.git(&["add", "--force", ".metis/.sync/config.toml"]);
    api.commit("state, by force");
    api.git(&["push", "--quiet"]);
    assert_eq!(api.ended(1)["ended"], "failed", "in the background");
    assert_eq!(api.workspace.sync().failure(3).kind, "state-tracked");
}
