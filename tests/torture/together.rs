//! Several at once in one workspace: one runs, the others wait, and nobody waits for the dead.

use std::{fs, process::Command};

use crate::support::{
    point::Point,
    process::{Running, run},
    report::Ended,
    world::World,
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

/// Everything of git's that may stand in the environment of a hook, pointing to where harm would be done.
#[test]
fn a_hostile_environment_changes_nothing() {
    let world = World::new();
    let (api, web) = (world.workspace("api"), world.workspace("web"));
    web.write("WEB-T-0001", "Theirs.");
    web.sync().report();
    api.write("API-T-0001", "Mine.");
    let victim = world.root().join("victim");
    let mut init = Command::new("git");
    init.env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .args(["init", "--quiet"])
        .arg(&victim);
    run(init).success();
    let before = crate::support::snapshot::Snapshot::of(&victim);
    let git_dir = victim.join(".git");
    let mut sync = api.sync_command(&[]);
    for (name, below) in [
        ("GIT_DIR", ""),
        ("GIT_COMMON_DIR", ""),
        ("GIT_INDEX_FILE", "index"),
        ("GIT_OBJECT_DIRECTORY", "objects"),
        ("GIT_ALTERNATE_OBJECT_DIRECTORIES", "objects"),
        ("GIT_QUARANTINE_PATH", "objects"),
        ("GIT_SHALLOW_FILE", "shallow"),
        ("GIT_GRAFT_FILE", "grafts"),
    ] {
        sync.env(name, git_dir.join(below));
    }
    sync.env("GIT_WORK_TREE", &victim)
        .env("GIT_NAMESPACE", "elsewhere")
        .env("GIT_PREFIX", "sub/")
        .env("GIT_DEFAULT_HASH", "sha256")
        .env("GIT_REPLACE_REF_BASE", "refs/elsewhere/")
        .env("GIT_LITERAL_PATHSPECS", "1")
        .env("GIT_PUSH_OPTION_COUNT", "1")
        .env("GIT_PUSH_OPTION_0", "x")
        .env("GIT_REFLOG_ACTION", "push")
        .env("GIT_EXEC_PATH_HINT", "/nowhere");
    let report = Ended(run(sync)).report();
    assert_eq!((report.pushed.len(), report.pulled["web"].written), (1, 1));
    let after = crate::support::snapshot::Snapshot::of(&victim);
    assert!(after.since(&before).is_empty(), "{:?}", after.since(&before));
    web.sync().report();
    world.assert_converged(&[api, web]);
}
