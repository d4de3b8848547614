//! What goes from folder to folder through the branch.

use super::*;

/// The tutorial's story: what one adds, edits and deletes comes to the others, in commits with central's past below them.
#[test]
fn projects_exchange_through_a_branch() {
    let world = World::new();
    let [shop, web, api] = ["shop", "web", "api"].map(|prefix| Project::new(&world, prefix, &[]));
    shop.put("review.md", "1");
    shop.put("deep/er/plan.md", "1");
    let first = shop.sync(0);
    assert_eq!(first["copied"]["beta"], 2, "{first}");
    assert_eq!(first["status"], "verified");
    assert_eq!(first["commit"].as_str().map(str::len), Some(40), "{first}");
    assert_eq!(branch(&world), ["deep/er/plan.md=1", "review.md=1"]);
    web.put("own.md", "web");
    let second = web.sync(0);
    assert_eq!(
        (&second["copied"]["alpha"], &second["copied"]["beta"]),
        (&2.into(), &1.into()),
        "{second}"
    );
    api.sync(0);
    api.put("review.md", "2");
    api.remove("deep/er/plan.md");
    api.sync(0);
    for project in [&shop, &web] {
        project.sync(0);
        assert_eq!(project.texts(), ["own.md=web", "review.md=2"]);
    }
    assert!(!shop.0.dir.join("skills/deep").exists());
    assert_eq!(commits(&world), 3);
    world.central.fsck_strict();
    assert_eq!(
        world.central.files().len(),
        1,
        "the documents' branch has no part in it"
    );
    assert_eq!(world.left_over(), Vec::<std::path::PathBuf>::new());
}

#[test]
fn a_no_op_lists_once_and_sends_nothing() {
    let world = World::new();
    let shop = Project::new(&world, "shop", &[]);
    shop.put("a", "1");
    world.wire();
    shop.sync(0);
    let wire = world.wire();
    assert!(wire.pushes() > 0 && wire.wants() == 0);
    assert_eq!(shop.sync(0)["status"], "in-step");
    let wire = world.wire();
    assert_eq!((wire.listings(), wire.wants(), wire.pushes()), (1, 0, 0));
    assert_eq!(commits(&world), 1);
}

#[test]
fn a_plain_sync_and_a_dry_run() {
    let world = World::new();
    let shop = Project::new(&world, "shop", &[]);
    shop.put("a", "1");
    let before = Snapshot::of(&world.root());
    let planned = shop.run(&["sync", "--dry-run"], 0);
    assert!(
        String::from_utf8_lossy(&planned.stdout).contains("beta: create a"),
        "{}",
        planned.transcript()
    );
    let after = Snapshot::of(&world.root());
    let changed = after.since(&before);
    // Only the server's trace, and the folder that the objects were in while they were looked at.
    let is_ours = |path: &&&std::path::Path| !["wire.log", "tmp"].iter().any(|name| path.ends_with(name));
    assert_eq!(changed.iter().find(is_ours), None);
    let said = shop.0.run(&[]).success();
    assert!(said.contains("skills: copied 0 to alpha and 1 to beta"), "{said}");
    assert_eq!(branch(&world), ["a=1"]);
    let show = shop.run(&["show", "skills"], 0);
    assert!(String::from_utf8_lossy(&show.stdout).contains("beta = \"central:skills\""));
    let history = shop.run(&["--json", "history", "skills"], 0);
    let history: Value = serde_json::from_slice(&history.stdout).expect("JSON");
    assert_eq!(
        history["generations"][0]["commit"].as_str().map(str::len),
        Some(40),
        "{history}"
    );
    let tree = world.central.git(&["rev-parse", "conduits/skills^{tree}"]);
    assert_eq!(history["generations"][0]["trees"]["beta"]["after"], tree.trim());
}

/// A host that takes the first branch for `HEAD`, or has no other: the documents go where they always went.
#[test]
fn a_central_that_has_nothing_but_conduits_gets_documents_on_main() {
    let world = World::shaped(Shape {
        born: None,
        ..Shape::default()
    });
    let shop = Project::new(&world, "shop", &[]);
    shop.put("a", "1");
    shop.sync(0);
    world
        .central
        .git(&["symbolic-ref", "HEAD", &format!("refs/heads/{BRANCH}")]);
    shop.0.write("SHOP-T-0001", "One.");
    shop.0.sync().report();
    assert_eq!(world.central.folder("shop"), shop.0.documents());
    assert_eq!(branch(&world), ["a=1"]);
}

#[test]
fn what_both_changed_waits_and_is_resolved() {
    let world = World::new();
    let [shop, web] = Project::two_in_step(&world, &["a", "b"]);
    shop.put("a", "shop");
    shop.put("b", "2");
    shop.sync(0);
    web.put("a", "web");
    let waits = web.sync(8);
    assert_eq!(waits["conflicts"][0]["kind"], "MM", "{waits}");
    assert_eq!(web.texts(), ["a=web", "b=2"], "the others are synced");
    assert_eq!(branch(&world), ["a=shop", "b=2"]);
    web.run(&["resolve", "skills", "a", "--take", "both"], 0);
    let texts = web.texts();
    assert_eq!(texts.len(), 3, "{texts:?}");
    assert_eq!(texts[0], "a=shop", "central's keeps the name");
    assert!(
        texts[1].starts_with("a (conflict ") && texts[1].ends_with(")=web"),
        "{texts:?}"
    );
    assert_eq!(branch(&world), ["a=shop", "b=2"], "a conflict file does not travel");
    shop.put("a", "shop again");
    shop.sync(0);
    web.put("a", "web again");
    web.sync(8);
    web.run(&["resolve", "skills", "a", "--take", "alpha"], 0);
    assert_eq!(branch(&world), ["a=web again", "b=2"]);
}

/// The time of central's version is that of the commit that brought it, not of the newest one.
#[test]
fn newest_asks_the_commit_that_brought_a_version() {
    let world = World::new();
    let shop = Project::new(&world, "shop", &["--on-conflict", "newest"]);
    shop.put("a", "1");
    shop.put("b", "1");
    shop.sync(0);
    // Both are made in February 2026; by the clock of this machine, which is later, an edit here wins.
    let edited = blob(&world, "central");
    let old = blob(&world, "1");
    land_tree(&world, &[("100644", &edited, "a"), ("100644", &old, "b")]);
    land_tree(&world, &[("100644", &edited, "a"), ("100644", &edited, "b")]);
    let set = |path: &str, day: &str| {
        let mut touch = Command::new("touch");
        touch.arg("-d").arg(day).arg(shop.0.dir.join("skills").join(path));
        run(touch).success();
    };
    shop.put("a", "here");
    set("a", "2026-02-25T00:00:00Z");
    shop.put("b", "here");
    set("b", "2026-02-27T00:00:00Z");
    shop.sync(0);
    assert_eq!(branch(&world), ["a=central", "b=here"]);
    assert_eq!(shop.texts(), ["a=central", "b=here"]);
}

/// Undone in central by a commit on top, however far it went on meanwhile.
#[test]
fn undo_is_a_new_commit() {
    let world = World::new();
    let [shop, web] = ["shop", "web"].map(|prefix| Project::new(&world, prefix, &[]));
    for path in ["edited", "gone", "stays", "too"] {
        shop.put(path, "1");
    }
    shop.sync(0);
    shop.put("edited", "2");
    shop.put("too", "2");
    shop.put("new", "2");
    shop.remove("gone");
    shop.sync(0);
    web.sync(0);
    web.put("too", "web");
    web.sync(0);
    let before = commits(&world);
    let undone = shop.run(&["undo", "skills"], 9);
    assert!(
        undone.stderr.contains("too: it changed meanwhile"),
        "{}",
        undone.transcript()
    );
    assert_eq!(commits(&world), before + 1);
    assert_eq!(branch(&world), ["edited=1", "gone=1", "stays=1", "too=web"]);
    shop.sync(0);
    assert_eq!(shop.texts(), branch(&world));
}

#[test]
fn a_branch_that_was_rewound_or_is_gone_stops_until_it_is_adopted() {
    for is_gone in [false, true] {
        let world = World::new();
        let shop = Project::new(&world, "shop", &[]);
        shop.put("a", "1");
        shop.put("b", "1");
        shop.sync(0);
        shop.put("a", "2");
        shop.sync(0);
        let reference = format!("refs/heads/{BRANCH}");
        match is_gone {
            true => world.central.git(&["update-ref", "-d", &reference]),
            false => world.central.git(&["update-ref", &reference, &format!("{BRANCH}~1")]),
        };
        let stopped = shop.run(&["sync"], 3);
        let word = if is_gone { "is gone" } else { "was rewound" };
        assert!(
            stopped.stderr.contains(word) && stopped.stderr.contains("--adopt-central"),
            "{}",
            stopped.transcript()
        );
        assert_eq!(shop.texts(), ["a=2", "b=1"]);
        let exit = if is_gone { 0 } else { 8 };
        shop.run(&["sync", "skills", "--adopt-central"], exit);
        assert_eq!(shop.texts(), ["a=2", "b=1"]);
        if !is_gone {
            shop.run(&["resolve", "skills", "a", "--take", "alpha"], 0);
        }
        assert_eq!(branch(&world), ["a=2", "b=1"]);
        assert_eq!(shop.sync(0)["status"], "in-step");
    }
}

/// What both had in common is in central's history, though neither side has it any more.
#[test]
fn the_common_version_can_be_taken() {
    let world = World::new();
    let [shop, web] = ["shop", "web"].map(|prefix| Project::new(&world, prefix, &[]));
    shop.put("a", "base");
    shop.put("b", "base");
    shop.put("c", "base");
    shop.sync(0);
    web.sync(0);
    shop.put("a", "shop");
    shop.remove("b");
    shop.sync(0);
    web.put("a", "web");
    web.put("b", "web");
    web.sync(8);
    web.run(&["resolve", "skills", "a", "b", "--take", "base"], 0);
    assert_eq!(branch(&world), ["a=base", "b=base", "c=base"]);
    assert_eq!(web.texts(), branch(&world));
    shop.sync(0);
    assert_eq!(shop.texts(), branch(&world));
}
