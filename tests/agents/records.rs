//! Tags, notes and the queue of tasks, as agents use them.

use std::fs;

use serde_json::json;

use super::Server;
use crate::support::world::World;

#[test]
fn agents_tag_note_and_take_tasks() {
    let world = World::new();
    let (api, web) = (world.workspace("api"), world.workspace("web"));
    for number in 1..=2 {
        api.write(&format!("API-T-{number:04}"), "To do.");
    }
    api.sync().report();
    web.sync().report();
    let (mut one, mut two) = (Server::of(&web), Server::of(&api));
    let tagged = one.answer("tag", &json!({ "code": "api-t-0001", "add": ["#urgent", "later"] }));
    assert_eq!(tagged["changed"], json!(["later", "urgent"]));
    let tagged = one.answer(
        "tag",
        &json!({ "code": "API-T-0001", "add": ["urgent"], "remove": ["later"] }),
    );
    assert_eq!(tagged["changed"], json!(["later"]));
    one.answer("note", &json!({ "code": "API-T-0001", "text": "Is this still true?" }));
    let found = one.answer("search", &json!({ "text": "title", "tags": ["urgent"] }));
    assert_eq!(
        (&found["total"], &found["documents"][0]["shared_tags"]),
        (&json!(1), &json!(["urgent"]))
    );
    assert_eq!(
        one.answer("status", &json!({ "offline": true }))["records"]["refused"],
        false
    );
    one.answer("sync_data", &json!({}));
    let notes = api.run(&["sync"]);
    assert_eq!(notes.code, Some(0), "{}", notes.transcript());
    let notes = api.run(&["note", "list", "API-T-0001"]).success();
    assert!(notes.contains("Is this still true?"), "{notes}");

    assert_eq!(one.answer("query", &json!({ "question": "ready" }))["total"], 2);
    let first = one.answer("claim", &json!({}));
    assert_eq!(first["document"]["code"], "API-T-0001");
    let held = two.answer("claim", &json!({ "code": "API-T-0001" }));
    assert_eq!(
        (&held["outcome"], &held["holder"]["prefix"]),
        (&json!("held"), &json!("web"))
    );
    assert_eq!(
        two.answer("query", &json!({ "question": "ready" }))["answer"][0]["code"],
        "API-T-0002"
    );
    assert_eq!(two.answer("claim", &json!({}))["document"]["code"], "API-T-0002");
    assert_eq!(two.answer("claim", &json!({}))["outcome"], "none");
    let released = one.answer("claim", &json!({ "code": "API-T-0001", "release": true }));
    assert_eq!(released["outcome"], "done");
    let again = two.answer("claim", &json!({ "code": "API-T-0001" }));
    assert_eq!(again["outcome"], "done");

    for (tool, arguments) in [
        ("tag", json!({ "code": "API-T-0001", "add": [""] })),
        ("tag", json!({ "code": "nonsense" })),
        ("claim", json!({ "release": true })),
    ] {
        assert_eq!(one.failure(tool, &arguments)["kind"], "usage", "{tool} {arguments}");
    }
}

/// Whoever moves it says so.
#[test]
fn an_agent_hears_that_records_of_another_clone_were_moved_aside() {
    let world = World::new();
    let (api, web) = (world.workspace("api"), world.workspace("web"));
    web.run(&["tag", "add", "API-T-0001", "forged"]).success();
    api.sync().report();
    let mut server = Server::of(&api);
    for (number, (tool, arguments)) in [
        ("tag", json!({ "code": "API-T-0001", "add": ["own"] })),
        ("note", json!({ "code": "API-T-0001", "text": "Mine." })),
    ]
    .into_iter()
    .enumerate()
    {
        let file = api.metis().join(".sync/records.db");
        fs::copy(web.metis().join(".sync/records.db"), file).unwrap();
        let said = server.answer(tool, &arguments)["warnings"].to_string();
        let moved = format!("records-{}.db holds records that this clone did not write", number + 1);
        assert!(said.contains(&moved), "{said}");
    }
}

/// A server that never pushes claims nothing. What it writes otherwise waits here for somebody's sync.
#[test]
fn a_server_that_only_pulls_claims_nothing() {
    let world = World::new();
    let api = world.workspace("api");
    api.write("API-T-0001", "To do.");
    api.sync().report();
    let mut server = Server::start(api.metis_sync(&["mcp", "--pull-only"]));
    assert_eq!(server.failure("claim", &json!({}))["kind"], "usage");
    server.answer("tag", &json!({ "code": "API-T-0001", "add": ["urgent"] }));
    server.answer("sync_data", &json!({}));
    assert_eq!(
        server.answer("status", &json!({ "offline": true }))["records"]["unpublished"],
        1
    );
}
