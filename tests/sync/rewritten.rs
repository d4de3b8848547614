//! `url.*.pushInsteadOf`: the program fetches from one place and pushes to another.

use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use crate::support::{
    proxy::{Fate, Proxy, Way},
    servers::GitDaemon,
    workspace::Workspace,
    world::World,
};

/// A workspace that knows central as a folder; with `key` it is told that `proxy` is meant.
fn told(key: &str, world: &World, daemon: &GitDaemon, proxy: &Proxy) -> Workspace {
    let workspace = world.workspace("api");
    let base = format!("file://{}/", world.root().display());
    let pushed = proxy
        .front(&daemon.remote().url, daemon.port())
        .replace("central.git", "");
    let config = format!("[url \"{pushed}\"]\n\t{key} = {base}\n");
    fs::write(workspace.home.join(".gitconfig"), config).expect("writable");
    workspace.write("API-T-0001", "Planned.");
    workspace
}

/// A workspace that reads central as a folder and writes to it through `proxy`.
fn through(world: &World, daemon: &GitDaemon, proxy: &Proxy) -> Workspace {
    told("pushInsteadOf", world, daemon, proxy)
}

#[test]
fn instead_of_counts_for_both_ways() {
    let world = World::new();
    let Some(daemon) = GitDaemon::start(&world) else { return };
    let proxy = Proxy::to(daemon.port(), |_| Fate::Fair);
    let api = told("insteadOf", &world, &daemon, &proxy);
    assert_eq!(api.sync().report().pushed, ["API-T-0001"]);
    assert_eq!(proxy.connections(), 2, "a look, and the push");
    assert!(api.sync().report().pushed.is_empty());
    assert_eq!(proxy.connections(), 3, "another look");
    world.assert_converged(&[api]);
}

#[test]
fn a_push_goes_where_push_instead_of_says_and_a_fetch_does_not() {
    let world = World::new();
    let Some(daemon) = GitDaemon::start(&world) else { return };
    let proxy = Proxy::to(daemon.port(), |_| Fate::Fair);
    let api = through(&world, &daemon, &proxy);
    assert_eq!(api.sync().report().pushed, ["API-T-0001"]);
    assert_eq!(proxy.connections(), 1, "the push, and nothing else");
    world.assert_converged(&[api]);
}

#[test]
fn a_lost_answer_is_looked_for_where_the_push_went() {
    let world = World::new();
    let Some(daemon) = GitDaemon::start(&world) else { return };
    let limit = Arc::new(AtomicU64::new(u64::MAX));
    let proxy = Proxy::to(daemon.port(), {
        let limit = Arc::clone(&limit);
        move |_| Fate::Cut(Way::ToClient, limit.swap(u64::MAX, Ordering::SeqCst))
    });
    let api = through(&world, &daemon, &proxy);
    api.sync().report();
    let whole = proxy.bytes(Way::ToClient);
    api.write("API-T-0002", "Planned as well.");
    // The list of refs, and not all of the answer.
    limit.store(whole - 20, Ordering::SeqCst);
    let report = api.sync().report();
    assert_eq!(
        (report.pushed.as_slice(), report.retries),
        (&["API-T-0002".to_owned()][..], 0)
    );
    assert_eq!(proxy.connections(), 3, "the refs were listed where the push went");
    assert_eq!(world.central.log().len(), 3, "one commit for each sync");
    world.assert_converged(&[api]);
}
