//! git over http and https: an implementation of gix's `Http` on ureq.
//!
//! Credentials are put into requests here instead of by gix's transport, for two reasons. gix refuses them over plain
//! http, which git allows and servers in a trusted network or on loopback rely on; and here they are bound to the
//! origin (scheme, host, port) which they were given for, so that no redirect carries them elsewhere.

mod agent;
mod answer;
mod client;
mod cookies;
mod dialer;
mod exchange;
mod netrc;
mod proxy;
mod proxy_password;
mod redirect;
mod settings;
mod socks;
mod tls;
mod url_match;

use std::any::Any;
use std::borrow::Cow;
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use bstr::BStr;
use gix_sec::identity::Account;
use gix_transport::client::blocking_io::http::{Transport as GixTransport, connect_http};
use gix_transport::client::blocking_io::{RequestWriter, SetServiceResponse, Transport};
use gix_transport::client::{Error, MessageKind, TransportWithoutIO, WriteMode};
use gix_transport::{Protocol, Service};

use super::errors::HttpReport;
use super::url::{RemoteUrl, Scheme};
use super::watch::Watch;
use super::{ConnectOptions, Giver, helpers_dir};
use client::HttpClient;
use proxy_password::ProxyPassword;
pub(super) use settings::HttpConfig;

type Origin = (Scheme, String, Option<u16>);

/// The identity that the server at an origin has been, or is to be, given.
#[derive(Clone, Default)]
struct Identity(Arc<Mutex<Option<(Origin, Account)>>>);

impl Identity {
    fn set(&self, origin: Origin, account: Account) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((origin, account));
    }

    /// The account for `origin`: the same one, or https on the standard port after http on its own.
    fn account(&self, origin: &Origin) -> Option<Account> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (given, account) = known.as_ref()?;
        redirect::same_authority(given, origin).then(|| account.clone())
    }
}

/// The account that `~/.netrc` has for the host of a session's URL, until it is tried.
#[derive(Clone)]
struct Noted {
    /// Of the session's URL. The file knows hosts, not ports: nobody whom a redirect leads to is meant.
    origin: Origin,
    account: Arc<Mutex<Option<Account>>>,
}

impl Noted {
    fn of(origin: Origin) -> Self {
        Noted {
            origin,
            account: Arc::default(),
        }
    }

    fn set(&self, account: Account) {
        *self.account.lock().unwrap_or_else(PoisonError::into_inner) = Some(account);
    }

    /// The account, once, where it is for `origin`.
    fn take(&self, origin: &Origin) -> Option<Account> {
        let mut account = self.account.lock().unwrap_or_else(PoisonError::into_inner);
        redirect::same_authority(&self.origin, origin)
            .then(|| account.take())
            .flatten()
    }
}

/// What a server answered to the first request of a session, in memory.
///
/// A server that speaks http remembers nothing of earlier requests, so whoever knows what it says when it is greeted need
/// not greet it again.
#[derive(Clone)]
pub struct Greeting {
    headers: Vec<u8>,
    body: Arc<[u8]>,
    redirected: Option<String>,
    /// What it wanted to know of us before.
    identity: Identity,
}

impl fmt::Debug for Greeting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Greeting")
    }
}

/// The greeting of a session, once there was one, or from the beginning.
#[derive(Clone, Default)]
pub(super) struct Greeted(Arc<Mutex<Option<Greeting>>>);

impl Greeted {
    pub(super) fn by(greeting: Option<Greeting>) -> Self {
        Greeted(Arc::new(Mutex::new(greeting)))
    }

    pub(super) fn get(&self) -> Option<Greeting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, greeting: Greeting) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(greeting);
    }
}

/// A session over http; nothing is sent before the handshake. `giver` gives credentials unasked.
pub(super) fn open(
    url: &RemoteUrl,
    version: Protocol,
    options: &ConnectOptions,
    giver: Option<Giver>,
    greeted: Greeted,
    watch: &Arc<Watch>,
    report: Arc<HttpReport>,
) -> io::Result<Box<dyn Transport + Send>> {
    let proxy_password = ProxyPassword::new(options.prompt, helpers_dir(options), watch.clone());
    let identity = greeted.get().map(|greeting| greeting.identity).unwrap_or_default();
    let noted = Noted::of(url.origin());
    let known = (identity.clone(), noted.clone());
    let settings = options.settings.clone();
    let client = HttpClient::new(settings, watch.clone(), report, known, proxy_password, greeted);
    let transport = HttpTransport {
        inner: connect_http(client, url.for_gix(), version, false),
        identity,
        noted,
    };
    if let Some(account) = options.settings.http.netrc(url).filter(|_| giver != Some(Giver::Asked)) {
        transport.note(account, giver.is_some());
    }
    Ok(Box::new(transport))
}

struct HttpTransport {
    inner: GixTransport<HttpClient>,
    identity: Identity,
    noted: Noted,
}

impl HttpTransport {
    /// Takes the account that `~/.netrc` has for the session's URL, to be given `at_once` or when the server wants one.
    fn note(&self, account: Account, at_once: bool) {
        match at_once {
            true => self.identity.set(self.noted.origin.clone(), account),
            false => self.noted.set(account),
        }
    }
}

impl TransportWithoutIO for HttpTransport {
    fn set_identity(&mut self, account: Account) -> Result<(), Error> {
        // Where a redirect may have led to, which is where the challenge came from.
        let url = RemoteUrl::parse(self.inner.to_url().as_ref())
            .map_err(|_| Error::AuthenticationRefused("there is no URL to authenticate to"))?;
        self.identity.set(url.origin(), account);
        Ok(())
    }

    fn to_url(&self) -> Cow<'_, BStr> {
        self.inner.to_url()
    }

    fn supported_protocol_versions(&self) -> &[Protocol] {
        self.inner.supported_protocol_versions()
    }

    fn connection_persists_across_multiple_requests(&self) -> bool {
        self.inner.connection_persists_across_multiple_requests()
    }

    fn configure(&mut self, config: &dyn Any) -> gix_error::Result {
        self.inner.configure(config)
    }
}

impl Transport for HttpTransport {
    fn handshake<'a>(
        &mut self,
        service: Service,
        extra_parameters: &'a [(&'a str, Option<&'a str>)],
    ) -> Result<SetServiceResponse<'_>, Error> {
        self.inner.handshake(service, extra_parameters)
    }

    fn request(&mut self, mode: WriteMode, on_into_read: MessageKind, trace: bool) -> Result<RequestWriter<'_>, Error> {
        self.inner.request(mode, on_into_read, trace)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_netrc_has_goes_to_the_sessions_own_server_once() {
        let origin = |url: &str| RemoteUrl::parse(url).expect("valid").origin();
        let account = || Account {
            username: "ann".into(),
            password: "s3cret".into(),
            oauth_refresh_token: None,
        };
        let noted = Noted::of(origin("http://h/a"));
        noted.set(account());
        for elsewhere in [
            "http://h:8080/a",
            "https://h:8443/a",
            "http://other/a",
            "https://other/a",
        ] {
            assert!(noted.take(&origin(elsewhere)).is_none(), "{elsewhere}");
        }
        assert!(noted.take(&origin("https://h/a")).is_some(), "the plain upgrade");
        assert!(noted.take(&origin("http://h/a")).is_none(), "it was tried");
        let noted = Noted::of(origin("https://h/a"));
        noted.set(account());
        assert!(noted.take(&origin("http://h/a")).is_none());
    }
}
