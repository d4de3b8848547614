//! A network that misbehaves on purpose: a TCP proxy on loopback.

use std::{
    io::{Read, Write},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex, Weak,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use rustix::net::sockopt::set_socket_linger;

/// The two ways through a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    ToServer,
    ToClient,
}

/// What happens to a connection.
pub enum Fate {
    /// Nothing.
    Fair,
    /// Both ends are reset once exactly this many bytes went this way.
    Cut(Way, u64),
    /// After this many bytes nothing comes through this way any more, and nobody is told.
    Silent(Way, u64),
    /// Every byte on its own, this long apart.
    Drip(Way, Duration),
    /// Each piece comes this much later.
    Delay(Way, Duration),
    /// Before the piece from the client that has these bytes in it goes on, this is done.
    Before(&'static [u8], Box<dyn FnOnce() + Send>),
}

/// Runs until it is dropped.
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    over: AtomicBool,
    open: Mutex<Vec<Weak<TcpStream>>>,
    to_server: AtomicU64,
    to_client: AtomicU64,
    connections: AtomicU64,
    exchanges: AtomicU64,
}

impl Proxy {
    /// A proxy to a port on loopback; `fate` is asked for each connection, which are numbered from 0.
    pub fn to(port: u16, mut fate: impl FnMut(u64) -> Fate + Send + 'static) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("loopback has a free port");
        let address = listener.local_addr().expect("it is bound");
        let shared = Arc::new(Shared::default());
        let state = Arc::clone(&shared);
        let accepting = thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                if state.over.load(Ordering::SeqCst) {
                    return;
                }
                let Ok(server) = TcpStream::connect(("127.0.0.1", port)) else {
                    return;
                };
                let number = state.connections.fetch_add(1, Ordering::SeqCst);
                connect(client, server, fate(number), &state);
            }
        });
        Proxy {
            address,
            shared,
            accepting: Some(accepting),
        }
    }

    /// `url`, with this proxy's port in the place of the server's.
    pub fn front(&self, url: &str, server_port: u16) -> String {
        url.replacen(&format!(":{server_port}/"), &format!(":{}/", self.address.port()), 1)
    }

    /// How many bytes went this way so far, over all connections.
    pub fn bytes(&self, way: Way) -> u64 {
        self.shared.counter(way).load(Ordering::SeqCst)
    }

    pub fn connections(&self) -> u64 {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// How many ends of connections are still open, on either side.
    pub fn open(&self) -> usize {
        let ends = self.shared.open.lock().expect("nobody panics with it");
        ends.iter().filter(|end| end.strong_count() > 0).count()
    }

    /// How often the server answered something: what waits for the length of the line.
    pub fn exchanges(&self) -> u64 {
        self.shared.exchanges.load(Ordering::SeqCst)
    }
}

impl Shared {
    fn counter(&self, way: Way) -> &AtomicU64 {
        match way {
            Way::ToServer => &self.to_server,
            Way::ToClient => &self.to_client,
        }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::SeqCst);
        for stream in self.shared.open.lock().expect("nobody panics with it").drain(..) {
            if let Some(stream) = stream.upgrade() {
                let _ = stream.shutdown(Shutdown::Both);
            }
        }
        let _ = TcpStream::connect(self.address);
        if let Some(accepting) = self.accepting.take() {
            let _ = accepting.join();
        }
    }
}

fn connect(client: TcpStream, server: TcpStream, fate: Fate, shared: &Arc<Shared>) {
    let (client, server) = (Arc::new(client), Arc::new(server));
    let cut = Arc::new(AtomicBool::new(false));
    let asked = Arc::new(AtomicBool::new(false));
    shared
        .open
        .lock()
        .expect("nobody panics with it")
        .extend([&client, &server].map(Arc::downgrade));
    let (up, down) = match fate {
        Fate::Cut(Way::ToClient, _)
        | Fate::Silent(Way::ToClient, _)
        | Fate::Drip(Way::ToClient, _)
        | Fate::Delay(Way::ToClient, _) => (Fate::Fair, fate),
        _ => (fate, Fate::Fair),
    };
    for (from, to, way, fate) in [
        (&client, &server, Way::ToServer, up),
        (&server, &client, Way::ToClient, down),
    ] {
        let (from, to, cut, shared) = (Arc::clone(from), Arc::clone(to), Arc::clone(&cut), Arc::clone(shared));
        let asked = Arc::clone(&asked);
        thread::spawn(move || {
            let heard = || match way {
                Way::ToServer => asked.store(true, Ordering::SeqCst),
                Way::ToClient if asked.swap(false, Ordering::SeqCst) => {
                    shared.exchanges.fetch_add(1, Ordering::SeqCst);
                }
                Way::ToClient => {}
            };
            forward(&from, &to, shared.counter(way), &cut, fate, heard);
        });
    }
}

/// Returns when the sender is done, or the connection is. `heard` is called for each piece before it goes on.
fn forward(
    mut from: &TcpStream,
    mut to: &TcpStream,
    count: &AtomicU64,
    cut: &AtomicBool,
    mut fate: Fate,
    heard: impl Fn(),
) {
    let mut buffer = [0; 16 * 1024];
    let mut so_far = 0;
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        heard();
        let mut piece = &buffer[..length];
        let left = |limit: u64| usize::try_from(limit - so_far).unwrap_or(usize::MAX).min(length);
        let mut last = false;
        match &mut fate {
            Fate::Fair => {}
            Fate::Cut(_, limit) => {
                last = *limit <= so_far + length as u64;
                piece = &piece[..left(*limit)];
            }
            Fate::Silent(_, limit) => piece = &piece[..left(*limit)],
            Fate::Drip(_, pause) => {
                while piece.len() > 1 {
                    if to.write_all(&piece[..1]).is_err() {
                        return;
                    }
                    count.fetch_add(1, Ordering::SeqCst);
                    piece = &piece[1..];
                    thread::sleep(*pause);
                }
            }
            Fate::Delay(_, pause) => thread::sleep(*pause),
            Fate::Before(needle, _) => {
                if piece.windows(needle.len()).any(|window| window == *needle)
                    && let Fate::Before(_, action) = std::mem::replace(&mut fate, Fate::Fair)
                {
                    action();
                }
            }
        }
        so_far += piece.len() as u64;
        if !piece.is_empty() && to.write_all(piece).is_err() {
            break;
        }
        count.fetch_add(piece.len() as u64, Ordering::SeqCst);
        if last {
            cut.store(true, Ordering::SeqCst);
            for stream in [from, to] {
                // No `FIN`: a peer must not take what it has for all there is. This only wakes the other direction's
                // read; when both have let go of a socket, its closing sends the reset.
                let _ = set_socket_linger(stream, Some(Duration::ZERO));
                let _ = stream.shutdown(Shutdown::Read);
            }
            return;
        }
    }
    if !cut.load(Ordering::SeqCst) {
        let _ = to.shutdown(Shutdown::Write);
    }
}
