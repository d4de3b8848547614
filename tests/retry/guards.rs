//! Every way in which a workspace can look empty without being it: none of them empties central.

use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
};

use crate::support::{
    process::run,
    report::{Ended, Report},
    workspace::Workspace,
    world::World,
};

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

/// Root reads everything: what is unreadable to everybody is a folder, or a disk that fails.
#[test]
fn unreadable_documents_stay_in_central() {
    let world = World::new();
    let api = ten(&world);
    let report = nothing_is_lost(&world, &api, || {
        for file in files(&api) {
            fs::remove_file(&file).unwrap();
            fs::create_dir(&file).unwrap();
        }
    });
    assert_eq!(report.warnings.len(), 10, "{report:?}");

    if rustix::process::geteuid().is_root() {
        return;
    }
    let world = World::new();
    let api = ten(&world);
    nothing_is_lost(&world, &api, || {
        for file in files(&api) {
            fs::set_permissions(file, fs::Permissions::from_mode(0o000)).unwrap();
        }
    });
}

/// One bad template, one careless script: every frontmatter is damaged alike.
#[test]
fn damaged_frontmatter_everywhere_stays_in_central() {
    type Damage = fn(&str) -> String;
    let damages: [(&str, Damage); 7] = [
        ("not closed", |text| text.replacen("\n---\n", "\n", 1)),
        ("no code", |text| {
            text.lines()
                .filter(|line| !line.starts_with("short_code"))
                .map(|line| format!("{line}\n"))
                .collect()
        }),
        ("an empty code", |text| {
            text.replace("short_code: \"", "short_code: \"\" # \"")
        }),
        ("a template's code", |text| {
            let line = text
                .lines()
                .find(|line| line.starts_with("short_code"))
                .unwrap()
                .to_owned();
            text.replace(&line, "short_code: \"{{ short_code }}\"")
        }),
        ("no YAML", |text| text.replacen("level:", "level: [", 1)),
        ("no frontmatter", |text| text.rsplit("---\n").next().unwrap().to_owned()),
        ("truncated", |_| String::new()),
    ];
    for (name, damage) in damages {
        let world = World::new();
        let api = ten(&world);
        let report = nothing_is_lost(&world, &api, || {
            for file in files(&api) {
                fs::write(&file, damage(&fs::read_to_string(&file).unwrap())).unwrap();
            }
        });
        assert!(report.warnings.len() >= 10, "{name}: {report:?}");
    }
}

/// In all documents the same code: none of them is it for certain.
#[test]
fn one_code_in_all_documents_stays_in_central() {
    let world = World::new();
    let api = ten(&world);
    let report = nothing_is_lost(&world, &api, || {
        for file in files(&api) {
            let text = fs::read_to_string(&file).unwrap();
            let line = text
                .lines()
                .find(|line| line.starts_with("short_code"))
                .unwrap()
                .to_owned();
            fs::write(&file, text.replace(&line, "short_code: \"API-T-0001\"")).unwrap();
        }
    });
    assert!(report.warnings.len() >= 10, "{report:?}");
}

/// Two documents with one code: reported by path, neither is pushed.
#[test]
fn two_documents_with_one_code_push_neither() {
    let world = World::new();
    let api = ten(&world);
    let report = nothing_is_lost(&world, &api, || {
        let text = crate::support::document::document("API-T-0001", "A copy", "Changed in the copy.");
        api.put("backlog/features/copy.md", text);
    });
    let named = |path: &str| report.warnings.iter().any(|warning| warning.contains(path));
    assert!(
        named("backlog/features/copy.md") && named("API-T-0001.md"),
        "{report:?}"
    );
}

/// Another tool keeps the documents elsewhere and leaves links: a link is never followed, nor taken for a deletion.
#[test]
fn documents_behind_links_stay_in_central() {
    let world = World::new();
    let api = ten(&world);
    nothing_is_lost(&world, &api, || {
        let store = api.dir.join("store");
        fs::create_dir(&store).unwrap();
        for (number, file) in files(&api).into_iter().enumerate() {
            let there = store.join(number.to_string());
            fs::rename(&file, &there).unwrap();
            symlink(&there, &file).unwrap();
        }
    });

    let world = World::new();
    let api = ten(&world);
    nothing_is_lost(&world, &api, || {
        for folder in ["initiatives", "vision.md"].map(|name| api.metis().join(name)) {
            let there = api
                .dir
                .join(format!("moved-{}", folder.file_name().unwrap().to_str().unwrap()));
            fs::rename(&folder, &there).unwrap();
            symlink(&there, &folder).unwrap();
        }
    });
}

/// Somebody tidies up and moves own documents into a folder that hydration owns.
#[test]
fn documents_moved_into_a_hydrated_folder_are_not_lost() {
    let world = World::new();
    let api = ten(&world);
    let before = world.central.folder("api");
    let mine = api.documents();
    let web = api.metis().join("web");
    for file in files(&api) {
        let name = match file.file_name().unwrap().to_str().unwrap() {
            "vision.md" => "API-V-0001.md".to_owned(),
            "initiative.md" => "API-I-0001.md".to_owned(),
            name => name.to_owned(),
        };
        fs::rename(&file, web.join(name)).unwrap();
    }
    for options in [&[][..], &["--force"]] {
        let ended: Ended = api.sync_with(options);
        assert!(matches!(ended.0.code, Some(0 | 3)), "{}", ended.0.transcript());
        assert_eq!(world.central.folder("api"), before, "{options:?}");
    }
    assert_eq!(
        world.central.folder("web").len(),
        1,
        "nor do they become somebody else's"
    );
    for (name, bytes) in mine {
        assert!(holds(&api.metis(), &bytes), "{name} is still somewhere in .metis");
    }
}

/// Whether a file below `folder` has exactly these bytes.
fn holds(folder: &Path, bytes: &[u8]) -> bool {
    fs::read_dir(folder).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => holds(&path, bytes),
            false => fs::read(&path).is_ok_and(|found| found == bytes),
        }
    })
}

/// Unreadable ones and deleted ones together: the deleted ones count by themselves, the others stay.
#[test]
fn damage_beside_deletes_is_not_counted_as_deletes() {
    let world = World::new();
    let api = ten(&world);
    for number in 1..=3 {
        api.delete(&format!("API-T-{number:04}"));
    }
    for number in 4..=8 {
        api.put(format!("initiatives/API-I-0001/tasks/API-T-{number:04}.md"), "");
    }
    assert_eq!(api.sync().report().removed, ["API-T-0001", "API-T-0002", "API-T-0003"]);
    assert_eq!(world.central.folder("api").len(), 7);
}
