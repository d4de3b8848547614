//! What became of a push: every row of the table in `send_pack::outcome`, with real servers where they can be made to
//! do it.

use std::{
    io::Write,
    net::Shutdown,
    sync::atomic::{AtomicU64, Ordering},
    thread,
    time::{Duration, Instant},
};

use gix_hash::Kind;
use send_pack::{Outcome, PushError, PushOptions, RefUpdate, RefusalKind, connect::FailureKind};

use super::client::{Draft, Repository, applied, first, options, push, push_with, to_main, url};
use super::scripted::{self, OFFERS, Scripted, report};
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
fn the_other_format_is_named_before_anything_is_sent() {
    let place = empty("sha256");
    let refused = push(&place.remote, &first());
    assert!(
        matches!(&refused, Err(PushError::ObjectFormat { server, .. }) if server == "sha256"),
        "{refused:?}"
    );
    let mut mixed = Draft::first(Kind::Sha256, &[("a.md", b"one\n")]);
    mixed.parent = Some(first().id);
    let refused = push(&place.remote, &mixed);
    assert!(
        matches!(refused, Err(PushError::ObjectFormat { ours: Kind::Sha1, .. })),
        "{refused:?}"
    );
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
fn an_option_that_is_no_line_is_refused_without_connecting() {
    let at = url("git://127.0.0.1:1/r");
    for option in ["", "two\nlines", "nul\0", &"long".repeat(20_000)] {
        let update = to_main(None, Some(first().id));
        let mut pushed = PushOptions::new("test");
        pushed.hook_options = vec!["ci.skip".into(), option.into()];
        let objects = || Ok::<_, std::convert::Infallible>(first().objects.into_iter().map(Ok));
        let refused = send_pack::push(&at, &options(&nobody()), &pushed, &update, objects);
        assert!(matches!(refused, Err(PushError::PushOption(named)) if named == option));
    }
}

#[test]
fn a_name_that_is_none_is_refused_without_connecting() {
    let at = url("git://127.0.0.1:1/r");
    for name in [
        "main",
        "refs/heads/a b",
        "refs/heads/x\0 report-status",
        "refs/heads/../x",
        "",
    ] {
        let update = RefUpdate {
            name: name.into(),
            ..to_main(None, Some(first().id))
        };
        let objects = || Ok::<_, std::convert::Infallible>(Vec::new().into_iter());
        let refused = send_pack::push(&at, &Default::default(), &PushOptions::new("test"), &update, objects);
        assert!(matches!(refused, Err(PushError::RefName(_))), "{name:?}: {refused:?}");
    }
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

#[test]
fn a_report_that_contradicts_itself_or_is_missing_is_settled_by_the_refs() {
    let one = first();
    let two = one.next(&[("b.md", b"b\n")], &[]);
    let rival = one.next(&[("r.md", b"r\n")], &[]);
    let strange: [&[&str]; 6] = [
        &["unpack ok"],
        &["ok refs/heads/main"],
        &["unpack ok", "ok refs/heads/other"],
        &["unpack ok", "ok refs/heads/main", "ng refs/heads/main no"],
        &["unpack no room", "ok refs/heads/main"],
        &[],
    ];
    for lines in strange {
        for (later, expected) in [(two.id, "Applied"), (rival.id, "Moved"), (one.id, "Unknown")] {
            let server = scripted::one_push(Some(one.id), OFFERS, report(lines), Some(later));
            let mut options = options(&Remote {
                url: String::new(),
                env: Vec::new(),
            });
            options.deadlines.settle = Duration::from_millis(100);
            let outcome = push_with(&server.url("git"), &options, &two);
            assert!(
                format!("{outcome:?}").starts_with(&format!("Ok({expected}")),
                "{lines:?}: {outcome:?}"
            );
            assert!(server.connections() > 1, "the refs were listed");
        }
    }
}

#[test]
fn an_unknown_reason_is_looked_into_once_and_then_believed() {
    let one = first();
    let two = one.next(&[("b.md", b"b\n")], &[]);
    for (later, expected) in [
        (two.id, "Ok(Applied"),
        (one.id, "Ok(Refused(Refusal { kind: Other, reason: \"policy 7\""),
    ] {
        let server = scripted::one_push(
            Some(one.id),
            OFFERS,
            report(&["unpack ok", "ng refs/heads/main policy 7"]),
            Some(later),
        );
        let outcome = push_with(&server.url("git"), &Default::default(), &two);
        assert!(format!("{outcome:?}").starts_with(expected), "{outcome:?}");
        assert_eq!(server.connections(), 2);
    }
}

#[test]
fn a_yes_from_a_server_that_does_not_say_what_it_is_is_checked() {
    let one = first();
    let two = one.next(&[("b.md", b"b\n")], &[]);
    let rival = one.next(&[("r.md", b"r\n")], &[]);
    let offers = "report-status delete-refs side-band-64k";
    for (later, expected) in [(two.id, "Ok(Applied"), (rival.id, "Ok(Moved"), (one.id, "Ok(Refused")] {
        let yes = report(&["unpack ok", "ok refs/heads/main"]);
        let server = scripted::one_push(Some(one.id), offers, yes, Some(later));
        let outcome = push_with(&server.url("git"), &Default::default(), &two);
        assert!(format!("{outcome:?}").starts_with(expected), "{outcome:?}");
    }
}

#[test]
fn a_server_without_a_report_is_not_pushed_to() {
    let one = first();
    let server = scripted::one_push(None, "delete-refs", Vec::new(), None);
    let refused = push_with(&server.url("git"), &Default::default(), &one);
    assert!(
        matches!(refused, Err(PushError::Unsupported("report-status"))),
        "{refused:?}"
    );
}

#[test]
fn a_server_without_bands_or_thin_packs_is_spoken_to_in_its_way() {
    let one = Draft::first(
        Kind::Sha1,
        &[("a.md", &b"long enough to be worth a delta\n".repeat(40))],
    );
    let text = b"long enough to be worth a delta\n".repeat(41);
    let two = one.next(
        &[("a.md", &text)],
        &[("a.md", &b"long enough to be worth a delta\n".repeat(40))],
    );
    static DELTAS: AtomicU64 = AtomicU64::new(0);
    let server = Scripted::start(move |_, mut stream| {
        use std::io::Read;
        scripted::greeting(&mut stream);
        let _ = stream.write_all(&scripted::advertisement(Some(one.id), "report-status no-thin agent=x"));
        let _ = stream.set_read_timeout(Some(Duration::from_millis(300)));
        let mut all = Vec::new();
        let _ = stream.read_to_end(&mut all);
        let pack = all.windows(4).position(|w| w == b"PACK").expect("a pack came");
        // The type of the first object, the document: a blob is 3, a delta 7.
        DELTAS.store(u64::from(all[pack + 12] >> 4 & 7), Ordering::SeqCst);
        let answer: Vec<u8> = [
            scripted::pkt("unpack ok\n"),
            scripted::pkt("ok refs/heads/main\n"),
            b"0000".to_vec(),
        ]
        .concat();
        let _ = stream.write_all(&answer);
        let _ = stream.shutdown(Shutdown::Both);
    });
    applied(push_with(&server.url("git"), &Default::default(), &two));
    assert_eq!(DELTAS.load(Ordering::SeqCst), 3);
}

#[test]
fn an_answer_that_time_took_is_still_found_out() {
    let place = empty("sha1");
    let Some(daemon) = crate::support::servers::GitDaemon::start(&place._world) else {
        return;
    };
    let one = first();
    // The ref is moved, and then the answer does not come.
    place.repository.hook("post-receive", "sleep 3");
    let mut options = options(&daemon.remote());
    options.deadlines.total = Some(Instant::now() + Duration::from_millis(900));
    applied(push_with(&daemon.remote().url, &options, &one));
    options.deadlines.total = Some(Instant::now());
    match push_with(&daemon.remote().url, &options, &one.next(&[("b", b"b")], &[])) {
        Err(PushError::Connect(cause)) => assert_eq!(cause.kind, FailureKind::TimedOut),
        other => panic!("{other:?}"),
    }
}
