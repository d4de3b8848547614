//! The repository behind a server, in terms of objects.

use std::{collections::BTreeMap, path::PathBuf, process::Command};

use gix_hash::ObjectId;

use crate::process::run;

/// The repository behind a server, looked at with git.
pub struct Repository {
    pub dir: PathBuf,
}

impl Repository {
    #[track_caller]
    pub fn git(&self, args: &[&str]) -> String {
        run(self.command(args)).success()
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new("git");
        // Servers with a user of their own own their repositories.
        command.args(["-c", "safe.directory=*", "-C"]).arg(&self.dir).args(args);
        command
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1");
        command
    }

    pub fn tip(&self) -> Option<ObjectId> {
        let tip = self.git(&["for-each-ref", "--format=%(objectname)", "refs/heads/main"]);
        let tip = tip.trim();
        (!tip.is_empty()).then(|| tip.parse().expect("git's format"))
    }

    /// The files of a commit.
    pub fn files(&self, commit: ObjectId) -> BTreeMap<String, ObjectId> {
        let listing = self.git(&["ls-tree", "-r", &commit.to_string()]);
        let entry = |line: &str| {
            let (meta, name) = line.split_once('\t').expect("git's format");
            let id = meta.rsplit(' ').next().expect("git's format");
            (name.to_owned(), id.parse().expect("git's format"))
        };
        listing.lines().map(entry).collect()
    }

    pub fn commits(&self) -> usize {
        self.git(&["rev-list", "--count", "main"])
            .trim()
            .parse()
            .expect("a number")
    }

    /// The branch as it was before.
    pub fn reset(&self, to: ObjectId) {
        self.git(&["update-ref", "refs/heads/main", &to.to_string()]);
    }

    pub fn fsck(&self) {
        self.git(&["fsck", "--strict", "--no-progress", "--no-dangling"]);
    }

    pub fn hook(&self, name: &str, body: &str) {
        let path = self.dir.join("hooks").join(name);
        let draft = self.dir.join("hooks").join(format!("{name}.draft"));
        std::fs::create_dir_all(self.dir.join("hooks")).expect("writable");
        std::fs::write(&draft, format!("#!/bin/sh\n{body}\n")).expect("writable");
        let mut install = Command::new("install");
        install.args(["-m", "755"]).arg(&draft).arg(&path);
        run(install).success();
        std::fs::remove_file(draft).expect("writable");
    }

    pub fn unhook(&self, name: &str) {
        std::fs::remove_file(self.dir.join("hooks").join(name)).expect("there is one");
    }
}
