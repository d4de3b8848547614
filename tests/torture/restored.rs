//! State of this very clone that was put back: from a backup, or by a pull of what was pushed by mistake once.

use std::{fs, os::unix::fs::MetadataExt, path::PathBuf};

use crate::{
    scenarios::project::Project,
    support::{
        document::document,
        workspace::{Remote, Workspace},
        world::World,
    },
};

const CODE: &str = "API-T-0001";

/// Where the number of the last cursor is noted.
fn serials(api: &Workspace) -> PathBuf {
    let guards = match api.dir.join(".git").is_dir() {
        true => api.dir.join(".git/metis-sync"),
        false => api.home.join(".local/state/git-metis-sync"),
    };
    let guard = fs::read_dir(guards).expect("it synced").next().expect("a guard");
    guard.expect("readable").path().join("serials.json")
}

/// A cursor that is older than the last one leads to nothing that a copy's would not: what central had before is older,
/// whatever that cursor says, and is not brought back.
#[test]
fn an_older_cursor_of_this_clone() {
    let world = World::new();
    let api = world.workspace("api");
    let write = |title: &str| api.write_at(api.place_of(CODE), CODE, document(CODE, title, "The same."));
    let cursor = api.metis().join(".sync/cursor.json");
    let mut cursors = Vec::new();
    for title in ["Zero", "One", "Two", "One"] {
        write(title);
        assert_eq!(api.sync().report().pushed, [CODE]);
        cursors.push(fs::read(&cursor).expect("it synced"));
    }
    write("Zero");
    fs::write(&cursor, &cursors[1]).expect("temp folder is writable");
    let report = api.sync().report();
    assert_eq!((report.pushed.len(), report.behind.len()), (0, 1), "{report:?}");
    let central = String::from_utf8_lossy(&world.central.folder("api")["API-T-0001.md"]).into_owned();
    assert!(central.contains("One"), "{central}");

    // Once it has synced, it knows where it is again.
    write("Three");
    let report = api.sync().report();
    assert_eq!(
        (report.pushed.as_slice(), report.warnings.len()),
        (&[CODE.to_owned()][..], 0)
    );
    // Its last one is its own: going back on purpose is an edit like any other.
    write("Zero");
    assert_eq!(api.sync().report().pushed, [CODE]);
}

/// Whoever was killed after writing a cursor and before noting its number goes on as if nothing had happened; a sync that
/// changes nothing notes nothing.
#[test]
fn killed_before_the_number_was_noted() {
    for repository in [true, false] {
        let world = World::new();
        let api = world.workspace_on("api", &Remote { ..world.local() });
        api.write(CODE, "First.");
        let project = repository.then(|| Project::around(&world, &api));
        api.sync().report();
        let noted = serials(&api);
        let before = fs::read(&noted).expect("it synced");
        api.edit(CODE, "Second.");
        assert_eq!(api.sync().report().pushed, [CODE]);
        assert_ne!(fs::read(&noted).expect("it synced"), before);
        fs::write(&noted, &before).expect("it is ours");
        let inode = || fs::metadata(&noted).expect("it is there").ino();
        let (first, warnings) = (inode(), api.sync().report().warnings);
        assert_eq!((inode(), warnings), (first, vec![]));
        api.edit(CODE, "Third.");
        let report = api.sync().report();
        assert_eq!(
            (report.pushed.len(), report.behind.len(), report.warnings.len()),
            (1, 0, 0)
        );
        // A note that was lost, or damaged, makes nothing older than it is.
        for damage in [None, Some("{")] {
            match damage {
                None => fs::remove_file(&noted).expect("it is there"),
                Some(text) => fs::write(&noted, text).expect("it is ours"),
            }
            api.edit(CODE, "More.");
            assert_eq!(api.sync().report().pushed, [CODE]);
        }
        drop(project);
    }
}
