//! A git that gives up at the other end before it has reported, and what tells that from a connection that broke.

use std::time::Duration;

use metis_sync::send_pack::{Outcome, RefusalKind};

use super::{
    client::{options, push_with},
    interop::empty,
    program::draft,
};
use crate::support::{
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
