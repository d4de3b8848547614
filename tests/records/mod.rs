//! Shared records: what one clone writes about anybody's documents, every clone shows after a sync.

mod background;
mod beginning;
mod claims;
mod collections;
mod copies;
mod guide;
mod hosts;
mod logs;
mod queue;
mod shown;

use serde_json::Value;

use crate::support::{
    servers::{Access, Everywhere},
    workspace::{Remote, Workspace},
    world::World,
};

/// Plays something over every transport that there is a server for, each in a world of its own.
pub fn over_every_transport(play: impl Fn(&World, &Remote)) {
    for transport in 0.. {
        let world = World::new();
        let servers = Everywhere::start(&world, Access::Open);
        let Some(remote) = servers.remotes().into_iter().nth(transport) else {
            assert!(transport > 0);
            return;
        };
        play(&world, &remote);
    }
}

/// What a command says with `--json`; it must succeed.
#[track_caller]
pub fn json(workspace: &Workspace, args: &[&str]) -> Value {
    let finished = workspace.run(&[&["--json"], args].concat());
    assert_eq!(finished.code, Some(0), "{}", finished.transcript());
    serde_json::from_slice(&finished.stdout).unwrap_or_else(|err| panic!("{err}: {}", finished.transcript()))
}

/// All shared state, byte for byte.
#[track_caller]
pub fn dump(workspace: &Workspace) -> String {
    workspace.run(&["--json", "record", "list"]).success()
}

/// A sync and what it did with records: received and published.
#[track_caller]
pub fn sync(workspace: &Workspace) -> (u64, u64) {
    let report = json(workspace, &["sync"]);
    assert_eq!(report["warnings"], Value::Array(Vec::new()), "{report}");
    let count = |key: &str| report["records"][key].as_u64().unwrap_or(0);
    (count("received"), count("published"))
}

/// What is not in central yet.
#[track_caller]
pub fn unpublished(workspace: &Workspace) -> u64 {
    json(workspace, &["record", "status"])["unpublished"]
        .as_u64()
        .expect("a number")
}

/// Which device it is.
#[track_caller]
fn device(workspace: &Workspace) -> String {
    json(workspace, &["record", "status"])["device"]
        .as_str()
        .expect("a name")
        .to_owned()
}

/// Two workspaces with a document each that know each other's.
fn two_on(world: &World, remote: &Remote) -> (Workspace, Workspace) {
    let (api, web) = (world.workspace_on("api", remote), world.workspace_on("web", remote));
    api.write("API-T-0001", "One.");
    web.write("WEB-T-0001", "One.");
    for workspace in [&api, &web, &api] {
        workspace.sync().report();
    }
    (api, web)
}

fn two(world: &World) -> (Workspace, Workspace) {
    two_on(world, &world.local())
}

/// The refs of logs in central.
fn log_refs(world: &World) -> Vec<String> {
    let refs = world.central.git(&["for-each-ref", "--format=%(refname)"]);
    refs.lines()
        .filter(|name| name.contains("metis/log/"))
        .map(str::to_owned)
        .collect()
}
