//! The kit holds up under git itself: what fails here is no fault of the program's.

mod disturbed;

use std::process::Command;

use crate::support::{
    central::Shape,
    document::document,
    process::{Finished, run},
    servers::{Access, GitDaemon, Nginx, Sshd},
    workspace::{Remote, Workspace},
    world::World,
};

/// One more document in `api/`, committed and pushed with git from a fresh clone.
fn push_with_git(world: &World, remote: &Remote, code: &str) -> Finished {
    let person = clone_and_commit(world, remote, code);
    run(git(&person, &["push", "--quiet", "origin", "HEAD"]))
}

fn clone_and_commit(world: &World, remote: &Remote, code: &str) -> Workspace {
    let person = world.workspace_on("api", remote);
    let format = format!("--object-format={}", world.central.format);
    run(git(
        &person,
        &["init", "--quiet", &format, "--initial-branch", &world.central.branch],
    ))
    .success();
    run(git(&person, &["pull", "--quiet", &remote.url, &world.central.branch])).success();
    run(git(&person, &["remote", "add", "origin", &remote.url])).success();
    std::fs::create_dir_all(person.dir.join("api")).expect("temp folder is writable");
    let file = format!("api/{code}.md");
    std::fs::write(person.dir.join(&file), document(code, "By git", "Text.")).expect("temp folder is writable");
    run(git(&person, &["add", &file])).success();
    run(git(&person, &["commit", "--quiet", "-m", "by git"])).success();
    person
}

fn git(person: &Workspace, args: &[&str]) -> Command {
    let mut command = person.program("git");
    command
        .args(["-c", "user.name=Git", "-c", "user.email=git@example.org"])
        .args(args);
    command
}

#[track_caller]
fn serves_git(world: &World, remote: &Remote) {
    push_with_git(world, remote, "API-T-0001").success();
    assert!(world.central.folder("api").contains_key("API-T-0001.md"));
    world.central.fsck_strict();
    // For a local path git starts its own programs and not those in PATH, which would trace.
    if !remote.url.starts_with("file:") {
        let wire = world.wire();
        assert!(
            wire.wants() >= 1 && wire.listings() >= 1 && wire.pushes() >= 1,
            "no trace of {}",
            remote.url
        );
    }
}

fn listing(world: &World, remote: &Remote) -> Finished {
    let person = world.workspace_on("web", remote);
    run(git(&person, &["ls-remote", &remote.url]))
}

#[track_caller]
fn listing_fails(world: &World, remote: &Remote) -> String {
    let failed = listing(world, remote);
    assert_ne!(failed.code, Some(0), "{}", failed.transcript());
    failed.stderr
}

#[test]
fn sshd_serves_git() {
    let world = World::new();
    let Some(sshd) = Sshd::start(&world) else { return };
    serves_git(&world, &sshd.remote());
    let stranger = listing_fails(&world, &sshd.stranger());
    assert!(stranger.contains("Permission denied"), "{stranger}\n{}", sshd.log());
    assert_eq!(listing(&world, &sshd.scp_like()).code, Some(0));
}

#[test]
fn nginx_serves_git_openly() {
    let world = World::new();
    let Some(nginx) = Nginx::start(&world, Access::Open) else {
        return;
    };
    serves_git(&world, &nginx.remote());
    let pushes = nginx
        .requests()
        .iter()
        .filter(|line| line.starts_with("POST /central.git/git-receive-pack 200"))
        .count();
    assert_eq!(pushes, 1, "{:?}", nginx.requests());
}

#[test]
fn nginx_serves_git_to_those_with_the_password() {
    let world = World::new();
    let Some(nginx) = Nginx::start(&world, Access::Password) else {
        return;
    };
    let remote = nginx.remote();
    let refused = listing_fails(&world, &remote);
    assert!(
        refused.contains("could not read Username"),
        "{refused}\n{}",
        nginx.log()
    );
    let with_user = format!("https://{}:{}@", Nginx::USER, Nginx::PASSWORD.replace(' ', "%20"));
    serves_git(
        &world,
        &Remote {
            url: remote.url.replace("https://", &with_user),
            ..remote
        },
    );
}

#[test]
fn nginx_serves_git_over_tls() {
    let world = World::new();
    let Some(nginx) = Nginx::start(&world, Access::Tls) else {
        return;
    };
    serves_git(&world, &nginx.remote());
    let unknown_authority = listing_fails(
        &world,
        &Remote {
            env: Vec::new(),
            ..nginx.remote()
        },
    );
    assert!(unknown_authority.contains("certificate"), "{unknown_authority}");
}

#[test]
fn git_daemon_serves_git() {
    let world = World::new();
    let Some(daemon) = GitDaemon::start(&world) else { return };
    serves_git(&world, &daemon.remote());
}

#[test]
fn sha256_and_other_branches_serve_git() {
    let world = World::shaped(Shape {
        format: "sha256",
        head: "trunk",
        born: Some("trunk"),
    });
    serves_git(&world, &world.local());
    assert_eq!(world.central.tip().map(|id| id.len()), Some(64));
}
