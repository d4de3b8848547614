use std::fs;

use super::*;

#[test]
fn a_deadline_has_an_end() {
    let with = |seconds| {
        deadline(&HookSettings {
            deadline_seconds: seconds,
            ..HookSettings::default()
        })
    };
    assert_eq!(with(None), DEFAULT_DEADLINE);
    assert_eq!(with(Some(5)), Duration::from_secs(5));
    assert_eq!(with(Some(u64::MAX)), Duration::from_secs(86_400));
    assert_eq!(with(unasked(Some(u64::MAX))), Duration::from_secs(60));
    assert_eq!(with(unasked(Some(5))), Duration::from_secs(5));
    assert_eq!(with(unasked(None)), DEFAULT_DEADLINE);
}

#[test]
fn the_search_ends_with_the_repository() {
    let temp = tempfile::tempdir().unwrap();
    let root = temp.path().canonicalize().unwrap();
    let has = |start: &str| Target::discover(&root.join(start), None).unwrap().is_some();
    for folder in [".git", ".metis", "sub/src", "alone"] {
        fs::create_dir_all(root.join(folder)).unwrap();
    }
    fs::write(root.join(".metis/config.toml"), "").unwrap();
    assert!(!has(""), "single-workspace mode");
    fs::write(root.join(".metis/config.toml"), "[sync]\nupstream_url = 'x'\n").unwrap();
    assert!(has("") && has("sub/src"));
    fs::write(root.join("sub/.git"), "gitdir: ../.git/modules/sub\n").unwrap();
    assert!(!has("sub") && !has("sub/src"), "a submodule");

    assert!(!has("gone/elsewhere"), "on another branch");

    fs::create_dir(root.join("alone/.metis")).unwrap();
    fs::write(root.join("alone/.metis/config.toml"), "[sync]\nupstream_url = 'y'\n").unwrap();
    fs::write(root.join("alone/.metis/.git"), "gitdir: ../../.git/modules/plans\n").unwrap();
    let own = Target::discover(&root.join("alone/.metis"), None).unwrap().unwrap();
    assert_eq!(own.metis.project(), root.join("alone"), "a repository of its own");

    fs::write(root.join(".metis/config.toml"), "[sync\n").unwrap();
    assert!(matches!(Target::discover(&root, None), Err(RunError::Config(_))));
    fs::remove_file(root.join(".metis/config.toml")).unwrap();
    assert!(!has(""), "an empty folder of that name");
}
