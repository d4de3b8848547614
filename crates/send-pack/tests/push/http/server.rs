//! A server that answers each request as a test has it.

use std::io::{BufRead, BufReader, Read, Write};

use crate::push::scripted::{FLUSH, OFFERS, Scripted, advertisement, pkt, report};

/// A request as it came.
pub(super) struct Request {
    pub head: String,
    pub body: Vec<u8>,
}

impl Request {
    pub fn is_push(&self) -> bool {
        self.head.starts_with("POST ")
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (known, value) = line.split_once(':')?;
            known.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    fn read(stream: &mut impl BufRead) -> Option<Request> {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if stream.read_line(&mut head).ok()? == 0 {
                return None;
            }
        }
        let mut request = Request { head, body: Vec::new() };
        if let Some(length) = request.header("content-length").and_then(|length| length.parse().ok()) {
            stream.take(length).read_to_end(&mut request.body).ok()?;
        } else if request.header("transfer-encoding") == Some("chunked") {
            loop {
                let mut line = String::new();
                stream.read_line(&mut line).ok()?;
                let length = u64::from_str_radix(line.trim(), 16).expect("the length of a chunk");
                stream.by_ref().take(length).read_to_end(&mut request.body).ok()?;
                stream.read_line(&mut line).ok()?;
                if length == 0 {
                    break;
                }
            }
        }
        Some(request)
    }
}

/// A server that answers each request with what `play` says; an empty answer closes the connection.
pub(super) fn server(play: impl Fn(&Request) -> Vec<u8> + Send + Sync + 'static) -> Scripted {
    Scripted::start(move |_, mut stream| {
        let mut reader = BufReader::new(stream.try_clone().expect("open"));
        while let Some(request) = Request::read(&mut reader) {
            let answer = play(&request);
            let closes = !answer.windows(9).any(|piece| piece == b"HTTP/1.1 ")
                || answer.windows(17).any(|piece| piece == b"Connection: close");
            if stream.write_all(&answer).is_err() || closes {
                return;
            }
        }
    })
}

pub(super) fn listing() -> Vec<u8> {
    [
        pkt("# service=git-receive-pack\n"),
        FLUSH.to_vec(),
        advertisement(None, OFFERS),
    ]
    .concat()
}

fn yes() -> Vec<u8> {
    report(&["unpack ok", "ok refs/heads/main"])
}

/// What belongs to a request: the refs, or a yes.
pub(super) fn body_for(request: &Request) -> (&'static str, Vec<u8>) {
    match request.is_push() {
        true => ("application/x-git-receive-pack-result", yes()),
        false => ("application/x-git-receive-pack-advertisement", listing()),
    }
}

pub(super) fn answer(head: &str, (content_type, body): &(&str, Vec<u8>)) -> Vec<u8> {
    let head = format!(
        "{head}\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

pub(super) fn ok(request: &Request) -> Vec<u8> {
    answer("HTTP/1.1 200 OK", &body_for(request))
}

pub(super) fn status(line: &str) -> Vec<u8> {
    answer(&format!("HTTP/1.1 {line}"), &("text/html", b"<h1>no</h1>".to_vec()))
}

/// In chunks of one byte each, with all that the standard allows around them.
pub(super) fn chunked((content_type, body): (&str, Vec<u8>)) -> Vec<u8> {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\nTransfer-Encoding: chunked\r\n\r\n");
    let mut all = head.into_bytes();
    for byte in body {
        all.extend_from_slice(&[b"001;why=not\r\n".as_slice(), &[byte], b"\r\n"].concat());
    }
    all.extend_from_slice(b"0\r\nX-Trailer: too\r\n\r\n");
    all
}
