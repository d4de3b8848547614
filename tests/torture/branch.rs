//! A sync of a folder with a branch of central that is killed: every file is old or new and whole, on both sides, nothing that
//! existed is gone from everywhere, and the next sync brings both in step unaided.

use std::{collections::BTreeMap, fs};

use super::trace::{self, spread, thinned};
use crate::{
    conduits::central::{self, BRANCH, Project},
    support::{servers::skip, world::World},
};

/// A project whose folder and branch were changed since they were in step.
struct Stage {
    shop: Project,
    /// The branch as both had it, and as it is when the sync that is killed begins.
    commits: [String; 2],
    // Last, as it has the folder that all is in.
    world: World,
}

impl Stage {
    fn new() -> Self {
        let world = World::new();
        let [shop, web] = ["shop", "web"].map(|prefix| Project::new(&world, prefix, &[]));
        for path in [
            "same",
            "edited-here",
            "edited-there",
            "gone-here",
            "gone-there",
            "deep/er/file",
        ] {
            web.put(path, "old");
        }
        web.sync(0);
        let head = || world.central.git(&["rev-parse", BRANCH]).trim().to_owned();
        let before = head();
        web.put("edited-there", "new");
        web.put("new-there/file", "new");
        web.remove("gone-there");
        web.sync(0);
        let commits = [before, head()];
        Stage { shop, commits, world }
    }

    fn move_branch(&self, commit: &str) {
        let name = format!("refs/heads/{BRANCH}");
        self.world.central.git(&["update-ref", &name, commit]);
    }

    /// Makes everything as it is before the sync that is killed, and returns what the folder holds.
    fn set(&self) -> BTreeMap<String, String> {
        let (folder, state) = (self.shop.folder(), self.shop.0.metis().join(".sync/conduits"));
        for path in [&folder, &state] {
            let _ = fs::remove_dir_all(path);
        }
        fs::create_dir(&folder).expect("it is free");
        self.move_branch(&self.commits[0]);
        self.shop.sync(0);
        self.move_branch(&self.commits[1]);
        self.shop.put("edited-here", "new");
        self.shop.put("new-here/file", "new");
        self.shop.remove("gone-here");
        self.shop.tree()
    }

    /// Every file is what it was or what it becomes, and what it was is somewhere.
    fn assert_whole(&self, before: &BTreeMap<String, String>, point: &str) {
        let after = self.shop.tree();
        for (path, text) in after.iter().filter(|(path, _)| !path.contains(".metis-sync-tmp-")) {
            assert!(
                ["old", "new"].contains(&text.as_str()),
                "{point}: {path} is torn: {text}"
            );
        }
        let mut kept = BTreeMap::new();
        let folder = self.shop.0.metis().join(".sync/conduits/skills/kept");
        crate::conduits::read(&folder, "", &mut kept);
        for (path, text) in before {
            let ends = format!("/alpha/{path}");
            let is_kept = kept.iter().any(|(at, kept)| at.ends_with(&ends) && kept == text);
            assert!(after.get(path) == Some(text) || is_kept, "{point}: {path} is lost");
        }
        self.world.central.fsck_strict();
    }

    fn assert_recovers(&self, point: &str) {
        let sync = self.shop.0.run(&["conduit", "sync", "skills"]);
        assert_eq!(sync.code, Some(0), "{point}: {}", sync.transcript());
        let expected = [
            "deep/er/file=old",
            "edited-here=new",
            "edited-there=new",
            "new-here/file=new",
            "new-there/file=new",
            "same=old",
        ];
        assert_eq!(self.shop.texts(), expected, "{point}");
        assert_eq!(central::branch(&self.world), expected, "{point}");
        assert_eq!(self.shop.sync(0)["status"], "in-step", "{point}");
    }

    fn points(&self) -> Vec<(&'static str, usize)> {
        self.set();
        let log = self.world.root().join("strace.log");
        trace::points(&trace::counts(&self.shop.0, &self.shop.command(), &log))
    }

    /// Returns how many of the points were reached.
    fn kill(&self, points: &[(&'static str, usize)]) -> usize {
        let mut killed = 0;
        for (syscall, when) in points {
            let point = format!("killed at {syscall} {when}");
            let before = self.set();
            let command = self.shop.command();
            let ended = trace::with_injected(&self.shop.0, &command, syscall, "signal=KILL", &when.to_string());
            killed += usize::from(ended.code.is_none());
            self.assert_whole(&before, &point);
            self.assert_recovers(&point);
        }
        killed
    }
}

#[test]
fn a_sync_with_a_branch_is_killed_at_twenty_steps() {
    if !trace::available() {
        return skip("strace is not installed, or may not trace");
    }
    let stage = Stage::new();
    let killed = stage.kill(&spread(&stage.points(), 20));
    assert!(killed >= 15, "{killed} of 20 points were reached");
}

#[test]
#[ignore = "takes minutes: scripts/torture"]
fn a_sync_with_a_branch_is_killed_all_through() {
    let stage = Stage::new();
    let points = stage.points();
    assert!(points.len() >= 150, "{}", points.len());
    let killed = stage.kill(&thinned(&points, 200));
    assert!(killed >= 140, "{killed}");
}
