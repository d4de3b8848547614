//! How many files, folders and bytes there may be, and which numbers may be asked for.

use std::fs;

use super::synced;
use crate::support::{workspace::Workspace, world::World};

/// A central of a few kilobytes: `workspaces` folders that are one tree of `documents` empty files.
fn bomb(world: &World, workspaces: usize, documents: usize) {
    let central = &world.central;
    let empty = world.root().join("empty");
    fs::write(&empty, "").unwrap();
    let blob = central.git(&["hash-object", "-w", empty.to_str().unwrap()]);
    let index = world.root().join("index");
    let list = world.root().join("list");
    let mut lines = String::new();
    for workspace in 0..workspaces {
        for document in 0..documents {
            lines += &format!("100644 {}\tw{workspace}/WEB-T-{document:04}.md\n", blob.trim());
        }
    }
    fs::write(&list, lines).unwrap();
    let script = format!(
        "GIT_INDEX_FILE={0} git update-index --add --index-info <{1} && \
         git update-ref refs/heads/main $(git commit-tree -m x $(GIT_INDEX_FILE={0} git write-tree))",
        index.display(),
        list.display()
    );
    central.git(&["-c", &format!("alias.bomb=!{script}"), "bomb"]);
}

fn configure(workspace: &Workspace, lines: &str) {
    workspace.put("config.toml", format!("{}{lines}\n", workspace.config()));
}

fn files(workspace: &Workspace) -> usize {
    let folders = fs::read_dir(workspace.metis()).unwrap();
    let names = folders.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let theirs = names.filter(|name| name.starts_with('w'));
    theirs.map(|name| workspace.hydrated(&name).len()).sum()
}

#[test]
fn each_file_counts_as_four_kilobytes_at_least() {
    let world = World::new();
    bomb(&world, 6, 50);
    let api = world.workspace("api");
    configure(&api, "limits.total_bytes = 100000");
    let report = api.sync().report();
    let said = report.warnings.join("\n");
    assert!(said.contains("raise sync.limits.total_bytes"), "{said}");
    let written: u32 = report.pulled.values().map(|pulled| pulled.written).sum();
    assert_eq!(written, 100_000 / 4096);
    let more: u32 = api.sync().report().pulled.values().map(|pulled| pulled.written).sum();
    assert_eq!(more, 100_000 / 4096, "the next sync goes on");
}

#[test]
fn workspaces_and_documents_of_a_sync_are_limited() {
    let world = World::new();
    bomb(&world, 5, 10);
    let api = world.workspace("api");
    configure(&api, "limits.workspaces = 3\nlimits.entries = 25");
    let report = api.sync().report();
    let said = report.warnings.join("\n");
    assert!(
        said.contains("central has more than 3 other workspaces; 2 were left out, w3/ first")
            && said.contains("raise sync.limits.entries"),
        "{said}"
    );
    assert_eq!(files(&api), 20);
    api.sync().report();
    assert_eq!(
        files(&api),
        30,
        "the third one comes with the next sync, the others not at all"
    );
    let config = api
        .config()
        .replace("workspaces = 3", "workspaces = 30")
        .replace("entries = 25", "entries = 2500");
    api.put("config.toml", config);
    assert_eq!(api.sync().report().warnings, Vec::<String>::new());
    assert_eq!(files(&api), 50);
    api.put("config.toml", api.config().replace("workspaces = 30", "workspaces = 1"));
    api.sync().report();
    assert_eq!(files(&api), 50, "what is here is not removed");
}

#[test]
fn no_number_is_too_large_for_words() {
    let world = World::new();
    let api = synced(&world, "api");
    let config = api.config();
    let most = i64::MAX;
    for key in [
        "deadline_seconds",
        "max_retries",
        "limits.blob_bytes",
        "limits.entries",
        "limits.workspaces",
        "limits.total_bytes",
        "hooks.deadline_seconds",
    ] {
        api.put("config.toml", format!("{config}{key} = {most}\n"));
        for args in [
            &["sync"][..],
            &["status"],
            &["verify"],
            &["diff"],
            &["doctor"],
            &["hooks", "run", "pre-push"],
        ] {
            let finished = api.run(args);
            let said = format!("{}{}", finished.stderr, String::from_utf8_lossy(&finished.stdout));
            assert!(finished.code.is_some_and(|code| code <= 7), "{}", finished.transcript());
            assert!(
                said.contains(&format!("sync.{key} must be a whole number")),
                "{}",
                finished.transcript()
            );
        }
    }
    let largest = "deadline_seconds = 86400\nmax_retries = 1000\nlimits.blob_bytes = 1073741824\nlimits.entries = 10000000\n\
                   limits.workspaces = 10000000\nlimits.total_bytes = 1099511627776\nhooks.deadline_seconds = 86400\n";
    api.put("config.toml", format!("{config}{largest}"));
    api.sync().report();
    api.run(&["log", "-n", &u64::MAX.to_string()]).success();
    assert_eq!(api.run(&["sync", "--max-retries", "4294967295"]).code, Some(2));
    assert_eq!(api.run(&["sync", "--max-retries", "1000"]).code, Some(0));
}
