//! Syncs that end between central's taking a push and this clone's note of it, and documents that are edited after that.

use crate::support::{point::Point, process::eventually, report::Ended, workspace::Workspace, world::World};

/// A workspace that has synced, and a push of an edit by it that central takes while the sync is killed.
fn killed_after(world: &World, point: Point) -> Workspace {
    let api = world.workspace("api");
    api.write("API-T-0001", "First.");
    api.write("API-T-0002", "First.");
    api.sync().report();
    api.write("API-T-0001", "Second.");
    api.delete("API-T-0002");
    kill_sync_at(&api, world, point);
    api
}

/// A sync that is killed when it has come this far, where central goes on.
#[track_caller]
fn kill_sync_at(workspace: &Workspace, world: &World, point: Point) {
    let mut gate = world.points.gate(point);
    let sync = workspace.start_sync();
    gate.wait();
    assert_eq!(sync.kill().code, None);
    gate.open();
}

#[track_caller]
fn is_in_central(world: &World, text: &str) {
    let folder = world.central.folder("api");
    let document = String::from_utf8_lossy(&folder["API-T-0001.md"]).into_owned();
    assert!(document.contains(text), "{document}");
}

/// What central has is this clone's own, and what was written since comes after it.
#[test]
fn an_edit_after_a_push_that_nobody_noted() {
    let world = World::new();
    let api = killed_after(&world, Point::AfterRef);
    is_in_central(&world, "Second.");
    api.write("API-T-0001", "Third.");
    api.write("API-T-0002", "Back again.");
    let status = api.run(&["status"]).success();
    assert!(!status.contains("onflict"), "{status}");
    assert_eq!(api.sync().report().pushed, ["API-T-0001", "API-T-0002"]);
    is_in_central(&world, "Third.");
    assert!(!api.metis().join(".sync/pushing.json").exists());
}

/// The same where others pushed meanwhile, and a sync that only pulls came first.
#[test]
fn others_were_there_in_between() {
    let world = World::new();
    let web = world.workspace("web");
    let api = killed_after(&world, Point::AfterRef);
    for text in ["Theirs.", "More of theirs."] {
        web.write("WEB-T-0001", text);
        web.sync().report();
    }
    api.write("API-T-0001", "Third.");
    api.sync_with(&["--pull-only"]).report();
    assert_eq!(api.sync().report().pushed, ["API-T-0001"]);
    is_in_central(&world, "Third.");
    web.sync().report();
    world.assert_converged(&[api, web]);
}

/// A push that did not arrive says nothing: what somebody else made of the document is still somebody else's.
#[test]
fn a_push_that_did_not_arrive() {
    let world = World::new();
    let api = world.workspace("api");
    api.write("API-T-0001", "First.");
    api.sync().report();
    let colleague = world.workspace("api");
    colleague.write("API-T-0001", "First.");
    colleague.sync().report();
    api.write("API-T-0001", "Second.");
    kill_sync_at(&api, &world, Point::BeforePush);
    colleague.write("API-T-0001", "The colleague's.");
    assert_eq!(colleague.sync().report().pushed, ["API-T-0001"]);
    api.write("API-T-0001", "Third.");
    assert_eq!(api.sync().failure(3).kind, "diverged");
    is_in_central(&world, "The colleague's.");
}

/// Central takes it only when the next sync has looked, and that one is too slow with its own.
#[test]
fn a_push_that_arrives_during_the_next_sync() {
    let world = World::new();
    let api = world.workspace("api");
    api.write("API-T-0001", "First.");
    api.sync().report();
    api.write("API-T-0001", "Second.");
    let mut late = world.points.gate(Point::BeforeRef);
    let sync = api.start_sync();
    late.wait();
    assert_eq!(sync.kill().code, None);
    api.write("API-T-0001", "Third.");
    let mut next = world.points.gate(Point::BeforePush);
    let sync = api.start_sync();
    next.wait();
    late.open();
    let has_arrived = || String::from_utf8_lossy(&world.central.folder("api")["API-T-0001.md"]).contains("Second.");
    eventually("the late push", has_arrived);
    next.open();
    let report = Ended(sync.finish()).report();
    assert_eq!((report.pushed, report.retries), (vec!["API-T-0001".to_owned()], 1));
    is_in_central(&world, "Third.");
}

/// A push that arrived is not forgotten when the next one is cut short before it was sent.
#[test]
fn another_push_that_did_not_arrive() {
    let world = World::new();
    let api = killed_after(&world, Point::AfterRef);
    for text in ["Third.", "Fourth."] {
        api.write("API-T-0001", text);
        kill_sync_at(&api, &world, Point::BeforePush);
        is_in_central(&world, "Second.");
    }
    api.write("API-T-0001", "Fifth.");
    let status = api.run(&["status"]).success();
    assert!(!status.contains("onflict"), "{status}");
    assert_eq!(api.sync().report().pushed, ["API-T-0001"]);
    is_in_central(&world, "Fifth.");
}

/// A note that another clone's user, or a pull, left there is none.
#[test]
fn a_note_of_another_clone() {
    let world = World::new();
    let api = killed_after(&world, Point::AfterRef);
    let note = std::fs::read(api.metis().join(".sync/pushing.json")).unwrap();
    let stranger = world.workspace("api");
    stranger.write("API-T-0003", "Mine.");
    stranger.sync().report();
    stranger.put(".sync/pushing.json", note);
    stranger.write("API-T-0001", "Not after what central has.");
    assert_eq!(stranger.sync().failure(3).kind, "diverged");
    is_in_central(&world, "Second.");
}

/// The first sync of all, by a clone that was set up by a command or came with its settings: there is no cursor yet.
#[test]
fn the_first_sync_of_a_clone() {
    for (with_init, others_went_on) in [(false, false), (true, false), (false, true)] {
        let world = World::new();
        let web = world.workspace("web");
        web.write("WEB-T-0001", "Theirs.");
        web.sync().report();
        let api = world.workspace("api");
        if with_init {
            api.run(&["init", "--upstream", &world.central.url(), "--prefix", "api"])
                .success();
        }
        api.write("API-T-0001", "First.");
        kill_sync_at(&api, &world, Point::AfterRef);
        is_in_central(&world, "First.");
        if others_went_on {
            for code in ["WEB-T-0002", "WEB-T-0003"] {
                web.write(code, "More.");
                web.sync().report();
            }
        }
        api.write("API-T-0001", "Second.");
        let status = api.run(&["status"]).success();
        assert!(!status.contains("onflict"), "{status}");
        assert_eq!(api.sync().report().pushed, ["API-T-0001"]);
        is_in_central(&world, "Second.");
        web.sync().report();
        world.assert_converged(&[api, web]);
    }
}
