//! Central and the push.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use metis_sync::sync::stop::Stop;

use super::{Person, connection::behind_ssh, one, set};
use crate::support::{
    point::Point,
    process::as_shell,
    proxy::{Fate, Proxy, Way},
    servers::GitDaemon,
    workspace::Remote,
    world::World,
};

pub fn a_hook_says_no(stop: Stop) {
    let world = World::new();
    let api = one(&world);
    api.edit("API-T-0001", "More.");
    world
        .points
        .script(Point::BeforeRef, "echo 'on Fridays only' >&2; exit 1\n");
    let stopped = api.sync_stops(stop);
    stopped.advises("Ask who runs central");
    // Who runs it took the rule away: there is no script any more.
    assert_eq!(world.points.waiting(), 0);
    api.goes_through();
    assert_eq!(world.central.folder("api"), api.documents());
}

pub fn the_answer_is_lost(stop: Stop) {
    let world = World::new();
    let Some(daemon) = GitDaemon::start(&world) else { return };
    let port = daemon.port();
    let unreachable = Arc::new(AtomicBool::new(true));
    let for_now = unreachable.clone();
    // Two connections of the first sync, a fetch and a push, and nothing after that.
    let proxy = Proxy::to(port, move |number| match number {
        4.. if for_now.load(Ordering::SeqCst) => Fate::Cut(Way::ToClient, 0),
        _ => Fate::Fair,
    });
    let url = proxy.front(&daemon.remote().url, port);
    let api = world.workspace_on("api", &Remote { url, env: Vec::new() });
    api.write("API-T-0001", "Mine.");
    api.goes_through();
    api.edit("API-T-0001", "More.");
    world.points.script(Point::AfterRef, "kill -9 $PPID\n");
    let stopped = api.sync_stops(stop);
    stopped.advises("Run the sync again");
    unreachable.store(false, Ordering::SeqCst);
    let commits = world.central.log().len();
    api.goes_through();
    assert_eq!(world.central.log().len(), commits, "nothing is pushed twice");
    assert_eq!(world.central.folder("api"), api.documents());
}

pub fn others_are_faster(stop: Stop) {
    let world = World::new();
    let api = one(&world);
    api.edit("API-T-0001", "More.");
    let landing = world.central.landing("busy/BUSY-T-0001.md", "Busy.");
    world.points.command(Point::BeforePush, &landing);
    let stopped = api.stops(&["sync", "--max-retries", "0"], stop);
    stopped.advises("--max-retries");
    api.goes_through();
    assert_eq!(world.central.folder("api"), api.documents());
}

/// A slow central, and somebody who is faster: what is left is less than another cycle takes.
pub fn the_time_is_over(stop: Stop) {
    let world = World::new();
    let api = one(&world);
    api.edit("API-T-0001", "More.");
    set(&api, "sync", "deadline_seconds = 14");
    let landing = world.central.landing("busy/BUSY-T-0001.md", "Busy.");
    let slow = format!("sleep 8\n{}\n", as_shell(&landing));
    world.points.script(Point::BeforePush, &slow);
    let stopped = api.sync_stops(stop);
    stopped.advises("[sync] deadline_seconds");
    api.goes_through();
    assert_eq!(world.central.folder("api"), api.documents());
}

/// It does not say whether it reports.
pub fn its_server_is_not_up_to_it(stop: Stop) {
    let world = World::new();
    let filter = "$|=1; while (sysread(STDIN, $_, 65536)) { s/report-status/no-news-today/g; print }";
    let spoil = format!("case $command in *receive-pack*) sh -c \"$command\" | perl -e '{filter}'; exit;; esac");
    let (api, program) = behind_ssh(&world, &spoil);
    let stopped = api.sync_stops(stop);
    stopped.advises("Central needs a git server that offers it");
    program.becomes("");
    api.goes_through();
}
