//! Central is not what it was, or does not do what it should.

use std::fs;

use metis_sync::sync::stop::Stop;

use super::{Person, Stopped, another, connection::fsck, one, set};
use crate::support::{process::run, workspace::Workspace, world::World};

pub fn nothing_to_compare_with(stop: Stop) {
    let world = World::new();
    let api = world.workspace("api");
    api.write("API-T-0001", "Mine.");
    let stopped = api.stops(&["verify"], stop);
    api.types(stopped.command("git metis-sync"));
    api.types("git metis-sync verify");
    api.goes_through();
}

pub fn no_such_workspace(stop: Stop) {
    let world = World::new();
    another(&world);
    let api = one(&world);
    let stopped = api.stops(&["sync", "--workspace", "wbe"], stop);
    let said = api.types(stopped.command("git metis-sync query"));
    assert!(said.contains("web"), "{said}");
    assert_eq!(api.asks(&["sync", "--workspace", "web"]).code, Some(0));
    api.goes_through();
}

pub fn since_no_time_that_is_known(stop: Stop) {
    let world = World::new();
    let api = one(&world);
    let stopped = api.stops(&["sync", "--since", "sometime"], stop);
    let log = api.types(stopped.command("git metis-sync log"));
    let commit = log.split("→ ").nth(1).unwrap().split(' ').next().unwrap();
    api.types(&format!("git metis-sync sync --since {commit}"));
    stopped.advises("`3 days ago`");
    api.types("git metis-sync sync --since '3 days ago'");
    Stopped::of(&api.asks(&["--json", "sync", "--since", "abcdef12"]), stop);
    fs::write(api.metis().join(".sync/journal.1.jsonl"), "").unwrap();
    Stopped::of(&api.asks(&["--json", "sync", "--since", "3 days ago"]), stop);
}

pub fn its_history_was_rewritten(stop: Stop) {
    let world = World::new();
    let api = one(&world);
    let tree = world.central.git(&["rev-parse", "main^{tree}"]);
    let anew = world.central.git(&["commit-tree", "-m", "all of it", tree.trim()]);
    world.central.git(&["update-ref", "refs/heads/main", anew.trim()]);
    adopted(&api, &api.sync_stops(stop));
}

fn adopted(api: &Workspace, stopped: &Stopped) {
    stopped.advises("--adopt-central");
    assert_eq!(api.asks(&["sync", "--adopt-central"]).code, Some(0));
    api.goes_through();
}

/// It was empty when this clone met it.
pub fn it_has_another_hash(stop: Stop) {
    let world = World::unborn();
    let api = world.workspace("api");
    api.write("API-T-0001", "Mine.");
    assert_eq!(api.asks(&["sync", "--pull-only"]).code, Some(0));
    fs::rename(&world.central.dir, world.central.dir.with_extension("before")).unwrap();
    api.types(&format!(
        "git init -q --bare -b main --object-format=sha256 {}",
        world.central.dir.display()
    ));
    adopted(&api, &api.sync_stops(stop));
}

/// Does what the message says of the branch.
fn name_the_branch(api: &Workspace, stopped: &Stopped) {
    let (_, after) = stopped.next.split_once("Set [sync] ").expect("it says what to set");
    let (key, rest) = after.split_once('"').expect("and to what");
    let (branch, _) = rest.split_once('"').expect("to what");
    set(api, "sync", &format!("{key}\"{branch}\""));
    api.types(stopped.command("git metis-sync trust"));
}

pub fn its_branch_was_renamed(stop: Stop) {
    let world = World::new();
    let api = one(&world);
    world.central.git(&["branch", "-m", "main", "trunk"]);
    world.central.git(&["symbolic-ref", "HEAD", "refs/heads/main"]);
    name_the_branch(&api, &api.sync_stops(stop));
    api.goes_through();
}

pub fn its_branch_is_gone(stop: Stop) {
    let world = World::new();
    let api = one(&world);
    let tree = world.central.git(&["rev-parse", "main^{tree}"]);
    let anew = world.central.git(&["commit-tree", "-m", "all of it", tree.trim()]);
    world.central.git(&["branch", "anew", anew.trim()]);
    world.central.git(&["update-ref", "-d", "refs/heads/main"]);
    let stopped = api.sync_stops(stop);
    name_the_branch(&api, &stopped);
    adopted(&api, &stopped);
}

pub fn its_head_names_no_branch(stop: Stop) {
    let world = World::new();
    another(&world);
    world.central.git(&["branch", "-m", "main", "plans"]);
    world.central.git(&["symbolic-ref", "HEAD", "refs/heads/unborn"]);
    let api = world.workspace("api");
    api.write("API-T-0001", "Mine.");
    name_the_branch(&api, &api.sync_stops(stop));
    api.goes_through();
}

pub fn the_cache_cannot_be_used(stop: Stop) {
    let world = World::new();
    let api = world.workspace("api");
    api.write("API-T-0001", "Mine.");
    fs::write(api.home.join("a-file"), "No folder.").unwrap();
    let with = |cache: &str| {
        let mut sync = api.sync_command(&[]);
        sync.env("XDG_CACHE_HOME", api.home.join(cache));
        run(sync)
    };
    let stopped = Stopped::of(&with("a-file"), stop);
    stopped.advises("let XDG_CACHE_HOME name another one");
    assert_eq!(with("a-folder").code, Some(0));
}

/// `binding::there_is_no_place_for_state` comes to this one on its way.
pub fn there_is_no_place_for_the_cache(stop: Stop) {
    let world = World::new();
    let api = world.workspace("api");
    let with = |cache: Option<&str>| {
        let mut sync = api.sync_command(&[]);
        sync.env("HOME", "nowhere").env("XDG_STATE_HOME", api.dir.join("state"));
        sync.envs(cache.map(|cache| ("XDG_CACHE_HOME", cache)));
        run(sync)
    };
    Stopped::of(&with(None), stop).advises("Set XDG_CACHE_HOME to a folder of your own");
    assert_eq!(with(Some(&api.dir.join("cache").display().to_string())).code, Some(0));
}

/// The root folder of central's newest commit has an entry that git would not write, and reads.
pub fn an_object_makes_no_sense(stop: Stop) {
    let world = World::new();
    let api = one(&world);
    api.edit("API-T-0001", "More.");
    let central = &world.central;
    let good = central.tip().unwrap();
    let bad = api.types(&format!(
        "cd {} && git cat-file tree main^{{tree}} | sed 's/100644 README/000100644 README/' |
         git hash-object -t tree --literally -w --stdin",
        central.dir.display()
    ));
    let bad = bad.trim();
    let commit = central.git(&["commit-tree", "-p", &good, "-m", "a tool of its own", bad]);
    central.git(&["update-ref", "refs/heads/main", commit.trim()]);
    let stopped = api.sync_stops(stop);
    assert!(stopped.message.contains(bad), "{stopped:?}");
    api.asks(&["doctor", "--fix"]);
    api.sync_stops(stop);
    let said = fsck(&world, &api, &stopped);
    assert!(said.contains(bad), "{said}");
    central.git(&["update-ref", "refs/heads/main", &good]);
    api.goes_through();
}

/// An object is missing there.
pub fn its_objects_are_not_complete(stop: Stop) {
    let world = World::new();
    another(&world);
    let central = &world.central;
    let id = central.git(&["rev-parse", "main:web/WEB-T-0001.md"]);
    let (folder, file) = id.trim().split_at(2);
    let object = central.dir.join("objects").join(folder).join(file);
    let aside = object.with_extension("aside");
    fs::rename(&object, &aside).unwrap();
    let api = world.workspace("api");
    api.write("API-T-0001", "Mine.");
    let said = fsck(&world, &api, &api.sync_stops(stop));
    assert!(said.contains(id.trim()), "{said}");
    fs::rename(aside, object).unwrap();
    api.goes_through();
}

/// A commit with a message of more than 64 MiB.
pub fn an_object_is_too_large(stop: Stop) {
    let world = World::new();
    let api = one(&world);
    let central = &world.central;
    let good = central.tip().unwrap();
    let message = api.home.join("message");
    fs::write(&message, "much to say\n".repeat(6_000_000)).unwrap();
    let tree = central.git(&["rev-parse", "main^{tree}"]);
    let message = message.display().to_string();
    let large = central.git(&["commit-tree", "-p", &good, "-F", &message, tree.trim()]);
    central.git(&["update-ref", "refs/heads/main", large.trim()]);
    let stopped = api.sync_stops(stop);
    stopped.advises("Have that removed from central");
    central.git(&["update-ref", "refs/heads/main", &good]);
    api.goes_through();
}

/// In the place of the folder, and of a document in it.
pub fn a_file_is_where_the_folder_should_be(stop: Stop) {
    for obstacle in ["api", "api/API-T-0001.md/file"] {
        let world = World::new();
        let api = world.workspace("api");
        api.write("API-T-0001", "Mine.");
        let good = world.central.tip().unwrap();
        world.central.land(obstacle, "In the way.");
        let stopped = api.sync_stops(stop);
        stopped.advises("moved away in central");
        world.central.git(&["update-ref", "refs/heads/main", &good]);
        api.goes_through();
    }
}
