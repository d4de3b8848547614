//! Where a workspace stands towards central, in one word for the whole and one for each folder.

use serde::Serialize;

use super::hydrate::FolderPlan;
use crate::text::Untrusted;

/// The whole workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// This clone has never synced.
    NeverSynced,
    /// A sync would change nothing.
    UpToDate,
    /// A sync would push.
    Ahead,
    /// A sync would pull, or central has newer versions of own documents.
    Behind,
    /// Both.
    AheadAndBehind,
    /// A sync would stop.
    Stopped,
}

/// Decides from what a sync would find.
pub fn standing(synced_before: bool, stops: bool, ahead: bool, behind: bool) -> Standing {
    match (stops, synced_before, ahead, behind) {
        (true, ..) => Standing::Stopped,
        (false, false, ..) => Standing::NeverSynced,
        (false, true, false, false) => Standing::UpToDate,
        (false, true, true, false) => Standing::Ahead,
        (false, true, false, true) => Standing::Behind,
        (false, true, true, true) => Standing::AheadAndBehind,
    }
}

/// The folder of another workspace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "state")]
pub enum FolderStanding {
    /// At central's tree, or at the one of the last sync where central is not known.
    InStep,
    /// Central has something newer.
    Outdated {
        /// Files to write.
        write: usize,
        /// Files to remove.
        remove: usize,
    },
    /// Not here yet.
    New {
        /// Files to write.
        write: usize,
    },
    /// It was here, and somebody removed the folder.
    Missing {
        /// Files to write.
        write: usize,
    },
    /// A sync was cut short in it, or nothing is known of its content: the next one looks at every file.
    Unfinished,
    /// The workspace is gone from central.
    Gone {
        /// Files to remove.
        remove: usize,
    },
    /// It cannot be hydrated.
    Blocked {
        /// Why.
        reason: Untrusted,
    },
}

impl FolderStanding {
    /// Whether a sync has nothing to do in it.
    pub fn is_in_step(&self) -> bool {
        *self == FolderStanding::InStep
    }

    /// One word for it.
    pub fn word(&self) -> &'static str {
        match self {
            FolderStanding::InStep => "in-step",
            FolderStanding::Outdated { .. } => "outdated",
            FolderStanding::New { .. } => "new",
            FolderStanding::Missing { .. } => "missing",
            FolderStanding::Unfinished => "unfinished",
            FolderStanding::Gone { .. } => "gone",
            FolderStanding::Blocked { .. } => "blocked",
        }
    }
}

/// What there is of a folder on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// Nothing.
    Absent,
    /// A folder whose marker says that it is whole.
    Whole,
    /// A folder of ours that may hold anything.
    Doubtful,
}

/// Decides for one folder. `work`: what a sync would do in it, `None` if nothing. `was_here`: the last sync left it.
pub fn folder(presence: Presence, work: Option<&FolderPlan>, was_here: bool) -> FolderStanding {
    let Some(work) = work else {
        return match presence {
            Presence::Whole => FolderStanding::InStep,
            Presence::Absent => FolderStanding::Missing { write: 0 },
            Presence::Doubtful => FolderStanding::Unfinished,
        };
    };
    let (write, remove) = (work.write.len(), work.remove.len());
    match presence {
        Presence::Whole => FolderStanding::Outdated { write, remove },
        Presence::Absent if was_here => FolderStanding::Missing { write },
        Presence::Absent => FolderStanding::New { write },
        Presence::Doubtful => FolderStanding::Unfinished,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stop_outweighs_everything_and_a_first_sync_the_rest() {
        assert_eq!(standing(false, true, true, true), Standing::Stopped);
        assert_eq!(standing(false, false, true, true), Standing::NeverSynced);
        for (ahead, behind, expected) in [
            (false, false, Standing::UpToDate),
            (true, false, Standing::Ahead),
            (false, true, Standing::Behind),
            (true, true, Standing::AheadAndBehind),
        ] {
            assert_eq!(standing(true, false, ahead, behind), expected);
        }
    }

    #[test]
    fn a_folder_is_told_by_what_is_there_and_what_is_due() {
        let nothing = FolderPlan::default();
        assert!(folder(Presence::Whole, None, true).is_in_step());
        assert_eq!(
            folder(Presence::Absent, None, true),
            FolderStanding::Missing { write: 0 },
            "somebody removed an empty folder"
        );
        assert_eq!(folder(Presence::Absent, Some(&nothing), false).word(), "new");
        assert_eq!(folder(Presence::Absent, Some(&nothing), true).word(), "missing");
        assert_eq!(folder(Presence::Whole, Some(&nothing), true).word(), "outdated");
        for work in [None, Some(&nothing)] {
            let doubtful = folder(Presence::Doubtful, work, true);
            assert_eq!(doubtful.word(), "unfinished");
            assert!(!doubtful.is_in_step());
        }
    }

    #[test]
    fn a_folder_goes_by_the_same_word_in_text_and_in_json() {
        for standing in [
            FolderStanding::InStep,
            FolderStanding::Outdated { write: 1, remove: 2 },
            FolderStanding::New { write: 1 },
            FolderStanding::Missing { write: 1 },
            FolderStanding::Unfinished,
            FolderStanding::Gone { remove: 1 },
            FolderStanding::Blocked {
                reason: "a file is in the way".into(),
            },
        ] {
            assert_eq!(serde_json::to_value(&standing).unwrap()["state"], standing.word());
        }
    }
}
