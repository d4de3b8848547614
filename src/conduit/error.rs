//! Why a conduit was not synced.

use std::path::PathBuf;

use crate::{
    central::CentralError,
    fs::DirError,
    plan::conduit::{Side, guard::Stop},
    state::{files::StateError, lock::LockError},
    sync::SyncErrorKind,
    text::{Untrusted, UntrustedName, shown},
    workspace::ConfigFile,
};

/// See the variants. Nothing was changed by a sync that ends with one of these, but for [`Interrupted`](Self::Interrupted).
#[derive(Debug, thiserror::Error)]
pub enum ConduitError {
    /// The workspace cannot be used.
    #[error(transparent)]
    Workspace(#[from] SyncErrorKind),
    /// Central cannot be worked with.
    #[error("{kind}")]
    Central {
        /// Why.
        kind: Box<SyncErrorKind>,
        /// Central as it is shown.
        url: String,
        /// What goes to the folder was copied by then.
        is_begun: bool,
    },
    /// The branch does not have the commit that this clone saw last.
    #[error("{branch} {}", match is_gone {
        true => "in central is gone",
        false => "in central was rewound, or made anew: it does not have the commit that this clone saw last",
    })]
    Rewound {
        /// The branch.
        branch: UntrustedName,
        /// It is not there at all.
        is_gone: bool,
    },
    /// A mirror would write where others do, or others where a mirror does.
    #[error("{branch} in central is not this conduit's to write: {why}")]
    OtherWriter {
        /// The branch.
        branch: UntrustedName,
        /// Who writes it.
        why: String,
    },
    /// The branch holds more than a sync takes.
    #[error("the branch in central has more {} than sync.limits.{limit} allows", match *limit {
        "entries" => "files",
        _ => "bytes",
    })]
    TooMuch {
        /// The key.
        limit: &'static str,
    },
    /// Something in a folder could not be read or written.
    #[error(transparent)]
    Dir(#[from] DirError),
    /// The same of this clone's state.
    #[error(transparent)]
    State(#[from] StateError),
    /// A definition breaks a rule.
    #[error("{file}: sync.conduits.{name}: {rule}")]
    Definition {
        /// The conduit.
        name: Untrusted,
        /// Where it is defined.
        file: ConfigFile,
        /// What is wrong.
        rule: Untrusted,
    },
    /// A file of the configuration is no TOML.
    #[error("{0} is not valid TOML, so it was left alone")]
    Syntax(ConfigFile),
    /// There is none of this name.
    #[error("there is no conduit {0}")]
    Unknown(String),
    /// There is one of this name.
    #[error("there is a conduit {0} already")]
    Exists(String),
    /// This clone's user did not confirm the definition.
    #[error("the conduit {name} {}", match changed {
        true => "was changed since it was enabled in this clone",
        false => "is not enabled in this clone",
    })]
    NotEnabled {
        /// The conduit.
        name: String,
        /// Whether an earlier definition was confirmed.
        changed: bool,
    },
    /// An endpoint cannot be used.
    #[error("{}, {} of the conduit, {reason}", shown(path), side.name())]
    Endpoint {
        /// Which.
        side: Side,
        /// Its folder.
        path: PathBuf,
        /// Why.
        reason: Untrusted,
    },
    /// A side, or a folder in it, was on a disk at the last sync, and something else lies there.
    #[error("{}{} was on a disk of its own at the last sync, and that is not mounted", side.name(), match inside {
        Some(folder) => format!(": {folder}"),
        None => String::new(),
    })]
    Unmounted {
        /// Which.
        side: Side,
        /// The folder in it.
        inside: Option<UntrustedName>,
    },
    /// The endpoints of one conduit, or of two, get in each other's way.
    #[error("{0}")]
    Overlap(Untrusted),
    /// It looks like an accident.
    #[error("{}", stopped(*.0))]
    Stopped(Stop),
    /// git is in the middle of something in the project.
    #[error("{0} is not finished in this project, and its files are not what anybody means to share")]
    Unfinished(&'static str),
    /// The project's files come from another branch than the one that is checked out.
    #[error("the project's source is the branch {0}, and another one is checked out")]
    OtherBranch(Untrusted),
    /// Somebody else syncs this workspace, or the same folder for another project.
    #[error("another sync is running here: {0}")]
    Busy(Untrusted),
    /// There is no such generation.
    #[error("the conduit {name} has no generation {number}")]
    NoGeneration {
        /// The conduit.
        name: String,
        /// What was asked for.
        number: u64,
    },
    /// A path that was to be decided does not wait.
    #[error("{0} does not wait for a decision")]
    NotWaiting(String),
    /// What was to be taken cannot be had.
    #[error("the version of {0} that both sides had in common is nowhere any more")]
    NoBase(Untrusted),
    /// The disk of a side is too full.
    #[error("{} has no room for the {needed} bytes that would come there: {free} are free", side.name())]
    NoRoom {
        /// The side.
        side: Side,
        /// Bytes of files that would be written.
        needed: u64,
        /// Bytes that are free.
        free: u64,
    },
    /// Ctrl-C. What was done until then is recorded.
    #[error("interrupted")]
    Interrupted,
    /// The time for the whole sync is over. What was done until then is recorded.
    #[error("the time for the whole sync was over before it was done")]
    OutOfTime,
}

impl From<CentralError> for ConduitError {
    fn from(error: CentralError) -> Self {
        ConduitError::Workspace(error.into())
    }
}

impl From<LockError> for ConduitError {
    fn from(error: LockError) -> Self {
        match error {
            LockError::Held { holder, .. } => ConduitError::Busy(
                holder.map_or_else(|| "it does not say which".into(), |holder| holder.to_string().into()),
            ),
            LockError::State(error) => error.into(),
        }
    }
}

fn stopped(stop: Stop) -> String {
    match stop {
        Stop::Emptied(side) => format!("{} is empty, and it was not at the last sync", side.name()),
        Stop::Deletes(side, deletes) => format!(
            "the sync would delete {} of the {} files in {}",
            deletes.removed,
            deletes.held,
            side.name()
        ),
        Stop::Edits { side, edited, held } => {
            format!(
                "the sync would overwrite {edited} of the {held} files in {}",
                side.name()
            )
        }
        Stop::FirstMirror { touched } => format!(
            "the first sync of this mirror would replace or delete {touched} files in beta that did not come from it"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::is_hidden;

    #[test]
    fn definitions_are_quoted_escaped() {
        let hostile = "a\u{1b}[2J\u{202e}";
        for error in [
            ConduitError::Overlap(hostile.into()),
            ConduitError::OtherBranch(hostile.into()),
            ConduitError::Definition {
                name: hostile.into(),
                file: ConfigFile::Shared,
                rule: hostile.into(),
            },
        ] {
            let text = format!("{error} {error:?}");
            assert!(text.contains("u{1b}[2J") && !text.contains(is_hidden), "{text:?}");
        }
    }
}
