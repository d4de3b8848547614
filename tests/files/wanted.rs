//! Which other workspaces' documents are copied here is chosen, for good.

use std::fs;

use crate::support::{workspace::Workspace, world::World};

/// Sets `[sync]`'s keys of this kind to `line`, or to nothing.
fn set(api: &Workspace, line: &str) {
    let config = api.config();
    let others = config
        .lines()
        .filter(|line| !line.starts_with("only") && !line.starts_with("except"));
    let config: String = others.map(|line| format!("{line}\n")).collect();
    api.put("config.toml", config.replace("[sync]\n", &format!("[sync]\n{line}\n")));
}

fn copies(api: &Workspace) -> Vec<&'static str> {
    let all = ["ops", "web", "zoo"];
    all.into_iter()
        .filter(|prefix| !api.hydrated(prefix).is_empty())
        .collect()
}

#[test]
fn only_these_and_none_of_those() {
    let world = World::new();
    for (prefix, code) in [("ops", "OPS-T-0001"), ("web", "WEB-T-0001"), ("zoo", "ZOO-T-0001")] {
        let other = world.workspace(prefix);
        other.write(code, "As it was.");
        other.sync().report();
    }
    let api = world.workspace("api");
    // Central is as it was all the time: what is wanted changes, and the next sync does it.
    for (line, there) in [
        ("except = [\"web\"]", &["ops", "zoo"][..]),
        ("only = [\"web\", \"zoo\"]", &["web", "zoo"]),
        ("only = [\"web\", \"zoo\"]\nexcept = [\"zoo\"]", &["web"]),
        ("except = [\"nobody\"]", &["ops", "web", "zoo"]),
        ("", &["ops", "web", "zoo"]),
        ("only = [\"ops\"]", &["ops"]),
    ] {
        set(&api, line);
        api.sync().report();
        assert_eq!(copies(&api), there, "{line}");
        assert_eq!(api.sync().report().outcome, "up-to-date", "{line}");
        let verified = api.run(&["verify"]);
        assert_eq!(verified.code, Some(0), "{line}: {}", verified.transcript());
        let listed = api.run(&["query", "workspace"]).success();
        assert_eq!(listed.contains("web"), there.contains(&"web"), "{line}: {listed}");
    }
}

#[test]
fn an_edited_copy_is_kept_when_its_workspace_is_not_wanted_any_more() {
    let world = World::new();
    let (api, web) = (world.workspace("api"), world.workspace("web"));
    web.write("WEB-T-0001", "As it was.");
    web.sync().report();
    api.sync().report();
    let copy = api.metis().join("web/WEB-T-0001.md");
    fs::remove_file(&copy).unwrap();
    fs::write(&copy, "Mine.\n").unwrap();
    set(&api, "except = [\"web\"]");
    let report = api.sync().report();
    assert!(copies(&api).is_empty());
    let [kept] = report.kept.as_slice() else {
        panic!("{:?}", report.kept)
    };
    assert_eq!(fs::read(api.metis().join(kept)).unwrap(), b"Mine.\n");
    // And what is not a prefix is no setting.
    set(&api, "only = \"web\"");
    let stopped = api.run(&["sync"]);
    assert_eq!(stopped.code, Some(1), "{}", stopped.transcript());
    let rule = "sync.only must be an array of workspaces' prefixes";
    assert!(stopped.stderr.contains(rule), "{}", stopped.stderr);
}
