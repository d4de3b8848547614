//! What starts a watcher with each session.

use std::{fs, path::PathBuf, process::Command};

use super::{Watching, hasty, noted};
use crate::support::{
    process::{eventually, is_over, run},
    workspace::Workspace,
    world::{World, executable},
};

/// A `systemctl` that notes what it is asked for. What it stands for needs a session of systemd's.
struct Systemctl {
    bin: PathBuf,
}

impl Systemctl {
    fn new(workspace: &Workspace) -> Self {
        let bin = workspace.home.join("bin");
        fs::create_dir(&bin).unwrap();
        executable(&bin.join("systemctl"), "#!/bin/sh\necho \"$@\" >> \"$0.log\"\n");
        Systemctl { bin }
    }

    /// `watch` with these arguments, where this one is found.
    fn watch(&self, workspace: &Workspace, args: &[&str]) -> Command {
        let mut command = workspace.metis_sync(&["watch"]);
        let path = command
            .get_envs()
            .find_map(|(name, value)| (name == "PATH").then(|| value.unwrap().to_owned()))
            .unwrap();
        command
            .args(args)
            .env("PATH", format!("{}:{}", self.bin.display(), path.display()));
        command
    }

    fn asked(&self) -> String {
        let log = self.bin.join("systemctl.log");
        let asked = fs::read_to_string(&log).unwrap_or_default();
        let _ = fs::remove_file(log);
        asked
    }
}

#[test]
#[cfg(target_os = "linux")]
fn it_is_registered_and_taken_out() {
    let world = World::new();
    let api = world.workspace("api");
    let web = world.workspace("web").beside(&api);
    let systemctl = Systemctl::new(&api);
    let dirs = [api.dir.display().to_string(), web.dir.display().to_string()];
    let [api_dir, web_dir] = [dirs[0].as_str(), dirs[1].as_str()];
    run(systemctl.watch(&api, &["--install", api_dir, web_dir])).success();
    assert_eq!(
        systemctl.asked(),
        "--user daemon-reload\n--user enable git-metis-sync-watch.service\n--user restart git-metis-sync-watch.service\n"
    );
    let unit = api.home.join(".config/systemd/user/git-metis-sync-watch.service");
    let text = fs::read_to_string(&unit).unwrap();
    assert!(text.contains("git-metis-sync\" watch --all\n"), "{text}");
    let config = fs::read_to_string(api.home.join(".gitconfig")).unwrap();
    assert_eq!(config.matches("\twatch = ").count(), 2, "{config}");

    // What the unit runs watches both.
    hasty(&api, "");
    hasty(&web, "");
    let watching = Watching::start(api.metis_sync(&["watch", "--all"]), &api.home.join("watch.log"));
    eventually("their first syncs", || {
        [&api, &web]
            .iter()
            .all(|workspace| noted(workspace)["last_success"].is_string())
    });
    watching.kill();
    let status = api.run(&["--json", "watch", "--status"]).success();
    let status: serde_json::Value = serde_json::from_str(&status).unwrap();
    let standing = &status["workspaces"];
    assert_eq!(standing.as_array().unwrap().len(), 2, "{status}");
    assert_eq!(
        (&standing[0]["watched"], &standing[0]["registered"]),
        (&false.into(), &true.into())
    );

    // Those that are left go on; with the last one goes the unit. A folder that is gone is taken out by its name.
    fs::remove_dir_all(&web.dir).unwrap();
    run(systemctl.watch(&api, &["--uninstall", web_dir])).success();
    assert!(
        systemctl
            .asked()
            .ends_with("--user restart git-metis-sync-watch.service\n")
    );
    assert!(unit.exists());
    run(systemctl.watch(&api, &["--uninstall", api_dir])).success();
    assert_eq!(systemctl.asked(), "--user disable --now git-metis-sync-watch.service\n");
    assert!(!unit.exists());
    let none = api.run(&["watch", "--all"]);
    assert_eq!(none.code, Some(2), "{}", none.transcript());
}

/// A `systemctl` that does not answer is ended with what it started, and what is typed instead is said.
#[test]
#[cfg(target_os = "linux")]
fn a_system_that_does_not_answer() {
    let world = World::new();
    let api = world.workspace("api");
    let systemctl = Systemctl::new(&api);
    executable(
        &systemctl.bin.join("systemctl"),
        "#!/bin/sh\nsleep 100000 &\necho $! > \"$0.pid\"\nwait\n",
    );
    let installed = run(systemctl.watch(&api, &["--install"]));
    assert_eq!(installed.code, Some(1), "{}", installed.transcript());
    for words in ["systemctl did not end within 10 s", "systemctl --user enable"] {
        assert!(installed.stderr.contains(words), "{}", installed.stderr);
    }
    let started = fs::read_to_string(systemctl.bin.join("systemctl.pid")).unwrap();
    eventually("its end", || is_over(started.trim()));
}

/// Nothing is written before a listing has worked.
#[test]
fn a_central_that_is_not_there_is_not_watched_for() {
    let world = World::new();
    let api = world.workspace("api");
    let systemctl = Systemctl::new(&api);
    fs::rename(&world.central.dir, world.root().join("away.git")).unwrap();
    let refused = run(systemctl.watch(&api, &["--install"]));
    assert_eq!(refused.code, Some(1), "{}", refused.transcript());
    assert_eq!(systemctl.asked(), "");
    assert!(!api.home.join(".config").exists() && !api.home.join(".gitconfig").exists());
    let none = api.run(&["watch", "--all"]);
    assert_eq!(none.code, Some(2), "{}", none.transcript());
    assert!(none.stderr.contains("--install"), "{}", none.stderr);
}

/// Where the system does not start it that is an error, and what is typed instead is said.
#[test]
#[cfg(target_os = "linux")]
fn a_session_without_systemd() {
    let world = World::new();
    let api = world.workspace("api");
    let systemctl = Systemctl::new(&api);
    executable(
        &systemctl.bin.join("systemctl"),
        "#!/bin/sh\necho 'Failed to connect to bus' >&2\nexit 1\n",
    );
    let installed = run(systemctl.watch(&api, &["--install"]));
    assert_eq!(installed.code, Some(1), "{}", installed.transcript());
    for words in ["Failed to connect to bus", "systemctl --user enable", "watch --all"] {
        assert!(installed.stderr.contains(words), "{}", installed.stderr);
    }
    let watching = Watching::start(api.metis_sync(&["watch", "--all"]), &api.home.join("watch.log"));
    eventually("its first sync", || noted(&api)["last_success"].is_string());
    assert_eq!(watching.end(), Some(130));
    // A configuration that git cannot read is no empty one.
    fs::write(api.home.join(".gitconfig"), "[metis-sync\n").unwrap();
    let broken = api.run(&["watch", "--all"]);
    assert_eq!(broken.code, Some(1), "{}", broken.transcript());
    assert!(
        broken.stderr.contains("git's configuration cannot be read"),
        "{}",
        broken.stderr
    );
}
