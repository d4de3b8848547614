//! What a conduit never does, whatever lies in its folders or is done to them meanwhile.

use std::{fs, os::unix::fs::symlink};

use super::Pair;
use crate::support::process::Running;

/// mutagen#275, unison#206, vdirsyncer#42, nextcloud/desktop#2350: a root that is missing or empty deletes nothing.
#[test]
fn a_root_that_is_gone_or_empty_stops() {
    let pair = Pair::new(&[]);
    for name in ["a", "b"] {
        pair.put(&format!("left/{name}"), "1");
    }
    pair.sync(0);
    fs::rename(pair.path("left"), pair.path("aside")).expect("it is ours");
    let missing = pair.run(&["sync", "notes"], 3);
    assert!(missing.stderr.contains("cannot be opened"), "{}", missing.transcript());
    fs::create_dir(pair.path("left")).expect("it is free");
    let emptied = pair.run(&["sync", "notes"], 3);
    assert!(emptied.stderr.contains("is empty"), "{}", emptied.transcript());
    assert_eq!(pair.texts("right"), ["a=1", "b=1"]);
    // The way out that the message names.
    pair.run(&["sync", "notes", "--accept-deletes"], 0);
    assert_eq!(pair.tree("right").len(), 0);
    assert_eq!(pair.kept().len(), 2);
}

#[test]
fn most_of_a_side_deleted_or_overwritten_stops() {
    let pair = Pair::new(&[]);
    for n in 0..20 {
        pair.put(&format!("left/f{n:02}"), &format!("{n}"));
    }
    pair.sync(0);
    for n in 0..20 {
        pair.put(&format!("left/f{n:02}"), "encrypted");
    }
    let edits = pair.run(&["sync", "notes"], 3);
    assert!(
        edits.stderr.contains("overwrite 20 of the 20"),
        "{}",
        edits.transcript()
    );
    for n in 0..12 {
        pair.remove(&format!("left/f{n:02}"));
    }
    let deletes = pair.run(&["sync", "notes"], 3);
    assert!(
        deletes.stderr.contains("delete 12 of the 20"),
        "{}",
        deletes.transcript()
    );
    assert_eq!(pair.tree("right").len(), 20);
}

/// syncthing#276: a root that is a link works, and one that leads nowhere stops.
#[test]
fn a_root_may_be_a_link() {
    let pair = Pair::new(&[]);
    fs::rename(pair.path("left"), pair.path("real")).expect("it is ours");
    symlink("real", pair.path("left")).expect("it is free");
    pair.put("left/a", "1");
    pair.sync(0);
    assert_eq!(pair.texts("right"), ["a=1"]);
    fs::rename(pair.path("real"), pair.path("moved")).expect("it is ours");
    pair.run(&["sync", "notes"], 3);
    assert_eq!(pair.texts("right"), ["a=1"]);
    // Outside of the project only by this clone's own word.
    fs::remove_file(pair.path("left")).expect("it is ours");
    symlink(pair.world.root(), pair.path("left")).expect("it is free");
    let outside = pair.run(&["sync", "notes"], 3);
    assert!(
        outside.stderr.contains("outside the project"),
        "{}",
        outside.transcript()
    );
}

/// A folder may be nested deeper than any stack: what lies beyond is left alone on both sides.
#[test]
fn folders_without_end() {
    let pair = Pair::new(&[]);
    pair.put("left/a", "1");
    pair.put(&format!("left/{}in-reach", "d/".repeat(128)), "2");
    pair.put(&format!("left/{}beyond", "d/".repeat(1500)), "3");
    let report = pair.sync(0);
    assert_eq!(report["skipped"].as_array().map(Vec::len), Some(1), "{report}");
    assert_eq!(report["skipped"][0]["reason"], "nested too deep");
    assert_eq!(pair.tree("right").len(), 2);
    pair.remove("left/a");
    pair.sync(0);
    assert_eq!(pair.tree("right").len(), 1);
}

/// A folder of the project that a pull exchanged for a link leads out of it by no definition, not even one of this clone's own: it
/// would bring what lies there to the other side, or write there.
#[test]
fn a_root_that_a_pull_exchanged_for_a_link() {
    let pair = Pair::untied();
    let outside = pair.world.root().join("outside");
    let beside = pair.world.root().join("beside");
    for (folder, text) in [(&outside, "secret"), (&beside, "1")] {
        fs::create_dir(folder).expect("temp folder is writable");
        fs::write(folder.join("a"), text).expect("temp folder is writable");
    }
    pair.put("left/a", "1");
    let beta = beside.display().to_string();
    pair.run(&["add", "notes", "left", &beta, "--local"], 0);
    pair.sync(0);
    fs::rename(pair.path("left"), pair.path("moved")).expect("it is ours");
    for target in [outside.as_path(), std::path::Path::new("../../outside/../outside")] {
        symlink(target, pair.path("left")).expect("it is free");
        let stopped = pair.run(&["sync", "notes", "--accept-deletes"], 3);
        assert!(stopped.stderr.contains("by a link in it"), "{}", stopped.transcript());
        fs::remove_file(pair.path("left")).expect("it is ours");
    }
    let text = |folder: &std::path::Path| fs::read_to_string(folder.join("a")).expect("it is there");
    assert_eq!((text(&outside).as_str(), text(&beside).as_str()), ("secret", "1"));
    // Outside by name is this clone's own choice.
    pair.run(&["remove", "notes"], 0);
    pair.run(
        &[
            "add",
            "notes",
            &outside.display().to_string(),
            &beta,
            "--local",
            "--mode",
            "mirror",
        ],
        0,
    );
    pair.run(&["sync", "notes", "--accept-first"], 0);
    assert_eq!(text(&beside), "secret");
}

/// syncthing#2571, nextcloud/desktop#1295, obsidian-byoc#10: links are never followed, and what they hide is not deleted.
#[test]
fn links_are_left_alone() {
    let pair = Pair::new(&[]);
    pair.put("left/d/a", "1");
    pair.put("left/z", "1");
    pair.put("elsewhere/a", "theirs");
    pair.sync(0);
    fs::rename(pair.path("left/d"), pair.path("was")).expect("it is ours");
    symlink(pair.path("elsewhere"), pair.path("left/d")).expect("it is free");
    symlink("AGENTS.md", pair.path("left/CLAUDE.md")).expect("it is free");
    let report = pair.sync(0);
    assert_eq!(report["skipped"].as_array().map(Vec::len), Some(2), "{report}");
    assert_eq!(pair.texts("right"), ["d/a=1", "z=1"]);
    pair.put("right/d/a", "2");
    pair.put("right/CLAUDE.md", "2");
    pair.sync(0);
    assert_eq!(pair.texts("elsewhere"), ["a=theirs"]);
    assert_eq!(
        fs::read_link(pair.path("left/CLAUDE.md"))
            .expect("still a link")
            .to_str(),
        Some("AGENTS.md")
    );
}

#[test]
fn what_is_gits_or_ours_never_travels() {
    let pair = Pair::new(&[]);
    for path in [
        ".git/config",
        ".GIT/config",
        "x/.git/hooks/post-merge",
        ".metis/config.toml",
        "git~1/config",
    ] {
        pair.put(&format!("left/{path}"), "theirs");
    }
    pair.put("left/a", "1");
    pair.sync(0);
    assert_eq!(pair.texts("right"), ["a=1"]);
}

/// A folder outside of the project, and one on another file system, by this clone's own definition.
#[test]
fn a_folder_elsewhere_is_this_clones_own_affair() {
    let pair = Pair::untied();
    let Ok(elsewhere) = tempfile::tempdir_in("/dev/shm") else {
        return;
    };
    let path = elsewhere.path().to_str().expect("plain");
    pair.run(&["add", "notes", "left", path, "--local"], 0);
    assert!(!pair.own.config().contains("conduits"), "{}", pair.own.config());
    let far = || {
        let mut found = Default::default();
        super::read(elsewhere.path(), "", &mut found);
        found
    };
    pair.put("left/a", "1");
    pair.put("left/d/x", "1");
    pair.put("left/e", "1");
    pair.sync(0);
    assert_eq!(far().len(), 3);
    pair.put("left/a", "2");
    pair.remove("left/e");
    pair.remove("left/d");
    pair.put("left/d", "2");
    pair.sync(0);
    let found: Vec<String> = far().into_iter().map(|(path, text)| format!("{path}={text}")).collect();
    assert_eq!(found, ["a=2", "d=2"]);
    assert_eq!(pair.kept(), ["1", "1", "1"]);
    pair.run(&["undo", "notes"], 0);
    assert_eq!(far().len(), 3);
}

/// A sync that was killed where things can only be exchanged within the folder itself left there what it took out. If that is
/// not what it had seen, it is all that is left of somebody's edit.
#[test]
fn what_a_killed_sync_took_out_is_kept() {
    let pair = Pair::new(&[]);
    pair.put("left/a", "1");
    pair.sync(0);
    let dead = |n: u32| format!(".metis-sync-tmp-{}-00000000000000aa-{n}", i32::MAX - 1);
    pair.put(&format!("right/{}", dead(1)), "an edit that nobody saw");
    pair.put(&format!("right/{}", dead(2)), "1");
    pair.put(&format!("right/sub/{}/inner", dead(3)), "another one");
    let said = pair.run(&["--json", "sync", "notes"], 0).success();
    let value: serde_json::Value = serde_json::from_str(&said).expect("JSON");
    assert_eq!(value["conduits"][0]["kept"].as_array().map(Vec::len), Some(2), "{said}");
    assert_eq!(pair.kept(), ["an edit that nobody saw", "another one"]);
    let left: Vec<String> = pair.tree("right").into_keys().collect();
    assert_eq!(left, ["a"]);
}

/// Another project may tie the same folder: two syncs of it at once wait for each other.
#[test]
fn two_syncs_at_once_are_one_after_the_other() {
    let pair = Pair::new(&[]);
    for n in 0..50 {
        pair.put(&format!("left/f{n}"), "1");
    }
    let command = || pair.own.metis_sync(&["--json", "conduit", "sync", "notes"]);
    let running: Vec<Running> = (0..3).map(|_| Running::start(command())).collect();
    let generations = running
        .into_iter()
        .map(|sync| {
            let said = sync.finish().success();
            let value: serde_json::Value = serde_json::from_str(&said).expect("JSON");
            value["conduits"][0]["generation"].as_u64()
        })
        .filter(Option::is_some)
        .count();
    assert_eq!(generations, 1, "the others found nothing to do");
    assert_eq!(pair.tree("right").len(), 50);
}

/// A base that a pull brought, or that was damaged, counts for nothing: nothing is deleted by it.
#[test]
fn a_base_that_is_not_this_clones_deletes_nothing() {
    let pair = Pair::new(&[]);
    pair.put("left/a", "1");
    pair.put("left/b", "1");
    pair.sync(0);
    let base = pair.own.metis().join(".sync/conduits/notes/base");
    let mut bytes = fs::read(&base).expect("it is there");
    pair.remove("left/a");
    *bytes.last_mut().expect("it has some") ^= 1;
    fs::write(&base, bytes).expect("it is ours");
    pair.sync(0);
    pair.assert_both(&["a=1", "b=1"]);
}
