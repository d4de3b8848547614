//! Every wait ends: silence, half-open connections, dripping, a peer that stops reading; on every transport, and at once
//! when somebody interrupts.

mod interrupted;

use std::{
    fs,
    io::{Read, Write},
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use gix_hash::Kind;
use send_pack::{
    Outcome, PushError, PushOptions,
    connect::{ConnectError, ConnectOptions, Deadlines, FailureKind},
};

use super::client::{Draft, Pushed, applied, first, options, options_with, push_with};
use super::scripted::{self, OFFERS, Scripted};
use crate::support::{
    process::DEADLINE,
    servers::{Access, Everywhere},
    workspace::Remote,
    world::World,
};

fn nowhere() -> Remote {
    Remote {
        url: String::new(),
        env: Vec::new(),
    }
}

fn cause(pushed: Pushed) -> ConnectError {
    match pushed {
        Err(PushError::Connect(cause)) | Ok(Outcome::Unknown { cause }) => cause,
        other => panic!("{other:?}"),
    }
}

/// Far more than any of the deadlines below, far less than a hang.
const SOON: Duration = Duration::from_secs(15);

#[test]
fn servers_that_are_silent_at_any_time_end_in_time() {
    let one = first();
    let list = scripted::advertisement(None, OFFERS);
    for scheme in ["git", "http"] {
        // Nothing at all; half of the refs; all of them and then nothing; the same but every byte on its own for ever.
        for said in [0, list.len() / 2, list.len()] {
            let list = list.clone();
            let server = Scripted::start(move |_, mut stream| {
                if scheme == "http" {
                    let _ = stream.read(&mut [0; 4096]);
                    let _ = stream.write_all(head().as_bytes());
                } else {
                    scripted::greeting(&mut stream);
                }
                let _ = stream.write_all(&list[..said]);
                thread::sleep(DEADLINE);
            });
            let mut options = options(&nowhere());
            options.deadlines.idle = Duration::from_millis(150);
            options.deadlines.settle = Duration::from_millis(100);
            let started = Instant::now();
            let cause = cause(push_with(&server.url(scheme), &options, &one));
            assert_eq!(cause.kind, FailureKind::TimedOut, "{scheme}, {said} bytes: {cause:?}");
            assert!(started.elapsed() < SOON, "{scheme}, {said} bytes");
        }
    }
}

fn head() -> String {
    "HTTP/1.1 200 OK\r\nContent-Type: application/x-git-receive-pack-advertisement\r\nContent-Length: 100000\r\n\r\n\
     001f# service=git-receive-pack\n0000"
        .to_owned()
}

#[test]
fn a_dripping_server_ends_at_the_total_deadline_before_and_after_the_push() {
    let one = first();
    for drips_at_once in [true, false] {
        let server = Scripted::start(move |_, mut stream| {
            scripted::greeting(&mut stream);
            if drips_at_once {
                // A line that is never complete.
                let _ = stream.write_all(b"fff0");
            } else {
                let _ = stream.write_all(&scripted::advertisement(None, OFFERS));
                if scripted::command(&mut stream).is_none() {
                    return;
                }
            }
            let keep_alive = if drips_at_once {
                b"x".to_vec()
            } else {
                scripted::band(2, b"")
            };
            while stream.write_all(&keep_alive).is_ok() {
                thread::sleep(Duration::from_millis(20));
            }
        });
        let mut options = options(&nowhere());
        options.deadlines.total = Some(Instant::now() + Duration::from_millis(600));
        options.deadlines.settle = Duration::from_millis(100);
        let started = Instant::now();
        let cause = cause(push_with(&server.url("git"), &options, &one));
        assert_eq!(cause.kind, FailureKind::TimedOut, "{cause:?}");
        assert!(started.elapsed() < SOON);
    }
}

#[test]
fn a_peer_that_stops_reading_does_not_hold_a_push() {
    let noise: Vec<u8> = (0..30u32 << 20)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8 ^ (n >> 9) as u8)
        .collect();
    let large = Draft::first(Kind::Sha1, &[("large", &noise)]);
    let server = Scripted::start(move |number, mut stream| {
        scripted::greeting(&mut stream);
        let _ = stream.write_all(&scripted::advertisement(None, OFFERS));
        if number == 0 {
            thread::sleep(DEADLINE);
        }
    });
    let mut options = options(&nowhere());
    options.deadlines.idle = Duration::from_millis(300);
    let pushed = push_with(&server.url("git"), &options, &large);
    assert!(
        matches!(&pushed, Err(PushError::Connect(cause)) if cause.kind == FailureKind::TimedOut),
        "{pushed:?}"
    );
    assert_eq!(server.connections(), 1, "what was not sent needs no second look");
}

/// A program in the place of ssh that says where it runs.
fn ssh_that(world: &World, does: &str) -> (ConnectOptions, PathBuf) {
    let pid_file = world.root().join("pid");
    let command = format!("echo $$ > {}; {does} #", pid_file.display());
    let remote = Remote {
        url: String::new(),
        env: vec![
            ("GIT_SSH_COMMAND".into(), command),
            ("GIT_SSH_VARIANT".into(), "ssh".into()),
        ],
    };
    (options(&remote), pid_file)
}

fn is_gone(pid_file: &Path) -> bool {
    let pid = fs::read_to_string(pid_file).unwrap_or_default();
    assert!(!pid.trim().is_empty(), "it ran");
    let stat = fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
    stat.is_empty() || stat.contains(") Z ")
}

fn await_gone(pid_file: &Path) {
    let started = Instant::now();
    while !is_gone(pid_file) {
        assert!(started.elapsed() < SOON, "still running");
        thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn an_ssh_that_hangs_or_drips_is_ended_with_its_children() {
    let world = World::new();
    for (does, kind) in [
        ("sleep 1000 & wait", FailureKind::TimedOut),
        ("trap '' TERM; while :; do sleep 1000; done", FailureKind::TimedOut),
        ("while printf x; do sleep 0.02; done", FailureKind::NotGit),
        ("echo 'kex: no luck' >&2; exit 255", FailureKind::Unreachable),
    ] {
        let (mut options, pid_file) = ssh_that(&world, does);
        options.deadlines.idle = Duration::from_millis(200);
        options.deadlines.total = Some(Instant::now() + Duration::from_secs(2));
        let started = Instant::now();
        let cause = cause(push_with("ssh://h/r", &options, &first()));
        assert_eq!(cause.kind, kind, "{does}: {cause:?}");
        assert!(started.elapsed() < SOON, "{does}");
        await_gone(&pid_file);
        if kind == FailureKind::Unreachable {
            assert_eq!(cause.server_text, "kex: no luck");
        }
    }
}

#[test]
fn what_ssh_says_is_in_the_error_without_its_escapes() {
    let world = World::new();
    let (options, _) = ssh_that(&world, r"printf '\033[31mhost\033[0m is \007closed\n' >&2; exit 1");
    let cause = cause(push_with("ssh://h/r", &options, &first()));
    assert_eq!(cause.server_text, "host is closed");
}

/// Everything twenty times as fast as it is by default: a hook that takes longer than connecting and
/// settling may is no time-out on any transport.
#[test]
fn a_hook_that_thinks_for_less_than_idle_is_no_time_out() {
    let mut deadlines = Deadlines::default();
    deadlines.connect = Duration::from_secs(1);
    deadlines.idle = Duration::from_secs(6);
    deadlines.settle = Duration::from_millis(150);
    a_hook_that_sleeps(2, deadlines);
}

/// The time that a slow hook of a real host takes, and what a user has by default.
#[test]
#[ignore = "takes a minute: scripts/test --servers"]
fn a_hook_of_forty_seconds_is_no_time_out() {
    a_hook_that_sleeps(40, Deadlines::default());
}

fn a_hook_that_sleeps(seconds: u64, deadlines: Deadlines) {
    let world = World::unborn();
    let repository = world.repository();
    let slept = world.root().join("slept");
    repository.hook(
        "pre-receive",
        &format!("sleep {seconds} && echo >>'{}'", slept.display()),
    );
    let everywhere = Everywhere::start(&world, Access::Tls);
    let remotes = everywhere.remotes();
    thread::scope(|scope| {
        let pushes: Vec<_> = remotes
            .iter()
            .enumerate()
            .map(|(n, remote)| {
                scope.spawn(move || {
                    // A branch each.
                    let one = first();
                    let update = send_pack::RefUpdate {
                        name: format!("refs/heads/b{n}").into(),
                        ..super::client::to_main(None, Some(one.id))
                    };
                    let mut options = options(remote);
                    options.deadlines = deadlines;
                    let objects = || Ok(one.objects.clone().into_iter().map(Ok));
                    let at = super::client::url(&remote.url);
                    applied(send_pack::push(
                        &at,
                        &options,
                        &PushOptions::new("test"),
                        &update,
                        objects,
                    ));
                })
            })
            .collect();
        let count = pushes.len();
        for push in pushes {
            push.join().expect("applied");
        }
        let slept = fs::read_to_string(&slept).expect("hooks slept");
        assert_eq!(slept.lines().count(), count, "each was waited for");
    });
}

#[test]
fn a_crawling_transfer_is_given_up_as_configured() {
    let server = Scripted::start(move |_, mut stream| {
        let _ = stream.read(&mut [0; 4096]);
        for byte in head().into_bytes().into_iter().chain(std::iter::repeat_n(b'0', 10_000)) {
            if stream.write_all(&[byte]).is_err() {
                return;
            }
            thread::sleep(Duration::from_millis(20));
        }
    });
    let options = options_with(&nowhere(), "[http]\nlowSpeedLimit = 1000\nlowSpeedTime = 1");
    let cause = cause(push_with(&server.url("http"), &options, &first()));
    assert_eq!(cause.kind, FailureKind::TimedOut, "{cause:?}");
}
