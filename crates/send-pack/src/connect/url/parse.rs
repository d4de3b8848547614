//! Which locations we talk to, and why the others are refused.

use bstr::{BStr, BString, ByteSlice};

use super::{RemoteUrl, Scheme, percent_decoded, text};

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
