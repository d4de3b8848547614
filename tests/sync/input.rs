//! What people get wrong, and what they are told: the words, the exit code, and that nothing happened.

use std::{fs, net::TcpListener};

use crate::support::{
    central::Shape,
    process::run,
    report::Failure,
    servers::{Access, Nginx, Sshd},
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

/// 81#20
#[test]
fn nobody_listens() {
    let world = World::new();
    // A port that was free a moment ago.
    let port = TcpListener::bind(("127.0.0.1", 0))
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    for url in [
        format!("http://ann:secret@127.0.0.1:{port}/central.git"),
        format!("git://127.0.0.1:{port}/central.git"),
        format!("ssh://127.0.0.1:{port}/central.git"),
        "http://central.invalid/central.git".to_owned(),
    ] {
        let workspace = world.workspace_on(
            "api",
            &Remote {
                url: url.clone(),
                env: Vec::new(),
            },
        );
        workspace.write("API-T-0001", "Text.");
        let failure = fails_cleanly(&workspace, 6);
        let shown = url.replace("ann:secret@", "");
        assert!(
            failure.message.contains(&format!("cannot reach {shown}")),
            "{failure:?}"
        );
        assert!(!format!("{failure:?}").contains("secret"));
    }
}

/// Where a server answers, but not for this path.
#[track_caller]
fn has_no_repository(world: &World, remote: &Remote) -> Failure {
    let workspace = world.workspace_on("api", remote);
    workspace.write("API-T-0001", "Text.");
    let failure = fails_cleanly(&workspace, 1);
    assert_eq!(failure.message, format!("there is no repository at {}", remote.url));
    failure
}

fn elsewhere(remote: Remote) -> Remote {
    Remote {
        url: remote.url.replace("central.git", "nowhere.git"),
        ..remote
    }
}

#[test]
fn no_repository_at_that_path() {
    let world = World::new();
    has_no_repository(&world, &elsewhere(world.local()));
}

#[test]
fn no_repository_at_that_path_over_ssh() {
    let world = World::new();
    let Some(sshd) = Sshd::start(&world) else { return };
    let failure = has_no_repository(&world, &elsewhere(sshd.remote()));
    assert!(
        failure.server_text.contains("does not appear to be a git repository"),
        "{failure:?}"
    );
}

#[test]
fn no_repository_at_that_path_over_http() {
    let world = World::new();
    let Some(nginx) = Nginx::start(&world, Access::Open) else {
        return;
    };
    has_no_repository(&world, &elsewhere(nginx.remote()));
}

/// 81#18, 81#19, 82#8
#[test]
fn a_key_that_the_server_does_not_know() {
    let world = World::new();
    let Some(sshd) = Sshd::start(&world) else { return };
    let remote = sshd.stranger();
    let workspace = world.workspace_on("api", &remote);
    workspace.write("API-T-0001", "Text.");
    let failure = fails_cleanly(&workspace, 5);
    assert_eq!(failure.kind, "auth");
    // Who one is at the server is part of the address there.
    let shown = &remote.url;
    assert_eq!(
        failure.message,
        format!("cannot authenticate to {shown} — check SSH keys or credential helper")
    );
}

/// 81#18, 81#19, 82#8: no password, then a wrong one, then the right one from git's credential helper.
#[test]
fn passwords_come_from_the_credential_helper() {
    let world = World::new();
    let Some(nginx) = Nginx::start(&world, Access::Password) else {
        return;
    };
    let remote = nginx.remote();
    let workspace = world.workspace_on("api", &remote);
    workspace.write("API-T-0001", "Text.");
    let stored = workspace.home.join("credentials");
    let cannot = format!(
        "cannot authenticate to {} — check SSH keys or credential helper",
        remote.url
    );
    assert_eq!(fails_cleanly(&workspace, 5).message, cannot);

    let helper = format!("[credential]\n\thelper = store --file {}\n", stored.display());
    fs::write(workspace.home.join(".gitconfig"), helper).unwrap();
    let authority = remote.url.strip_prefix("https://").unwrap().split('/').next().unwrap();
    let store = |password: &str| {
        let line = format!("https://{}:{}@{authority}\n", Nginx::USER, password.replace(' ', "%20"));
        fs::write(&stored, line).unwrap();
    };
    store("wrong");
    assert_eq!(fails_cleanly(&workspace, 5).message, cannot);

    store(Nginx::PASSWORD);
    workspace.sync().report();
    let mut search = workspace.program("grep");
    search
        .args(["-rlF", "-e", Nginx::PASSWORD, "-e", "correct%20horse"])
        .args([&workspace.dir, &workspace.home]);
    assert_eq!(
        run(search).success().trim(),
        stored.display().to_string(),
        "nobody else wrote the password down"
    );
    world.assert_converged(&[workspace]);
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
