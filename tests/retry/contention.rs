//! Many writers, one central, one moment. Nothing but central is shared: every writer has a machine of its own, so no
//! lock and no cache can help. All arrive within the default budget of five retries, and nothing is lost.

mod starting_line;

use std::time::{Duration, Instant};

use crate::support::{
    process::Running,
    report::{Ended, Report},
    servers::{Access, Nginx},
    workspace::{Remote, Workspace},
    world::World,
};
use starting_line::StartingLine;

/// All sync at one moment. Returns their reports and how long it took until the last was done.
#[track_caller]
fn together(world: &World, workspaces: &[Workspace]) -> (Vec<Report>, Duration) {
    let mut line = StartingLine::create(&world.root());
    let running: Vec<_> = workspaces
        .iter()
        .map(|workspace| Running::start(line.behind(&workspace.sync_command(&[]))))
        .collect();
    line.start(running.len());
    let begun = Instant::now();
    let ended: Vec<_> = running.into_iter().map(|sync| Ended(sync.finish())).collect();
    let took = begun.elapsed();
    (ended.iter().map(Ended::report).collect(), took)
}

/// Each workspace has codes of its own: one that another holds is not pushed.
fn code(workspace: &Workspace, number: usize) -> String {
    format!("{}-T-{number:04}", workspace.prefix.to_uppercase())
}

/// Workspaces that have all synced, and what central had then.
struct Crowd {
    world: World,
    workspaces: Vec<Workspace>,
    round: usize,
}

impl Crowd {
    fn gather(world: World, remote: &Remote, writers: usize) -> Self {
        let workspaces: Vec<_> = (0..writers as u8)
            .map(|n| world.workspace_on(&format!("w{}", char::from(b'a' + n)), remote))
            .collect();
        for workspace in &workspaces {
            workspace.write(&code(workspace, 1), "The first.");
            workspace.sync().report();
        }
        Crowd {
            world,
            workspaces,
            round: 0,
        }
    }

    /// Everybody edits one document and makes another.
    fn work(&mut self) {
        self.round += 1;
        for workspace in &self.workspaces {
            workspace.edit(
                &code(workspace, 1),
                &format!("Round {} of {}.", self.round, workspace.prefix),
            );
            workspace.write(&code(workspace, self.round + 1), &workspace.prefix);
        }
    }

    /// All sync at one moment. Returns their reports and how long it took until the last was done.
    #[track_caller]
    fn at_once(&mut self) -> (Vec<Report>, Duration) {
        self.work();
        let before = self.world.central.log().len();
        let done = together(&self.world, &self.workspaces);
        self.nothing_is_lost(before);
        done
    }

    /// All sync, one after the other: what a crowd is measured against.
    fn one_by_one(&mut self) -> Duration {
        self.work();
        let begun = Instant::now();
        for workspace in &self.workspaces {
            workspace.sync().report();
        }
        begun.elapsed()
    }

    #[track_caller]
    fn nothing_is_lost(&self, commits_before: usize) {
        let central = &self.world.central;
        central.fsck_strict();
        let files = central.files();
        for workspace in &self.workspaces {
            for (name, bytes) in workspace.documents() {
                let path = format!("{}/{name}", workspace.prefix);
                assert_eq!(files.get(&path), Some(&bytes), "{path}");
            }
        }
        assert_eq!(
            central.log().len(),
            commits_before + self.workspaces.len(),
            "one commit each, none lost and none twice"
        );
        let merges = central.git(&["rev-list", "--min-parents=2", "--count", &central.branch]);
        assert_eq!(merges.trim(), "0", "history is a line");
    }

    /// Another sync by everybody, one after the other, and all are the same.
    #[track_caller]
    fn converge(self) {
        for workspace in &self.workspaces {
            workspace.sync().report();
        }
        self.world.assert_converged(&self.workspaces);
    }
}

/// One crowd over file URLs, this many times.
#[track_caller]
fn locally(writers: usize, rounds: usize) {
    let world = World::new();
    let remote = world.local();
    let mut crowd = Crowd::gather(world, &remote, writers);
    for _ in 0..rounds {
        let (reports, _) = crowd.at_once();
        // They take turns, so nobody loses a second time, unless to one who only now makes its first attempt.
        assert!(reports.iter().all(|report| report.retries <= 2));
    }
    crowd.converge();
}

/// The same through a web server.
#[track_caller]
fn over_http(writers: usize, rounds: usize) {
    let world = World::new();
    let Some(nginx) = Nginx::start(&world, Access::Open) else {
        return;
    };
    let mut crowd = Crowd::gather(world, &nginx.remote(), writers);
    for _ in 0..rounds {
        crowd.at_once();
    }
    crowd.converge();
}

#[test]
fn two_at_once() {
    locally(2, 3);
}

/// 82#14, 82#15
#[test]
fn five_at_once() {
    locally(5, 3);
}

/// 82#14, 82#15
#[test]
fn five_machines_at_once() {
    over_http(5, 2);
}

#[test]
fn ten_machines_at_once() {
    over_http(10, 1);
}

/// They have one place in the queue of those that lost, and must not meet there again and again.
#[test]
fn eight_clones_of_one_workspace_at_once() {
    let world = World::new();
    let Some(nginx) = Nginx::start(&world, Access::Open) else {
        return;
    };
    // Many seats leave little time in each.
    for other in 0..30 {
        let path = format!("other{other:02}/OTHER-T-0001.md");
        world.central.land(&path, "---\nshort_code: OTHER-T-0001\n---\n");
    }
    let code = |number: usize| format!("API-T-{number:04}");
    let clones: Vec<_> = (0..8).map(|_| world.workspace_on("api", &nginx.remote())).collect();
    for clone in &clones {
        for number in 0..clones.len() {
            clone.write(&code(number), "As it was.");
        }
        clone.sync().report();
    }
    for (number, clone) in clones.iter().enumerate() {
        clone.edit(&code(number), "Changed here alone.");
    }
    let (reports, _) = together(&world, &clones);
    for (number, report) in reports.iter().enumerate() {
        assert_eq!(report.pushed, [code(number)]);
    }
    let documents = world.central.folder("api");
    assert_eq!(documents.len(), clones.len());
    for (name, bytes) in documents {
        assert!(
            String::from_utf8(bytes).unwrap().contains("Changed here alone."),
            "{name}"
        );
    }
    world.central.fsck_strict();
}

#[test]
fn twenty_at_once() {
    locally(20, 1);
}

/// What `decide`'s figures come from: how many retries crowds need, and how much longer all at once take than one after
/// the other. Minutes long: `cargo test --test main -- --ignored --nocapture crowds`.
#[test]
#[ignore = "takes minutes"]
fn crowds() {
    for (writers, rounds) in [(2, 20), (5, 20), (10, 10), (20, 5)] {
        let world = World::new();
        let remote = world.local();
        measured("file", world, &remote, writers, rounds);
        let world = World::new();
        if let Some(nginx) = Nginx::start(&world, Access::Open) {
            measured("http", world, &nginx.remote(), writers, rounds);
        }
    }
}

#[track_caller]
fn measured(transport: &str, world: World, remote: &Remote, writers: usize, rounds: usize) {
    let mut crowd = Crowd::gather(world, remote, writers);
    let mut needed = [0; 6];
    let mut ratios = Vec::new();
    for _ in 0..rounds {
        let (reports, took) = crowd.at_once();
        ratios.push(took.as_secs_f64() / crowd.one_by_one().as_secs_f64());
        for report in reports {
            needed[report.retries as usize] += 1;
        }
    }
    ratios.sort_by(f64::total_cmp);
    println!(
        "{writers:2} over {transport}, {rounds} rounds: with 0 to 5 retries {needed:?}, \
         time against one by one {:.2} (median), {:.2} (longest)",
        ratios[ratios.len() / 2],
        ratios[ratios.len() - 1]
    );
    crowd.converge();
}
