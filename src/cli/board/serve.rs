//! The board on a loopback address: made anew for each who looks, who is told when there is something newer.
//!
//! Everybody on the machine, and every page in a browser, can reach a port of it. So the page stands behind a name that nobody
//! guesses, and is given only to who calls the server by the address that it has, which a page from elsewhere under a name of its
//! own cannot.

use std::{
    fs,
    io::{self, Read as _, Write as _},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    os::unix::fs::MetadataExt,
    path::Path,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    thread,
    time::{Duration, Instant},
};

use ring::rand::{SecureRandom, SystemRandom};

use super::strangers::Strangers;
use crate::text::hex;

/// How much of a request is read.
const MAX_HEAD: usize = 16 << 10;

/// Browsers open some connections beforehand. A page has one that waits for news. As many may be open that have not shown the page's
/// name yet, for which one more has the oldest of them go: other users of the machine may hold connections, but no place.
pub(super) const CONNECTIONS: usize = 64;

/// How many connections are dealt with at once, those that were told to go among them. The others wait in the system's queue.
const THREADS: usize = 4 * CONNECTIONS;

/// How long a request may take to come.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long a page is left without an answer while there is nothing new.
const WAIT: Duration = Duration::from_secs(25);

/// How often is looked whether something is new, or the end was asked for.
const TICK: Duration = Duration::from_millis(200);

/// Where the board is served.
pub struct Server {
    listener: TcpListener,
    at: SocketAddr,
    name: String,
}

/// What a request is for.
#[derive(Debug, PartialEq, Eq)]
enum Asked {
    /// The page.
    Page,
    /// To be told once there is another state than this.
    News(String),
    /// Nothing that is served: the status, and its words.
    Nothing(u16, &'static str),
}

/// What is shown.
pub trait Shows: Sync {
    /// The page.
    fn page(&self) -> Result<String, String>;
    /// Changes whenever the page does.
    fn version(&self) -> String;
}

impl Server {
    /// Listens on this machine alone; on a free port where it is 0.
    pub fn open(port: u16) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
        listener.set_nonblocking(true)?;
        let mut secret = [0; 16];
        SystemRandom::new()
            .fill(&mut secret)
            .map_err(|_| io::Error::other("the system has no random numbers"))?;
        Ok(Server {
            at: listener.local_addr()?,
            listener,
            name: hex(&secret),
        })
    }

    /// Where a browser finds it.
    pub fn url(&self) -> String {
        format!("http://{}/{}/", self.at, self.name)
    }

    /// Serves until the end is asked for.
    pub fn run(&self, shows: &dyn Shows, ends: &AtomicBool) {
        let (strangers, guests, threads) = (Strangers::default(), AtomicUsize::new(0), AtomicUsize::new(0));
        thread::scope(|scope| {
            while !ends.load(Ordering::Relaxed) {
                let accepted = match threads.load(Ordering::Relaxed) < THREADS {
                    true => self.listener.accept().ok(),
                    false => None,
                };
                let Some((stream, _)) = accepted else {
                    thread::sleep(TICK / 4);
                    continue;
                };
                let Ok(number) = strangers.admit(&stream) else { continue };
                let (strangers, guests, threads) = (&strangers, &guests, &threads);
                let end = move || {
                    strangers.leave(number);
                    threads.fetch_sub(1, Ordering::Relaxed);
                };
                threads.fetch_add(1, Ordering::Relaxed);
                let serve = move || {
                    // Who hangs up is not missed.
                    let _ = self.serve(stream, &|| strangers.leave(number), guests, shows, ends);
                    end();
                };
                // Where the system has no more threads, there is no answer.
                if thread::Builder::new().spawn_scoped(scope, serve).is_err() {
                    end();
                }
            }
        });
    }

    /// Answers one request. `is_known` hears that it showed the page's name.
    fn serve(
        &self,
        mut stream: TcpStream,
        is_known: &dyn Fn(),
        guests: &AtomicUsize,
        shows: &dyn Shows,
        ends: &AtomicBool,
    ) -> io::Result<()> {
        stream.set_nonblocking(false)?;
        stream.set_read_timeout(Some(TICK))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let Some(head) = head(&mut stream, ends)? else {
            return Ok(());
        };
        let asked = asked(&head, &self.at.to_string(), &self.name);
        if matches!(asked, Asked::Nothing(..)) {
            return self.answer(&mut stream, &asked, shows, ends);
        }
        is_known();
        let is_one_too_many = guests.fetch_add(1, Ordering::Relaxed) >= CONNECTIONS;
        let asked = if is_one_too_many {
            Asked::Nothing(503, "Service Unavailable")
        } else {
            asked
        };
        let answered = self.answer(&mut stream, &asked, shows, ends);
        guests.fetch_sub(1, Ordering::Relaxed);
        answered
    }

    fn answer(&self, stream: &mut TcpStream, asked: &Asked, shows: &dyn Shows, ends: &AtomicBool) -> io::Result<()> {
        let (status, words, body) = match asked {
            Asked::Page => match shows.page() {
                Ok(page) => (200, "OK", page),
                Err(reason) => (503, "Service Unavailable", reason),
            },
            Asked::News(known) => match news(shows, known, ends) {
                true => (200, "OK", String::new()),
                false => (204, "No Content", String::new()),
            },
            Asked::Nothing(status, words) => (*status, *words, (*words).to_owned()),
        };
        let kind = if status == 200 { "html" } else { "plain" };
        write!(
            stream,
            "HTTP/1.1 {status} {words}\r\nContent-Type: text/{kind}; charset=utf-8\r\nContent-Length: {}\r\nConnection: close\r\n\
             Cache-Control: no-store\r\nContent-Security-Policy: frame-ancestors 'none'\r\nReferrer-Policy: no-referrer\r\n\
             X-Content-Type-Options: nosniff\r\nCross-Origin-Resource-Policy: same-origin\r\n\r\n",
            body.len()
        )?;
        stream.write_all(body.as_bytes())
    }
}

/// A request up to its empty line; `None` where none comes.
fn head(stream: &mut TcpStream, ends: &AtomicBool) -> io::Result<Option<Vec<u8>>> {
    let since = Instant::now();
    let mut head = Vec::new();
    let mut some = [0; 4096];
    let mut looked_at = 0;
    while !head[looked_at..].windows(4).any(|end| end == b"\r\n\r\n") {
        looked_at = head.len().saturating_sub(3);
        if head.len() > MAX_HEAD || since.elapsed() > PATIENCE || ends.load(Ordering::Relaxed) {
            return Ok(None);
        }
        match stream.read(&mut some) {
            Ok(0) => return Ok(None),
            Ok(count) => head.extend_from_slice(&some[..count]),
            Err(err) if matches!(err.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {}
            Err(err) => return Err(err),
        }
    }
    Ok(Some(head))
}

/// Waits for another state than the known one.
fn news(shows: &dyn Shows, known: &str, ends: &AtomicBool) -> bool {
    let since = Instant::now();
    while since.elapsed() < WAIT && !ends.load(Ordering::Relaxed) {
        if shows.version() != known {
            return true;
        }
        thread::sleep(TICK);
    }
    false
}

/// What a request asks of the server at `host`, whose page has this `name`.
fn asked(head: &[u8], host: &str, name: &str) -> Asked {
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut request = httparse::Request::new(&mut headers);
    let (Ok(httparse::Status::Complete(_)), Some(target)) = (request.parse(head), request.path) else {
        return Asked::Nothing(400, "Bad Request");
    };
    let mut hosts = request
        .headers
        .iter()
        .filter(|header| header.name.eq_ignore_ascii_case("host"));
    if !(hosts.next().is_some_and(|header| header.value == host.as_bytes()) && hosts.next().is_none()) {
        return Asked::Nothing(421, "Misdirected Request");
    }
    let below = target.strip_prefix('/').and_then(|path| path.split_once('/'));
    match below {
        Some((first, rest)) if first == name => match rest.split_once('?') {
            _ if request.method != Some("GET") => Asked::Nothing(405, "Method Not Allowed"),
            None if rest.is_empty() => Asked::Page,
            Some(("news", known)) => Asked::News(known.to_owned()),
            _ => Asked::Nothing(404, "Not Found"),
        },
        _ => Asked::Nothing(404, "Not Found"),
    }
}

/// What tells one state of some files from another.
pub fn version_of<'p>(files: impl IntoIterator<Item = &'p Path>) -> String {
    let of = |file: &Path| match fs::symlink_metadata(file) {
        Ok(meta) => format!("{}.{}.{}", meta.ino(), meta.mtime(), meta.mtime_nsec()),
        Err(_) => "0".to_owned(),
    };
    let all: Vec<String> = files.into_iter().map(of).collect();
    all.join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOST: &str = "127.0.0.1:8000";

    fn of(request: &str) -> Asked {
        asked(format!("{request}\r\n\r\n").as_bytes(), HOST, "secret")
    }

    #[test]
    fn only_who_knows_the_name_is_served() {
        let get = |path: &str| of(&format!("GET {path} HTTP/1.1\r\nHost: {HOST}"));
        assert_eq!(get("/secret/"), Asked::Page);
        assert_eq!(get("/secret/news?1-2"), Asked::News("1-2".into()));
        for path in [
            "/",
            "/secret",
            "/Secret/",
            "//secret/",
            "/secret/../secret/",
            "/secret/news",
            "/favicon.ico",
            "/secret/?",
        ] {
            assert_eq!(get(path), Asked::Nothing(404, "Not Found"), "{path}");
        }
    }

    #[test]
    fn nobody_reaches_it_under_another_address() {
        for hosts in [
            "",
            "\r\nHost: evil.example:8000",
            "\r\nHost: localhost:8000",
            "\r\nHost: 127.0.0.1",
            "\r\nHost: 127.0.0.1:8000\r\nHost: evil.example",
        ] {
            let asked = of(&format!("GET /secret/ HTTP/1.1{hosts}"));
            assert_eq!(asked, Asked::Nothing(421, "Misdirected Request"), "{hosts}");
        }
        assert_eq!(
            of(&format!("POST /secret/ HTTP/1.1\r\nhost: {HOST}")),
            Asked::Nothing(405, "Method Not Allowed")
        );
        for request in ["", "GET", "GET /secret/ HTTP/9\r\nHost: x", "\0\r\n"] {
            assert_eq!(of(request), Asked::Nothing(400, "Bad Request"), "{request:?}");
        }
    }
}
