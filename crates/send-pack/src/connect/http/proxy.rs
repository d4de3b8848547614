//! Which proxy, if any, an http request goes through: `http.proxy`, the environment and `no_proxy`, as git and curl
//! treat them.

use std::net::{IpAddr, Ipv6Addr};

use super::super::url::{RemoteUrl, Scheme, percent_decoded};

/// What a proxy speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum ProxyKind {
    /// CONNECT for https, whole URLs for http.
    Http,
    /// The same over TLS.
    Https,
    /// SOCKS4 (names resolved here) or SOCKS4a.
    Socks4 {
        /// The proxy resolves the name.
        remote_dns: bool,
    },
    /// SOCKS5 (names resolved here) or SOCKS5h.
    Socks5 {
        /// The proxy resolves the name.
        remote_dns: bool,
    },
}

/// A proxy with its credentials; deliberately without `Debug`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Proxy {
    pub(super) kind: ProxyKind,
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) user: Option<String>,
    /// `None` if there is none in the URL, which is not the same as an empty one.
    pub(super) password: Option<String>,
}

/// The values of the environment that decide about proxies.
#[derive(Clone, Default)]
pub(super) struct ProxyEnvironment {
    pub(super) http: Option<String>,
    pub(super) https: Option<String>,
    pub(super) all: Option<String>,
    pub(super) no_proxy: Option<String>,
}

impl ProxyEnvironment {
    /// `http_proxy` counts in lower case only, as a CGI server sets `HTTP_PROXY` from a request header.
    pub(super) fn read(env: &dyn Fn(&str) -> Option<String>) -> Self {
        let either = |lower: &str, upper: &str| env(lower).or_else(|| env(upper));
        ProxyEnvironment {
            http: env("http_proxy"),
            https: either("https_proxy", "HTTPS_PROXY"),
            all: either("all_proxy", "ALL_PROXY"),
            no_proxy: either("no_proxy", "NO_PROXY"),
        }
    }

    /// The proxy for `url`, given the value of `http.proxy` that applies to it.
    ///
    /// An empty `http.proxy` turns every proxy off, also one of the environment.
    /// Fails with a sentence if the value is no proxy.
    pub(super) fn choose(&self, url: &RemoteUrl, configured: Option<&str>) -> Result<Option<Proxy>, String> {
        let for_scheme = match url.scheme() {
            Scheme::Https => &self.https,
            _ => &self.http,
        };
        let chosen = configured.or(for_scheme.as_deref()).or(self.all.as_deref());
        let Some(chosen) = chosen.map(str::trim).filter(|chosen| !chosen.is_empty()) else {
            return Ok(None);
        };
        let host = url.host().unwrap_or_default();
        if self.no_proxy.as_deref().is_some_and(|list| is_exempt(host, list)) {
            return Ok(None);
        }
        Proxy::parse(chosen).map(Some).ok_or_else(|| {
            // Whatever it is, it may hold a password.
            "the configured proxy is not of the form [protocol://][user[:password]@]host[:port]".to_owned()
        })
    }
}

impl Proxy {
    fn parse(text: &str) -> Option<Proxy> {
        let (scheme, rest) = text.split_once("://").unwrap_or(("http", text));
        let kind = match scheme.to_ascii_lowercase().as_str() {
            "http" => ProxyKind::Http,
            "https" => ProxyKind::Https,
            "socks4" => ProxyKind::Socks4 { remote_dns: false },
            "socks4a" => ProxyKind::Socks4 { remote_dns: true },
            "socks" | "socks5" => ProxyKind::Socks5 { remote_dns: false },
            "socks5h" => ProxyKind::Socks5 { remote_dns: true },
            _ => return None,
        };
        let authority = rest.trim_end_matches('/');
        let (userinfo, host) = authority
            .rsplit_once('@')
            .map_or((None, authority), |(user, host)| (Some(user), host));
        let (host, port) = match host.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => (host, port.parse().ok()?),
            // curl's defaults.
            _ => (host, if kind == ProxyKind::Https { 443 } else { 1080 }),
        };
        let host = match host.strip_prefix('[') {
            Some(address) => address.strip_suffix(']').filter(|address| address.contains(':'))?,
            None => host,
        };
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
        if host.is_empty() || !(host.bytes().all(plain) || host.parse::<Ipv6Addr>().is_ok()) {
            return None;
        }
        let host = host.to_owned();
        let decoded = |text: &str| percent_decoded(text.as_bytes()).to_string();
        let (user, password) = match userinfo.map(|info| (info, info.split_once(':'))) {
            Some((_, Some((user, password)))) => (Some(decoded(user)), Some(decoded(password))),
            Some((user, None)) => (Some(decoded(user)), None),
            None => (None, None),
        };
        Some(Proxy {
            kind,
            host,
            port,
            user,
            password,
        })
    }
}

/// Whether `host` is on the `no_proxy` list: a name covers its subdomains, an address may be a network, `*` is all.
fn is_exempt(host: &str, list: &str) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let address = host.parse::<IpAddr>().ok();
    list.split([',', ' ', '\t'])
        .filter(|entry| !entry.is_empty())
        .any(|entry| {
            let entry = entry.to_ascii_lowercase();
            if entry == "*" {
                return true;
            }
            if let Some(address) = address {
                let entry = entry.trim_start_matches('[').trim_end_matches(']');
                let (network, bits) = entry
                    .split_once('/')
                    .map_or((entry, None), |(net, bits)| (net, Some(bits)));
                return network
                    .parse::<IpAddr>()
                    .is_ok_and(|network| in_network(address, network, bits));
            }
            let name = entry
                .trim_start_matches("*.")
                .trim_start_matches('.')
                .trim_end_matches('.');
            !name.is_empty()
                && host
                    .strip_suffix(name)
                    .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        })
}

fn in_network(address: IpAddr, network: IpAddr, bits: Option<&str>) -> bool {
    let (address, network, width) = match (address, network) {
        (IpAddr::V4(a), IpAddr::V4(n)) => (u128::from(u32::from(a)), u128::from(u32::from(n)), 32),
        (IpAddr::V6(a), IpAddr::V6(n)) => (u128::from(a), u128::from(n), 128),
        _ => return false,
    };
    let bits: u32 = match bits.map(str::parse) {
        None => width,
        Some(Ok(bits)) if bits <= width => bits,
        Some(_) => return false,
    };
    let shift = width - bits;
    address.checked_shr(shift).unwrap_or(0) == network.checked_shr(shift).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(url: &str, configured: Option<&str>, environment: &[(&str, &str)]) -> Option<String> {
        let lookup = |name: &str| {
            environment
                .iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| value.to_string())
        };
        let url = RemoteUrl::parse(url).expect("valid");
        let proxy = ProxyEnvironment::read(&lookup)
            .choose(&url, configured)
            .expect("a proxy or none");
        proxy.map(|proxy| format!("{}:{}", proxy.host, proxy.port))
    }

    #[test]
    fn the_environment_decides_by_scheme_unless_git_is_configured() {
        let env = [
            ("http_proxy", "http://plain:1"),
            ("HTTPS_PROXY", "tls:2"),
            ("no_proxy", "exempt.org"),
        ];
        assert_eq!(chosen("http://h/r", None, &env).as_deref(), Some("plain:1"));
        assert_eq!(chosen("https://h/r", None, &env).as_deref(), Some("tls:2"));
        assert_eq!(
            chosen("https://h/r", Some("socks5://own"), &env).as_deref(),
            Some("own:1080")
        );
        assert_eq!(chosen("https://h/r", Some(""), &env), None);
        assert_eq!(
            chosen("https://a.exempt.org/r", Some("own"), &env),
            None,
            "no_proxy holds for http.proxy too"
        );
        assert_eq!(chosen("http://h/r", None, &[("HTTP_PROXY", "evil:1")]), None);
        assert_eq!(
            chosen("http://h/r", None, &[("ALL_PROXY", "socks5h://a:b@[::1]:9")]).as_deref(),
            Some("::1:9")
        );
    }

    /// What a password may be in is not shown.
    #[test]
    fn what_is_no_proxy_is_refused() {
        let url = RemoteUrl::parse("https://h/r").expect("valid");
        for text in [
            "http://u:s3cret@[::1",
            "http://u:s3cret@::1]:8",
            "http://u:s3cret@[h]:8",
            "http://u:s3cret@a:b:8",
            "http://u:s3cret@h:99999",
            "http://u:s3cret@h/\r\nX: 1",
            "http://u:s3cret@",
            "ext::s3cret",
        ] {
            let refused = ProxyEnvironment::default().choose(&url, Some(text));
            assert!(refused.is_err_and(|message| !message.contains("s3cret")), "{text}");
        }
    }

    #[test]
    fn no_proxy_covers_subdomains_and_networks() {
        let list = "example.com, .dot.org 10.0.0.0/8,[fd00::]/8,::1";
        for host in [
            "example.com",
            "a.EXAMPLE.com.",
            "dot.org",
            "x.dot.org",
            "10.9.8.7",
            "::1",
        ] {
            assert!(is_exempt(host, list), "{host}");
        }
        for host in ["notexample.com", "example.org", "11.0.0.1", "::2"] {
            assert!(!is_exempt(host, list), "{host}");
        }
        assert!(is_exempt("anything", "*"));
    }

    #[test]
    fn proxy_credentials_are_decoded_and_nonsense_is_an_error_without_them() {
        let proxy = Proxy::parse("http://us%40er:p%3aw@h:3128/").expect("valid");
        assert_eq!(
            (proxy.user.as_deref(), proxy.password.as_deref()),
            (Some("us@er"), Some("p:w"))
        );
        let url = RemoteUrl::parse("http://h/r").expect("valid");
        let refused = ProxyEnvironment::default().choose(&url, Some("gopher://u:s3cret@h"));
        assert!(refused.is_err_and(|message| !message.contains("s3cret")));
    }
}
