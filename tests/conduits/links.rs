//! Symbolic links, where the definition says that they are kept.

use std::{fs, os::unix::fs::symlink};

use super::{
    Pair,
    central::{self, Project},
};
use crate::support::world::World;

fn keep(own: &crate::support::workspace::Workspace, name: &str) {
    let config = own.config();
    let table = format!("[sync.conduits.{name}]\n");
    own.put(
        "config.toml",
        config.replace(&table, &format!("{table}links = \"keep\"\n")),
    );
    own.run(&["conduit", "enable", name]).success();
}

/// Those that stay in the folder travel as links, whatever they lead to; all others are left alone on both sides.
#[test]
fn links_that_stay_inside_travel() {
    let pair = Pair::new(&[]);
    keep(&pair.own, "notes");
    pair.put("left/AGENTS.md", "1");
    pair.put("left/d/a", "1");
    let link = |text: &str, at: &str| symlink(text, pair.path(at)).expect("it is free");
    link("AGENTS.md", "left/CLAUDE.md");
    link("../AGENTS.md", "left/d/up");
    link("nowhere", "left/dangles");
    link("/etc/passwd", "left/absolute");
    link("../../outside", "left/d/out");
    link("d/../../outside", "left/around");
    let first = pair.sync(0);
    assert_eq!(first["skipped"].as_array().map(Vec::len), Some(3), "{first}");
    let right = [
        "AGENTS.md=1",
        "CLAUDE.md=@AGENTS.md",
        "d/a=1",
        "d/up=@../AGENTS.md",
        "dangles=@nowhere",
    ];
    assert_eq!(pair.texts("right"), right);
    assert_eq!(pair.sync(0)["status"], "in-step");

    // A link that leads elsewhere, one that goes, one that becomes a file of the same text, and a file that becomes one.
    fs::remove_file(pair.path("right/CLAUDE.md")).expect("it is ours");
    link("d/a", "right/CLAUDE.md");
    pair.remove("left/d/up");
    pair.remove("left/dangles");
    pair.put("left/dangles", "nowhere");
    pair.remove("left/d/a");
    link("../AGENTS.md", "left/d/a");
    pair.sync(0);
    let both = ["AGENTS.md=1", "CLAUDE.md=@d/a", "d/a=@../AGENTS.md", "dangles=nowhere"];
    assert_eq!(pair.texts("right"), both);
    assert_eq!(
        fs::read_link(pair.path("left/CLAUDE.md")).expect("a link").to_str(),
        Some("d/a")
    );
    // What both made of one waits.
    pair.remove("left/CLAUDE.md");
    link("AGENTS.md", "left/CLAUDE.md");
    pair.remove("right/CLAUDE.md");
    pair.put("right/CLAUDE.md", "1");
    assert_eq!(pair.sync(8)["conflicts"][0]["kind"], "TT");
    pair.run(&["resolve", "notes", "CLAUDE.md", "--take", "alpha"], 0);
    assert_eq!(pair.texts("right")[1], "CLAUDE.md=@AGENTS.md");
    let shown = pair.run(&["diff", "notes", "3"], 0);
    assert!(
        String::from_utf8_lossy(&shown.stdout).contains("AGENTS.md"),
        "{}",
        shown.transcript()
    );
    pair.run(&["undo", "notes"], 0);
    assert_eq!(pair.texts("right")[1], "CLAUDE.md=1");
}

/// Through central too, and whoever may push there places no link that leads out.
#[test]
fn links_of_a_branch() {
    let world = World::new();
    let [shop, web] = ["shop", "web"].map(|prefix| {
        let project = Project::new(&world, prefix, &[]);
        keep(&project.0, "skills");
        project
    });
    shop.put("a", "1");
    symlink("a", shop.folder().join("b")).expect("it is free");
    shop.sync(0);
    web.sync(0);
    assert_eq!(web.texts(), ["a=1", "b=@a"]);
    let tree = world.central.git(&["ls-tree", central::BRANCH]);
    assert!(tree.contains("120000"), "{tree}");

    let entry = |text: &str| central::blob(&world, text);
    let [out, absolute, around, inside, file] = ["../x", "/etc/passwd", "b/../../x", "./a", "1"].map(entry);
    central::land_tree(
        &world,
        &[
            ("120000", &absolute, "absolute"),
            ("120000", &around, "around"),
            ("100644", &file, "a"),
            ("120000", &inside, "b"),
            ("120000", &out, "out"),
        ],
    );
    let report = web.sync(0);
    assert_eq!(report["skipped"].as_array().map(Vec::len), Some(3), "{report}");
    assert_eq!(web.texts(), ["a=1", "b=@./a"]);
}
