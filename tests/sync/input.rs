//! What people get wrong, and what they are told: the words, the exit code, and that nothing happened.

mod connection;

use std::fs;

use crate::support::{
    central::Shape,
    report::Failure,
    workspace::{Remote, Workspace},
    world::World,
};

/// A workspace with one document and this config.toml.
fn configured(world: &World, config: &str) -> Workspace {
    let workspace = world.workspace_with_config("api", &world.local(), config);
    workspace.write("API-T-0001", "Text.");
    workspace
}

/// The sync fails with this exit code and changes nothing but, perhaps, its own notes.
#[track_caller]
fn fails_cleanly(workspace: &Workspace, exit: i32) -> Failure {
    let before = workspace.snapshot();
    let failure = workspace.sync().failure(exit);
    let after = workspace.snapshot();
    let changed: Vec<_> = after
        .since(&before)
        .into_iter()
        .filter(|path| !is_own_state(path))
        .collect();
    assert!(changed.is_empty(), "{changed:?}");
    assert!(
        failure.next.as_ref().is_some_and(|next| !next.is_empty()),
        "no next step: {failure:?}"
    );
    failure
}

/// `.metis/.sync/`, and the folder whose time changes when that is made.
fn is_own_state(path: &std::path::Path) -> bool {
    path.starts_with(".metis/.sync") || path == std::path::Path::new(".metis")
}

fn elsewhere(remote: Remote) -> Remote {
    Remote {
        url: remote.url.replace("central.git", "nowhere.git"),
        ..remote
    }
}

#[test]
fn no_metis_folder() {
    let world = World::new();
    let workspace = world.workspace("api");
    fs::remove_dir_all(workspace.metis()).unwrap();
    let failure = fails_cleanly(&workspace, 1);
    assert!(failure.message.contains(".metis"), "{failure:?}");
    assert!(failure.next.unwrap().contains("init"));
}

/// 81#2: a workspace on its own is no error.
#[test]
fn no_upstream() {
    let world = World::new();
    for config in [
        "",
        "\u{feff}[project]\nprefix = \"API\"\n",
        "[project]\nprefix = \"API\"\n[sync]\nmax_retries = 2\n",
    ] {
        let workspace = configured(&world, config);
        let before = workspace.snapshot();
        let report = workspace.sync().report();
        assert_eq!(
            (report.outcome.as_str(), report.commit, report.head),
            ("not-configured", None, None)
        );
        assert_eq!(workspace.snapshot(), before);
    }
    assert_eq!(world.wire().listings(), 0);
}

#[test]
fn broken_toml() {
    let world = World::new();
    let failure = fails_cleanly(&configured(&world, "[sync\nupstream_url = 1\n"), 1);
    assert!(failure.message.contains("config.toml"), "{failure:?}");
}

#[test]
fn values_that_break_a_rule() {
    let world = World::new();
    let url = world.central.url();
    for (key, config) in [
        (
            "workspace.prefix",
            format!("[workspace]\nprefix = \"Api\"\n[sync]\nupstream_url = \"{url}\"\n"),
        ),
        (
            "workspace.prefix",
            format!("[workspace]\nprefix = \"../x\"\n[sync]\nupstream_url = \"{url}\"\n"),
        ),
        (
            "workspace.prefix",
            format!("[workspace]\nprefix = 7\n[sync]\nupstream_url = \"{url}\"\n"),
        ),
        (
            "sync.upstream_url",
            "[workspace]\nprefix = \"api\"\n[sync]\nupstream_url = \"ext::sh -c true\"\n".into(),
        ),
        (
            "sync.upstream_url",
            "[workspace]\nprefix = \"api\"\n[sync]\nupstream_url = \"-oProxyCommand=true\"\n".into(),
        ),
        (
            "sync.max_retries",
            format!("[workspace]\nprefix = \"api\"\n[sync]\nupstream_url = \"{url}\"\nmax_retries = -1\n"),
        ),
    ] {
        let failure = fails_cleanly(&configured(&world, &config), 1);
        assert!(failure.message.contains("config.toml"), "{failure:?}");
        assert!(failure.message.contains(key), "{key}: {failure:?}");
    }
    assert_eq!(world.wire().listings(), 0);
}

/// HEAD names a branch that is not there yet, others are: ours is made beside them only if somebody says so.
#[test]
fn head_is_unborn() {
    let world = World::shaped(Shape {
        born: Some("elsewhere"),
        ..Shape::default()
    });
    let asks = world.workspace("asks");
    assert_eq!(fails_cleanly(&asks, 3).kind, "no-branch");
    let url = world.central.url();
    let config = format!("[workspace]\nprefix = \"api\"\n[sync]\nupstream_url = \"{url}\"\nbranch = \"main\"\n");
    let workspace = configured(&world, &config);
    assert!(workspace.sync().report().registered);
    world.assert_converged(&[workspace]);
    assert_eq!(
        world.central.log().len(),
        1,
        "it does not build on a branch that nobody chose"
    );
}

/// `sync.branch` chooses.
#[test]
fn the_configured_branch_is_used() {
    let mut world = World::new();
    let url = world.central.url();
    let config = format!("[workspace]\nprefix = \"api\"\n[sync]\nupstream_url = \"{url}\"\nbranch = \"plans\"\n");
    let workspace = configured(&world, &config);
    workspace.sync().report();
    world.central.branch = "plans".into();
    world.assert_converged(&[workspace]);
}

/// `init` asks central before it writes anything.
#[test]
fn init_tests_the_connection_first() {
    let world = World::new();
    let workspace = world.workspace_with_config("api", &world.local(), "# mine\n[project]\nprefix = \"API\"\n");
    let wrong = elsewhere(world.local()).url;
    let before = workspace.snapshot();
    let failed = workspace.run(&["init", "--upstream", &wrong, "--prefix", "api"]);
    assert_eq!(failed.code, Some(1), "{}", failed.transcript());
    assert_eq!(workspace.snapshot(), before);

    workspace
        .run(&[
            "init",
            "--upstream",
            &world.central.url(),
            "--prefix",
            "api",
            "--team",
            "platform",
        ])
        .success();
    assert!(
        workspace.config().starts_with("# mine\n[project]\nprefix = \"API\"\n"),
        "{}",
        workspace.config()
    );
    workspace.write("API-T-0001", "Text.");
    assert!(workspace.sync().report().registered);
    world.assert_converged(&[workspace]);
}

/// A folder that never was a workspace becomes one.
#[test]
fn init_makes_a_workspace() {
    let world = World::new();
    let workspace = world.workspace("api");
    fs::remove_dir_all(workspace.metis()).unwrap();
    workspace
        .run(&["init", "--upstream", &world.central.url(), "--prefix", "api"])
        .success();
    workspace.write("API-T-0001", "Text.");
    assert_eq!(workspace.sync().report().pushed, ["API-T-0001"]);
    world.assert_converged(&[workspace]);
}
