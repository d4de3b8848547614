//! The process in the background: it waits for git, others wait for it, and its failure is told.

use std::fs;

use rustix::fs::{CWD, FileType, Mode, mknodat};

use super::project::Project;
use crate::support::{
    point::Point,
    process::{Running, eventually, run},
    world::World,
};

/// What git's command does is not settled before it has ended, so the sync does not begin before.
#[test]
fn the_sync_begins_when_git_has_ended() {
    let world = World::new();
    let api = Project::new(&world, "api");
    let held = HeldPush::start(&world, &api);
    let waiting = api.state("hook-waiting.json");
    assert!(
        waiting.contains("\"begun\"") && waiting.contains("pre-push"),
        "{waiting}"
    );
    assert!(api.hooks(&["status"]).contains("and has not ended"));
    assert_eq!(api.state("hook.json"), "", "no sync has begun");

    // More hooks of the same command have nothing to add.
    held.fire();
    eventually("it sees that one is enough", || {
        api.state("hook.log").contains("Another hook of the same command")
    });
    held.end();

    assert_eq!(api.ended(2)["ended"], "synced", "{}", api.state("hook.log"));
    assert_eq!(world.central.folder("api"), api.workspace.documents());
    assert_eq!(api.state("hook-waiting.json"), "");
    assert_eq!(api.state("journal.jsonl").lines().count(), 1);
}

/// A container that ends with the push, a shutdown: whoever looks next learns of it, once.
#[test]
fn a_worker_that_was_killed_is_told_of() {
    let world = World::new();
    let api = Project::new(&world, "api");
    let held = HeldPush::start(&world, &api);
    api.kill_worker("hook-waiting.json");
    held.end();
    let told = |status: &str| {
        assert!(
            status.contains("The last sync by a hook (pre-push) did not finish (begun ")
                && status.contains("its process was ended before the sync was"),
            "{status}"
        );
    };
    told(&api.hooks(&["status"]));
    assert!(world.central.folder("api").is_empty());

    let mut gate = world.points.gate(Point::BeforeRef);
    let next = api.try_git(&["push", "origin", "main:next"]);
    assert_eq!(next.code, Some(0));
    assert_eq!(
        next.stderr.matches("after the last pre-push did not finish").count(),
        1,
        "{}",
        next.transcript()
    );
    gate.wait();
    api.kill_worker("hook.json");
    told(&api.hooks(&["status"]));
    gate.open();

    let last = api.try_git(&["push", "origin", "main:last"]);
    assert!(last.stderr.contains("did not finish"), "{}", last.transcript());
    eventually("the third has gone through", || {
        api.state("hook.json").contains("\"synced\"")
    });
    api.wait_for_worker();
    assert!(
        !api.try_git(&["push", "origin", "main:once"])
            .stderr
            .contains("did not finish")
    );
    assert_eq!(world.central.folder("api"), api.workspace.documents());
}

/// A push that is held by the user's own lines in the hook, while the worker that ours started waits.
struct HeldPush {
    push: Running,
    gate: std::path::PathBuf,
}

impl HeldPush {
    fn start(world: &World, api: &Project) -> Self {
        let gate = world.root().join("held");
        mknodat(CWD, &gate, FileType::Fifo, Mode::from_raw_mode(0o600), 0).expect("temp folder is writable");
        // Not to be taken for the installed line.
        let lines = format!(
            "#!/bin/sh\n[ -p '{gate}' ] || exit 0\nread -r word <'{gate}'\nif [ \"$word\" = fire ]; then\n    git metis-sync hooks 'run' pre-push\n    \
             read -r word <'{gate}'\nfi\n",
            gate = gate.display()
        );
        api.hook("pre-push", &lines);
        api.hooks(&["install", "pre-push"]);
        api.workspace.write("API-T-0001", "To be pushed.");
        api.commit("a document");
        let push = Running::start(api.command(&["push"]));
        eventually("its worker waits", || !api.state("hook-waiting.json").is_empty());
        HeldPush { push, gate }
    }

    /// One more hook fires within the same push.
    fn fire(&self) {
        fs::write(&self.gate, "fire\n").expect("somebody reads");
    }

    fn end(self) {
        fs::write(&self.gate, "end\n").expect("somebody reads");
        self.push.finish().success();
        fs::remove_file(&self.gate).expect("it is ours");
    }
}

/// One syncs, one waits, and the others see that this is enough.
#[test]
fn many_at_once_become_two() {
    let world = World::new();
    let api = Project::new(&world, "api");
    api.hooks(&["install"]);
    api.workspace.write("API-T-0001", "There.");
    let mut gate = world.points.gate(Point::BeforeRef);
    let fire = || Running::start(api.command(&["metis-sync", "hooks", "run", "pre-push"]));
    fire().finish().success();
    gate.wait();
    api.workspace
        .write("API-T-0002", "Too late for the first, in time for the second.");

    let more: Vec<_> = (0..8).map(|_| fire()).collect();

    for one in more {
        one.finish().success();
    }
    eventually("seven have gone", || {
        api.state("hook.log").matches("that is enough").count() == 7
    });
    gate.open();
    eventually("the second has pushed", || world.central.log().len() == 3);
    api.wait_for_worker();
    assert_eq!(world.central.folder("api"), api.workspace.documents());
    assert_eq!(api.state("journal.jsonl").lines().count(), 2);
}

/// Whoever is at the prompt next learns of it, whatever they ask for, until a sync has succeeded.
#[test]
fn a_failure_in_the_background_is_seen_at_the_prompt() {
    let world = World::new();
    let api = Project::new(&world, "api");
    api.workspace.write("API-T-0001", "To be pushed.");
    api.commit("a document");
    let shown = world.root().join("shown");
    let program = api.workspace.dir.parent().expect("a machine").join("bin/notify-send");
    let mut written = api.program("sh");
    let text = format!("#!/bin/sh\nprintf '%s\\n' \"$@\" >>{}\n", shown.display());
    written
        .args(["-c", "printf %s \"$1\" >\"$0\" && chmod 755 \"$0\""])
        .arg(&program)
        .arg(text);
    run(written).success();
    api.workspace.put(".sync/config.toml", "[sync.hooks]\nnotify = true\n");
    api.hooks(&["install"]);
    let away = world.root().join("away.git");
    fs::rename(&world.central.dir, &away).expect("it is ours");

    api.git(&["push"]);

    assert_eq!(api.ended(1)["ended"], "failed", "{}", api.state("hook.log"));
    eventually("it is shown on the desktop", || {
        fs::read_to_string(&shown).is_ok_and(|text| text.lines().count() == 4)
    });
    let desktop = fs::read_to_string(&shown).expect("it is there");
    assert!(
        desktop.contains("\ngit metis-sync\nthe sync in the background after the last pre-push failed just now"),
        "{desktop}"
    );
    let line = "note: the sync in the background after the last pre-push failed ";
    for args in [["log"].as_slice(), &["trust"], &["doctor", "--offline"], &["log"]] {
        let ended = api.workspace.run(args);
        assert!(
            ended.stderr.starts_with(line) && ended.stderr.contains("there is no repository at"),
            "{}",
            ended.transcript()
        );
    }
    for args in [["--json", "log"].as_slice(), &["-q", "log"], &["completions", "bash"]] {
        assert!(!api.workspace.run(args).stderr.contains("background"), "{args:?}");
    }
    let status = api.workspace.run(&["status", "--offline"]).success();
    assert!(
        status.contains("The sync in the background after the last pre-push failed "),
        "{status}"
    );

    fs::rename(&away, &world.central.dir).expect("it is ours");
    assert!(api.workspace.run(&["sync", "--dry-run"]).stderr.contains("background"));
    api.workspace.run(&["sync"]);
    let settled = api.workspace.run(&["log"]);
    assert!(!settled.stderr.contains("background"), "{}", settled.transcript());
}
