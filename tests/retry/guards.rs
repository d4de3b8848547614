//! Every way in which a workspace can look empty without being it: none of them empties central.

mod damaged;

use std::{fs, path::PathBuf};

use crate::support::{process::run, report::Report, workspace::Workspace, world::World};

/// A workspace of ten documents that has synced, beside one that it hydrates.
fn ten(world: &World) -> Workspace {
    let web = world.workspace("web");
    web.write("WEB-T-0001", "Somebody else's.");
    web.sync().report();
    let api = world.workspace("api");
    api.write("API-V-0001", "The vision.");
    api.write("API-I-0001", "The initiative.");
    for number in 1..=8 {
        api.write(&format!("API-T-{number:04}"), "As it was.");
    }
    api.sync().report();
    assert_eq!(world.central.folder("api").len(), 10);
    api
}

/// Paths of the own documents.
fn files(api: &Workspace) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![api.metis()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            if path.is_dir() && name != "web" && !name.starts_with('.') {
                folders.push(path);
            } else if name.ends_with(".md") {
                files.push(path);
            }
        }
    }
    assert_eq!(files.len(), 10);
    files
}

/// After `damage`, no sync takes anything out of central, not even one that may; and what is put right again syncs.
#[track_caller]
fn nothing_is_lost(world: &World, api: &Workspace, damage: impl FnOnce()) -> Report {
    let before = (world.central.folder("api"), world.central.tip());
    damage();
    let report = api.sync().report();
    assert_eq!((report.removed.len(), &report.commit), (0, &None));
    for options in [["--allow-deletes"], ["--force"]] {
        api.sync_with(&options).report();
        assert!(
            before == (world.central.folder("api"), world.central.tip()),
            "{options:?} lost documents"
        );
    }
    report
}

/// The sync ends with an error, and central is as before, whatever is allowed.
#[track_caller]
fn is_an_error(world: &World, api: &Workspace, exit: i32, damage: impl FnOnce()) {
    let tip = world.central.tip();
    damage();
    for options in [&[][..], &["--allow-deletes"], &["--force", "--allow-deletes"]] {
        api.sync_with(options).failure(exit);
        assert_eq!(world.central.tip(), tip);
    }
}

#[test]
fn a_missing_metis_folder_is_an_error() {
    let world = World::new();
    let api = ten(&world);
    is_an_error(&world, &api, 1, || fs::remove_dir_all(api.metis()).unwrap());
}

/// As when the disk that it lies on is not mounted.
#[test]
fn an_empty_metis_folder_syncs_nothing() {
    let world = World::new();
    let api = ten(&world);
    let tip = world.central.tip();
    fs::remove_dir_all(api.metis()).unwrap();
    fs::create_dir(api.metis()).unwrap();
    for options in [&[][..], &["--allow-deletes"], &["--force", "--allow-deletes"]] {
        let ended = api.sync_with(options);
        if ended.0.code == Some(0) {
            assert_eq!(ended.report().outcome, "not-configured");
        }
        assert_eq!(world.central.tip(), tip);
    }
}

/// Another branch has the configuration but none of the documents: that is a deletion, and needs to be said.
#[test]
fn a_checkout_without_documents_stops() {
    let world = World::new();
    let api = ten(&world);
    let git = |args: &[&str]| {
        let mut command = api.program("git");
        command
            .args(["-c", "user.name=A", "-c", "user.email=a@example.org"])
            .args(args);
        run(command).success();
    };
    git(&["init", "--quiet", "--initial-branch=main"]);
    git(&["add", ".metis/config.toml", ".metis/.gitignore"]);
    git(&["commit", "--quiet", "-m", "Configuration"]);
    git(&["branch", "empty"]);
    git(&["add", ".metis"]);
    git(&["commit", "--quiet", "-m", "Documents"]);
    let tip = world.central.tip();
    git(&["stash", "--quiet", "--include-untracked"]);
    git(&["switch", "--quiet", "--force", "empty"]);
    let failure = api.sync().failure(3);
    assert_eq!(failure.kind, "deletes");
    assert!(failure.message.contains("10 of the 10"), "{failure:?}");
    assert!(failure.next.unwrap().contains("--allow-deletes"));
    api.sync_with(&["--force"]).failure(3);
    assert_eq!(world.central.tip(), tip);
    git(&["switch", "--quiet", "--force", "main"]);
    assert_eq!(api.sync().report().removed, Vec::<String>::new());
    assert_eq!(world.central.tip(), tip);
}

/// A branch from before there was a `.metis`.
#[test]
fn a_checkout_without_metis_is_an_error() {
    let world = World::new();
    let api = ten(&world);
    let away = api.dir.join("elsewhere");
    is_an_error(&world, &api, 1, || fs::rename(api.metis(), &away).unwrap());
    fs::rename(&away, api.metis()).unwrap();
    assert_eq!(api.sync().report().outcome, "up-to-date");
}

/// More than half, and the few that are left do not hide it.
#[test]
fn most_of_the_folders_missing_stops_until_it_is_allowed() {
    let world = World::new();
    let api = ten(&world);
    let tip = world.central.tip();
    fs::remove_dir_all(api.metis().join("initiatives/API-I-0001/tasks")).unwrap();
    for options in [&[][..], &["--force"], &["--dry-run"]] {
        let failure = api.sync_with(options).failure(3);
        assert!(failure.message.contains("8 of the 10"), "{failure:?}");
        assert_eq!(world.central.tip(), tip);
    }
    let report = api.sync_with(&["--allow-deletes"]).report();
    assert_eq!(report.removed.len(), 8);
    assert_eq!(
        world.central.folder("api").into_keys().collect::<Vec<_>>(),
        ["API-I-0001.md", "API-V-0001.md"]
    );
    assert_eq!(world.central.folder("web").len(), 1, "nobody else's");
}

/// Less than half, or fewer than five of many: an ordinary day.
#[test]
fn ordinary_deletes_go_through() {
    let world = World::new();
    let api = ten(&world);
    for number in 1..=5 {
        api.delete(&format!("API-T-{number:04}"));
    }
    assert_eq!(api.sync().report().removed.len(), 5);
    world.assert_converged(&[api]);
}

/// The last document is all there is.
#[test]
fn the_only_document_is_not_removed_unasked() {
    let world = World::new();
    let api = world.workspace("api");
    api.write("API-T-0001", "The only one.");
    api.sync().report();
    api.delete("API-T-0001");
    api.sync().failure(3);
    assert_eq!(api.sync_with(&["--allow-deletes"]).report().removed, ["API-T-0001"]);
    assert!(world.central.folder("api").is_empty());
}

/// The guard is asked again by a retry: what went while we were overtaken counts.
#[test]
fn what_goes_between_two_attempts_is_guarded_too() {
    let world = World::new();
    let api = ten(&world);
    api.edit("API-T-0001", "A change.");
    let landing = world
        .central
        .landing("busy/BUSY-T-0001.md", "No document, but a commit.");
    let script = format!(
        "{} && rm -r {}",
        crate::support::process::as_shell(&landing),
        api.metis().join("initiatives").display()
    );
    world.points.script(crate::support::point::Point::BeforePush, &script);
    let failure = api.sync().failure(3);
    assert_eq!(failure.kind, "deletes");
    assert_eq!(world.central.folder("api").len(), 10);
}
