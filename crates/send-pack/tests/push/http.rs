//! http as servers, proxies and load balancers speak it: framings, statuses, lengths, cookies, settings for one of them.

mod compressed;
mod server;

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use gix_hash::Kind;
use send_pack::{
    Outcome, PushError, RefusalKind,
    connect::{ConnectError, ConnectOptions, FailureKind},
};

use super::client::{Draft, Pushed, applied, first, options_with, push_with};
use super::scripted::pkt;
use crate::support::workspace::Remote;
use server::{Request, answer, body_for, chunked, ok, server, status};

/// A pack that is larger than what is collected by default.
fn large() -> Draft {
    let mut seed = 7u64;
    let noise = std::iter::repeat_with(|| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (seed >> 56) as u8
    });
    Draft::first(Kind::Sha1, &[("large", &noise.take(3 << 20).collect::<Vec<u8>>())])
}

fn with(config: &str) -> ConnectOptions {
    let nowhere = Remote {
        url: String::new(),
        env: Vec::new(),
    };
    let mut options = options_with(&nowhere, config);
    options.deadlines.settle = Duration::from_millis(200);
    options
}

fn cause(pushed: Pushed) -> ConnectError {
    match pushed {
        Err(PushError::Connect(cause)) => cause,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_answer_may_be_framed_in_every_way_that_http_has() {
    type Framing = fn(&Request) -> Vec<u8>;
    let framings: [(&str, Framing); 6] = [
        ("a length", ok),
        ("chunks", |request| chunked(body_for(request))),
        ("until the end", |request| {
            let (content_type, body) = body_for(request);
            let head = format!("HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\nConnection: close\r\n\r\n");
            [head.as_bytes(), &body].concat()
        }),
        ("HTTP/1.0", |request| answer("HTTP/1.0 200 OK", &body_for(request))),
        ("100 Continue, unasked", |request| {
            [b"HTTP/1.1 100 Continue\r\n\r\n".to_vec(), ok(request)].concat()
        }),
        ("early hints", |request| {
            [b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n".to_vec(), ok(request)].concat()
        }),
    ];
    for (framing, play) in framings {
        for draft in [first(), large()] {
            let pushed = push_with(&server(play).url("http"), &with(""), &draft);
            assert!(matches!(pushed, Ok(Outcome::Applied)), "{framing}: {pushed:?}");
        }
    }
}

/// What fits into `http.postBuffer` goes with its length, what does not in chunks, and a server that must know the
/// length says so in an error that tells what to do.
#[test]
fn a_length_is_sent_where_it_fits_and_a_server_that_needs_one_is_understood() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let picky = |needs_length: bool| {
        let seen = Arc::clone(&seen);
        server(move |request| {
            if request.is_push() {
                let has_pack = request.body.windows(4).any(|piece| piece == b"PACK");
                assert!(has_pack && request.header("expect").is_none());
                let length = request.header("content-length").map(str::to_owned);
                let refused = needs_length && length.is_none();
                seen.lock().expect("nobody panics with it").push(length.is_some());
                if refused {
                    return status("411 Length Required");
                }
            }
            ok(request)
        })
    };
    applied(push_with(&picky(false).url("http"), &with(""), &first()));
    applied(push_with(&picky(false).url("http"), &with(""), &large()));
    let server = picky(true);
    let cause = cause(push_with(&server.url("http"), &with(""), &large()));
    assert!(
        cause.message.contains("411") && cause.message.contains("http.postBuffer"),
        "{cause:?}"
    );
    let roomy = with("[http]\npostBuffer = 8m");
    applied(push_with(&server.url("http"), &roomy, &large()));
    assert_eq!(*seen.lock().expect("nobody panics with it"), [true, false, false, true]);
}

/// A status of 4xx is the server's no, and a redirect of what was sent is none that is followed: one look at the refs, and no waiting. After one of 5xx the server behind a
/// gateway may still be at work, so the refs are looked at until there is no more time.
#[test]
fn a_request_that_is_turned_away_is_over_at_once_and_a_broken_gateway_is_not() {
    for (line, kind) in [
        ("403 Forbidden", FailureKind::Forbidden),
        ("404 Not Found", FailureKind::NoRepository),
        ("413 Content Too Large", FailureKind::Other),
        ("429 Too Many Requests", FailureKind::Unreachable),
        ("307 Temporary Redirect\r\nLocation: /elsewhere", FailureKind::Other),
    ] {
        for draft in [first(), large()] {
            let server = server(move |request| match request.is_push() {
                true => status(line),
                false => ok(request),
            });
            let mut patient = with("");
            patient.deadlines.settle = Duration::from_secs(100);
            let started = Instant::now();
            let cause = cause(push_with(&server.url("http"), &patient, &draft));
            assert_eq!(cause.kind, kind, "{line}: {cause:?}");
            assert!(started.elapsed() < Duration::from_secs(50), "{line}");
        }
    }
    let looks = Arc::new(Mutex::new(0));
    let count = Arc::clone(&looks);
    let server = server(move |request| match request.is_push() {
        true => status("504 Gateway Time-out"),
        false => {
            *count.lock().expect("nobody panics with it") += 1;
            ok(request)
        }
    });
    let pushed = push_with(&server.url("http"), &with(""), &first());
    assert!(
        matches!(&pushed, Ok(Outcome::Unknown { cause }) if cause.message.contains("504")),
        "{pushed:?}"
    );
    assert!(*looks.lock().expect("nobody panics with it") > 2);
}

/// The difference between a git that gave up behind a web server and a connection that broke.
#[test]
fn an_answer_that_is_complete_without_a_report_is_a_refusal_and_a_broken_one_is_not() {
    let nothing = |_: &Request| ("application/x-git-receive-pack-result", pkt([2, b'h', b'm']));
    let (whole, chunks) = (
        move |request: &Request| answer("HTTP/1.1 200 OK", &nothing(request)),
        move |request: &Request| chunked(nothing(request)),
    );
    let broken = move |request: &Request| {
        let mut all = chunked(nothing(request));
        all.truncate(all.len() - 20);
        let open = String::from_utf8(all).expect("text");
        open.replace("200 OK", "200 OK\r\nConnection: close").into_bytes()
    };
    fn pushed(play: impl Fn(&Request) -> Vec<u8> + Send + Sync + 'static) -> Pushed {
        let server = server(move |request| match request.is_push() {
            true => play(request),
            false => ok(request),
        });
        push_with(&server.url("http"), &with(""), &first())
    }
    for complete in [pushed(whole), pushed(chunks)] {
        match complete {
            Ok(Outcome::Refused(refusal)) => {
                assert_eq!(
                    (refusal.kind, refusal.server_text.as_str()),
                    (RefusalKind::GaveUp, "hm")
                );
            }
            other => panic!("{other:?}"),
        }
    }
    let short = move |request: &Request| {
        let mut all = answer("HTTP/1.1 200 OK\r\nConnection: close", &nothing(request));
        all.pop();
        all
    };
    // Somebody in between, who says nothing of what became of the push behind him.
    let portal = |_: &Request| status("200 OK");
    let garbage = |_: &Request| {
        answer(
            "HTTP/1.1 200 OK",
            &("application/x-git-receive-pack-result", b"zzzz".to_vec()),
        )
    };
    for unclear in [pushed(broken), pushed(short), pushed(portal), pushed(garbage)] {
        assert!(matches!(unclear, Ok(Outcome::Unknown { .. })), "{unclear:?}");
    }
}

/// A line break in what is configured makes no header of its own: nothing is sent, and the value, which may be a token, is not
/// shown.
#[test]
fn headers_cannot_be_smuggled_in() {
    for config in [
        "extraHeader = \"X-One: s3cret\\nX-Two: 2\"",
        "extraHeader = \"X-One\\nX-Two: s3cret\"",
        "extraHeader = \"X One: s3cret\"",
        "userAgent = \"one\\nX-Two: s3cret\"",
    ] {
        let server = server(ok);
        let pushed = push_with(&server.url("http"), &with(&format!("[http]\n\t{config}\n")), &first());
        let said = format!("{pushed:?}");
        assert!(!said.contains("s3cret") && !said.contains("X-Two"), "{config}: {said}");
        assert_eq!(cause(pushed).kind, FailureKind::Other, "{config}");
        assert_eq!(server.connections(), 0, "{config}");
    }
}

#[test]
fn cookies_are_shown_to_those_whom_they_are_for() {
    let dir = tempfile::tempdir().expect("temp folder is writable");
    let file = dir.path().join("cookies");
    let lines = "# Netscape HTTP Cookie File\n\
                 127.0.0.1\tFALSE\t/\tFALSE\t2147483647\to\tgit-me=1/secret\n\
                 127.0.0.1\tFALSE\t/\tTRUE\t2147483647\tsecure\tonly\n\
                 example.org\tTRUE\t/\tFALSE\t0\tother\thost\n";
    std::fs::write(&file, lines).expect("writable");
    let server = server(|request| match request.header("cookie") {
        Some("o=git-me=1/secret") => ok(request),
        other => status(&format!("403 {}", other.unwrap_or("none"))),
    });
    let settings = format!("[http]\ncookieFile = {}", file.display());
    applied(push_with(&server.url("http"), &with(&settings), &first()));
    let without = cause(push_with(&server.url("http"), &with(""), &first()));
    assert_eq!(without.kind, FailureKind::Forbidden);
    std::fs::write(&file, "Set-Cookie: o=git-me; domain=127.0.0.1\n").expect("writable");
    let refused = cause(push_with(&server.url("http"), &with(&settings), &first()));
    assert!(refused.message.contains("Netscape"), "{refused:?}");
}

#[test]
fn settings_for_one_url_count_for_that_url_alone() {
    let server = server(|request| match request.header("x-mine") {
        Some("path") => ok(request),
        other => status(&format!("403 {}", other.unwrap_or("none"))),
    });
    let port = server.port;
    let config = format!(
        "[http]\nextraHeader = X-Mine: everywhere\n\
         [http \"http://127.0.0.1:{port}/central.git\"]\nextraHeader =\nextraHeader = X-Mine: path\n\
         [http \"http://127.0.0.1:{port}/central.git/deeper\"]\nextraHeader =\nextraHeader = X-Mine: deeper\n\
         [http \"http://127.0.0.1:1/central.git\"]\nextraHeader =\nextraHeader = X-Mine: port\n\
         [http \"https://127.0.0.1:{port}/central.git\"]\nextraHeader =\nextraHeader = X-Mine: scheme\n"
    );
    applied(push_with(&server.url("http"), &with(&config), &first()));
    let other = server.url("http").replace("central", "other");
    let refused = cause(push_with(&other, &with(&config), &first()));
    assert_eq!(refused.kind, FailureKind::Forbidden);
}
