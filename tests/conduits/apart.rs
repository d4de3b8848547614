//! Conduits that would get in each other's way, or in their own.

use std::{fs, os::unix::fs::symlink};

use super::Pair;

/// What goes from folder to folder must not come back by another way.
#[test]
fn conduits_that_lead_in_a_circle_are_refused() {
    let pair = Pair::new(&[]);
    fs::create_dir(pair.path("third")).expect("it is free");
    let selective = ["--mode", "selective"];
    pair.run(&[&["add", "on", "right", "third"], &selective[..]].concat(), 0);
    let back = pair.run(&[&["add", "back", "third", "left"], &selective[..]].concat(), 3);
    assert!(
        back.stderr.contains("the conduits back, notes, on lead in a circle"),
        "{}",
        back.transcript()
    );
    // So is one of a single step, there and back, and a ring of conduits that go both ways.
    let back = pair.run(&[&["add", "back", "third", "right"], &selective[..]].concat(), 3);
    assert!(
        back.stderr.contains("back, on lead in a circle"),
        "{}",
        back.transcript()
    );
    pair.run(&["remove", "on"], 0);
    pair.run(&["add", "on", "right", "third"], 0);
    let ring = pair.run(&["add", "ring", "third", "left"], 3);
    assert!(ring.stderr.contains("lead in a circle"), "{}", ring.transcript());
    assert!(!pair.own.config().contains("ring"));
    // Between the same two folders there may be several, each for its own files.
    pair.run(&["add", "more", "left", "right", "--include", "*.txt"], 0);
    pair.run(
        &[&["add", "most", "left", "right", "--include", "*.md"], &selective[..]].concat(),
        0,
    );
    pair.put("left/a", "1");
    pair.run(&["sync"], 0);
    pair.run(&["sync"], 0);
    assert_eq!(pair.texts("third"), ["a=1"]);
}

/// Each definition may be fine by itself: whoever pulled all of them is told before anything is copied.
#[test]
fn a_circle_that_came_with_a_pull_is_not_run() {
    let pair = Pair::untied();
    fs::create_dir(pair.path("third")).expect("it is free");
    let tie = |name: &str, alpha: &str, beta: &str| {
        format!("[sync.conduits.{name}]\nalpha = \"{alpha}\"\nbeta = \"{beta}\"\nmode = \"selective\"\n")
    };
    let all = [
        tie("one", "left", "right"),
        tie("two", "right", "third"),
        tie("three", "third", "left"),
    ]
    .concat();
    pair.own
        .put("config.toml", format!("[project]\nprefix = \"API\"\n{all}"));
    pair.put("left/a", "1");
    pair.run(&["enable", "one"], 0);
    pair.run(&["enable", "two"], 0);
    let refused = pair.run(&["enable", "three"], 3);
    assert!(
        refused.stderr.contains("three, one, two lead in a circle"),
        "{}",
        refused.transcript()
    );
    pair.run(&["sync", "three"], 3);
    pair.run(&["sync"], 0);
    assert_eq!(pair.texts("third"), ["a=1"]);
}

#[test]
fn folders_that_get_in_each_others_way_are_refused() {
    let pair = Pair::untied();
    pair.put("left/in/x", "1");
    symlink("left", pair.path("same")).expect("it is free");
    for (alpha, beta, word) in [
        ("left", "left", "the same folder"),
        ("left", "same", "the same folder"),
        ("left", "left/in", "lies in the other"),
        ("left/in", "left", "lies in the other"),
        ("left", "nowhere", "cannot be opened"),
        ("left", "..", "outside the project"),
        ("left", ".metis", "may only read"),
        ("left", ".metis/.sync", "state"),
    ] {
        fs::create_dir_all(pair.own.metis().join(".sync")).expect("it is ours");
        let refused = pair.run(&["add", "notes", alpha, beta], 3);
        assert!(refused.stderr.contains(word), "{}", refused.transcript());
        assert!(!pair.own.config().contains("conduits"));
    }
    pair.run(&["add", "notes", "left", "right"], 0);
    fs::create_dir(pair.path("third")).expect("it is free");
    let mirror = pair.run(&["add", "mirror", "third", "right", "--mode", "mirror"], 3);
    assert!(
        mirror.stderr.contains("write the same folder"),
        "{}",
        mirror.transcript()
    );
}
