//! What kind of failure it was, as a value that a program can act on.

use super::url::{RemoteUrl, UrlError};

/// What kind of failure it is; each asks for another reaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FailureKind {
    /// The server wants credentials and got none, or not the right ones; also ssh's distrust of a host key.
    Unauthenticated,
    /// The server knows us or does not care, and says no.
    Forbidden,
    /// No connection, or it broke.
    Unreachable,
    /// The server is there, the repository is not (or is hidden from us).
    NoRepository,
    /// A deadline passed.
    TimedOut,
    /// The interrupt flag was set.
    Interrupted,
    /// We refuse: the URL or a redirect is not one that we follow.
    Refused,
    /// What answered does not speak git's protocol.
    Protocol,
    /// Something else than git spoke first: a login shell that greets, an account that is not for git.
    NotGit,
    /// Anything else.
    Other,
}

/// Why a session could not be opened or broke.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ConnectError {
    /// What kind of failure it is.
    pub kind: FailureKind,
    /// One sentence with the URL, without passwords and without control characters.
    pub message: String,
    /// What the server, or ssh in its place, said about it; several lines, without control characters, maybe empty.
    pub server_text: String,
}

impl From<UrlError> for ConnectError {
    fn from(err: UrlError) -> Self {
        ConnectError::refused(err.to_string())
    }
}

impl ConnectError {
    fn refused(message: String) -> ConnectError {
        ConnectError {
            kind: FailureKind::Refused,
            message,
            server_text: String::new(),
        }
    }

    /// The user's configuration forbids this transport.
    pub(crate) fn not_allowed(url: &RemoteUrl) -> ConnectError {
        let scheme = url.scheme().as_str();
        ConnectError::refused(format!(
            "{url}: the transport '{scheme}' is not allowed by protocol.allow or GIT_ALLOW_PROTOCOL"
        ))
    }

    /// A transport that this program was built without.
    pub(crate) fn left_out(url: &RemoteUrl) -> ConnectError {
        let scheme = url.scheme().as_str();
        ConnectError::refused(format!("{url}: this program was built without {scheme}"))
    }
}

/// What is known of the other end when a conversation has ended before its time. Facts only: nobody's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ending {
    /// The connection is gone; the server may still be at work.
    Unclear,
    /// The http answer was complete as http has it, so git gave up behind it; but somebody in between may have made it
    /// complete.
    Finished,
    /// The http server turned the request away or elsewhere, or the program at the other end has ended: what it has not done by now
    /// it will not do.
    Over,
    /// The same, and git said itself that it gives up (its exit code 128).
    Died,
}
