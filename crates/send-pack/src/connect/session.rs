//! A session that is open: talking, judging what went wrong, and hanging up.

use std::sync::Arc;
use std::time::{Duration, Instant};

use gix_credentials::helper::NextAction;
use gix_protocol::Handshake;
use gix_transport::Service;
use gix_transport::client::blocking_io::Transport;

use super::credentials::Credentials;
use super::explain::Explainer;
use super::failure::{ConnectError, Ending};
use super::http::{Greeted, Greeting};
use super::open::MAX_HANDSHAKE;
use super::process::Running;
use super::span::{Connection, ExchangeSpan};
use super::text;
use super::watch::Watch;

/// See [`Session::bounded()`].
#[must_use = "the bound ends when it is dropped"]
pub struct Bounded(Arc<Watch>);

impl Drop for Bounded {
    fn drop(&mut self) {
        self.0.allow(None);
    }
}

/// A conversation with one service of one repository.
pub struct Session {
    /// To send requests with; hung up when the session is dropped.
    pub transport: Box<dyn Transport + Send>,
    /// What the server said first: version, capabilities and, before version 2, its refs. Empty repositories have none.
    pub handshake: Handshake,
    pub(super) service: Service,
    pub(super) sent_by_handshake: u64,
    pub(super) explainer: Explainer,
    /// Credentials given unasked, of which it is not known yet whether they work.
    pub(super) on_trial: Option<(Credentials, NextAction)>,
    /// Over http.
    pub(super) greeted: Option<Greeted>,
    // Dropped after the transport, so that the program sees its input end before it is told to.
    pub(super) program: Option<Arc<Running>>,
    pub(super) connection: Connection,
}

impl Session {
    /// Whether the credentials of [`open_authenticated()`](super::open_authenticated) were right, so that helpers keep or forget them.
    pub fn credentials_work(&mut self, right: bool) {
        if let Some((mut credentials, next)) = self.on_trial.take() {
            credentials.judge(next, right);
        }
    }

    /// What an error that came up while talking to the server means.
    pub fn explain(&self, error: &(dyn std::error::Error + 'static)) -> ConnectError {
        self.explainer.explain(error)
    }

    /// What is known of the other end, after such an error has been explained.
    pub fn ending(&self) -> Ending {
        self.explainer.ending()
    }

    /// The same as a value of its own, for when the transport is borrowed.
    pub fn explainer(&self) -> Explainer {
        self.explainer.clone()
    }

    /// Tells a listener of [`tracing`] that a question to the server and its answer go from here to where the value is dropped.
    pub fn exchange(&self, name: &'static str) -> ExchangeSpan {
        self.connection.exchange(name)
    }

    /// Takes in no more than 64 MiB from here to where the value is dropped: answers that are held in memory, as lists of refs are, have
    /// to end.
    pub fn bounded(&self) -> Bounded {
        self.explainer.watch.allow(Some(MAX_HANDSHAKE));
        Bounded(self.explainer.watch.clone())
    }

    /// What [`open_known()`](super::open_known) needs to open another session without a request; `None` but over http.
    pub fn greeting(&self) -> Option<Greeting> {
        self.greeted.as_ref().and_then(Greeted::get)
    }

    /// Hang up, wait for the program at the other end (no longer than the idle deadline), and return what it said on
    /// standard error, without control characters.
    ///
    /// Never fails: what matters has been said in the conversation.
    pub fn close(mut self) -> String {
        // A flush ends the conversation with upload-pack, and with receive-pack before a command is sent. Later it could
        // complete a list of commands that was given up half-way.
        let watch = self.explainer.watch.clone();
        if self.service == Service::UploadPack || watch.sent() == self.sent_by_handshake {
            gix_protocol::indicate_end_of_interaction(&mut self.transport, false).ok();
        }
        let Session {
            transport,
            program,
            connection: _connection,
            ..
        } = self;
        drop(transport);
        let Some(program) = program else { return String::new() };
        let started = Instant::now();
        while program.exit(Duration::from_millis(100)).is_none() {
            if watch.check().is_err() || started.elapsed() > watch.deadlines.idle {
                program.end();
            }
        }
        text::lines(&program.stderr(Duration::from_millis(50)), 4096)
    }
}
