//! The answer to a push got lost. Whether it was applied is found out by looking, and never pushed twice.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use crate::support::{
    point::Point,
    process::as_shell,
    proxy::{Fate, Proxy, Way},
    servers::{Access, GitDaemon, Nginx},
    workspace::{Remote, Workspace},
    world::World,
};

/// The hook's parent is the program that serves the push.
const KILL_SERVER: &str = "kill -9 $PPID\n";

/// A workspace that has synced and has something new.
fn one(world: &World, remote: &Remote) -> Workspace {
    let api = world.workspace_on("api", remote);
    api.write("API-T-0001", "First.");
    api.sync().report();
    api.edit("API-T-0001", "Changed.");
    api
}

/// One commit for the change, no more, and the next sync has nothing to do.
#[track_caller]
fn landed_once(world: &World, api: &Workspace, others: usize) {
    assert_eq!(world.central.log().len(), 3 + others, "{:?}", world.central.log());
    assert_eq!(world.central.folder("api"), api.documents());
    let report = api.sync().report();
    assert_eq!((report.commit, report.pushed.len()), (None, 0));
    assert_eq!(world.central.log().len(), 3 + others);
    world.central.fsck_strict();
}

#[test]
fn a_server_that_dies_after_moving_the_branch() {
    let world = World::new();
    let Some(nginx) = Nginx::start(&world, Access::Open) else {
        return;
    };
    for (time, remote) in [world.local(), nginx.remote()].iter().enumerate() {
        let api = world.workspace_on(["api", "web"][time], remote);
        let code = ["API-T-0001", "WEB-T-0001"][time];
        api.write(code, "First.");
        api.sync().report();
        api.edit(code, "Changed.");
        let before = world.central.log().len();
        world.points.script(Point::AfterRef, KILL_SERVER);
        let report = api.sync().report();
        assert_eq!((report.retries, world.points.waiting()), (0, 0));
        assert_eq!(report.commit, world.central.tip(), "it was looked up");
        assert_eq!(api.sync().report().outcome, "up-to-date");
        assert_eq!(world.central.log().len(), before + 1);
    }
    world.central.fsck_strict();
}

/// Somebody builds on our commit before we look: it is in central all the same.
#[test]
fn a_server_that_dies_while_somebody_builds_on_the_push() {
    let world = World::new();
    let api = one(&world, &world.local());
    let landing = world
        .central
        .landing("busy/BUSY-T-0001.md", "No document, but a commit.");
    let script = format!("{} || exit 1\n{KILL_SERVER}", as_shell(&landing));
    world.points.script(Point::AfterRef, &script);
    let report = api.sync().report();
    assert_eq!((report.retries, report.commit), (1, None), "the retry finds it done");
    landed_once(&world, &api, 1);
}

#[test]
fn a_server_that_dies_before_moving_the_branch() {
    let world = World::new();
    let api = one(&world, &world.local());
    let tip = world.central.tip();
    world.points.script(Point::BeforeRef, KILL_SERVER);
    world.points.script(Point::BeforeRef, "true");
    let ended = api.sync();
    let failure = ended.failure(ended.0.code.unwrap());
    assert!(failure.next.is_some(), "{failure:?}");
    assert_eq!(world.points.waiting(), 1, "not tried again");
    assert_eq!(world.central.tip(), tip);
    assert_eq!(api.sync().report().pushed, ["API-T-0001"]);
    landed_once(&world, &api, 0);
}

/// The connection is cut after every so many bytes, in either direction: however it looks from here, once is enough.
#[test]
fn a_connection_that_is_cut_anywhere() {
    let cuts = (0..900).step_by(90).map(|bytes| (Way::ToClient, bytes));
    for (way, bytes) in cuts.chain((0..900).step_by(150).map(|bytes| (Way::ToServer, bytes))) {
        let world = World::new();
        let Some(daemon) = GitDaemon::start(&world) else { return };
        let port = daemon.port();
        // The first sync's two, then a fetch, and then the push in question.
        let proxy = Proxy::to(port, move |number| match number {
            3 => Fate::Cut(way, bytes),
            _ => Fate::Fair,
        });
        let url = proxy.front(&daemon.remote().url, port);
        let api = one(&world, &Remote { url, env: Vec::new() });
        let first = api.sync();
        let landed = world.central.log().len() == 3;
        if first.0.code == Some(0) {
            assert!(landed, "{way:?} {bytes}: no success without a commit");
        }
        api.sync().report();
        landed_once(&world, &api, 0);
    }
}

/// The push is applied, its answer is lost, and nobody can be asked: that is said, and the next sync finds it.
#[test]
fn an_answer_that_cannot_be_asked_for_again() {
    let world = World::new();
    let Some(daemon) = GitDaemon::start(&world) else { return };
    let port = daemon.port();
    let unreachable = Arc::new(AtomicBool::new(true));
    let for_now = unreachable.clone();
    // The first sync's two, a fetch, the push in question, and nothing after it.
    let proxy = Proxy::to(port, move |number| match number {
        4.. if for_now.load(Ordering::SeqCst) => Fate::Cut(Way::ToClient, 0),
        _ => Fate::Fair,
    });
    let url = proxy.front(&daemon.remote().url, port);
    let api = one(&world, &Remote { url, env: Vec::new() });
    world.points.script(Point::AfterRef, KILL_SERVER);
    let ended = api.sync();
    unreachable.store(false, Ordering::SeqCst);
    assert_ne!(ended.0.code, Some(0), "{}", ended.0.transcript());
    let said = &ended.0.stderr;
    assert!(
        said.contains("not known") && !said.contains("Nothing was pushed"),
        "{said}"
    );
    let failure = ended.failure(6);
    assert_eq!(failure.kind, "network");
    assert!(
        failure
            .message
            .starts_with("the connection broke before central answered: "),
        "{failure:?}"
    );
    assert!(
        failure
            .next
            .is_some_and(|next| next.contains("sends it only if it has not")),
        "it says what to do"
    );
    assert!(proxy.connections() >= 5, "central was asked");
    landed_once(&world, &api, 0);
}
