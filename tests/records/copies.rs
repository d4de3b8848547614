//! One log, one writer: copies of a folder, backups, and a central that has lost something.

use std::{fs, process::Command};

use super::{device, dump, json, log_refs, over_every_transport, sync, two, two_on, unpublished};
use crate::support::{process::run, workspace::Workspace, world::World};

fn copy(from: &std::path::Path, to: &std::path::Path) {
    let mut cp = Command::new("cp");
    cp.arg("-r").arg(from).arg(to);
    run(cp).success();
}

/// turso#8129, q2#689, cr-sqlite#145.
#[test]
fn a_copied_folder_writes_under_a_name_of_its_own() {
    let world = World::new();
    let (api, web) = two(&world);
    json(&api, &["tag", "add", "API-T-0001", "published"]);
    sync(&api);
    json(&api, &["tag", "add", "API-T-0001", "pending"]);
    let mut copied = world.workspace("api").beside(&api);
    fs::remove_dir_all(&copied.dir).unwrap();
    copy(&api.dir, &copied.dir);
    copied.prefix = "api".into();
    json(&copied, &["tag", "add", "API-T-0001", "by-the-copy"]);
    assert_ne!(device(&copied), device(&api));
    json(&api, &["tag", "add", "API-T-0001", "by-the-first"]);
    for workspace in [&api, &copied, &web, &api] {
        json(workspace, &["sync"]);
    }
    assert_eq!(log_refs(&world).len(), 2);
    for tag in ["published", "pending", "by-the-copy", "by-the-first"] {
        assert!(dump(&web).contains(tag), "{tag}");
    }
    assert_eq!(dump(&api), dump(&web));
    assert_eq!(dump(&copied), dump(&web));
}

/// A restored backup knows less of its log than central does: it cannot go on with that.
#[test]
fn a_restored_backup_takes_a_new_name() {
    let world = World::new();
    let (api, web) = two(&world);
    json(&api, &["tag", "add", "API-T-0001", "before"]);
    sync(&api);
    let state = api.metis().join(".sync");
    let kept = world.root().join("backup");
    copy(&state, &kept);
    json(&api, &["tag", "add", "API-T-0001", "after"]);
    sync(&api);
    let first = device(&api);
    // As a backup does that writes into the files that are there.
    for name in ["records.db", "records.db-wal", "records.db-shm"] {
        match fs::read(kept.join(name)) {
            Ok(bytes) => fs::write(state.join(name), bytes).unwrap(),
            Err(_) => drop(fs::remove_file(state.join(name))),
        }
    }
    assert_eq!(device(&api), first);
    json(&api, &["tag", "add", "API-T-0001", "restored"]);
    let report = json(&api, &["sync"]);
    assert!(
        report["warnings"].to_string().contains("another copy of this folder"),
        "{report}"
    );
    assert_ne!(device(&api), first);
    assert_eq!(unpublished(&api), 0);
    sync(&web);
    for tag in ["before", "after", "restored"] {
        assert!(dump(&web).contains(tag), "{tag}: {}", dump(&web));
    }
    assert_eq!(dump(&api), dump(&web));
}

/// Records survive a central that lost them.
#[test]
fn the_owner_brings_again_what_central_has_lost() {
    let world = World::new();
    let (api, web) = two(&world);
    let tag = |workspace: &Workspace, tag: &str| drop(json(workspace, &["tag", "add", "API-T-0001", tag]));
    tag(&api, "one");
    sync(&api);
    let [log] = log_refs(&world).try_into().expect("one");
    let early = world.central.git(&["rev-parse", &log]);
    tag(&api, "two");
    sync(&api);
    sync(&web);
    for lost in [Some(early.trim()), None] {
        match lost {
            Some(commit) => world.central.git(&["update-ref", &log, commit]),
            None => world.central.git(&["update-ref", "-d", &log]),
        };
        let report = json(&web, &["sync"]);
        let frozen = report["warnings"].to_string().contains("which was there before");
        assert_eq!(frozen, lost.is_some(), "{report}");
        // It is known to one that only pulls, and sent by the next.
        json(&api, &["sync", "--pull-only"]);
        assert_eq!((unpublished(&api), sync(&api)), (2, (0, 2)));
        assert_eq!(sync(&world.workspace("ops")).0, 2);
        sync(&web);
        assert_eq!(dump(&web), dump(&api));
    }
    world.central.fsck_strict();
}

/// As if a commit or somebody's archive had brought it.
#[test]
fn records_of_another_clone_tell_nothing() {
    let world = World::new();
    let (api, web) = two(&world);
    json(&web, &["tag", "add", "API-T-0001", "forged"]);
    fs::copy(
        web.metis().join(".sync/records.db"),
        api.metis().join(".sync/records.db"),
    )
    .unwrap();
    let report = json(&api, &["sync"]);
    assert!(
        report["warnings"]
            .to_string()
            .contains("holds records that this clone did not write"),
        "{report}"
    );
    assert!(!dump(&api).contains("forged"));
    assert!(api.metis().join(".sync/records-1.db").exists());
    assert_eq!(sync(&api), (0, 0));
}

/// Whoever moves it says so, be that a command that only looks.
#[test]
fn records_of_another_clone_are_not_moved_away_in_silence() {
    let world = World::new();
    let (api, web) = two(&world);
    json(&web, &["tag", "add", "API-T-0001", "forged"]);
    for (number, command) in [&["tag", "add", "API-T-0001", "own"][..], &["tag", "list"]]
        .into_iter()
        .enumerate()
    {
        let file = api.metis().join(".sync/records.db");
        fs::copy(web.metis().join(".sync/records.db"), file).unwrap();
        let said = api.run(command);
        let moved = format!("records-{}.db holds records that this clone did not write", number + 1);
        assert!(
            said.code == Some(0)
                && said.stderr.contains(&moved)
                && !String::from_utf8_lossy(&said.stdout).contains("forged"),
            "{}",
            said.transcript()
        );
    }
}

/// What has no way to say so moves nothing: it finds nothing there, or stops and names what does.
#[test]
fn who_cannot_tell_leaves_the_records_of_another_clone_where_they_are() {
    let world = World::new();
    let (api, web) = two(&world);
    json(&web, &["tag", "add", "API-T-0001", "forged"]);
    let file = api.metis().join(".sync/records.db");
    fs::copy(web.metis().join(".sync/records.db"), &file).unwrap();
    let is_left = || file.exists() && !file.with_file_name("records-1.db").exists();
    for command in [
        &["list"][..],
        &["list", "--tag", "forged"],
        &["search", "title"],
        &["board", "-"],
        &["status", "--offline"],
    ] {
        let said = api.run(command);
        assert!(
            said.code == Some(0) && is_left() && !String::from_utf8_lossy(&said.stdout).contains("forged"),
            "{}",
            said.transcript()
        );
    }
    for command in [&["claim", "API-T-0001"][..], &["release", "API-T-0001"], &["claim"]] {
        let said = api.run(command);
        assert!(
            said.code == Some(1)
                && said
                    .stderr
                    .contains("records.db holds records that this clone did not write")
                && said.stderr.contains("The next sync moves it aside"),
            "{}",
            said.transcript()
        );
        assert!(is_left());
    }
    let report = json(&api, &["sync"]);
    assert!(report["warnings"].to_string().contains("records-1.db"), "{report}");
    assert_eq!(api.run(&["claim", "API-T-0001"]).code, Some(0));
}

#[test]
fn a_damaged_database_keeps_no_documents_back() {
    let world = World::new();
    let (api, _) = two(&world);
    api.edit("API-T-0001", "More.");
    fs::write(api.metis().join(".sync/records.db"), "no database").unwrap();
    let report = json(&api, &["sync"]);
    assert!(
        report["warnings"].to_string().contains("records were left as they are"),
        "{report}"
    );
    assert_eq!(report["pushed"][0], "API-T-0001");
    let said = api.run(&["tag", "add", "API-T-0001", "urgent"]);
    assert!(
        said.code == Some(1) && said.stderr.contains("move"),
        "{}",
        said.transcript()
    );
    fs::remove_file(api.metis().join(".sync/records.db")).unwrap();
    assert_eq!(sync(&api), (0, 0));
}

/// Central is lost and made anew, with nothing in it: each clone brings its own records again, and a newcomer sees all of them.
#[test]
fn records_survive_a_central_made_anew() {
    over_every_transport(|world, remote| {
        let (api, web) = two_on(world, remote);
        json(&api, &["tag", "add", "WEB-T-0001", "of-api"]);
        json(&web, &["note", "add", "API-T-0001", "Of web."]);
        for workspace in [&api, &web, &api] {
            sync(workspace);
        }
        let before = dump(&api);
        for name in world.central.git(&["for-each-ref", "--format=%(refname)"]).lines() {
            world.central.git(&["update-ref", "-d", name]);
        }
        world.central.git(&["prune", "--expire=now"]);
        for workspace in [&api, &web] {
            assert_eq!(workspace.run(&["sync"]).code, Some(3), "over {}", remote.url);
            let adopted = json(workspace, &["sync", "--adopt-central"]);
            assert_eq!(unpublished(workspace), 0, "{adopted}");
        }
        assert_eq!(log_refs(world).len(), 2);
        let ops = world.workspace_on("ops", remote);
        assert_eq!(sync(&ops).0, 4);
        for workspace in [&ops, &api, &web] {
            json(workspace, &["sync"]);
            assert_eq!(dump(workspace), before);
        }
        world.central.fsck_strict();
    });
}
