//! A watcher that is killed again and again while others write: nothing is lost, and nothing goes back.

use std::time::{Duration, Instant};

use super::trace;
use crate::{
    support::{
        process::{Running, eventually},
        servers::skip,
        team::Team,
        workspace::Workspace,
        world::World,
    },
    watch::{Watching, hasty},
};

/// One workspace that is watched, and two whose people sync by hand.
struct Storm {
    world: World,
    all: [Workspace; 3],
    random: fastrand::Rng,
}

impl Storm {
    fn new() -> Self {
        let world = World::new();
        let all = ["api", "web", "ops"].map(|prefix| world.workspace(prefix));
        hasty(&all[0], "");
        Storm {
            world,
            all,
            random: fastrand::Rng::with_seed(7),
        }
    }

    /// All three write, the two others sync, and the watcher is killed somewhere on the way.
    fn round(&mut self, round: u32) {
        let [api, web, ops] = &self.all;
        let watching = Watching::at_once(api);
        let text = format!("Round {round:06}.");
        for (workspace, code) in [(api, "API-T"), (web, "WEB-T"), (ops, "OPS-T")] {
            workspace.write(&format!("{code}-0001"), &text);
            workspace.write(&format!("{code}-{:04}", 2 + round % 20), &text);
        }
        let others: Vec<Running> = [web, ops].into_iter().map(Workspace::start_sync).collect();
        // Wherever that is: nothing waits for anything here. Each round begins anew, so many are killed in their first sync.
        std::thread::sleep(Duration::from_millis(self.random.u64(0..400)));
        watching.kill();
        for other in others {
            other.finish().success();
        }
    }

    /// Everything is everywhere, and central's history never went back.
    fn assert_nothing_lost(self) {
        let [api, web, ops] = &self.all;
        let watching = Watching::of(api);
        eventually("all that was written", || {
            self.world.central.folder("api") == api.documents()
        });
        assert_eq!(watching.end(), Some(130));
        for workspace in [web, ops, api] {
            workspace.sync().report();
        }
        for (prefix, code) in [("api", "API-T"), ("web", "WEB-T"), ("ops", "OPS-T")] {
            let rounds = rounds(&self.world, &format!("{prefix}/{code}-0001.md"));
            // A watcher that is always killed early pushes once, in the end.
            assert!(!rounds.is_empty() && rounds.is_sorted(), "{prefix}: {rounds:?}");
        }
        self.world.assert_converged(&self.all);
    }
}

/// The rounds that a document of central went through, oldest first.
fn rounds(world: &World, path: &str) -> Vec<String> {
    let patch = world
        .central
        .git(&["log", "--reverse", "--format=", "-p", "main", "--", path]);
    let added = patch.lines().filter_map(|line| line.strip_prefix("+Round "));
    added.map(str::to_owned).collect()
}

#[test]
fn killed_in_eight_rounds() {
    let mut storm = Storm::new();
    (1..=8).for_each(|round| storm.round(round));
    storm.assert_nothing_lost();
}

#[test]
#[ignore = "takes ten minutes: scripts/torture"]
fn killed_for_ten_minutes() {
    let mut storm = Storm::new();
    let begun = Instant::now();
    let mut round = 0;
    while begun.elapsed() < Duration::from_secs(600) {
        round += 1;
        storm.round(round);
    }
    println!("killed {round} times");
    storm.assert_nothing_lost();
}

/// Killed at some of the calls that write or send something, in its first sync and in the watching itself.
fn killed_at(points: usize) -> usize {
    let world = World::new();
    let (api, web) = (world.workspace("api"), world.workspace("web"));
    hasty(&api, "");
    let log = world.root().join("strace.log");
    api.write("API-T-0001", "Mine.");
    let counts = trace::counts(&api, &api.sync_command(&[]), &log);
    let mut killed = 0;
    for (number, (syscall, when)) in trace::spread(&trace::points(&counts), points).into_iter().enumerate() {
        api.write("API-T-0001", &format!("Mine, {number}."));
        web.write("WEB-T-0001", &format!("Theirs, {number}."));
        web.sync().report();
        // As it goes on after it has given itself an environment of its own: strace would lose sight of it there.
        let dir = api.dir.display().to_string();
        let watch = api.metis_sync(&["watch", "--started", "--", &dir]);
        let command = trace::injected(&api, &watch, syscall, "signal=KILL", &when.to_string());
        let watching = Watching::start(command, &api.home.join("watch.log"));
        let is_in_step = || world.central.folder("api") == api.documents() && api.hydrated("web") == web.documents();
        eventually("its death, or its work", || watching.has_ended() || is_in_step());
        killed += usize::from(watching.has_ended());
        watching.kill_watcher(&api);
        let point = format!("killed at {syscall} {when}");
        world.central.fsck_strict();
        let report = api.sync().report();
        assert!(is_in_step(), "{point}: {report:?}");
    }
    web.sync().report();
    world.assert_converged(&[api, web]);
    killed
}

#[test]
fn killed_at_eight_steps() {
    if !trace::available() {
        return skip("strace is not installed, or may not trace");
    }
    assert!(killed_at(8) > 4);
}

#[test]
#[ignore = "takes minutes: scripts/torture"]
fn killed_at_many_steps() {
    assert!(trace::available(), "strace is needed");
    let killed = killed_at(150);
    println!("killed at {killed} points");
    assert!(killed > 100);
}

/// An older branch comes and goes under the watcher, faster than it looks.
#[test]
#[ignore = "takes a minute: scripts/torture"]
fn branches_come_and_go() {
    let team = Team::new();
    team.moves_on();
    let newest = team.plans();
    let mut command = team.ann.program(crate::support::process::built("git-metis-sync"));
    command.args(["watch"]);
    let watching = Watching::start(command, &team.ann.home.join("watch.log"));
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(60) {
        for branch in ["old", "main", "v1.0", "main"] {
            team.ann.git(&format!("checkout -q {branch}"));
            assert_eq!(team.plans(), newest, "{branch}: {}", watching.said());
        }
    }
    assert!(watching.said().len() < 10_000, "{}", watching.said());
    team.ann.write(2, "v2");
    eventually("an edit afterwards", || team.plans() == newest.replace("2=v1", "2=v2"));
}
