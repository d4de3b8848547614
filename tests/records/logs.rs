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
    let tree = made_tree(world, &lines.collect::<String>());
    let who = ["-c", "user.name=e", "-c", "user.email=e@example.org"];
    let commit = world
        .central
        .git(&[&who[..], &["commit-tree", "-p", log, "-m", "x", &tree]].concat());
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

/// Central itself is damaged: it lists a log, and has nothing of it. Documents and the others' records come in the same sync.
#[test]
fn a_log_that_central_has_lost_keeps_nothing_else_back() {
    let world = World::new();
    let (api, web) = two(&world);
    let ops = world.workspace("ops");
    sync(&web);
    api.edit("API-T-0001", "More.");
    json(&api, &["tag", "add", "API-T-0001", "of-api"]);
    sync(&api);
    json(&ops, &["tag", "add", "API-T-0001", "of-ops"]);
    sync(&ops);
    lose(&world, "aaaaaaaaaaaaaaaa");
    let report = json(&web, &["sync"]);
    let warnings = report["warnings"].to_string();
    assert!(
        warnings.contains("the records of device aaaaaaaaaaaaaaaa count up to the last good one"),
        "{report}"
    );
    for device in [device(&api), device(&ops)] {
        assert!(!warnings.contains(&device), "{report}");
    }
    let seen = tags(&web);
    assert!(seen.contains("of-api") && seen.contains("of-ops"), "{seen}");
    let copy = &web.hydrated("api")["API-T-0001.md"];
    assert!(String::from_utf8_lossy(copy).contains("More."));
    // It is not asked for at every sync, but when somebody wants to know.
    assert_eq!(sync(&web), (0, 0));
    let report = json(&web, &["sync", "--recheck"]);
    assert!(report["warnings"].to_string().contains("aaaaaaaaaaaaaaaa"), "{report}");

    // The same where no documents are synced.
    let alone = api.run(&["records", "--alone"]).success();
    assert!(tags(&api).contains("of-ops"), "{alone}");
}

/// Makes a device's log in central that leads nowhere.
fn lose(world: &World, device: &str) {
    let name = world.central.dir.join("refs/metis/log").join(device);
    std::fs::create_dir_all(name.parent().unwrap()).unwrap();
    std::fs::write(name, "1234567890123456789012345678901234567890\n").unwrap();
}

/// A folder that is not held in memory in the place of a log.
#[test]
fn a_log_with_a_folder_beyond_all_bounds_keeps_nothing_else_back() {
    let world = World::new();
    let (api, web) = two(&world);
    sync(&web);
    json(&api, &["tag", "add", "API-T-0001", "of-api"]);
    sync(&api);
    let mut folder = Vec::new();
    for n in 0..70 << 12 {
        folder.extend_from_slice(format!("100644 {n:0220}\0").as_bytes());
        folder.extend_from_slice(&[1; 20]);
    }
    assert!(folder.len() > 64 << 20, "{}", folder.len());
    let path = world.root().join("folder");
    std::fs::write(&path, folder).unwrap();
    let git = |args: &[&str]| world.central.git(args).trim().to_owned();
    let tree = git(&["hash-object", "-t", "tree", "--literally", "-w", path.to_str().unwrap()]);
    let who = ["-c", "user.name=e", "-c", "user.email=e@example.org"];
    let commit = git(&[&who[..], &["commit-tree", "-m", "x", &tree]].concat());
    git(&["update-ref", "refs/metis/log/7777777777777777", &commit]);
    let report = json(&web, &["sync"]);
    assert!(report["warnings"].to_string().contains("7777777777777777"), "{report}");
    assert!(tags(&web).contains("of-api"), "{report}");
}

/// A device that says very much of one document, within all bounds of a log: everybody finds and sees their documents all the same.
#[test]
fn very_many_tags_on_one_document_are_no_reason_to_find_nothing() {
    const TAGS: usize = 20_000;
    const FILE: usize = 300;
    let world = World::new();
    let (api, web) = two(&world);
    json(&api, &["tag", "add", "WEB-T-0001", "urgent"]);
    sync(&api);
    let (device, folder) = ("7777777777777777", world.root().join("log"));
    std::fs::create_dir(&folder).unwrap();
    let git = |args: &[&str]| world.central.git(args).trim().to_owned();
    let mut listing = String::new();
    let mut file = |name: &str, text: &str| {
        let path = folder.join(name);
        std::fs::write(&path, text).unwrap();
        let blob = git(&["hash-object", "-w", path.to_str().unwrap()]);
        listing += &format!("100644 blob {blob}\t{name}\n");
    };
    for first in (1..=TAGS).step_by(FILE) {
        let mut text = format!("{{\"schema\":1,\"device\":\"{device}\",\"devices\":[]}}\n");
        for n in first..=TAGS.min(first + FILE - 1) {
            let stamp = 0x01a2_1845_e9b0_0000_u64 + n as u64;
            let tag = format!("{n:0300}");
            text += &format!(
                "{{\"s\":{n},\"t\":\"{stamp:016x}\",\"m\":\"tag\",\"k\":[\"API-T-0001\",\"{tag}\"],\"f\":\"\",\"v\":true}}\n"
            );
        }
        file(&format!("{first:010}.jsonl"), &text);
    }
    let manifest = format!(
        "{{\"schema\":1,\"device\":\"{device}\",\"user\":\"E\",\"prefix\":\"e\",\"program\":\"x\",\"tip\":{TAGS},\"floor\":0,\"seen\":{{}}}}\n"
    );
    file("log.json", &manifest);
    let tree = made_tree(&world, &listing);
    let who = ["-c", "user.name=e", "-c", "user.email=e@example.org"];
    let commit = git(&[&who[..], &["commit-tree", "-m", "x", &tree]].concat());
    git(&["update-ref", &format!("refs/metis/log/{device}"), &commit]);

    assert_eq!(sync(&web).0, TAGS as u64 + 1);
    let documents = json(&web, &["list"])["documents"].clone();
    let of = |code: &str| {
        let all = documents.as_array().unwrap();
        all.iter().find(|it| it["code"] == code).unwrap()["shared_tags"].clone()
    };
    assert_eq!(of("API-T-0001").as_array().unwrap().len(), 200);
    assert_eq!(of("WEB-T-0001"), serde_json::json!(["urgent"]));
    for args in [
        &["search", "title"][..],
        &["query", "workspace", "api"],
        &["show", "API-T-0001"],
        &["board", "b.html"],
    ] {
        web.run(args).success();
    }
    let urgent = json(&web, &["list", "--tag", "urgent"])["documents"].clone();
    assert_eq!(urgent.as_array().unwrap().len(), 1, "{urgent}");
}

/// A folder of central with these entries.
fn made_tree(world: &World, listing: &str) -> String {
    let path = world.root().join("listing");
    std::fs::write(&path, listing).unwrap();
    let mut shell = std::process::Command::new("sh");
    shell
        .arg("-c")
        .arg(format!("git mktree < {}", path.display()))
        .current_dir(&world.central.dir);
    run(shell).success().trim().to_owned()
}
