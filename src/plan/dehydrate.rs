//! What this workspace pushes: a three-way decision per document.
//!
//! *Base* is the version that this clone and central last had in common, *local* the file, *central* the blob in the
//! owned folder. Another clone of the same workspace may have pushed since, so a difference alone says nothing:
//!
//! | local | central | decision |
//! |---|---|---|
//! | = central | | in step, base follows |
//! | ≠ base | = base | ours changed: push (or remove) |
//! | = base | ≠ base | theirs changed: [`Behind`], central stays, base stays |
//! | ≠ base | ≠ base | both changed: [`Conflict`], unless forced, then local wins |
//! | cannot be read | any | central stays, base stays |
//!
//! Without a base (a fresh clone) equal versions are in step, a document on one side only is new on that side, and
//! two different versions are a conflict: neither can be shown to be the older one. Before that is believed, the
//! project's checkout ([`base_from_checkout`]) and central's history ([`base_from_history`]) are asked for a base: a fresh
//! clone of an old checkout must not bring back what a colleague removed.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::listing::{Documents, Versions};
use crate::names::{ObjectId, ShortCode};

/// Central's version is the newer one; it reaches this clone through the project's own repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Behind {
    /// The document.
    pub code: ShortCode,
    /// What happened in central.
    pub change: CentralChange,
}

/// What another clone did to a document in central.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CentralChange {
    /// Present there, unknown here.
    Added,
    /// Changed there, untouched here.
    Changed,
    /// Gone there, untouched here.
    Removed,
}

/// Both sides changed since the last common version, or that version is unknown.
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

/// What is known of the three sides.
#[derive(Debug, Clone, Copy)]
pub struct Sides<'a> {
    /// The last common versions.
    pub base: &'a Documents,
    /// The files here.
    pub local: &'a Documents,
    /// The owned folder in central.
    pub central: &'a Documents,
    /// What must be left alone.
    pub protected: &'a Protected,
}

/// The outcome of comparing the three sides.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DehydratePlan {
    /// Documents whose local version goes to central.
    pub push: Documents,
    /// Documents to take out of central.
    pub remove: BTreeSet<ShortCode>,
    /// Documents that central has newer.
    pub behind: Vec<Behind>,
    /// Documents that nobody but a person can decide.
    pub conflicts: Vec<Conflict>,
    /// The last common versions once this plan has been pushed.
    pub base_after: Documents,
}

impl DehydratePlan {
    /// Whether central's owned folder stays as it is.
    pub fn changes_nothing(&self) -> bool {
        self.push.is_empty() && self.remove.is_empty()
    }
}

/// Decides for every document that any side knows. With `force`, local wins a conflict.
pub fn plan(sides: Sides<'_>, force: bool) -> DehydratePlan {
    let mut plan = DehydratePlan::default();
    let codes: BTreeSet<&ShortCode> = sides
        .base
        .keys()
        .chain(sides.local.keys())
        .chain(sides.central.keys())
        .collect();
    for code in codes {
        let base = sides.base.get(code).copied();
        let local = sides.local.get(code).copied();
        let central = sides.central.get(code).copied();
        let keep_base = |plan: &mut DehydratePlan| {
            if let Some(base) = base {
                plan.base_after.insert(code.clone(), base);
            }
        };
        if sides.protected.covers(code, local.is_some()) {
            keep_base(&mut plan);
            continue;
        }
        if local == central {
            if let Some(common) = local {
                plan.base_after.insert(code.clone(), common);
            }
        } else if base == central {
            match local {
                Some(blob) => {
                    plan.push.insert(code.clone(), blob);
                    plan.base_after.insert(code.clone(), blob);
                }
                None => {
                    plan.remove.insert(code.clone());
                }
            }
        } else if base == local {
            let change = match (base, central) {
                (None, _) => CentralChange::Added,
                (Some(_), Some(_)) => CentralChange::Changed,
                (Some(_), None) => CentralChange::Removed,
            };
            plan.behind.push(Behind {
                code: code.clone(),
                change,
            });
            keep_base(&mut plan);
        } else if force {
            match local {
                Some(blob) => {
                    plan.push.insert(code.clone(), blob);
                    plan.base_after.insert(code.clone(), blob);
                }
                None => {
                    plan.remove.insert(code.clone());
                }
            }
        } else {
            plan.conflicts.push(Conflict {
                code: code.clone(),
                base,
                local,
                central,
            });
            keep_base(&mut plan);
        }
    }
    plan
}

/// Adds what this clone can prove of its own history to a base that does not know a document: a version that the
/// project's checked-out commit and central hold alike is one that the local file was made from.
///
/// `committed` are the blobs of the project's `HEAD`, by document. Only documents without a base are considered, and
/// only where the committed version equals central's: any weaker evidence could undo a colleague's push.
pub fn base_from_checkout(
    base: &Documents,
    committed: &BTreeMap<ShortCode, ObjectId>,
    central: &Documents,
) -> Documents {
    let mut out = base.clone();
    for (code, blob) in committed {
        if !out.contains_key(code) && central.get(code) == Some(blob) {
            out.insert(code.clone(), *blob);
        }
    }
    out
}

/// Whether [`base_from_history`] could tell more of a document than the base does.
pub fn wants_history(sides: Sides<'_>) -> bool {
    let Sides {
        base, local, central, ..
    } = sides;
    let unknown = |(code, blob): (&ShortCode, &ObjectId)| !base.contains_key(code) && central.get(code) != Some(blob);
    local.iter().any(unknown)
}

/// Adds what central's own history proves to a base that does not know a document. `past` are the versions that central
/// had: a file that equals one of them is no news to central, which has gone on from there, be it by removing
/// the document; and a document that central removed was not made here, however it looks now.
pub fn base_from_history(base: &Documents, local: &Documents, central: &Documents, past: &Versions) -> Documents {
    let mut out = base.clone();
    for (code, blob) in local {
        let (Some(versions), false) = (past.get(code), out.contains_key(code)) else {
            continue;
        };
        let known = match versions.contains(blob) {
            true => Some(blob),
            false if central.contains_key(code) => None,
            false => versions.first(),
        };
        if let Some(known) = known {
            out.insert(code.clone(), *known);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listing(documents: &[(&str, u8)]) -> Documents {
        documents
            .iter()
            .map(|(code, n)| (code.parse().unwrap(), ObjectId::from_bytes(&[*n; 20]).unwrap()))
            .collect()
    }

    fn code() -> ShortCode {
        "A-T-0001".parse().unwrap()
    }

    /// Plans for one document; 0 stands for absent.
    fn decide(base: u8, local: u8, central: u8, force: bool) -> DehydratePlan {
        let side = |n: u8| {
            if n == 0 {
                listing(&[])
            } else {
                listing(&[("A-T-0001", n)])
            }
        };
        plan(
            Sides {
                base: &side(base),
                local: &side(local),
                central: &side(central),
                protected: &Protected::default(),
            },
            force,
        )
    }

    #[test]
    fn equal_versions_are_in_step_and_move_the_base() {
        for base in [0, 1, 2] {
            let plan = decide(base, 2, 2, false);
            assert!(plan.changes_nothing() && plan.behind.is_empty() && plan.conflicts.is_empty());
            assert_eq!(plan.base_after, listing(&[("A-T-0001", 2)]));
        }
        assert_eq!(decide(1, 0, 0, false), DehydratePlan::default());
    }

    #[test]
    fn a_change_made_only_here_is_pushed() {
        for (base, local) in [(0, 1), (1, 2)] {
            let plan = decide(base, local, base, false);
            assert_eq!(plan.push, listing(&[("A-T-0001", local)]));
            assert_eq!(plan.base_after, plan.push);
        }
        let removed = decide(1, 0, 1, false);
        assert!(removed.remove.contains(&code()));
        assert!(removed.base_after.is_empty());
    }

    #[test]
    fn a_change_made_only_in_central_is_never_undone() {
        for (base, central, change) in [
            (0, 1, CentralChange::Added),
            (1, 2, CentralChange::Changed),
            (1, 0, CentralChange::Removed),
        ] {
            let plan = decide(base, base, central, false);
            assert!(plan.changes_nothing());
            assert_eq!(plan.behind[0].change, change);
            assert_eq!(
                plan.base_after,
                if base == 0 {
                    listing(&[])
                } else {
                    listing(&[("A-T-0001", base)])
                }
            );
        }
    }

    #[test]
    fn changes_on_both_sides_stop_and_force_lets_local_win() {
        for (base, local, central) in [(1, 2, 3), (0, 1, 2), (1, 0, 2), (1, 2, 0)] {
            let stopped = decide(base, local, central, false);
            assert!(stopped.changes_nothing());
            assert_eq!(stopped.conflicts.len(), 1, "{base} {local} {central}");
            let forced = decide(base, local, central, true);
            assert!(forced.conflicts.is_empty());
            assert_eq!(forced.push.len() + forced.remove.len(), 1);
        }
    }

    #[test]
    fn what_cannot_be_read_is_never_taken_for_deleted() {
        let known = listing(&[("A-T-0001", 1), ("A-T-0002", 1)]);
        let by_code = plan(
            Sides {
                base: &known,
                local: &listing(&[("A-T-0002", 2)]),
                central: &known,
                protected: &Protected {
                    codes: [code()].into(),
                    all_absent: false,
                },
            },
            true,
        );
        assert!(by_code.remove.is_empty());
        assert_eq!(by_code.base_after, listing(&[("A-T-0001", 1), ("A-T-0002", 2)]));

        let everything = plan(
            Sides {
                base: &known,
                local: &listing(&[]),
                central: &known,
                protected: &Protected {
                    codes: BTreeSet::new(),
                    all_absent: true,
                },
            },
            true,
        );
        assert!(everything.changes_nothing());
        assert_eq!(everything.base_after, known);
    }

    #[test]
    fn a_checkout_proves_a_base_only_where_it_equals_central() {
        let committed = listing(&[("A-T-0001", 1), ("A-T-0002", 1), ("A-T-0003", 3)]);
        let central = listing(&[("A-T-0001", 1), ("A-T-0002", 2), ("A-T-0003", 3)]);
        let base = listing(&[("A-T-0003", 2)]);
        assert_eq!(
            base_from_checkout(&base, &committed, &central),
            listing(&[("A-T-0001", 1), ("A-T-0003", 2)])
        );
    }

    #[test]
    fn a_version_that_central_had_is_not_news_to_it() {
        let decide = |local: u8, central: u8, past: &[u8]| {
            let side = |n: u8| {
                if n == 0 {
                    listing(&[])
                } else {
                    listing(&[("A-T-0001", n)])
                }
            };
            let (local, central) = (side(local), side(central));
            let versions: BTreeSet<_> = past.iter().map(|n| ObjectId::from_bytes(&[*n; 20]).unwrap()).collect();
            let past = match versions.is_empty() {
                true => Versions::new(),
                false => [(code(), versions)].into(),
            };
            let base = base_from_history(&Documents::new(), &local, &central, &past);
            let sides = Sides {
                base: &base,
                local: &local,
                central: &central,
                protected: &Protected::default(),
            };
            plan(sides, false)
        };
        assert_eq!(decide(1, 2, &[1, 2]).behind[0].change, CentralChange::Changed);
        assert_eq!(decide(1, 0, &[1]).behind[0].change, CentralChange::Removed);
        assert_eq!(decide(3, 2, &[1, 2]).conflicts.len(), 1);
        assert_eq!(decide(3, 0, &[1, 2]).conflicts.len(), 1, "removed there, changed here");
        assert_eq!(decide(3, 0, &[]).push.len(), 1, "never been in central: new");
        assert_eq!(decide(1, 1, &[1]).base_after.len(), 1);
        assert_eq!(decide(0, 2, &[1, 2]).behind[0].change, CentralChange::Added);
    }
}
