//! Files change, and others have them.

use std::fs;

use super::{Watching, hasty, noted};
use crate::support::{process::eventually, world::World};

#[test]
fn an_edit_is_seen_in_another_workspace() {
    let world = World::new();
    let (api, web) = (world.workspace("api"), world.workspace("web"));
    hasty(&api, "");
    hasty(&web, "");
    api.write("API-T-0001", "First.");
    let _api = Watching::of(&api);
    let _web = Watching::of(&web);
    let there = || web.hydrated("api") == api.documents();
    eventually("what was there", there);

    api.edit("API-T-0001", "In place.");
    eventually("an edit", there);
    // As editors save: written beside it and renamed over it.
    let path = api.metis().join(api.place_of("API-T-0001"));
    let text = fs::read_to_string(&path).unwrap() + "\nSaved.\n";
    fs::write(path.with_extension("md~"), text).unwrap();
    fs::rename(path.with_extension("md~"), &path).unwrap();
    eventually("a save", there);
    // A new folder, with a file in it at once.
    api.write_at(
        "backlog/deep/er/API-T-0002.md",
        "API-T-0002",
        crate::support::document::document("API-T-0002", "New", "Deep."),
    );
    eventually("a new folder", there);
    fs::rename(api.metis().join("backlog"), api.metis().join("moved")).unwrap();
    fs::create_dir_all(api.metis().join("backlog/again")).unwrap();
    fs::rename(
        api.metis().join("moved/deep/er/API-T-0002.md"),
        api.metis().join("backlog/again/API-T-0002.md"),
    )
    .unwrap();
    api.write_at(
        "backlog/again/API-T-0003.md",
        "API-T-0003",
        crate::support::document::document("API-T-0003", "New", "Made anew."),
    );
    eventually("a folder made anew", || {
        web.hydrated("api").contains_key("API-T-0003.md")
    });
    fs::remove_file(api.metis().join("backlog/again/API-T-0003.md")).unwrap();
    eventually("a removal", || !web.hydrated("api").contains_key("API-T-0003.md"));
}

#[test]
fn central_moves_elsewhere() {
    let world = World::new();
    let (api, web) = (world.workspace("api"), world.workspace("web"));
    let watching = Watching::of(&api);
    web.write("WEB-T-0001", "Theirs.");
    web.sync().report();
    eventually("theirs", || api.hydrated("web") == web.documents());
    watching.says("project: pulled 1 (web)");
    assert_eq!(watching.end(), Some(130));
    let said = api.run(&["watch", "--status"]).success();
    assert!(said.contains("not watched"), "{said}");
}

/// What is configured counts from the moment it is saved.
#[test]
fn the_configuration_changes() {
    let world = World::new();
    let api = world.workspace("api");
    hasty(&api, "push = false\n");
    let watching = Watching::of(&api);
    api.write("API-T-0001", "Mine.");
    let config = api.config();
    api.put("config.toml", "[sync\n");
    watching.says("config.toml");
    assert_eq!(world.central.folder("api").len(), 0);
    api.put("config.toml", config.replace("push = false", "push = true"));
    eventually("what is to be pushed from then on", || {
        world.central.folder("api") == api.documents()
    });
    watching.says("pushed 1");
}

/// Twelve hundred files at once are one sync or a few, not hundreds.
#[test]
fn many_files_at_once() {
    let world = World::new();
    let (api, web) = (world.workspace("api"), world.workspace("web"));
    hasty(&api, "");
    let _api = Watching::of(&api);
    for number in 1..=1200 {
        api.write(&format!("API-T-{number:04}"), "One of many.");
    }
    let commits = || {
        world
            .central
            .git(&["rev-list", "--count", "main"])
            .trim()
            .parse::<u32>()
            .unwrap()
    };
    eventually("all of them", || {
        web.sync().report();
        web.hydrated("api").len() == 1200
    });
    assert!(commits() < 100, "{}", commits());
}

#[test]
fn nothing_is_pushed_where_that_is_not_wanted() {
    let world = World::new();
    let (api, web) = (world.workspace("api"), world.workspace("web"));
    hasty(&api, "push = false\n");
    let _api = Watching::of(&api);
    api.write("API-T-0001", "Mine.");
    web.write("WEB-T-0001", "Theirs.");
    web.sync().report();
    eventually("theirs", || api.hydrated("web") == web.documents());
    assert_eq!(world.central.folder("api").len(), 0);
}

/// One watcher per workspace; the second one says who the first is.
#[test]
fn a_second_watcher() {
    let world = World::new();
    let api = world.workspace("api");
    let watching = Watching::of(&api);
    let second = api.run(&["--json", "watch"]);
    assert_eq!(second.code, Some(75), "{}", second.transcript());
    assert!(
        second.stderr.contains(&format!("process {}", watching.pid())),
        "{}",
        second.stderr
    );
    assert!(
        second.stderr.contains("another watcher has this workspace"),
        "{}",
        second.stderr
    );
    let said = api.run(&["watch", "--status"]).success();
    assert!(said.contains("watched by `git metis-sync watch`"), "{said}");
    assert!(said.contains("last success: "), "{said}");
    assert_eq!(noted(&api)["events"], true);
    watching.kill();
    drop(Watching::of(&api));
}
