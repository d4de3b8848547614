//! Raw transport failures, not yet classified.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use super::failure::FailureKind;

/// A program could not be started.
#[derive(Debug, thiserror::Error)]
#[error("cannot run {program}: {source}")]
pub(crate) struct CannotRun {
    pub(crate) program: String,
    pub(crate) source: io::Error,
}

/// Something that http knows and that must survive the way through layers which know io errors only.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum HttpTrouble {
    #[error("{}", status(*.code))]
    Status { code: u16, text: String },
    #[error("redirected to {to}, which is not followed: {reason}")]
    Redirect { to: String, reason: &'static str },
    #[error("TLS: {0}")]
    Tls(String),
    #[error("the proxy answered: {}", status(*.code))]
    ProxyStatus { code: u16 },
    #[error("{0}")]
    Malformed(String),
    #[error("{0}")]
    Settings(String),
}

/// What a status means to somebody who pushes, where that is not plain from its number.
fn status(code: u16) -> String {
    let meaning = match code {
        407 => "the proxy wants a user and a password: put both, or the user alone, into its URL",
        411 => "the length of a push must be said beforehand; set http.postBuffer to more than its size",
        413 => "the server takes no push of that size",
        _ => return format!("HTTP status {code}"),
    };
    format!("HTTP status {code}, {meaning}")
}

/// What is known of the latest http request.
#[derive(Debug, Default)]
pub(crate) struct HttpReport {
    /// A request that succeeds clears it.
    trouble: Mutex<Option<HttpTrouble>>,
    /// The answer has been heard to an end that the server marked as such.
    complete: AtomicBool,
}

impl HttpReport {
    pub(crate) fn set(&self, trouble: Option<HttpTrouble>) {
        self.complete.store(false, Ordering::Relaxed);
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = trouble;
    }

    pub(crate) fn completed(&self) {
        self.complete.store(true, Ordering::Relaxed);
    }

    /// A proxy wanted to know who we are, or would not believe it.
    pub(crate) fn is_refused_by_proxy(&self) -> bool {
        matches!(self.get(), Some(HttpTrouble::ProxyStatus { code: 407 }))
    }

    pub(crate) fn is_complete(&self) -> bool {
        self.complete.load(Ordering::Relaxed)
    }

    pub(crate) fn get(&self) -> Option<HttpTrouble> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl HttpTrouble {
    pub(crate) fn kind(&self) -> FailureKind {
        match self {
            HttpTrouble::Status { code: 401 | 407, .. } | HttpTrouble::ProxyStatus { code: 407 } => {
                FailureKind::Unauthenticated
            }
            HttpTrouble::Status { code: 403, .. } => FailureKind::Forbidden,
            HttpTrouble::Status { code: 404 | 410, .. } => FailureKind::NoRepository,
            HttpTrouble::Status {
                code: 429 | 502..=504, ..
            } => FailureKind::Unreachable,
            HttpTrouble::Status { .. } | HttpTrouble::Settings(_) => FailureKind::Other,
            HttpTrouble::Redirect { .. } => FailureKind::Refused,
            HttpTrouble::Tls(_) | HttpTrouble::ProxyStatus { .. } => FailureKind::Unreachable,
            HttpTrouble::Malformed(_) => FailureKind::Protocol,
        }
    }
}
