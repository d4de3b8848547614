use super::*;

fn found(place: &Place) -> Found {
    survey(place, &mut |_, _| {}).unwrap()
}

/// A workspace with a repository around it, and a hydrated folder.
fn world() -> (tempfile::TempDir, Place) {
    let folder = tempfile::tempdir().unwrap();
    let project = folder.path().to_owned();
    let (metis, git_dir) = (project.join(METIS_DIR), project.join(".git"));
    let heads = git_dir.join("refs/heads");
    let skills = project.join("skills/deep/.git");
    for dir in [
        &skills,
        &project.join("other"),
        &metis.join("backlog"),
        &metis.join("web"),
        &metis.join(".sync"),
        &heads,
    ] {
        fs::create_dir_all(dir).unwrap();
    }
    fs::write(git_dir.join("HEAD"), "ref: refs/heads/topic\n").unwrap();
    fs::write(metis.join("config.toml"), "[sync]\nlast_synced_commit = \"a\"\n").unwrap();
    fs::write(metis.join("web/.hydrated"), "").unwrap();
    let place = Place {
        metis: identity(&metis),
        project,
        git_dir: Some(git_dir.clone()),
        common_dir: Some(git_dir),
        source: Some("main".into()),
        conduits: vec![folder.path().join("skills")],
        shares_branches: false,
    };
    (folder, place)
}

#[test]
fn own_documents_branches_and_the_configuration_count_and_nothing_else() {
    let (folder, place) = world();
    let mut last = found(&place);
    let mut differs = |path: &str, text: &str| {
        fs::write(folder.path().join(path), text).unwrap();
        let before = std::mem::replace(&mut last, found(&place));
        before.print != last.print
    };
    for (path, text) in [
        (".metis/backlog/API-T-0001.md", "x"),
        (".metis/backlog/API-T-0002.MD", "x"),
        (".metis/.syncignore", "x"),
        (
            ".metis/config.toml",
            "[sync]\nlast_synced_commit = \"b\"\nbranch = \"trunk\"\n",
        ),
        (".metis/.sync/config.toml", "[sync.watch]\npush = false\n"),
        (".git/refs/heads/topic", "1"),
        (".git/refs/heads/main", "1"),
        (".git/packed-refs", "x"),
        (".git/HEAD", "ref: refs/heads/main\n"),
        ("skills/review.txt", "x"),
        ("skills/deep/.hidden", "x"),
    ] {
        assert!(differs(path, text), "{path}");
    }
    for (path, text) in [
        (".metis/web/WEB-T-0001.md", "x"),
        (".metis/metis.db", "x"),
        (".metis/.sync/x.md", "x"),
        (".metis/picture.png", "x"),
        (
            ".metis/config.toml",
            "[sync]\nlast_synced_commit = \"c\"\nbranch = \"trunk\"\n",
        ),
        (".git/refs/heads/other", "1"),
        ("skills/deep/.git/config", "x"),
        ("skills/a (conflict 1a2b3c4d5e6f).md", "x"),
        ("other/x", "x"),
    ] {
        assert!(!differs(path, text), "{path}");
    }
}

#[test]
fn whether_it_is_the_configuration_that_changed_can_be_told() {
    let (folder, place) = world();
    let first = found(&place);
    fs::write(folder.path().join(".metis/backlog/API-T-0001.md"), "x").unwrap();
    let second = found(&place);
    assert_eq!(first.config, second.config);
    fs::write(folder.path().join(".metis/config.toml"), "[sync]\nbranch = \"trunk\"\n").unwrap();
    let third = found(&place);
    assert!(second.config != third.config && second.print != third.print);
}

#[test]
fn what_git_is_in_the_middle_of() {
    let (folder, place) = world();
    let git_dir = folder.path().join(".git");
    let states = |found: Found| (found.is_unfinished, found.is_held);
    assert_eq!(states(found(&place)), (false, false));
    fs::write(git_dir.join("index.lock"), "").unwrap();
    assert_eq!(states(found(&place)), (false, true));
    fs::remove_file(git_dir.join("index.lock")).unwrap();
    fs::create_dir(git_dir.join("rebase-merge")).unwrap();
    assert_eq!(states(found(&place)), (true, false));
}

/// One that is made anew in its place is another workspace.
#[test]
fn a_workspace_that_is_gone() {
    let (folder, place) = world();
    let (metis, aside) = (folder.path().join(METIS_DIR), folder.path().join("aside"));
    fs::rename(&metis, &aside).unwrap();
    survey(&place, &mut |_, _| {}).unwrap_err();
    fs::create_dir(&metis).unwrap();
    fs::write(metis.join("config.toml"), "").unwrap();
    survey(&place, &mut |_, _| {}).unwrap_err();
    fs::remove_dir_all(&metis).unwrap();
    fs::rename(&aside, &metis).unwrap();
    found(&place);
    fs::remove_file(metis.join("config.toml")).unwrap();
    survey(&place, &mut |_, _| {}).unwrap_err();
}

#[test]
fn each_folder_is_told_before_it_is_read() {
    let (folder, place) = world();
    let mut told = Vec::new();
    survey(&place, &mut |path, part| {
        told.push((path.strip_prefix(folder.path()).unwrap().to_owned(), part));
    })
    .unwrap();
    let expected = [
        ("", Part::Around),
        (".git", Part::Repository),
        (".git/refs/heads", Part::Repository),
        (".git/refs/heads", Part::Repository),
        (".git/reftable", Part::Repository),
        (".metis", Part::Documents),
        (".metis/backlog", Part::Documents),
        ("skills", Part::Documents),
        ("skills/deep", Part::Documents),
    ];
    assert_eq!(told, expected.map(|(path, part)| (PathBuf::from(path), part)));
}
