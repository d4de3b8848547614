//! The sockets under ureq: ours, so that every wait on them is watched.

use std::fmt;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::event::PollFlags;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, Either, LazyBuffers, NextTimeout, Transport,
};

use super::super::tcp;
use super::super::watch::{Watch, Wire};
use super::proxy::{Proxy, ProxyKind};
use super::socks;

/// How a TCP connection for a request is made.
#[derive(Clone)]
pub(super) enum Route {
    /// To the host of the URL that ureq names, which is the proxy itself for a tunnel by CONNECT.
    Direct,
    /// To an http proxy that is given whole URLs.
    Forward(Proxy),
    /// Through a SOCKS proxy.
    Socks(Proxy),
}

/// Makes the connections of one agent.
pub(super) struct Dialer {
    pub(super) watch: Arc<Watch>,
    pub(super) route: Route,
}

impl fmt::Debug for Dialer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Dialer")
    }
}

impl<In: Transport> Connector<In> for Dialer {
    type Out = Either<In, Socket>;

    fn connect(&self, details: &ConnectionDetails, chained: Option<In>) -> Result<Option<Self::Out>, ureq::Error> {
        if let Some(tunnel) = chained {
            return Ok(Some(Either::A(tunnel)));
        }
        let uri = details.uri;
        let host = uri
            .host()
            .unwrap_or_default()
            .trim_start_matches('[')
            .trim_end_matches(']');
        let port = uri
            .port_u16()
            .unwrap_or(if uri.scheme_str() == Some("https") { 443 } else { 80 });
        let (stream, prefix) = match &self.route {
            Route::Direct => (tcp::dial(host, port, &self.watch)?, None),
            Route::Forward(proxy) => {
                let authority = uri.authority().map(|authority| authority.as_str()).unwrap_or_default();
                (
                    tcp::dial(&proxy.host, proxy.port, &self.watch)?,
                    Some(format!("http://{authority}")),
                )
            }
            Route::Socks(proxy) => (self.through_socks(proxy, host, port)?, None),
        };
        let buffers = LazyBuffers::new(details.config.input_buffer_size(), details.config.output_buffer_size());
        let wire = Wire::new(stream, self.watch.clone())?;
        Ok(Some(Either::B(Socket {
            buffers,
            wire,
            watch: self.watch.clone(),
            prefix,
            deaf: false,
        })))
    }
}

impl Dialer {
    fn through_socks(&self, proxy: &Proxy, host: &str, port: u16) -> io::Result<TcpStream> {
        let resolved = match proxy.kind {
            ProxyKind::Socks4 { remote_dns: false } | ProxyKind::Socks5 { remote_dns: false } => {
                let addresses = tcp::resolve(host, port, Instant::now(), &self.watch)?;
                let only_v4 = matches!(proxy.kind, ProxyKind::Socks4 { .. });
                addresses.into_iter().find(|address| address.is_ipv4() || !only_v4)
            }
            _ => None,
        };
        let target = match (resolved, host.parse()) {
            (Some(address), _) => socks::Target::Address(address.ip()),
            (None, Ok(address)) => socks::Target::Address(address),
            (None, Err(_)) => socks::Target::Name(host),
        };
        let mut wire = Wire::new(tcp::dial(&proxy.host, proxy.port, &self.watch)?, self.watch.clone())?;
        socks::negotiate(&mut wire, proxy, &target, port)?;
        Ok(wire.inner)
    }
}

/// One connection.
pub(super) struct Socket {
    buffers: LazyBuffers,
    wire: Wire<TcpStream>,
    watch: Arc<Watch>,
    /// Goes in front of the path of the first request, which is the only one when it is set: what a forwarding proxy
    /// wants and ureq does not do.
    prefix: Option<String>,
    /// The other side reads no more, but it has answered.
    deaf: bool,
}

impl fmt::Debug for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Socket")
    }
}

impl Socket {
    fn send(&mut self, amount: usize) -> io::Result<()> {
        let output = &self.buffers.output()[..amount];
        let path = match &self.prefix {
            Some(_) => output.iter().position(|b| *b == b' ').map(|at| at + 1),
            None => None,
        };
        match (path, self.prefix.take()) {
            (Some(at), Some(prefix)) => {
                let (method, rest) = output.split_at(at);
                self.wire.write_all(&[method, prefix.as_bytes(), rest].concat())
            }
            _ => self.wire.write_all(output),
        }
    }
}

impl Transport for Socket {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, _: NextTimeout) -> Result<(), ureq::Error> {
        if self.deaf {
            return Ok(());
        }
        match self.send(amount) {
            Ok(()) => Ok(()),
            // A server that has said no need not read the rest of the question; its answer says more than the error.
            Err(err) if matches!(err.kind(), io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset) => {
                self.deaf = self
                    .watch
                    .ready(self.wire.inner.as_fd(), PollFlags::IN, Duration::from_millis(10))?;
                if self.deaf { Ok(()) } else { Err(err.into()) }
            }
            Err(err) => Err(err.into()),
        }
    }

    fn await_input(&mut self, _: NextTimeout) -> Result<bool, ureq::Error> {
        let amount = self.wire.read(self.buffers.input_append_buf())?;
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    /// Whether another request can be sent: the other side has neither closed the connection nor said anything.
    fn is_open(&mut self) -> bool {
        let read = (&self.wire.inner).read(&mut [0]);
        !self.deaf && read.is_err_and(|err| err.kind() == io::ErrorKind::WouldBlock)
    }
}

/// Looks up nothing: [`Dialer`] does, watched.
#[derive(Debug)]
pub(super) struct NoResolver;

impl Resolver for NoResolver {
    fn resolve(
        &self,
        _: &ureq::http::Uri,
        _: &ureq::config::Config,
        _: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        Ok(self.empty())
    }
}
