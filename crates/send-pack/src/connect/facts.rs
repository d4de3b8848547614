//! The facts in an error and its causes.

use std::error::Error;
use std::io;

use gix_transport::client::{self, AuthenticationRequired};
use gix_transport::packetline;

use super::errors::CannotRun;
use super::failure::FailureKind;
use super::tcp::NameNotFound;
use super::text;

/// What an error and its causes tell.
#[derive(Default)]
pub(crate) struct Facts {
    pub(crate) kind: Option<FailureKind>,
    pub(crate) detail: String,
    /// An `ERR` line of the server.
    pub(crate) remote_error: Option<String>,
    /// It came up in gix's http transport.
    pub(crate) from_http: bool,
}

impl Facts {
    pub(crate) fn of(error: &(dyn Error + 'static)) -> Facts {
        let mut facts = Facts::default();
        visit(error, 0, &mut |error| facts.add(error));
        if facts.detail.is_empty() {
            facts.detail = error.to_string();
        }
        facts
    }

    /// The first kind found stays, unless a later cause is more precise than a broken connection.
    fn add(&mut self, error: &(dyn Error + 'static)) {
        if let Some(err) = error.downcast_ref::<packetline::read::Error>() {
            self.remote_error.get_or_insert_with(|| text::lines(&err.message, 4096));
        }
        #[cfg(feature = "http")]
        {
            self.from_http |= matches!(error.downcast_ref(), Some(client::Error::Http(_)));
        }
        let Some(kind) = kind_of(error) else { return };
        if self
            .kind
            .is_none_or(|known| known == FailureKind::Unreachable && kind != known)
        {
            self.kind = Some(kind);
            self.detail = match error.downcast_ref::<io::Error>() {
                Some(err) if err.kind() == io::ErrorKind::UnexpectedEof => "the connection was closed".to_owned(),
                _ => error.to_string(),
            };
        }
    }
}

fn kind_of(error: &(dyn Error + 'static)) -> Option<FailureKind> {
    if error.is::<AuthenticationRequired>() {
        return Some(FailureKind::Unauthenticated);
    }
    if error.is::<CannotRun>() {
        return Some(FailureKind::Other);
    }
    if error.is::<NameNotFound>() {
        return Some(FailureKind::Unreachable);
    }
    if let Some(err) = error.downcast_ref::<io::Error>() {
        // What is inside has its own kind.
        return match err.kind() {
            _ if err.get_ref().is_some_and(|inner| kind_of(inner).is_some()) => None,
            io::ErrorKind::TimedOut => Some(FailureKind::TimedOut),
            io::ErrorKind::InvalidData => Some(FailureKind::Protocol),
            io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::HostUnreachable
            | io::ErrorKind::NetworkUnreachable
            | io::ErrorKind::NetworkDown
            | io::ErrorKind::AddrNotAvailable
            | io::ErrorKind::NotConnected
            | io::ErrorKind::BrokenPipe
            | io::ErrorKind::UnexpectedEof => Some(FailureKind::Unreachable),
            _ => None,
        };
    }
    match error.downcast_ref::<client::Error>()? {
        client::Error::LineDecode { .. }
        | client::Error::Capabilities { .. }
        | client::Error::ExpectedLine(_)
        | client::Error::ExpectedDataLine
        | client::Error::UnsupportedProtocolVersion(_) => Some(FailureKind::Protocol),
        _ => None,
    }
}

/// Visit `error` and everything it is made of: `io::Error` hides what it wraps, and gix's error is a tree.
fn visit(error: &(dyn Error + 'static), depth: usize, see: &mut dyn FnMut(&(dyn Error + 'static))) {
    // Deeper than any real chain.
    if depth > 64 {
        return;
    }
    see(error);
    if let Some(tree) = error.downcast_ref::<gix_error::Error>() {
        for error in tree.iter_errors().filter(|error| !error.is::<gix_error::Error>()) {
            visit(error, depth + 1, see);
        }
    } else if let Some(inner) = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        visit(inner, depth + 1, see);
    } else if let Some(source) = error.source() {
        visit(source, depth + 1, see);
    }
}
