//! `--recheck` and `--since`.

use std::{fs, os::unix::fs::PermissionsExt};

use serde_json::json;

use super::{json, two};
use crate::support::world::World;

/// While central stays as it is, a sync looks into no hydrated folder. With `--recheck` it reads every file.
#[test]
fn a_recheck_sees_what_a_sync_passes_over() {
    let world = World::new();
    let (api, web) = two(&world);
    let (first, second) = ("web/WEB-T-0001.md", "web/WEB-T-0002.md");
    let right = web.documents();
    api.put(first, "Mine.");
    fs::remove_file(api.metis().join(second)).unwrap();
    api.put("web/WEB-T-0009.md", "Nobody's.");
    assert_eq!(api.sync().report().outcome, "up-to-date");

    let planned = json(&api, &["sync", "--recheck", "--dry-run"], 0);
    assert_eq!(planned["pulled"], json!({ "web": { "written": 2, "removed": 1 } }));
    assert_eq!(fs::read(api.metis().join(first)).unwrap(), b"Mine.");

    let report = api.sync_with(&["--recheck"]).report();
    assert_eq!(
        (report.pulled["web"].written, report.pulled["web"].removed),
        (2, 1),
        "{report:?}"
    );
    assert_eq!(api.hydrated("web"), right);
    assert_eq!(report.kept.len(), 2);
    assert_eq!(fs::read(api.metis().join(&report.kept[0])).unwrap(), b"Mine.");

    let before = api.snapshot().without(".metis/.sync");
    let report = api.sync_with(&["--recheck"]).report();
    assert_eq!(report.outcome, "up-to-date");
    let after = api.snapshot().without(".metis/.sync");
    let files = after.since(&before);
    assert!(
        files
            .iter()
            .all(|file| file.to_string_lossy().contains("metis.db") || file.ends_with(".metis")),
        "{files:?}"
    );
}

/// A file that was changed behind the stat cache's back is read, and our tables in `metis.db` are made anew.
#[test]
fn a_recheck_trusts_no_cache() {
    let world = World::new();
    let (api, _web) = two(&world);
    let path = api.metis().join(api.place_of("API-T-0001"));
    let text = fs::read_to_string(&path).unwrap();
    let meta = fs::metadata(&path).unwrap();
    // In place, with the size and the time that it had. The time of the change itself cannot be set, so the cache is told it.
    fs::write(&path, text.replace("First.", "FIRST.")).unwrap();
    fs::File::open(&path)
        .unwrap()
        .set_times(fs::FileTimes::new().set_modified(meta.modified().unwrap()))
        .unwrap();
    let database = rusqlite::Connection::open(api.metis().join("metis.db")).unwrap();
    database.execute("DELETE FROM sync_documents", []).unwrap();
    drop(database);
    let report = json(&api, &["sync", "--recheck"], 0);
    assert_eq!(report["pushed"], json!(["API-T-0001"]));
    let phases: Vec<&str> = report["phases_completed"]
        .as_array()
        .unwrap()
        .iter()
        .map(|done| done["phase"].as_str().unwrap())
        .collect();
    assert_eq!(phases, ["fetch", "hydrate", "push", "record", "rebuild-cache"]);
    let found = json(&api, &["query", "workspace", "web"], 0);
    assert_eq!(found["answer"]["documents"], 2, "{found}");
}

#[test]
fn what_changed_since_a_commit_and_since_a_time() {
    let world = World::new();
    let (api, web) = two(&world);
    let before = world.central.tip().unwrap();
    web.edit("WEB-T-0002", "More.");
    web.write("WEB-T-0003", "New.");
    web.delete("WEB-T-0001");
    web.sync().report();
    let changed = |args: &[&str]| json(&api, &[&["sync"], args].concat(), 0)["changed"].clone();
    let web_changed = json!(["WEB-T-0001", "WEB-T-0002", "WEB-T-0003"]);
    assert_eq!(changed(&["--dry-run", "--since", &before]), web_changed);
    assert!(!api.metis().join("web/WEB-T-0003.md").exists());
    assert_eq!(changed(&["--since", &before]), web_changed);
    assert_eq!(
        changed(&["--since", &before[..10]]),
        web_changed,
        "short, as the log has it"
    );
    let head = world.central.tip().unwrap();
    assert_eq!(changed(&["--since", &head]), json!([]));
    api.edit("API-T-0001", "More.");
    assert_eq!(changed(&["--since", &head]), json!(["API-T-0001"]));
    assert_eq!(changed(&["--since", &before, "--workspace", "web"]), web_changed);

    // Nothing was here then.
    let all = ["API-T-0001", "API-T-0002", "WEB-T-0002", "WEB-T-0003"];
    assert_eq!(changed(&["--since", "1 week ago"]), json!(all));
    assert_eq!(changed(&["--since", "2099-01-01"]), json!([]));
    assert!(json(&api, &["sync"], 0).get("changed").is_none());
    let text = api.run(&["sync", "--since", &before]);
    let said = String::from_utf8(text.stdout).unwrap();
    assert!(
        said.contains("Changed since then: 4 documents (API-T-0001, WEB-T-0001"),
        "{said}"
    );
}

/// What is asked for is looked at before anything is done, and a mistake in it is no failed sync.
#[test]
fn a_mistake_costs_no_sync() {
    let world = World::new();
    let (api, _web) = two(&world);
    let entries = || json(&api, &["log"], 0)["entries"].as_array().unwrap().len();
    let before = entries();
    api.edit("API-T-0001", "More.");
    let tip = world.central.tip();
    for wrong in ["sometime", "abcdef1234", "/etc/passwd"] {
        let failed = json(&api, &["sync", "--since", wrong], 2);
        assert_eq!(
            (&failed["error"]["kind"], &failed["error"]["stop"]),
            (&json!("since"), &json!("since"))
        );
    }
    assert_eq!(
        json(&api, &["sync", "--workspace", "wbe"], 1)["error"]["kind"],
        "no-such-workspace"
    );
    assert_eq!((entries(), world.central.tip()), (before, tip));
    // Only central can say that it does not have this one.
    let failed = json(&api, &["sync", "--since", &"d".repeat(40)], 2);
    assert_eq!(failed["error"]["stop"], "since", "{failed}");
    assert_eq!(failed["pushed"], json!(["API-T-0001"]), "it was synced all the same");
}

/// A copy that may not be read is no reason to stop.
#[test]
fn an_unreadable_copy_is_brought_back() {
    let world = World::new();
    let (api, web) = two(&world);
    let copy = api.metis().join("web/WEB-T-0001.md");
    fs::set_permissions(&copy, fs::Permissions::from_mode(0o200)).unwrap();
    fs::remove_file(&copy).unwrap();
    api.sync_with(&["--recheck", "--pull-only"]).report();
    assert_eq!(api.hydrated("web"), web.documents());
}
