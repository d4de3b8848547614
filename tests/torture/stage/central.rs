//! Central as the checks see it, whoever runs it.

use std::{env, path::PathBuf, process::Command};

use super::Files;
use crate::support::{process::run, world::World};

/// Central as the checks see it: the world's own, or a fresh copy of somebody else's.
pub enum Central<'a> {
    Ours(&'a World),
    Foreign(PathBuf),
}

impl Central<'_> {
    fn git(&self, args: &[&str]) -> Vec<u8> {
        let dir = match self {
            Central::Ours(world) => &world.central.dir,
            Central::Foreign(dir) => dir,
        };
        let mut git = Command::new("git");
        git.env_clear()
            .env("PATH", env::var_os("PATH").unwrap_or_default())
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .arg("-C")
            .arg(dir)
            .args(args);
        let finished = run(git);
        assert_eq!(finished.code, Some(0), "{}", finished.transcript());
        finished.stdout
    }

    pub fn fsck_strict(&self) {
        self.git(&["fsck", "--strict", "--no-progress", "--no-dangling"]);
    }

    pub fn tip(&self) -> Option<String> {
        let tip = self.git(&["for-each-ref", "--format=%(objectname)", "--count=1", "refs/heads"]);
        (!tip.is_empty()).then(|| String::from_utf8_lossy(&tip).trim().to_owned())
    }

    pub fn folder(&self, prefix: &str) -> Files {
        if let Central::Ours(world) = self {
            return world.central.folder(prefix);
        }
        let Some(tip) = self.tip() else {
            return Files::new();
        };
        let listing = self.git(&["ls-tree", "-z", "--name-only", &tip, &format!("{prefix}/")]);
        let listing = String::from_utf8(listing).expect("plain names");
        if listing.is_empty() {
            return Files::new();
        }
        let mut files = Files::new();
        for path in listing.split_terminator('\0') {
            let bytes = self.git(&["cat-file", "blob", &format!("{tip}:{path}")]);
            files.insert(path[prefix.len() + 1..].to_owned(), bytes);
        }
        files
    }
}
