//! How a process ends.

use std::process::ExitCode;

/// Exit codes, as documented in the man page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// All is well.
    Ok = 0,
    /// Something else went wrong.
    Error = 1,
    /// The command line is not understood.
    Usage = 2,
    /// A guard stopped the sync: freshness, divergence, deletes, rewound central, changed upstream.
    Stopped = 3,
    /// Central moved and retries are spent, or none were allowed.
    Moved = 4,
    /// Central does not know us.
    Auth = 5,
    /// Central cannot be reached.
    Network = 6,
    /// Central does not accept the push.
    Refused = 7,
    /// Both sides of a conduit changed something, and a person decides.
    Conflicts = 8,
    /// A conduit's sync left something to do.
    NotVerified = 9,
    /// Another sync holds the workspace.
    Locked = 75,
    /// Ctrl-C.
    Interrupted = 130,
}

impl Exit {
    /// The inverse of `as u8`, for codes that come from another process.
    pub fn from_code(code: u8) -> Self {
        use Exit::*;
        [
            Ok,
            Usage,
            Stopped,
            Moved,
            Auth,
            Network,
            Refused,
            Conflicts,
            NotVerified,
            Locked,
            Interrupted,
        ]
        .into_iter()
        .find(|exit| *exit as u8 == code)
        .unwrap_or(Error)
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit as u8)
    }
}
