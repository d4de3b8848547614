//! A git that gives up at the other end before it has reported, and what tells that from a connection that broke.

use std::{fs, process::Command, time::Duration};

use send_pack::{Outcome, RefusalKind, connect::FailureKind};

use super::{
    client::{options, push_with},
    interop::empty,
    program::{Machine, draft},
};
use crate::support::{
    process::run,
    servers::{Access, GitDaemon, Nginx, Sshd},
    workspace::Remote,
};

/// A `reference-transaction` hook that says no makes git give up without a report. What tells of that is its exit code or the
/// end of its answer; `git://` has neither, and the outcome is left open rather than guessed.
#[test]
fn a_git_that_gives_up_is_a_refusal_where_that_can_be_known() {
    let (world, repository) = empty("sha1");
    repository.hook("reference-transaction", "[ \"$1\" != prepared ]");
    let (daemon, sshd, nginx) = (
        GitDaemon::start(&world),
        Sshd::start(&world),
        Nginx::start(&world, Access::Open),
    );
    let quick = |remote: &Remote| {
        let mut options = options(remote);
        options.deadlines.settle = Duration::from_millis(200);
        push_with(&remote.url, &options, &draft())
    };
    let telling = [
        Some(world.local()),
        sshd.as_ref().map(Sshd::remote),
        nginx.as_ref().map(Nginx::remote),
    ];
    for remote in telling.into_iter().flatten() {
        match quick(&remote) {
            Ok(Outcome::Refused(refusal)) => assert_eq!(refusal.kind, RefusalKind::GaveUp, "{refusal:?}"),
            other => panic!("{}: {other:?}", remote.url),
        }
    }
    if let Some(daemon) = &daemon {
        let open = quick(&daemon.remote());
        assert!(matches!(open, Ok(Outcome::Unknown { .. })), "{open:?}");
    }
    assert_eq!(repository.tip(), None);
}

/// A lost answer is looked into, and never a reason to push again, also where a banner or a hook speaks of passwords.
#[test]
fn what_is_said_beside_a_lost_answer_decides_nothing() {
    let (world, repository) = empty("sha1");
    let machine = Machine::new(&world.root());
    let pushes = world.root().join("pushes");
    repository.hook("pre-receive", &format!("echo one >> {}; exit 1", pushes.display()));
    let list = run({
        let mut list = Command::new("sh");
        list.args(["-c", "printf 0000 | git receive-pack \"$0\" | wc -c"])
            .arg(&repository.dir);
        list
    });
    // All that it lists, and nothing of what it answers.
    let ssh = machine.script(
        "ssh",
        &format!(
            "echo 'Mind your passphrase. Permission denied (publickey): that is for others.' >&2\n\
             for last; do :; done\nsh -c \"$last\" | dd bs=1 count={} status=none\nexit 255",
            list.success().trim()
        ),
    );
    let remote = Remote {
        url: format!("ssh://central{}", repository.dir.display()),
        env: vec![
            ("GIT_SSH".into(), ssh.display().to_string()),
            ("GIT_SSH_VARIANT".into(), "ssh".into()),
        ],
    };
    let mut options = options(&remote);
    options.deadlines.settle = Duration::from_millis(200);
    match push_with(&remote.url, &options, &draft()) {
        Ok(Outcome::Unknown { cause }) => assert_eq!(cause.kind, FailureKind::Unreachable, "{cause:?}"),
        other => panic!("{other:?}"),
    }
    assert_eq!(fs::read_to_string(pushes).expect("the hook ran"), "one\n");
}
