//! Several workspaces at the server's lock at once, each with the same old commit in hand.

use std::fs;

use crate::support::{
    point::{Gate, Point},
    process::{Running, eventually},
    report::{Ended, Report},
    servers::{Access, Nginx},
    workspace::{Remote, Workspace},
    world::World,
};

/// So many workspaces with something of every kind to push: a change, a new document and a removal.
fn busy(world: &World, remote: &Remote, prefixes: &[&str]) -> Vec<Workspace> {
    let make = |prefix: &&str| {
        let workspace = world.workspace_on(prefix, remote);
        let code = |number: u32| format!("{}-T-{number:04}", prefix.to_uppercase());
        for number in 1..=3 {
            workspace.write(&code(number), "As it was.");
        }
        workspace.sync().report();
        workspace.edit(&code(1), &format!("Changed by {prefix}."));
        workspace.delete(&code(2));
        workspace.write(&code(4), &format!("Made by {prefix}."));
        workspace
    };
    prefixes.iter().map(make).collect()
}

fn gates(world: &World, count: usize) -> Vec<Gate> {
    (0..count).map(|_| world.points.gate(Point::BeforeRef)).collect()
}

/// All are at the lock before any of them gets it.
fn collide(gates: Vec<Gate>) {
    let mut gates = gates;
    gates.iter_mut().for_each(Gate::wait);
    gates.into_iter().for_each(Gate::open);
}

fn reports(running: Vec<Running>) -> Vec<Report> {
    running.into_iter().map(|sync| Ended(sync.finish()).report()).collect()
}

/// Every write of everybody is in central, in one commit each, and comes to everybody.
#[track_caller]
fn nothing_is_lost(world: &World, workspaces: &[Workspace], reports: &[Report]) {
    assert_eq!(world.central.log().len(), 1 + 2 * workspaces.len());
    for (workspace, report) in workspaces.iter().zip(reports) {
        let code = |number: u32| format!("{}-T-{number:04}", workspace.prefix.to_uppercase());
        assert_eq!(report.pushed, [code(1), code(4)]);
        assert_eq!(report.removed, [code(2)]);
        assert_eq!(world.central.folder(&workspace.prefix), workspace.documents());
    }
    for workspace in workspaces {
        workspace.sync().report();
    }
    world.assert_converged(workspaces);
}

fn sorted(reports: &[Report]) -> Vec<u32> {
    let mut retries: Vec<_> = reports.iter().map(|report| report.retries).collect();
    retries.sort_unstable();
    retries
}

/// 82#12: one is first, the other one retries.
#[test]
fn two_at_the_lock() {
    let world = World::new();
    let workspaces = busy(&world, &world.local(), &["api", "web"]);
    let gates = gates(&world, 2);
    let running = workspaces.iter().map(Workspace::start_sync).collect();
    collide(gates);
    let reports = reports(running);
    assert_eq!(sorted(&reports), [0, 1]);
    nothing_is_lost(&world, &workspaces, &reports);
}

/// 82#13
#[test]
fn three_at_the_lock() {
    let world = World::new();
    let workspaces = busy(&world, &world.local(), &["api", "ops", "web"]);
    let gates = gates(&world, 3);
    let running = workspaces.iter().map(Workspace::start_sync).collect();
    collide(gates);
    let reports = reports(running);
    assert_eq!(sorted(&reports)[0], 0);
    assert!(sorted(&reports)[1] >= 1, "the race was run");
    nothing_is_lost(&world, &workspaces, &reports);
}

/// 82#14, 82#15: five machines; the four losers meet at the lock again, so that three of them need more than one retry.
#[test]
fn five_at_the_lock_twice() {
    let world = World::new();
    let Some(nginx) = Nginx::start(&world, Access::Open) else {
        return;
    };
    let workspaces = busy(&world, &nginx.remote(), &["aa", "bb", "cc", "dd"]);
    let local = busy(&world, &world.local(), &["ee"]).remove(0);
    let (first, second) = (gates(&world, 5), gates(&world, 4));
    let mut running: Vec<_> = workspaces.iter().map(Workspace::start_sync).collect();
    running.push(local.start_sync());
    collide(first);
    collide(second);
    let reports = reports(running);
    let retries = sorted(&reports);
    assert_eq!(retries[..2], [0, 1]);
    assert!(retries[2] >= 2, "at least one needs several: {retries:?}");
    let workspaces: Vec<_> = workspaces.into_iter().chain([local]).collect();
    nothing_is_lost(&world, &workspaces, &reports);
}

/// 82#14: the writers of one machine do not race each other twice.
#[test]
fn five_on_one_machine_take_turns() {
    let world = World::new();
    let workspaces = busy(&world, &world.local(), &["aa", "bb", "cc", "dd", "ee"]);
    let gates = gates(&world, 5);
    let running = workspaces.iter().map(Workspace::start_sync).collect();
    collide(gates);
    let reports = reports(running);
    assert_eq!(sorted(&reports), [0, 1, 1, 1, 1]);
    nothing_is_lost(&world, &workspaces, &reports);
}

/// Who finds another writer of the machine at its push waits for the end of that, instead of pushing in vain.
#[test]
fn who_comes_while_another_one_pushes_waits() {
    let world = World::new();
    let Some(nginx) = Nginx::start(&world, Access::Open) else {
        return;
    };
    let mut workspaces = busy(&world, &nginx.remote(), &["api", "web"]);
    let web = workspaces.remove(1).beside(&workspaces[0]);
    workspaces.push(web);
    let mut gate = world.points.gate(Point::BeforeRef);
    let first = workspaces[0].start_sync();
    gate.wait();
    let trace = world.root().join("trace");
    let mut second = workspaces[1].sync_command(&[]);
    second.env("METIS_SYNC_TRACE", &trace);
    let second = Running::start(second);
    eventually("its documents are in a commit", || {
        fs::read_to_string(&trace).is_ok_and(|trace| trace.contains("dehydrate"))
    });
    gate.open();
    let reports = reports(vec![first, second]);
    assert_eq!(sorted(&reports), [0, 0]);
    nothing_is_lost(&world, &workspaces, &reports);
}

/// A turn is a courtesy: a sync that stands still with it holds nobody up for good.
#[test]
fn who_is_killed_in_its_turn_frees_it() {
    let world = World::new();
    let workspaces = busy(&world, &world.local(), &["api", "web"]);
    let landing = world
        .central
        .landing("busy/BUSY-T-0001.md", "No document, but a commit.");
    world.points.command(Point::BeforePush, &landing);
    let mut retry = world.points.gate(Point::BeforePush);
    let sync = workspaces[0].start_sync();
    retry.wait();
    assert_eq!(sync.kill().code, None);
    drop(retry);
    let landing = world
        .central
        .landing("busy/BUSY-T-0002.md", "No document, but a commit.");
    world.points.command(Point::BeforePush, &landing);
    assert_eq!(workspaces[1].sync().report().retries, 1);
    workspaces[0].sync().report();
    workspaces[1].sync().report();
    world.assert_converged(&workspaces);
}
