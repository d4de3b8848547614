//! In the place of http where it was left out.

use std::ffi::OsString;
use std::io;
use std::sync::Arc;

use gix_sec::identity::Account;
use gix_transport::{Protocol, client::blocking_io::Transport};

use super::errors::HttpReport;
use super::url::RemoteUrl;
use super::watch::Watch;
use super::{ConnectOptions, Giver};

/// What an http server answered to the first request of a session: there is none without http.
#[derive(Debug, Clone)]
pub enum Greeting {}

#[derive(Clone, Default)]
pub(super) struct Greeted;

impl Greeted {
    pub(super) fn by(_: Option<Greeting>) -> Self {
        Greeted
    }

    pub(super) fn get(&self) -> Option<Greeting> {
        None
    }
}

#[derive(Clone, Default)]
pub(super) struct HttpConfig;

impl HttpConfig {
    pub(super) fn read(_: &gix_config::File, _: &dyn Fn(&str) -> Option<OsString>) -> HttpConfig {
        HttpConfig
    }

    pub(super) fn netrc(&self, _: &RemoteUrl) -> Option<Account> {
        None
    }
}

pub(super) fn open(
    _: &RemoteUrl,
    _: Protocol,
    _: &ConnectOptions,
    _: Option<Giver>,
    _: Greeted,
    _: &Arc<Watch>,
    _: Arc<HttpReport>,
) -> io::Result<Box<dyn Transport + Send>> {
    Err(io::Error::other("there is no http here"))
}
