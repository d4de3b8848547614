//! Documents that cannot be read, or be told for certain, are not taken for deleted.

use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::Path,
};

use super::{files, nothing_is_lost, ten};
use crate::support::{report::Ended, world::World};

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
