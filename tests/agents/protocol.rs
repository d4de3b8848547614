//! What the protocol has beside calls: two eras, progress, cancelling, and lines that nobody should send.

use serde_json::{Value, json};

use super::Server;
use crate::support::{point::Point, process::eventually, world::World};

/// What each request of the era since 2026-07-28 says of itself: there is no greeting.
fn since_2026() -> Value {
    json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": { "name": "test", "version": "1" },
        "io.modelcontextprotocol/clientCapabilities": {},
    })
}

fn sync_data() -> Value {
    json!({ "name": "sync_data", "arguments": {} })
}

/// What makes no sense is passed over or refused, and the next call is answered.
const NONSENSE: [&[u8]; 26] = [
    b"{nope",
    b"null",
    b"[]",
    b"",
    b"\xff\xfe\x00",
    b"\x1b[2J",
    b"[{\"jsonrpc\":\"2.0\",\"id\":90,\"method\":\"ping\"}]",
    b"{\"jsonrpc\":\"2.0\"}",
    b"{\"jsonrpc\":\"1.0\",\"id\":91,\"method\":\"ping\"}",
    b"{\"id\":92,\"method\":\"ping\"}",
    b"{\"jsonrpc\":\"2.0\",\"id\":null,\"method\":\"ping\"}",
    b"{\"jsonrpc\":\"2.0\",\"id\":1.5,\"method\":\"ping\"}",
    b"{\"jsonrpc\":\"2.0\",\"id\":{},\"method\":\"ping\"}",
    b"{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"method\":\"no/such\"}",
    b"{\"jsonrpc\":\"2.0\",\"id\":\"b\",\"method\":\"tools/call\"}",
    b"{\"jsonrpc\":\"2.0\",\"id\":\"c\",\"method\":\"tools/call\",\"params\":[1]}",
    b"{\"jsonrpc\":\"2.0\",\"id\":\"d\",\"method\":\"tools/call\",\"params\":{\"name\":3}}",
    b"{\"jsonrpc\":\"2.0\",\"id\":\"e\",\"method\":\"tools/call\",\"params\":{\"name\":\"nuke\"}}",
    b"{\"jsonrpc\":\"2.0\",\"id\":\"f\",\"method\":\"tools/call\",\"params\":{\"name\":\"search\",\"arguments\":\"x\"}}",
    b"{\"jsonrpc\":\"2.0\",\"id\":\"g\",\"method\":\"tools/call\",\"params\":{\"name\":\"search\",\"arguments\":null}}",
    b"{\"jsonrpc\":\"2.0\",\"id\":\"h\",\"method\":\"tools/call\",\"params\":{\"name\":\"re\\u0000ad\",\"arguments\":{}}}",
    b"{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":{\"requestId\":99}}",
    b"{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":{\"requestId\":[]}}",
    b"{\"jsonrpc\":\"2.0\",\"method\":\"notifications/no-such\"}",
    b"{\"jsonrpc\":\"2.0\",\"id\":5,\"result\":{}}",
    b"{\"jsonrpc\":\"2.0\",\"id\":5,\"error\":{\"code\":1,\"message\":\"x\"}}",
];

/// Whatever comes in, the next call is answered, and what was asked before the end of input is answered after it.
#[test]
fn nothing_that_comes_in_ends_the_server() {
    let world = World::new();
    let api = world.workspace("api");
    api.write("API-T-0001", "Text.\n");
    let mut server = Server::of(&api);
    for line in NONSENSE {
        server.say(line);
        assert!(server.ask("ping", &json!({}))["result"].is_object(), "{line:?}");
    }
    // Deeper than anybody reads, and larger than anybody should send.
    server.say("[".repeat(100_000));
    server.say("x".repeat(20_000_000));
    assert_eq!(server.answer("sync_data", &json!({}))["outcome"], "synced");
    let ids: Vec<u64> = (0..4).map(|_| server.send("tools/call", &sync_data())).collect();
    let (rest, code) = server.end();
    assert_eq!(code, Some(0));
    for id in ids {
        let answer = rest.iter().find(|answer| answer["id"] == id);
        let outcome = answer.map(|answer| &answer["result"]["structuredContent"]["outcome"]);
        assert_eq!(outcome, Some(&"up-to-date".into()), "{rest:?}");
    }
}

/// The same before a client has said who it is.
#[test]
fn nor_does_it_before_anything_was_asked() {
    let world = World::new();
    let api = world.workspace("api");
    for first in NONSENSE {
        let mut server = Server::ungreeted(api.metis_sync(&["mcp"]));
        server.say(first);
        server.notify("initialized", &json!({}));
        server.greet();
        assert!(server.ask("tools/list", &json!({}))["result"]["tools"].is_array());
        assert_eq!(server.end().1, Some(0), "{}", String::from_utf8_lossy(first));
    }
    assert_eq!(Server::ungreeted(api.metis_sync(&["mcp"])).end(), (vec![], Some(0)));
}

/// Clients of both eras, and one that asks what there is before it decides.
#[test]
fn both_eras_are_spoken() {
    let world = World::new();
    let api = world.workspace("api");
    api.write("API-T-0001", "Text.\n");
    for version in ["2024-11-05", "2025-06-18", "2025-11-25"] {
        let mut server = Server::ungreeted(api.metis_sync(&["mcp"]));
        let client = json!({ "name": "test", "version": "1" });
        let hello = json!({ "protocolVersion": version, "capabilities": {}, "clientInfo": client });
        assert_eq!(server.ask("initialize", &hello)["result"]["protocolVersion"], version);
        server.notify("initialized", &json!({}));
        let synced = server.answer("sync_data", &json!({}));
        assert!(
            ["synced", "up-to-date"].contains(&synced["outcome"].as_str().unwrap()),
            "{synced}"
        );
    }
    let mut server = Server::ungreeted(api.metis_sync(&["mcp"]));
    let discovered = server.ask("server/discover", &json!({ "_meta": since_2026() }));
    let versions = &discovered["result"]["supportedVersions"];
    assert!(
        versions.as_array().unwrap().contains(&"2026-07-28".into()),
        "{discovered}"
    );
    let listed = server.ask("tools/list", &json!({ "_meta": since_2026() }));
    assert_eq!(listed["result"]["tools"].as_array().map(Vec::len), Some(10), "{listed}");
    let mut call = sync_data();
    call["_meta"] = since_2026();
    let called = server.ask("tools/call", &call);
    assert_eq!(
        called["result"]["structuredContent"]["outcome"], "up-to-date",
        "{called}"
    );
    // A request that says nothing of itself is refused, and the next one is answered.
    let bare = server.ask("tools/call", &sync_data());
    assert!(bare["error"]["message"].is_string(), "{bare}");
    assert!(server.ask("tools/list", &json!({ "_meta": since_2026() }))["result"].is_object());
}

/// A client that does not want it any more: the sync ends, nothing is answered, and the workspace is free for the next one.
#[test]
fn a_call_is_cancelled() {
    let world = World::new();
    let api = world.workspace("api");
    api.write("API-T-0001", "Text.\n");
    let mut server = Server::of(&api);
    let mut gate = world.points.gate(Point::BeforePush);
    let id = server.send("tools/call", &sync_data());
    gate.wait();
    server.notify("cancelled", &json!({ "requestId": id, "reason": "of this test" }));
    eventually("the end of the sync", || {
        std::fs::read(api.metis().join(".sync/lock")).is_ok_and(|holder| holder.is_empty())
    });
    gate.open();
    assert_eq!(world.central.folder("api").len(), 0);
    let last = server.answer("log", &json!({ "limit": 1 }));
    assert_eq!(last["entries"][0]["outcome"], "failed", "{last}");
    assert_eq!(server.answer("sync_data", &json!({}))["outcome"], "synced");
    let (rest, code) = server.end();
    assert!((rest.is_empty(), code) == (true, Some(0)), "{rest:?}");
}

/// Whoever gives a token hears of each step, and each goes forward.
#[test]
fn progress_is_told() {
    let world = World::new();
    let api = world.workspace("api");
    api.write("API-T-0001", "Text.\n");
    let mut server = Server::of(&api);
    let mut gate = world.points.gate(Point::BeforePush);
    let mut call = sync_data();
    call["_meta"] = json!({ "progressToken": "t" });
    let id = server.send("tools/call", &call);
    gate.wait();
    let mut steps = Vec::new();
    while !steps
        .iter()
        .any(|(_, message): &(f64, String)| message.contains("push"))
    {
        let heard = server.hear();
        assert_eq!(heard["method"], "notifications/progress", "{heard}");
        assert_eq!(heard["params"]["progressToken"], "t", "{heard}");
        let message = heard["params"]["message"].as_str().unwrap().to_owned();
        steps.push((heard["params"]["progress"].as_f64().unwrap(), message));
    }
    gate.open();
    assert!(steps.is_sorted_by(|one, other| one.0 < other.0), "{steps:?}");
    loop {
        let heard = server.hear();
        if heard["id"] == id {
            assert_eq!(heard["result"]["structuredContent"]["outcome"], "synced", "{heard}");
            break;
        }
    }
}

/// Without a token a client gives up after a minute, so a call ends before that; with one it lasts, with a sign of life each ten
/// seconds.
#[test]
#[ignore = "takes a minute"]
fn a_central_that_does_not_answer() {
    let world = World::new();
    let api = world.workspace("api");
    api.write("API-T-0001", "Text.\n");
    let mut server = Server::of(&api);
    let mut gate = world.points.gate(Point::BeforePush);
    let failure = server.failure("sync_data", &json!({}));
    gate.wait();
    gate.open();
    assert_eq!(
        (&failure["kind"], &failure["stop"]),
        (&"timeout".into(), &"out-of-time".into()),
        "{failure}"
    );

    let mut gate = world.points.gate(Point::BeforePush);
    let mut call = sync_data();
    call["_meta"] = json!({ "progressToken": 7 });
    let id = server.send("tools/call", &call);
    gate.wait();
    let mut last = Value::Null;
    // The same step, told again.
    loop {
        let heard = server.hear();
        let message = heard["params"]["message"].clone();
        if message == last {
            break;
        }
        last = message;
    }
    gate.open();
    while server.hear()["id"] != id {}
}
