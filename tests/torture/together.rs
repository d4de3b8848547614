//! Several at once in one workspace: one runs, the others wait, and nobody waits for the dead.

use std::fs;

use super::trace;
use crate::{
    hooks::project::Project,
    support::{
        disk::Disk,
        point::Point,
        process::{Running, eventually, run},
        report::Ended,
        servers::skip,
        world::World,
    },
};

/// The one that runs is named, the others wait, and all of them end well.
#[test]
fn one_runs_and_the_others_wait() {
    let world = World::new();
    let api = world.workspace("api");
    api.write("API-T-0001", "Mine.");
    let mut gate = world.points.gate(Point::BeforePush);
    let first = api.start_sync();
    gate.wait();
    let holder = fs::read_to_string(api.metis().join(".sync/lock")).expect("it is held");
    assert!(
        holder.contains("\"pid\":") && holder.contains("git metis-sync"),
        "{holder}"
    );
    let others: Vec<Running> = (0..3).map(|_| api.start_sync()).collect();
    assert_eq!(world.central.log().len(), 1, "nobody overtook");
    gate.open();
    assert_eq!(first.finish().code, Some(0));
    for other in others {
        let report = Ended(other.finish()).report();
        assert!(report.pushed.is_empty(), "it was pushed by the first one: {report:?}");
    }
    assert_eq!(world.central.log().len(), 2);
    world.assert_converged(&[api]);
}

/// Its death is all that it takes: whoever waits goes on, whatever the lock file still says.
#[test]
fn the_holder_is_killed_and_the_next_goes_on() {
    let world = World::new();
    let api = world.workspace("api");
    api.write("API-T-0001", "Mine.");
    let mut gate = world.points.gate(Point::BeforePush);
    let first = api.start_sync();
    gate.wait();
    let second = api.start_sync();
    assert_eq!(first.kill().code, None);
    gate.open();
    assert_eq!(second.finish().code, Some(0));
    world.assert_converged(&[api]);
}

/// A lock file of another time, with the id of a process that lives now.
#[test]
fn an_old_lock_file_holds_nobody_up() {
    let world = World::new();
    let api = world.workspace("api");
    api.write("API-T-0001", "Mine.");
    for pid in [std::process::id(), 1, 4_000_000] {
        let said = format!(
            "{{\"pid\":{pid},\"host\":\"elsewhere\",\"started\":\"1999-01-01T00:00:00Z\",\"command\":\"git metis-sync sync\"}}\n"
        );
        api.put(".sync/lock", said);
        api.edit("API-T-0001", &format!("After {pid}."));
        assert_eq!(api.sync().report().pushed, ["API-T-0001"]);
    }
    world.assert_converged(&[api]);
}

/// Whoever waits in vain says who is in the way. Half a minute long, which is how long a sync waits.
#[test]
#[ignore = "takes half a minute: scripts/torture"]
fn who_waits_in_vain_names_the_holder() {
    let world = World::new();
    let api = world.workspace("api");
    api.write("API-T-0001", "Mine.");
    let mut gate = world.points.gate(Point::BeforePush);
    let first = api.start_sync();
    gate.wait();
    let failure = api.sync().failure(75);
    assert!(
        failure.message.contains("process ") && failure.message.contains("git metis-sync"),
        "{failure:?}"
    );
    gate.open();
    assert_eq!(first.finish().code, Some(0));
}

/// A hook, a terminal and a script of plumbing at once: the one that came first goes on, the others wait for it, and
/// each does its part.
#[test]
fn a_hook_a_terminal_and_a_script() {
    let world = World::new();
    let api = Project::new(&world, "api");
    api.workspace.write("API-T-0001", "Mine.");
    let mut gate = world.points.gate(Point::BeforePush);
    let terminal = api.workspace.start_sync();
    gate.wait();
    api.workspace.write("API-T-0002", "Written meanwhile.");
    api.hooks(&["run", "post-merge"]);
    let program = env!("CARGO_BIN_EXE_git-metis-sync");
    let dir = api.workspace.dir.display().to_string();
    let mut script = api.program("sh");
    let stages = ["fetch", "hydrate", "dehydrate", "push", "rebuild-cache"];
    let pipe = stages
        .map(|stage| format!("'{program}' -C '{dir}' {stage}"))
        .join(" | ");
    script.args(["-c", &pipe]);
    let script = Running::start(script);
    eventually("the script is waiting or done", || {
        api.state("lock").contains("git metis-sync sync")
    });
    assert_eq!(world.central.log().len(), 1, "nobody overtook");
    gate.open();
    assert_eq!(terminal.finish().code, Some(0));
    let script = script.finish();
    assert_eq!(script.code, Some(0), "{}", script.transcript());
    assert_eq!(api.ended(1)["ended"], "synced", "{}", api.state("hook.log"));
    // Whoever came last has seen both documents.
    assert_eq!(world.central.folder("api"), api.workspace.documents());
    assert_eq!(world.central.log().len(), 3, "a commit for each document");
    world.central.fsck_strict();
}

/// Locks as some network file systems have them, which is not at all: said once, and no reason to stop.
#[test]
fn a_file_system_without_locks() {
    if !trace::available() {
        return skip("strace is not installed, or may not trace");
    }
    let world = World::new();
    let (api, web) = (world.workspace("api"), world.workspace("web"));
    web.write("WEB-T-0001", "Theirs.");
    web.sync().report();
    for error in ["ENOLCK", "EOPNOTSUPP", "ENOSYS"] {
        api.write("API-T-0001", error);
        let what = format!("error={error}");
        let ended = Ended(trace::with_injected(&api, &api.sync_command(&[]), "flock", &what, "1+"));
        let report = ended.report();
        assert_eq!(report.pushed, ["API-T-0001"], "{error}");
        let about_locks = report.warnings.iter().filter(|warning| warning.contains("lock"));
        assert_eq!(about_locks.count(), 1, "{error}: {:?}", report.warnings);
    }
    web.sync().report();
    world.assert_converged(&[api, web]);
}

/// A disk that nothing may be written to. What only looks works; a sync says that it cannot and changes nothing here or
/// in central.
#[test]
fn a_disk_that_is_only_read() {
    let world = World::new();
    let (api, web) = (world.workspace("api"), world.workspace("web"));
    api.write("API-T-0001", "Mine.");
    api.sync().report();
    let Some(disk) = Disk::small(&api.dir) else { return };
    web.write("WEB-T-0001", "Theirs.");
    web.sync().report();
    api.write("API-T-0002", "Not pushed yet.");
    disk.remount("ro");
    let (before, tip) = (api.snapshot(), world.central.tip());
    let dry = run(api.sync_command(&["--dry-run"])).success();
    assert!(
        dry.contains("API-T-0002") && dry.contains("\"web\":{\"written\":1"),
        "{dry}"
    );
    run(api.metis_sync(&["status"])).success();
    run(api.metis_sync(&["diff"])).success();
    let failure = api.sync().failure(1);
    let said = format!("{} {}", failure.message, failure.server_text).to_lowercase();
    assert!(said.contains("read-only"), "{failure:?}");
    let after = api.snapshot();
    assert!(after.since(&before).is_empty(), "{:?}", after.since(&before));
    assert_eq!(world.central.tip(), tip, "what cannot be noted is not pushed");
    disk.remount("rw");
    assert_eq!(api.sync().report().pushed, ["API-T-0002"]);
    web.sync().report();
    world.assert_converged(&[api, web]);
}
