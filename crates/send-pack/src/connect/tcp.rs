//! TCP connections, and the `git daemon` at the end of one.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr, TcpStream, ToSocketAddrs};
use std::os::fd::AsFd;
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use gix_transport::client::git::{ConnectMode, blocking_io::Connection};
use gix_transport::{Protocol, Service};
use rustix::event::PollFlags;
use rustix::net::{AddressFamily, SocketType, sockopt};

use super::deadline::Stop;
use super::gathered::Gathered;
use super::url::{RemoteUrl, bracketed};
use super::watch::{Watch, Wire};

/// The name has no address.
#[derive(Debug)]
pub(crate) struct NameNotFound {
    host: String,
    reason: String,
}

impl fmt::Display for NameNotFound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the name {} cannot be resolved: {}", self.host, self.reason)
    }
}

impl std::error::Error for NameNotFound {}

/// The addresses of `host`, within what `deadlines.connect` leaves after `started`.
pub(crate) fn resolve(host: &str, port: u16, started: Instant, watch: &Watch) -> io::Result<Vec<SocketAddr>> {
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    let (sender, receiver) = mpsc::channel();
    let name = host.to_owned();
    // The system's lookup cannot be given up; what it still does when nobody waits any more ends with the thread.
    std::thread::Builder::new().name("resolve".into()).spawn(move || {
        let found = (name.as_str(), port).to_socket_addrs().map(Iterator::collect::<Vec<_>>);
        sender.send(found).ok();
    })?;
    let connect = watch.deadlines.connect;
    let left = connect.saturating_sub(started.elapsed());
    let found = watch
        .receive(&receiver, Some((left, Stop::Connect(connect))))?
        .unwrap_or_else(|| Ok(Vec::new()));
    let reason = match found {
        Ok(addresses) if !addresses.is_empty() => return Ok(addresses),
        Ok(_) => "it has no address".to_owned(),
        Err(err) => err.to_string(),
    };
    Err(io::Error::new(
        io::ErrorKind::HostUnreachable,
        NameNotFound {
            host: host.to_owned(),
            reason,
        },
    ))
}

/// A non-blocking connection to the first address of `host` that answers, within `deadlines.connect` for all of them.
///
/// Fails with the error of the last address.
pub(crate) fn dial(host: &str, port: u16, watch: &Watch) -> io::Result<TcpStream> {
    let started = Instant::now();
    let addresses = resolve(host, port, started, watch)?;
    let connect = watch.deadlines.connect;
    let late = || watch.stop(Stop::Connect(connect));
    let mut failed = None;
    for (tried, address) in addresses.iter().enumerate() {
        let left = connect.saturating_sub(started.elapsed());
        if left.is_zero() {
            return Err(late());
        }
        // A fair share each, so that a dead first address leaves time for the others.
        let share = left / u32::try_from(addresses.len() - tried).unwrap_or(u32::MAX);
        match attempt(*address, share, watch) {
            Ok(Some(stream)) => return Ok(stream),
            Ok(None) => failed = None,
            Err(err) => {
                watch.check()?;
                failed = Some(err);
            }
        }
    }
    Err(failed.unwrap_or_else(late))
}

/// `None` if the address does not answer within `limit`.
fn attempt(address: SocketAddr, limit: Duration, watch: &Watch) -> io::Result<Option<TcpStream>> {
    let family = match address {
        SocketAddr::V4(_) => AddressFamily::INET,
        SocketAddr::V6(_) => AddressFamily::INET6,
    };
    let socket = rustix::net::socket(family, SocketType::STREAM, None)?;
    rustix::io::fcntl_setfd(&socket, rustix::io::FdFlags::CLOEXEC)?;
    rustix::io::ioctl_fionbio(&socket, true)?;
    match rustix::net::connect(&socket, &address) {
        Ok(()) => {}
        Err(rustix::io::Errno::INPROGRESS) => {
            if !watch.ready(socket.as_fd(), PollFlags::OUT, limit)? {
                return Ok(None);
            }
            sockopt::socket_error(&socket)??;
        }
        Err(err) => return Err(err.into()),
    }
    sockopt::set_tcp_nodelay(&socket, true)?;
    sockopt::set_socket_keepalive(&socket, true)?;
    Ok(Some(TcpStream::from(socket)))
}

/// Both directions of a connected socket under watch.
pub(crate) fn wires(stream: TcpStream, watch: &Arc<Watch>) -> io::Result<(Wire<TcpStream>, Wire<TcpStream>)> {
    Ok((
        Wire::new(stream.try_clone()?, watch.clone())?,
        Wire::new(stream, watch.clone())?,
    ))
}

/// Connect to the `git daemon` of `url`; nothing is sent before the handshake.
pub(crate) fn daemon(
    url: &RemoteUrl,
    service: Service,
    version: Protocol,
    watch: &Arc<Watch>,
) -> io::Result<Connection<Wire<TcpStream>, Gathered<Wire<TcpStream>>>> {
    let host = url.host().unwrap_or_default();
    let (read, write) = wires(dial(host, url.port_or_default().unwrap_or(9418), watch)?, watch)?;
    let write = Gathered::new(write, service);
    let virtual_host = Some((bracketed(host), url.port()));
    let path = url.path().to_owned();
    Ok(
        Connection::new(read, write, version, path, virtual_host, ConnectMode::Daemon, false)
            .custom_url(Some(url.for_gix().to_bstring())),
    )
}

#[cfg(test)]
mod tests {
    use super::super::deadline::Deadlines;
    use super::*;
    use std::net::TcpListener;
    use std::sync::atomic::AtomicBool;

    fn watch(connect: Duration) -> Watch {
        Watch::new(
            Deadlines {
                connect,
                ..Deadlines::default()
            },
            Arc::new(AtomicBool::new(false)),
        )
    }

    #[test]
    fn a_refused_connection_and_an_unknown_name_say_so() {
        let free = TcpListener::bind("127.0.0.1:0")
            .and_then(|listener| listener.local_addr())
            .expect("a free port");
        let watch = watch(Duration::from_secs(20));
        let refused = dial("127.0.0.1", free.port(), &watch).expect_err("nobody listens");
        assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
        let unknown = dial("no-such-host.invalid", 1, &watch).expect_err("reserved to be unknown");
        assert!(
            unknown.get_ref().is_some_and(|inner| inner.is::<NameNotFound>()),
            "{unknown}"
        );
        assert_eq!(watch.stopped(), None);
    }

    #[test]
    fn a_listener_that_accepts_nobody_ends_in_time() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        rustix::net::listen(&listener, 0).expect("the shortest queue");
        let port = listener.local_addr().expect("bound").port();
        let watch = watch(Duration::from_millis(60));
        let mut open = Vec::new();
        let late = (0..16).find_map(|_| match dial("127.0.0.1", port, &watch) {
            Ok(stream) => {
                open.push(stream);
                None
            }
            Err(err) => Some(err),
        });
        assert_eq!(
            late.expect("the queue is full at some time").kind(),
            io::ErrorKind::TimedOut
        );
    }
}
