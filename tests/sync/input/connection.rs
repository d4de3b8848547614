//! A central that cannot be reached, is not there, or does not let us in.

use std::{fs, net::TcpListener};

use super::{elsewhere, fails_cleanly};
use crate::support::{
    process::run,
    report::Failure,
    servers::{Access, Nginx, Sshd},
    workspace::Remote,
    world::World,
};

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
