//! `nuke`.

use std::fs;

use serde_json::json;

use super::{json, two};
use crate::support::{point::Point, world::World};

/// What a sync made goes and comes back; what people wrote stays, and so does what guards.
#[test]
fn what_a_sync_made_is_made_anew() {
    let world = World::new();
    let (api, web) = two(&world);
    let own = api.documents();
    let cursor = |what: &str| {
        let bytes = fs::read_to_string(api.metis().join(".sync/cursor.json")).unwrap();
        let (_, rest) = bytes.split_once(&format!("\"{what}\":")).unwrap();
        rest.split_once(",\"").unwrap().0.to_owned()
    };
    let guards = ["upstream", "head", "compared"].map(cursor);
    api.put("web/WEB-T-0001.md", "My words in a copy.");

    let refused = api.run(&["nuke"]);
    assert_eq!(refused.code, Some(2), "{}", refused.transcript());
    let said = String::from_utf8(refused.stdout).unwrap();
    for words in [
        "the copies of 2 documents from 1 other workspaces (web)",
        "they serve all workspaces of yours",
        "4 rows of metis.db",
        "Own documents: 2, not touched",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert_eq!(
        fs::read(api.metis().join("web/WEB-T-0001.md")).unwrap(),
        b"My words in a copy."
    );

    let done = json(&api, &["nuke", "--yes"], 0);
    assert_eq!(done["thrown_away"]["workspaces"], json!({ "web": 2 }));
    assert_eq!(done["pulled"]["web"]["written"], 2);
    let kept = done["kept"][0].as_str().unwrap();
    assert_eq!(fs::read(api.metis().join(kept)).unwrap(), b"My words in a copy.");
    assert_eq!((api.documents(), api.hydrated("web")), (own, web.documents()));
    assert_eq!(["upstream", "head", "compared"].map(cursor), guards);
    assert_eq!(
        json(&api, &["verify"], 0)["outcome"],
        json(&web, &["verify"], 0)["outcome"]
    );
    assert_eq!(api.sync().report().outcome, "up-to-date");
    let found = json(&api, &["query", "workspace", "web"], 0);
    assert_eq!(found["answer"]["documents"], 2, "{found}");
}

/// What could not come back does not go.
#[test]
fn nothing_goes_that_could_not_come_back() {
    let world = World::new();
    let (api, web) = two(&world);
    let before = api.snapshot();
    fs::rename(&world.central.dir, world.root().join("away.git")).unwrap();
    assert_eq!(json(&api, &["nuke", "--yes"], 1)["error"]["kind"], "no-repository");
    assert!(api.snapshot().since(&before).is_empty());
    fs::rename(world.root().join("away.git"), &world.central.dir).unwrap();

    let config = api.config();
    api.put("config.toml", config.replace("central.git", "other.git"));
    assert_eq!(json(&api, &["nuke", "--yes"], 3)["error"]["kind"], "upstream-changed");
    assert_eq!(api.hydrated("web"), web.documents());
}

/// Killed half way, any sync makes anew what is gone.
#[test]
fn a_sync_heals_one_that_was_killed() {
    let world = World::new();
    let (api, web) = two(&world);
    // It asks central once to see whether all would come back, and again when it brings it.
    world.points.script(Point::BeforeFetch, "true");
    let mut gate = world.points.gate(Point::BeforeFetch);
    let nuke = crate::support::process::Running::start(api.metis_sync(&["nuke", "--yes"]));
    gate.wait();
    assert!(api.hydrated("web").is_empty(), "it has gone");
    nuke.kill();
    gate.open();
    api.sync().report();
    assert_eq!(api.hydrated("web"), web.documents());
    let found = json(&api, &["query", "workspace", "web"], 0);
    assert_eq!(found["answer"]["documents"], 2, "{found}");
}
