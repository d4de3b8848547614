//! `board --serve`: the page on a loopback address, brought up to each sync.

use std::{
    cell::RefCell,
    fs::File,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    process::{Child, Stdio},
    thread,
};

use super::{browser::Chromium, configure_git, two};
use crate::support::{process::eventually, workspace::Workspace, world::World};

/// A server that runs until the test is done with it.
struct Served {
    child: Child,
    url: String,
}

impl Served {
    fn start(workspace: &Workspace, args: &[&str]) -> Self {
        let mut command = workspace.metis_sync(&[&["board"], args].concat());
        let errors = File::create(workspace.home.join("served.log")).unwrap();
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(errors)
            .spawn()
            .unwrap();
        let mut url = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut url)
            .unwrap();
        Served {
            child,
            url: url.trim_end().to_owned(),
        }
    }

    /// Its address, and the path of its page.
    fn parts(&self) -> (&str, &str) {
        let rest = self
            .url
            .strip_prefix("http://")
            .unwrap_or_else(|| panic!("{}", self.url));
        rest.split_at(rest.find('/').unwrap())
    }

    fn get(&self, path: &str) -> String {
        let (host, _) = self.parts();
        self.ask(&format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n"))
    }

    fn ask(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(self.parts().0).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    fn end(mut self) -> Option<i32> {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
        self.child.wait().unwrap().code()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn the_page_is_that_of_now_for_whoever_knows_its_name() {
    let world = World::new();
    let (api, web) = two(&world);
    let served = Served::start(&api, &["--serve"]);
    let (host, path) = served.parts();
    assert!(host.starts_with("127.0.0.1:") && path.len() > 30, "{}", served.url);
    let page = served.get(path);
    assert!(
        page.starts_with("HTTP/1.1 200 OK\r\n") && page.contains("WEB-T-0002"),
        "{page}"
    );
    assert!(page.contains("\r\nCache-Control: no-store\r\n") && page.contains("connect-src 'self'"));

    // What waits for news has some once a sync brought it, and not before.
    let version = page.split("data-version=\"").nth(1).unwrap().split('"').next().unwrap();
    let news = thread::scope(|scope| {
        let news = scope.spawn(|| served.get(&format!("{path}news?{version}")));
        web.write("WEB-T-0003", "New.");
        web.sync().report();
        assert!(!news.is_finished(), "central has it, this clone does not");
        api.sync().report();
        news.join().unwrap()
    });
    assert!(news.starts_with("HTTP/1.1 200"), "{news}");
    assert!(served.get(path).contains("WEB-T-0003"));

    assert!(served.get("/").starts_with("HTTP/1.1 404"));
    let elsewhere = served.ask(&format!("GET {path} HTTP/1.1\r\nHost: rebound.example\r\n\r\n"));
    assert!(
        elsewhere.starts_with("HTTP/1.1 421") && !elsewhere.contains("API-T"),
        "{elsewhere}"
    );
    assert_eq!(served.end(), Some(130));
}

#[test]
fn a_port_that_is_taken_and_one_that_is_chosen() {
    let world = World::new();
    let (api, _web) = two(&world);
    let served = Served::start(&api, &["--serve"]);
    let port = served.parts().0.split(':').nth(1).unwrap().to_owned();
    let refused = api.run(&["board", &format!("--serve={port}")]);
    assert_eq!(refused.code, Some(1));
    assert!(
        refused.stderr.contains("--serve") && refused.stderr.contains(&port),
        "{}",
        refused.stderr
    );
    let first = served.url.clone();
    assert_eq!(served.end(), Some(130));
    let again = Served::start(&api, &[&format!("--serve={port}")]);
    assert!(again.url.contains(&format!(":{port}/")), "{}", again.url);
    assert_ne!(again.url, first, "another name each time");
    let both = api.run(&["board", "out.html", "--serve"]);
    assert_eq!(both.code, Some(2), "{}", both.transcript());
}

/// `--open` gives the browser a file to read, not the page's name to be seen among the arguments of programs.
#[test]
fn its_name_is_no_programs_argument() {
    let world = World::new();
    let (api, _web) = two(&world);
    configure_git(&api, "web.browser", "mine");
    configure_git(&api, "browser.mine.cmd", "echo >\"$HOME/opened\"");
    let served = Served::start(&api, &["--serve", "--open"]);
    eventually("opened", || api.home.join("opened").exists());
    let opened = std::fs::read_to_string(api.home.join("opened")).unwrap();
    assert!(
        opened.trim_end().ends_with(".metis/.sync/board-served.html"),
        "{opened}"
    );
    let leads = std::fs::read_to_string(opened.trim_end().trim_start_matches("file://")).unwrap();
    assert!(leads.contains(&format!("url={}", served.url)), "{leads}");
}

/// An open page shows what a sync brings, with what was chosen in it.
#[test]
#[ignore = "scripts/test --servers"]
fn an_open_page_follows() {
    let world = World::new();
    let (api, web) = two(&world);
    let Some(browser) = Chromium::start(&api.home).map(RefCell::new) else {
        return;
    };
    let served = Served::start(&api, &["--serve"]);
    browser.borrow_mut().open(&format!("{}#workspace=web", served.url));
    let shown = "[...document.querySelectorAll('.card')].map(card => card.dataset.code).join()";
    assert_eq!(browser.borrow_mut().value(shown), "WEB-T-0001,WEB-T-0002");
    web.write("WEB-T-0003", "New.");
    web.sync().report();
    api.sync().report();
    eventually("the page", || {
        browser.borrow_mut().value(shown) == "WEB-T-0001,WEB-T-0002,WEB-T-0003"
    });
    assert_eq!(served.end(), Some(130));
    eventually("its end", || {
        let age = browser.borrow_mut().value("document.getElementById('age').textContent");
        age.as_str()
            .is_some_and(|age| age.ends_with("not kept up to date any more"))
    });
}

/// Somebody else on this machine who holds connections, sends a byte now and then, or asks in ways that no browser does, keeps the
/// page from nobody, and learns nothing of it.
#[test]
fn whoever_does_not_know_its_name_is_the_first_to_go() {
    let world = World::new();
    let (api, _web) = two(&world);
    let served = Served::start(&api, &["--serve"]);
    let (host, path) = served.parts();
    let connect = || TcpStream::connect(host).unwrap();
    let mut held = Vec::new();
    for n in 0..300 {
        let mut stream = connect();
        // Those that were let go meanwhile don't take it.
        let _ = match n % 3 {
            0 => Ok(()),
            1 => stream.write_all(b"G"),
            _ => stream.write_all(format!("GET /{n}/ HTTP/1.1\r\nHost: {host}\r\n").as_bytes()),
        };
        held.push(stream);
        if n % 20 == 0 {
            assert!(served.get(path).starts_with("HTTP/1.1 200 OK\r\n"), "with {n}");
        }
    }
    // Nobody was let go for having waited, but for the new ones.
    let is_open = |stream: &TcpStream| {
        stream.set_nonblocking(true).unwrap();
        matches!(stream.peek(&mut [0]), Err(err) if err.kind() == std::io::ErrorKind::WouldBlock)
    };
    eventually("all but the last 64 are gone", || {
        !is_open(&held[0]) && held.iter().filter(|stream| is_open(stream)).count() <= 64
    });

    let page = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n");
    let answer = |request: &[u8]| {
        let mut stream = connect();
        let mut answer = Vec::new();
        // What is not read to its end is cut off, and so may be the answer.
        let _ = stream.write_all(request).and_then(|()| stream.read_to_end(&mut answer));
        String::from_utf8(answer).unwrap()
    };
    let long = "x".repeat(1 << 20);
    for (request, expected) in [
        (format!("HEAD {path} HTTP/1.1\r\nHost: {host}\r\n\r\n"), "HTTP/1.1 405"),
        (
            format!("GET {path}../../etc/passwd HTTP/1.1\r\nHost: {host}\r\n\r\n"),
            "HTTP/1.1 404",
        ),
        (
            format!("GET {path}%2e%2e/ HTTP/1.1\r\nHost: {host}\r\n\r\n"),
            "HTTP/1.1 404",
        ),
        (
            format!("GET http://{host}{path} HTTP/1.1\r\nHost: {host}\r\n\r\n"),
            "HTTP/1.1 404",
        ),
        (format!("GET {path} HTTP/1.0\r\n\r\n"), "HTTP/1.1 421"),
        (
            format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n"),
            "HTTP/1.1 421",
        ),
        (format!("GET {path} HTTP/1.1\r\nHost : {host}\r\n\r\n"), "HTTP/1.1 400"),
        (format!("{}\r\n", format!("{page}A: b\r\n").repeat(2)), "HTTP/1.1 400"),
        (format!("{page}{}\r\n", "A: b\r\n".repeat(100)), "HTTP/1.1 400"),
        (format!("{page}A: {long}\r\n\r\n"), ""),
        (long.clone(), ""),
    ] {
        let said = answer(request.as_bytes());
        assert!(said.starts_with(expected), "{request:.200}: {said:.200}");
        assert!(!said.contains("API-T-0001"), "{request:.200}");
    }
    // One request is answered, and what follows it, be it a body or another one, is nothing.
    for more in [page.clone() + "\r\n", long] {
        let said = answer(format!("{page}Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n{more}").as_bytes());
        assert!(said.matches("HTTP/1.1 ").count() <= 1, "{said:.200}");
    }
    assert!(served.get(path).contains("API-T-0001"));
    assert_eq!(served.end(), Some(130));
}
