//! Which steps a sync takes, and which it spares itself.

use metis_sync::sync::SyncOutcome;

use super::direct::{sync, sync_in_steps};
use crate::support::{workspace::Workspace, world::World};

/// `api` and `web`, both in step with central, which both are in.
fn in_step(world: &World) -> (Workspace, Workspace) {
    let (api, web) = (world.workspace("api"), world.workspace("web"));
    api.write("API-T-0001", "First.");
    web.write("WEB-T-0001", "First.");
    for workspace in [&api, &web, &api] {
        sync(workspace).unwrap();
    }
    (api, web)
}

/// What the cache knows of a workspace: its documents.
fn cached(workspace: &Workspace, prefix: &str) -> Vec<String> {
    let listed = workspace.run(&["--json", "query", "workspace", prefix]).success();
    let listed: serde_json::Value = serde_json::from_str(&listed).unwrap();
    let rows = listed["answer"]["list"]
        .as_array()
        .unwrap_or_else(|| panic!("{listed}"));
    rows.iter()
        .map(|row| row["code"].as_str().unwrap().to_owned())
        .collect()
}

fn records_head(world: &World, workspace: &Workspace) -> bool {
    let line = format!("last_synced_commit = \"{}\"", world.central.tip().unwrap());
    workspace.config().contains(&line)
}

/// 81#1, 81#6
#[test]
fn all_steps_in_order() {
    let world = World::new();
    let (api, web) = in_step(&world);
    web.write("WEB-T-0002", "Second.");
    sync(&web).unwrap();
    api.edit("API-T-0001", "Changed.");

    let (report, steps) = sync_in_steps(&api);

    assert_eq!(steps, ["list", "fetch", "hydrate", "dehydrate", "push", "cache"]);
    assert_eq!(report.outcome, SyncOutcome::Synced);
    assert_eq!((report.files_pulled(), report.files_pushed()), (1, 1));
    assert_eq!(report.commit.map(|id| id.to_string()), world.central.tip());
    assert_eq!(report.head, report.commit);
    assert!(records_head(&world, &api));
    assert_eq!(cached(&api, "web"), ["WEB-T-0001", "WEB-T-0002"]);
    sync(&web).unwrap();
    world.assert_converged(&[api, web]);
}

/// 81#2
#[test]
fn without_an_upstream_no_step_at_all() {
    let world = World::new();
    let api = world.workspace_with_config("api", &world.local(), "[project]\nprefix = \"API\"\n");
    api.write("API-T-0001", "Mine.");
    let before = api.snapshot();
    let (report, steps) = sync_in_steps(&api);
    assert_eq!((report.outcome, report.is_noop()), (SyncOutcome::NotConfigured, true));
    assert_eq!(steps, Vec::<&str>::new());
    assert_eq!(api.snapshot(), before);
}

/// 81#3: nothing to compare with, so everything comes, everything goes, and the commit is recorded.
#[test]
fn a_first_sync_pulls_all_and_pushes_all() {
    let world = World::new();
    let (web, ops) = (world.workspace("web"), world.workspace("ops"));
    web.write("WEB-T-0001", "Theirs.");
    ops.write("OPS-T-0001", "Theirs.");
    sync(&web).unwrap();
    sync(&ops).unwrap();
    let api = world.workspace("api");
    api.write("API-T-0001", "Mine.");
    api.write("API-T-0002", "Mine.");
    assert!(!api.config().contains("last_synced_commit"));

    let (report, steps) = sync_in_steps(&api);

    assert_eq!(steps, ["list", "fetch", "hydrate", "dehydrate", "push", "cache"]);
    assert_eq!(
        (report.files_pulled(), report.files_pushed(), report.registered),
        (2, 2, true)
    );
    assert!(records_head(&world, &api));
}

/// 81#28: nothing to hydrate yet.
#[test]
fn an_empty_central_is_only_pushed_to() {
    let world = World::unborn();
    let api = world.workspace("api");
    api.write("API-T-0001", "Mine.");
    let (report, steps) = sync_in_steps(&api);
    assert!(!steps.contains(&"fetch"), "{steps:?}");
    assert_eq!(steps.last_chunk(), Some(&["dehydrate", "push", "cache"]));
    assert!(report.registered && report.pulled.is_empty());
    assert_eq!(world.central.log().len(), 1);
    world.assert_converged(&[api]);
}

/// 81#4, 81#7: pulling leaves nothing to push, and the record and the cache follow.
#[test]
fn nothing_changed_here() {
    let world = World::new();
    let (api, web) = in_step(&world);
    web.write("WEB-T-0002", "Second.");
    sync(&web).unwrap();
    let tip = world.central.tip();

    let (report, steps) = sync_in_steps(&api);

    assert_eq!(steps, ["list", "fetch", "hydrate", "dehydrate", "cache"]);
    assert_eq!(
        (report.files_pulled(), report.files_pushed(), report.commit),
        (1, 0, None)
    );
    assert_eq!(world.central.tip(), tip);
    assert!(records_head(&world, &api));
    assert_eq!(cached(&api, "web"), ["WEB-T-0001", "WEB-T-0002"]);
}

/// 81#5
#[test]
fn nothing_changed_elsewhere() {
    let world = World::new();
    let (api, web) = in_step(&world);
    let copy = web.snapshot();
    let hydrated = crate::support::snapshot::Snapshot::of(&api.metis().join("web"));
    api.edit("API-T-0001", "Changed.");

    let (report, steps) = sync_in_steps(&api);

    assert_eq!(steps, ["list", "dehydrate", "push", "cache"]);
    assert_eq!((report.files_pulled(), report.files_pushed()), (0, 1));
    assert_eq!(
        crate::support::snapshot::Snapshot::of(&api.metis().join("web")),
        hydrated
    );
    assert_eq!(web.snapshot(), copy);
}

/// 81#29: what the Metis tools do to documents arrives, bytes and meaning.
#[test]
fn document_operations_arrive() {
    let world = World::new();
    let (api, web) = in_step(&world);
    for code in ["API-T-0002", "API-T-0003", "API-T-0004"] {
        api.write(code, "As it was.");
    }
    sync(&api).unwrap();
    sync(&web).unwrap();
    let place = |code: &str| format!("initiatives/API-I-0001/tasks/{code}.md");
    let read = |code: &str| std::fs::read_to_string(api.metis().join(place(code))).unwrap();
    api.write("API-A-0001", "Created.");
    api.edit("API-T-0002", "Edited.");
    let transitioned = read("API-T-0003").replace("#phase/todo", "#phase/active");
    api.write_at(place("API-T-0003"), "API-T-0003", transitioned);
    let archived = read("API-T-0004").replace("archived: false", "archived: true");
    api.delete("API-T-0004");
    api.write_at("archived/tasks/API-T-0004.md", "API-T-0004", archived);

    let report = sync(&api).unwrap();
    assert_eq!((report.files_pushed(), report.removed.len()), (4, 0));
    let report = sync(&web).unwrap();
    assert_eq!(report.files_pulled(), 4);

    let listed = web.run(&["--json", "query", "workspace", "api"]).success();
    let listed: serde_json::Value = serde_json::from_str(&listed).unwrap();
    let rows = listed["answer"]["list"].as_array().unwrap();
    let row = |code: &str| {
        rows.iter()
            .find(|row| row["code"] == code)
            .unwrap_or_else(|| panic!("{listed}"))
    };
    assert_eq!(row("API-T-0003")["phase"], "active");
    assert_eq!(row("API-T-0004")["archived"], true);
    assert_eq!(row("API-T-0002")["phase"], "todo");
    world.assert_converged(&[api, web]);
}

/// 81#35
#[test]
fn nothing_changed_at_all() {
    let world = World::new();
    let (api, _) = in_step(&world);
    let before = api.snapshot();
    let (report, steps) = sync_in_steps(&api);
    assert_eq!(steps, ["list", "dehydrate"], "own documents have to be looked at");
    assert!(report.is_noop());
    assert_eq!(api.snapshot().since(&before), Vec::<&std::path::Path>::new());
}
