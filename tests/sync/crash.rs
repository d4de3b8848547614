//! Killed in the middle: every file is whole, central has all or nothing, and the next sync needs no help.

use crate::support::{point::Point, workspace::Workspace, world::World};

/// One who has pushed, and one about to sync for the first time.
fn two(world: &World) -> (Workspace, Workspace) {
    let (api, web) = (world.workspace("api"), world.workspace("web"));
    api.write("API-T-0001", "There.");
    api.sync().report();
    web.write("WEB-T-0001", "On its way.");
    (api, web)
}

#[track_caller]
fn recovers(world: &World, api: Workspace, web: Workspace, commits: usize) {
    web.sync().report();
    api.sync().report();
    world.assert_converged(&[api, web]);
    assert_eq!(world.central.log().len(), commits);
}

/// 81#31, 82#17
#[test]
fn between_hydrating_and_pushing() {
    let world = World::new();
    let (api, web) = two(&world);
    let mut gate = world.points.gate(Point::BeforePush);
    let sync = web.start_sync();
    gate.wait();
    assert_eq!(web.hydrated("api"), api.documents(), "it has hydrated");
    let tip = world.central.tip();
    assert_eq!(sync.kill().code, None);
    gate.open();
    assert_eq!(world.central.tip(), tip, "central is untouched");
    recovers(&world, api, web, 3);
}

/// 81#32: the server has everything and is about to move the branch. It may or may not; both are whole.
#[test]
fn while_the_server_decides() {
    let world = World::new();
    let (api, web) = two(&world);
    let mut gate = world.points.gate(Point::BeforeRef);
    let mut moved = world.points.gate(Point::AfterRef);
    let sync = web.start_sync();
    gate.wait();
    assert_eq!(sync.kill().code, None);
    gate.open();
    moved.wait();
    drop(moved);
    assert_eq!(
        world.central.folder("web"),
        web.documents(),
        "the push is complete without its client"
    );
    recovers(&world, api, web, 3);
}

/// The push is done, and the one who asked for it does not live to hear it: nothing is pushed twice.
#[test]
fn before_the_answer() {
    let world = World::new();
    let (api, web) = two(&world);
    let mut gate = world.points.gate(Point::AfterRef);
    let sync = web.start_sync();
    gate.wait();
    assert_eq!(sync.kill().code, None);
    gate.open();
    recovers(&world, api, web, 3);
}

/// Killed before it knows anything: as if it had never been.
#[test]
fn before_the_fetch() {
    let world = World::new();
    let (api, web) = two(&world);
    let mut gate = world.points.gate(Point::BeforeFetch);
    let sync = web.start_sync();
    gate.wait();
    assert_eq!(sync.kill().code, None);
    assert!(web.hydrated("api").is_empty());
    drop(gate);
    recovers(&world, api, web, 3);
}
