//! What `status` says where a sync would stumble.

use std::fs;

use serde_json::Value;

use super::{state, untouched};
use crate::seeing::{json, strings, text, two};
use crate::support::{point::Point, world::World};

#[test]
fn what_would_stop_a_sync() {
    let world = World::new();
    let (api, _web) = two(&world);
    for number in 1..=3 {
        api.delete(&format!("API-T-000{number}"));
    }
    assert_eq!(strings(&untouched(&api, &["status"])["obstacles"], "kind"), ["deletes"]);
    api.sync().failure(3);

    let config = api.config();
    api.put("config.toml", config.replace("central.git", "elsewhere.git"));
    world.wire();
    let status = untouched(&api, &["status"]);
    assert_eq!(strings(&status["obstacles"], "kind")[0], "upstream-changed");
    assert_eq!(
        status["central"]["asked"], false,
        "who is not confirmed is not talked to"
    );

    api.put("config.toml", config.replace("[workspace]\nprefix = \"api\"\n", ""));
    let status = untouched(&api, &["status"]);
    assert_eq!(
        (&status["workspace"], &status["state"]),
        (&Value::Null, &"stopped".into())
    );
    assert_eq!(strings(&status["obstacles"], "kind"), ["config"]);
}

#[test]
fn a_rewound_central() {
    let world = World::new();
    let (api, _web) = two(&world);
    world.central.git(&["update-ref", "refs/heads/main", "main~1"]);
    let status = untouched(&api, &["status"]);
    assert_eq!(
        (&status["state"], strings(&status["obstacles"], "kind")),
        (&"stopped".into(), vec!["rewound"])
    );
}

#[test]
fn a_sync_that_is_running() {
    let world = World::new();
    let (api, _web) = two(&world);
    api.edit("API-T-0001", "More.");
    let mut gate = world.points.gate(Point::BeforeRef);
    let sync = api.start_sync();
    gate.wait();
    let status = json(&api, &["status", "--offline"], 0);
    let locked = &status["obstacles"][0];
    assert_eq!(locked["kind"], "locked");
    assert!(
        locked["message"].as_str().unwrap().contains("git metis-sync sync"),
        "{locked}"
    );
    gate.open();
    assert_eq!(sync.finish().code, Some(0));
    assert_eq!(state(&api), "up-to-date");
}

#[test]
fn damaged_documents_and_unreachable_central() {
    let world = World::new();
    let (api, _web) = two(&world);
    api.put("backlog/API-T-0009.md", "---\nshort_code: \"API-T-0009\nbroken\n");
    fs::rename(&world.central.dir, world.root().join("moved.git")).unwrap();
    let status = untouched(&api, &["status"]);
    assert_eq!(
        (&status["state"], &status["central"]["reachable"]),
        (&"up-to-date".into(), &false.into())
    );
    assert!(
        status["central"]["error"].as_str().unwrap().contains("no repository"),
        "{status}"
    );
    assert!(
        status["warnings"][0]
            .as_str()
            .unwrap()
            .contains("backlog/API-T-0009.md"),
        "{status}"
    );
    let text = text(&api, &["status"], 0);
    assert!(text.contains("compared with the last sync"), "{text}");
}

#[test]
fn folders_that_are_gone_or_in_the_way() {
    let world = World::new();
    let (api, _web) = two(&world);
    let ops = world.workspace("ops");
    ops.write("OPS-T-0001", "New.");
    ops.sync().report();
    fs::remove_dir_all(api.metis().join("web")).unwrap();
    api.put("ops/notes.md", "Mine.");
    let status = untouched(&api, &["status"]);
    assert_eq!(strings(&status["workspaces"], "prefix"), ["ops", "web"]);
    assert_eq!(strings(&status["workspaces"], "state"), ["blocked", "missing"]);
}
