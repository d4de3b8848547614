//! The kit holds up under git itself: what fails here is no fault of the program's.

use std::{
    process::Command,
    sync::{Arc, Mutex},
    time::Duration,
};

use crate::support::{
    central::Shape,
    document::document,
    point::Point,
    process::{Finished, Running, run},
    proxy::{Fate, Proxy, Way},
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

/// The race is what it claims to be: git's own push finds the ref moved under the lock.
#[test]
fn a_push_can_be_overtaken_at_the_lock() {
    let world = World::new();
    let person = clone_and_commit(&world, &world.local(), "API-T-0001");
    world
        .points
        .command(Point::BeforeRef, &world.central.landing("web/WEB-T-0001.md", "first"));
    let refused = run(git(&person, &["push", "origin", "HEAD"]));
    assert_eq!(refused.code, Some(1), "{}", refused.transcript());
    assert!(
        refused.stderr.contains("cannot lock ref") && refused.stderr.contains("but expected"),
        "{}",
        refused.stderr
    );
    assert_eq!(world.points.waiting(), 0);
    assert_eq!(
        world.central.log().len(),
        2,
        "the overtaker is there, the overtaken is not"
    );
}

/// And so is the earlier one: the refs that a push is told are not those of its fetch.
#[test]
fn a_push_can_be_overtaken_before_it_begins() {
    let world = World::new();
    let Some(sshd) = Sshd::start(&world) else { return };
    let person = clone_and_commit(&world, &sshd.remote(), "API-T-0001");
    world
        .points
        .command(Point::BeforePush, &world.central.landing("web/WEB-T-0001.md", "first"));
    let refused = run(git(&person, &["push", "origin", "HEAD"]));
    assert!(refused.stderr.contains("fetch first"), "{}", refused.transcript());
}

#[test]
fn a_script_at_the_lock_can_refuse() {
    let world = World::new();
    let person = clone_and_commit(&world, &world.local(), "API-T-0001");
    world
        .points
        .script(Point::BeforeRef, "echo 'central is frozen' >&2; exit 1");
    let refused = run(git(&person, &["push", "origin", "HEAD"]));
    assert!(
        refused.stderr.contains("remote: central is frozen"),
        "{}",
        refused.transcript()
    );
    assert!(
        refused.stderr.contains("pre-receive hook declined"),
        "{}",
        refused.transcript()
    );
    run(git(&person, &["push", "origin", "HEAD"])).success();
}

/// A held push goes on when it is let go, also after its client was killed.
#[test]
fn a_push_can_be_held_and_its_client_killed() {
    let world = World::new();
    let person = clone_and_commit(&world, &world.local(), "API-T-0001");
    let mut before = world.points.gate(Point::BeforeRef);
    let mut after = world.points.gate(Point::AfterRef);
    world.central.land("web/WEB-T-0001.md", "not by a push, so it passes");
    run(git(&person, &["fetch", "--quiet", "origin"])).success();
    run(git(&person, &["rebase", "--quiet", "FETCH_HEAD"])).success();
    let push = Running::start(git(&person, &["push", "origin", "HEAD"]));
    before.wait();
    assert_eq!(world.central.log().len(), 2);
    assert_eq!(push.kill().code, None);
    before.open();
    after.wait();
    assert_eq!(world.central.log().len(), 3);
}

#[test]
fn a_dropped_gate_lets_go() {
    let world = World::new();
    let person = clone_and_commit(&world, &world.local(), "API-T-0001");
    drop(world.points.gate(Point::BeforeRef));
    run(git(&person, &["push", "origin", "HEAD"])).success();
}

#[test]
fn a_proxy_cuts_a_push_after_a_given_byte() {
    let world = World::new();
    let Some(daemon) = GitDaemon::start(&world) else { return };
    let person = clone_and_commit(&world, &daemon.remote(), "API-T-0001");
    let push_through = |proxy: &Proxy| {
        let url = proxy.front(&daemon.remote().url, daemon.port());
        run(git(&person, &["push", &url, "HEAD:main"]))
    };
    for way in [Way::ToServer, Way::ToClient] {
        let cut = Proxy::to(daemon.port(), move |_| Fate::Cut(way, 100));
        let refused = push_through(&cut);
        assert_eq!(refused.code, Some(128), "{}", refused.transcript());
        assert_eq!(cut.bytes(way), 100);
        assert_eq!(world.central.log().len(), 1);
    }
    let late = Proxy::to(daemon.port(), |_| Fate::Delay(Way::ToClient, Duration::from_millis(1)));
    push_through(&late).success();
    assert_eq!(late.connections(), 1);
    assert_eq!(world.central.log().len(), 2);
}

#[test]
fn a_proxy_drips() {
    let world = World::new();
    let Some(daemon) = GitDaemon::start(&world) else { return };
    let dripping = Proxy::to(daemon.port(), |_| Fate::Drip(Way::ToClient, Duration::from_micros(100)));
    let url = dripping.front(&daemon.remote().url, daemon.port());
    assert_eq!(listing(&world, &Remote { url, env: Vec::new() }).code, Some(0));
}

#[test]
fn a_proxy_goes_silent() {
    let world = World::new();
    let Some(daemon) = GitDaemon::start(&world) else { return };
    let (sender, receiver) = std::sync::mpsc::channel();
    let silent = Proxy::to(daemon.port(), move |_| {
        sender.send(()).expect("the test is there");
        Fate::Silent(Way::ToClient, 0)
    });
    let url = silent.front(&daemon.remote().url, daemon.port());
    let person = world.workspace("web");
    let asking = Running::start(git(&person, &["ls-remote", &url]));
    receiver.recv().expect("it connects");
    assert_eq!(asking.kill().code, None, "it waits until it is killed");
}

/// The race before a push begins, where there is no program of ours on the server's side: http and git://.
#[test]
fn a_proxy_lets_somebody_be_faster() {
    let world = World::new();
    let Some(nginx) = Nginx::start(&world, Access::Open) else {
        return;
    };
    let person = clone_and_commit(&world, &nginx.remote(), "API-T-0001");
    let landing = Arc::new(Mutex::new(Some(world.central.landing("web/WEB-T-0001.md", "first"))));
    let proxy = Proxy::to(nginx.port(), move |_| {
        let landing = Arc::clone(&landing);
        let land = move || {
            if let Some(landing) = landing.lock().expect("nobody panics with it").take() {
                run(landing).success();
            }
        };
        Fate::Before(b"service=git-receive-pack", Box::new(land))
    });
    let url = proxy.front(&nginx.remote().url, nginx.port());
    let refused = run(git(&person, &["push", &url, "HEAD:main"]));
    assert!(refused.stderr.contains("fetch first"), "{}", refused.transcript());
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
