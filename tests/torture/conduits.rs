//! A conduit's sync that is killed, or whose disk fails or is full: every file is old or new and whole, nothing that existed is
//! gone from everywhere, and the next sync brings both folders in step unaided.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use super::trace::{self, spread, thinned};
use crate::{
    conduits::Pair,
    support::{disk::Disk, process::Finished, servers::skip},
};

/// What the disk answers.
const FAILURES: [&str; 4] = ["error=ENOSPC", "error=EIO", "error=EACCES", "error=EMFILE"];

/// A pair with something of each kind to do: create, overwrite, delete, a file that becomes a folder, a folder that becomes a file.
pub struct Stage {
    pub pair: Pair,
    bulk: usize,
}

pub type Trees = [BTreeMap<String, String>; 2];

impl Stage {
    pub fn new() -> Self {
        Stage {
            pair: Pair::new(&[]),
            bulk: 10,
        }
    }

    fn text(&self, word: &str) -> String {
        word.repeat(self.bulk)
    }

    /// Both folders as they are before the sync that is disturbed, and what was known then.
    pub fn set(&self) -> Trees {
        for folder in ["left", "right", ".metis/.sync/conduits"] {
            let _ = fs::remove_dir_all(self.pair.path(folder));
        }
        for folder in ["left", "right"] {
            fs::create_dir(self.pair.path(folder)).expect("it is free");
        }
        for path in ["same", "edited", "gone", "file", "dir/x", "dir/y", "deep/er/z"] {
            self.pair.put(&format!("left/{path}"), &self.text("old"));
        }
        self.pair.sync(0);
        self.pair.put("left/edited", &self.text("new"));
        self.pair.put("right/deep/er/z", &self.text("new"));
        self.pair.put("right/created/here", &self.text("new"));
        self.pair.remove("left/gone");
        self.pair.remove("left/file");
        self.pair.put("left/file/inner", &self.text("new"));
        self.pair.remove("left/dir");
        self.pair.put("left/dir", &self.text("new"));
        self.trees()
    }

    fn trees(&self) -> Trees {
        ["left", "right"].map(|side| self.pair.tree(side))
    }

    fn is_temp(path: &str) -> bool {
        path.contains(".metis-sync-tmp-")
    }

    /// Every file is what it was or what it becomes, and what it was is somewhere.
    pub fn assert_whole(&self, before: &Trees, point: &str) {
        let after = self.trees();
        let texts = [self.text("old"), self.text("new")];
        for (path, text) in after.iter().flatten().filter(|(path, _)| !Self::is_temp(path)) {
            assert!(texts.contains(text), "{point}: {path} is torn: {} bytes", text.len());
        }
        let kept = self.pair.tree(".metis/.sync/conduits/notes/kept");
        for (side, (before, after)) in ["alpha", "beta"].iter().zip(before.iter().zip(&after)) {
            for (path, text) in before {
                let in_kept = || {
                    let ends = format!("/{side}/{path}");
                    kept.iter().any(|(at, kept)| at.ends_with(&ends) && kept == text)
                };
                let aside = || after.iter().any(|(at, other)| Self::is_temp(at) && other == text);
                assert!(
                    after.get(path) == Some(text) || in_kept() || aside(),
                    "{point}: {path} of {side} is lost"
                );
            }
        }
    }

    pub fn assert_recovers(&self, point: &str) {
        let sync = self.pair.own.run(&["conduit", "sync", "notes"]);
        assert_eq!(sync.code, Some(0), "{point}: {}", sync.transcript());
        let new = self.text("new");
        let old = self.text("old");
        let expected: BTreeMap<String, String> = [
            ("created/here", &new),
            ("deep/er/z", &new),
            ("dir", &new),
            ("edited", &new),
            ("file/inner", &new),
            ("same", &old),
        ]
        .map(|(path, text)| (path.to_owned(), text.clone()))
        .into();
        for tree in self.trees() {
            assert_eq!(
                tree.keys().collect::<BTreeSet<_>>(),
                expected.keys().collect(),
                "{point}"
            );
            assert!(tree == expected, "{point}");
        }
        let idle = self.pair.sync(0);
        assert_eq!(idle["status"], "in-step", "{point}");
    }

    /// What was said to be done is done.
    fn assert_honest(&self, ended: &Finished, point: &str) {
        if ended.code == Some(0) {
            let [left, right] = self.trees();
            assert!(left == right, "{point}: {}", ended.transcript());
        }
    }
}

pub fn points(stage: &Stage) -> Vec<(&'static str, usize)> {
    stage.set();
    let command = stage.pair.own.metis_sync(&["conduit", "sync", "notes"]);
    let log = stage.pair.world.root().join("strace.log");
    trace::points(&trace::counts(&stage.pair.own, &command, &log))
}

fn kill(stage: &Stage, points: &[(&'static str, usize)]) -> usize {
    let mut killed = 0;
    for (syscall, when) in points {
        let point = format!("killed at {syscall} {when}");
        let before = stage.set();
        let command = stage.pair.own.metis_sync(&["conduit", "sync", "notes"]);
        let ended = trace::with_injected(&stage.pair.own, &command, syscall, "signal=KILL", &when.to_string());
        killed += usize::from(ended.code.is_none());
        stage.assert_whole(&before, &point);
        stage.assert_recovers(&point);
    }
    killed
}

fn fail(stage: &Stage, points: &[(&'static str, usize)]) -> usize {
    let mut failed = 0;
    for (number, (syscall, when)) in points.iter().filter(|(name, _)| *name != "flock").enumerate() {
        let what = FAILURES[number % FAILURES.len()];
        let point = format!("{what} at {syscall} {when}");
        let before = stage.set();
        let command = stage.pair.own.metis_sync(&["conduit", "sync", "notes"]);
        let ended = trace::with_injected(&stage.pair.own, &command, syscall, what, &when.to_string());
        failed += usize::from(ended.code != Some(0));
        stage.assert_whole(&before, &point);
        stage.assert_honest(&ended, &point);
        stage.assert_recovers(&point);
    }
    failed
}

#[test]
fn a_conduit_is_killed_at_twenty_steps() {
    if !trace::available() {
        return skip("strace is not installed, or may not trace");
    }
    let stage = Stage::new();
    let killed = kill(&stage, &spread(&points(&stage), 20));
    assert!(killed >= 15, "{killed} of 20 points were reached");
}

/// rclonesync-V2#70: between the copy that is kept and the one that takes its place there is at least one that is whole.
#[test]
#[ignore = "takes minutes: scripts/torture"]
fn a_conduit_is_killed_all_through() {
    let stage = Stage::new();
    let points = points(&stage);
    println!("a conduit's sync has {} points", points.len());
    assert!(points.len() >= 150, "{}", points.len());
    let killed = kill(&stage, &thinned(&points, 200));
    assert!(killed >= 140, "{killed}");
}

#[test]
fn a_conduits_disk_fails_at_twelve_steps() {
    if !trace::available() {
        return skip("strace is not installed, or may not trace");
    }
    let stage = Stage::new();
    assert!(fail(&stage, &spread(&points(&stage), 12)) > 0, "no failure was noticed");
}

#[test]
#[ignore = "takes minutes: scripts/torture"]
fn a_conduits_disk_fails_all_through() {
    let stage = Stage::new();
    let failed = fail(&stage, &thinned(&points(&stage), 150));
    assert!(failed > 30, "{failed}");
}

/// nextcloud/desktop#359: a full disk deletes nothing and leaves no empty file.
#[test]
fn a_conduits_disk_is_full() {
    let mut stage = Stage::new();
    stage.bulk = 5000;
    let Some(disk) = Disk::small(&stage.pair.own.dir) else {
        return;
    };
    // It is another folder now, which its user has to say is meant.
    stage.pair.run(&["enable", "notes"], 0);
    let mut failed = 0;
    for (bytes, files) in [
        (0, 1000),
        (20_000, 1000),
        (45_000, 1000),
        (4_000_000, 0),
        (4_000_000, 6),
        (4_000_000, 12),
    ] {
        let point = format!("room for {bytes} bytes and {files} files");
        let before = stage.set();
        disk.leave(bytes, files);
        let ended = stage.pair.own.run(&["conduit", "sync", "notes"]);
        failed += usize::from(ended.code != Some(0));
        stage.assert_whole(&before, &point);
        stage.assert_honest(&ended, &point);
        let gone = stage.trees().iter().filter(|tree| tree.contains_key("gone")).count();
        assert!(
            ended.code == Some(0) || gone == 1,
            "{point}: deleted although something failed"
        );
        disk.make_room();
        stage.assert_recovers(&point);
    }
    assert!(failed >= 4, "{failed} of 6 syncs failed");
}
