//! What git's configuration and the environment say about http.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use bstr::{BString, ByteSlice};
use gix_sec::identity::Account;

use super::super::pace::LowSpeed;
use super::super::url::RemoteUrl;
use super::netrc;
use super::proxy::{Proxy, ProxyEnvironment};
use super::url_match::{Fit, UrlPattern};

/// `http.*`, as it was read.
#[derive(Clone, Default)]
pub(in super::super) struct HttpConfig {
    http: Vec<HttpEntry>,
    env: HttpEnvironment,
}

/// One `http.*` or `http.<url>.*` value, in file order.
#[derive(Clone)]
struct HttpEntry {
    /// `None` is for every URL.
    pattern: Option<UrlPattern>,
    key: &'static str,
    /// `None` is a key without `=`, which is true.
    value: Option<BString>,
}

#[derive(Clone, Default)]
struct HttpEnvironment {
    proxy: ProxyEnvironment,
    ca_file: Option<OsString>,
    ca_dir: Option<OsString>,
    cert: Option<OsString>,
    key: Option<OsString>,
    no_verify: bool,
    system_ca_file: Option<OsString>,
    system_ca_dirs: Option<OsString>,
    user_agent: Option<String>,
    low_speed_limit: Option<String>,
    low_speed_time: Option<String>,
    home: Option<PathBuf>,
}

/// The http settings of one URL.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct HttpSettings {
    /// Certificates to trust instead of the system's.
    pub(super) ca_file: Option<PathBuf>,
    /// The same as directories of files.
    pub(super) ca_dirs: Vec<PathBuf>,
    pub(super) verify: bool,
    /// SHA-256 of the public keys one of which the server must have.
    pub(super) pinned_keys: Option<Vec<[u8; 32]>>,
    /// Certificate and key of the client; one file may hold both.
    pub(super) client_cert: Option<(PathBuf, PathBuf)>,
    pub(super) proxy: Option<Proxy>,
    pub(super) cookie_file: Option<PathBuf>,
    /// `(name, value)` in order.
    pub(super) extra_headers: Vec<(String, String)>,
    pub(super) user_agent: Option<String>,
    pub(super) follow_redirects: bool,
    pub(super) low_speed: Option<LowSpeed>,
    /// The most that is kept in memory to send it with a Content-Length, in bytes.
    pub(super) post_buffer: usize,
}

/// Headers that say where a request ends. One that was configured would contradict what is sent.
const FRAMING: [&str; 2] = ["Content-Length", "Transfer-Encoding"];

const HTTP_KEYS: &[&str] = &[
    "sslCAInfo",
    "sslCAPath",
    "sslVerify",
    "sslCert",
    "sslKey",
    "pinnedPubkey",
    "proxy",
    "cookieFile",
    "extraHeader",
    "userAgent",
    "followRedirects",
    "lowSpeedLimit",
    "lowSpeedTime",
    "postBuffer",
];

impl HttpConfig {
    pub(in super::super) fn read(config: &gix_config::File, env: &dyn Fn(&str) -> Option<OsString>) -> HttpConfig {
        let text = |name: &str| env(name).and_then(|value| value.into_string().ok());
        let mut http = Vec::new();
        for section in config.sections_by_name("http").into_iter().flatten() {
            let pattern = match section.header().subsection_name() {
                None => None,
                Some(name) => match name.to_str().ok().and_then(UrlPattern::parse) {
                    Some(pattern) => Some(pattern),
                    None => continue,
                },
            };
            let body = section.body();
            for &key in HTTP_KEYS {
                if let Some(None) = body.value_implicit(key) {
                    http.push(HttpEntry {
                        pattern: pattern.clone(),
                        key,
                        value: None,
                    });
                    continue;
                }
                let entry = |value| HttpEntry {
                    pattern: pattern.clone(),
                    key,
                    value: Some(value),
                };
                http.extend(body.values(key).into_iter().map(entry));
            }
        }
        let env = HttpEnvironment {
            proxy: ProxyEnvironment::read(&text),
            ca_file: env("GIT_SSL_CAINFO"),
            ca_dir: env("GIT_SSL_CAPATH"),
            cert: env("GIT_SSL_CERT"),
            key: env("GIT_SSL_KEY"),
            no_verify: env("GIT_SSL_NO_VERIFY").is_some(),
            system_ca_file: env("SSL_CERT_FILE"),
            system_ca_dirs: env("SSL_CERT_DIR"),
            user_agent: text("GIT_HTTP_USER_AGENT"),
            low_speed_limit: text("GIT_HTTP_LOW_SPEED_LIMIT"),
            low_speed_time: text("GIT_HTTP_LOW_SPEED_TIME"),
            home: env("HOME").map(PathBuf::from),
        };
        HttpConfig { http, env }
    }

    /// The settings for `url`. Fails with a sentence if a value that applies to it cannot be used.
    pub(super) fn of(&self, url: &RemoteUrl) -> Result<HttpSettings, String> {
        let env = &self.env;
        let path = |key| -> Option<PathBuf> {
            let value = self.last(url, key)?.filter(|value| !value.is_empty())?;
            Some(self.expanded(&value))
        };
        let from_env = |value: &Option<OsString>| value.clone().filter(|value| !value.is_empty()).map(PathBuf::from);
        let ca_file = from_env(&env.ca_file).or_else(|| path("sslCAInfo"));
        let ca_dir = from_env(&env.ca_dir).or_else(|| path("sslCAPath"));
        let (ca_file, ca_dirs) = match (ca_file, ca_dir) {
            // In the place of the system's, as OpenSSL has it.
            (None, None) => {
                let dirs = env.system_ca_dirs.iter().flat_map(std::env::split_paths);
                let dirs = dirs.filter(|dir| !dir.as_os_str().is_empty()).collect();
                (from_env(&env.system_ca_file), dirs)
            }
            (file, dir) => (file, dir.into_iter().collect()),
        };
        let cert = from_env(&env.cert).or_else(|| path("sslCert"));
        let key = from_env(&env.key).or_else(|| path("sslKey"));
        let text = |key| self.last(url, key).flatten().map(|value| value.to_string());
        let number =
            |key, from_env: &Option<String>| from_env.clone().or_else(|| text(key)).as_deref().and_then(integer);
        let low_speed = match (
            number("lowSpeedLimit", &env.low_speed_limit),
            number("lowSpeedTime", &env.low_speed_time),
        ) {
            (Some(limit), Some(time)) if limit > 0 && time > 0 => Some(LowSpeed {
                bytes_per_second: limit,
                window: Duration::from_secs(time),
            }),
            _ => None,
        };
        Ok(HttpSettings {
            ca_file,
            ca_dirs,
            verify: !env.no_verify && self.boolean(url, "sslVerify").unwrap_or(true),
            pinned_keys: text("pinnedPubkey").as_deref().map(pinned_keys).transpose()?.flatten(),
            client_cert: cert.map(|cert| (cert.clone(), key.unwrap_or(cert))),
            proxy: env.proxy.choose(url, text("proxy").as_deref())?,
            cookie_file: path("cookieFile"),
            extra_headers: self.extra_headers(url)?,
            user_agent: env.user_agent.clone().or_else(|| text("userAgent")),
            // "initial" (the default) and "true" are the same to us: only the first request is ever redirected.
            follow_redirects: self.boolean(url, "followRedirects").unwrap_or(true),
            low_speed,
            post_buffer: number("postBuffer", &None).map_or(1 << 20, |bytes| bytes.clamp(64 << 10, 64 << 20) as usize),
        })
    }

    /// What `~/.netrc` has for the host of `url`. A password in the URL goes before it.
    pub(in super::super) fn netrc(&self, url: &RemoteUrl) -> Option<Account> {
        let host = url.host().filter(|_| url.password().is_none())?;
        netrc::look_up(&self.env.home.as_ref()?.join(".netrc"), host, url.user())
    }

    /// The values of `key` that count for `url`: as git reads the files from top to bottom, one whose URL fits less
    /// well than one seen before is skipped.
    fn values(&self, url: &RemoteUrl, key: &str) -> Vec<Option<BString>> {
        let mut best = Fit::default();
        let mut values = Vec::new();
        for entry in self.http.iter().filter(|entry| entry.key == key) {
            let fit = match &entry.pattern {
                None => Some(Fit::default()),
                Some(pattern) => pattern.fit(url),
            };
            if let Some(fit) = fit.filter(|fit| *fit >= best) {
                best = fit;
                values.push(entry.value.clone());
            }
        }
        values
    }

    fn last(&self, url: &RemoteUrl, key: &str) -> Option<Option<BString>> {
        self.values(url, key).pop()
    }

    fn boolean(&self, url: &RemoteUrl, key: &str) -> Option<bool> {
        match self.last(url, key)? {
            None => Some(true),
            Some(value) => match value.to_ascii_lowercase().as_slice() {
                b"true" | b"yes" | b"on" => Some(true),
                b"false" | b"no" | b"off" | b"" => Some(false),
                number => integer(number.to_str().ok()?).map(|number| number != 0),
            },
        }
    }

    /// An empty value forgets the ones before it.
    fn extra_headers(&self, url: &RemoteUrl) -> Result<Vec<(String, String)>, String> {
        let mut headers = Vec::new();
        for value in self.values(url, "extraHeader") {
            let value = value.unwrap_or_default();
            if value.is_empty() {
                headers.clear();
                continue;
            }
            let header = value.to_str().ok().and_then(|header| header.split_once(':'));
            let valid = |name: &str, value: &str| {
                !name.is_empty()
                    && name
                        .bytes()
                        .all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
                    && !value.bytes().any(|b| b.is_ascii_control())
            };
            match header.map(|(name, value)| (name.trim(), value.trim())) {
                Some((name, _)) if FRAMING.iter().any(|framing| framing.eq_ignore_ascii_case(name)) => {
                    return Err("http.extraHeader cannot say where a request ends".to_owned());
                }
                Some((name, value)) if valid(name, value) => headers.push((name.to_owned(), value.to_owned())),
                _ => return Err("a value of http.extraHeader is not of the form 'Name: value'".to_owned()),
            }
        }
        Ok(headers)
    }

    fn expanded(&self, value: &BString) -> PathBuf {
        let context = gix_config::path::interpolate::Context {
            home_dir: self.env.home.as_deref(),
            ..Default::default()
        };
        let path = gix_config::Path::from(value.clone());
        path.interpolate(context)
            .unwrap_or_else(|_| value.to_path_lossy().into_owned())
    }
}

/// `sha256//BASE64`, several of them with `;` between; an empty value asks for none.
fn pinned_keys(text: &str) -> Result<Option<Vec<[u8; 32]>>, String> {
    use base64::Engine as _;
    let key = |pin: &str| -> Option<[u8; 32]> {
        let hash = base64::engine::general_purpose::STANDARD.decode(pin.trim().strip_prefix("sha256//")?);
        hash.ok()?.try_into().ok()
    };
    if text.is_empty() {
        return Ok(None);
    }
    let keys: Option<Vec<_>> = text.split(';').map(key).collect();
    // A pin that is passed over would be worse than none.
    keys.map(Some)
        .ok_or_else(|| "http.pinnedPubkey is not of the form sha256//BASE64, and a file is not read".to_owned())
}

/// A number with git's suffixes k, m and g.
fn integer(text: &str) -> Option<u64> {
    let text = text.trim();
    let (digits, factor) = match text.as_bytes().last()?.to_ascii_lowercase() {
        b'k' => (&text[..text.len() - 1], 1 << 10),
        b'm' => (&text[..text.len() - 1], 1 << 20),
        b'g' => (&text[..text.len() - 1], 1 << 30),
        _ => (text, 1),
    };
    digits.parse::<u64>().ok()?.checked_mul(factor)
}

#[cfg(test)]
mod tests;
