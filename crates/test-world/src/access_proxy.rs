//! Proxies that programs are told to go through, with what they were asked.

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

use base64::Engine as _;

use crate::scripted::Scripted;

/// What was asked of a proxy.
pub type Log = Arc<Mutex<Vec<String>>>;

/// Both ways, until both have ended.
pub fn relay(mut a: TcpStream, mut b: TcpStream) {
    let (mut a2, mut b2) = (a.try_clone().expect("open"), b.try_clone().expect("open"));
    let back = thread::spawn(move || {
        let _ = std::io::copy(&mut b2, &mut a2);
        let _ = a2.shutdown(Shutdown::Write);
    });
    let _ = std::io::copy(&mut a, &mut b);
    let _ = b.shutdown(Shutdown::Write);
    let _ = back.join();
}

/// Forwards and tunnels for those who know `password`.
pub fn http_proxy(password: &'static str) -> (Scripted, Log) {
    let log = Log::default();
    let seen = Arc::clone(&log);
    let proxy = Scripted::start(move |_, mut stream| {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            if stream.read(&mut byte).unwrap_or(0) == 0 {
                return;
            }
            head.push(byte[0]);
        }
        let head = String::from_utf8(head).expect("http");
        let first = head.lines().next().unwrap_or_default().to_owned();
        seen.lock().expect("nobody panics with it").push(first.clone());
        let token = base64::engine::general_purpose::STANDARD.encode(password);
        let wanted = format!("proxy-authorization: basic {token}");
        if !head.lines().any(|line| line.eq_ignore_ascii_case(&wanted)) {
            let no = "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
            let _ = stream.write_all(no.as_bytes());
            return;
        }
        let target = first.split(' ').nth(1).expect("a request");
        if first.starts_with("CONNECT") {
            let upstream = TcpStream::connect(target).expect("it is there");
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
            return relay(stream, upstream);
        }
        let rest = target.strip_prefix("http://").expect("a whole URL");
        let (authority, path) = rest.split_at(rest.find('/').expect("a path"));
        let mut upstream = TcpStream::connect(authority).expect("it is there");
        let _ = upstream.write_all(head.replacen(target, path, 1).as_bytes());
        relay(stream, upstream);
    });
    (proxy, log)
}

/// SOCKS 5, told names.
pub fn socks_proxy() -> (Scripted, Log) {
    let log = Log::default();
    let seen = Arc::clone(&log);
    let proxy = Scripted::start(move |_, stream| {
        let exactly = |length: usize| {
            let mut bytes = vec![0; length];
            (&stream).read_exact(&mut bytes).map(|()| bytes)
        };
        let Ok(_hello) = exactly(3) else { return };
        let _ = (&stream).write_all(&[5, 0]);
        let request = exactly(4).expect("a request");
        assert_eq!(request[3], 3, "a name, not an address");
        let length = exactly(1).expect("a length")[0];
        let name = String::from_utf8(exactly(length.into()).expect("a name")).expect("a name");
        let port = exactly(2).expect("a port");
        let upstream =
            TcpStream::connect((name.as_str(), u16::from_be_bytes([port[0], port[1]]))).expect("it is there");
        seen.lock().expect("nobody panics with it").push(name);
        let _ = (&stream).write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
        relay(stream, upstream);
    });
    (proxy, log)
}
