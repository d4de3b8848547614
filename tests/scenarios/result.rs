//! What the report of a sync says.

mod stopped;

use std::fs;

use metis_sync::{
    plan::hydrate::Pulled,
    sync::{Phase, Step, SyncOutcome, SyncReport, Warning, sync as run_sync},
};

use super::direct::{Steps, opened, options, sync};
use crate::support::{point::Point, workspace::Workspace, world::World};

/// A synced `api` beside a synced `web`.
fn two(world: &World) -> (Workspace, Workspace) {
    let (api, web) = (world.workspace("api"), world.workspace("web"));
    api.write("API-T-0001", "First.");
    web.write("WEB-T-0001", "First.");
    for workspace in [&web, &api] {
        sync(workspace).unwrap();
    }
    (api, web)
}

/// 81#14
#[test]
fn pulled_documents_are_counted_by_workspace() {
    let world = World::new();
    let (api, web) = two(&world);
    let ops = world.workspace("ops");
    for n in 2..=4 {
        web.write(&format!("WEB-T-000{n}"), "New.");
    }
    ops.write("OPS-T-0001", "New.");
    ops.write("OPS-A-0001", "New.");
    sync(&web).unwrap();
    sync(&ops).unwrap();

    let report = sync(&api).unwrap();

    let pulled: Vec<_> = report
        .pulled
        .iter()
        .map(|(prefix, pulled)| (prefix.as_str(), *pulled))
        .collect();
    let written = |written| Pulled { written, removed: 0 };
    assert_eq!(pulled, [("ops", written(2)), ("web", written(3))]);
    assert_eq!((report.files_pulled(), report.files_pushed()), (5, 0));
}

/// 81#15
#[test]
fn pushed_documents_are_named() {
    let world = World::new();
    let (api, _) = two(&world);
    api.write("API-T-0002", "Untouched from now on.");
    api.write("API-T-0003", "To go.");
    sync(&api).unwrap();
    api.edit("API-T-0001", "Changed.");
    api.write("API-I-0001", "New.");
    api.write("API-A-0001", "New.");
    api.delete("API-T-0003");

    let report = sync(&api).unwrap();

    let names = |codes: &[metis_sync::names::ShortCode]| codes.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(names(&report.pushed), ["API-A-0001", "API-I-0001", "API-T-0001"]);
    assert_eq!(report.files_pushed(), 3);
    assert_eq!(names(&report.removed), ["API-T-0003"]);
    assert!(!report.registered, "that was the first push");
}

/// 81#16
#[test]
fn a_sync_without_changes_reports_nothing() {
    let world = World::new();
    let (api, _) = two(&world);
    let report = sync(&api).unwrap();
    assert!(report.is_noop());
    let nothing = SyncReport {
        outcome: SyncOutcome::UpToDate,
        workspace: report.workspace.clone(),
        head: report.head,
        seconds: report.seconds,
        phases_completed: report.phases_completed.clone(),
        seen: report.head,
        ..SyncReport::default()
    };
    assert_eq!(report, nothing);
    let phases: Vec<Phase> = report.phases_completed.iter().map(|done| done.phase).collect();
    assert_eq!(phases, [Phase::Fetch, Phase::Hydrate, Phase::Push, Phase::Record]);
    assert_eq!(report.head.map(|id| id.to_string()), world.central.tip());
}

/// 81#17, 81#21
#[test]
fn retries_are_counted() {
    let world = World::new();
    let (api, web) = two(&world);
    api.edit("API-T-0001", "Changed.");
    web.write("WEB-T-0002", "In the race.");
    world.points.command(Point::BeforeRef, &web.sync_command(&[]));
    let mut steps = Steps::default();

    let report = run_sync(&opened(&api), &options(&api), &mut steps).unwrap();

    assert_eq!(world.points.waiting(), 0, "the race was run");
    assert_eq!(
        (report.retries, report.files_pushed(), report.files_pulled()),
        (1, 1, 1)
    );
    let cycle = ["list", "fetch", "hydrate", "dehydrate", "push"];
    assert_eq!(
        steps.seen,
        [&["list", "dehydrate", "push", "retry"], cycle.as_slice(), &["cache"]].concat(),
        "the second cycle is a whole one"
    );
}

/// 81#23
#[test]
fn a_folder_that_failed_is_a_warning_with_its_name() {
    let world = World::new();
    let (api, web) = two(&world);
    let ops = world.workspace("ops");
    ops.write("OPS-T-0001", "Theirs.");
    sync(&ops).unwrap();
    fs::create_dir_all(api.metis().join("ops")).unwrap();
    fs::write(api.metis().join("ops/mine.txt"), "Not from central.").unwrap();
    web.edit("WEB-T-0001", "Changed.");
    sync(&web).unwrap();

    let report = sync(&api).unwrap();

    let [Warning::FolderFailed { prefix, reason }] = report.warnings.as_slice() else {
        panic!("{:?}", report.warnings)
    };
    assert_eq!(prefix.as_str(), "ops");
    assert!(reason.raw().contains("a folder of your own"), "{reason}");
    assert_eq!(
        report.pulled.keys().map(|prefix| prefix.as_str()).collect::<Vec<_>>(),
        ["web"]
    );
    assert_eq!(fs::read_dir(api.metis().join("ops")).unwrap().count(), 1);
}

/// 81#24: an editor saves half a config.toml while the sync runs. The sync is done all the same.
#[test]
fn a_config_that_breaks_meanwhile_is_a_warning() {
    let world = World::new();
    let (api, _) = two(&world);
    let whole = api.config();
    api.edit("API-T-0001", "Changed.");
    let broken = format!("{whole}[half\n");
    let mut save = |step| {
        if step == Step::Pushing {
            api.put("config.toml", &broken);
        }
    };
    let mut steps = Steps {
        at: Some(&mut save),
        ..Steps::default()
    };

    let report = run_sync(&opened(&api), &options(&api), &mut steps).unwrap();

    assert!(
        matches!(report.warnings.as_slice(), [Warning::ConfigNotWritten(_)]),
        "{:?}",
        report.warnings
    );
    assert_eq!(report.outcome, SyncOutcome::Synced);
    assert_eq!(api.config(), broken, "not a byte of it is ours to mend");
    let tip = world.central.tip().unwrap();

    api.put("config.toml", &whole);
    let report = sync(&api).unwrap();
    assert_eq!(
        (report.files_pushed(), report.warnings.len()),
        (0, 0),
        "nothing is pushed twice"
    );
    assert!(api.config().contains(&tip), "the record is made good");
}

/// 81#25
#[test]
fn a_cache_in_the_way_is_a_warning() {
    let world = World::new();
    let (api, web) = two(&world);
    let db = api.metis().join("metis.db");
    fs::remove_file(&db).unwrap();
    fs::create_dir(&db).unwrap();
    web.edit("WEB-T-0001", "Changed.");
    sync(&web).unwrap();

    let report = sync(&api).unwrap();
    assert!(
        matches!(report.warnings.as_slice(), [Warning::CacheNotRebuilt(_)]),
        "{:?}",
        report.warnings
    );
    assert_eq!((report.outcome, report.files_pulled()), (SyncOutcome::Synced, 1));

    fs::remove_dir(&db).unwrap();
    assert_eq!(sync(&api).unwrap().warnings, []);
    assert!(db.is_file());
}
