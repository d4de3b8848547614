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

use bstr::{BStr, BString};

mod parse;
#[cfg(test)]
mod tests;

use super::text;

pub use parse::UrlError;

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
