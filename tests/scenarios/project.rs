//! The git repository that a workspace lies in, with a remote and a colleague.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::support::{process::run, snapshot::Snapshot, workspace::Workspace, world::World};

/// A project under git: the workspace's own checkout, the project's remote, and a second clone of it.
pub struct Project {
    /// The bare repository that both push to.
    pub remote: PathBuf,
    colleague: PathBuf,
    env: Vec<(String, String)>,
}

impl Project {
    /// Puts the workspace's folder under git as it is, and pushes it as the remote's `main`.
    pub fn around(world: &World, workspace: &Workspace) -> Self {
        let root = world.root();
        let project = Project {
            remote: root.join("project.git"),
            colleague: root.join("colleague"),
            env: world.server_env(),
        };
        project.git(
            &root,
            &["init", "--quiet", "--bare", "--initial-branch=main", "project.git"],
        );
        project.git(&workspace.dir, &["init", "--quiet", "--initial-branch=main"]);
        project.git(&workspace.dir, &["remote", "add", "origin", &project.url()]);
        project.commit(&workspace.dir);
        project.git(&workspace.dir, &["push", "--quiet", "--set-upstream", "origin", "main"]);
        project
    }

    pub fn url(&self) -> String {
        format!("file://{}", self.remote.display())
    }

    /// Runs git in a folder; it must succeed.
    #[track_caller]
    pub fn git(&self, dir: &Path, args: &[&str]) -> String {
        let mut command = Command::new("git");
        command
            .current_dir(dir)
            .env_clear()
            .envs(self.env.iter().cloned())
            // What is looked at afterwards is what the sync did, not housekeeping.
            .args(["-c", "gc.auto=0", "-c", "maintenance.auto=false"])
            .args(args);
        run(command).success()
    }

    /// Commits everything that git does not ignore.
    #[track_caller]
    pub fn commit(&self, dir: &Path) {
        self.git(dir, &["add", "--all"]);
        self.git(dir, &["commit", "--quiet", "--allow-empty", "--message", "Work"]);
    }

    /// The colleague's clone, up to date with `branch` of the remote.
    #[track_caller]
    pub fn colleague(&self, branch: &str) -> &Path {
        if !self.colleague.exists() {
            let parent = self.colleague.parent().expect("below the world's root");
            self.git(parent, &["clone", "--quiet", &self.url(), "colleague"]);
        }
        self.git(&self.colleague, &["checkout", "--quiet", branch]);
        self.git(&self.colleague, &["pull", "--quiet", "--ff-only"]);
        &self.colleague
    }

    /// The colleague writes a file (`None`: removes it) and pushes that.
    #[track_caller]
    pub fn colleague_pushes(&self, branch: &str, path: &str, text: Option<&str>) {
        let dir = self.colleague(branch);
        let path = dir.join(path);
        match text {
            Some(text) => {
                fs::create_dir_all(path.parent().expect("below the clone")).expect("temp folder is writable");
                fs::write(path, text).expect("temp folder is writable");
            }
            None => fs::remove_file(path).expect("it is there"),
        }
        self.commit(dir);
        self.git(dir, &["push", "--quiet", "origin", branch]);
    }

    /// Everything git keeps for the checkout in `dir`, down to inodes and times: refs, index, `FETCH_HEAD`, config,
    /// objects. Not what a sync binds this clone to, which it keeps in a folder of its own beside them, nor the list of what
    /// git is to ignore here.
    pub fn kept_by_git(&self, dir: &Path) -> Snapshot {
        let common = self.git(dir, &["rev-parse", "--path-format=absolute", "--git-common-dir"]);
        Snapshot::of(Path::new(common.trim()))
            .without("metis-sync")
            .without("info")
    }
}
