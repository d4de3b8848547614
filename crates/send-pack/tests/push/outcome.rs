//! What became of a push: every row of the table in `send_pack::outcome`, with real servers where they can be made to
//! do it.

mod looked_up;
mod unsent;

use std::{thread, time::Duration};

use gix_hash::Kind;
use send_pack::{Outcome, PushError, PushOptions, RefusalKind};

use super::client::{Draft, Repository, applied, first, options, push, push_with, to_main, url};
use crate::support::{central::Shape, workspace::Remote, world::World};

struct Place {
    _world: World,
    repository: Repository,
    remote: Remote,
}

fn empty(format: &'static str) -> Place {
    let world = World::shaped(Shape {
        born: None,
        format,
        ..Shape::default()
    });
    let repository = world.repository();
    let remote = world.local();
    Place {
        _world: world,
        repository,
        remote,
    }
}

fn nobody() -> Remote {
    Remote {
        url: String::new(),
        env: Vec::new(),
    }
}

#[test]
fn a_branch_is_created_updated_and_deleted_in_both_formats() {
    for (format, kind) in [("sha1", Kind::Sha1), ("sha256", Kind::Sha256)] {
        let place = empty(format);
        let one = Draft::first(kind, &[("a.md", b"one\n")]);
        applied(push(&place.remote, &one));
        let two = one.next(&[("a.md", b"two\n"), ("b.md", b"new\n")], &[("a.md", b"one\n")]);
        applied(push(&place.remote, &two));
        assert_eq!(place.repository.tip(), Some(two.id));
        place.repository.fsck();
        place.repository.git(&["symbolic-ref", "HEAD", "refs/heads/other"]);
        let delete = to_main(Some(two.id), None);
        let nothing = || Ok::<_, std::convert::Infallible>(Vec::new().into_iter());
        let deleted = send_pack::push(
            &url(&place.remote.url),
            &options(&place.remote),
            &PushOptions::new("test"),
            &delete,
            nothing,
        );
        assert!(matches!(deleted, Ok(Outcome::Applied)), "{deleted:?}");
        assert_eq!(place.repository.tip(), None);
        let again = send_pack::push(
            &url(&place.remote.url),
            &options(&place.remote),
            &PushOptions::new("test"),
            &delete,
            nothing,
        );
        assert!(
            matches!(again, Ok(Outcome::Applied)),
            "it is gone, which was wanted: {again:?}"
        );
    }
}

#[test]
fn an_expected_value_that_is_not_there_is_moved_and_what_is_there_already_is_applied() {
    let place = empty("sha1");
    let one = first();
    let two = one.next(&[("b.md", b"b\n")], &[]);
    let early = push(&place.remote, &two);
    assert!(matches!(early, Ok(Outcome::Moved { actual: None })), "{early:?}");
    applied(push(&place.remote, &one));
    let other = Draft::first(Kind::Sha1, &[("x.md", b"x\n")]);
    let moved = push(&place.remote, &other);
    assert!(
        matches!(moved, Ok(Outcome::Moved { actual: Some(actual) }) if actual == one.id),
        "{moved:?}"
    );
    applied(push(&place.remote, &one));
    applied(push(&place.remote, &two));
    let late = push(&place.remote, &one.next(&[("c.md", b"c\n")], &[]));
    assert!(
        matches!(late, Ok(Outcome::Moved { actual: Some(actual) }) if actual == two.id),
        "{late:?}"
    );
}

#[test]
fn a_ref_that_moves_under_the_servers_hands_is_moved() {
    let place = empty("sha1");
    let one = first();
    applied(push(&place.remote, &one));
    let rival = one.next(&[("r.md", b"r\n")], &[]);
    place.repository.git(&["config", "core.logAllRefUpdates", "false"]);
    let git = place.repository.dir.join("rival");
    applied(push(&place.remote, &rival));
    place.repository.reset(one.id);
    place.repository.hook(
        "pre-receive",
        &format!(
            "unset GIT_QUARANTINE_PATH; git update-ref refs/heads/main {}; : > {}",
            rival.id,
            git.display()
        ),
    );
    let moved = push(&place.remote, &one.next(&[("b.md", b"b\n")], &[]));
    assert!(
        matches!(moved, Ok(Outcome::Moved { actual: Some(actual) }) if actual == rival.id),
        "{moved:?}"
    );
    assert!(git.exists(), "the hook ran, so the race happened");
}

#[test]
fn a_lock_that_is_let_go_is_waited_for_and_one_that_stays_is_a_refusal() {
    let place = empty("sha1");
    let one = first();
    applied(push(&place.remote, &one));
    let two = one.next(&[("b.md", b"b\n")], &[]);
    let lock = place.repository.dir.join("refs/heads/main.lock");
    std::fs::write(&lock, "").expect("writable");
    let mut options = options(&place.remote);
    options.deadlines.settle = Duration::from_millis(300);
    let refused = push_with(&place.remote.url, &options, &two);
    assert!(
        matches!(&refused, Ok(Outcome::Refused(refusal)) if refusal.kind == RefusalKind::Locked),
        "{refused:?}"
    );
    options.deadlines.settle = Duration::from_secs(30);
    let attempts = place.repository.dir.join("attempts");
    place
        .repository
        .hook("pre-receive", &format!("echo x >> {}", attempts.display()));
    thread::scope(|scope| {
        let pushed = scope.spawn(|| push_with(&place.remote.url, &options, &two));
        while std::fs::read_to_string(&attempts).unwrap_or_default().lines().count() < 2 {
            thread::sleep(Duration::from_millis(2));
        }
        std::fs::remove_file(&lock).expect("it is ours");
        applied(pushed.join().expect("no panic"));
    });
    assert_eq!(place.repository.tip(), Some(two.id));
}

#[test]
fn a_refusal_has_its_kind_its_reason_and_the_servers_words() {
    let place = empty("sha1");
    let one = first();
    applied(push(&place.remote, &one));
    let two = one.next(&[("b.md", b"b\n")], &[]);
    let refusal = || match push(&place.remote, &two) {
        Ok(Outcome::Refused(refusal)) => refusal,
        other => panic!("{other:?}"),
    };
    place.repository.hook(
        "pre-receive",
        "echo 'first line'; printf '\\033[31mno\\033[0m way\\n' >&2; exit 1",
    );
    let said = refusal();
    assert_eq!(
        (said.kind, said.reason.as_str()),
        (RefusalKind::Hook, "pre-receive hook declined")
    );
    assert_eq!(said.server_text, "first line\nno way");
    place.repository.unhook("pre-receive");
    place.repository.hook("update", "echo 'not this branch' >&2; exit 1");
    let said = refusal();
    assert_eq!(said.kind, RefusalKind::Hook);
    assert!(
        said.server_text.starts_with(
            "not this branch
"
        ),
        "{said:?}"
    );
    place.repository.unhook("update");
    place.repository.git(&["config", "receive.maxInputSize", "10"]);
    assert_eq!(refusal().kind, RefusalKind::Unpack);
    place.repository.git(&["config", "--unset", "receive.maxInputSize"]);
    place.repository.git(&["config", "transfer.hideRefs", "refs/heads"]);
    let hidden = push(&place.remote, &first());
    assert!(
        matches!(&hidden, Ok(Outcome::Refused(refusal)) if refusal.kind == RefusalKind::Denied),
        "{hidden:?}"
    );
    assert_eq!(place.repository.tip(), Some(one.id));
}

#[test]
fn options_reach_the_hook_or_are_an_error() {
    let place = empty("sha1");
    let one = first();
    let update = to_main(None, Some(one.id));
    let mut pushed = PushOptions::new("test");
    pushed.hook_options = vec!["ci.skip".into(), "two words".into()];
    let at = url(&place.remote.url);
    let objects = || Ok::<_, std::convert::Infallible>(one.objects.clone().into_iter().map(Ok));
    let refused = send_pack::push(&at, &options(&place.remote), &pushed, &update, objects);
    assert!(
        matches!(refused, Err(PushError::Unsupported("push-options"))),
        "{refused:?}"
    );
    place
        .repository
        .git(&["config", "receive.advertisePushOptions", "true"]);
    let seen = place.repository.dir.join("seen");
    place.repository.hook(
        "pre-receive",
        &format!(
            "echo $GIT_PUSH_OPTION_COUNT $GIT_PUSH_OPTION_0 $GIT_PUSH_OPTION_1 > {}",
            seen.display()
        ),
    );
    applied(send_pack::push(&at, &options(&place.remote), &pushed, &update, objects));
    assert_eq!(
        std::fs::read_to_string(seen).expect("the hook ran"),
        "2 ci.skip two words\n"
    );
}

#[test]
fn a_source_that_fails_half_way_changes_nothing_on_any_transport() {
    let place = empty("sha1");
    let daemon = crate::support::servers::GitDaemon::start(&place._world);
    let nginx = crate::support::servers::Nginx::start(&place._world, crate::support::servers::Access::Open);
    let remotes = [
        Some(place.remote.clone()),
        daemon.as_ref().map(|d| d.remote()),
        nginx.as_ref().map(|n| n.remote()),
    ];
    let one = first();
    for remote in remotes.into_iter().flatten() {
        let broken = || {
            let mut objects: Vec<_> = one.objects.clone().into_iter().map(Ok).collect();
            objects[1] = Err("the disk is gone");
            Ok(objects.into_iter())
        };
        let update = to_main(None, Some(one.id));
        let failed = send_pack::push(
            &url(&remote.url),
            &options(&remote),
            &PushOptions::new("test"),
            &update,
            broken,
        );
        assert!(
            matches!(failed, Err(PushError::Source("the disk is gone"))),
            "{failed:?}"
        );
        assert_eq!(place.repository.tip(), None);
    }
}
