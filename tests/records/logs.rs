//! Logs that others wrote, and not as they should have.

use super::{device, dump, json, log_refs, sync, two};
use crate::support::{process::run, workspace::Workspace, world::World};

/// Changes a file of a log in central, and moves its ref to that.
fn tamper(world: &World, log: &str, file: &str, change: impl Fn(&str) -> String) {
    let text = world.central.git(&["show", &format!("{log}:{file}")]);
    let path = world.root().join("tampered");
    std::fs::write(&path, change(&text)).unwrap();
    let blob = world.central.git(&["hash-object", "-w", path.to_str().unwrap()]);
    let tree = world.central.git(&["ls-tree", log]);
    let lines = tree.lines().map(|line| match line.ends_with(&format!("\t{file}")) {
        true => format!("100644 blob {}\t{file}\n", blob.trim()),
        false => format!("{line}\n"),
    });
    let listing = world.root().join("listing");
    std::fs::write(&listing, lines.collect::<String>()).unwrap();
    let mktree = format!("git mktree < {}", listing.display());
    let mut shell = std::process::Command::new("sh");
    shell.arg("-c").arg(mktree).current_dir(&world.central.dir);
    let tree = run(shell).success();
    let who = ["-c", "user.name=e", "-c", "user.email=e@example.org"];
    let commit = world
        .central
        .git(&[&who[..], &["commit-tree", "-p", log, "-m", "x", tree.trim()]].concat());
    world.central.git(&["update-ref", log, commit.trim()]);
}

fn tags(workspace: &Workspace) -> String {
    json(workspace, &["tag", "list"])["tags"].to_string()
}

#[test]
fn a_log_that_breaks_a_rule_counts_up_to_there_and_the_others_go_on() {
    let world = World::new();
    let (api, web) = two(&world);
    let ops = world.workspace("ops");
    json(&api, &["tag", "add", "API-T-0001", "first", "second", "third"]);
    sync(&api);
    let [log] = log_refs(&world).try_into().expect("one");
    tamper(&world, &log, "0000000001.jsonl", |text| {
        text.replace("\"s\":3", "\"s\":7")
    });
    json(&ops, &["tag", "add", "API-T-0001", "of-ops"]);
    sync(&ops_syncs(&ops));
    let report = json(&web, &["sync"]);
    assert!(report["warnings"].to_string().contains(&device(&api)), "{report}");
    let seen = tags(&web);
    for (tag, is_seen) in [("first", true), ("second", true), ("third", false), ("of-ops", true)] {
        assert_eq!(seen.contains(tag), is_seen, "{tag}: {seen}");
    }
    let status = json(&web, &["record", "status"]);
    assert!(status["devices"].to_string().contains("entry 3 is missing"), "{status}");
    assert_eq!(sync(&web), (0, 0), "it is said once");
}

fn ops_syncs(ops: &Workspace) -> Workspace {
    let report = json(ops, &["sync"]);
    assert!(
        report["warnings"].to_string().contains("count up to the last good one"),
        "{report}"
    );
    json(ops, &["tag", "add", "API-T-0001", "of-ops-too"]);
    Workspace::create(
        ops.dir.join("unused"),
        ops.home.clone(),
        "unused",
        Vec::new(),
        "[project]\nprefix = \"UN\"\n",
    )
}

/// beads#3931: what a later version writes is kept, and the rest of the log counts.
#[test]
fn unknown_models_stay_and_hide_nothing() {
    let world = World::new();
    let (api, web) = two(&world);
    json(
        &api,
        &[
            "record",
            "set",
            "hologram",
            "API-T-0001",
            "--field",
            "depth",
            "--value",
            "7",
        ],
    );
    json(&api, &["tag", "add", "API-T-0001", "urgent"]);
    sync(&api);
    assert_eq!(sync(&web).0, 2);
    assert_eq!(dump(&api), dump(&web));
    assert!(!dump(&web).contains("hologram"));
    let log = json(&web, &["record", "log"])["entries"].to_string();
    assert!(log.contains("hologram") && log.contains("\"depth\""), "{log}");
}

/// Refs with the names of logs that lead to something else.
#[test]
fn what_is_no_log_keeps_no_other_back() {
    let world = World::new();
    let (api, web) = two(&world);
    json(&api, &["tag", "add", "API-T-0001", "of-api"]);
    sync(&api);
    for (device, object) in [
        ("aaaaaaaaaaaaaaaa", "main:api/API-T-0001.md"),
        ("7777777777777777", "main:api"),
    ] {
        let object = world.central.git(&["rev-parse", object]);
        let name = format!("refs/metis/log/{device}");
        world.central.git(&["update-ref", &name, object.trim()]);
    }
    api.edit("API-T-0001", "More.");
    api.sync().report();
    let report = json(&web, &["sync"]);
    let warnings = report["warnings"].to_string();
    for device in ["aaaaaaaaaaaaaaaa", "7777777777777777"] {
        assert!(warnings.contains(device), "{report}");
    }
    assert!(tags(&web).contains("of-api"), "{report}");
    let copy = &web.hydrated("api")["API-T-0001.md"];
    assert!(String::from_utf8_lossy(copy).contains("More."), "{report}");
}

/// Central itself is damaged: it lists a log, and has nothing of it.
#[test]
fn a_log_that_central_has_lost_keeps_no_documents_back() {
    let world = World::new();
    let (api, web) = two(&world);
    sync(&web);
    api.edit("API-T-0001", "More.");
    api.sync().report();
    let name = world.central.dir.join("refs/metis/log/aaaaaaaaaaaaaaaa");
    std::fs::create_dir_all(name.parent().unwrap()).unwrap();
    std::fs::write(name, "1234567890123456789012345678901234567890\n").unwrap();
    let report = json(&web, &["sync"]);
    assert!(
        report["warnings"].to_string().contains("records were left as they are"),
        "{report}"
    );
    let copy = &web.hydrated("api")["API-T-0001.md"];
    assert!(String::from_utf8_lossy(copy).contains("More."));
}
