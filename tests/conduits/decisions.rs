//! What becomes of files, in the three modes and by the five strategies.

use std::{fs, os::unix::fs::PermissionsExt};

use serde_json::json;

use super::Pair;

#[test]
fn both_get_what_the_other_one_changed() {
    let pair = Pair::new(&[]);
    pair.put("left/a", "1");
    pair.put("left/d/e/f", "1");
    pair.put("right/b", "1");
    let first = pair.sync(0);
    assert_eq!(first["status"], "verified");
    assert_eq!(
        (&first["copied"]["alpha"], &first["copied"]["beta"]),
        (&json!(1), &json!(2))
    );
    pair.assert_both(&["a=1", "b=1", "d/e/f=1"]);

    let idle = pair.sync(0);
    assert_eq!(
        (&idle["status"], &idle["generation"]),
        (&json!("in-step"), &json!(null))
    );

    pair.put("left/a", "2");
    pair.remove("right/d");
    pair.sync(0);
    pair.assert_both(&["a=2", "b=1"]);
    assert!(!pair.path("left/d").exists(), "a folder that became empty goes");
    assert_eq!(pair.kept(), ["1", "1"], "what was deleted and what was replaced");
}

/// rclone#9939: the same file on both sides, synced, and deleted on one.
#[test]
fn what_was_in_step_from_the_beginning_can_be_deleted() {
    let pair = Pair::new(&[]);
    pair.put("left/a", "1");
    pair.put("right/a", "1");
    pair.put("left/b", "1");
    pair.sync(0);
    pair.remove("right/a");
    pair.sync(0);
    pair.assert_both(&["b=1"]);
}

/// An edit of the same size whose time was put back, which others miss.
#[test]
fn an_edit_that_hides_is_seen() {
    let pair = Pair::new(&[]);
    pair.put("left/a", "1");
    pair.sync(0);
    let file = fs::File::options()
        .write(true)
        .open(pair.path("left/a"))
        .expect("it is there");
    let before = file.metadata().and_then(|stat| stat.modified()).expect("a time");
    fs::write(pair.path("left/a"), "2").expect("it is ours");
    file.set_modified(before).expect("it is ours");
    pair.sync(0);
    pair.assert_both(&["a=2"]);
}

#[test]
fn the_permission_to_run_a_file_travels() {
    let pair = Pair::new(&[]);
    pair.put("left/a", "1");
    pair.sync(0);
    fs::set_permissions(pair.path("left/a"), fs::Permissions::from_mode(0o755)).expect("it is ours");
    pair.put("right/a", "2");
    pair.sync(0);
    pair.assert_both(&["a=2*"]);
}

#[test]
fn a_file_becomes_a_folder_and_a_folder_a_file() {
    let pair = Pair::new(&[]);
    pair.put("left/a", "1");
    pair.put("left/d/x", "1");
    pair.put("left/d/y", "1");
    for name in ["w", "x", "y", "z"] {
        pair.put(&format!("left/{name}"), "1");
    }
    pair.sync(0);
    pair.remove("left/a");
    pair.put("left/a/b", "2");
    pair.put("left/a/c/d", "2");
    pair.remove("left/d");
    pair.put("left/d", "2");
    pair.sync(0);
    pair.assert_both(&["a/b=2", "a/c/d=2", "d=2", "w=1", "x=1", "y=1", "z=1"]);
    assert_eq!(pair.kept().len(), 3);

    pair.run(&["undo", "notes"], 0);
    let before = ["a=1", "d/x=1", "d/y=1", "w=1", "x=1", "y=1", "z=1"];
    assert_eq!(pair.texts("right"), before);
    pair.sync(0);
    pair.assert_both(&before);
}

/// unison#664, and all that both sides did: it waits, is named, and nothing is done about it until a person says what.
#[test]
fn what_both_changed_waits_until_it_is_decided() {
    let pair = Pair::new(&[]);
    for name in ["a", "b", "c", "d"] {
        pair.put(&format!("left/{name}"), "1");
    }
    pair.sync(0);
    for name in ["a", "b", "c"] {
        pair.put(&format!("left/{name}"), "L");
        pair.put(&format!("right/{name}"), "R");
    }
    pair.put("left/d", "L");
    pair.remove("right/d");
    for _ in 0..2 {
        let report = pair.sync(8);
        assert_eq!(report["conflicts"][0], json!({ "path": "a", "kind": "MM" }));
        assert_eq!(report["conflicts"][3], json!({ "path": "d", "kind": "MD" }));
        assert_eq!(pair.texts("right"), ["a=R", "b=R", "c=R"]);
    }
    let told = pair.run(&["sync"], 8);
    assert!(
        told.stderr.contains("resolve notes a --take alpha|beta|both"),
        "{}",
        told.transcript()
    );
    pair.run(&["resolve", "notes", "a", "--take", "alpha"], 8);
    pair.run(&["resolve", "notes", "b", "--take", "beta"], 8);
    pair.run(&["resolve", "notes", "d", "--take", "beta"], 8);
    pair.run(&["resolve", "notes", "c", "--take", "both"], 0);
    assert_eq!(pair.texts("left"), ["a=L", "b=R", "c=L"]);
    let right = pair.texts("right");
    assert_eq!(right.len(), 4, "{right:?}");
    assert!(
        right[3].starts_with("c (conflict ") && right[3].ends_with(")=R"),
        "{right:?}"
    );
    let refused = pair.run(&["resolve", "notes", "a", "--take", "alpha"], 1);
    assert!(refused.stderr.contains("does not wait"), "{}", refused.transcript());
}

/// syncthing#2282, #2619: the same conflict again and again makes one file, which never travels.
#[test]
fn the_loser_of_a_conflict_stays_beside_the_name() {
    let pair = Pair::new(&["--on-conflict", "file"]);
    for _ in 0..10 {
        for side in ["left", "right"] {
            pair.put(&format!("{side}/n.md"), "0");
        }
        pair.sync(0);
        pair.put("left/n.md", "L");
        pair.put("right/n.md", "R");
        pair.sync(0);
    }
    assert_eq!(pair.texts("left"), ["n.md=L"]);
    let right = pair.texts("right");
    assert_eq!(right.len(), 2, "{right:?}");
    assert!(
        right[0].starts_with("n (conflict ") && right[0].ends_with(").md=R"),
        "{right:?}"
    );
}

/// unison#6: an edit against a deletion, by all five strategies.
#[test]
fn an_edit_meets_a_deletion() {
    for (on_conflict, exit, left) in [
        ("newest", 0, vec!["a=2", "z=1"]),
        ("source", 0, vec!["a=2", "z=1"]),
        ("target", 0, vec!["z=1"]),
        ("file", 0, vec!["a=2", "z=1"]),
        ("prompt", 8, vec!["a=2", "z=1"]),
    ] {
        let pair = Pair::new(&["--on-conflict", on_conflict]);
        pair.put("left/a", "1");
        pair.put("left/z", "1");
        pair.sync(0);
        pair.put("left/a", "2");
        pair.remove("right/a");
        pair.sync(exit);
        assert_eq!(pair.texts("left"), left, "{on_conflict}");
    }
}

/// repo-file-sync-action#98: what the patterns leave out stays, and a first mirror over something needs a word.
#[test]
fn a_mirror_becomes_what_alpha_is() {
    let pair = Pair::new(&["--mode", "mirror", "--exclude", "own/"]);
    pair.put("left/a", "1");
    pair.put("right/b", "1");
    pair.put("right/own/c", "1");
    let stopped = pair.run(&["sync", "notes"], 3);
    assert!(stopped.stderr.contains("--accept-first"), "{}", stopped.transcript());
    assert_eq!(pair.texts("right"), ["b=1", "own/c=1"]);
    pair.run(&["sync", "notes", "--accept-first"], 0);
    assert_eq!(pair.texts("right"), ["a=1", "own/c=1"]);
    assert_eq!(pair.texts("left"), ["a=1"]);
    assert_eq!(pair.kept(), ["1"]);
    pair.put("right/a", "edited");
    pair.sync(0);
    assert_eq!(pair.texts("right"), ["a=1", "own/c=1"]);
}

#[test]
fn a_selective_conduit_leaves_alone_what_it_did_not_bring() {
    let pair = Pair::new(&["--mode", "selective", "--include", "*.md"]);
    pair.put("left/a.md", "1");
    pair.put("left/b.txt", "1");
    pair.put("right/own.md", "1");
    pair.sync(0);
    assert_eq!(pair.texts("right"), ["a.md=1", "own.md=1"]);
    assert_eq!(pair.texts("left"), ["a.md=1", "b.txt=1"]);
    pair.put("right/a.md", "edited");
    pair.sync(8);
    assert_eq!(pair.texts("right"), ["a.md=edited", "own.md=1"]);
}

/// rclone#5677, syncthing#4841: patterns in files of the folders are files; excluded and included again deletes nothing.
#[test]
fn patterns_that_come_and_go() {
    let pair = Pair::new(&[]);
    pair.put("left/.gitignore", "*\n");
    pair.put("left/a", "1");
    pair.put("left/b", "1");
    pair.sync(0);
    pair.assert_both(&[".gitignore=*\n", "a=1", "b=1"]);
    let again = |exclude: &str| {
        let definition = format!(
            "[project]\nprefix = \"API\"\n[sync.conduits.notes]\nalpha = \"left\"\nbeta = \"right\"\n{exclude}"
        );
        pair.own.put("config.toml", definition);
        pair.run(&["enable", "notes"], 0);
    };
    again("exclude = [\"a\"]\n");
    pair.remove("left/a");
    pair.sync(0);
    assert_eq!(pair.texts("right"), [".gitignore=*\n", "a=1", "b=1"]);
    again("");
    pair.sync(0);
    pair.assert_both(&[".gitignore=*\n", "a=1", "b=1"]);
}

/// owncloud/client#12104: one name, composed on one side and decomposed on the other.
#[test]
fn twins_of_one_name_wait() {
    let pair = Pair::new(&[]);
    pair.put("left/z", "1");
    pair.sync(0);
    pair.put("left/\u{e9}.md", "composed");
    pair.put("right/e\u{301}.md", "decomposed");
    let report = pair.sync(8);
    let kinds = report["conflicts"].as_array().expect("a list").iter();
    assert!(
        kinds.clone().count() > 0 && kinds.clone().all(|one| one["kind"] == "COLLISION"),
        "{report}"
    );
    pair.run(&["sync"], 8);
    assert_eq!(pair.texts("left"), ["z=1", "\u{e9}.md=composed"]);
    assert_eq!(pair.texts("right"), ["e\u{301}.md=decomposed", "z=1"]);
}

/// osync#22: the same path deleted in two generations is kept twice.
#[test]
fn each_generation_keeps_what_it_took_away() {
    let pair = Pair::new(&[]);
    pair.put("left/z", "1");
    for text in ["first", "second"] {
        pair.put("left/a", text);
        pair.sync(0);
        pair.remove("left/a");
        pair.sync(0);
    }
    assert_eq!(pair.kept(), ["first", "second"]);
    pair.run(&["undo", "notes", "2"], 0);
    pair.sync(0);
    pair.assert_both(&["a=first", "z=1"]);
    let gone = pair.run(&["undo", "notes", "99"], 1);
    assert!(gone.stderr.contains("no generation 99"), "{}", gone.transcript());
}
