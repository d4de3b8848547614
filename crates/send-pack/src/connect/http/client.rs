//! Requests: headers, credentials, redirects of the first one, and what the answers mean.

use std::any::Any;
use std::io::{self, Read};
use std::sync::Arc;

use base64::Engine as _;
use gix_error::ErrorExt as _;
use gix_transport::client::blocking_io::http::{GetResponse, Http, PostBodyDataKind, PostResponse};
use ureq::http::{HeaderName, HeaderValue, StatusCode, header};

use super::super::errors::{HttpReport, HttpTrouble};
use super::super::settings::Settings;
use super::super::url::{RemoteUrl, Scheme};
use super::super::watch::Watch;
use super::agent::{Line, is_redirect};
use super::answer::{accepted, drain};
use super::exchange::{Body, Exchange, Headers, Request, Sender};
use super::proxy::ProxyKind;
use super::proxy_password::ProxyPassword;
use super::{Greeted, Greeting, Identity, Noted, cookies, redirect};

const MAX_REDIRECTS: usize = 10;
const PROXY_AUTHENTICATION_REQUIRED: StatusCode = StatusCode::PROXY_AUTHENTICATION_REQUIRED;

/// gix's view of http. One per session, one connection at a time.
pub(super) struct HttpClient {
    settings: Settings,
    watch: Arc<Watch>,
    report: Arc<HttpReport>,
    identity: Identity,
    noted: Noted,
    proxy_password: ProxyPassword,
    line: Option<Line>,
    greeted: Greeted,
    redirected: Option<String>,
}

impl HttpClient {
    pub(super) fn new(
        settings: Settings,
        watch: Arc<Watch>,
        report: Arc<HttpReport>,
        (identity, noted): (Identity, Noted),
        proxy_password: ProxyPassword,
        greeted: Greeted,
    ) -> HttpClient {
        HttpClient {
            settings,
            watch,
            report,
            identity,
            noted,
            proxy_password,
            line: None,
            greeted,
            redirected: None,
        }
    }

    /// The agent for `url`, made anew only when a redirect led to where other settings hold.
    fn line(&mut self, url: &RemoteUrl) -> Result<Line, HttpTrouble> {
        let mut settings = self.settings.http.of(url).map_err(HttpTrouble::Settings)?;
        settings.proxy = settings.proxy.map(|proxy| self.proxy_password.complete(proxy));
        let line = match self.line.take() {
            Some(line) if *line.settings == settings && line.scheme == url.scheme() => line,
            _ => Line::new(url, settings, self.watch.clone())?,
        };
        self.line = Some(line.clone());
        Ok(line)
    }

    /// All headers of a request to `url`: gix's, the configured ones instead of those, and the credentials.
    fn headers(
        &self,
        line: &Line,
        url: &RemoteUrl,
        given: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> Result<Vec<(HeaderName, HeaderValue)>, HttpTrouble> {
        let mut headers = Vec::new();
        for header in given {
            let (name, value) = header.as_ref().split_once(':').unwrap_or((header.as_ref(), ""));
            headers.push(parsed(name, value)?);
        }
        if let Some(agent) = &line.settings.user_agent {
            headers.retain(|(name, _)| name != header::USER_AGENT);
            headers.push(parsed("user-agent", agent)?);
        }
        let extra = &line.settings.extra_headers;
        let is_extra = |name: &HeaderName| extra.iter().any(|(extra, _)| name.as_str().eq_ignore_ascii_case(extra));
        headers.retain(|(name, _)| !is_extra(name));
        for (name, value) in extra {
            headers.push(parsed(name, value)?);
        }
        if let Some(account) = self.identity.account(&url.origin())
            && !is_extra(&header::AUTHORIZATION)
        {
            headers.push(basic("authorization", &account.username, &account.password)?);
        }
        if let Some(file) = &line.settings.cookie_file
            && !is_extra(&header::COOKIE)
            && let Some(cookies) = cookies::header(file, url).map_err(HttpTrouble::Settings)?
        {
            let (name, mut value) = parsed("cookie", &cookies)?;
            value.set_sensitive(true);
            headers.push((name, value));
        }
        // A tunnel or SOCKS is told on its own; a forwarding proxy with every request.
        if let Some(proxy) = &line.settings.proxy
            && let (ProxyKind::Http, Scheme::Http, Some(user)) = (proxy.kind, url.scheme(), &proxy.user)
        {
            headers.push(basic(
                "proxy-authorization",
                user,
                proxy.password.as_deref().unwrap_or_default(),
            )?);
        }
        Ok(headers)
    }

    /// The first request of a session, redirects included.
    fn fetch(&mut self, base: &str, tail: &str, given: &[String]) -> io::Result<Greeting> {
        let mut moved_to: Option<RemoteUrl> = None;
        for _ in 0..=MAX_REDIRECTS {
            let current = moved_to
                .as_ref()
                .map_or_else(|| base.to_owned(), |url| url.to_bstring().to_string());
            let url = RemoteUrl::parse(&current).map_err(|err| self.failed(HttpTrouble::Malformed(err.to_string())))?;
            if !self.settings.protocols.allow(url.scheme()) {
                let reason = "that transport is not allowed by protocol.allow or GIT_ALLOW_PROTOCOL";
                let to = url.to_string();
                return Err(self.failed(HttpTrouble::Redirect { to, reason }));
            }
            let line = self.line(&url).map_err(|trouble| self.failed(trouble))?;
            let headers = self
                .headers(&line, &url, given)
                .map_err(|trouble| self.failed(trouble))?;
            let target = format!("{current}{tail}");
            let called = line.call(&self.report, "GET", &target, &headers, ());
            match &called {
                Ok(response) => self
                    .proxy_password
                    .works(response.status() != PROXY_AUTHENTICATION_REQUIRED),
                Err(_) if self.report.is_refused_by_proxy() => self.proxy_password.works(false),
                // The proxy has not been asked, or has not answered.
                Err(_) => {}
            }
            let response = called?;
            // As curl does it, before whoever asked for the session hears of the refusal and asks helpers.
            if response.status() == StatusCode::UNAUTHORIZED
                && let Some(account) = self.noted.take(&url.origin())
            {
                self.identity.set(url.origin(), account);
                drain(response, &self.watch);
                continue;
            }
            if !is_redirect(response.status()) {
                let mut answer = accepted(response, &headers, &self.report, &self.watch)?;
                let mut body = Vec::new();
                answer.body.read_to_end(&mut body)?;
                return Ok(Greeting {
                    headers: answer.headers,
                    body: body.into(),
                    redirected: moved_to.map(|url| url.to_bstring().to_string()),
                    identity: self.identity.clone(),
                });
            }
            let location = response
                .headers()
                .get(header::LOCATION)
                .and_then(|value| value.to_str().ok());
            let location = location.unwrap_or_default().to_owned();
            if !line.settings.follow_redirects {
                let reason = "http.followRedirects is false";
                let to = redirect::shown(&location);
                return Err(self.failed(HttpTrouble::Redirect { to, reason }));
            }
            drain(response, &self.watch);
            moved_to = Some(redirect::target(&current, tail, &location).map_err(|trouble| self.failed(trouble))?);
        }
        let to = moved_to.map(|url| url.to_string()).unwrap_or_default();
        Err(self.failed(HttpTrouble::Redirect {
            to,
            reason: "it is one of too many",
        }))
    }

    fn failed(&self, trouble: HttpTrouble) -> io::Error {
        self.report.set(Some(trouble.clone()));
        io::Error::other(trouble)
    }
}

impl Http for HttpClient {
    type Headers = Headers;
    type ResponseBody = Body;
    type PostBody = Request;

    fn get(
        &mut self,
        url: &str,
        base_url: &str,
        headers: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> gix_error::Result<GetResponse<Headers, Body>> {
        let headers: Vec<String> = headers.into_iter().map(|header| header.as_ref().to_owned()).collect();
        let tail = url.strip_prefix(base_url).unwrap_or_default();
        let greeting = match self.greeted.get() {
            Some(greeting) => Ok(greeting),
            None => self.fetch(base_url, tail, &headers),
        };
        match greeting {
            Ok(greeting) => {
                self.greeted.set(greeting.clone());
                self.redirected = greeting.redirected;
                Ok(GetResponse {
                    headers: Headers::Known(io::Cursor::new(greeting.headers)),
                    body: Body::Known(Box::new(io::Cursor::new(greeting.body))),
                })
            }
            Err(err) if err.kind() == io::ErrorKind::PermissionDenied => Ok(GetResponse {
                headers: Headers::Failed(Some(err)),
                body: Body::None,
            }),
            Err(err) => Err(err.raise()),
        }
    }

    fn post(
        &mut self,
        url: &str,
        base_url: &str,
        headers: impl IntoIterator<Item = impl AsRef<str>>,
        body: PostBodyDataKind,
    ) -> gix_error::Result<PostResponse<Headers, Body, Request>> {
        let base = RemoteUrl::parse(base_url).map_err(|err| io::Error::other(err).raise())?;
        let line = self.line(&base).map_err(|trouble| self.failed(trouble).raise())?;
        let headers = self
            .headers(&line, &base, headers)
            .map_err(|trouble| self.failed(trouble).raise())?;
        let limit = match body {
            PostBodyDataKind::BoundedAndFitsIntoMemory => usize::MAX,
            PostBodyDataKind::Unbounded => line.settings.post_buffer,
        };
        let sender = Sender {
            line,
            report: self.report.clone(),
            url: url.to_owned(),
            headers,
        };
        let exchange = Exchange::new(sender, self.watch.clone(), limit);
        Ok(PostResponse {
            post_body: Request(exchange.clone()),
            headers: Headers::Awaited(exchange.clone()),
            body: Body::Awaited(exchange),
        })
    }

    fn configure(&mut self, _: &dyn Any) -> gix_error::Result {
        Ok(())
    }

    fn redirected_base_url(&self) -> Option<String> {
        self.redirected.clone()
    }
}

fn parsed(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), HttpTrouble> {
    let unfit = || HttpTrouble::Settings("a header cannot be sent as it is configured".to_owned());
    let name = HeaderName::from_bytes(name.trim().as_bytes()).map_err(|_| unfit())?;
    let value = HeaderValue::from_bytes(value.trim().as_bytes()).map_err(|_| unfit())?;
    Ok((name, value))
}

fn basic(name: &str, user: &str, password: &str) -> Result<(HeaderName, HeaderValue), HttpTrouble> {
    let encoded = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}"));
    let (name, mut value) = parsed(name, &format!("Basic {encoded}"))?;
    value.set_sensitive(true);
    Ok((name, value))
}
