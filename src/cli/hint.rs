//! From an error to what a person needs: the message, what to do next, the exit code.

use std::process::ExitCode;

use crate::{
    central::CentralError,
    plan::{folder::Refusal, guard::OtherProject},
    send_pack::connect::{ConnectError, FailureKind},
    stage::own::OwnError,
    sync::{SyncError, SyncErrorKind},
    text::{Untrusted, shell_word, shown},
    workspace::MetisDirError,
};

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
    /// Another sync holds the workspace.
    Locked = 75,
    /// Ctrl-C.
    Interrupted = 130,
}

impl Exit {
    /// The inverse of `as u8`, for codes that come from another process.
    pub fn from_code(code: u8) -> Self {
        use Exit::*;
        [Ok, Usage, Stopped, Moved, Auth, Network, Refused, Locked, Interrupted]
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

/// What to tell about a failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hint {
    /// What happened, in one line.
    pub message: String,
    /// What the server or its programs printed; may be empty.
    pub server_text: String,
    /// What was and was not changed.
    pub state: String,
    /// What to do.
    pub next: String,
    /// The exit code.
    pub exit: Exit,
}

/// Explains a sync that stopped. `url` is central's, without secrets.
pub fn of_sync(error: &SyncError, url: &str) -> Hint {
    let (message, next, exit) = explain(&error.kind, url);
    let report = &error.report;
    let pulled = match report.files_pulled() {
        0 => String::new(),
        1 => " One document of another workspace was hydrated before that.".into(),
        n => format!(" {n} documents of other workspaces were hydrated before that."),
    };
    let central = match &error.kind {
        SyncErrorKind::AnswerLost { .. } => {
            "Whether central took the push is not known; the next sync sees it and pushes nothing twice."
        }
        SyncErrorKind::Cache(_) => "metis.db is as it was.",
        _ if report.commit.is_some() => "What there was to push is in central.",
        _ => "Nothing was pushed.",
    };
    let server_text = match &error.kind {
        SyncErrorKind::Refused(refusal) => refusal.server_text.clone(),
        kind => kind.connection().map(|err| err.server_text.clone()).unwrap_or_default(),
    };
    Hint {
        message,
        server_text,
        state: format!("{central}{pulled}"),
        next,
        exit,
    }
}

/// Message, next step and exit code of an error that says nothing about what had been done.
pub fn explain(kind: &SyncErrorKind, url: &str) -> (String, String, Exit) {
    let own = kind.to_string();
    if kind.is_interruption() {
        return (
            "interrupted".into(),
            "Run the sync again when you like.".into(),
            Exit::Interrupted,
        );
    }
    if let SyncErrorKind::AnswerLost { .. } = kind {
        let next =
            "Run the sync again: it looks whether central has the push already, and sends it only if it has not.";
        return (own, next.into(), Exit::Network);
    }
    if let Some(err) = kind.connection() {
        return connection(err, url);
    }
    let with_branch = |branch: Option<&Untrusted>, others: &str, advice: &str| {
        let branch = toml_edit::Value::from(branch.map_or("", Untrusted::raw));
        let next = format!(
            "Set [sync] branch = {branch} {others}in .metis/config.toml and confirm it with `git metis-sync trust \
             sync.branch`, {advice}"
        );
        (own.clone(), next, Exit::Stopped)
    };
    let (next, exit) = match kind {
        SyncErrorKind::BranchGone { has_it, .. } if !has_it.is_empty() => {
            return with_branch(has_it.first(), "", "then sync again.");
        }
        SyncErrorKind::BranchGone { others, .. } => {
            return with_branch(
                others.first(),
                "(or another of them) ",
                "and sync with --adopt-central, if its history is the right one.",
            );
        }
        SyncErrorKind::NoBranch { others, .. } => {
            return with_branch(others.first(), "(or another of them) ", "then sync again.");
        }
        SyncErrorKind::MetisDir(MetisDirError::Foreign { path }) => {
            let next = format!(
                "If you trust who may write there, say so to git: `git config --global --add safe.directory {}`. Otherwise make \
                 a workspace in a folder of your own.",
                shell_word(&shown(path.parent().unwrap_or(path)).to_string())
            );
            return (own, next, Exit::Error);
        }
        SyncErrorKind::MetisDir(_) => (
            "Go to a folder with a .metis/ in it or above it, or set one up with `git metis-sync init --upstream URL`.",
            Exit::Error,
        ),
        SyncErrorKind::Config(_) => ("Mend config.toml, then sync again.", Exit::Error),
        SyncErrorKind::UpstreamUrl(_) => ("Use an https, http, ssh, git or file URL, or a path.", Exit::Error),
        SyncErrorKind::UpstreamInside { .. } => (
            "Name a repository outside of the project: `git metis-sync init --upstream URL`.",
            Exit::Error,
        ),
        SyncErrorKind::NoUpstream => ("Set it with `git metis-sync init --upstream URL`.", Exit::Error),
        SyncErrorKind::NoPrefix => (
            "Choose one with `git metis-sync init --prefix NAME`, or use --pull-only.",
            Exit::Error,
        ),
        SyncErrorKind::Dir(_) | SyncErrorKind::State(_) => ("Mend that, then sync again.", Exit::Error),
        SyncErrorKind::Locked { .. } => ("Try again when it is done.", Exit::Locked),
        SyncErrorKind::UpstreamChanged { .. } => (
            "If the change is meant, confirm it with `git metis-sync init --upstream URL`; if it came with a pull, ask who made it.",
            Exit::Stopped,
        ),
        SyncErrorKind::Unconfirmed(unconfirmed) => {
            let next = format!(
                "If the change is meant, confirm it with `git metis-sync trust {}`; if it came with a pull, ask who made it.",
                unconfirmed.key
            );
            return (own, next, Exit::Stopped);
        }
        SyncErrorKind::PrefixChanged { configured, remembered } => {
            let next = format!(
                "If the workspace has that name from now on, `git metis-sync workspace rename {remembered} {configured}` moves its \
                 folder in central. To begin {configured}/ beside it: `git metis-sync init --prefix {configured}`. If the change \
                 came with a pull and is not meant, put `prefix = \"{remembered}\"` back under [workspace] in config.toml."
            );
            return (own, next, Exit::Stopped);
        }
        SyncErrorKind::StateTracked { .. } => (
            "Take them out of git and out of the folder: `git rm -r -f .metis/.sync`, then commit, and sync again: what this \
             clone needs there it makes anew.",
            Exit::Stopped,
        ),
        SyncErrorKind::Rewound { .. } => (
            "Find out who rewrote central. To go on with its new history, use --adopt-central.",
            Exit::Stopped,
        ),
        SyncErrorKind::Stale { .. } => (
            "Pull first (git pull), or use --force to push what is here.",
            Exit::Stopped,
        ),
        SyncErrorKind::Diverged { .. } => (
            "Everything else was synced. Pull the other clone's changes (git pull) and merge them, or decide with `git metis-sync resolve`.",
            Exit::Stopped,
        ),
        SyncErrorKind::Own(OwnError::Unfinished(_)) => ("Finish it or abort it, then sync again.", Exit::Stopped),
        SyncErrorKind::Own(OwnError::NoBranch(_)) => (
            "Fetch it (git fetch), or let [sync] source in .metis/config.toml name the branch whose plans central has.",
            Exit::Stopped,
        ),
        SyncErrorKind::Own(OwnError::NoTree(_)) => (
            "Complete this clone (git fetch --unshallow, or git fsck if it is damaged), then sync again.",
            Exit::Error,
        ),
        SyncErrorKind::Own(OwnError::Dir(_)) => ("Mend that, then sync again.", Exit::Error),
        SyncErrorKind::OtherProject(OtherProject::Renamed { old, new }) => {
            let next = format!(
                "To rename it in central: `git metis-sync workspace rename {old} {new}`. If {old}/ is right, put `prefix = \
                 \"{old}\"` back under [workspace] in .metis/config.toml (`git pull`, if another clone renamed it)."
            );
            return (own, next, Exit::Stopped);
        }
        SyncErrorKind::OtherProject(OtherProject::RenamedElsewhere { old, new }) => {
            let next = format!(
                "`git metis-sync workspace rename {old} {new}` takes that over for this clone; `git pull` first, if the project's \
                 config.toml has the new name already."
            );
            return (own, next, Exit::Stopped);
        }
        SyncErrorKind::OtherProject(OtherProject::Retired(prefix)) => {
            let next = format!(
                "`git metis-sync workspace retire {prefix}` takes note of that in this clone, which goes on reading the others. To \
                 register it again: `git metis-sync init` after that."
            );
            return (own, next, Exit::Stopped);
        }
        SyncErrorKind::Folder(Refusal::Same(_)) => ("There is nothing to do.", Exit::Stopped),
        SyncErrorKind::Folder(Refusal::Reserved(_) | Refusal::Taken(_)) => ("Choose another name.", Exit::Stopped),
        SyncErrorKind::Folder(Refusal::NotOurs(_)) => (
            "Only a clone of that workspace can do this, once it has synced. `git metis-sync status` says which folder is this one's.",
            Exit::Stopped,
        ),
        SyncErrorKind::Folder(Refusal::Absent(_)) => (
            "`git metis-sync query workspace` lists those that there are; `git metis-sync init --prefix NAME` names a folder that is \
             still to be made.",
            Exit::Stopped,
        ),
        SyncErrorKind::OtherProject(_) => (
            "Choose another name with `git metis-sync init --prefix NAME`. If this is the same project with a rewritten history, use --adopt-project.",
            Exit::Stopped,
        ),
        SyncErrorKind::TooManyDeletes(_) => (
            "If they are meant to go, use --allow-deletes. Otherwise bring the files back first.",
            Exit::Stopped,
        ),
        SyncErrorKind::RetriesExhausted { .. } => ("Sync again, or allow more with --max-retries.", Exit::Moved),
        SyncErrorKind::OutOfTime { .. } => (
            "Sync again, or allow more time with [sync] deadline_seconds.",
            Exit::Moved,
        ),
        SyncErrorKind::Refused(_) => (
            "Ask who runs central what its rules are; the server's words are above.",
            Exit::Refused,
        ),
        SyncErrorKind::Cache(_) => (
            "Mend that, then run `git metis-sync rebuild-cache`: what is in our tables comes from the documents, and can be made anew.",
            Exit::Error,
        ),
        SyncErrorKind::Central(CentralError::Cache { .. }) => (
            "Mend that, or let XDG_CACHE_HOME name another folder, then sync again.",
            Exit::Error,
        ),
        SyncErrorKind::Central(CentralError::NoHome) => (
            "Set XDG_CACHE_HOME to a folder of your own, then sync again.",
            Exit::Error,
        ),
        SyncErrorKind::Central(_) => ("Sync again; if it stays like this, look at central.", Exit::Error),
        SyncErrorKind::Restless { .. } => ("Let the program that writes it finish, then sync again.", Exit::Error),
        SyncErrorKind::Unsupported(_) => ("Central needs a git server that offers it.", Exit::Error),
        SyncErrorKind::Mend(_) => ("Mend that by hand, then try again.", Exit::Error),
        SyncErrorKind::NeverSynced => ("Sync first: `git metis-sync`.", Exit::Error),
        SyncErrorKind::NoSuchWorkspace(_) => ("`git metis-sync query workspace` lists those there are.", Exit::Error),
        // Said above.
        SyncErrorKind::Interrupted | SyncErrorKind::AnswerLost { .. } => ("Sync again.", Exit::Error),
    };
    (own, next.into(), exit)
}

/// What is wrong with central, in one line.
pub fn explain_central(err: &CentralError, url: &str) -> String {
    match err {
        CentralError::Connect(err) => connection(err, url).0,
        other => other.to_string(),
    }
}

/// What to do where the server does not let us in. ssh's own words are shown besides; http has only a status.
fn let_in(err: &ConnectError, url: &str) -> String {
    if err.message.contains("Host key verification failed") {
        return "The host's key is not known on this machine: connect once with `ssh`, and compare the fingerprint."
            .into();
    }
    let detail = err.message.strip_prefix(&format!("cannot authenticate to {url}: "));
    let detail = match detail.filter(|detail| !err.server_text.contains(detail.trim())) {
        Some(detail) => format!("What came back: {}. ", detail.trim_end_matches('.')),
        None => String::new(),
    };
    format!("{detail}`git ls-remote` with central's address has to get in first; it takes the same way.")
}

fn connection(err: &ConnectError, url: &str) -> (String, String, Exit) {
    // Most errors of a connection say themselves with whom it was.
    let said = |start: String| match !url.is_empty() && err.message.contains(url) {
        true => err.message.clone(),
        false => format!("{start}: {}", err.message),
    };
    let without_url = match url {
        "" => err.message.clone(),
        url => err.message.replacen(url, "it", 1),
    };
    match err.kind {
        FailureKind::Unauthenticated => (
            format!("cannot authenticate to {url} — check SSH keys or credential helper"),
            let_in(err, url),
            Exit::Auth,
        ),
        FailureKind::Forbidden => (
            said(format!("{url} does not allow this")),
            "Ask whoever runs central for write access; an archived or read-only repository takes no pushes.".into(),
            Exit::Refused,
        ),
        FailureKind::Unreachable if err.message.contains("certificate") => (
            said(format!("cannot reach {url}")),
            "If its certificate is right, tell git of who signed it: http.sslCAInfo or GIT_SSL_CAINFO.".into(),
            Exit::Network,
        ),
        FailureKind::Unreachable => (
            said(format!("cannot reach {url}")),
            "Check the network and the address, then sync again.".into(),
            Exit::Network,
        ),
        FailureKind::TimedOut => (
            format!("cannot reach {url}: {without_url}"),
            "Check the network and the address, then sync again.".into(),
            Exit::Network,
        ),
        FailureKind::NoRepository => (
            format!("there is no repository at {url}"),
            "Check [sync] upstream_url in config.toml, and that you may read it.".into(),
            Exit::Error,
        ),
        FailureKind::Interrupted => (
            "interrupted".into(),
            "Sync again when you like.".into(),
            Exit::Interrupted,
        ),
        FailureKind::Refused => (
            err.message.clone(),
            "Check central's address, and what git's url.*.insteadOf makes of it.".into(),
            Exit::Error,
        ),
        FailureKind::NotGit => (
            said(format!("talking to {url} failed")),
            "The account must print nothing of its own when git logs in: look at the shell's start-up files on the server, and \
             whether the account is meant for git."
                .into(),
            Exit::Error,
        ),
        FailureKind::Protocol | FailureKind::Other => (
            said(format!("talking to {url} failed")),
            "Sync again; if it stays like this, look at central.".into(),
            Exit::Error,
        ),
    }
}
