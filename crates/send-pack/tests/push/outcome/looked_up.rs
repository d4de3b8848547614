//! What a server's report leaves open is looked up in the refs.

use std::{
    io::Write,
    net::Shutdown,
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use gix_hash::Kind;
use send_pack::{PushError, connect::FailureKind};

use super::empty;
use crate::push::client::{Draft, applied, first, options, push_with};
use crate::push::scripted::{self, OFFERS, Scripted, report};
use crate::support::workspace::Remote;

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
