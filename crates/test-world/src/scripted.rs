//! Servers that do what no real one does: a thread per connection that reads and writes what the test says.

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

/// A listener on loopback; connections are numbered from 0. Its threads end with the test's process.
pub struct Scripted {
    pub port: u16,
    connections: Arc<AtomicU64>,
}

impl Scripted {
    pub fn start(play: impl Fn(u64, TcpStream) + Send + Sync + 'static) -> Scripted {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
        let port = listener.local_addr().expect("it is bound").port();
        let connections = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&connections);
        let play = Arc::new(play);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let number = count.fetch_add(1, Ordering::SeqCst);
                let play = Arc::clone(&play);
                thread::spawn(move || play(number, stream));
            }
        });
        Scripted { port, connections }
    }

    pub fn connections(&self) -> u64 {
        self.connections.load(Ordering::SeqCst)
    }

    pub fn url(&self, scheme: &str) -> String {
        format!("{scheme}://127.0.0.1:{}/central.git", self.port)
    }
}

pub fn pkt(line: impl AsRef<[u8]>) -> Vec<u8> {
    let line = line.as_ref();
    [format!("{:04x}", line.len() + 4).as_bytes(), line].concat()
}

pub const FLUSH: &[u8] = b"0000";

/// What a server offers by default.
pub const OFFERS: &str = "report-status delete-refs side-band-64k quiet ofs-delta object-format=sha1 agent=scripted/1";

/// The refs as receive-pack lists them: `main` at `tip`, or nothing.
pub fn advertisement(tip: Option<gix_hash::ObjectId>, offers: &str) -> Vec<u8> {
    let line = match tip {
        Some(tip) => format!("{tip} refs/heads/main\0{offers}\n"),
        None => format!("{} capabilities^{{}}\0{offers}\n", "0".repeat(40)),
    };
    [pkt(line), FLUSH.to_vec()].concat()
}

/// An answer whose report has these lines, on band 1.
pub fn report(lines: &[&str]) -> Vec<u8> {
    let nested: Vec<u8> = lines
        .iter()
        .flat_map(|line| pkt(format!("{line}\n")))
        .chain(FLUSH.iter().copied())
        .collect();
    [band(1, &nested), FLUSH.to_vec()].concat()
}

pub fn band(number: u8, bytes: &[u8]) -> Vec<u8> {
    pkt([&[number], bytes].concat())
}

/// The first line of a `git://` client.
pub fn greeting(stream: &mut TcpStream) {
    read_pkt(stream);
}

fn read_pkt(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut length = [0; 4];
    stream.read_exact(&mut length).ok()?;
    let length = usize::from_str_radix(std::str::from_utf8(&length).ok()?, 16).ok()?;
    let mut line = vec![0; length.saturating_sub(4)];
    stream.read_exact(&mut line).ok()?;
    Some(line)
}

/// A client's command and whatever of its pack comes within a moment. `None` if it only listed the refs.
pub fn command(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let line = read_pkt(stream).filter(|line| !line.is_empty())?;
    let _ = stream.set_read_timeout(Some(Duration::from_millis(100)));
    let mut buffer = [0; 65_536];
    while let Ok(1..) = stream.read(&mut buffer) {}
    Some(line)
}

/// A whole push of `git://`: lists `tip`, takes the pack, says `answer`. Later connections are shown `later`.
pub fn one_push(
    tip: Option<gix_hash::ObjectId>,
    offers: &'static str,
    answer: Vec<u8>,
    later: Option<gix_hash::ObjectId>,
) -> Scripted {
    Scripted::start(move |number, mut stream| {
        greeting(&mut stream);
        let shown = if number == 0 { tip } else { later };
        let _ = stream.write_all(&advertisement(shown, offers));
        if command(&mut stream).is_some() {
            let _ = stream.write_all(&answer);
        }
        let _ = stream.shutdown(Shutdown::Both);
    })
}
