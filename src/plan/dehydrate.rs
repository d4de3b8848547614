//! What this workspace pushes: a verdict for each document ([`newer`](super::newer)) becomes a plan for all of them.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{
    listing::Documents,
    newer::{Verdict, Versions, Why},
};
use crate::names::{ObjectId, Prefix, ShortCode};

/// Central's version stays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Behind {
    /// The document.
    pub code: ShortCode,
    /// What central has in comparison.
    pub change: CentralChange,
    /// Why it stays.
    pub why: Why,
    /// Whether it comes with `git pull`: the project's remote has the commit that it was made from.
    #[serde(default)]
    pub pull: bool,
}

/// What central has of a document in comparison with here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CentralChange {
    /// Present there, not here.
    Added,
    /// Another version.
    Changed,
    /// Not there, but here.
    Removed,
}

/// Each side has something that the other one lacks, or it cannot be told which is newer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conflict {
    /// The document.
    pub code: ShortCode,
    /// The last common version, if known.
    pub base: Option<ObjectId>,
    /// The file here. `None`: removed here.
    pub local: Option<ObjectId>,
    /// The blob there. `None`: removed there.
    pub central: Option<ObjectId>,
}

/// A document that another workspace's folder in central holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Foreign {
    /// The document.
    pub code: ShortCode,
    /// Whose it is.
    pub owner: Prefix,
}

/// Documents whose absence from the scan proves nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Protected {
    /// These do not count as deleted, nor as changed.
    pub codes: BTreeSet<ShortCode>,
    /// Something could not be read whose code cannot be told: no absent document counts as deleted.
    pub all_absent: bool,
}

impl Protected {
    /// Whether the document `code`, which the scan found or not, is to be left alone.
    pub fn covers(&self, code: &ShortCode, found: bool) -> bool {
        self.codes.contains(code) || (self.all_absent && !found)
    }
}

/// The outcome of comparing all documents.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DehydratePlan {
    /// Documents whose local version goes to central.
    pub push: Documents,
    /// Documents to take out of central.
    pub remove: BTreeSet<ShortCode>,
    /// Documents of which central's version stays.
    pub behind: Vec<Behind>,
    /// Documents that nobody but a person can decide.
    pub conflicts: Vec<Conflict>,
    /// Documents that belong to another workspace.
    pub foreign: Vec<Foreign>,
    /// Documents of which both have the same version. `None`: neither has any.
    pub in_step: BTreeMap<ShortCode, Option<ObjectId>>,
}

impl DehydratePlan {
    /// Whether central's owned folder stays as it is.
    pub fn changes_nothing(&self) -> bool {
        self.push.is_empty() && self.remove.is_empty()
    }
}

/// Puts the verdicts of all documents together. With `force`, the version here wins where it would stay behind or where
/// nobody can tell, except that what is not here is never removed for that.
///
/// `owners`: other workspaces that hold a document of the same code. Such a document is pushed only where this workspace's
/// folder has it already.
pub fn plan(
    documents: impl IntoIterator<Item = (ShortCode, Versions, Verdict)>,
    owners: &BTreeMap<ShortCode, Prefix>,
    force: bool,
) -> DehydratePlan {
    let mut plan = DehydratePlan::default();
    for (code, versions, verdict) in documents {
        let Versions { here, central, noted } = versions;
        let verdict = match verdict {
            Verdict::Behind(_) if force && here.is_some() => Verdict::Push,
            Verdict::Diverged if force => Verdict::Push,
            verdict => verdict,
        };
        match verdict {
            Verdict::InStep => {
                plan.in_step.insert(code, here);
            }
            Verdict::Push => match (here, owners.get(&code)) {
                (Some(_), Some(owner)) if central.is_none() => {
                    let owner = owner.clone();
                    plan.foreign.push(Foreign { code, owner });
                }
                (Some(blob), _) => {
                    plan.push.insert(code, blob);
                }
                (None, _) => {
                    plan.remove.insert(code);
                }
            },
            Verdict::Behind(why) => {
                let change = match (here, central) {
                    (None, _) => CentralChange::Added,
                    (Some(_), None) => CentralChange::Removed,
                    (Some(_), Some(_)) => CentralChange::Changed,
                };
                plan.behind.push(Behind {
                    code,
                    change,
                    why,
                    pull: false,
                });
            }
            Verdict::Diverged => plan.conflicts.push(Conflict {
                code,
                base: noted.and_then(|noted| noted.version),
                local: here,
                central,
            }),
        }
    }
    plan
}

#[cfg(test)]
mod tests {
    use super::{super::newer::Noted, *};

    fn id(n: u8) -> Option<ObjectId> {
        (n > 0).then(|| ObjectId::from_bytes(&[n; 20]).unwrap())
    }

    fn code() -> ShortCode {
        "A-T-0001".parse().unwrap()
    }

    /// Plans for one document; 0 stands for absent.
    fn planned(here: u8, central: u8, verdict: Verdict, force: bool) -> DehydratePlan {
        let versions = Versions {
            here: id(here),
            central: id(central),
            noted: None,
        };
        plan([(code(), versions, verdict)], &BTreeMap::new(), force)
    }

    #[test]
    fn absence_proves_nothing_where_something_could_not_be_read() {
        let other: ShortCode = "A-T-0002".parse().unwrap();
        let one = Protected {
            codes: [code()].into(),
            all_absent: false,
        };
        assert!(one.covers(&code(), true) && one.covers(&code(), false));
        assert!(!one.covers(&other, true) && !one.covers(&other, false));
        let all_absent = Protected {
            all_absent: true,
            ..one
        };
        assert!(all_absent.covers(&code(), true));
        assert!(
            all_absent.covers(&other, false),
            "it may be the file that cannot be read"
        );
        assert!(!all_absent.covers(&other, true));
    }

    #[test]
    fn what_is_pushed_or_removed_changes_central_and_nothing_else_does() {
        for (here, central, verdict, changes) in [
            (2, 1, Verdict::Push, true),
            (0, 1, Verdict::Push, true),
            (1, 1, Verdict::InStep, false),
            (1, 2, Verdict::Behind(Why::Older), false),
            (2, 1, Verdict::Diverged, false),
        ] {
            let plan = planned(here, central, verdict, false);
            assert_eq!(plan.changes_nothing(), !changes, "{plan:?}");
        }
    }

    #[test]
    fn a_conflict_names_the_last_common_version() {
        let versions = Versions {
            here: id(2),
            central: id(3),
            noted: Some(Noted {
                version: id(1),
                mine: false,
            }),
        };
        let plan = plan([(code(), versions, Verdict::Diverged)], &BTreeMap::new(), false);
        let conflict = Conflict {
            code: code(),
            base: id(1),
            local: id(2),
            central: id(3),
        };
        assert_eq!(plan.conflicts, [conflict]);
    }

    #[test]
    fn each_verdict_has_its_place() {
        assert_eq!(planned(1, 1, Verdict::InStep, false).in_step[&code()], id(1));
        assert_eq!(planned(2, 1, Verdict::Push, false).push[&code()], id(2).unwrap());
        assert!(planned(0, 1, Verdict::Push, false).remove.contains(&code()));
        assert_eq!(planned(2, 1, Verdict::Diverged, false).conflicts.len(), 1);
        for (here, central, change) in [
            (0, 1, CentralChange::Added),
            (1, 0, CentralChange::Removed),
            (1, 2, CentralChange::Changed),
        ] {
            let behind = planned(here, central, Verdict::Behind(Why::Older), false).behind;
            assert_eq!(behind[0].change, change);
        }
    }

    #[test]
    fn force_lets_what_is_here_win_and_removes_nothing() {
        for verdict in [Verdict::Behind(Why::Older), Verdict::Diverged] {
            assert_eq!(planned(1, 2, verdict, true).push.len(), 1);
        }
        let absent = planned(0, 2, Verdict::Behind(Why::Older), true);
        assert!(absent.changes_nothing() && absent.behind.len() == 1);
        assert_eq!(planned(0, 2, Verdict::Diverged, true).remove.len(), 1, "removed here");
    }

    #[test]
    fn a_document_of_another_workspace_is_not_pushed() {
        let versions = |central| Versions {
            here: id(1),
            central: id(central),
            noted: None,
        };
        let owners = BTreeMap::from([(code(), "web".parse().unwrap())]);
        let new = plan([(code(), versions(0), Verdict::Push)], &owners, true);
        assert!(new.push.is_empty());
        assert_eq!(new.foreign[0].owner.as_str(), "web");
        let ours_as_well = plan([(code(), versions(2), Verdict::Push)], &owners, false);
        assert_eq!(ours_as_well.push.len(), 1);
    }
}
