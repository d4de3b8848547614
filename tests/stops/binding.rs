//! What this clone alone knows, and what it is bound to.

use std::fs;

use metis_sync::sync::stop::Stop;

use super::{Person, Stopped, change, one, set};
use crate::support::{point::Point, process::run, servers::skip, team::Team, workspace::Workspace, world::World};

pub fn the_folder_of_state_is_a_file(stop: Stop) {
    let world = World::new();
    let api = world.workspace("api");
    api.put(".sync", "No folder.");
    let stopped = api.sync_stops(stop);
    stopped.advises("Move it away");
    stopped.move_away();
    api.goes_through();
}

#[test]
fn another_users_state() {
    if !rustix::process::geteuid().is_root() {
        skip("only root can make another user's files");
        return;
    }
    let world = World::new();
    let api = one(&world);
    api.types("chown -R 65534 .metis/.sync");
    let stopped = api.sync_stops(Stop::StateUnusable);
    stopped.move_away();
    api.goes_through();
}

/// The file that binds a clone is damaged.
#[test]
fn the_binding_is_damaged() {
    let team = Team::new();
    let found = team.ann.git("rev-parse --git-common-dir");
    let guards = team.ann.types(&format!("find {} -name guard.json", found.trim()));
    let guard = team.ann.dir.join(guards.lines().next().expect("it is there"));
    fs::write(guard, "{").unwrap();
    let stopped = team.ann.sync_stops(Stop::StateUnusable);
    stopped.advises("Move it away");
    stopped.move_away();
    team.ann.goes_through();
}

pub fn a_later_version_was_here(stop: Stop) {
    let team = Team::new();
    let guards = team.ann.types("find .git -name guard.json");
    let guard = team.ann.dir.join(guards.lines().next().expect("it is there"));
    fs::write(guard, "{\"schema\": 999}").unwrap();
    let stopped = team.ann.sync_stops(stop);
    stopped.advises("move the file away");
    stopped.move_away();
    team.ann.goes_through();
}

fn homeless(api: &Workspace, env: &[(&str, &str)]) -> crate::support::process::Finished {
    let mut sync = api.sync_command(&[]);
    sync.env("HOME", "nowhere").envs(env.iter().copied());
    run(sync)
}

/// As a service without a home has it.
pub fn there_is_no_place_for_state(stop: Stop) {
    let world = World::new();
    let api = world.workspace("api");
    api.write("API-T-0001", "Mine.");
    let stopped = Stopped::of(&homeless(&api, &[]), stop);
    stopped.advises("Set XDG_STATE_HOME to a folder of your own");
    let (state, cache) = (api.dir.join("state"), api.dir.join("cache"));
    let (state, cache) = (state.display().to_string(), cache.display().to_string());
    let stopped = Stopped::of(&homeless(&api, &[("XDG_STATE_HOME", &state)]), Stop::NoCacheHome);
    stopped.advises("Set XDG_CACHE_HOME to a folder of your own");
    let both = [("XDG_STATE_HOME", state.as_str()), ("XDG_CACHE_HOME", cache.as_str())];
    assert_eq!(homeless(&api, &both).code, Some(0));
}

pub fn git_tracks_the_state(stop: Stop) {
    let team = Team::new();
    team.ann.git("add -f .metis/.sync/cursor.json");
    team.ann.git("commit -q -m state");
    let stopped = team.ann.sync_stops(stop);
    team.ann.types(stopped.command("git rm"));
    team.ann.git("commit -q -m without");
    team.ann.goes_through();
    assert_eq!(team.plans(), "1=v1 2=v1 3=v1");
}

/// Seen from `status`, which does not wait for it.
pub fn another_sync_runs(stop: Stop) {
    let world = World::new();
    let api = one(&world);
    api.edit("API-T-0001", "More.");
    let mut gate = world.points.gate(Point::BeforePush);
    let first = api.start_sync();
    gate.wait();
    let status = api.asks(&["--json", "status"]);
    let status: serde_json::Value = serde_json::from_slice(&status.stdout).unwrap();
    let obstacles = status["obstacles"].as_array().expect("it lists what would stop a sync");
    let locked = obstacles.iter().find(|obstacle| obstacle["stop"] == stop.name());
    let locked = locked.unwrap_or_else(|| panic!("{status}"));
    assert_eq!(locked["next"], "Try again when it is done.");
    gate.open();
    assert_eq!(first.finish().code, Some(0));
    api.goes_through();
}

pub fn another_central(stop: Stop) {
    let (world, other) = (World::new(), World::new());
    let api = one(&world);
    change(&api, &world.central.url(), &other.central.url());
    let stopped = api.sync_stops(stop);
    api.types(&stopped.filled("git metis-sync init", "URL", &other.central.url()));
    api.goes_through();
    assert_eq!(other.central.folder("api"), api.documents());
}

/// Each of the three ways that the message names.
pub fn another_folder(stop: Stop) {
    for way in 0..3 {
        let world = World::new();
        let api = one(&world);
        change(&api, "prefix = \"api\"", "prefix = \"platform\"");
        let stopped = api.sync_stops(stop);
        match way {
            0 => drop(api.types(stopped.command("git metis-sync workspace rename"))),
            1 => drop(api.types(stopped.command("git metis-sync init"))),
            _ => change(&api, "prefix = \"platform\"", stopped.command("prefix = ")),
        }
        api.goes_through();
        let folder = if way == 2 { "api" } else { "platform" };
        assert_eq!(world.central.folder(folder), api.documents(), "{stopped:?}");
    }
}

pub fn another_branch(stop: Stop) {
    let world = World::new();
    let api = one(&world);
    world.central.git(&["branch", "attic", "main"]);
    set(&api, "sync", "branch = \"attic\"");
    let stopped = api.sync_stops(stop);
    api.types(stopped.command("git metis-sync trust"));
    api.goes_through();
}
