//! Collections, stars, links and assignments.

use serde_json::{Value, json as value};

use super::{dump, json, sync, two};
use crate::support::{workspace::Workspace, world::World};

fn items(workspace: &Workspace) -> Value {
    json(workspace, &["collection", "show", "release 1"])["collection"]["documents"].clone()
}

#[test]
fn a_collection_keeps_its_order_for_everybody() {
    let world = World::new();
    let (api, web) = two(&world);
    assert!(
        api.run(&["collection", "new", "Release 1"])
            .success()
            .starts_with("Begun: Release 1 (")
    );
    let add = [
        "collection",
        "add",
        "Release 1",
        "API-T-0001",
        "web-t-0001",
        "API-T-0003",
    ];
    assert_eq!(
        api.run(&add).success(),
        "Added: API-T-0001 WEB-T-0001 API-T-0003 in Release 1\n"
    );
    sync(&api);
    sync(&web);
    assert_eq!(items(&web), value!(["API-T-0001", "WEB-T-0001", "API-T-0003"]));
    // Both change it at once.
    json(&api, &["collection", "move", "Release 1", "API-T-0003", "--first"]);
    json(
        &web,
        &["collection", "add", "release 1", "WEB-T-0002", "--before", "WEB-T-0001"],
    );
    json(&web, &["collection", "rm", "Release 1", "API-T-0001"]);
    for workspace in [&api, &web, &api] {
        sync(workspace);
    }
    assert_eq!(items(&api), value!(["API-T-0003", "WEB-T-0002", "WEB-T-0001"]));
    assert_eq!(dump(&api), dump(&web));
    let found = json(&api, &["list", "--collection", "RELEASE 1"])["documents"].clone();
    assert_eq!(
        (&found[0]["code"], &found[0]["collections"]),
        (&value!("WEB-T-0001"), &value!(["Release 1"]))
    );
    for (args, wrong) in [
        (
            &["collection", "move", "Release 1", "API-T-0001", "--first"][..],
            "is not in the collection",
        ),
        (
            &["collection", "add", "Release 1", "A-T-0001", "--after", "A-T-0002"],
            "is not in the collection",
        ),
        (&["collection", "show", "Release 2"], "there is no collection"),
    ] {
        let said = api.run(args);
        assert!(
            said.code == Some(1) && said.stderr.contains(wrong),
            "{}",
            said.transcript()
        );
    }
    json(&web, &["collection", "new", "release 1"]);
    let said = web.run(&["collection", "show", "Release 1"]);
    assert!(said.stderr.contains("several collections"), "{}", said.transcript());
    let id = json(&web, &["collection", "show"])["collections"][0]["id"].clone();
    let id = id.as_str().expect("an id");
    json(&web, &["collection", "rm", &id[..8]]);
    assert_eq!(
        json(&web, &["collection", "show"])["collections"]
            .as_array()
            .map(Vec::len),
        Some(1)
    );
}

/// A star is a person's, on all of that person's devices; each removal is a write that others hear of.
#[test]
fn stars_links_and_assignments_are_shared_and_taken_back() {
    let world = World::new();
    let (api, web) = two(&world);
    assert_eq!(api.run(&["star", "WEB-T-0001"]).success(), "Starred: WEB-T-0001\n");
    assert_eq!(api.run(&["star", "WEB-T-0001"]).success(), "Unchanged: WEB-T-0001\n");
    assert_eq!(
        api.run(&["link", "API-T-0001", "WEB-T-0001", "--kind", "follows"])
            .success(),
        "Linked: API-T-0001 follows WEB-T-0001\n"
    );
    assert_eq!(
        api.run(&["assign", "WEB-T-0001", "@Ann", "Bob"]).success(),
        "Assigned: WEB-T-0001 owner Ann\nAssigned: WEB-T-0001 owner Bob\n"
    );
    sync(&api);
    sync(&web);
    assert_eq!(web.run(&["star"]).success(), "WEB-T-0001\n", "the same user");
    assert_eq!(
        json(&web, &["link", "WEB-T-0001"])["links"],
        value!([{ "from": "API-T-0001", "kind": "follows", "to": "WEB-T-0001" }])
    );
    assert_eq!(web.run(&["link", "WEB-T-0009"]).success(), "");
    let listed = web.run(&["list", "--assigned", "bob"]).success();
    assert!(
        listed.starts_with("WEB-T-0001") && listed.contains(" @Ann @Bob"),
        "{listed}"
    );
    json(&web, &["star", "--rm", "WEB-T-0001"]);
    json(&web, &["link", "--rm", "API-T-0001", "WEB-T-0001", "--kind", "follows"]);
    json(&web, &["assign", "--rm", "WEB-T-0001", "Ann"]);
    assert_eq!(sync(&web), (0, 3), "each of them leaves an entry");
    assert_eq!(sync(&api).0, 3);
    assert_eq!(dump(&api), dump(&web));
    assert_eq!(
        json(&api, &["assign"])["assignments"],
        value!([{ "document": "WEB-T-0001", "kind": "owner", "who": "Bob" }])
    );
    assert_eq!(
        json(&api, &["record", "list"])["records"].as_array().map(Vec::len),
        Some(1)
    );
}

/// spacedrive#3059: what a program makes by itself in each clone doubles.
#[test]
fn a_fresh_device_writes_nothing_by_itself() {
    let world = World::new();
    let (api, web) = two(&world);
    for workspace in [&api, &web] {
        for command in [
            "record list",
            "tag list",
            "collection show",
            "star",
            "link",
            "assign",
            "note list",
        ] {
            json(workspace, &command.split(' ').collect::<Vec<_>>());
        }
        assert_eq!(sync(workspace), (0, 0));
        assert_eq!(json(workspace, &["record", "status"])["written"], 0);
    }
}
