//! The branch, central, or what is known of them is not as it was.

use super::*;

/// Deleting and rewinding are told apart from a lost state: without one, nothing is deleted.
#[test]
fn a_lost_state_deletes_nothing() {
    let world = World::new();
    let shop = Project::new(&world, "shop", &[]);
    shop.put("a", "1");
    shop.put("b", "1");
    shop.sync(0);
    for file in ["base", "head"] {
        shop.sync(0);
        fs::remove_file(shop.0.metis().join(".sync/conduits/skills").join(file)).expect("it is there");
        shop.remove("a");
        shop.sync(0);
        assert_eq!(shop.texts(), ["a=1", "b=1"], "{file}");
    }
}

/// Without a state, what the folder has and the branch had before is older, and no conflict. What is new here is one.
#[test]
fn the_history_is_asked_where_the_state_is_lost() {
    let world = World::new();
    let [shop, web] = Project::two_in_step(&world, &["a", "b"]);
    shop.put("a", "2");
    shop.put("b", "2");
    shop.sync(0);
    fs::remove_file(web.0.metis().join(".sync/conduits/skills/base")).expect("it is there");
    web.put("b", "mine");
    let report = web.sync(8);
    assert_eq!(web.texts(), ["a=2", "b=mine"]);
    assert_eq!(report["conflicts"][0]["path"], "b", "{report}");
    assert_eq!(branch(&world), ["a=2", "b=2"]);
}

/// What others deleted meanwhile does not come back, although the branch's history is not here either. What it never had goes there.
#[test]
fn a_lost_state_brings_nothing_back() {
    let world = World::new();
    let [shop, web] = Project::two_in_step(&world, &["a", "b"]);
    shop.remove("a");
    shop.sync(0);
    shop.put("more", "1");
    shop.sync(0);
    for lost in [web.0.metis().join(".sync/conduits"), web.0.home.join(".cache")] {
        fs::remove_dir_all(lost).expect("it is there");
    }
    web.put("mine", "1");
    web.sync(0);
    shop.sync(0);
    assert_eq!(branch(&world), ["b=1", "mine=1", "more=1"]);
    assert_eq!((web.texts(), shop.texts()), (branch(&world), branch(&world)));
}

/// A pulled config.toml that names another central gets nothing.
#[test]
fn another_central_is_none_of_this_clones() {
    let world = World::new();
    let shop = Project::new(&world, "shop", &[]);
    shop.put("a", "1");
    shop.sync(0);
    let other = world.root().join("other.git");
    world
        .central
        .git(&["init", "--quiet", "--bare", other.to_str().expect("UTF-8")]);
    let moved = shop.0.config().replace("central.git", "other.git");
    shop.0.put("config.toml", moved);
    let stopped = shop.run(&["sync", "skills"], 3);
    assert!(stopped.stderr.contains("other.git"), "{}", stopped.transcript());
}

#[test]
fn a_central_out_of_reach_changes_nothing() {
    let world = World::new();
    let shop = Project::new(&world, "shop", &[]);
    shop.put("a", "1");
    fs::rename(&world.central.dir, world.root().join("away")).expect("temp folder is writable");
    let failed = shop.0.run(&["conduit", "sync"]);
    assert_ne!(failed.code, Some(0), "{}", failed.transcript());
    assert!(
        failed.stderr.contains("Nothing was changed.") && failed.stderr.contains("skills:"),
        "{}",
        failed.transcript()
    );
    fs::rename(world.root().join("away"), &world.central.dir).expect("temp folder is writable");
    shop.sync(0);
}

/// A refused push is said, what came from central is here, and nothing was deleted for it.
#[test]
fn a_refused_push_cancels_deletes() {
    let world = World::new();
    let [shop, web] = Project::two_in_step(&world, &["a", "b", "c"]);
    web.remove("a");
    web.put("b", "2");
    web.sync(0);
    shop.put("new", "1");
    world.points.script(Point::BeforeRef, "echo 'not today' >&2\nexit 1\n");
    let refused = shop.run(&["sync"], 7);
    assert!(
        refused.stderr.contains("not today") && refused.stderr.contains("Nothing was pushed"),
        "{}",
        refused.transcript()
    );
    assert_eq!(shop.texts(), ["a=1", "b=2", "c=1", "new=1"]);
    shop.put("b", "3");
    shop.sync(0);
    assert_eq!(shop.texts(), ["b=3", "c=1", "new=1"]);
    assert_eq!(branch(&world), shop.texts());
}

/// The store is shared with the documents, may be deleted, and is mended where it is damaged.
#[test]
fn lost_or_damaged_objects_are_fetched_anew() {
    for damages in [false, true] {
        let world = World::new();
        let [shop, web] = ["shop", "web"].map(|prefix| Project::new(&world, prefix, &["--mode", "bidirectional"]));
        web.put("a", "1");
        web.put("b", "1");
        web.sync(0);
        shop.sync(0);
        let cache = shop.0.home.join(".cache/git-metis-sync");
        match damages {
            false => fs::remove_dir_all(&cache).expect("it is there"),
            true => damage(&cache),
        }
        web.put("a", "2");
        web.sync(0);
        shop.put("b", "2");
        assert_eq!(shop.sync(0)["status"], "verified");
        assert_eq!(shop.texts(), ["a=2", "b=2"], "{damages}");
        assert_eq!(branch(&world), shop.texts());
        world.central.fsck_strict();
    }
}

fn damage(folder: &Path) {
    for entry in fs::read_dir(folder).expect("readable folder") {
        let path = entry.expect("readable folder").path();
        if path.is_dir() {
            damage(&path);
        } else if path.extension().is_none_or(|ext| ext != "idx") && path.iter().any(|part| part == "objects") {
            let mut bytes = fs::read(&path).expect("readable file");
            let middle = bytes.len() / 2;
            bytes[middle..].fill(0);
            fs::remove_file(&path).expect("it is ours");
            fs::write(&path, bytes).expect("it is ours");
        }
    }
}
