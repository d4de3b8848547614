//! The password of a proxy that the user names without one: from git's credential helpers, as git has it.

use std::path::PathBuf;
use std::sync::Arc;

use gix_credentials::helper::NextAction;

use super::super::Prompt;
use super::super::credentials::Credentials;
use super::super::url::{RemoteUrl, bracketed};
use super::super::watch::Watch;
use super::proxy::{Proxy, ProxyKind};

/// Asks once a session, for one proxy.
pub(in super::super) struct ProxyPassword {
    prompt: Prompt,
    cwd: PathBuf,
    watch: Arc<Watch>,
    asked: Option<Asked>,
}

struct Asked {
    of: Proxy,
    /// The same with what was found.
    complete: Proxy,
    credentials: Credentials,
    /// Of what was found; taken when helpers have been told whether it was right.
    on_trial: Option<NextAction>,
}

impl ProxyPassword {
    /// `prompt` says whether a person may be asked, and helpers see the configuration of `cwd`.
    pub(in super::super) fn new(prompt: Prompt, cwd: PathBuf, watch: Arc<Watch>) -> Self {
        ProxyPassword {
            prompt,
            cwd,
            watch,
            asked: None,
        }
    }

    /// `proxy` with the password that belongs to its user, if it has a user alone and somebody knows.
    pub(super) fn complete(&mut self, proxy: Proxy) -> Proxy {
        let is_http = matches!(proxy.kind, ProxyKind::Http | ProxyKind::Https);
        let Some(user) = proxy.user.as_ref().filter(|_| is_http && proxy.password.is_none()) else {
            return proxy;
        };
        if let Some(asked) = self.asked.as_ref().filter(|asked| asked.of == proxy) {
            return asked.complete.clone();
        }
        let Some(url) = url_of(&proxy, user) else { return proxy };
        let mut credentials = Credentials::new(&url, self.prompt, self.cwd.clone(), self.watch.clone());
        // Without an answer the proxy says that it wants one.
        let (complete, on_trial) = match credentials.unasked(url.for_gix().to_bstring()) {
            Ok(found) => {
                let complete = Proxy {
                    user: Some(found.identity.username),
                    password: Some(found.identity.password),
                    ..proxy.clone()
                };
                (complete, Some(found.next))
            }
            Err(_) => (proxy.clone(), None),
        };
        self.asked = Some(Asked {
            of: proxy,
            complete: complete.clone(),
            credentials,
            on_trial,
        });
        complete
    }

    /// Whether the proxy let us through, so that helpers keep or forget the password.
    pub(super) fn works(&mut self, right: bool) {
        if let Some(asked) = &mut self.asked
            && let Some(next) = asked.on_trial.take()
        {
            asked.credentials.judge(next, right);
        }
    }
}

fn url_of(proxy: &Proxy, user: &str) -> Option<RemoteUrl> {
    let scheme = match proxy.kind {
        ProxyKind::Https => "https",
        _ => "http",
    };
    let user: String = user.bytes().map(|byte| format!("%{byte:02x}")).collect();
    RemoteUrl::parse(format!("{scheme}://{user}@{}:{}/", bracketed(&proxy.host), proxy.port)).ok()
}
