//! Where a redirect may lead: the same host, never from https to http, and only for the first request.

use super::super::errors::HttpTrouble;
use super::super::text;
use super::super::url::{RemoteUrl, Scheme};
use super::Origin;

/// The base URL that `location`, the answer to a request for `base` + `tail`, leads to.
///
/// As in git, the new URL must end like the old one did; what is in front of it is the repository's new URL.
pub(super) fn target(base: &str, tail: &str, location: &str) -> Result<RemoteUrl, HttpTrouble> {
    let refused = |reason| HttpTrouble::Redirect {
        to: shown(location),
        reason,
    };
    let old = RemoteUrl::parse(base).map_err(|_| refused("where from is unknown"))?;
    let absolute = match location {
        path if path.starts_with('/') && !path.starts_with("//") => format!("{}{path}", root(base)),
        url => url.to_owned(),
    };
    let new_base = absolute
        .strip_suffix(tail)
        .ok_or_else(|| refused("it does not lead to a git repository"))?;
    let new = RemoteUrl::parse(new_base).map_err(|_| refused("it is not a URL to be followed"))?;
    if new.user().is_some() || new.password().is_some() {
        return Err(refused("it brings credentials along"));
    }
    match (old.scheme(), new.scheme()) {
        (Scheme::Http, Scheme::Http | Scheme::Https) | (Scheme::Https, Scheme::Https) => {}
        _ => return Err(refused("it leaves https")),
    }
    if old.origin().1 != new.origin().1 {
        return Err(refused("it leads to another host"));
    }
    Ok(new)
}

/// Whether credentials for `given` may be sent to `asked`: the same origin, or the plain upgrade from http to https.
pub(super) fn same_authority(given: &Origin, asked: &Origin) -> bool {
    let upgrade = (given.0, given.2) == (Scheme::Http, Some(80)) && (asked.0, asked.2) == (Scheme::Https, Some(443));
    given.1 == asked.1 && ((given.0, given.2) == (asked.0, asked.2) || upgrade)
}

/// Scheme and authority of `base`.
fn root(base: &str) -> &str {
    let authority = base.find("://").map_or(0, |at| at + 3);
    base[authority..].find('/').map_or(base, |at| &base[..authority + at])
}

/// A location as it may be shown: a token may be in its query, or before an `@`.
pub(super) fn shown(location: &str) -> String {
    let location = location.split(['?', '#']).next().unwrap_or_default();
    match RemoteUrl::parse(location) {
        Ok(url) => url.to_string(),
        Err(_) => text::line(location.rsplit('@').next().unwrap_or_default().as_bytes(), 200),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TAIL: &str = "/info/refs?service=git-upload-pack";

    fn followed(base: &str, location: &str) -> Option<String> {
        target(base, TAIL, &location.replace("TAIL", TAIL))
            .ok()
            .map(|url| url.to_string())
    }

    #[test]
    fn a_redirect_stays_on_its_host() {
        assert_eq!(followed("http://h/a", "http://h/bTAIL").as_deref(), Some("http://h/b"));
        assert_eq!(
            followed("http://h/a", "https://H/a.gitTAIL").as_deref(),
            Some("https://h/a.git")
        );
        assert_eq!(
            followed("http://h:8080/a", "/b/cTAIL").as_deref(),
            Some("http://h:8080/b/c")
        );
        assert_eq!(
            followed("http://h:1/a", "https://h:2/aTAIL").as_deref(),
            Some("https://h:2/a")
        );
        for location in [
            "http://evil/aTAIL",
            "http://h.evil/aTAIL",
            "//evil/aTAIL",
            "http://u:p@h/aTAIL",
            "http://h/login",
            "ssh://h/aTAIL",
            "file:///aTAIL",
            "ext::sh TAIL",
            "http://h/%0aTAIL",
        ] {
            assert_eq!(followed("http://h/a", location), None, "{location}");
        }
        assert_eq!(followed("https://h/a", "http://h/aTAIL"), None);
    }

    #[test]
    fn credentials_follow_to_the_same_port_or_the_plain_upgrade_only() {
        let origin = |url: &str| RemoteUrl::parse(url).expect("valid").origin();
        assert!(same_authority(&origin("http://h/a"), &origin("https://h/b")));
        assert!(same_authority(&origin("https://h:443/a"), &origin("https://h/b")));
        assert!(!same_authority(&origin("http://h:8080/a"), &origin("https://h/b")));
        assert!(!same_authority(&origin("https://h/a"), &origin("https://h:8443/b")));
        assert!(!same_authority(&origin("https://h/a"), &origin("http://h/b")));
    }

    #[test]
    fn a_refused_redirect_does_not_show_credentials() {
        for location in [
            "http://u:s3cret@evil/a?token=s3cret",
            "http://h ost/?token=s3cret",
            "x@y?s3cret",
        ] {
            let refused = target("http://h/a", TAIL, location).expect_err("refused");
            assert!(!refused.to_string().contains("s3cret"), "{refused}");
        }
    }
}
