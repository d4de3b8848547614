//! An http server that leads astray, or is none.

use std::{
    io::{Read, Write},
    thread,
    time::Duration,
};

use send_pack::{PushError, connect::FailureKind};

use super::{is_clean, patient};
use crate::push::client::{Pushed, first, options_with, push_with};
use crate::push::scripted::Scripted;
use crate::support::workspace::Remote;

/// Answers every request with `head`, as an http server.
fn http(head: String) -> Scripted {
    Scripted::start(move |_, mut stream| {
        let _ = stream.read(&mut [0; 8192]);
        let _ = stream.write_all(head.as_bytes());
        thread::sleep(Duration::from_millis(50));
    })
}

#[test]
fn a_redirect_elsewhere_is_not_followed_and_takes_no_password_along() {
    let elsewhere = Scripted::start(|_, mut stream| {
        let mut asked = [0; 8192];
        let length = stream.read(&mut asked).unwrap_or(0);
        panic!("somebody came: {}", asked[..length].escape_ascii());
    });
    let tail = "info/refs?service=git-receive-pack";
    for location in [
        format!("http://localhost:{}/r/{tail}", elsewhere.port),
        format!("http://127.0.0.2:{}/r/{tail}", elsewhere.port),
        format!("//localhost:{}/r/{tail}", elsewhere.port),
        format!("ssh://127.0.0.1:{}/r/{tail}", elsewhere.port),
        "file:///etc/passwd".to_owned(),
        "ext::sh -c 'touch /tmp/owned' /info/refs?service=git-receive-pack".to_owned(),
    ] {
        let server = http(format!(
            "HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n"
        ));
        let at = server.url("http").replace("//", "//me:s3cret@");
        let pushed = push_with(&at, &patient(), &first());
        let refused = matches!(&pushed, Err(PushError::Connect(cause)) if cause.kind == FailureKind::Refused);
        assert!(refused, "{location}: {pushed:?}");
        assert!(!format!("{pushed:?}").contains("s3cret"), "{pushed:?}");
    }
    assert_eq!(elsewhere.connections(), 0);
}

#[test]
fn a_redirect_on_the_same_host_is_followed_unless_git_is_told_not_to() {
    let target = http("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".into());
    let at = format!(
        "{}/info/refs?service=git-receive-pack",
        target.url("http").replace("central", "moved")
    );
    let server = http(format!(
        "HTTP/1.1 301 Moved\r\nLocation: {at}\r\nContent-Length: 0\r\n\r\n"
    ));
    let pushed = push_with(&server.url("http"), &patient(), &first());
    let kind = |pushed: &Pushed| match pushed {
        Err(PushError::Connect(cause)) => cause.kind,
        other => panic!("{other:?}"),
    };
    assert_eq!((kind(&pushed), target.connections()), (FailureKind::NoRepository, 1));
    let never = options_with(
        &Remote {
            url: String::new(),
            env: Vec::new(),
        },
        "[http]\nfollowRedirects = false",
    );
    let pushed = push_with(&server.url("http"), &never, &first());
    assert_eq!((kind(&pushed), target.connections()), (FailureKind::Refused, 1));
    let server = Scripted::start(|_, mut stream| {
        let _ = stream.read(&mut [0; 8192]);
        let again = "/central.git/info/refs?service=git-receive-pack";
        let _ = stream.write_all(
            format!("HTTP/1.1 302 Found\r\nLocation: {again}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                .as_bytes(),
        );
    });
    let pushed = push_with(&server.url("http"), &patient(), &first());
    assert_eq!(kind(&pushed), FailureKind::Refused, "round and round");
}

#[test]
fn http_that_is_none_or_never_ends_is_an_error() {
    let answers = [
        "\x1b[31mhello\r\n\r\n".to_owned(),
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n".to_owned(),
        "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 5\r\n\r\nhello".to_owned(),
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzzz\r\n".to_owned(),
        format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "a".repeat(1 << 20)),
        "HTTP/1.1 500 \x1b[31mno\r\nContent-Type: text/plain\r\nContent-Length: 9\r\n\r\n\x1b[2Jsorry".to_owned(),
        "HTTP/1.1 999 What\r\nContent-Length: 0\r\n\r\n".to_owned(),
    ];
    for answer in answers {
        let server = http(answer.clone());
        let pushed = push_with(&server.url("http"), &patient(), &first());
        assert!(
            matches!(&pushed, Err(PushError::Connect(_))),
            "{:.60}: {pushed:?}",
            answer.escape_debug().to_string()
        );
        is_clean(&pushed);
    }
}
