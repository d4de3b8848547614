//! The tests that the guide asks of a system like this: state and log, conflict, partition, resuming, pruning.

use serde_json::Value;

use super::{device, dump, json, log_refs, over_every_transport, sync, two, two_on, unpublished};
use crate::support::{document::document, point::Point, workspace::Workspace, world::World};

/// What each owns and what both write, over every transport, in one push.
#[test]
fn documents_and_records_reach_the_other() {
    over_every_transport(|world, remote| {
        let (api, web) = two_on(world, remote);
        api.edit("API-T-0001", "More.");
        json(&api, &["tag", "add", "WEB-T-0001", "urgent", "#later"]);
        json(&api, &["note", "add", "WEB-T-0001", "Is this still true?"]);
        assert_eq!(unpublished(&api), 5);
        let before = world.central.log().len();
        let report = json(&api, &["sync"]);
        assert_eq!(
            (report["records"]["published"].as_u64(), &report["pushed"][0]),
            (Some(5), &"API-T-0001".into())
        );
        assert_eq!((unpublished(&api), world.central.log().len()), (0, before + 1));
        assert_eq!(sync(&web), (5, 0), "over {}", remote.url);
        assert_eq!(dump(&web), dump(&api));
        assert_eq!(web.hydrated("api"), world.central.folder("api"));
        json(&web, &["tag", "rm", "WEB-T-0001", "urgent"]);
        assert_eq!(sync(&web), (0, 1));
        assert_eq!(sync(&api), (1, 0));
        assert_eq!(dump(&web), dump(&api));
        assert!(
            dump(&api).contains("later") && !dump(&api).contains("urgent"),
            "{}",
            dump(&api)
        );
        assert_eq!(log_refs(world).len(), 2);
        // Web has said with its own record that it has all of api's, and api has nothing to say since.
        let has = |workspace| json(workspace, &["record", "status"])["devices"][0]["has"].clone();
        assert_eq!((has(&api), has(&web)), (5.into(), Value::Null));
        let said = api.run(&["record", "status"]).success();
        assert!(said.contains("1 of 1 other devices have said"), "{said}");
        world.central.fsck_strict();
    });
}

/// Both edit one field, and different ones; in both orders, over every transport.
#[test]
fn concurrent_edits_come_to_the_same_and_lose_nothing_else() {
    for web_first in [false, true] {
        over_every_transport(|world, remote| edit_at_once(&two_on(world, remote), web_first));
    }
}

fn edit_at_once((api, web): &(Workspace, Workspace), web_first: bool) {
    for (workspace, colour, own) in [(api, "red", "text"), (web, "blue", "gone")] {
        json(
            workspace,
            &[
                "record", "set", "tagdef", "urgent", "--field", "colour", "--value", colour,
            ],
        );
        let value = if own == "gone" { "true" } else { "as it says" };
        json(
            workspace,
            &["record", "set", "tagdef", "other", "--field", own, "--value", value],
        );
    }
    let order = if web_first { [web, api, web] } else { [api, web, api] };
    for workspace in order {
        sync(workspace);
    }
    assert_eq!(dump(api), dump(web));
    let records = json(api, &["record", "list"])["records"].clone();
    let shown: Vec<String> = records
        .as_array()
        .unwrap()
        .iter()
        .map(|record| record["value"].to_string())
        .collect();
    // Of the two colours it is the later one, which web wrote.
    assert_eq!(shown, ["true", "\"as it says\"", "\"blue\""]);
    for workspace in [api, web] {
        assert_eq!(sync(workspace), (0, 0), "a second sync sends nothing");
    }
}

/// Central out of reach, both go on writing, and a third one joins afterwards; over every transport.
#[test]
fn a_partition_heals() {
    over_every_transport(|world, remote| {
        let (api, web) = two_on(world, remote);
        let away = world.root().join("away.git");
        std::fs::rename(&world.central.dir, &away).unwrap();
        for (workspace, letter) in [(&api, "a"), (&web, "w")] {
            for number in 0..25 {
                let tags: Vec<String> = (0..4).map(|n| format!("{letter}{number}-{n}")).collect();
                let tags: Vec<&str> = tags.iter().map(String::as_str).collect();
                json(workspace, &[&["tag", "add", "API-T-0001"], &tags[..]].concat());
                json(workspace, &["tag", "rm", "API-T-0001", tags[0]]);
            }
            assert_ne!(workspace.run(&["sync"]).code, Some(0));
            assert_eq!(unpublished(workspace), 125);
        }
        std::fs::rename(&away, &world.central.dir).unwrap();
        assert_eq!(sync(&api), (0, 125));
        assert_eq!(sync(&web), (125, 125));
        assert_eq!(sync(&api), (125, 0));
        let ops = world.workspace_on("ops", remote);
        assert_eq!(sync(&ops), (250, 0));
        assert_eq!(dump(&api), dump(&web));
        assert_eq!(dump(&api), dump(&ops));
        assert_eq!(
            json(&ops, &["record", "list", "tag"])["records"]
                .as_array()
                .unwrap()
                .len(),
            150
        );
    });
}

/// Only what was published is taken up, and each entry once, however the syncs are cut, by a peer that was away, too; over every
/// transport.
#[test]
fn what_was_taken_up_is_not_taken_up_again() {
    over_every_transport(|world, remote| {
        let (api, web) = two_on(world, remote);
        let mut whole = 0;
        for round in 0..3 {
            for number in 0..4 {
                let tags: Vec<String> = (0..50).map(|n| format!("t{round}-{number}-{n}")).collect();
                let tags: Vec<&str> = tags.iter().map(String::as_str).collect();
                json(&api, &[&["tag", "add", "API-T-0001"], &tags[..]].concat());
            }
            whole += 200;
            assert_eq!(sync(&api), (0, 200));
            if round != 1 {
                let before = json(&web, &["record", "status"])["devices"][0]["entries"]
                    .as_u64()
                    .unwrap_or(0);
                assert_eq!(sync(&web).0, whole - before);
            }
        }
        let status = json(&web, &["record", "status"]);
        assert_eq!(status["devices"][0]["entries"], whole);
        assert_eq!(status["devices"][0]["device"], device(&api).as_str());
        assert_eq!(dump(&api), dump(&web));
    });
}

/// Somebody else's documents land between our listing and our push: the log goes through all the same.
#[test]
fn a_lost_race_holds_no_records_back() {
    let world = World::new();
    let (api, web) = two(&world);
    api.edit("API-T-0001", "More.");
    json(&api, &["tag", "add", "API-T-0001", "urgent"]);
    let landing = world
        .central
        .landing("ops/OPS-T-0001.md", document("OPS-T-0001", "Ops", "More."));
    world.points.command(Point::BeforePush, &landing);
    let report = json(&api, &["sync"]);
    assert_eq!(
        (report["retries"].as_u64(), report["records"]["published"].as_u64()),
        (Some(1), Some(1))
    );
    assert_eq!(sync(&api), (0, 0));
    assert_eq!(sync(&web).0, 1);
    assert_eq!(dump(&api), dump(&web));
}

/// Both overwrite the same records again and again, until each log is compacted; whoever comes then, at every step, sees the same;
/// over every transport.
#[test]
fn logs_that_are_compacted_show_everybody_the_same() {
    over_every_transport(|world, remote| {
        let (api, web) = two_on(world, remote);
        let tags: Vec<String> = (0..100).map(|number| format!("tag-{number}")).collect();
        let tags: Vec<&str> = tags.iter().map(String::as_str).collect();
        for round in 0..8 {
            for (number, workspace) in [&api, &web].into_iter().enumerate() {
                let verb = if (round + number) % 2 == 0 { "add" } else { "rm" };
                json(workspace, &[&["tag", verb, "API-T-0001"], &tags[round..]].concat());
                sync(workspace);
                let newcomer = world.workspace_on(&format!("new-{round}-{number}"), remote);
                sync(&newcomer);
                assert_eq!(dump(&newcomer), dump(workspace), "round {round} over {}", remote.url);
            }
        }
        for workspace in [&api, &web, &api] {
            sync(workspace);
        }
        assert_eq!(dump(&api), dump(&web));
        for log in log_refs(world) {
            let files = world.central.git(&["ls-tree", "--name-only", &log]);
            assert!(files.contains("snap.jsonl"), "{files}");
        }
        world.central.fsck_strict();
    });
}
