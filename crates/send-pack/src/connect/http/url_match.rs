//! Which of the `http.<url>.*` sections apply to a URL, and which of them wins, as `gitconfig(5)` has it.

use super::super::url::{RemoteUrl, percent_decoded};

/// The URL in the name of a config section: scheme, host (a label may be `*`), port, path prefix and user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct UrlPattern {
    scheme: String,
    user: Option<String>,
    host: String,
    port: Option<u16>,
    path: String,
}

/// How well a pattern fits; the greater the better. A section without a URL fits everything with `Fit::default()`.
///
/// The order is git's: length of the host pattern, then of the path prefix, then whether the user was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) struct Fit {
    host: usize,
    path: usize,
    user: bool,
}

impl UrlPattern {
    /// `None` if it is no URL, in which case the section applies to nothing.
    pub(super) fn parse(pattern: &str) -> Option<UrlPattern> {
        let (scheme, rest) = pattern.split_once("://")?;
        let scheme = scheme.to_ascii_lowercase();
        let (authority, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
        let (userinfo, host) = authority
            .rsplit_once('@')
            .map_or((None, authority), |(user, host)| (Some(user), host));
        let user = userinfo.map(|user| text_of(user.split(':').next().unwrap_or_default()));
        let (host, port) = match host.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => (host, Some(port.parse().ok()?)),
            _ => (host, None),
        };
        let port = port.or(match scheme.as_str() {
            "https" => Some(443),
            "http" => Some(80),
            _ => None,
        });
        let host = host.trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
        let path = text_of(path).trim_end_matches('/').to_owned();
        Some(UrlPattern {
            scheme,
            user,
            host,
            port,
            path,
        })
    }

    /// How well `url` fits, or `None` if it does not.
    pub(super) fn fit(&self, url: &RemoteUrl) -> Option<Fit> {
        let (scheme, host, port) = url.origin();
        if self.scheme != scheme.as_str() || self.port != port || !host_fits(&self.host, &host) {
            return None;
        }
        let user = match &self.user {
            Some(user) if url.user() != Some(user) => return None,
            user => user.is_some(),
        };
        let path = url.path().to_string();
        let rest = path.strip_prefix(&self.path)?;
        if !rest.is_empty() && !rest.starts_with('/') {
            return None;
        }
        // One more than the prefix, so that "https://host/" fits better than no URL at all even with an empty prefix.
        Some(Fit {
            host: self.host.len(),
            path: self.path.len() + 1,
            user,
        })
    }
}

fn host_fits(pattern: &str, host: &str) -> bool {
    let (mut pattern, mut host) = (pattern.split('.'), host.split('.'));
    loop {
        match (pattern.next(), host.next()) {
            (None, None) => return true,
            (Some("*"), Some(label)) if !label.is_empty() => {}
            (Some(expected), Some(label)) if expected == label => {}
            _ => return false,
        }
    }
}

fn text_of(encoded: &str) -> String {
    percent_decoded(encoded.as_bytes()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fit(pattern: &str, url: &str) -> Option<Fit> {
        UrlPattern::parse(pattern)?.fit(&RemoteUrl::parse(url).expect("valid"))
    }

    #[test]
    fn a_section_applies_by_scheme_host_port_path_and_user() {
        for pattern in [
            "https://example.com",
            "HTTPS://Example.com:443/",
            "https://example.com/a",
            "https://example.com/a/",
            "https://*.com/a/b.git",
            "https://me@example.com/a",
        ] {
            assert!(fit(pattern, "https://me@example.com/a/b.git").is_some(), "{pattern}");
        }
        for pattern in [
            "http://example.com",
            "https://example.com:8443",
            "https://example.com/a/b",
            "https://*.example.com",
            "https://*",
            "https://you@example.com",
            "example.com",
        ] {
            assert_eq!(fit(pattern, "https://me@example.com/a/b.git"), None, "{pattern}");
        }
        assert!(fit("http://[::1]:81", "http://[::1]:81/r").is_some());
    }

    #[test]
    fn the_more_precise_section_is_the_better_fit() {
        let url = "https://me@www.example.com/a/b";
        let order = [
            "https://*.*.com",
            "https://*.example.com",
            "https://www.example.com",
            "https://www.example.com/a",
            "https://me@www.example.com/a",
            "https://www.example.com/a/b",
        ];
        let fits: Vec<_> = order.iter().map(|pattern| fit(pattern, url).expect("fits")).collect();
        assert!(fits.is_sorted() && fits[0] > Fit::default(), "{fits:?}");
    }
}
