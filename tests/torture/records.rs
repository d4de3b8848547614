//! Records that are written and exchanged while the program is killed, its disk fails or is full, or the power goes: what was
//! acknowledged arrives, nobody ever sees two entries under one name, and the next sync succeeds unaided.

mod reader;

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, BTreeSet},
    fs,
    process::Command,
};

use serde_json::Value;

use super::trace::{self, spread, thinned};
use crate::support::{
    disk::{Disk, Format},
    process::{Finished, run},
    servers::skip,
    workspace::Workspace,
    world::World,
};

/// What is disturbed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Story {
    /// A tag is written.
    Write,
    /// Own entries are sent, and others' are taken up.
    Sync,
    /// A tag is written in what has become a copy of the folder, which takes a name of its own first.
    Copy,
}

const STORIES: [Story; 3] = [Story::Write, Story::Sync, Story::Copy];

struct Stage {
    world: World,
    own: Workspace,
    other: Workspace,
    story: Story,
    number: Cell<usize>,
    /// The tags that a command said to have written.
    acknowledged: RefCell<BTreeSet<String>>,
}

impl Stage {
    fn new(story: Story) -> Self {
        let world = World::new();
        let (own, other) = (world.workspace("api"), world.workspace("web"));
        for workspace in [&own, &other] {
            workspace.write(&format!("{}-T-0001", workspace.prefix.to_uppercase()), "One.");
            workspace.sync().report();
        }
        let stage = Stage {
            world,
            own,
            other,
            story,
            number: Cell::new(0),
            acknowledged: RefCell::default(),
        };
        stage.write(&stage.own);
        stage.settle("before anything");
        stage
    }

    fn tag(&self) -> String {
        self.number.set(self.number.get() + 1);
        format!("tag-{}", self.number.get())
    }

    /// Writes a tag, which has to succeed.
    fn write(&self, workspace: &Workspace) {
        let tag = self.tag();
        workspace.run(&["tag", "add", "API-T-0001", &tag]).success();
        self.acknowledged.borrow_mut().insert(tag);
    }

    /// The command that is disturbed, and the tag that it writes.
    fn command(&self) -> (Command, Option<String>) {
        match self.story {
            Story::Write => {
                let tag = self.tag();
                (self.own.metis_sync(&["tag", "add", "API-T-0001", &tag]), Some(tag))
            }
            Story::Copy => {
                self.write(&self.own);
                let file = self.own.metis().join(".sync/records.db");
                let copy = file.with_extension("copy");
                fs::copy(&file, &copy).expect("temp folder is writable");
                fs::rename(copy, file).expect("temp folder is writable");
                let tag = self.tag();
                (self.own.metis_sync(&["tag", "add", "API-T-0001", &tag]), Some(tag))
            }
            Story::Sync => {
                self.write(&self.own);
                self.write(&self.other);
                self.other.sync().report();
                (self.own.sync_command(&[]), None)
            }
        }
    }

    /// Disturbs the command and looks at what is left of it. Whether it failed.
    fn disturb(&self, point: &str, disturb: impl FnOnce(Command) -> Finished) -> bool {
        let (command, tag) = self.command();
        let ended = disturb(command);
        let said_done = ended.code == Some(0);
        self.acknowledged.borrow_mut().extend(tag.filter(|_| said_done));
        self.settle(&format!("{point}: {}", ended.transcript()));
        !said_done
    }

    fn json(workspace: &Workspace, args: &[&str], point: &str) -> Value {
        let finished = workspace.run(&[&["--json"], args].concat());
        assert_eq!(finished.code, Some(0), "{point}: {}", finished.transcript());
        serde_json::from_slice(&finished.stdout).expect("JSON")
    }

    /// The next commands succeed, and everybody has all that was acknowledged.
    fn settle(&self, point: &str) {
        self.write(&self.own);
        for workspace in [&self.own, &self.other, &self.own] {
            Self::json(workspace, &["sync"], point);
        }
        let status = Self::json(&self.own, &["record", "status"], point);
        assert_eq!(status["unpublished"], 0, "{point}");
        let listed = |workspace| Self::json(workspace, &["record", "list"], point)["records"].to_string();
        assert_eq!(listed(&self.own), listed(&self.other), "{point}");
        let there = listed(&self.other);
        for tag in self.acknowledged.borrow().iter() {
            assert!(there.contains(&format!("\"{tag}\"")), "{tag} is lost: {point}");
        }
    }

    /// syncthing#6335: of all that was ever published, no two entries have one device and one number.
    fn assert_no_name_twice(&self) {
        let central = &self.world.central;
        let mut named: BTreeMap<(String, u64), Value> = BTreeMap::new();
        let refs = central.git(&["for-each-ref", "--format=%(refname)", "refs/metis/log"]);
        for name in refs.lines() {
            for commit in central.git(&["rev-list", name]).lines() {
                let files = central.git(&["ls-tree", "--name-only", commit]);
                for file in files.lines().filter(|file| file.ends_with(".jsonl")) {
                    let text = central.git(&["show", &format!("{commit}:{file}")]);
                    let mut lines = text.lines().map(|line| serde_json::from_str(line).expect("JSON"));
                    let about: Value = lines.next().expect("a first line");
                    let device = about["device"].as_str().expect("a device").to_owned();
                    for entry in lines {
                        let dot = (device.clone(), entry["s"].as_u64().expect("a number"));
                        // What it replaces is written by places in the first line, which may grow.
                        let entry = Value::from(["m", "k", "f", "v"].map(|part| entry[part].clone()).to_vec());
                        let before = named.entry(dot.clone()).or_insert_with(|| entry.clone());
                        assert_eq!(*before, entry, "{dot:?}");
                    }
                }
            }
        }
        assert!(named.len() > self.acknowledged.borrow().len() / 2, "{}", named.len());
    }
}

type Points = Vec<(&'static str, usize)>;

/// Disturbs the story with `what` at the calls that `choose` picks. How often it failed.
fn sweep(story: Story, what: impl Fn(usize) -> &'static str, choose: impl FnOnce(Points) -> Points) -> usize {
    let stage = Stage::new(story);
    let counts = trace::counts(&stage.own, &stage.command().0, &stage.world.root().join("strace.log"));
    let mut failed = 0;
    for (number, (syscall, when)) in choose(trace::points(&counts)).into_iter().enumerate() {
        let what = what(number);
        let point = format!("{story:?}, {what} at {syscall} {when}");
        let when = when.to_string();
        let own = &stage.own;
        failed += usize::from(stage.disturb(&point, |command| {
            trace::with_injected(own, &command, syscall, what, &when)
        }));
    }
    stage.assert_no_name_twice();
    stage.world.central.fsck_strict();
    failed
}

const FAILURES: [&str; 4] = ["error=ENOSPC", "error=EIO", "error=EACCES", "error=EMFILE"];

#[test]
fn killed_at_some_steps() {
    if !trace::available() {
        return skip("strace is not installed, or may not trace");
    }
    for story in STORIES {
        let failed = sweep(story, |_| "signal=KILL", |all| spread(&all, 14));
        assert!(failed >= 10, "{story:?}: {failed} of 14 points were reached");
    }
}

#[test]
#[ignore = "takes minutes: scripts/torture"]
fn killed_at_every_step() {
    for story in STORIES {
        let mut points = 0;
        let failed = sweep(
            story,
            |_| "signal=KILL",
            |all| {
                let chosen = thinned(&all, 200);
                points = chosen.len();
                chosen
            },
        );
        println!("{story:?}: killed at {failed} of {points} points");
        assert!(failed >= points * 3 / 4, "{story:?}: {failed} of {points}");
    }
}

#[test]
fn the_disk_fails_at_some_steps() {
    if !trace::available() {
        return skip("strace is not installed, or may not trace");
    }
    let without_locks = |all: Points| -> Points {
        let kept = all.into_iter().filter(|(name, _)| !["flock", "sendto"].contains(name));
        spread(&kept.collect::<Vec<_>>(), 12)
    };
    for story in STORIES {
        let failed = sweep(story, |number| FAILURES[number % FAILURES.len()], without_locks);
        assert!(failed > 0, "{story:?}: no failure was noticed");
    }
}

#[test]
fn hardly_any_room() {
    const PAGE: u64 = 4096;
    for story in STORIES {
        let stage = Stage::new(story);
        let Some(disk) = Disk::small(&stage.own.dir) else {
            return;
        };
        let mut failed = 0;
        for pages in [0, 1, 2, 4, 8] {
            let point = format!("{story:?}, room for {pages} pages");
            failed += usize::from(stage.disturb(&point, |command| {
                disk.leave(pages * PAGE, 1000);
                let ended = run(command);
                disk.make_room();
                ended
            }));
        }
        if story == Story::Write {
            assert!(failed >= 1, "{failed} of 5 commands failed");
        }
        stage.assert_no_name_twice();
    }
}

/// What a command said to have written is there after a loss of power, with or without the disk's journal.
#[test]
fn what_was_acknowledged_survives_a_loss_of_power() {
    for format in Format::ALL {
        let stage = Stage::new(Story::Write);
        let Some(disk) = Disk::image(&stage.own.dir, format) else {
            return;
        };
        for journal in [false, true] {
            disk.flush();
            let failed = stage.disturb(&format!("{format:?}, with journal: {journal}"), |command| {
                let ended = run(command);
                disk.lose_power(journal);
                ended
            });
            assert!(!failed);
        }
        stage.assert_no_name_twice();
    }
}

/// Where there are no records, a sync that has nothing to do looks for them once.
#[test]
fn without_records_a_sync_looks_once() {
    if !trace::available() {
        return skip("strace is not installed, or may not trace");
    }
    let world = World::new();
    let own = world.workspace("api");
    own.write("API-T-0001", "One.");
    own.sync().report();
    let log = world.root().join("strace.log");
    let name = log.display().to_string();
    let command = trace::traced(&own, &["-o", &name, "-e", "trace=file"], &own.sync_command(&[]));
    run(command).success();
    let calls = fs::read_to_string(log).expect("strace wrote it");
    let looks: Vec<&str> = calls.lines().filter(|line| line.contains("records")).collect();
    assert_eq!(looks.len(), 1, "{looks:?}");
}
