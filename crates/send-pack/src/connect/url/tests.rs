//! Which locations are taken, and how they are shown.

use bstr::ByteSlice;

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
