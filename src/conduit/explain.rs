//! From an error of a conduit to what a person needs, by the table of all stops.

use super::ConduitError;
use crate::{
    plan::conduit::guard,
    sync::{
        SyncErrorKind,
        stop::{self, Hint, Row, Stop},
    },
    text::shell_word,
};

/// Explains why the conduit `name` was not synced.
pub fn explain(error: &ConduitError, name: &str) -> Hint {
    let told = |kind: &SyncErrorKind, url: &str| Hint {
        state: state(error).into(),
        ..stop::explain(kind, url)
    };
    match error {
        ConduitError::Workspace(kind) => told(kind, ""),
        ConduitError::Central { kind, url, .. } => told(kind, url),
        error => stop::of_row(&row(error, name), error.to_string(), state(error)),
    }
}

/// What was and was not changed.
fn state(error: &ConduitError) -> &'static str {
    match error {
        ConduitError::Interrupted | ConduitError::OutOfTime => {
            "What was done until then is recorded, and nothing is lost."
        }
        ConduitError::Central {
            kind, is_begun: true, ..
        } => match **kind {
            SyncErrorKind::AnswerLost { .. } => {
                "Whether central took the push is not known; the next sync sees it. Nothing was deleted here."
            }
            _ => "Nothing was pushed, and nothing was deleted here; what was copied here is recorded.",
        },
        _ => "Nothing was changed.",
    }
}

fn row(error: &ConduitError, name: &str) -> Row {
    let named = |stop, name: &str| Row::from(stop).with("name", name);
    match error {
        ConduitError::Workspace(kind) => stop::row(kind),
        ConduitError::Central { kind, .. } => stop::row(kind),
        ConduitError::Dir(err) => stop::dir(err).into(),
        ConduitError::State(err) => stop::state(err).into(),
        ConduitError::Definition { .. } => Stop::ConduitDefinition.into(),
        ConduitError::Syntax(_) => Stop::ConfigSyntax.into(),
        ConduitError::Unknown(_) => Stop::NoConduit.into(),
        ConduitError::Exists(name) => named(Stop::ConduitExists, name),
        ConduitError::NotEnabled { name, .. } => named(Stop::NotEnabled, name),
        ConduitError::Endpoint { .. } => Stop::Endpoint.into(),
        ConduitError::Unmounted { .. } => named(Stop::Unmounted, name),
        ConduitError::Overlap(_) => Stop::Overlap.into(),
        ConduitError::Stopped(guard::Stop::FirstMirror { .. }) => named(Stop::FirstMirror, name),
        ConduitError::Stopped(_) => named(Stop::ConduitDeletes, name),
        ConduitError::Unfinished(what) => Row::from(Stop::Unfinished).with("commands", stop::ends(what)),
        ConduitError::OtherBranch(branch) => {
            Row::from(Stop::OtherBranch).with("branch", shell_word(&branch.to_string()))
        }
        ConduitError::Busy(_) => Stop::Locked.into(),
        ConduitError::NoGeneration { name, .. } => named(Stop::NoGeneration, name),
        ConduitError::NotWaiting(_) => named(Stop::NotWaiting, name),
        ConduitError::NoBase(path) => named(Stop::NoBase, name).with("path", shell_word(&path.to_string())),
        ConduitError::Rewound { .. } => named(Stop::ConduitRewound, name),
        ConduitError::OtherWriter { .. } => named(Stop::OtherWriter, name),
        ConduitError::TooMuch { limit } => Row::from(Stop::ConduitLimit).with("key", limit),
        ConduitError::NoRoom { .. } => Stop::Full.into(),
        ConduitError::Interrupted => Stop::Interrupted.into(),
        ConduitError::OutOfTime => Stop::OutOfTime.into(),
    }
}
