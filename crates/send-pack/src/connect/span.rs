//! What a listener of [`tracing`] learns of a session: that there is one, its exchanges, and the bytes that each of them took.
//!
//! URLs are recorded as they are shown, without user, password and query; nothing that is sent or received is recorded.

use std::sync::Arc;

use tracing::{Span, field::Empty, span::EnteredSpan};

use super::{url::RemoteUrl, watch::Watch};

/// A session, from the first attempt to reach the other side until it is hung up.
pub(super) struct Connection {
    span: Span,
    watch: Arc<Watch>,
}

impl Connection {
    pub(super) fn new(url: &RemoteUrl, service: &str, watch: Arc<Watch>) -> Self {
        let span = tracing::debug_span!("connection", %url, service, sent = Empty, received = Empty);
        Connection { span, watch }
    }

    /// A question and its answer, which last until the value is dropped.
    pub(super) fn exchange(&self, name: &'static str) -> ExchangeSpan {
        let span = tracing::debug_span!(parent: &self.span, "exchange", name, sent = Empty, received = Empty);
        ExchangeSpan {
            span: span.entered(),
            before: self.watch.moved(),
            watch: self.watch.clone(),
        }
    }
}

impl Drop for Connection {
    /// Lets everything that still waits on the session fail, such as the thread of an upload.
    fn drop(&mut self) {
        self.watch.hang_up();
        record(&self.span, self.watch.moved(), [0, 0]);
    }
}

/// See [`Session::exchange()`](super::Session::exchange).
#[must_use = "it lasts until it is dropped"]
pub struct ExchangeSpan {
    span: EnteredSpan,
    watch: Arc<Watch>,
    before: [u64; 2],
}

impl Drop for ExchangeSpan {
    fn drop(&mut self) {
        record(&self.span, self.watch.moved(), self.before);
    }
}

fn record(span: &Span, [sent, received]: [u64; 2], before: [u64; 2]) {
    span.record("sent", sent - before[0]);
    span.record("received", received - before[1]);
}
