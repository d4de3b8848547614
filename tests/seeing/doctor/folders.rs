//! What `doctor` says of folders and of the files in them.

use std::fs;

use super::{finding, mended};
use crate::seeing::{json, second_clone, two};
use crate::support::world::World;

/// What the no-op sync deliberately does not look for.
#[test]
fn edited_missing_and_extra_files_in_a_hydrated_folder() {
    let world = World::new();
    let (api, web) = two(&world);
    api.put("web/WEB-T-0001.md", "edited here");
    fs::remove_file(api.metis().join("web/WEB-T-0002.md")).unwrap();
    api.put("web/WEB-T-0009.md", "invented here");
    api.put("web/notes.txt", "Mine.");
    assert_eq!(api.sync().report().outcome, "up-to-date");
    let done = mended(&api, "hydrated", "restore-folder");
    let mut there = api.hydrated("web");
    assert_eq!(
        there.remove("notes.txt").unwrap(),
        b"Mine.",
        "what is no document is left alone"
    );
    assert_eq!(there, web.documents());
    let message = done["message"].as_str().unwrap();
    let folder = message.split(".metis/").nth(1).unwrap().trim_end_matches('/');
    let kept = |name: &str| fs::read_to_string(api.metis().join(folder).join(name)).unwrap();
    assert_eq!(
        (kept("WEB-T-0001.md.kept"), kept("WEB-T-0009.md.kept")),
        ("edited here".into(), "invented here".into())
    );
    json(&api, &["verify"], 0);
    assert_eq!(api.sync().report().outcome, "up-to-date");
}

#[test]
fn a_hydrated_folder_that_is_gone() {
    let world = World::new();
    let (api, web) = two(&world);
    fs::remove_dir_all(api.metis().join("web")).unwrap();
    mended(&api, "hydrated", "restore-folder");
    assert_eq!(api.hydrated("web"), web.documents());
}

/// The marker is lost, as after a careless `git clean`.
#[test]
fn a_lost_marker_comes_back_only_where_the_content_is_right() {
    let world = World::new();
    let (api, web) = two(&world);
    let marker = api.metis().join("web/.hydrated");
    let written = fs::read(&marker).unwrap();
    fs::remove_file(&marker).unwrap();
    mended(&api, "hydrated", "rewrite-marker");
    assert_eq!(fs::read(&marker).unwrap(), written);
    assert_eq!(api.sync().report().outcome, "up-to-date");

    fs::remove_file(&marker).unwrap();
    api.put("web/WEB-T-0001.md", "edited here");
    let found = json(&api, &["doctor", "--fix"], 1);
    let problem = finding(&found, "hydrated", "problem").unwrap();
    assert!(
        problem["repair"].is_null() && problem["advice"].as_str().unwrap().contains("move it away"),
        "{problem}"
    );
    assert!(!marker.exists());
    assert_eq!(fs::read(api.metis().join("web/WEB-T-0001.md")).unwrap(), b"edited here");

    // Another tool says that it is a copy.
    api.put(".gitignore", "# Hydrated remote workspaces\nweb/\n");
    mended(&api, "hydrated", "restore-folder");
    assert_eq!(api.hydrated("web"), web.documents());
}

/// A folder that somebody brought back from a backup, marker and all: right in itself, and not what the last sync left.
#[test]
fn an_older_copy_of_a_folder() {
    let world = World::new();
    let (api, web) = two(&world);
    let saved: Vec<_> = [".hydrated", "WEB-T-0001.md", "WEB-T-0002.md"]
        .map(|name| (name, fs::read(api.metis().join("web").join(name)).unwrap()))
        .into();
    web.edit("WEB-T-0001", "More.");
    web.sync().report();
    api.sync().report();
    for (name, bytes) in saved {
        api.put(format!("web/{name}"), bytes);
    }
    mended(&api, "hydrated", "restore-folder");
    assert_eq!(api.hydrated("web"), web.documents());
    drop(second_clone(&world));
}

#[test]
fn files_that_stay_behind_when_their_document_travels_are_named() {
    let world = World::new();
    let (api, web) = two(&world);
    fs::create_dir_all(api.dir.join("docs/pictures")).unwrap();
    fs::write(api.dir.join("docs/pictures/flow chart.png"), "png").unwrap();
    fs::write(api.metis().join("notes.txt"), "notes").unwrap();
    let links =
        "![flow](../docs/pictures/flow%20chart.png) [notes](notes.txt) [nowhere](gone.txt) [next](API-T-0002.md)";
    api.put(
        "API-T-0009.md",
        format!("---\nlevel: task\ntitle: Next\nshort_code: API-T-0009\n---\n\n{links}\n"),
    );
    let found = json(&api, &["doctor"], 0);
    let links = finding(&found, "links", "note").unwrap_or_else(|| panic!("{found:#}"));
    assert_eq!(
        links["message"],
        "1 own document links to files that others will not have: API-T-0009 (.metis/notes.txt, docs/pictures/flow chart.png)"
    );
    assert!(links["advice"].as_str().unwrap().contains("conduit add"), "{links}");
    assert_eq!(finding(&json(&web, &["doctor"], 0), "links", "note"), None);
}
