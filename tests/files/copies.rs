//! Copies of other workspaces: not for writing, seen where somebody wrote in them, and never lost with their workspace.

use std::{fs, os::unix::fs::PermissionsExt};

use super::{git, synced};
use crate::support::{workspace::Workspace, world::World};

fn mode(workspace: &Workspace, path: &str) -> u32 {
    let metadata = fs::metadata(workspace.metis().join(path)).unwrap();
    metadata.permissions().mode() & 0o777
}

#[test]
fn copies_are_not_for_writing_and_an_edit_of_one_is_seen() {
    let world = World::new();
    let web = synced(&world, "web");
    web.write("WEB-T-0002", "First.");
    web.sync().report();
    let api = synced(&world, "api");
    assert_eq!(mode(&api, "web/WEB-T-0001.md"), 0o444);
    assert_eq!(mode(&api, "web/.hydrated"), 0o644);
    assert_eq!(mode(&api, "web") & 0o700, 0o700);
    let said = |args: &[&str]| {
        let finished = api.run(args);
        String::from_utf8(finished.stdout).unwrap()
    };
    assert!(!said(&["status"]).contains("edited here"));

    api.put("web/WEB-T-0001.md", "mine");
    assert_eq!(
        api.sync().report().outcome,
        "up-to-date",
        "a no-op looks into no folder"
    );
    let status = said(&["status"]);
    assert!(
        status.contains("edited here") && status.contains("WEB-T-0001"),
        "{status}"
    );
    assert!(!status.contains("WEB-T-0002"), "{status}");

    // Another document of the folder changes: the edit is put right with it.
    web.edit("WEB-T-0002", "Second.");
    web.sync().report();
    let report = api.sync().report();
    assert_eq!(report.kept.len(), 1, "{:?}", report.kept);
    assert!(
        report.kept[0].ends_with("web/WEB-T-0001.md.kept"),
        "no document for the Metis tools: {:?}",
        report.kept
    );
    assert_eq!(fs::read(api.metis().join(&report.kept[0])).unwrap(), b"mine");
    assert_eq!(api.hydrated("web"), web.documents());
    assert_eq!(mode(&api, "web/WEB-T-0001.md"), 0o444);
    assert!(!said(&["status"]).contains("edited here"));
    assert_eq!(world.central.folder("api").len(), 1, "nothing of it reached central");
}

#[test]
fn copies_of_a_workspace_that_a_new_central_lacks_are_moved_aside() {
    let world = World::new();
    let web = synced(&world, "web");
    let api = synced(&world, "api");
    fs::remove_dir_all(&world.central.dir).unwrap();
    fs::create_dir(&world.central.dir).unwrap();
    world
        .central
        .git(&["init", "--quiet", "--bare", "--initial-branch=main"]);
    assert_eq!(api.sync().failure(3).kind, "rewound");
    assert_eq!(api.hydrated("web"), web.documents());

    let report = api.sync_with(&["--adopt-central"]).report();
    let moved = report
        .warnings
        .iter()
        .find(|warning| warning.contains("web/ is not in this central"));
    let moved = moved.unwrap_or_else(|| panic!("{:?}", report.warnings));
    let folder = moved.split(".metis/").nth(1).unwrap().trim_end_matches('/');
    let kept = api.metis().join(folder).join("WEB-T-0001.md.kept");
    assert_eq!(fs::read(kept).unwrap(), web.documents()["WEB-T-0001.md"]);
    assert!(!api.metis().join("web").exists());
    assert_eq!(world.central.folder("api"), api.documents());
    api.run(&["verify"]).success();
    assert_eq!(api.sync().report().outcome, "up-to-date");
}

#[test]
fn copies_of_a_workspace_that_left_go_with_it() {
    let world = World::new();
    synced(&world, "web");
    let api = synced(&world, "api");
    let clone = world.clone_central();
    git_in(&api, &clone, &["rm", "--quiet", "-r", "web"]);
    git_in(&api, &clone, &["commit", "--quiet", "--message", "web is retired"]);
    git_in(&api, &clone, &["push", "--quiet", "origin", "HEAD:main"]);
    let report = api.sync().report();
    assert_eq!(report.pulled["web"].removed, 1);
    assert_eq!(report.warnings, Vec::<String>::new());
    assert!(!api.metis().join("web").exists() && !api.metis().join(".sync/kept").exists());
}

fn git_in(workspace: &Workspace, dir: &std::path::Path, args: &[&str]) {
    let at = ["-C", dir.to_str().unwrap()];
    git(workspace, &[&at[..], args].concat());
}
