//! `doctor`: what it finds, and each of its repairs.

mod folders;

use std::{collections::BTreeSet, fs, os::unix::fs::symlink};

use serde_json::Value;

use super::{json, text, two};
use crate::support::{point::Point, workspace::Workspace, world::World};

fn finding<'a>(diagnosis: &'a Value, check: &str, level: &str) -> Option<&'a Value> {
    let findings = diagnosis["findings"].as_array().expect("an array");
    findings
        .iter()
        .find(|finding| finding["check"] == check && finding["level"] == level)
}

/// `doctor` names the problem and the repair and changes nothing; `doctor --fix` does it; then all is well. Own documents
/// stay as they are.
#[track_caller]
fn mended(workspace: &Workspace, check: &str, repair: &str) -> Value {
    let (before, documents) = (workspace.snapshot(), workspace.documents());
    let found = json(workspace, &["doctor"], 1);
    let problem = finding(&found, check, "problem").unwrap_or_else(|| panic!("no problem of {check}: {found:#}"));
    assert_eq!(problem["repair"]["name"], repair, "{problem}");
    assert_eq!(workspace.snapshot(), before, "looking changes nothing");

    let fixed = json(workspace, &["doctor", "--fix"], 0);
    let done = fixed["repairs"]
        .as_array()
        .unwrap()
        .iter()
        .find(|done| done["repair"]["name"] == repair);
    let done = done.unwrap_or_else(|| panic!("{fixed:#}")).clone();
    assert_eq!(done["done"], true, "{done}");
    assert_eq!(workspace.documents(), documents);
    assert_eq!(json(workspace, &["doctor"], 0)["well"], true);
    done
}

#[test]
fn all_is_well() {
    let world = World::new();
    let (api, _web) = two(&world);
    let before = api.snapshot();
    let diagnosis = json(&api, &["doctor"], 0);
    assert_eq!(api.snapshot(), before);
    let checks: BTreeSet<&str> = super::strings(&diagnosis["findings"], "check").into_iter().collect();
    let expected = [
        "central",
        "config",
        "documents",
        "git",
        "gitignore",
        "hydrated",
        "leftovers",
        "lock",
        "metis.db",
        "objects",
        "prefix",
        "state",
    ];
    assert_eq!(checks, expected.into());
    assert!(finding(&diagnosis, "git", "ok").is_some() && finding(&diagnosis, "objects", "ok").is_some());
    let fixed = json(&api, &["doctor", "--fix"], 0);
    assert_eq!(fixed["repairs"], Value::Array(vec![]));
    assert_eq!(
        api.snapshot().since(&before),
        Vec::<&std::path::Path>::new(),
        "nothing to mend, nothing written"
    );
    assert!(text(&api, &["doctor"], 0).starts_with("ok      git"));
}

#[test]
fn leftovers_of_killed_runs() {
    let world = World::new();
    let (api, _web) = two(&world);
    let dead = format!(".metis-sync-tmp-{}-{:016x}-7", i32::MAX - 1, 1);
    let leftovers = [
        dead.clone(),
        format!("web/{dead}"),
        ".sync/cursor.json.tmp-1-0".to_owned(),
        "metis.db.sync-build-1-0".to_owned(),
    ];
    for leftover in &leftovers {
        api.put(leftover, "half");
    }
    mended(&api, "leftovers", "sweep-leftovers");
    for leftover in &leftovers {
        assert!(!api.metis().join(leftover).exists(), "{leftover}");
    }
}

#[test]
fn a_damaged_stat_cache() {
    let world = World::new();
    let (api, _web) = two(&world);
    api.put(".sync/stat-cache", "nonsense");
    mended(&api, "state", "drop-stat-cache");
    assert_eq!(api.sync().report().outcome, "up-to-date");
}

#[test]
fn a_damaged_object_cache() {
    let world = World::new();
    let (api, web) = two(&world);
    api.put("web/WEB-T-0001.md", "edited here");
    let mut damaged = 0;
    for store in fs::read_dir(api.home.join(".cache/git-metis-sync")).unwrap() {
        let objects = store.unwrap().path().join("objects");
        let Ok(fans) = fs::read_dir(&objects) else { continue };
        for file in fans.flat_map(|fan| fs::read_dir(fan.unwrap().path()).into_iter().flatten()) {
            let path = file.unwrap().path();
            if path.extension().is_some_and(|ext| ext == "idx") {
                continue;
            }
            let mut bytes = fs::read(&path).unwrap();
            let middle = bytes.len() / 2;
            bytes[middle..].fill(0);
            fs::remove_file(&path).unwrap();
            fs::write(&path, bytes).unwrap();
            damaged += 1;
        }
    }
    assert!(damaged > 0);
    mended(&api, "objects", "reset-store");
    assert_eq!(
        api.hydrated("web"),
        web.documents(),
        "what the damage had hidden is mended too"
    );
}

#[test]
fn our_tables_in_metis_db() {
    let world = World::new();
    let (api, _web) = two(&world);
    let db = rusqlite::Connection::open(api.metis().join("metis.db")).unwrap();
    db.execute_batch("CREATE TABLE mine (text TEXT); INSERT INTO mine VALUES ('kept'); DELETE FROM sync_documents")
        .unwrap();
    mended(&api, "metis.db", "rebuild-cache");
    let kept: String = db.query_row("SELECT text FROM mine", [], |row| row.get(0)).unwrap();
    let documents: i64 = db
        .query_row("SELECT count(*) FROM sync_documents", [], |row| row.get(0))
        .unwrap();
    assert_eq!((kept.as_str(), documents), ("kept", 5));
}

#[test]
fn what_it_cannot_mend_it_says_and_leaves_alone() {
    let world = World::new();
    let (api, _web) = two(&world);
    api.put("backlog/API-T-0009.md", "---\nshort_code: \"API-T-0009\nbroken\n");
    symlink("/nowhere", api.metis().join("backlog/API-T-0008.md")).unwrap();
    fs::remove_file(api.metis().join("metis.db")).unwrap();
    api.put("metis.db", "not a database, but somebody's");
    api.put(".sync/cursor.json", "nonsense");
    fs::rename(&world.central.dir, world.root().join("moved.git")).unwrap();
    let before = fs::read(api.metis().join("metis.db")).unwrap();
    let found = json(&api, &["doctor", "--fix"], 1);
    for check in ["documents", "metis.db", "state", "central"] {
        let problem = finding(&found, check, "problem").unwrap_or_else(|| panic!("{check}: {found:#}"));
        assert!(problem["repair"].is_null(), "{problem}");
    }
    assert_eq!(fs::read(api.metis().join("metis.db")).unwrap(), before);
    assert!(text(&api, &["doctor", "-q"], 1).contains("problem central"));
}

#[test]
fn a_workspace_that_cannot_be_looked_at() {
    let world = World::new();
    let api = world.workspace_with_config("api", &world.local(), "[sync\n");
    let found = json(&api, &["doctor"], 1);
    assert!(finding(&found, "config", "problem").is_some(), "{found:#}");

    let alone = world.workspace_with_config("api", &world.local(), "");
    let found = json(&alone, &["doctor"], 0);
    assert!(finding(&found, "config", "note").is_some(), "{found:#}");

    let api = world.workspace("api");
    fs::create_dir(api.dir.join("elsewhere")).unwrap();
    symlink("../elsewhere", api.metis().join(".sync")).unwrap();
    for command in ["doctor", "status", "log"] {
        assert_eq!(api.run(&[command]).code, Some(1), "{command}");
    }
    assert_eq!(fs::read_dir(api.dir.join("elsewhere")).unwrap().count(), 0);
}

/// Mending waits for a sync that runs, as another sync does.
#[test]
fn while_a_sync_runs() {
    let world = World::new();
    let (api, _web) = two(&world);
    api.edit("API-T-0001", "More.");
    let mut gate = world.points.gate(Point::BeforeRef);
    let sync = api.start_sync();
    gate.wait();
    let found = json(&api, &["doctor", "--offline"], 0);
    let lock = finding(&found, "lock", "note").unwrap();
    assert!(
        lock["message"].as_str().unwrap().contains("git metis-sync sync"),
        "{lock}"
    );
    gate.open();
    assert_eq!(sync.finish().code, Some(0));
}
