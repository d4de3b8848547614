//! Why a push has no outcome.

use bstr::BString;

use super::connect::ConnectError;

/// Why there is no outcome: no ref was touched, because nothing was asked of the server, because it cannot have received
/// the whole of what was asked, or because it refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PushError<E> {
    /// The server could not be reached, would not let us in, does not speak the protocol, or the connection broke
    /// before all was sent.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The source of the objects failed; the pack was not completed, which no server accepts.
    #[error("the objects to push could not be read")]
    Source(E),
    /// The server lacks something that a safe push needs.
    #[error("the server does not offer {0}, without which a push cannot be made safely")]
    Unsupported(&'static str),
    /// The server's repository uses another hash than the objects.
    #[error("the server's repository uses {server}, the objects use {ours}")]
    ObjectFormat {
        /// What the server announced.
        server: String,
        /// The hash of the new value, or of the expected one.
        ours: gix_hash::Kind,
    },
    /// The ref's name is none that git takes.
    #[error("{0:?} is not the full name of a ref")]
    RefName(BString),
    /// Two updates name the same ref.
    #[error("{0:?} is named twice in one push")]
    RefTwice(BString),
    /// An option for the server's hooks that cannot be sent: git's are lines, neither empty nor longer than 65,516 bytes.
    #[error("{0:?} is not an option for a server's hooks, which is one line")]
    PushOption(String),
}
