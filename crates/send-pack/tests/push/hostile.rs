//! Servers that mean harm, or are broken as if they did: no panic, no hang, bounded memory, nothing raw in a message.

mod http;

use std::{
    io::{Read, Write},
    time::{Duration, Instant},
};

use send_pack::{
    Outcome, PushError, RefusalKind,
    connect::{ConnectOptions, FailureKind},
};

use super::client::{Pushed, first, options, push_with};
use super::scripted::{self, FLUSH, OFFERS, Scripted, advertisement, band, pkt, report};
use crate::support::workspace::Remote;

fn patient() -> ConnectOptions {
    let mut options = options(&Remote {
        url: String::new(),
        env: Vec::new(),
    });
    options.deadlines.idle = Duration::from_secs(5);
    options.deadlines.settle = Duration::from_millis(80);
    options.deadlines.total = Some(Instant::now() + Duration::from_secs(30));
    options
}

fn is_clean(pushed: &Pushed) {
    let text = match pushed {
        Ok(Outcome::Refused(refusal)) => format!("{}{}", refusal.reason, refusal.server_text),
        Ok(Outcome::Unknown { cause }) | Err(PushError::Connect(cause)) => {
            format!("{}{}", cause.message, cause.server_text)
        }
        Err(err) => err.to_string(),
        Ok(_) => String::new(),
    };
    let hostile = |c: char| c != '\n' && (c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c));
    assert!(!text.contains(hostile), "{text:?}");
    assert!(text.len() < 64 << 10, "{} bytes", text.len());
}

#[test]
fn a_malformed_list_of_refs_is_an_error_with_nothing_sent() {
    let id = "1".repeat(40);
    let lists: Vec<Vec<u8>> = vec![
        b"zzzz".to_vec(),
        b"0003".to_vec(),
        b"0004".to_vec(),
        b"ffff".to_vec(),
        b"00".to_vec(),
        b"\0\0\0\0".to_vec(),
        b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(),
        b"SSH-2.0-OpenSSH_9\r\n".to_vec(),
        pkt("\x1b]0;owned\x07not a ref\n"),
        pkt("no-id refs/heads/main\0report-status\n"),
        pkt(format!("{id} refs/heads/main\n")),
        pkt(format!("{id}\0report-status\n")),
        pkt(format!(
            "{id} refs/heads/main\0report-status object-format=\x1b[31msha9\n"
        )),
        [pkt("version 9\n"), FLUSH.to_vec()].concat(),
        [pkt("version 2\n"), pkt("report-status\n"), FLUSH.to_vec()].concat(),
        [
            pkt(format!("{id} refs/heads/main\0{OFFERS}\n")),
            pkt("short"),
            FLUSH.to_vec(),
        ]
        .concat(),
        [
            pkt(format!("{id} refs/heads/main\0{OFFERS}\n")),
            pkt("shallow nonsense\n"),
            FLUSH.to_vec(),
        ]
        .concat(),
        pkt("ERR \x1b[31maccess denied\x1b[0m \u{202e}or not\n"),
    ];
    for (number, list) in lists.into_iter().enumerate() {
        let shown = list.escape_ascii().to_string();
        let server = Scripted::start(move |_, mut stream| {
            scripted::greeting(&mut stream);
            let _ = stream.write_all(&list);
            let _ = stream.shutdown(std::net::Shutdown::Write);
            let mut rest = Vec::new();
            let _ = stream.read_to_end(&mut rest);
            assert!(!rest.windows(4).any(|w| w == b"PACK"), "something was sent");
        });
        let pushed = push_with(&server.url("git"), &patient(), &first());
        assert!(
            !matches!(pushed, Ok(Outcome::Applied | Outcome::Refused(_))),
            "{number} {shown}: {pushed:?}"
        );
        is_clean(&pushed);
    }
}

#[test]
fn a_head_that_points_nowhere_is_no_trouble() {
    for offers in [
        "report-status side-band-64k agent=x symref=HEAD:refs/heads/main",
        "report-status side-band-64k agent=x symref=HEAD:refs/heads/other symref symref=: symref=HEAD symref=HEAD:HEAD",
    ] {
        let server = scripted::one_push(None, offers, report(&["unpack ok", "ok refs/heads/main"]), None);
        let pushed = push_with(&server.url("git"), &patient(), &first());
        assert!(matches!(pushed, Ok(Outcome::Applied)), "{pushed:?}");
    }
}

#[test]
fn a_malformed_answer_is_never_taken_for_yes() {
    let ok = report(&["unpack ok", "ok refs/heads/main"]);
    let answers: Vec<Vec<u8>> = vec![
        Vec::new(),
        b"zzzz".to_vec(),
        b"0001".to_vec(),
        b"0004".to_vec(),
        pkt([9]),
        pkt([0]),
        band(1, b"zzzz"),
        band(1, b"000"),
        [band(2, "\u{202e}evil\u{9b}31m".as_bytes()), FLUSH.to_vec()].concat(),
        [
            band(
                1,
                &[pkt("unpack ok\n"), pkt("ok refs/heads/main2\n"), FLUSH.to_vec()].concat(),
            ),
            FLUSH.to_vec(),
        ]
        .concat(),
        [
            band(1, &[pkt("unpack ok\n"), pkt("ok refs/heads/main")].concat()),
            FLUSH.to_vec(),
        ]
        .concat(),
        ok[..ok.len() - 5].to_vec(),
        pkt("ERR \x1b[31mno"),
    ];
    for answer in answers {
        let shown = answer.escape_ascii().to_string();
        let server = scripted::one_push(None, OFFERS, answer, None);
        let pushed = push_with(&server.url("git"), &patient(), &first());
        assert!(matches!(pushed, Ok(Outcome::Unknown { .. })), "{shown}: {pushed:?}");
        is_clean(&pushed);
    }
}

/// The band for fatal errors says that the server goes no further; the refs say that it had not got there.
#[test]
fn a_fatal_error_in_the_place_of_a_report_is_a_refusal() {
    let fatal = band(3, b"\x1b[2Jfatal: no\x07");
    let server = scripted::one_push(None, OFFERS, fatal, None);
    let pushed = push_with(&server.url("git"), &patient(), &first());
    is_clean(&pushed);
    match pushed {
        Ok(Outcome::Refused(refusal)) => {
            assert_eq!(
                (refusal.kind, refusal.reason.as_str()),
                (RefusalKind::GaveUp, "fatal: no")
            );
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_hooks_print_has_no_escapes_left() {
    let evil = "\x1b]0;title\x07\x1b[31mred\x1b[0m\r\x1b[2K\u{202e}abc\u{202c}\nhidden\x08\x08\x08";
    let answer = [
        band(2, evil.as_bytes()),
        report(&["unpack ok", "ng refs/heads/main pre-receive hook declined"]),
    ]
    .concat();
    let server = scripted::one_push(None, OFFERS, answer, None);
    let pushed = push_with(&server.url("git"), &patient(), &first());
    is_clean(&pushed);
    assert!(
        matches!(&pushed, Ok(Outcome::Refused(r)) if r.server_text == "red\nabc\nhidden"),
        "{pushed:?}"
    );
    let reason = "ng refs/heads/main \x1b[31mhook\x1b[0m declined\u{202e}";
    let server = scripted::one_push(None, OFFERS, report(&["unpack ok", reason]), None);
    let pushed = push_with(&server.url("git"), &patient(), &first());
    is_clean(&pushed);
    assert!(
        matches!(&pushed, Ok(Outcome::Refused(r)) if r.reason == "hook declined"),
        "{pushed:?}"
    );
}

#[test]
fn talk_without_end_is_ended_whichever_way_it_comes() {
    let chatter = |piece: Vec<u8>| {
        Scripted::start(move |number, mut stream| {
            scripted::greeting(&mut stream);
            let _ = stream.write_all(&advertisement(None, OFFERS));
            if number == 0 && scripted::command(&mut stream).is_some() {
                let block = piece.repeat(1 + (1 << 20) / piece.len());
                while stream.write_all(&block).is_ok() {}
            }
        })
    };
    let huge = vec![b'a'; 60_000];
    for piece in [band(2, &huge), band(1, &huge), band(2, b"x"), band(1, b"0005x")] {
        let server = chatter(piece);
        let started = Instant::now();
        let pushed = push_with(&server.url("git"), &patient(), &first());
        assert!(
            matches!(&pushed, Ok(Outcome::Unknown { cause }) if cause.kind == FailureKind::Protocol),
            "{pushed:?}"
        );
        assert!(started.elapsed() < Duration::from_secs(25));
    }
}

#[test]
fn refs_without_end_are_not_taken_in() {
    for scheme in ["git", "http"] {
        let server = Scripted::start(move |_, mut stream| {
            let id = "1".repeat(40);
            if scheme == "git" {
                scripted::greeting(&mut stream);
            } else {
                let _ = stream.read(&mut [0; 4096]);
                let _ = stream.write_all(
                    b"HTTP/1.1 200 OK\r\nContent-Type: application/x-git-receive-pack-advertisement\r\n\r\n\
                      001f# service=git-receive-pack\n0000",
                );
            }
            let _ = stream.write_all(&pkt(format!("{id} refs/heads/a\0{OFFERS}\n")));
            let block = pkt(format!("{id} refs/heads/{}\n", "b".repeat(60_000))).repeat(16);
            while stream.write_all(&block).is_ok() {}
        });
        let pushed = push_with(&server.url(scheme), &patient(), &first());
        assert!(
            matches!(&pushed, Err(PushError::Connect(cause)) if cause.kind == FailureKind::Protocol),
            "{scheme}: {pushed:?}"
        );
        is_clean(&pushed);
    }
}

#[test]
fn locations_that_run_programs_or_pass_for_options_are_refused() {
    for at in [
        "ext::sh -c 'touch /tmp/owned'",
        "fd::7",
        "-oProxyCommand=touch /tmp/owned",
        "ssh://-oProxyCommand=touch/r",
        "ssh://h/-r\n",
        "-h:r",
        "ssh://-l@h/r",
        "http://h/\u{1b}[31m",
    ] {
        let refused = send_pack::connect::RemoteUrl::parse(at);
        let message = refused.expect_err(at).to_string();
        assert!(!message.contains('\u{1b}'), "{message:?}");
    }
}
