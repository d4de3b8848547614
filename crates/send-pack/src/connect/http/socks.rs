//! The client side of SOCKS 4, 4a (by its memo) and 5 (RFC 1928, 1929).

use std::io::{self, Read, Write};
use std::net::IpAddr;

use super::proxy::{Proxy, ProxyKind};

/// Where the proxy is to connect to.
pub(super) enum Target<'a> {
    /// Resolved here.
    Address(IpAddr),
    /// To be resolved by the proxy.
    Name(&'a str),
}

/// Ask the proxy at the other end of `wire` for a connection; afterwards `wire` leads to the target.
pub(super) fn negotiate(wire: &mut (impl Read + Write), proxy: &Proxy, target: &Target, port: u16) -> io::Result<()> {
    match proxy.kind {
        ProxyKind::Socks4 { .. } => version4(wire, proxy, target, port),
        _ => version5(wire, proxy, target, port),
    }
}

fn version4(wire: &mut (impl Read + Write), proxy: &Proxy, target: &Target, port: u16) -> io::Result<()> {
    let mut request = vec![4, 1];
    request.extend(port.to_be_bytes());
    let name = match target {
        Target::Address(IpAddr::V4(address)) => {
            request.extend(address.octets());
            None
        }
        Target::Address(IpAddr::V6(_)) => return Err(refused("SOCKS4 has no IPv6")),
        Target::Name(name) => {
            request.extend([0, 0, 0, 1]);
            Some(name)
        }
    };
    request.extend(proxy.user.as_deref().unwrap_or_default().bytes().filter(|b| *b != 0));
    request.push(0);
    if let Some(name) = name {
        request.extend(name.bytes());
        request.push(0);
    }
    wire.write_all(&request)?;
    let mut reply = [0; 8];
    wire.read_exact(&mut reply)?;
    match reply {
        [0, 90, ..] => Ok(()),
        [0, 91..=93, ..] => Err(refused("the SOCKS proxy refused the connection")),
        _ => Err(refused("this is no SOCKS4 proxy")),
    }
}

fn version5(wire: &mut (impl Read + Write), proxy: &Proxy, target: &Target, port: u16) -> io::Result<()> {
    wire.write_all(if proxy.user.is_some() {
        &[5, 2, 0, 2]
    } else {
        &[5, 1, 0]
    })?;
    let mut choice = [0; 2];
    wire.read_exact(&mut choice)?;
    match (choice, &proxy.user) {
        ([5, 0], _) => {}
        ([5, 2], Some(user)) => {
            let password = proxy.password.as_deref().unwrap_or_default();
            let mut request = vec![1];
            for text in [user.as_str(), password] {
                let length = u8::try_from(text.len()).map_err(|_| refused("the SOCKS credentials are too long"))?;
                request.push(length);
                request.extend(text.bytes());
            }
            wire.write_all(&request)?;
            let mut reply = [0; 2];
            wire.read_exact(&mut reply)?;
            if reply[1] != 0 {
                return Err(refused("the SOCKS proxy did not accept the credentials"));
            }
        }
        ([5, _], _) => return Err(refused("the SOCKS proxy demands authentication")),
        _ => return Err(refused("this is no SOCKS5 proxy")),
    }
    let mut request = vec![5, 1, 0];
    match target {
        Target::Address(IpAddr::V4(address)) => {
            request.push(1);
            request.extend(address.octets());
        }
        Target::Address(IpAddr::V6(address)) => {
            request.push(4);
            request.extend(address.octets());
        }
        Target::Name(name) => {
            request.push(3);
            request.push(u8::try_from(name.len()).map_err(|_| refused("the host name is too long"))?);
            request.extend(name.bytes());
        }
    }
    request.extend(port.to_be_bytes());
    wire.write_all(&request)?;
    let mut reply = [0; 4];
    wire.read_exact(&mut reply)?;
    let rest = match reply {
        [5, 0, _, 1] => 4,
        [5, 0, _, 4] => 16,
        [5, 0, _, 3] => {
            let mut length = [0];
            wire.read_exact(&mut length)?;
            usize::from(length[0])
        }
        [5, 1..=8, ..] => return Err(refused("the SOCKS proxy cannot connect to the host")),
        _ => return Err(refused("this is no SOCKS5 proxy")),
    };
    wire.read_exact(&mut vec![0; rest + 2])
}

fn refused(reason: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionRefused, reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Script {
        says: io::Cursor<Vec<u8>>,
        hears: Vec<u8>,
    }

    impl Read for Script {
        fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
            self.says.read(buf)
        }
    }

    impl Write for Script {
        fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
            self.hears.write(buf)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn negotiated(kind: ProxyKind, user: Option<&str>, says: &[u8]) -> io::Result<Vec<u8>> {
        let (user, password) = (user.map(str::to_owned), user.map(|_| "pw".to_owned()));
        let proxy = Proxy {
            kind,
            host: "proxy".into(),
            port: 1080,
            user,
            password,
        };
        let mut script = Script {
            says: io::Cursor::new(says.to_vec()),
            hears: Vec::new(),
        };
        negotiate(&mut script, &proxy, &Target::Name("h"), 80)?;
        assert_eq!(
            script.says.position(),
            says.len() as u64,
            "nothing of the reply is left for http"
        );
        Ok(script.hears)
    }

    #[test]
    fn version_5_with_credentials_asks_for_the_name() {
        let says = [5, 2, 1, 0, 5, 0, 0, 1, 127, 0, 0, 1, 0, 80];
        let heard = negotiated(ProxyKind::Socks5 { remote_dns: true }, Some("me"), &says).expect("connected");
        assert_eq!(heard, b"\x05\x02\x00\x02\x01\x02me\x02pw\x05\x01\x00\x03\x01h\x00\x50");
        assert!(negotiated(ProxyKind::Socks5 { remote_dns: true }, None, &[5, 0xff]).is_err());
        assert!(negotiated(ProxyKind::Socks5 { remote_dns: true }, None, b"HTTP/1.1 400").is_err());
    }

    #[test]
    fn version_4a_sends_the_name_behind_an_impossible_address() {
        let says = [0, 90, 0, 0, 0, 0, 0, 0];
        let heard = negotiated(ProxyKind::Socks4 { remote_dns: true }, None, &says).expect("connected");
        assert_eq!(heard, b"\x04\x01\x00\x50\x00\x00\x00\x01\x00h\x00");
    }
}
