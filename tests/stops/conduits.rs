//! Conduits that are not synced as they are.

use std::fs;

use metis_sync::sync::stop::Stop;

use super::{Person, Stopped, set};
use crate::{
    conduits::{
        Pair,
        central::{self, Project},
    },
    support::{disk::Disk, world::World},
};

const SYNC: [&str; 3] = ["conduit", "sync", "notes"];

fn pair(options: &[&str], files: &[&str]) -> Pair {
    let pair = Pair::new(options);
    for path in files {
        pair.put(path, "1");
    }
    pair
}

/// Types what the message says, and syncs.
fn ends(pair: &Pair, stopped: &Stopped, begins: &str) {
    pair.own.types(stopped.command(begins));
    pair.sync(0);
}

pub fn a_definition_breaks_a_rule(stop: Stop) {
    let pair = pair(&[], &["left/a"]);
    let good = pair.own.config();
    pair.own.put("config.toml", good.clone() + "parallel_transfers = 0\n");
    pair.own.stops(&["conduit", "list"], stop).advises("Correct it");
    pair.own.put("config.toml", good);
    pair.sync(0);
}

pub fn there_is_none_of_this_name(stop: Stop) {
    let pair = pair(&[], &["left/a"]);
    let stopped = pair.own.stops(&["conduit", "show", "nots"], stop);
    assert!(
        pair.own
            .types(stopped.command("git metis-sync conduit list"))
            .contains("notes")
    );
}

pub fn there_is_one_of_this_name(stop: Stop) {
    let pair = pair(&[], &["left/a"]);
    let add = ["conduit", "add", "notes", "right", "left"];
    let stopped = pair.own.stops(&add, stop);
    pair.own.types(stopped.command("git metis-sync conduit remove"));
    assert_eq!(pair.own.asks(&add).code, Some(0));
}

pub fn nobody_here_confirmed_it(stop: Stop) {
    let pair = pair(&[], &["left/a"]);
    let config = pair.own.config();
    pair.own
        .put("config.toml", config.replace("\"bidirectional\"", "\"selective\""));
    let stopped = pair.own.stops(&SYNC, stop);
    let shown = pair.own.types(stopped.command("git metis-sync conduit show"));
    assert!(shown.contains("selective"), "{shown}");
    ends(&pair, &stopped, "git metis-sync conduit enable");
}

pub fn a_folder_is_missing(stop: Stop) {
    let pair = pair(&[], &["left/a"]);
    pair.sync(0);
    fs::rename(pair.path("right"), pair.path("aside")).expect("it is ours");
    pair.own.stops(&SYNC, stop).advises("put it back");
    fs::rename(pair.path("aside"), pair.path("right")).expect("it is free");
    assert_eq!(pair.sync(0)["status"], "in-step");
}

/// What lies below the mount point is no part of what was synced.
pub fn a_disk_is_not_mounted(stop: Stop) {
    let pair = pair(&[], &["left/a", "left/b"]);
    let Some(disk) = Disk::small(&pair.path("right")) else {
        return;
    };
    pair.sync(0);
    drop(disk);
    pair.put("right/below", "1");
    let stopped = pair.own.stops(&SYNC, stop);
    assert_eq!(pair.texts("left"), ["a=1", "b=1"]);
    let _ = fs::remove_file(pair.path("right/below"));
    for path in ["right/a", "right/b"] {
        pair.put(path, "1");
    }
    ends(&pair, &stopped, "git metis-sync conduit sync");
    assert_eq!(pair.texts("left"), ["a=1", "b=1"]);
}

pub fn two_would_write_one_folder(stop: Stop) {
    let pair = pair(&[], &["left/a", "other/b"]);
    let add = ["conduit", "add", "more", "other", "left", "--mode", "mirror"];
    let stopped = pair.own.stops(&add, stop);
    pair.own
        .types(&stopped.filled("git metis-sync conduit remove", "NAME", "notes"));
    assert_eq!(pair.own.asks(&add).code, Some(0));
}

pub fn a_mirror_begins_with_a_full_target(stop: Stop) {
    let pair = pair(&["--mode", "mirror"], &["left/a", "right/b"]);
    let stopped = pair.own.stops(&SYNC, stop);
    ends(&pair, &stopped, "git metis-sync conduit sync");
    pair.assert_both(&["a=1"]);
}

pub fn most_files_are_gone(stop: Stop) {
    let pair = pair(&[], &["left/a", "left/b"]);
    pair.sync(0);
    pair.remove("left");
    fs::create_dir(pair.path("left")).expect("it is free");
    let stopped = pair.own.stops(&SYNC, stop);
    ends(&pair, &stopped, "git metis-sync conduit sync");
    pair.assert_both(&[]);
}

pub fn another_branch_is_checked_out(stop: Stop) {
    let world = World::new();
    let shop = Project::new(&world, "shop", &[]);
    shop.put("a", "1");
    set(&shop.0, "sync", "source = \"main\"");
    shop.0.types(
        "git init -q -b main && git add .metis/config.toml skills && git -c user.name=Ann -c user.email=ann@example.com commit -q -m \
         Plans && git checkout -q -b side",
    );
    let stopped = shop.0.stops(&["conduit", "sync", "skills"], stop);
    shop.0.types(stopped.command("git checkout"));
    shop.sync(0);
    assert_eq!(central::branch(&world), ["a=1"]);
}

pub fn there_is_no_such_generation(stop: Stop) {
    let pair = pair(&[], &["left/a"]);
    pair.sync(0);
    let stopped = pair.own.stops(&["conduit", "undo", "notes", "7"], stop);
    let listed = pair.own.types(stopped.command("git metis-sync conduit history"));
    assert!(listed.contains('1'), "{listed}");
    pair.run(&["undo", "notes", "1"], 0);
}

pub fn a_path_does_not_wait(stop: Stop) {
    let pair = pair(&[], &["left/a", "left/same"]);
    pair.put("right/a", "2");
    pair.sync(8);
    let resolve = |path| ["conduit", "resolve", "notes", path, "--take", "alpha"];
    let stopped = pair.own.stops(&resolve("same"), stop);
    let asked = pair.own.asks(&["conduit", "sync", "notes", "--dry-run"]);
    assert!(
        stopped
            .command("git metis-sync")
            .ends_with("conduit sync notes --dry-run")
    );
    assert!(
        asked.transcript().contains("created on both sides"),
        "{}",
        asked.transcript()
    );
    assert_eq!(pair.own.asks(&resolve("a")).code, Some(0));
}

pub fn the_common_version_is_gone(stop: Stop) {
    let pair = pair(&[], &["left/a"]);
    pair.sync(0);
    pair.put("left/a", "2");
    pair.put("right/a", "3");
    pair.sync(8);
    let take = ["conduit", "resolve", "notes", "a", "--take", "base"];
    let stopped = pair.own.stops(&take, stop);
    ends(&pair, &stopped, "git metis-sync conduit resolve");
    pair.assert_both(&["a=2"]);
}

pub fn the_branch_was_deleted(stop: Stop) {
    let world = World::new();
    let shop = Project::new(&world, "shop", &[]);
    shop.put("a", "1");
    shop.sync(0);
    world
        .central
        .git(&["update-ref", "-d", &format!("refs/heads/{}", central::BRANCH)]);
    let stopped = shop.0.stops(&["conduit", "sync", "skills"], stop);
    shop.0.types(stopped.command("git metis-sync conduit sync"));
    assert_eq!(central::branch(&world), ["a=1"]);
}

pub fn a_mirror_writes_the_branch(stop: Stop) {
    let world = World::new();
    let mirror = Project::new(&world, "shop", &["--mode", "mirror"]);
    mirror.put("a", "1");
    mirror.sync(0);
    let web = Project::new(&world, "web", &[]);
    web.put("b", "1");
    let stopped = web.0.stops(&["conduit", "sync", "skills"], stop);
    web.0.types(stopped.command("git metis-sync conduit sync"));
    assert_eq!(central::branch(&world), ["a=1", "b=1"]);
}

pub fn the_branch_has_too_many_files(stop: Stop) {
    let world = World::new();
    let [shop, web] = ["shop", "web"].map(|prefix| Project::new(&world, prefix, &[]));
    for path in ["a", "b", "c"] {
        shop.put(path, "1");
    }
    shop.sync(0);
    let config = web.0.config();
    web.0
        .put("config.toml", config.clone() + "[sync.limits]\nentries = 2\n");
    let sync = ["conduit", "sync", "skills"];
    web.0.stops(&sync, stop).advises("Raise sync.limits.entries");
    web.0.put("config.toml", config + "[sync.limits]\nentries = 3\n");
    assert_eq!(web.0.asks(&sync).code, Some(0));
    assert_eq!(web.texts(), ["a=1", "b=1", "c=1"]);
}
