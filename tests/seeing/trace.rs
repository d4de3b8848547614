//! `-v`, `-vv` and `METIS_SYNC_TRACE`: what a run did, and how long each part took.

use std::{collections::BTreeSet, fs, path::Path};

use serde_json::Value;

use crate::support::{
    process::{Finished, run},
    servers::{Access, Nginx},
    workspace::Workspace,
    world::World,
};

fn traced(workspace: &Workspace, trace: impl AsRef<Path>, args: &[&str]) -> Finished {
    let mut command = workspace.metis_sync(args);
    command.env("METIS_SYNC_TRACE", trace.as_ref());
    run(command)
}

/// The lines of a trace in JSON.
fn lines(file: &Path) -> Vec<Value> {
    let text = fs::read_to_string(file).expect("a trace was written");
    let parsed = text.lines().map(|line| serde_json::from_str(line).expect(line));
    parsed.inspect(|line: &Value| assert_eq!(line["schema"], 1)).collect()
}

/// Those that say that a span ended whose path ends with `name`.
fn ends<'a>(lines: &'a [Value], name: &str) -> Vec<&'a Value> {
    let of_it = |line: &&Value| {
        let path = line["span"].as_str().expect("a path");
        line["event"] == "end" && (path == name || path.ends_with(&format!("/{name}")))
    };
    lines.iter().filter(of_it).collect()
}

fn sum(lines: &[&Value], key: &str) -> u64 {
    lines.iter().map(|line| line[key].as_u64().expect("bytes")).sum()
}

/// Text that no compression makes smaller than three quarters.
fn noise(length: usize) -> String {
    let mut state = 1u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        char::from(b'0' + (state >> 26) as u8)
    };
    (0..length).map(|_| next()).collect()
}

/// Whoever wants to know where the time and the bytes went, finds each connection with its exchanges.
#[test]
fn every_connection_and_exchange_has_its_time_and_bytes() {
    let world = World::new();
    let (api, web) = (world.workspace("api"), world.workspace("web"));
    web.write("WEB-T-0001", "Theirs.");
    web.sync().report();
    api.write("API-T-0001", &noise(100_000));
    let about_a_document = 70_000..110_000;

    let file = world.root().join("push.jsonl");
    let ended = traced(&api, &file, &["sync"]);
    assert_eq!(ended.code, Some(0), "{}", ended.transcript());
    let pushed = lines(&file);
    let ids = |event: &str| -> BTreeSet<u64> {
        let of_it = pushed.iter().filter(|line| line["event"] == event);
        of_it.map(|line| line["id"].as_u64().expect("an id")).collect()
    };
    assert_eq!(ids("begin"), ids("end"), "what begins ends");
    let outermost: Vec<_> = pushed.iter().filter(|line| line["parent"].is_null()).collect();
    assert!(outermost.len() == 2 && outermost.iter().all(|line| line["span"] == "sync"));
    for line in pushed.iter().filter(|line| line["event"] == "end") {
        assert!(line["ms"].as_f64().is_some_and(|ms| ms >= 0.0), "{line}");
    }
    let connections = ends(&pushed, "connection");
    let services: BTreeSet<_> = connections.iter().map(|line| line["service"].as_str()).collect();
    assert_eq!(services, [Some("git-receive-pack"), Some("git-upload-pack")].into());
    for connection in &connections {
        assert_eq!(connection["url"], world.local().url);
        assert!(connection["sent"].as_u64() > Some(0) && connection["received"].as_u64() > Some(0));
    }
    assert_eq!(ends(&pushed, "handshake").len(), connections.len());
    for name in ["connection/ls-refs", "connection/fetch", "connection/push"] {
        assert_eq!(ends(&pushed, name).len(), 1, "{name}");
    }
    assert!(about_a_document.contains(&sum(&ends(&pushed, "connection/push"), "sent")));
    for key in ["sent", "received"] {
        let stages = ["sync/fetch", "sync/push"].map(|name| sum(&ends(&pushed, name), key));
        assert_eq!(stages.iter().sum::<u64>(), sum(&connections, key), "{key}");
        assert_eq!(sum(&ends(&pushed, "sync"), key), sum(&connections, key), "{key}");
        let exchanges =
            ["handshake", "ls-refs", "connection/fetch", "connection/push"].map(|name| sum(&ends(&pushed, name), key));
        assert!(exchanges.iter().sum::<u64>() <= sum(&connections, key), "{key}");
    }

    let file = world.root().join("pull.jsonl");
    traced(&web, &file, &["sync", "--pull-only"]);
    assert!(about_a_document.contains(&sum(&ends(&lines(&file), "connection/fetch"), "received")));
}

/// A request that was answered with a demand for a password is seen to be one.
#[test]
fn over_http_every_request_has_its_status() {
    let world = World::new();
    let Some(nginx) = Nginx::start(&world, Access::Password) else {
        return;
    };
    let remote = nginx.remote();
    let api = world.workspace_on("api", &remote);
    api.write("API-T-0001", "Mine.");
    let file = world.root().join("trace.jsonl");
    let helper = "[credential]\n\thelper = \"!f() { echo username=";
    let helper = format!("{helper}{}; echo password=wrong; }}; f\"\n", Nginx::USER);
    fs::write(api.home.join(".gitconfig"), helper).expect("temp folder is writable");
    let ended = traced(&api, &file, &["sync"]);
    assert_eq!(ended.code, Some(5), "{}", ended.transcript());
    let lines = lines(&file);
    let asked: Vec<_> = ends(&lines, "handshake/GET")
        .iter()
        .map(|line| &line["status"])
        .collect();
    assert_eq!(asked, [401, 401]);
}

/// A file is text unless its name says JSON, and further runs go on in it.
#[test]
fn a_trace_is_text_unless_it_is_named_json() {
    let world = World::new();
    let api = world.workspace("api");
    api.write("API-T-0001", "Mine.");
    let file = world.root().join("trace");
    for _ in 0..2 {
        let ended = traced(&api, &file, &["sync"]);
        assert_eq!(ended.code, Some(0), "{}", ended.transcript());
        assert_eq!(ended.stderr, "");
    }
    let text = fs::read_to_string(&file).expect("a trace was written");
    let of_both = text.lines().filter(|line| line.contains(" end   sync sent="));
    assert_eq!(of_both.count(), 2, "{text}");
    let ended = traced(&api, "2", &["--quiet", "status"]);
    assert!(
        ended.stderr.lines().any(|line| line.contains(" begin status/")),
        "{}",
        ended.stderr
    );
    for off in ["0", "", "false"] {
        assert_eq!(traced(&api, off, &["status"]).stderr, "");
    }
    assert!(!api.dir.join("0").exists() && !api.dir.join("false").exists());
}

/// Whoever asks for more once sees the stages, who asks twice what they consist of, and nobody who did not ask.
#[test]
fn asked_twice_more_is_said() {
    let world = World::new();
    let api = world.workspace("api");
    let sync = |args: &[&str]| {
        api.write("API-T-0001", &format!("Mine, {args:?}."));
        let ended = api.run(args);
        assert_eq!(ended.code, Some(0), "{}", ended.transcript());
        ended.stderr
    };
    assert_eq!(sync(&["sync"]), "");
    assert_eq!(sync(&["--quiet", "-vv", "sync"]), "");
    let once = sync(&["-v", "sync"]);
    let stages: Vec<_> = once
        .lines()
        .map(|line| line.split_once(" ms  ").expect(line).1)
        .collect();
    let expected = [
        "  open",
        "  fetch, ",
        "  hydrate",
        "  dehydrate",
        "  push, ",
        "  record",
        "  rebuild-cache",
        "sync, ",
    ];
    assert_eq!(stages.len(), expected.len(), "{once}");
    for (line, stage) in stages.iter().zip(expected) {
        assert!(line.starts_with(stage), "{once}");
    }
    assert!(!once.contains("handshake"), "{once}");
    let twice = sync(&["-vv", "sync"]);
    for part in ["handshake", "ls-refs", "push"] {
        assert!(twice.contains(part), "{twice}");
    }
    assert!(
        twice.contains(&format!("connection to {}, ", world.local().url)),
        "{twice}"
    );
}

/// A trace is no reason to stop: where it cannot be written, that is said, and the sync goes on.
#[test]
fn a_trace_that_cannot_be_written_stops_nothing() {
    let world = World::new();
    let api = world.workspace("api");
    api.write("API-T-0001", "Mine.");
    let ended = traced(&api, world.root().join("no/such/folder"), &["sync"]);
    assert_eq!(ended.code, Some(0), "{}", ended.transcript());
    assert!(
        ended.stderr.starts_with("warning: no trace is written to "),
        "{}",
        ended.stderr
    );
    world.assert_converged(&[api]);
}
