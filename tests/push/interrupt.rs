//! Ctrl-C while a push is under way: it ends at once, on every transport and in every phase, and leaves nothing behind.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

use super::{
    client::Repository,
    program::{Machine, ended},
    scripted::{self, OFFERS, Scripted},
};
use crate::support::{
    process::DEADLINE,
    servers::{Access, GitDaemon, Nginx, Sshd},
    workspace::Remote,
    world::World,
};

/// What a person takes for "at once". A machine that is busy may take longer now and then, but not three times.
const AT_ONCE: Duration = Duration::from_secs(1);
const TRIES: usize = 3;

/// In the environment of a program and so of everything that it starts.
const MARK: &str = "METIS_TEST_MARK";

/// Sends Ctrl-C's signal once `reached` says so; how it ended, and how long that took.
fn interrupted(mut child: Child, mut reached: impl FnMut() -> bool) -> (ExitStatus, Duration) {
    let started = Instant::now();
    while !reached() {
        assert!(started.elapsed() < DEADLINE, "it does not get that far");
        assert!(child.try_wait().expect("ours").is_none(), "it ended before");
        thread::sleep(Duration::from_millis(2));
    }
    let at = Instant::now();
    kill_process(Pid::from_child(&child), Signal::INT).expect("it runs");
    while at.elapsed() < DEADLINE {
        if let Some(status) = child.try_wait().expect("ours") {
            return (status, at.elapsed());
        }
        thread::sleep(Duration::from_millis(2));
    }
    let _ = child.kill();
    panic!("it does not end");
}

/// Programs that were started with this mark and still run.
fn marked(mark: &str) -> Vec<String> {
    let wanted = format!("{MARK}={mark}");
    let processes = fs::read_dir("/proc").expect("Linux").flatten();
    let ours = processes.filter(|process| {
        let environment = fs::read(process.path().join("environ")).unwrap_or_default();
        environment
            .split(|byte| *byte == 0)
            .any(|variable| variable == wanted.as_bytes())
    });
    ours.map(|process| {
        let line = fs::read(process.path().join("cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&line).replace('\0', " ")
    })
    .collect()
}

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
    let repository = Repository {
        dir: world.central.dir.clone(),
    };
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

/// The push client by itself: while it connects, while it hears the refs, while it sends, and while it waits for the
/// answer, over sockets and over the pipes of a program.
#[test]
fn a_push_ends_at_once_in_every_phase() {
    let world = World::new();
    let machine = Machine::new(&world.root());
    // The end of a program is the end of what it has started, whatever that makes of being told.
    let stuck = |script: &str| {
        let ssh = machine.script("ssh", &format!("trap '' TERM INT\n{script}\nsleep 1000 & wait"));
        Remote {
            url: "ssh://h/r".into(),
            env: vec![
                ("GIT_SSH".into(), ssh.display().to_string()),
                ("GIT_SSH_VARIANT".into(), "ssh".into()),
            ],
        }
    };
    let list = String::from_utf8(scripted::advertisement(None, OFFERS)).expect("text");
    let list = list.replace('\0', "\\0").replace('\n', "\\n");
    for (phase, remote) in [
        ("ssh, no list of refs", stuck("echo reached >&3")),
        (
            "ssh, no answer",
            stuck(&format!("printf '{list}'; head -c 10 >/dev/null; echo reached >&3")),
        ),
    ] {
        let told = world.root().join("told");
        let quickest = (0..TRIES)
            .map(|_| {
                let _ = fs::remove_file(&told);
                let ssh = machine.script(
                    "ssh.told",
                    &format!("exec {} \"$@\" 3>{}", remote.env[0].1, told.display()),
                );
                let mut push = machine.push(&remote, "never");
                push.env("GIT_SSH", ssh).env(MARK, "phases");
                let reached = || fs::read_to_string(&told).is_ok_and(|told| !told.is_empty());
                let took = is_interrupted(push, reached, phase);
                assert_eq!(marked("phases"), Vec::<String>::new(), "{phase}");
                took
            })
            .min();
        eprintln!("{phase}: {quickest:?}");
        assert!(quickest < Some(AT_ONCE), "{phase}: {quickest:?}");
    }
    for scheme in ["git", "http"] {
        for (phase, says_list) in [("no list of refs", false), ("no answer", true)] {
            let quickest = (0..TRIES)
                .map(|_| {
                    let (sender, receiver) = mpsc::channel();
                    let server = Scripted::start(move |_, mut stream| {
                        if scheme == "git" {
                            scripted::greeting(&mut stream);
                        } else if !request(&stream) {
                            return;
                        }
                        if says_list {
                            let list = scripted::advertisement(None, OFFERS);
                            let _ = stream.write_all(&if scheme == "git" { list } else { http(&list) });
                            // The command has come, and perhaps more.
                            let _ = stream.read(&mut [0; 100]);
                        }
                        let _ = sender.send(());
                        thread::sleep(DEADLINE);
                    });
                    let remote = Remote {
                        url: server.url(scheme),
                        env: Vec::new(),
                    };
                    let push = machine.push(&remote, "never");
                    is_interrupted(push, || receiver.try_recv().is_ok(), &format!("{scheme}, {phase}"))
                })
                .min();
            eprintln!("{scheme}, {phase}: {quickest:?}");
            assert!(quickest < Some(AT_ONCE), "{scheme}, {phase}: {quickest:?}");
        }
    }
}

fn is_interrupted(mut push: Command, reached: impl FnMut() -> bool, phase: &str) -> Duration {
    let mut push = push
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("it runs");
    let mut stdout = push.stdout.take().expect("piped");
    let (status, took) = interrupted(push, reached);
    let mut said = String::new();
    stdout.read_to_string(&mut said).expect("text");
    assert!(
        status.success() && ended(&said).starts_with("Interrupted"),
        "{phase}: {said}"
    );
    took
}

/// Reads the head of a request; false if there is none.
fn request(stream: &std::net::TcpStream) -> bool {
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    lines.any(|line| line.is_empty())
}

fn http(list: &[u8]) -> Vec<u8> {
    let body = [b"001f# service=git-receive-pack\n0000", list].concat();
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/x-git-receive-pack-advertisement\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), &body].concat()
}
