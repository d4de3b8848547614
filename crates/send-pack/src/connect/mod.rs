//! Opening a session with a git server: the transport half of a client, on gix's protocol.
//!
//! ```text
//! rewrite ─→ RemoteUrl::parse ─→ open ─→ Session{transport, handshake} ─→ close
//!                                  └────────────── explain(error) ──────────┘
//! ```
//!
//! 1. [`rewrite`] applies `insteadOf`; [`RemoteUrl::parse`] refuses every location that we do not talk to.
//! 2. [`open`] starts a process (ssh, a server for a local path), dials a `git daemon`, or prepares http; then it
//!    performs gix's handshake, asking for credentials if the server wants them. [`reach`] lets the caller do something
//!    between the two.
//! 3. The caller talks to the server through [`Session::transport`]. Whatever fails there, [`Session::explain`] turns
//!    into a [`ConnectError`] with a [`FailureKind`] and the server's own words.
//! 4. [`Session::close`] hangs up politely; dropping the session just hangs up, and ends what it started.
//!
//! Every wait is bounded by [`Deadlines`] and ends with the interrupt flag. gix's own connectors are not used, because
//! they wait for ever. What is not done: nothing is retried, nothing is printed or logged, no reference is interpreted.

mod credentials;
mod deadline;
mod errors;
mod explain;
mod facts;
mod failure;
mod gathered;
mod git;
#[cfg_attr(not(feature = "http"), path = "without_http.rs")]
mod http;
mod open;
mod pace;
mod process;
mod protocol;
mod question;
mod rewrite;
mod server;
mod session;
mod settings;
mod span;
#[cfg_attr(not(feature = "ssh"), path = "without_ssh.rs")]
mod ssh;
mod stderr_patterns;
mod symrefs;
mod tcp;
mod url;
mod watch;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::text;

pub use deadline::Deadlines;
pub use explain::Explainer;
pub use failure::{ConnectError, Ending, FailureKind};
pub use git::as_git;
pub use http::Greeting;
pub use open::{Giver, Reached, open, open_authenticated, open_known, reach};
pub use question::{Conversation, Question, ask, ask_as_git, git};
pub use rewrite::{Direction, rewrite};
pub use session::Session;
pub use settings::Settings;
pub use span::ExchangeSpan;
pub use url::{RemoteUrl, Scheme, UrlError};

/// Whether the user may be asked for something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Prompt {
    /// On the terminal, or by an askpass program.
    #[default]
    Allowed,
    /// Not on the terminal: `GIT_TERMINAL_PROMPT=0`, ssh in batch mode. An askpass program that the user has set up
    /// for git still answers for http.
    Forbidden,
    /// Not at all; only credential helpers answer.
    Never,
}

/// How to connect; cheap to clone.
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct ConnectOptions {
    /// From git's configuration and the environment.
    pub settings: Settings,
    /// How long to wait.
    pub deadlines: Deadlines,
    /// Whether the user may be asked.
    pub prompt: Prompt,
    /// Set it from anywhere to end every wait within a tenth of a second.
    pub interrupt: Arc<AtomicBool>,
    /// Where relative local paths start and whose configuration credential helpers see; empty is the current directory.
    pub cwd: PathBuf,
    /// No repository is around `cwd`, or none that counts: credential helpers see the user's own configuration alone.
    pub outside: bool,
}

/// Whether a person can be asked: the process has a terminal.
fn has_terminal() -> bool {
    std::fs::File::open("/dev/tty").is_ok()
}

/// Where git, asked for a password, finds no repository but the one that counts.
fn helpers_dir(options: &ConnectOptions) -> PathBuf {
    match options.outside {
        true => PathBuf::from("/"),
        false => directory(options),
    }
}

fn directory(options: &ConnectOptions) -> PathBuf {
    match options.cwd.as_os_str().is_empty() {
        true => PathBuf::from("."),
        false => options.cwd.clone(),
    }
}
