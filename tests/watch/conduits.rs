//! A watcher syncs the conduits that its clone enabled, and sees what changes in their folders.

use std::fs;

use super::{Watching, eventually, hasty};
use crate::{
    conduits::central::Project,
    support::{
        servers::{Access, Nginx},
        workspace::Remote,
        world::World,
    },
};

#[test]
fn a_conduits_folder_changes() {
    let world = World::new();
    let api = world.workspace("api");
    hasty(&api, "");
    for side in ["left", "right/deep"] {
        fs::create_dir_all(api.dir.join(side)).expect("temp folder is writable");
    }
    api.run(&["conduit", "add", "notes", "left", "right"]).success();
    fs::write(api.dir.join("left/a.txt"), "1").expect("temp folder is writable");
    let watching = Watching::of(&api);
    let is = |path: &str, text: &str| fs::read_to_string(api.dir.join(path)).is_ok_and(|found| found == text);
    eventually("the first sync's copy", || is("right/a.txt", "1"));
    fs::write(api.dir.join("right/deep/b"), "2").expect("temp folder is writable");
    eventually("a new file on the other side", || is("left/deep/b", "2"));
    // One that is enabled while the watcher runs is synced from its next sync on, and then seen.
    for side in ["third", "fourth"] {
        fs::create_dir(api.dir.join(side)).expect("temp folder is writable");
    }
    api.run(&["conduit", "add", "more", "third", "fourth"]).success();
    fs::write(api.dir.join("left/a.txt"), "3").expect("temp folder is writable");
    eventually("an edit", || is("right/a.txt", "3"));
    fs::write(api.dir.join("third/c"), "4").expect("temp folder is writable");
    eventually("a file of the new conduit", || is("fourth/c", "4"));
    watching.end();
}

/// What another project pushes to a conduit's branch comes by itself: where central lies here as it moves, else by asking.
#[test]
fn a_conduits_branch_moves() {
    let world = World::new();
    what_others_push_arrives(&world, &world.local());
    let world = World::new();
    if let Some(nginx) = Nginx::start(&world, Access::Open) {
        what_others_push_arrives(&world, &nginx.remote());
    }
}

fn what_others_push_arrives(world: &World, remote: &Remote) {
    let [shop, web] = ["shop", "web"].map(|prefix| Project::on(world, prefix, remote, &[]));
    hasty(&web.0, "poll_seconds = 5\n");
    let watching = Watching::of(&web.0);
    let before = world.central.git(&["rev-parse", "main"]);
    // At first there is no such branch.
    for (path, text) in [("a", "1"), ("a", "2"), ("b", "3")] {
        shop.put(path, text);
        shop.run(&["sync"], 0);
        eventually("what shop pushed", || {
            fs::read_to_string(web.folder().join(path)).is_ok_and(|found| found == text)
        });
    }
    assert_eq!(world.central.git(&["rev-parse", "main"]), before);
    watching.end();
}
