//! Ctrl-C while a sync is under way: it ends at once, on every transport, and leaves nothing behind.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
};

use rustix::process::{Pid, Signal, kill_process};

use crate::support::{
    interrupt::{AT_ONCE, MARK, TRIES, interrupted, marked},
    servers::{Access, GitDaemon, Nginx, Sshd},
    world::World,
};

/// Locks that somebody holds, temp files and half-made folders below `folder`.
fn remains(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
        let half = ["tmp", "incoming", "-journal", "-wal", ".lock"]
            .iter()
            .any(|mark| name.contains(mark));
        let held = name == "lock" && entry.metadata().is_ok_and(|meta| meta.len() > 0);
        if half || held {
            found.push(path);
        } else if path.is_dir() {
            found.extend(remains(&path));
        }
    }
    found
}

/// The whole program, interrupted while the server's hook thinks about its push.
#[test]
fn a_sync_ends_at_once_on_every_transport_and_leaves_nothing() {
    let world = World::new();
    let repository = world.repository();
    let (daemon, sshd, nginx) = (
        GitDaemon::start(&world),
        Sshd::start(&world),
        Nginx::start(&world, Access::Tls),
    );
    let remotes = [
        ("file", Some(world.local())),
        ("daemon", daemon.as_ref().map(GitDaemon::remote)),
        ("shell", sshd.as_ref().map(Sshd::remote)),
        ("web", nginx.as_ref().map(Nginx::remote)),
    ];
    let pid_file = world.root().join("hook.pid");
    for (prefix, remote) in remotes {
        let Some(remote) = remote else { continue };
        let workspace = world.workspace_on(prefix, &remote);
        let code = format!("{}-T-0001", prefix.to_uppercase());
        workspace.write(&code, "Planned.");
        repository.hook(
            "pre-receive",
            &format!("echo $$ > {}; exec sleep 1000", pid_file.display()),
        );
        let before = repository.tip();
        let quickest = (0..TRIES)
            .map(|_| {
                let _ = fs::remove_file(&pid_file);
                let mut sync = workspace.sync_command(&[]);
                sync.env(MARK, &remote.url).stdin(Stdio::null());
                let sync = sync
                    .stdout(Stdio::null())
                    .stderr(Stdio::null())
                    .spawn()
                    .expect("it runs");
                let hook = || {
                    fs::read_to_string(&pid_file)
                        .unwrap_or_default()
                        .trim()
                        .parse::<i32>()
                        .ok()
                };
                let (status, took) = interrupted(sync, || hook().is_some());
                assert_eq!(status.code(), Some(130), "{}", remote.url);
                assert_eq!(marked(&remote.url), Vec::<String>::new(), "{}", remote.url);
                assert_eq!(world.left_over(), Vec::<PathBuf>::new(), "{}", remote.url);
                for folder in [&workspace.metis(), &workspace.home] {
                    assert_eq!(remains(folder), Vec::<PathBuf>::new(), "{}", remote.url);
                }
                // A hook on another machine ends when it likes.
                let _ = kill_process(Pid::from_raw(hook().expect("it ran")).expect("not 0"), Signal::KILL);
                took
            })
            .min();
        eprintln!("{prefix}: {quickest:?}");
        assert!(quickest < Some(AT_ONCE), "{}: {quickest:?}", remote.url);
        assert_eq!(repository.tip(), before, "{}", remote.url);
        repository.unhook("pre-receive");
        assert_eq!(workspace.sync().report().pushed, [code]);
    }
}
