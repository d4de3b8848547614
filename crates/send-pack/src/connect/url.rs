//! Where a remote is, by the table of what we talk to.
//!
//! Accepted: `https://`, `http://`, `ssh://` (also `git+ssh://`, `ssh+git://`), `user@host:path`, `git://`, `file://` and
//! plain paths. Everything else is refused when it is parsed, so that no later step has to ask: helper schemes run a
//! program named by the URL, a leading `-` becomes an option of `ssh` or of the shell on the other side, and a control
//! character smuggles a line into a protocol.

use std::ffi::OsStr;
use std::fmt;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use bstr::{BStr, BString, ByteSlice};

use super::text;

/// How we talk to a remote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scheme {
    /// A repository on this machine, served by a process that we start.
    File,
    /// A `git daemon`.
    Git,
    /// The user's `ssh`.
    Ssh,
    /// Plain HTTP.
    Http,
    /// HTTP over TLS.
    Https,
}

impl Scheme {
    /// The scheme as it stands in a URL.
    pub fn as_str(self) -> &'static str {
        match self {
            Scheme::File => "file",
            Scheme::Git => "git",
            Scheme::Ssh => "ssh",
            Scheme::Http => "http",
            Scheme::Https => "https",
        }
    }

    fn of(scheme: &gix_url::Scheme) -> Option<Scheme> {
        match scheme {
            gix_url::Scheme::File => Some(Scheme::File),
            gix_url::Scheme::Git => Some(Scheme::Git),
            gix_url::Scheme::Ssh => Some(Scheme::Ssh),
            gix_url::Scheme::Http => Some(Scheme::Http),
            gix_url::Scheme::Https => Some(Scheme::Https),
            _ => None,
        }
    }

    /// Whether the features of this crate that it needs are on.
    pub(crate) fn is_built_in(self) -> bool {
        match self {
            Scheme::Http | Scheme::Https => cfg!(feature = "http"),
            Scheme::Ssh => cfg!(feature = "ssh"),
            Scheme::Git | Scheme::File => true,
        }
    }
}

/// Why a location is not one that we talk to. The URL in each message is shown without userinfo.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UrlError {
    /// There is nothing there.
    #[error("the URL is empty")]
    Empty,
    /// The location would be given to a program named by it.
    #[error("{url}: '{scheme}' is not a transport to be used here; use https, http, ssh, git, file or a path")]
    Scheme {
        /// The location without userinfo.
        url: String,
        /// The scheme or the name of the helper.
        scheme: String,
    },
    /// A control or bidi character, also when percent-encoded.
    #[error("{url}: the URL contains a control character")]
    ControlCharacter {
        /// The location without userinfo and without these characters.
        url: String,
    },
    /// A part that a program would take for an option.
    #[error("{url}: the {part} must not begin with '-'")]
    LeadingDash {
        /// The location without userinfo.
        url: String,
        /// `user`, `host` or `path`.
        part: &'static str,
    },
    /// A host that is missing or has characters which no host name has.
    #[error("{url}: the host is missing or not a host name (an internationalized name is written in its xn-- form)")]
    Host {
        /// The location without userinfo.
        url: String,
    },
    /// Something else is wrong with it.
    #[error("{url}: {reason}")]
    Malformed {
        /// The location without userinfo.
        url: String,
        /// What is wrong.
        reason: &'static str,
    },
}

/// A location that passed the table above.
///
/// `Display` and `Debug` never show a password, nor the user of anything but ssh, so it can go into any message.
#[derive(Clone, PartialEq, Eq)]
pub struct RemoteUrl {
    scheme: Scheme,
    url: gix_url::Url,
    path: BString,
}

impl RemoteUrl {
    /// Parse a location as a user writes it. Local paths may be any bytes, everything else is UTF-8.
    ///
    /// A scp-like location follows git's rule: with a colon before the first slash it is a host, else a path.
    pub fn parse(input: impl AsRef<[u8]>) -> Result<RemoteUrl, UrlError> {
        let input: &BStr = input.as_ref().as_bstr();
        if input.is_empty() {
            return Err(UrlError::Empty);
        }
        let shown = || shown(input);
        let is_url = input.contains_str("://");
        if has_control(input) || (is_url && has_control(&percent_decoded(input))) {
            return Err(UrlError::ControlCharacter { url: shown() });
        }
        let rewritten = scp_like_v6(input);
        let url = rewritten.as_ref().map_or(input, |url| url.as_bstr());
        let url = gix_url::parse(url).map_err(|_| UrlError::Malformed {
            url: shown(),
            reason: "this is not a URL, host:path or path",
        })?;
        let scheme = Scheme::of(&url.scheme).ok_or_else(|| UrlError::Scheme {
            url: shown(),
            scheme: text::line(url.scheme.as_str().as_bytes(), 40),
        })?;
        let path = match scheme {
            // git decodes file URLs; gix keeps them as they are.
            Scheme::File if is_url => percent_decoded(&url.path),
            _ => url.path.clone(),
        };
        let dash = |part| UrlError::LeadingDash { url: shown(), part };
        match (scheme, url.host()) {
            (Scheme::File, None) => {}
            (Scheme::File, Some(host)) if host.eq_ignore_ascii_case("localhost") => {}
            (Scheme::File, Some(_)) => {
                let reason = "a file URL has no host: write file:///path";
                return Err(UrlError::Malformed { url: shown(), reason });
            }
            (_, Some(host)) if host.starts_with('-') => return Err(dash("host")),
            (_, Some(host)) if is_host(host) => {}
            _ => return Err(UrlError::Host { url: shown() }),
        }
        if url.user().is_some_and(|user| user.starts_with('-')) {
            return Err(dash("user"));
        }
        let in_a_shell = |c: char| c.is_whitespace() || "'`\";&<>|(){}".contains(c);
        if scheme == Scheme::Ssh
            && url
                .user()
                .is_some_and(|user| user.contains(in_a_shell) || user.ends_with('\\'))
        {
            // `%r` puts it into the command lines of ssh's configuration; newer ssh programs refuse these as well.
            let reason = "the user has a character in it that a shell acts on";
            return Err(UrlError::Malformed { url: shown(), reason });
        }
        if path.starts_with(b"-") {
            return Err(dash("path"));
        }
        if matches!(scheme, Scheme::Http | Scheme::Https) && url.original_path().find_byteset(b"?#").is_some() {
            let reason = "a query or fragment has no place in the URL of a repository";
            return Err(UrlError::Malformed { url: shown(), reason });
        }
        if url.port == Some(0) {
            return Err(UrlError::Malformed {
                url: shown(),
                reason: "port 0 is no port",
            });
        }
        let parsed = RemoteUrl { scheme, url, path };
        if !is_url && scheme == Scheme::Ssh && parsed.user().is_none() && may_be_userinfo(&parsed.path) {
            let reason =
                "a user, or a password, in front of a host is not told apart from a path; write ssh://user@host/path";
            return Err(UrlError::Malformed { url: shown(), reason });
        }
        if !is_url && rewritten.is_none() && scheme == Scheme::Ssh && !parsed.is_what_it_reads() {
            // `[h]::x` is a path on a host, but `h::x` is a program to be run.
            let reason = "this host and path cannot be told apart in host:path; write ssh://host/path";
            return Err(UrlError::Malformed { url: shown(), reason });
        }
        Ok(parsed)
    }

    /// Whether its text, which may be stored or shown to git, is the same location again.
    fn is_what_it_reads(&self) -> bool {
        gix_url::parse(self.to_bstring().as_bstr()).is_ok_and(|again| {
            let same = |url: &gix_url::Url| (url.scheme.clone(), url.host().map(str::to_owned), url.port);
            same(&again) == same(&self.url) && again.path == self.url.path
        })
    }

    /// How we talk to it.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The host, without brackets around an IPv6 address; `None` for a local path.
    pub fn host(&self) -> Option<&str> {
        match self.scheme {
            Scheme::File => None,
            _ => self
                .url
                .host()
                .map(|host| host.trim_start_matches('[').trim_end_matches(']')),
        }
    }

    /// The port if one is written.
    pub fn port(&self) -> Option<u16> {
        self.url.port
    }

    /// The port to connect to; `None` for a local path.
    pub fn port_or_default(&self) -> Option<u16> {
        self.url.port_or_default()
    }

    /// The path as the server gets it, percent-decoded.
    pub fn path(&self) -> &BStr {
        self.path.as_ref()
    }

    pub(crate) fn user(&self) -> Option<&str> {
        self.url.user()
    }

    /// Whether the URL has a password in it.
    pub fn has_password(&self) -> bool {
        self.password().is_some()
    }

    pub(crate) fn password(&self) -> Option<&str> {
        self.url.password()
    }

    /// The same location without anything that could be a secret, still fit to be used or stored.
    ///
    /// ssh keeps its user, which is part of the address; http loses it, because tokens are put there.
    pub fn without_secrets(&self) -> RemoteUrl {
        let mut url = self.url.clone();
        url.set_password(None);
        if self.scheme != Scheme::Ssh {
            url.set_user(None);
        }
        RemoteUrl { url, ..self.clone() }
    }

    /// What gix gets to see: no userinfo, so that none can turn up in one of its messages.
    pub(crate) fn for_gix(&self) -> gix_url::Url {
        let mut url = self.url.clone();
        url.set_user(None);
        url.set_password(None);
        url
    }

    /// Scheme, host and port as a browser would call it; equal origins may see the same credentials.
    pub(crate) fn origin(&self) -> (Scheme, String, Option<u16>) {
        let host = self.host().unwrap_or_default().to_ascii_lowercase();
        (self.scheme, host, self.port_or_default())
    }

    /// Where a local path leads, if it counts from `base` where it is relative. `None`: the location is not local, or begins
    /// with another user's home, which only git's own programs find.
    pub fn local_path(&self, base: &Path) -> Option<PathBuf> {
        if self.scheme != Scheme::File {
            return None;
        }
        let path = Path::new(OsStr::from_bytes(&self.path));
        match path.strip_prefix("~") {
            Ok(rest) => Some(std::env::home_dir()?.join(rest)),
            Err(_) if self.path.starts_with(b"~") => None,
            Err(_) => Some(base.join(path)),
        }
    }

    /// The full text of the location, with the ssh user but without password and http userinfo.
    pub fn to_bstring(&self) -> BString {
        self.without_secrets().url.to_bstring()
    }

    /// The location without any user, as far as it can be shown: a name that two users of one server share.
    pub fn without_user(&self) -> String {
        text::line(&self.for_gix().to_bstring(), SHOWN)
    }
}

/// How much of a location is shown.
const SHOWN: usize = 1024;

impl fmt::Display for RemoteUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&text::line(&self.to_bstring(), SHOWN))
    }
}

impl fmt::Debug for RemoteUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RemoteUrl({self})")
    }
}

impl std::str::FromStr for RemoteUrl {
    type Err = UrlError;

    fn from_str(input: &str) -> Result<Self, Self::Err> {
        RemoteUrl::parse(input)
    }
}

/// A host as it stands in a URL: an IPv6 address in brackets.
pub(crate) fn bracketed(host: &str) -> String {
    match host.contains(':') {
        true => format!("[{host}]"),
        false => host.to_owned(),
    }
}

/// Whether the path of `host:path` reads like the rest of `user:password@host:path`, or of `https:user@host/path`. It would be
/// shown.
fn may_be_userinfo(path: &[u8]) -> bool {
    let Some((before, after)) = path.split_once_str("@") else {
        return false;
    };
    after.contains(&b':') || (after.contains(&b'/') && !before.contains(&b'/'))
}

fn is_host(host: &str) -> bool {
    let bare = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host);
    match bare.contains(':') {
        true => bare.parse::<std::net::Ipv6Addr>().is_ok(),
        false => {
            !bare.is_empty()
                && bare.len() <= 253
                && bare
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))
        }
    }
}

/// `user@[address]:path` as the URL that says the same, for gix does not know the short form.
fn scp_like_v6(input: &BStr) -> Option<BString> {
    let (host, path) = input.split_once_str("]:")?;
    let at = host.find_byte(b'[').filter(|at| *at == 0 || host[at - 1] == b'@')?;
    let address = host[at + 1..].to_str().ok()?;
    address.parse::<std::net::Ipv6Addr>().ok()?;
    let user = &host[..at];
    if user.find_byteset(b"/:").is_some() || path.is_empty() {
        return None;
    }
    let home: &[u8] = match path[0] {
        b'/' => b"",
        b'~' => b"/",
        _ => b"/~/",
    };
    let path = path.replace("%", "%25");
    Some(
        [b"ssh://", user, b"[", address.as_bytes(), b"]", home, &path]
            .concat()
            .into(),
    )
}

fn has_control(bytes: &[u8]) -> bool {
    bytes.chars().any(text::is_hidden) || bytes.iter().any(|b| b.is_ascii_control())
}

pub(crate) fn percent_decoded(bytes: &[u8]) -> BString {
    let hex = |b: Option<&u8>| b.and_then(|b| (*b as char).to_digit(16));
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        match (bytes[at], hex(bytes.get(at + 1)), hex(bytes.get(at + 2))) {
            (b'%', Some(high), Some(low)) => {
                out.push((high * 16 + low) as u8);
                at += 3;
            }
            (byte, ..) => {
                out.push(byte);
                at += 1;
            }
        }
    }
    out.into()
}

/// A location that did not parse, with everything gone that might be userinfo: a password may contain a slash.
fn shown(input: &[u8]) -> String {
    let (scheme, rest) = match input.find("://") {
        Some(at) => input.split_at(at + 3),
        None => (&input[..0], input),
    };
    // A token may be in a query as well.
    let rest = match scheme.to_ascii_lowercase().as_slice() {
        b"http://" | b"https://" => &rest[..rest.find_byteset(b"?#").unwrap_or(rest.len())],
        _ => rest,
    };
    let start = rest.rfind_byte(b'@').map_or(0, |at| at + 1);
    text::line(&[scheme, &rest[start..]].concat(), 200)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(input: &str) -> RemoteUrl {
        RemoteUrl::parse(input).unwrap_or_else(|err| panic!("{input}: {err}"))
    }

    #[test]
    fn every_transport_of_the_table_is_known_by_its_parts() {
        for (input, scheme, host, port, path) in [
            ("https://h.org/a/b.git", Scheme::Https, Some("h.org"), None, "/a/b.git"),
            (
                "http://127.0.0.1:8080/r",
                Scheme::Http,
                Some("127.0.0.1"),
                Some(8080),
                "/r",
            ),
            ("http://[::1]:80/r", Scheme::Http, Some("::1"), Some(80), "/r"),
            (
                "https://gitlab.com/g/-/x",
                Scheme::Https,
                Some("gitlab.com"),
                None,
                "/g/-/x",
            ),
            ("ssh://git@h:22/~/r", Scheme::Ssh, Some("h"), Some(22), "~/r"),
            ("git+ssh://h/a%20b", Scheme::Ssh, Some("h"), None, "/a b"),
            ("git@h:org/r.git", Scheme::Ssh, Some("h"), None, "org/r.git"),
            (
                "git@[::1]:org/a%20r.git",
                Scheme::Ssh,
                Some("::1"),
                None,
                "~/org/a%20r.git",
            ),
            ("[fe80::1]:/srv/r", Scheme::Ssh, Some("fe80::1"), None, "/srv/r"),
            ("[::1]:~ann/r", Scheme::Ssh, Some("::1"), None, "~ann/r"),
            ("git@[h]::x", Scheme::Ssh, Some("h"), None, ":x"),
            ("h:a:b", Scheme::Ssh, Some("h"), None, "a:b"),
            ("h:a@b.git", Scheme::Ssh, Some("h"), None, "a@b.git"),
            ("h:a/b@c/d", Scheme::Ssh, Some("h"), None, "a/b@c/d"),
            ("git://[::1]/r", Scheme::Git, Some("::1"), None, "/r"),
            ("file:///a%20b", Scheme::File, None, None, "/a b"),
            ("file://localhost/a", Scheme::File, None, None, "/a"),
            ("/a%20b", Scheme::File, None, None, "/a%20b"),
            ("../c:d", Scheme::File, None, None, "../c:d"),
        ] {
            let url = url(input);
            assert_eq!(
                (url.scheme(), url.host(), url.port(), url.path()),
                (scheme, host, port, path.into()),
                "{input}"
            );
        }
        assert_eq!(
            RemoteUrl::parse(b"/\xff").unwrap().path(),
            b"/\xff".as_bstr(),
            "paths are bytes"
        );
    }

    #[test]
    fn what_runs_a_program_or_passes_for_an_option_is_refused() {
        for input in [
            "",
            "ext::sh -c touch% /tmp/x",
            "ext://sh",
            "fd::17",
            "https::https://h/r",
            "ftp://h/r",
            "::x",
            "[h]::x",
            "-x@[::1]:r",
            "x@[::1]:",
            "ssh://-oProxyCommand=x/r",
            "ssh://-oProxyCommand=x@h/r",
            "-oProxyCommand=x:r",
            "-x@h:r",
            "$(touch x)@h:r",
            "a`x`@h:r",
            "ssh://a;x@h/r",
            "ssh://a%20-x@h/r",
            "ssh://a%5c@h/r",
            "h:-r",
            "-r",
            "ssh://h%0a/r",
            "https://h/r%0d%0aX: y",
            "https://h/r%00",
            "https://h/\u{202e}r",
            "git://h/r\nhost=x",
            "https:///r",
            "https://@/r",
            "ssh:///r",
            "https://h ost/r",
            "https://h\u{e4}/r",
            "file://host/r",
            "https://h/r?a=b",
            "https://h:0/r",
            "https://h:99999/r",
        ] {
            assert!(RemoteUrl::parse(input).is_err(), "{input:?} must be refused");
        }
    }

    #[test]
    fn no_message_shows_a_secret() {
        for input in [
            "https://user:s3cret@h/r",
            "https://s3cret@h/r",
            "ssh://git:s3cret@h/r",
            "ftp://u:s3cret@h/r",
            "https://u:s3cret@h/r?x",
            "https://u:s3cret@h ost/r",
            "https://u:s3cret@/r",
            "https://u:s3cret@h/r\n",
            "https://u:s3cret/s3cret@h/r",
            "u:s3cret@h:r",
            "u:s3/cret@h:r",
            "u:s3cret@h/r",
            "https:u:s3cret@h/r",
        ] {
            let shown = match RemoteUrl::parse(input) {
                Ok(url) => format!("{url} {url:?} {}", url.to_bstring()),
                Err(err) => format!("{err} {err:?}"),
            };
            assert!(!shown.contains("s3cret"), "{input}: {shown}");
        }
        assert_eq!(url("git@h:org/r").to_string(), "git@h:org/r");
        assert_eq!(url("ssh://git:s3cret@h/r").to_string(), "ssh://git@h/r");
        assert_eq!(url("git@h:org/r").without_user(), "h:org/r");
        assert_eq!(url("https://u:p@h/r").to_string(), "https://h/r");
        assert_eq!(url("git@h:org/r").without_secrets().to_bstring(), "git@h:org/r");
        assert_eq!(
            url("https://u:p@h/a%20b").without_secrets().to_bstring(),
            "https://h/a%20b"
        );
    }
}
