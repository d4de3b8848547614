//! Plans that are not applied unless somebody says so.

use super::dehydrate::DehydratePlan;
use crate::{
    names::{ObjectId, Prefix},
    text::Untrusted,
};

/// A sync that would empty a good part of the owned folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooManyDeletes {
    /// Documents that would be removed from central.
    pub removed: usize,
    /// Documents that central holds for this workspace.
    pub held: usize,
}

/// Fewer removals than this are an ordinary day's work, unless they are all there is.
const FEW: usize = 5;

/// Stops a plan that removes all of the owned folder's documents, or more than half of them and at least five.
pub fn deletes(plan: &DehydratePlan, held: usize) -> Option<TooManyDeletes> {
    too_many_deletes(plan.remove.len(), held)
}

/// The same by number.
pub fn too_many_deletes(removed: usize, held: usize) -> Option<TooManyDeletes> {
    let all = removed > 0 && removed == held;
    let most = removed >= FEW && removed * 2 > held;
    (all || most).then_some(TooManyDeletes { removed, held })
}

/// The owned folder and this project do not belong together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OtherProject {
    /// Another project pushed the folder's documents.
    #[error(
        "{prefix}/ in central belongs to another project, or to another folder of this one (root commit {root}, {path})"
    )]
    Folder {
        /// The owned folder.
        prefix: Prefix,
        /// A commit without parents of that project.
        root: ObjectId,
        /// Where its `.metis/` lies.
        path: Untrusted,
    },
    /// A version in central was made from a commit without anything in common with this project.
    #[error("central's documents were made from commit {0}, which has no history in common with this project")]
    Unrelated(ObjectId),
    /// This project is in central under another name.
    #[error("this project is in central as {old}/ already, and config.toml says {new}/")]
    Renamed {
        /// The folder that it has.
        old: Prefix,
        /// The one it would get.
        new: Prefix,
    },
    /// Another clone of this workspace renamed its folder.
    #[error("another clone of this workspace renamed {old}/ to {new}/ in central")]
    RenamedElsewhere {
        /// The folder that this clone has written.
        old: Prefix,
        /// The one that took its place.
        new: Prefix,
    },
    /// Another clone of this workspace retired it.
    #[error("another clone of this workspace retired it: central has no {0}/ any more")]
    Retired(Prefix),
}

/// Where a project has the workspace of the owned folder: at the place that central's commit names, and here. For each the
/// commit that both histories go back to is asked, and that of the other side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Places {
    /// The place that central's commit names, in the common commit.
    pub theirs_before: bool,
    /// The same in the commit that is synced from.
    pub theirs_here: bool,
    /// The place here, in the common commit.
    pub ours_before: bool,
    /// The same in the commit that central's version was made from.
    pub ours_there: bool,
}

impl Places {
    /// Whether the two places are those of one workspace that was moved, here or there: it went from where it had been.
    /// Two workspaces that stand beside each other are two.
    pub fn is_moved(self) -> bool {
        (self.theirs_before && !self.theirs_here) || (self.ours_before && !self.ours_there)
    }
}

/// How central's head relates to the commit that this clone saw last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lineage {
    /// Nothing was seen before, or the head is the same.
    Same,
    /// The head has the last seen commit in its history.
    Descends,
    /// It has not: central was rewound or force-pushed, or its branch is gone.
    Rewound,
}

/// Whether the work may go on with central in this state.
pub fn lineage(lineage: Lineage, adopt_central: bool) -> Result<(), Lineage> {
    match lineage {
        Lineage::Rewound if !adopt_central => Err(Lineage::Rewound),
        _ => Ok(()),
    }
}

/// What it means that central does not have the branch that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MissingBranch {
    /// The first push makes it.
    Begins,
    /// Nobody named a branch, central's `HEAD` names none of those that there are, and a new one would be a second history.
    NotNamed,
    /// It was there: this commit was seen on it. One of the others may have it.
    Gone(ObjectId),
    /// The same, and nothing else is there either.
    Emptied,
}

/// Decides by the commit seen last, whether config.toml names the branch, and whether central has others.
pub fn missing_branch(seen: Option<ObjectId>, chosen: bool, has_others: bool) -> MissingBranch {
    match (seen, has_others) {
        (Some(seen), true) => MissingBranch::Gone(seen),
        (Some(_), false) => MissingBranch::Emptied,
        (None, true) if !chosen => MissingBranch::NotNamed,
        (None, _) => MissingBranch::Begins,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn removing(count: usize) -> DehydratePlan {
        DehydratePlan {
            remove: (0..count).map(|n| format!("A-T-{n:04}").parse().unwrap()).collect(),
            ..Default::default()
        }
    }

    #[test]
    fn a_second_history_is_begun_on_request_only() {
        let seen = ObjectId::from_bytes(&[1; 20]);
        for (seen, chosen, has_others, means) in [
            (None, false, false, MissingBranch::Begins),
            (None, true, true, MissingBranch::Begins),
            (None, false, true, MissingBranch::NotNamed),
            (seen, true, true, MissingBranch::Gone(seen.unwrap())),
            (seen, false, true, MissingBranch::Gone(seen.unwrap())),
            (seen, false, false, MissingBranch::Emptied),
        ] {
            assert_eq!(missing_branch(seen, chosen, has_others), means);
        }
    }

    #[test]
    fn removing_all_or_most_stops() {
        for (removed, held, stops) in [
            (0, 0, false),
            (0, 10, false),
            (1, 1, true),
            (3, 3, true),
            (4, 5, false),
            (5, 9, true),
            (5, 10, false),
            (6, 10, true),
            (400, 1000, false),
            (501, 1000, true),
        ] {
            assert_eq!(
                deletes(&removing(removed), held).is_some(),
                stops,
                "{removed} of {held}"
            );
        }
    }

    #[test]
    fn a_workspace_moves_only_from_where_it_was() {
        for (theirs_before, theirs_here, ours_before, ours_there, is_moved) in [
            (true, false, false, false, true),
            (false, true, true, false, true),
            (true, true, false, false, false),
            (false, true, false, false, false),
            (true, true, true, true, false),
            (false, false, false, false, false),
        ] {
            let places = Places {
                theirs_before,
                theirs_here,
                ours_before,
                ours_there,
            };
            assert_eq!(places.is_moved(), is_moved, "{places:?}");
        }
    }

    #[test]
    fn a_rewound_central_stops_until_it_is_adopted() {
        assert!(lineage(Lineage::Rewound, false).is_err());
        assert!(lineage(Lineage::Rewound, true).is_ok());
        assert!(lineage(Lineage::Descends, false).is_ok());
        assert!(lineage(Lineage::Same, false).is_ok());
    }
}
