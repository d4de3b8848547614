//! Variables: those that are for us, and those that the worker gets.

use std::{
    ffi::{OsStr, OsString},
    path::Path,
};

use super::Event;

/// `0` turns the hooks off.
pub const SWITCH: &str = "METIS_SYNC";
/// Set for everything that a hook starts: what that does to repositories must not start us again.
pub const INSIDE: &str = "METIS_SYNC_INSIDE_HOOK";
/// Only answer, to show that the hook fires; the value is to be repeated.
pub const PROBE: &str = "METIS_SYNC_PROBE";

/// What the environment says before anything is looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Signal {
    /// Sync.
    Sync,
    /// Do nothing.
    Nothing,
    /// Answer with this.
    Answer(String),
}

/// Reads the variables that are for us.
pub fn signal(env: &dyn Fn(&str) -> Option<OsString>) -> Signal {
    if let Some(nonce) = env(PROBE) {
        return Signal::Answer(nonce.to_string_lossy().into_owned());
    }
    let off = env(SWITCH).is_some_and(|value| value == "0");
    if off || env(INSIDE).is_some() {
        return Signal::Nothing;
    }
    Signal::Sync
}

/// What a hook that fires says under [`PROBE`], called for `folder`.
pub fn answer(nonce: &str, event: Event, folder: &Path) -> String {
    let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    format!("metis-sync {event} fires {nonce} in {folder:?}")
}

/// The variables that whatever runs in the background gets.
pub fn kept() -> impl Iterator<Item = (OsString, OsString)> {
    std::env::vars_os().filter(|(name, _)| keeps(name))
}

/// Whether the worker gets this variable.
///
/// Of git's own it gets those that say how to reach and trust a server and where git and its settings are. All others are
/// about the command that runs right now: its repository, index, quarantine, parameters, author, editor, push options.
pub(super) fn keeps(name: &OsStr) -> bool {
    const KEPT: [&str; 13] = [
        "GIT_ALLOW_PROTOCOL",
        "GIT_CEILING_DIRECTORIES",
        "GIT_CONFIG_GLOBAL",
        "GIT_CONFIG_NOSYSTEM",
        "GIT_CONFIG_SYSTEM",
        "GIT_DISCOVERY_ACROSS_FILESYSTEM",
        "GIT_EXEC_PATH",
        "GIT_PROXY_COMMAND",
        "GIT_PROXY_SSL_CAINFO",
        "GIT_SSH",
        "GIT_SSH_COMMAND",
        "GIT_SSH_VARIANT",
        "GIT_USER_AGENT",
    ];
    let Some(name) = name.to_str() else { return true };
    // A window of an askpass program is a question too.
    if matches!(name, "SSH_ASKPASS" | PROBE) {
        return false;
    }
    !name.starts_with("GIT_") || name.starts_with("GIT_SSL_") || name.starts_with("GIT_HTTP_") || KEPT.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_environment_orders() {
        let given = |pairs: &'static [(&str, &str)]| {
            signal(&|name| {
                let value = pairs.iter().find(|(given, _)| *given == name)?.1;
                Some(value.into())
            })
        };
        assert_eq!(given(&[]), Signal::Sync);
        assert_eq!(given(&[(SWITCH, "1")]), Signal::Sync);
        assert_eq!(given(&[(SWITCH, "0")]), Signal::Nothing);
        assert_eq!(given(&[(INSIDE, "1")]), Signal::Nothing);
        assert_eq!(given(&[(SWITCH, "0"), (PROBE, "x")]), Signal::Answer("x".into()));
    }

    #[test]
    fn the_command_that_runs_right_now_is_not_the_workers_affair() {
        for name in [
            "GIT_DIR",
            "GIT_INDEX_FILE",
            "GIT_WORK_TREE",
            "GIT_PREFIX",
            "GIT_OBJECT_DIRECTORY",
            "GIT_ALTERNATE_OBJECT_DIRECTORIES",
            "GIT_QUARANTINE_PATH",
            "GIT_CONFIG_PARAMETERS",
            "GIT_CONFIG_COUNT",
            "GIT_CONFIG_KEY_0",
            "GIT_AUTHOR_NAME",
            "GIT_COMMITTER_DATE",
            "GIT_ASKPASS",
            "GIT_REFLOG_ACTION",
            "GIT_SOMETHING_NEW",
            "SSH_ASKPASS",
        ] {
            assert!(!keeps(name.as_ref()), "{name}");
        }
        for name in [
            "PATH",
            "HOME",
            "SSH_AUTH_SOCK",
            "GIT_SSH_COMMAND",
            "GIT_SSL_CAINFO",
            "https_proxy",
        ] {
            assert!(keeps(name.as_ref()), "{name}");
        }
    }
}
