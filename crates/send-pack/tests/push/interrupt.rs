//! Ctrl-C while a push is under way: it ends at once, on every transport and in every phase, and leaves nothing behind.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    process::{Command, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use super::{
    program::{Machine, ended},
    scripted::{self, OFFERS, Scripted},
};
use crate::support::{
    interrupt::{AT_ONCE, MARK, TRIES, interrupted, marked},
    process::DEADLINE,
    workspace::Remote,
    world::World,
};

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
