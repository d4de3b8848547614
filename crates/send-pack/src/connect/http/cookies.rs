//! `http.cookieFile`: what to show a server that keeps its sessions, or its passwords, in cookies.
//!
//! Files are in Netscape's format, a cookie in seven fields on each line, as browsers export them and `.gitcookies` has
//! them. Cookies that a server sets are not kept.

use std::{
    fs, io,
    net::IpAddr,
    path::Path,
    time::{SystemTime, UNIX_EPOCH},
};

use super::super::text;
use super::super::url::{RemoteUrl, Scheme};

/// Beyond this it is no file of cookies.
const MAX_FILE: u64 = 1 << 20;

/// The `Cookie` header for a request to `url`, if there is something to say. A file that is not there says nothing.
///
/// Fails with a sentence that has no cookie in it.
pub(super) fn header(file: &Path, url: &RemoteUrl) -> Result<Option<String>, String> {
    let shown = text::line(file.as_os_str().as_encoded_bytes(), 400);
    match fs::metadata(file) {
        Err(err) if err.kind() == io::ErrorKind::NotFound => return Ok(None),
        // A FIFO would be waited for.
        Ok(found) if !found.is_file() => return Err(format!("http.cookieFile {shown} is not a regular file")),
        Ok(found) if found.len() > MAX_FILE => return Err(format!("http.cookieFile {shown} is too large")),
        _ => {}
    }
    let text = fs::read(file).map_err(|err| format!("http.cookieFile {shown} cannot be read: {err}"))?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = now.map_or(0, |since| since.as_secs());
    chosen(&String::from_utf8_lossy(&text), url, now).map_err(|reason| format!("http.cookieFile {shown}: {reason}"))
}

fn chosen(text: &str, url: &RemoteUrl, now: u64) -> Result<Option<String>, &'static str> {
    let mut pairs = Vec::new();
    for line in text.lines() {
        if line
            .get(..11)
            .is_some_and(|start| start.eq_ignore_ascii_case("set-cookie:"))
        {
            return Err("cookies written as headers are not understood, only Netscape's format is");
        }
        // Out of reach of a browser's scripts, which is no difference here.
        let line = line.strip_prefix("#HttpOnly_").unwrap_or(line);
        if line.starts_with('#') {
            continue;
        }
        let fields: Vec<&str> = line.split('\t').collect();
        let &[domain, subdomains, path, secure, expires, name, value] = fields.as_slice() else {
            continue;
        };
        let is_true = |field: &str| field.eq_ignore_ascii_case("true");
        let expired = expires.parse::<u64>().is_ok_and(|time| time != 0 && time <= now);
        let printable = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b';');
        if !expired
            && (!is_true(secure) || url.scheme() == Scheme::Https)
            && host_fits(domain, is_true(subdomains), url.host().unwrap_or_default())
            && path_fits(path, &url.path().to_string())
            && printable(name)
            && printable(value)
        {
            pairs.push(format!("{name}={value}"));
        }
    }
    Ok((!pairs.is_empty()).then(|| pairs.join("; ")))
}

fn host_fits(domain: &str, subdomains: bool, host: &str) -> bool {
    let (domain, host) = (
        domain.trim_start_matches('.').to_ascii_lowercase(),
        host.to_ascii_lowercase(),
    );
    // The last part of an address is nobody's domain.
    let subdomains = subdomains && host.parse::<IpAddr>().is_err();
    let rest = host.strip_suffix(&domain).filter(|_| !domain.is_empty());
    rest.is_some_and(|rest| rest.is_empty() || (subdomains && rest.ends_with('.')))
}

fn path_fits(path: &str, asked: &str) -> bool {
    let path = path.trim_end_matches('/');
    asked
        .strip_prefix(path)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "# Netscape HTTP Cookie File\n\
        .example.org\tTRUE\t/\tTRUE\t2147483647\to\tgit-me=1/x\n\
        h.example.org\tFALSE\t/team\tFALSE\t0\tsession\tabc\n\
        #HttpOnly_h.example.org\tFALSE\t/\tFALSE\t0\thidden\t1\n\
        h.example.org\tFALSE\t/\tFALSE\t1000\told\t1\n\
        h.example.org\tFALSE\t/\tFALSE\t0\tevil\ta; b=c\n\
        not seven fields\n";

    fn shown(url: &str) -> Option<String> {
        chosen(FILE, &RemoteUrl::parse(url).expect("valid"), 2000).expect("Netscape's format")
    }

    #[test]
    fn a_cookie_goes_to_its_host_path_and_scheme_only_and_not_for_ever() {
        assert_eq!(
            shown("https://h.example.org/team/r").as_deref(),
            Some("o=git-me=1/x; session=abc; hidden=1")
        );
        assert_eq!(
            shown("http://h.example.org/team").as_deref(),
            Some("session=abc; hidden=1")
        );
        assert_eq!(shown("http://h.example.org/teams").as_deref(), Some("hidden=1"));
        assert_eq!(shown("https://EXAMPLE.org/r").as_deref(), Some("o=git-me=1/x"));
        assert_eq!(shown("http://x.h.example.org/r"), None);
        assert_eq!(shown("https://badexample.org/r"), None);
    }

    #[test]
    fn an_address_has_no_subdomains() {
        assert!(host_fits("127.0.0.1", true, "127.0.0.1"));
        assert!(!host_fits("0.0.1", true, "127.0.0.1"));
    }

    #[test]
    fn headers_in_the_file_are_an_error_that_does_not_show_them() {
        let url = RemoteUrl::parse("https://h/r").expect("valid");
        let refused = chosen("Set-Cookie: token=s3cret; path=/", &url, 0).expect_err("not understood");
        assert!(!refused.contains("s3cret"), "{refused}");
    }
}
