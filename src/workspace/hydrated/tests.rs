use std::{fs, os::unix::fs::symlink};

use super::*;
use crate::{fs::temps, names::ObjectId};

fn marker() -> Marker {
    Marker {
        central: "https://host/org/central.git".into(),
        tree: Some(ObjectId::from_bytes(&[1; 20]).unwrap()),
        applying: None,
    }
}

#[test]
fn a_marker_is_read_as_it_was_written() {
    let applying = ObjectId::from_bytes(&[2; 32]);
    for marker in [
        marker(),
        Marker { applying, ..marker() },
        Marker {
            tree: None,
            applying,
            ..marker()
        },
    ] {
        assert_eq!(Marker::from_bytes(&marker.to_bytes()), Ok(marker));
    }
    let bytes = marker().to_bytes();
    for end in 0..bytes.len() - 1 {
        let cut = Marker::from_bytes(&bytes[..end]);
        assert!(cut != Ok(marker()), "cut at {end}");
        assert!(
            cut.is_err() || cut.is_ok_and(|cut| cut.tree.is_none()),
            "half a tree is no tree"
        );
    }
    let newer = String::from_utf8(bytes).unwrap().replace("folder 1", "folder 2");
    assert_eq!(Marker::from_bytes(newer.as_bytes()), Err(MarkerError::Newer));
}

#[test]
fn only_what_is_certainly_ours_is_ours() {
    let temp = tempfile::tempdir().unwrap();
    let at = |path: &str| temp.path().join(path);
    for folder in [
        "marked",
        "torn",
        "newer",
        "empty",
        "leftover",
        "tasks",
        "linked-marker",
        "old-copy",
        "adrs",
        "Upper",
    ] {
        fs::create_dir(at(folder)).unwrap();
    }
    fs::write(at("marked/.hydrated"), marker().to_bytes()).unwrap();
    fs::write(at("torn/.hydrated"), "").unwrap();
    fs::write(at("torn/A-T-0001.md"), "").unwrap();
    fs::write(at("newer/.hydrated"), "git-metis-sync hydrated folder 7\n").unwrap();
    fs::write(at("leftover").join(temps::fresh_name()), "").unwrap();
    fs::write(at("tasks/A-T-0001.md"), "mine").unwrap();
    symlink("../marked/.hydrated", at("linked-marker/.hydrated")).unwrap();
    fs::write(at("old-copy/A-T-0001.md"), "theirs").unwrap();
    symlink("marked", at("link")).unwrap();
    fs::write(at("file"), "").unwrap();
    fs::write(
        at(".gitignore"),
        "# Hydrated remote workspaces\nold-copy/\nlong-gone/\n",
    )
    .unwrap();

    let metis = Dir::open_root(temp.path()).unwrap();
    let survey = survey(&metis, &["absent", "backlog"].map(|name| name.parse().unwrap()).into()).unwrap();
    let states: Vec<String> = survey
        .folders
        .iter()
        .map(|(prefix, state)| format!("{prefix} {}", format!("{state:?}").split(['(', ' ']).next().unwrap()))
        .collect();
    assert_eq!(
        states,
        [
            "absent Absent",
            "adrs Reserved",
            "backlog Reserved",
            "empty Adoptable",
            "file Foreign",
            "leftover Adoptable",
            "link Foreign",
            "linked-marker Foreign",
            "long-gone Absent",
            "marked Marked",
            "newer Newer",
            "old-copy Adoptable",
            "tasks Foreign",
            "torn Adoptable",
        ]
    );
    let hydrated = survey.hydrated();
    let names: Vec<&str> = hydrated.iter().map(Prefix::as_str).collect();
    assert_eq!(names, ["long-gone", "marked", "newer", "old-copy"]);
    assert_eq!(read_marker(&metis, &"marked".parse().unwrap()), Some(marker()));
    assert_eq!(read_marker(&metis, &"tasks".parse().unwrap()), None);
}
