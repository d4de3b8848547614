//! What requests to one origin have in common, and how one is made.

use std::io;
use std::sync::Arc;

use ureq::http::{HeaderName, HeaderValue, Request as HttpRequest, Response, StatusCode};
use ureq::unversioned::transport::{ConnectProxyConnector, Connector};
use ureq::{Agent, AsSendBody};

use super::super::errors::{HttpReport, HttpTrouble};
use super::super::url::{RemoteUrl, Scheme, bracketed};
use super::super::watch::Watch;
use super::dialer::{Dialer, NoResolver, Route};
use super::proxy::ProxyKind;
use super::settings::HttpSettings;
use super::tls;

/// What requests to one origin have in common.
#[derive(Clone)]
pub(super) struct Line {
    agent: Agent,
    pub(super) watch: Arc<Watch>,
    pub(super) settings: Arc<HttpSettings>,
    pub(super) scheme: Scheme,
}

impl Line {
    pub(super) fn new(url: &RemoteUrl, settings: HttpSettings, watch: Arc<Watch>) -> Result<Line, HttpTrouble> {
        watch.limit_speed(settings.low_speed);
        let agent = agent(url, &settings, watch.clone())?;
        Ok(Line {
            agent,
            watch,
            settings: Arc::new(settings),
            scheme: url.scheme(),
        })
    }

    /// Make one request; an error is also the report's trouble.
    pub(super) fn call(
        &self,
        report: &HttpReport,
        method: &str,
        url: &str,
        headers: &[(HeaderName, HeaderValue)],
        body: impl AsSendBody,
    ) -> io::Result<Response<ureq::Body>> {
        let span = tracing::debug_span!("request", name = method, status = tracing::field::Empty).entered();
        let mut request = HttpRequest::builder().method(method).uri(url);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let request = request
            .body(body)
            .map_err(ureq::Error::Http)
            .and_then(|request| self.agent.run(request))
            .inspect(|answer| {
                span.record("status", answer.status().as_u16());
            });
        request.map_err(|err| {
            let (trouble, err) = explained(err);
            report.set(trouble);
            err
        })
    }
}

fn agent(url: &RemoteUrl, settings: &HttpSettings, watch: Arc<Watch>) -> Result<Agent, HttpTrouble> {
    let mut config = Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .accept_encoding("gzip")
        .proxy(None);
    let mut needs_tls = url.scheme() == Scheme::Https;
    let mut route = Route::Direct;
    match (&settings.proxy, url.scheme()) {
        (Some(proxy), _) if matches!(proxy.kind, ProxyKind::Socks4 { .. } | ProxyKind::Socks5 { .. }) => {
            route = Route::Socks(proxy.clone());
        }
        (Some(proxy), Scheme::Http) if proxy.kind == ProxyKind::Http => {
            route = Route::Forward(proxy.clone());
            // The proxy's connection is not known to carry another request.
            config = config.max_idle_connections(0);
        }
        (Some(proxy), _) => {
            let kind = match proxy.kind {
                ProxyKind::Https => ureq::ProxyProtocol::Https,
                _ => ureq::ProxyProtocol::Http,
            };
            needs_tls |= proxy.kind == ProxyKind::Https;
            let mut tunnel = ureq::Proxy::builder(kind)
                .host(&bracketed(&proxy.host))
                .port(proxy.port);
            if let Some(user) = &proxy.user {
                tunnel = tunnel
                    .username(user)
                    .password(proxy.password.as_deref().unwrap_or_default());
            }
            let tunnel = tunnel
                .build()
                .map_err(|_| HttpTrouble::Settings("the proxy cannot be used".to_owned()))?;
            config = config.proxy(Some(tunnel));
        }
        (None, _) => {}
    }
    let tls = match needs_tls {
        true => Some(tls::config(settings).map_err(HttpTrouble::Settings)?),
        false => None,
    };
    let connector = ().chain(ConnectProxyConnector::default()).chain(Dialer { watch, route }).chain(tls::Wrap(tls));
    Ok(Agent::with_parts(config.build(), connector, NoResolver))
}

pub(super) fn is_redirect(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

/// What ureq's error is to us, and the error to hand on.
fn explained(err: ureq::Error) -> (Option<HttpTrouble>, io::Error) {
    let trouble = match err {
        ureq::Error::Io(err) => {
            return match err.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
                Some(tls) => (Some(HttpTrouble::Tls(tls.to_string())), err),
                None => (None, err),
            };
        }
        ureq::Error::TlsRequired => HttpTrouble::Tls("there is none".to_owned()),
        ureq::Error::ConnectProxyFailed(reason) => {
            let code = reason
                .split(|c: char| !c.is_ascii_digit())
                .find_map(|digits| digits.parse().ok());
            HttpTrouble::ProxyStatus {
                code: code.unwrap_or(0),
            }
        }
        ureq::Error::Http(_) | ureq::Error::BadUri(_) => HttpTrouble::Settings("this is no URL for http".to_owned()),
        err => HttpTrouble::Malformed(err.to_string()),
    };
    (Some(trouble.clone()), io::Error::other(trouble))
}
