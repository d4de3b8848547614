//! Answers that are compressed.

use std::io::Write;

use flate2::{Compression, write::GzEncoder};
use send_pack::connect::FailureKind;

use super::{
    cause,
    server::{Request, answer, body_for, chunked, listing, server},
    with,
};
use crate::push::client::{applied, first, push_with};
use crate::push::scripted::{FLUSH, OFFERS, advertisement, pkt};

/// As with git, answers may be compressed, also those to a push; an encoding that nobody asked for is named.
#[test]
fn an_answer_may_be_compressed() {
    let compressed = |request: &Request, framed: fn((&str, Vec<u8>)) -> Vec<u8>| {
        assert_eq!(request.header("accept-encoding"), Some("gzip"));
        let (content_type, body) = body_for(request);
        // Two members, one after the other, are one body.
        let (start, end) = body.split_at(10);
        framed((content_type, [gzip(start), gzip(end)].concat()))
    };
    let with_length = |body: (&str, Vec<u8>)| answer("HTTP/1.1 200 OK\r\nContent-Encoding: gzip", &body);
    let in_chunks = |body: (&str, Vec<u8>)| {
        let head = b"HTTP/1.1 200 OK\r\nContent-Encoding: x-gzip";
        [head, &chunked(body)["HTTP/1.1 200 OK".len()..]].concat()
    };
    for framed in [with_length, in_chunks] {
        let server = server(move |request| compressed(request, framed));
        applied(push_with(&server.url("http"), &with(""), &first()));
    }
    let other = server(|request| answer("HTTP/1.1 200 OK\r\nContent-Encoding: br", &body_for(request)));
    let cause = cause(push_with(&other.url("http"), &with(""), &first()));
    assert_eq!(cause.kind, FailureKind::Protocol);
    assert!(cause.message.contains("encoded as br"), "{cause:?}");
}

/// What was compressed and is cut off, damaged, or larger than any list of refs is no answer.
#[test]
fn a_compressed_answer_that_is_none_is_an_error() {
    let listed = |body: Vec<u8>| {
        let server = server(move |_| {
            let content_type = "application/x-git-receive-pack-advertisement";
            answer(
                "HTTP/1.1 200 OK\r\nContent-Encoding: gzip",
                &(content_type, body.clone()),
            )
        });
        cause(push_with(&server.url("http"), &with(""), &first()))
    };
    let whole = gzip(&listing());
    for end in 0..whole.len() {
        assert_eq!(listed(whole[..end].to_vec()).server_text, "", "cut at {end}");
    }
    let mut damaged = whole.clone();
    let checksum = damaged.len() - 6;
    damaged[checksum] ^= 1;
    assert!(!listed(damaged).message.is_empty());
    let mut endless = [pkt("# service=git-receive-pack\n"), FLUSH.to_vec()].concat();
    endless.extend_from_slice(
        advertisement(Some(first().id), OFFERS)
            .strip_suffix(FLUSH)
            .expect("its end"),
    );
    let one = pkt(format!("{} refs/heads/x\n", first().id));
    endless.extend(one.repeat((80 << 20) / one.len()));
    let bomb = gzip(&endless);
    assert!(bomb.len() < 4 << 20);
    let exploded = listed(bomb);
    assert!(exploded.message.contains("more than can be taken in"), "{exploded:?}");
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    packed.write_all(bytes).expect("memory");
    packed.finish().expect("memory")
}
