//! Agents: `git metis-sync mcp`, spoken to line by line, and by a client that nobody here wrote.

mod clients;
mod linked;
mod protocol;
mod records;
mod together;

use std::{
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use serde_json::{Value, json};

use crate::support::{workspace::Workspace, world::World};

/// A server and its two ends.
struct Server {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    last: u64,
}

impl Server {
    /// One that was greeted as clients of before 2026-07-28 do.
    fn start(command: Command) -> Self {
        let mut server = Server::ungreeted(command);
        server.greet();
        server
    }

    fn ungreeted(mut command: Command) -> Self {
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut child = command.spawn().expect("it can be started");
        Server {
            input: child.stdin.take(),
            output: BufReader::new(child.stdout.take().expect("it is piped")),
            child,
            last: 0,
        }
    }

    fn greet(&mut self) {
        let client = json!({ "name": "test", "version": "1" });
        let hello = json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": client });
        let greeted = self.ask("initialize", &hello);
        assert_eq!(greeted["result"]["serverInfo"]["name"], "git-metis-sync", "{greeted}");
        self.notify("initialized", &json!({}));
    }

    fn notify(&mut self, what: &str, params: &Value) {
        let method = format!("notifications/{what}");
        self.say(json!({ "jsonrpc": "2.0", "method": method, "params": params }).to_string());
    }

    fn of(workspace: &Workspace) -> Self {
        Server::start(workspace.metis_sync(&["mcp"]))
    }

    fn say(&mut self, line: impl AsRef<[u8]>) {
        let input = self.input.as_mut().expect("it is open");
        let line = [line.as_ref(), b"\n"].concat();
        input.write_all(&line).expect("it listens");
    }

    fn hear(&mut self) -> Value {
        let mut line = String::new();
        self.output.read_line(&mut line).expect("it is text");
        serde_json::from_str(&line).unwrap_or_else(|err| panic!("{err}: {line:?}"))
    }

    fn send(&mut self, method: &str, params: &Value) -> u64 {
        self.last += 1;
        let id = self.last;
        self.say(json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }).to_string());
        id
    }

    fn ask(&mut self, method: &str, params: &Value) -> Value {
        let id = self.send(method, params);
        loop {
            let heard = self.hear();
            if heard["id"] == id {
                return heard;
            }
        }
    }

    /// A tool's result.
    fn call(&mut self, tool: &str, arguments: &Value) -> Value {
        let params = json!({ "name": tool, "arguments": arguments });
        self.ask("tools/call", &params)["result"].take()
    }

    /// What a tool answers that must not fail.
    fn answer(&mut self, tool: &str, arguments: &Value) -> Value {
        let mut result = self.call(tool, arguments);
        assert_eq!(result["isError"], false, "{result}");
        result["structuredContent"].take()
    }

    /// What is said of a failure.
    fn failure(&mut self, tool: &str, arguments: &Value) -> Value {
        let mut result = self.call(tool, arguments);
        assert_eq!(result["isError"], true, "{result}");
        assert!(
            result["content"][0]["text"].as_str().unwrap().starts_with("error: "),
            "{result}"
        );
        result["structuredContent"]["error"].take()
    }

    /// Ends its input, and says what it wrote after that and how it ended.
    fn end(mut self) -> (Vec<Value>, Option<i32>) {
        drop(self.input.take());
        let mut rest = Vec::new();
        for line in (&mut self.output).lines() {
            rest.push(serde_json::from_str(&line.unwrap()).expect("each line is one message"));
        }
        (rest, self.child.wait().expect("it was started").code())
    }
}

#[test]
fn an_agent_syncs_finds_and_reads() {
    let world = World::new();
    let (api, web) = (world.workspace("api"), world.workspace("web"));
    api.write(
        "API-T-0001",
        "Pelicans \u{202e}\u{e0041}and\u{e0155}\u{fe02}\u{3164} keys.\n",
    );
    web.write("WEB-T-0001", "A form.\n");
    api.sync().report();
    let mut server = Server::of(&web);
    let missing = server.failure("search", &json!({ "text": "pelicans" }));
    assert_eq!(
        (&missing["stop"], &missing["exit"]),
        (&"not-built".into(), &1.into()),
        "{missing}"
    );
    assert_eq!(missing["command"], "git metis-sync rebuild-cache");

    let planned = server.answer("sync_data", &json!({ "dry_run": true }));
    assert_eq!(planned["outcome"], "planned");
    let synced = server.answer("sync_data", &json!({}));
    assert_eq!(synced["outcome"], "synced");
    assert_eq!(synced["workspaces_synced"], json!(["api"]));
    assert_eq!(
        (&synced["documents_pulled"], &synced["documents_pushed"]),
        (&1.into(), &json!(["WEB-T-0001"]))
    );
    assert!(synced["duration_seconds"].is_f64(), "{synced}");
    assert_eq!(server.answer("sync_data", &json!({}))["outcome"], "up-to-date");

    let found = server.answer("search", &json!({ "text": "\"pelicans\" (key*" }));
    assert_eq!(found["documents"][0]["code"], "API-T-0001", "{found}");
    assert!(
        found["as_of"]["head"].is_string() && found["note"].is_string(),
        "{found}"
    );
    let read = server.answer("read", &json!({ "code": "api-t-0001" }));
    let text = read["text"].as_str().unwrap();
    assert!(
        text.contains("Pelicans \\u{202e}\\u{e0041}and\\u{e0155}\\u{fe02}\\u{3164} keys."),
        "a model reads what a person would see: {text}"
    );
    let workspaces = server.answer("query", &json!({ "question": "workspaces" }));
    assert_eq!(workspaces["answer"][0]["prefix"], "web");
    assert!(server.answer("query", &json!({ "question": "upstream", "code": "WEB-T-0001" }))["answer"].is_object());
    assert_eq!(server.answer("status", &json!({}))["state"], "up-to-date");
    web.edit("WEB-T-0001", "More.\n");
    let diff = server.answer("diff", &json!({ "side": "local" }));
    assert!(
        diff["documents"][0]["diff"].as_str().unwrap().contains("+More."),
        "{diff}"
    );
    assert_eq!(
        server.answer("log", &json!({ "limit": 1 }))["entries"][0]["trigger"],
        "mcp"
    );
    assert_eq!(server.end(), (vec![], Some(0)));
}

/// Conduits are synced with the documents, and seen.
#[test]
fn conduits_are_seen_and_synced() {
    let world = World::new();
    let api = world.workspace("api");
    for side in ["left", "right"] {
        std::fs::create_dir(api.dir.join(side)).expect("temp folder is writable");
    }
    api.run(&["conduit", "add", "notes", "left", "right"]).success();
    std::fs::write(api.dir.join("left/a"), "1").expect("temp folder is writable");
    let mut server = Server::of(&api);
    server.answer("sync_data", &json!({ "pull_only": true }));
    let status = server.answer("status", &json!({}));
    assert_eq!(status["workspace"], "api");
    assert_eq!(status["conduits"][0]["plan"]["copied"]["beta"], 1, "{status}");
    let synced = server.answer("sync_data", &json!({}));
    assert_eq!(synced["conduits"][0]["status"], "verified", "{synced}");
    assert!(api.dir.join("right/a").exists());
    let status = server.answer("status", &json!({ "offline": true }));
    assert_eq!(status["conduits"][0]["plan"]["status"], "in-step", "{status}");
}

#[test]
fn a_guard_stops_an_agent_and_names_what_a_person_runs() {
    let world = World::new();
    let api = world.workspace("api");
    for number in 1..=8 {
        api.write(&format!("API-T-000{number}"), "Text.\n");
    }
    api.sync().report();
    for number in 1..=7 {
        api.delete(&format!("API-T-000{number}"));
    }
    let before = world.central.log();
    let mut server = Server::of(&api);
    for overriding in ["force", "allow_deletes", "adopt_central", "nuke"] {
        let refused = server.failure("sync_data", &json!({ (overriding): true }));
        assert_eq!(
            (&refused["kind"], &refused["exit"]),
            (&"usage".into(), &2.into()),
            "{refused}"
        );
    }
    let stopped = server.failure("sync_data", &json!({}));
    assert_eq!(
        (&stopped["kind"], &stopped["exit"]),
        (&"deletes".into(), &3.into()),
        "{stopped}"
    );
    assert_eq!(stopped["command"], "git metis-sync sync --allow-deletes");
    assert_eq!(stopped["needs_a_person"], true);
    assert_eq!(world.central.log(), before);
    for (tool, arguments) in [
        ("sync_data", json!({ "workspaces": ["No Such"] })),
        ("read", json!({ "code": "NO-T-0001" })),
        ("read", json!({ "code": "\u{1b}[2J" })),
        ("query", json!({ "question": "children" })),
        ("query", json!({ "question": "why" })),
        ("search", json!({ "text": 7 })),
        ("search", json!({ "text": "x", "workspaces": ["ops"] })),
    ] {
        let failure = server.failure(tool, &arguments);
        assert!(!failure["message"].as_str().unwrap().contains('\u{1b}'), "{failure}");
        assert!(!failure["next"].as_str().unwrap().is_empty(), "{failure}");
    }
    assert_eq!(server.answer("status", &json!({}))["workspace"], "api");
}

#[test]
fn where_there_is_no_workspace_each_call_says_so() {
    let world = World::new();
    let api = world.workspace("api");
    let elsewhere = api.home.join("elsewhere");
    std::fs::create_dir(&elsewhere).expect("temp folder is writable");
    let mut command = api.program(env!("CARGO_BIN_EXE_git-metis-sync"));
    command.arg("-C").arg(&elsewhere).arg("mcp");
    let mut server = Server::start(command);
    let failure = server.failure("status", &json!({}));
    assert_eq!(failure["stop"], "no-workspace");
    let state = failure["state"].as_str().unwrap();
    assert!(state.contains("elsewhere") && state.contains("-C DIR"), "{failure}");
    // Looked up for each call: it is found once it is there.
    std::fs::create_dir(elsewhere.join(".metis")).expect("temp folder is writable");
    std::fs::copy(api.metis().join("config.toml"), elsewhere.join(".metis/config.toml")).expect("it is there");
    assert_eq!(server.answer("status", &json!({}))["workspace"], "api");
}

#[test]
fn a_server_that_only_pulls_pushes_nothing() {
    let world = World::new();
    let (api, web) = (world.workspace("api"), world.workspace("web"));
    api.write("API-T-0001", "Text.\n");
    web.write("WEB-T-0001", "Text.\n");
    api.sync().report();
    let before = world.central.log();
    let mut server = Server::start(web.metis_sync(&["mcp", "--pull-only"]));
    let synced = server.answer("sync_data", &json!({}));
    assert_eq!(
        (&synced["documents_pulled"], &synced["documents_pushed"]),
        (&1.into(), &json!([])),
        "{synced}"
    );
    assert_eq!(world.central.log(), before);
}
