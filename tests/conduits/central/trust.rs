//! What is taken from the branch, and what is not.

use super::*;

/// Whoever may push to central may push anything: nothing of it leaves the folder, may be run, or is a link.
#[test]
fn a_hostile_branch_places_nothing_outside() {
    let world = World::new();
    let shop = Project::new(&world, "shop", &[]);
    let text = blob(&world, "hostile");
    let inner = with_input(
        &world,
        &["mktree", "-z"],
        format!("100644 blob {text}\tescaped\0").as_bytes(),
    );
    let long = "n".repeat(256);
    let mut deep = inner.clone();
    for _ in 0..150 {
        deep = with_input(&world, &["mktree", "-z"], format!("40000 tree {deep}\td\0").as_bytes());
    }
    let huge = blob(&world, &"x".repeat((16 << 20) + 1));
    land_tree(
        &world,
        &[
            ("100644", &text, "good.md"),
            ("100755", &text, "run.sh"),
            ("120000", &text, "link"),
            ("160000", "0123456789abcdef0123456789abcdef01234567", "module"),
            ("40000", &inner, ".."),
            ("100644", &text, "."),
            ("40000", &inner, ".git"),
            ("40000", &inner, ".GIT"),
            ("40000", &inner, ".g\u{200c}it"),
            ("40000", &inner, "git~1"),
            ("40000", &inner, ".metis"),
            ("100644", &text, "back\\slash"),
            ("100644", &text, "esc\u{1b}[31m"),
            ("100644", &text, &long),
            ("40000", &deep, "deep"),
            ("100644", &huge, "huge"),
            ("100644", &text, "Twin"),
            ("100644", &text, "twin"),
            ("100644", &text, "twice"),
            ("100644", &huge, "twice"),
        ],
    );
    let outside = Snapshot::of(&shop.0.dir);
    let synced = shop.run(&["sync"], 8);
    assert!(!synced.transcript().contains('\u{1b}'), "{}", synced.transcript());
    let names: Vec<String> = shop.tree().into_keys().collect();
    assert_eq!(names, ["back\\slash", "esc\u{1b}[31m", "good.md", "run.sh"]);
    assert!(shop.tree().values().all(|text| text == "hostile"), "nothing may be run");
    for path in Snapshot::of(&shop.0.dir).since(&outside) {
        let is_expected = ["skills", ".metis/.sync"].iter().any(|folder| path.starts_with(folder));
        // The state's folder is made in it.
        assert!(is_expected || path == Path::new(".metis"), "{}", path.display());
    }
    // What is left out there stays there.
    shop.put("ours", "1");
    shop.sync(8);
    let listed = world.central.git(&["ls-tree", "--name-only", BRANCH]);
    assert!(
        listed.contains("link") && listed.contains("module") && listed.contains("ours"),
        "{listed}"
    );
}

/// A path with a slash in its name, which git's own tools do not make.
#[test]
fn a_name_with_a_slash_is_no_path() {
    let world = World::new();
    let shop = Project::new(&world, "shop", &[]);
    let text = blob(&world, "hostile");
    let mut tree = Vec::new();
    for name in ["../../escaped", "/tmp/escaped", "a/../../escaped"] {
        tree.extend(format!("100644 {name}\0").into_bytes());
        tree.extend((0..20).map(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).expect("hex")));
    }
    let tree = with_input(
        &world,
        &["hash-object", "-w", "-t", "tree", "--stdin", "--literally"],
        &tree,
    );
    let commit = world.central.git(&["commit-tree", &tree, "-m", "By hand"]);
    world
        .central
        .git(&["update-ref", &format!("refs/heads/{BRANCH}"), commit.trim()]);
    shop.sync(0);
    assert_eq!(shop.texts(), Vec::<String>::new());
    assert!(!shop.0.dir.join("escaped").exists() && !shop.0.dir.join("../escaped").exists());
}

/// A folder is sent once and may lie in many places, and below names of any length: hundreds of thousands of paths, of thousands of bytes
/// each, come in a few kilobytes.
#[test]
fn paths_that_are_longer_than_what_was_sent() {
    let world = World::new();
    let shop = Project::new(&world, "shop", &[]);
    shop.put("mine", "1");
    let text = blob(&world, "elsewhere");
    let entries: String = (0..9000)
        .map(|number| format!("120000 blob {text}\tl{number:04}\0"))
        .collect();
    let mut tree = with_input(&world, &["mktree", "-z"], entries.as_bytes());
    let many: String = (0..40)
        .map(|number| format!("40000 tree {tree}\td{number:02}\0"))
        .collect();
    tree = with_input(&world, &["mktree", "-z"], many.as_bytes());
    for _ in 0..11 {
        let entry = format!("40000 tree {tree}\t{}\0", "n".repeat(250));
        tree = with_input(&world, &["mktree", "-z"], entry.as_bytes());
    }
    land_tree(&world, &[("40000", &tree, "long")]);
    let stopped = shop.run(&["sync"], 3);
    assert!(stopped.stderr.contains("more files than"), "{}", stopped.transcript());
    assert_eq!(shop.texts(), ["mine=1"]);
}

/// Without `exec` each side keeps its own permissions; with it they travel.
#[test]
fn the_permission_to_run_travels_only_where_it_was_asked_for() {
    for exec in [false, true] {
        let world = World::new();
        let options: &[&str] = if exec { &["--exec"] } else { &[] };
        let [shop, web] = ["shop", "web"].map(|prefix| Project::new(&world, prefix, options));
        let run = shop.0.dir.join("skills/run.sh");
        shop.put("run.sh", "1");
        fs::set_permissions(&run, fs::Permissions::from_mode(0o755)).expect("it is ours");
        shop.sync(0);
        web.sync(0);
        let star = if exec { "*" } else { "" };
        assert_eq!(branch(&world), [format!("run.sh=1{star}")]);
        assert_eq!(web.texts(), [format!("run.sh=1{star}")]);
        web.put("run.sh", "2");
        web.sync(0);
        shop.sync(0);
        assert_eq!(shop.texts(), ["run.sh=2*"], "here it stays what it is");
        assert_eq!(shop.sync(0)["status"], "in-step");
    }
}

#[test]
fn whoever_does_not_take_the_permission_does_not_take_it_away() {
    let world = World::new();
    let shop = Project::new(&world, "shop", &["--exec"]);
    let web = Project::new(&world, "web", &[]);
    shop.put("run.sh", "1");
    fs::set_permissions(shop.0.dir.join("skills/run.sh"), fs::Permissions::from_mode(0o755)).expect("it is ours");
    shop.sync(0);
    web.sync(0);
    web.put("run.sh", "2");
    web.sync(0);
    assert_eq!(branch(&world), ["run.sh=2*"]);
}

#[test]
fn what_is_larger_than_allowed_stays_here() {
    let world = World::new();
    let shop = Project::new(&world, "shop", &[]);
    shop.put("large", &"x".repeat((16 << 20) + 1));
    shop.put("small", "1");
    let report = shop.sync(0);
    assert_eq!(report["skipped"][0]["path"], "large", "{report}");
    assert_eq!(branch(&world), ["small=1"]);
    let config = shop
        .0
        .config()
        .replace("[sync.conduits.skills]", "[sync.conduits.skills]\nmax_file_mib = 17");
    shop.0.put("config.toml", config);
    shop.run(&["enable", "skills"], 0);
    shop.sync(0);
    assert_eq!(branch(&world).len(), 2);
}

#[test]
fn what_cannot_be_tied_is_said() {
    let world = World::new();
    let plain = world.workspace_with_config("api", &world.local(), "[project]\nprefix = \"API\"\n");
    fs::create_dir(plain.dir.join("skills")).expect("temp folder is writable");
    let refused = plain.run(&["conduit", "add", "skills", "skills", "central:skills"]);
    assert_eq!(refused.code, Some(1), "{}", refused.transcript());
    assert!(refused.stderr.contains("upstream_url"), "{}", refused.transcript());
    let shop = Project::untied(&world, "shop", &world.local());
    for (alpha, beta, word) in [
        ("skills", "central:../main", "central:NAME"),
        ("skills", "central:", "central:NAME"),
        ("central:a", "central:b", "one of its sides must be a folder"),
        ("skills", "workspace:web", "a source only"),
        ("workspace:../web", "skills", "workspace:PREFIX"),
    ] {
        let refused = shop.run(&["add", "skills", alpha, beta], 1);
        assert!(refused.stderr.contains(word), "{}", refused.transcript());
    }
    shop.run(&["add", "skills", "skills", "central:skills"], 0);
    fs::create_dir(shop.0.dir.join("other")).expect("temp folder is writable");
    let refused = shop.run(&["add", "other", "other", "central:skills", "--mode", "mirror"], 3);
    assert!(
        refused.stderr.contains("the same branch of central"),
        "{}",
        refused.transcript()
    );
}
