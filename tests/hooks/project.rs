//! A project under git with a remote of its own, and a workspace in it.

use std::{
    fs::{self, File},
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

use crate::support::{
    process::{Finished, eventually, run},
    workspace::{Remote, Workspace},
    world::World,
};

pub struct Project {
    pub workspace: Workspace,
    /// The project's own remote, which has nothing to do with central.
    pub origin: PathBuf,
    path: String,
}

impl Project {
    /// Committed and pushed once; no hooks yet.
    pub fn new(world: &World, prefix: &str) -> Self {
        Project::on(world, prefix, &world.local())
    }

    /// The same, whose plans are those of `main`.
    pub fn of_main(world: &World, prefix: &str) -> Self {
        let workspace = world.workspace(prefix);
        workspace.put(
            "config.toml",
            workspace
                .config()
                .replace("[sync]\n", "[sync]\nrecord = \"local\"\nsource = \"main\"\n"),
        );
        Project::around(world, workspace)
    }

    pub fn on(world: &World, prefix: &str, remote: &Remote) -> Self {
        let workspace = world.workspace_on(prefix, remote);
        // Its record would be a change in a tracked file, and whether it is there would depend on when the sync is done.
        let config = workspace.config().replace("[sync]\n", "[sync]\nrecord = \"local\"\n");
        workspace.put("config.toml", config);
        Project::around(world, workspace)
    }

    pub fn around(world: &World, workspace: Workspace) -> Self {
        let machine = workspace.dir.parent().expect("a machine").to_owned();
        fs::create_dir(machine.join("bin")).expect("temp folder is writable");
        symlink(env!("CARGO_BIN_EXE_git-metis-sync"), machine.join("bin/git-metis-sync"))
            .expect("temp folder has links");
        let inherited = workspace
            .program("git")
            .get_envs()
            .find_map(|(name, value)| (name == "PATH").then_some(value?.to_str()?.to_owned()))
            .expect("a world has programs");
        let project = Project {
            path: format!("{}:{inherited}", machine.join("bin").display()),
            origin: machine.join("origin.git"),
            workspace,
        };
        let origin = project.origin.display().to_string();
        project.git(&["config", "--global", "user.name", "Person"]);
        project.git(&["config", "--global", "user.email", "person@example.org"]);
        project.git(&["config", "--global", "protocol.file.allow", "always"]);
        project.git(&["init", "--quiet", "--bare", "--initial-branch=main", &origin]);
        project.git(&["init", "--quiet", "--initial-branch=main", "."]);
        project.git(&["remote", "add", "origin", &origin]);
        project.commit("begun");
        project.git(&["push", "--quiet", "--set-upstream", "origin", "main"]);
        // What that asked of the project's remote is not central's affair.
        world.wire();
        project
    }

    /// Any program of this person's, in the project.
    pub fn program(&self, program: &str) -> Command {
        let mut command = self.workspace.program(program);
        command.env("PATH", &self.path);
        command
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = self.program("git");
        command.args(args);
        command
    }

    pub fn try_git(&self, args: &[&str]) -> Finished {
        run(self.command(args))
    }

    /// git, which must succeed.
    #[track_caller]
    pub fn git(&self, args: &[&str]) -> String {
        self.try_git(args).success()
    }

    /// `git metis-sync hooks …`, which must succeed.
    #[track_caller]
    pub fn hooks(&self, args: &[&str]) -> String {
        self.git(&[&["metis-sync", "hooks"], args].concat())
    }

    /// Everything that is there.
    #[track_caller]
    pub fn commit(&self, message: &str) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "-m", message]);
    }

    /// A colleague's commit in the project's remote, made in another clone without hooks.
    #[track_caller]
    pub fn colleague_commits(&self, file: &str) {
        let clone = self.workspace.home.join("colleague");
        let _ = fs::remove_dir_all(&clone);
        let dir = clone.display().to_string();
        self.git(&["clone", "--quiet", &self.origin.display().to_string(), &dir]);
        fs::write(clone.join(file), "by a colleague\n").expect("temp folder is writable");
        self.git(&["-C", &dir, "add", "--all"]);
        self.git(&["-C", &dir, "commit", "--quiet", "-m", "by a colleague"]);
        self.git(&["-C", &dir, "push", "--quiet"]);
    }

    /// A script of the user's as a hook.
    pub fn hook(&self, name: &str, text: &str) -> PathBuf {
        self.script(Path::new(".git/hooks").join(name), text)
    }

    pub fn script(&self, place: impl AsRef<Path>, text: &str) -> PathBuf {
        let path = self.workspace.dir.join(place);
        fs::create_dir_all(path.parent().expect("in the project")).expect("temp folder is writable");
        fs::write(&path, text).expect("temp folder is writable");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("it is ours");
        path
    }

    /// A line for `[sync.hooks]` in config.toml, not committed, which this person means.
    pub fn set_hooks(&self, line: &str) {
        let config = format!("{}\n[sync.hooks]\n{line}\n", self.workspace.config());
        self.workspace.put("config.toml", config);
        self.git(&["metis-sync", "trust", "--all"]);
    }

    /// A file of `.metis/.sync/`; empty if it is not there.
    pub fn state(&self, name: &str) -> String {
        fs::read_to_string(self.workspace.metis().join(".sync").join(name)).unwrap_or_default()
    }

    /// Wait for the worker that is syncing, if one is.
    pub fn wait_for_worker(&self) {
        for lock in ["hook-waiting.lock", "hook-running.lock"] {
            if let Ok(file) = File::open(self.workspace.metis().join(".sync").join(lock)) {
                file.lock().expect("this system has locks");
            }
        }
    }

    /// The worker that left this note is killed and gone.
    #[track_caller]
    pub fn kill_worker(&self, note: &str) {
        let note: Value = serde_json::from_str(&self.state(note)).expect("it is there");
        let pid = note["worker"]["process"]["pid"]
            .as_i64()
            .expect("a worker says who it is");
        let pid = rustix::process::Pid::from_raw(pid.try_into().expect("a process id")).expect("not 0");
        rustix::process::kill_process(pid, rustix::process::Signal::KILL).expect("it is ours");
        eventually("it is gone", || {
            fs::read_to_string(format!("/proc/{pid}/stat")).map_or(true, |stat| stat.contains(") Z "))
        });
    }

    /// Wait for the end of the `count`th sync by a hook since the project began, and say how it ended.
    #[track_caller]
    pub fn ended(&self, count: usize) -> Value {
        eventually("a hook's sync ends", || {
            self.state("hook.log").matches("\nEnded ").count() >= count
        });
        serde_json::from_str(&self.state("hook.json")).expect("whole at any time")
    }
}
