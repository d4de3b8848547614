//! `git push` never fails, waits, asks or says anything because of us, whatever is wrong.

use std::{
    fs,
    process::Command,
    time::{Duration, Instant},
};

use super::project::Project;
use crate::support::{
    point::Point,
    process::{Finished, eventually, run},
    proxy::{Fate, Proxy, Way},
    servers::{GitDaemon, Sshd},
    terminal::{at_terminal, plain},
    workspace::Remote,
    world::World,
};

#[track_caller]
fn passes_in_silence(push: &Finished) {
    assert_eq!(push.code, Some(0), "{}", push.transcript());
    assert!(!push.stderr.contains("metis-sync"), "{}", push.transcript());
}

/// A central at a port where nobody listens.
fn offline() -> Remote {
    Remote {
        url: "git://127.0.0.1:1/central.git".into(),
        env: Vec::new(),
    }
}

#[test]
fn offline_is_told_once_by_the_next_hook() {
    let world = World::new();
    let api = Project::on(&world, "api", &offline());
    api.hooks(&["install"]);
    passes_in_silence(&api.try_git(&["push", "origin", "main:first"]));
    assert_eq!(api.ended(1)["ended"], "failed");
    assert!(
        api.state("hook.log").contains("cannot reach"),
        "{}",
        api.state("hook.log")
    );
    assert!(api.state("journal.jsonl").contains("\"error\":\"network\""));
    let status = api.hooks(&["status"]);
    assert!(
        status.contains("(pre-push) failed") && status.contains("cannot reach"),
        "{status}"
    );

    let second = api.try_git(&["push", "origin", "main:second"]);
    assert_eq!(second.code, Some(0));
    let told: Vec<_> = second
        .stderr
        .lines()
        .filter(|line| line.contains("metis-sync"))
        .collect();
    assert_eq!(told.len(), 1, "{}", second.transcript());
    assert!(
        told[0].contains("after the last pre-push failed") && told[0].contains("cannot reach"),
        "{told:?}"
    );
}

/// Central takes the connection and says nothing: the sync ends by its own deadline, the push knows nothing of it.
#[test]
fn a_silent_central_ends_with_the_deadline() {
    let world = World::new();
    let Some(daemon) = GitDaemon::start(&world) else { return };
    let silent = Proxy::to(daemon.port(), |_| Fate::Silent(Way::ToClient, 0));
    let url = silent.front(&daemon.remote().url, daemon.port());
    let api = Project::on(&world, "api", &Remote { url, env: Vec::new() });
    api.set_hooks("deadline_seconds = 1");
    api.hooks(&["install"]);
    passes_in_silence(&api.try_git(&["push", "origin", "main:first"]));
    assert_eq!(api.ended(1)["ended"], "failed");

    api.workspace.put(
        "config.toml",
        api.workspace
            .config()
            .replace("[sync.hooks]", "[sync.hooks]\nblocking = true"),
    );
    let blocked = api.try_git(&["push", "origin", "main:second"]);
    assert_ne!(blocked.code, Some(0), "{}", blocked.transcript());
    assert!(
        blocked.stderr.contains("the push is stopped"),
        "{}",
        blocked.transcript()
    );
}

/// Central decides for forty seconds, and the hook's sync has thirty: the push is long over, the sync says that it was ended, and
/// the next one finds out what became of it.
#[test]
#[ignore = "takes forty seconds"]
fn a_central_that_takes_forty_seconds() {
    let world = World::new();
    let api = Project::new(&world, "api");
    api.hooks(&["install"]);
    api.workspace.write("API-T-0001", "Slowly.");
    api.commit("a document");
    world.points.script(Point::BeforeRef, "sleep 40");
    let begun = Instant::now();
    passes_in_silence(&api.try_git(&["push"]));
    assert!(begun.elapsed() < Duration::from_secs(10), "the push waited");
    let ended = api.ended(1);
    assert_eq!(ended["ended"], "failed", "{ended}");
    assert!(begun.elapsed() < Duration::from_secs(38), "the deadline did not hold");
    api.workspace.sync().report();
    assert_eq!(world.central.folder("api"), api.workspace.documents());
    world.central.fsck_strict();
}

/// A project whose central wants a key with a passphrase, for which ssh would ask.
fn with_a_passphrase(world: &World) -> Option<(Sshd, Project)> {
    let sshd = Sshd::start(world)?;
    let mut lock = Command::new("ssh-keygen");
    lock.args(["-q", "-p", "-P", "", "-N", "secret passphrase", "-f"])
        .arg(world.root().join("ssh/user"));
    run(lock).success();
    let mut remote = sshd.remote();
    for (_, value) in &mut remote.env {
        *value = value.replace("-o BatchMode=yes ", "");
    }
    let api = Project::on(world, "api", &remote);
    Some((sshd, api))
}

/// Blocking, so that the answer is there to be read: no agent has the key, and nobody can be asked for its passphrase.
#[test]
fn a_key_with_a_passphrase_is_not_asked_for() {
    let world = World::new();
    let Some((_sshd, api)) = with_a_passphrase(&world) else {
        return;
    };
    api.set_hooks("blocking = true");
    api.hooks(&["install"]);
    let mut push = api.command(&["push", "origin", "main:first"]);
    // Whoever has a desktop would get a window.
    let asked = world.root().join("asked");
    let askpass = api.script("askpass", &format!("#!/bin/sh\n: >'{}'\necho x\n", asked.display()));
    push.env("SSH_ASKPASS", &askpass)
        .env("GIT_ASKPASS", &askpass)
        .env("SSH_ASKPASS_REQUIRE", "force")
        .env("DISPLAY", ":0");
    let push = run(push);
    assert_ne!(push.code, Some(0), "{}", push.transcript());
    assert!(push.stderr.contains("cannot authenticate"), "{}", push.transcript());
    assert!(!asked.exists(), "nobody was asked");
}

/// On a terminal ssh would ask there. The push goes through, or with `blocking` is stopped, and nobody was asked.
#[test]
fn nor_on_a_terminal() {
    let world = World::new();
    let Some((_sshd, api)) = with_a_passphrase(&world) else {
        return;
    };
    api.hooks(&["install"]);
    let push = |branch: &str| {
        let mut push = api.command(&["push", "origin", branch]);
        push.env("TERM", "xterm").env_remove("GIT_TERMINAL_PROMPT");
        at_terminal(&api.workspace, &push, "")
    };
    let Some(passed) = push("main:first") else { return };
    assert_eq!(passed.code, Some(0), "{}", passed.transcript());
    assert!(!plain(&passed).contains("passphrase"), "{}", passed.transcript());
    assert_eq!(api.ended(1)["ended"], "failed");

    api.set_hooks("blocking = true");
    let Some(stopped) = push("main:second") else { return };
    let shown = plain(&stopped);
    assert_ne!(stopped.code, Some(0), "{shown}");
    assert!(
        shown.contains("cannot authenticate") && !shown.contains("passphrase for"),
        "{shown}"
    );
}

#[test]
fn without_a_workspace_nothing_happens() {
    let world = World::new();
    let api = Project::new(&world, "api");
    api.hooks(&["install"]);
    for config in ["[project]\nprefix = \"API\"\n", ""] {
        api.workspace.put("config.toml", config);
        passes_in_silence(&api.try_git(&["push", "origin", "main:single"]));
        api.git(&["push", "--quiet", "origin", ":single"]);
    }
    fs::remove_dir_all(api.workspace.metis()).expect("it is ours");
    passes_in_silence(&api.try_git(&["push", "origin", "main:none"]));
    assert!(!api.workspace.metis().exists());
    assert_eq!(world.central.log().len(), 1);
}

/// A damaged configuration is worth a line, and not a push.
#[test]
fn a_damaged_config_does_not_stop_a_push() {
    let world = World::new();
    let api = Project::new(&world, "api");
    api.hooks(&["install"]);
    api.workspace.put("config.toml", "[sync\n");
    let push = api.try_git(&["push", "origin", "main:first"]);
    assert_eq!(push.code, Some(0), "{}", push.transcript());
    assert_eq!(
        push.stderr.matches("metis-sync: no sync was started").count(),
        1,
        "{}",
        push.transcript()
    );
}

#[test]
fn a_missing_program_does_not_stop_a_push() {
    let world = World::new();
    let api = Project::new(&world, "api");
    api.hooks(&["install"]);
    for (name, shipped) in [
        ("pre-push", include_str!("../../hooks/pre-push")),
        ("post-merge", include_str!("../../hooks/post-merge")),
    ] {
        api.script(format!("shipped/{name}"), shipped);
    }
    fs::remove_file(api.workspace.home.with_file_name("bin").join("git-metis-sync")).expect("it is there");
    passes_in_silence(&api.try_git(&["push", "origin", "main:first"]));
    passes_in_silence(&api.try_git(&["-c", "core.hooksPath=shipped", "push", "origin", "main:second"]));
    passes_in_silence(&api.try_git(&["-c", "core.hooksPath=shipped", "pull", "--quiet", "--no-rebase"]));
}

/// A script of a later version may know more events.
#[test]
fn an_unknown_event_does_not_stop_anything() {
    let world = World::new();
    let api = Project::new(&world, "api");
    let later = api.try_git(&["metis-sync", "hooks", "run", "post-quantum", "--", "x"]);
    assert_eq!(later.code, Some(0), "{}", later.transcript());
    assert!(
        later.stderr.contains("no hook for this event"),
        "{}",
        later.transcript()
    );
}

/// `scripts/alias` for a program that is not in the PATH, also seen by the hooks and from a subfolder.
#[test]
fn an_alias_will_do() {
    let world = World::new();
    let api = Project::new(&world, "api");
    api.hooks(&["install"]);
    let bin = api.workspace.home.with_file_name("bin");
    let place = api.workspace.home.join("it's elsewhere");
    fs::create_dir(&place).expect("temp folder is writable");
    fs::rename(bin.join("git-metis-sync"), place.join("git-metis-sync")).expect("same disk");
    let mut alias = api.program(concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/alias"));
    alias.arg(place.join("git-metis-sync"));
    run(alias).success();

    api.workspace.write("API-T-0001", "By alias.");
    api.commit("a document");
    api.git(&["push"]);
    assert_eq!(api.ended(1)["ended"], "synced");
    eventually("it is there", || {
        world.central.folder("api") == api.workspace.documents()
    });

    let sub = api.workspace.dir.join("sub");
    fs::create_dir_all(sub.join(".metis")).expect("temp folder is writable");
    fs::write(sub.join(".metis/config.toml"), "").expect("temp folder is writable");
    let mut from_there = api.command(&["metis-sync"]);
    from_there.current_dir(&sub);
    assert!(
        run(from_there)
            .success()
            .contains("No central repository is configured")
    );
}
