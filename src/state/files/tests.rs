//! The folder of state, and what is written to it.

use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
};

use serde::{Deserialize, Serialize};

use super::*;

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Seen {
    schema: u32,
    branch: String,
    #[serde(default)]
    pushes: u32,
}

fn seen() -> Seen {
    Seen {
        schema: 1,
        branch: "main".into(),
        pushes: 3,
    }
}

fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn what_is_stored_is_loaded_and_nothing_else_is_left() {
    let dot_metis = tempfile::tempdir().unwrap();
    assert!(StateDir::open(dot_metis.path()).unwrap().is_none());
    let dir = StateDir::create(dot_metis.path()).unwrap();
    assert_eq!(dir.load::<Seen>("seen.json", 1).unwrap(), None);

    dir.store("seen.json", &seen()).unwrap();
    dir.store("seen.json", &seen()).unwrap();

    assert_eq!(dir.load("seen.json", 1).unwrap(), Some(seen()));
    assert_eq!(names(dir.path()), [".gitignore", "seen.json"]);
    assert_eq!(fs::read_to_string(dir.path().join(".gitignore")).unwrap(), "*\n");
    dir.remove("seen.json").unwrap();
    dir.remove("seen.json").unwrap();
    assert_eq!(names(dir.path()), [".gitignore"]);
}

#[test]
fn a_users_gitignore_stays() {
    let dot_metis = tempfile::tempdir().unwrap();
    fs::create_dir(dot_metis.path().join(FOLDER)).unwrap();
    fs::write(dot_metis.path().join(".sync/.gitignore"), "mine").unwrap();
    StateDir::create(dot_metis.path()).unwrap();
    assert_eq!(
        fs::read_to_string(dot_metis.path().join(".sync/.gitignore")).unwrap(),
        "mine"
    );
}

#[test]
fn an_older_format_is_read_and_a_newer_one_refused() {
    let dot_metis = tempfile::tempdir().unwrap();
    let dir = StateDir::create(dot_metis.path()).unwrap();
    fs::write(dir.path().join("seen.json"), r#"{"schema": 1, "branch": "main"}"#).unwrap();
    assert_eq!(dir.load::<Seen>("seen.json", 2).unwrap().unwrap().pushes, 0);
    dir.store("seen.json", &Seen { schema: 3, ..seen() }).unwrap();
    let error = dir.load::<Seen>("seen.json", 2).unwrap_err();
    assert!(
        matches!(
            error,
            StateError::OtherSchema {
                found: 3,
                newest: 2,
                ..
            }
        ),
        "{error}"
    );
}

#[test]
fn damage_is_told_from_absence() {
    let dot_metis = tempfile::tempdir().unwrap();
    let dir = StateDir::create(dot_metis.path()).unwrap();
    for bytes in ["", "{", "[]", "{\"branch\": \"main\"}", "{\"schema\": 1}", "\0\0\0\0"] {
        fs::write(dir.path().join("seen.json"), bytes).unwrap();
        let error = dir.load::<Seen>("seen.json", 1).unwrap_err();
        assert!(matches!(error, StateError::Corrupt { .. }), "{bytes:?}: {error}");
        assert!(error.to_string().contains("seen.json"));
    }
}

#[test]
fn symlinks_are_not_followed() {
    let dot_metis = tempfile::tempdir().unwrap();
    let outside = tempfile::tempdir().unwrap();
    symlink(outside.path(), dot_metis.path().join(FOLDER)).unwrap();
    let refused = |result: Result<_, StateError>| matches!(result, Err(StateError::NotAFolder { .. }));
    assert!(refused(StateDir::create(dot_metis.path()).map(drop)));
    assert!(refused(StateDir::open(dot_metis.path()).map(drop)));
    assert!(names(outside.path()).is_empty());
    fs::remove_file(dot_metis.path().join(FOLDER)).unwrap();
    fs::write(dot_metis.path().join(FOLDER), "a file").unwrap();
    assert!(refused(StateDir::create(dot_metis.path()).map(drop)));
    fs::remove_file(dot_metis.path().join(FOLDER)).unwrap();

    let dir = StateDir::create(dot_metis.path()).unwrap();
    let precious = outside.path().join("precious");
    fs::write(&precious, "{\"schema\": 1, \"branch\": \"x\"}").unwrap();
    symlink(&precious, dir.path().join("seen.json")).unwrap();
    assert!(dir.load::<Seen>("seen.json", 1).is_err());
    dir.store("seen.json", &seen()).unwrap();
    assert!(
        fs::read_to_string(&precious).unwrap().contains("\"x\""),
        "the symlink was replaced, not its target"
    );
    assert_eq!(dir.load("seen.json", 1).unwrap(), Some(seen()));
}

#[test]
fn a_failed_write_leaves_the_old_file_and_no_other() {
    let dot_metis = tempfile::tempdir().unwrap();
    let dir = StateDir::create(dot_metis.path()).unwrap();
    fs::create_dir_all(dir.path().join("seen.json/full")).unwrap();
    assert!(dir.store("seen.json", &seen()).is_err());
    assert_eq!(names(dir.path()), [".gitignore", "seen.json"]);
    assert!(dir.store("seen.json", &"no struct").is_err());
    for name in ["", "..", "a/b", "a\0b"] {
        assert!(dir.store(name, &seen()).is_err(), "{name:?}");
    }
}

/// Whoever opened a lock while the folder was open to others may hold it for ever.
#[test]
fn what_others_may_have_open_is_made_anew() {
    let dot_metis = tempfile::tempdir().unwrap();
    let path = StateDir::create(dot_metis.path()).unwrap().path().to_owned();
    let mode = |mode: u32| fs::Permissions::from_mode(mode);
    for (name, open_to) in [
        ("lock", 0o644),
        ("hook-running.lock", 0o644),
        ("journal.jsonl", 0o644),
        ("last.json", 0o666),
        ("records.db", 0o666),
    ] {
        fs::write(path.join(name), name).unwrap();
        fs::set_permissions(path.join(name), mode(open_to)).unwrap();
    }
    let held = File::open(path.join("lock")).unwrap();
    held.lock().unwrap();
    let look = || -> Vec<(String, u64, String)> {
        let inode = |name: &String| fs::metadata(path.join(name)).unwrap().ino();
        let text = |name: &String| fs::read_to_string(path.join(name)).unwrap();
        names(&path)
            .into_iter()
            .map(|name| (name.clone(), inode(&name), text(&name)))
            .collect()
    };
    let before = look();

    // Nobody else could open anything: all stays.
    drop(StateDir::create(dot_metis.path()).unwrap());
    assert_eq!(look(), before);

    fs::set_permissions(&path, mode(0o755)).unwrap();
    drop(StateDir::create(dot_metis.path()).unwrap());
    let after = look();
    let changed = |one: &(&(String, u64, String), &(String, u64, String))| one.0.1 != one.1.1;
    let anew: Vec<(&str, &str)> = before
        .iter()
        .zip(&after)
        .filter(changed)
        .map(|(_, after)| (after.0.as_str(), after.2.as_str()))
        .collect();
    assert_eq!(
        anew,
        [
            ("hook-running.lock", "hook-running.lock"),
            ("last.json", "last.json"),
            ("lock", "")
        ],
        "what a lock says that is held is said of nobody who died"
    );
    assert!(File::open(path.join("lock")).unwrap().try_lock().is_ok());
}
