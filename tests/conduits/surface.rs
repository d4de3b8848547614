//! Definitions, and the commands around them.

use std::{fs, os::unix::fs::symlink};

use serde_json::{Value, json};

use super::Pair;
use crate::support::{process::run, snapshot::Snapshot};

/// lsyncd#668: a path is from the project's top wherever it is typed, and config.toml keeps what the user wrote in it.
#[test]
fn a_definition_goes_into_config_toml() {
    let pair = Pair::untied();
    pair.own
        .put("config.toml", "# mine\r\n[project]\r\nprefix = \"API\" # kept\r\n");
    let mut typed = pair.own.program(env!("CARGO_BIN_EXE_git-metis-sync"));
    typed
        .current_dir(pair.path("left"))
        .args(["conduit", "add", "notes", "left", "right", "--include", "*.md"]);
    run(typed).success();
    let config = pair.own.config();
    assert!(
        config.starts_with("# mine\r\n[project]\r\nprefix = \"API\" # kept\r\n"),
        "{config}"
    );
    assert!(config.contains("[sync.conduits.notes]\r\nalpha = \"left\""), "{config}");
    assert!(!config.replace("\r\n", "").contains('\n'), "{config}");
    pair.put("left/a.md", "1");
    pair.sync(0);
    let taken = pair.run(&["add", "notes", "left", "right"], 1);
    assert!(taken.stderr.contains("already"), "{}", taken.transcript());
    pair.run(&["remove", "notes"], 0);
    assert!(!pair.own.config().contains("alpha"), "{}", pair.own.config());
    assert_eq!(pair.texts("right"), ["a.md=1"], "remove touches no folder");
    pair.run(&["sync", "notes"], 1);
}

/// A pulled config.toml writes nowhere by itself, and one that changed asks again.
#[test]
fn each_clone_confirms_a_definition_once() {
    let pair = Pair::untied();
    pair.put("left/a", "1");
    let defined = "[project]\nprefix = \"API\"\n[sync.conduits.notes]\nalpha = \"left\"\nbeta = \"right\"\n";
    pair.own.put("config.toml", defined);
    let refused = pair.run(&["sync", "notes"], 3);
    assert!(
        refused.stderr.contains("conduit enable notes"),
        "{}",
        refused.transcript()
    );
    pair.run(&["sync"], 0);
    assert!(pair.own.run(&[]).success().contains("nothing to sync"));
    assert_eq!(pair.tree("right").len(), 0, "nor by a plain sync");
    let shown = pair.run(&["enable", "notes"], 0);
    assert!(
        String::from_utf8_lossy(&shown.stdout).contains("alpha = \"left\""),
        "{}",
        shown.transcript()
    );
    pair.sync(0);
    pair.own.put("config.toml", format!("{defined}mode = \"mirror\"\n"));
    pair.remove("left/a");
    pair.put("left/b", "1");
    let changed = pair.run(&["sync", "notes"], 3);
    assert!(changed.stderr.contains("was changed since"), "{}", changed.transcript());
    assert_eq!(pair.texts("right"), ["a=1"]);
    pair.run(&["disable", "notes"], 0);
    let list = pair.run(&["list"], 0);
    assert!(
        String::from_utf8_lossy(&list.stdout).contains("not enabled"),
        "{}",
        list.transcript()
    );
}

#[test]
fn a_plain_sync_runs_what_is_enabled() {
    let pair = Pair::new(&[]);
    pair.put("left/a", "1");
    let said = pair.own.run(&[]).success();
    assert!(said.contains("notes: copied 0 to alpha and 1 to beta"), "{said}");
    pair.put("right/a", "2");
    let json = pair.own.run(&["--json"]).success();
    assert!(
        json.contains("\"command\":\"sync\"") && json.contains("\"status\":\"verified\""),
        "{json}"
    );
    pair.assert_both(&["a=2"]);
    pair.put("left/a", "L");
    pair.put("right/a", "R");
    assert_eq!(pair.own.run(&[]).code, Some(8));
}

#[test]
fn a_dry_run_writes_nothing_anywhere() {
    let pair = Pair::new(&[]);
    pair.put("left/a", "1");
    pair.put("right/b", "1");
    let before = Snapshot::of(&pair.world.root());
    let planned = pair.run(&["sync", "--dry-run"], 0);
    let said = String::from_utf8_lossy(&planned.stdout).into_owned();
    assert!(
        said.contains("would copy 1 to alpha and 1 to beta") && said.contains("beta: create a"),
        "{said}"
    );
    assert_eq!(Snapshot::of(&pair.world.root()).since(&before).len(), 0);
    pair.sync(0);
}

#[test]
fn history_says_what_each_sync_did() {
    let pair = Pair::new(&[]);
    pair.put("left/a", "1");
    pair.sync(0);
    pair.put("left/b", "1");
    pair.remove("left/a");
    pair.run(&["sync", "notes", "--accept-deletes"], 0);
    let all = pair.run(&["history", "notes"], 0);
    let lines: Vec<String> = String::from_utf8_lossy(&all.stdout)
        .lines()
        .map(str::to_owned)
        .collect();
    assert!(
        lines.len() == 2 && lines[0].starts_with("2 ") && lines[1].starts_with("1 "),
        "{lines:?}"
    );
    let one = pair.run(&["history", "notes", "2"], 0);
    let said = String::from_utf8_lossy(&one.stdout).into_owned();
    assert!(
        said.contains("delete a (renamed to b)") && said.contains("create b"),
        "{said}"
    );
    let json = pair.run(&["--json", "history", "notes", "2"], 0);
    let value: Value = serde_json::from_slice(&json.stdout).expect("JSON");
    assert_eq!(value["generations"][0]["status"], "verified");
    assert_eq!(value["generations"][0]["changes"].as_array().map(Vec::len), Some(2));
}

/// As git names the trees, so that anybody can compare a folder with what a sync left there.
#[test]
fn history_names_what_both_sides_had() {
    let pair = Pair::in_git();
    let tree_of = |side: &str| {
        let git = |args: &[&str]| {
            let mut git = pair.own.program("git");
            let index = pair.world.root().join("another-index");
            git.env("GIT_INDEX_FILE", index).args(args).current_dir(pair.path(side));
            run(git).success().trim().to_owned()
        };
        git(&["read-tree", "--empty"]);
        git(&["add", "--all", "."]);
        git(&["write-tree", &format!("--prefix={side}/")])
    };
    let history = |number: &str| -> Value {
        let json = pair.run(&["--json", "history", "notes", number], 0);
        let value: Value = serde_json::from_slice(&json.stdout).expect("JSON");
        value["generations"][0].clone()
    };
    // In git's order `a` comes behind `a.md`, as it is a folder there.
    for path in ["left/a/b/c", "left/a.md", "left/a-b", "right/z/y"] {
        pair.put(path, path);
    }
    let before = ["left", "right"].map(tree_of);
    let link = pair.path("left/link");
    symlink("a.md", &link).expect("temp folder is writable");
    pair.sync(0);
    fs::remove_file(link).expect("it is ours");
    let after = tree_of("right");
    assert_eq!(tree_of("left"), after);
    let first = history("1");
    let expected = json!({
        "alpha": { "before": before[0], "after": after },
        "beta": { "before": before[1], "after": after },
    });
    assert_eq!(first["trees"], expected);
    assert_eq!(
        first["skipped"],
        json!([{ "path": "link", "reason": "a symbolic link" }])
    );

    pair.put("left/a.md", "edited");
    pair.sync(0);
    pair.run(&["undo", "notes"], 0);
    let undone = history("3");
    assert_eq!(
        undone["trees"]["beta"],
        json!({ "before": tree_of("left"), "after": after })
    );
    let said = pair.run(&["history", "notes", "3"], 0);
    let line = format!("  beta: {} -> {}", &tree_of("left")[..10], &after[..10]);
    assert!(
        String::from_utf8_lossy(&said.stdout).contains(&line),
        "{}",
        said.transcript()
    );
}

#[test]
fn what_breaks_a_rule_is_said() {
    let pair = Pair::untied();
    for (definition, word) in [
        ("alpha = \"left\"\n", "beta"),
        ("alpha = \"left\"\nbeta = \"right\"\nmdoe = \"mirror\"\n", "mdoe"),
        ("alpha = \"left\"\nbeta = \"right\"\nmode = \"sideways\"\n", "sideways"),
        ("alpha = \"left\"\nbeta = \"workspace:web\"\n", "a source only"),
        ("alpha = \"workspace:web\"\nbeta = \"right\"\n", "mirror or selective"),
        (
            "alpha = \"workspace:../web\"\nbeta = \"right\"\nmode = \"mirror\"\n",
            "workspace:PREFIX",
        ),
        (
            "alpha = \"workspace:web\"\nbeta = \"central:web\"\nmode = \"mirror\"\n",
            "must be a folder",
        ),
        ("alpha = \"left\"\nbeta = \"central:a/b\"\n", "central:NAME"),
        (
            "alpha = \"left\"\nbeta = \"right\"\nparallel_transfers = 0\n",
            "parallel_transfers",
        ),
        (
            "alpha = \"left\"\nbeta = \"right\"\ninclude = [\"**/**/**/**/**/**/**/**/**/a\"]\n",
            "no more than eight `**`",
        ),
    ] {
        let config = format!("[project]\nprefix = \"API\"\n[sync.conduits.notes]\n{definition}");
        pair.own.put("config.toml", config);
        let refused = pair.run(&["enable", "notes"], 1);
        assert!(refused.stderr.contains(word), "{}", refused.transcript());
    }
    fs::remove_file(pair.own.metis().join("config.toml")).expect("it is ours");
    pair.own.put("config.toml", "[project]\nprefix = \"API\"\n");
    let refused = pair.run(&["add", "../x", "left", "right"], 1);
    assert!(refused.stderr.contains("its name must be"), "{}", refused.transcript());
}

/// A name makes no line of its own, and no word of a command that is there to be copied.
#[test]
fn names_that_say_something_else() {
    let pair = Pair::new(&[]);
    pair.put("left/a\n  beta: delete everything", "1");
    let planned = pair.run(&["sync", "--dry-run"], 0);
    let told = String::from_utf8_lossy(&planned.stdout).into_owned() + &planned.stderr;
    assert!(told.contains("everything"), "{told}");
    assert!(!told.lines().any(|line| line.starts_with("  beta: delete")), "{told}");
    pair.sync(0);

    pair.put("left/it's; echo here", "1");
    pair.put("right/it's; echo here", "2");
    let waits = pair.run(&["sync"], 8);
    assert!(
        waits.stderr.contains(r"resolve notes 'it'\''s; echo here' --take"),
        "{}",
        waits.transcript()
    );
}
