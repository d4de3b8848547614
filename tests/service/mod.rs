//! The service: what can be asked of a sync, what is noted of it, and several callers at once.

mod asked;
mod at_once;
mod noted;
mod nuked;

use serde_json::Value;

use crate::support::{workspace::Workspace, world::World};

/// What a command says with `--json`; it must exit with `code`.
#[track_caller]
fn json(workspace: &Workspace, args: &[&str], code: i32) -> Value {
    let finished = workspace.run(&[&["--json"], args].concat());
    assert_eq!(finished.code, Some(code), "{}", finished.transcript());
    serde_json::from_slice(&finished.stdout).unwrap_or_else(|err| panic!("{err}: {}", finished.transcript()))
}

/// What `last.json` says, if there is one.
fn last(workspace: &Workspace) -> Option<Value> {
    let text = std::fs::read(workspace.metis().join(".sync/last.json")).ok()?;
    Some(serde_json::from_slice(&text).expect("JSON"))
}

/// Two workspaces with two documents each that know each other's.
fn two(world: &World) -> (Workspace, Workspace) {
    let (api, web) = (world.workspace("api"), world.workspace("web"));
    for (workspace, letters) in [(&api, "API"), (&web, "WEB")] {
        workspace.write(&format!("{letters}-T-0001"), "First.");
        workspace.write(&format!("{letters}-T-0002"), "Second.");
    }
    for workspace in [&api, &web, &api] {
        workspace.sync().report();
    }
    (api, web)
}
