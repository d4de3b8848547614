//! Programs that do not answer.

use std::fs;

use super::project::Project;
use crate::support::{
    process::{eventually, is_over, run},
    world::{World, executable},
};

/// git waits for somebody to read what it was told to write of each command.
#[test]
fn hooks_are_not_looked_for_without_an_end() {
    let world = World::new();
    let api = Project::new(&world, "api");
    let pipe = api.workspace.home.join("trace");
    let mut made = api.program("mkfifo");
    made.arg(&pipe);
    run(made).success();
    for command in ["status", "install"] {
        let mut hooks = api.program("git-metis-sync");
        hooks.args(["hooks", command]).env("GIT_TRACE", &pipe);
        let said = run(hooks);
        assert_eq!(said.code, Some(1), "{}", said.transcript());
        assert!(
            said.stderr.contains("git did not end within 10 s"),
            "{}",
            said.transcript()
        );
    }
    assert!(!api.workspace.dir.join(".git/hooks/pre-push").exists());
    api.hooks(&["install"]);
}

/// A hook that hangs is ended with what it started, and so is an ssh that does not say which it is.
#[test]
fn what_is_tried_out_is_not_waited_for_without_an_end() {
    let world = World::new();
    let api = Project::new(&world, "api");
    api.hooks(&["install"]);
    let home = &api.workspace.home;
    let hangs = |name: &str| {
        let pid = home.join(format!("{name}.pid"));
        let text = format!("#!/bin/sh\nsleep 100000 &\necho $! > {}\nwait\n", pid.display());
        (pid, text)
    };
    let is_ended = |pid: &std::path::Path| {
        let started = fs::read_to_string(pid).expect("it ran");
        eventually("its end", || is_over(started.trim()));
    };

    let (pid, text) = hangs("hook");
    let hook = api.workspace.dir.join(".git/hooks/post-merge");
    let ours = fs::read_to_string(&hook).unwrap();
    let (_, lines) = ours.split_once('\n').unwrap();
    executable(&hook, &format!("{text}{lines}"));
    let mut status = api.program("git-metis-sync");
    status.args(["hooks", "status"]);
    let said = run(status).transcript();
    assert!(said.contains("post-merge: it did not end within 10 s"), "{said}");
    is_ended(&pid);

    let (pid, text) = hangs("ssh");
    let bin = home.join("slow");
    fs::create_dir(&bin).unwrap();
    executable(&bin.join("ssh"), &text);
    let config = api.workspace.metis().join("config.toml");
    let settings = fs::read_to_string(&config).unwrap();
    let line = settings.lines().find(|line| line.starts_with("upstream_url")).unwrap();
    let elsewhere = settings.replace(line, "upstream_url = \"ssh://central.example/plans.git\"");
    fs::write(&config, elsewhere).unwrap();
    let mut doctor = api.program("git-metis-sync");
    let path = doctor
        .get_envs()
        .find_map(|(name, value)| (name == "PATH").then_some(value?.to_owned()));
    doctor
        .args(["doctor", "--offline"])
        .env("PATH", format!("{}:{}", bin.display(), path.unwrap().display()));
    let said = run(doctor);
    assert!(
        said.transcript().contains("ssh did not end within 10 s"),
        "{}",
        said.transcript()
    );
    is_ended(&pid);
}
