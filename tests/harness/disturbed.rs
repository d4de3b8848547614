//! Races, points and proxies do what they say, with git's own push.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use super::{clone_and_commit, git, listing};
use crate::support::{
    point::Point,
    process::{Running, run},
    proxy::{Fate, Proxy, Way},
    servers::{Access, GitDaemon, Nginx, Sshd},
    workspace::Remote,
    world::World,
};

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
