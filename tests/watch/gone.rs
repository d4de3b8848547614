//! The workspace under a watcher is deleted, moved, made anew.

use std::fs;

use super::{Watching, hasty};
use crate::support::{process::eventually, world::World};

#[test]
fn the_workspace_goes_and_comes_again() {
    let world = World::new();
    let (api, web) = (world.workspace("api"), world.workspace("web"));
    hasty(&api, "");
    api.write("API-T-0001", "Mine.");
    let watching = Watching::of(&api);
    eventually("what was there", || world.central.folder("api") == api.documents());
    let aside = api.dir.with_extension("aside");
    fs::rename(&api.dir, &aside).unwrap();
    watching.says("looked for again");
    assert_eq!(world.central.folder("api").len(), 1, "gone is not deleted");
    fs::rename(&aside, &api.dir).unwrap();
    watching.says("project: watching");
    api.edit("API-T-0001", "More.");
    eventually("an edit", || {
        web.sync().report();
        web.hydrated("api") == api.documents()
    });
    assert_eq!(watching.end(), Some(130));
}

/// The folder is moved away, and at once there is another workspace in its place.
#[test]
fn another_workspace_is_in_its_place() {
    let world = World::new();
    let (api, ops) = (world.workspace("api"), world.workspace("ops"));
    hasty(&api, "");
    api.write("API-T-0001", "Mine.");
    let _watching = Watching::of(&api);
    eventually("what was there", || world.central.folder("api") == api.documents());
    hasty(&ops, "");
    ops.write("OPS-T-0001", "Another's.");
    let aside = api.dir.with_extension("aside");
    fs::rename(&api.dir, &aside).unwrap();
    fs::rename(&ops.dir, &api.dir).unwrap();
    eventually("what is there now", || {
        world.central.folder("ops").contains_key("OPS-T-0001.md")
    });
    assert!(
        world.central.folder("api").contains_key("API-T-0001.md"),
        "moved away is not deleted"
    );
    // Its note and its lock are in the folder that is there.
    eventually("its note", || {
        fs::read_to_string(api.dir.join(".metis/.sync/watch.json")).is_ok_and(|note| note.contains("last_success\":\""))
    });
}

/// The workspace is deleted, and there is another one further up: that one was never to be watched.
#[test]
fn the_one_further_up_is_another() {
    let world = World::new();
    let outer = world.workspace("outer");
    let mut inner = world.workspace("inner").beside(&outer);
    fs::rename(&inner.dir, outer.dir.join("inner")).unwrap();
    inner.dir = outer.dir.join("inner");
    hasty(&inner, "");
    inner.write("INNER-T-0001", "Mine.");
    outer.write("OUTER-T-0001", "Not to be published by itself.");
    let config = inner.config();
    let watching = Watching::of(&inner);
    eventually("what was there", || world.central.folder("inner") == inner.documents());
    fs::remove_dir_all(inner.metis()).unwrap();
    watching.says("looked for again");
    inner.write("INNER-T-0002", "Made anew.");
    inner.put("config.toml", config);
    eventually("what was made anew", || {
        world.central.folder("inner").contains_key("INNER-T-0002.md")
    });
    assert_eq!(world.central.folder("outer").len(), 0);
}
