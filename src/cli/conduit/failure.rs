//! Why something was not done with a conduit, and what to do about it.

use serde_json::json;

use super::super::{Exit, Global, colour::Paint, render};
use crate::{
    conduit::ConduitError,
    sync::{
        SyncErrorKind,
        stop::{self, Hint},
    },
    text::{escaped, shell_word},
};

/// Prints why something was not done, and returns the exit code. In the JSON of a sync it stands already.
pub fn tell(global: &Global, error: &ConduitError, of_sync: Option<&str>) -> Exit {
    if let Some((word, mut hint)) = of_central(error) {
        if let Some(name) = of_sync {
            hint.message = format!("{name}: {}", hint.message.raw()).into();
        }
        let global = Global {
            json: global.json && of_sync.is_none(),
            ..global.clone()
        };
        render::failure(&global, "conduit", word, &hint, None);
        return hint.exit;
    }
    let (kind, next, exit) = explain(error, of_sync.unwrap_or("NAME"));
    let message = match of_sync {
        Some(name) => format!("{name}: {error}"),
        None => error.to_string(),
    };
    let state = match error {
        ConduitError::Interrupted => "What was done until then is recorded, and nothing is lost.",
        _ => "Nothing was changed.",
    };
    if global.json && of_sync.is_none() {
        let told = json!({ "kind": kind, "message": message, "state": state, "next": next, "exit": exit as u8 });
        render::print_json(&render::document(
            "conduit",
            json!({ "outcome": "failed", "error": told }),
        ));
    }
    let head = Paint::stderr(global).red("error:");
    mention!("{head} {}\n  {state}\n  {next}", escaped(&message));
    exit
}

/// What a sync of documents may stop with too, told as it is there.
fn of_central(error: &ConduitError) -> Option<(&'static str, Hint)> {
    let (kind, url, is_begun) = match error {
        ConduitError::Workspace(kind) => (kind, "", false),
        ConduitError::Central { kind, url, is_begun } => (&**kind, url.as_str(), *is_begun),
        _ => return None,
    };
    let state = match (is_begun, kind) {
        (false, _) => "Nothing was changed.",
        (true, SyncErrorKind::AnswerLost { .. }) => {
            "Whether central took the push is not known; the next sync sees it. Nothing was deleted here."
        }
        (true, _) => "Nothing was pushed, and nothing was deleted here; what was copied here is recorded.",
    };
    let hint = Hint {
        state: state.into(),
        ..stop::explain(kind, url)
    };
    Some((kind.word(), hint))
}

/// A word for scripts, what to do, and the exit code.
fn explain(error: &ConduitError, name: &str) -> (&'static str, String, Exit) {
    use ConduitError::*;
    match error {
        Workspace(_) | Central { .. } => ("workspace", String::new(), Exit::Error),
        Rewound { .. } => (
            "rewound",
            format!(
                "If that is meant: `git metis-sync conduit sync {name} --adopt-central` takes it as a first sync, which deletes \
                 nothing."
            ),
            Exit::Stopped,
        ),
        OtherWriter { .. } => (
            "other-writer",
            format!(
                "Use another name for the branch, or, if it shall be this conduit's from now on: `git metis-sync conduit sync {name} \
                 --accept-first`."
            ),
            Exit::Stopped,
        ),
        TooMuch(_) => (
            "too-much",
            "Raise `sync.limits.entries` or `sync.limits.total_bytes` in config.toml, or remove what does not belong there from \
             the branch."
                .into(),
            Exit::Stopped,
        ),
        Dir(_) | State(_) => ("io", "Mend that, then run the same command again.".into(), Exit::Error),
        Definition { .. } | Syntax(_) => (
            "definition",
            "Correct it, then run the same command again.".into(),
            Exit::Error,
        ),
        Unknown(_) => (
            "unknown",
            "`git metis-sync conduit list` shows those that there are.".into(),
            Exit::Error,
        ),
        Exists(name) => (
            "exists",
            format!("`git metis-sync conduit remove {name}` takes it away."),
            Exit::Error,
        ),
        NotEnabled { name, .. } => (
            "not-enabled",
            format!(
                "`git metis-sync conduit show {name}` shows it, `git metis-sync conduit enable {name}` confirms it."
            ),
            Exit::Stopped,
        ),
        Endpoint { .. } => (
            "endpoint",
            "Make the folder, mount it or put it back; what was synced before is remembered.".into(),
            Exit::Stopped,
        ),
        Overlap(_) => ("overlap", "Tie folders that lie apart.".into(), Exit::Stopped),
        Stopped(crate::plan::conduit::guard::Stop::FirstMirror { .. }) => (
            "stopped",
            format!("If that is meant: `git metis-sync conduit sync {name} --accept-first`."),
            Exit::Stopped,
        ),
        Stopped(_) => (
            "stopped",
            format!("If that is meant: `git metis-sync conduit sync {name} --accept-deletes`."),
            Exit::Stopped,
        ),
        Unfinished(_) => (
            "unfinished",
            "Finish or abort it, then sync again.".into(),
            Exit::Stopped,
        ),
        OtherBranch(branch) => (
            "other-branch",
            format!("`git switch {}`, then sync again.", shell_word(&branch.to_string())),
            Exit::Stopped,
        ),
        Busy(_) => ("locked", "Try again when it is done.".into(), Exit::Locked),
        NoGeneration { name, .. } => (
            "no-generation",
            format!("`git metis-sync conduit history {name}` lists those that there are."),
            Exit::Error,
        ),
        NotWaiting(_) => (
            "not-waiting",
            format!("`git metis-sync conduit sync {name} --dry-run` lists what does."),
            Exit::Error,
        ),
        Interrupted => (
            "interrupted",
            "Run the sync again when you like.".into(),
            Exit::Interrupted,
        ),
    }
}
