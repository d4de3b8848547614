//! What has to happen in `.metis/<prefix>/` so that it holds what central holds.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::listing::Documents;
use crate::names::{ObjectId, Prefix, ShortCode};

/// One file to bring to central's bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Write {
    /// The document.
    pub code: ShortCode,
    /// Central's blob.
    pub blob: ObjectId,
    /// Blobs that an earlier sync may have left there. A file with other bytes was edited by somebody: it is kept
    /// aside before it is replaced.
    pub ours: Vec<ObjectId>,
}

/// One file that central no longer has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remove {
    /// The document.
    pub code: ShortCode,
    /// As in [`Write::ours`].
    pub ours: Vec<ObjectId>,
}

/// The work for one folder. Copies come before deletes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FolderPlan {
    /// Files to write, unless they already hold the right bytes.
    pub write: Vec<Write>,
    /// Files to remove, if they are there.
    pub remove: Vec<Remove>,
}

impl FolderPlan {
    /// Whether the folder is as it should be.
    pub fn is_empty(&self) -> bool {
        self.write.is_empty() && self.remove.is_empty()
    }

    /// All documents that it is about.
    pub fn codes(&self) -> impl Iterator<Item = &ShortCode> {
        let removed = self.remove.iter().map(|remove| &remove.code);
        self.write.iter().map(|write| &write.code).chain(removed)
    }
}

/// What is known of a folder's present content without reading it.
#[derive(Debug, Clone, Copy)]
pub enum Known<'a> {
    /// A sync finished here and left exactly these documents.
    Finished(&'a Documents),
    /// A sync from the first to the second listing was cut short, or nothing is known (both empty): every file on
    /// disk (`present`) has to be looked at.
    Unfinished {
        /// What the folder held before.
        from: &'a Documents,
        /// What the folder was about to hold.
        to: &'a Documents,
        /// The documents that lie in the folder now.
        present: &'a [ShortCode],
    },
}

/// Decides what to write and remove. Compares content ids only; no timestamps, no reading.
pub fn plan(known: Known<'_>, target: &Documents) -> FolderPlan {
    let mut plan = FolderPlan::default();
    match known {
        Known::Finished(held) => {
            for (code, blob) in target {
                if held.get(code) != Some(blob) {
                    plan.write.push(Write {
                        code: code.clone(),
                        blob: *blob,
                        ours: held.get(code).copied().into_iter().collect(),
                    });
                }
            }
            for (code, blob) in held.iter().filter(|(code, _)| !target.contains_key(*code)) {
                plan.remove.push(Remove {
                    code: code.clone(),
                    ours: vec![*blob],
                });
            }
        }
        Known::Unfinished { from, to, present } => {
            let ours = |code: &ShortCode| [from, to].iter().filter_map(|l| l.get(code).copied()).collect();
            for (code, blob) in target {
                plan.write.push(Write {
                    code: code.clone(),
                    blob: *blob,
                    ours: ours(code),
                });
            }
            for code in present.iter().filter(|code| !target.contains_key(*code)) {
                plan.remove.push(Remove {
                    code: code.clone(),
                    ours: ours(code),
                });
            }
        }
    }
    plan
}

/// What hydrating one workspace did or would do, in numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, serde::Deserialize)]
pub struct Pulled {
    /// Files written.
    pub written: usize,
    /// Files removed.
    pub removed: usize,
}

/// Of the folders at the trees `applied`, those that are not at central's or unfinished, and those that are gone from
/// central. `central` is without the own workspace.
pub fn stale<'a>(
    applied: &'a BTreeMap<Prefix, ObjectId>,
    central: &'a BTreeMap<Prefix, ObjectId>,
    unfinished: &BTreeSet<Prefix>,
) -> (Vec<&'a Prefix>, Vec<&'a Prefix>) {
    let stale = central
        .iter()
        .filter(|(prefix, tree)| applied.get(prefix) != Some(tree) || unfinished.contains(*prefix))
        .map(|(prefix, _)| prefix)
        .collect();
    let gone = applied.keys().filter(|prefix| !central.contains_key(prefix)).collect();
    (stale, gone)
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

    fn codes<'a>(codes: impl IntoIterator<Item = &'a ShortCode>) -> Vec<&'a str> {
        codes.into_iter().map(ShortCode::as_str).collect()
    }

    #[test]
    fn a_finished_folder_needs_only_the_difference() {
        let held = listing(&[("A-T-0001", 1), ("A-T-0002", 1), ("A-T-0003", 1)]);
        let target = listing(&[("A-T-0001", 1), ("A-T-0002", 2), ("A-T-0004", 1)]);
        let plan = plan(Known::Finished(&held), &target);
        assert_eq!(codes(plan.write.iter().map(|w| &w.code)), ["A-T-0002", "A-T-0004"]);
        assert_eq!(codes(plan.remove.iter().map(|r| &r.code)), ["A-T-0003"]);
        assert_eq!(codes(plan.codes()), ["A-T-0002", "A-T-0004", "A-T-0003"]);
        assert_eq!(plan.write[0].ours, [held[&plan.write[0].code]], "what may be replaced");
        assert!(plan.write[1].ours.is_empty(), "a file of that name is somebody's");
        assert_eq!(plan.remove[0].ours, [held[&plan.remove[0].code]]);
    }

    #[test]
    fn the_same_listing_needs_nothing() {
        let held = listing(&[("A-T-0001", 1)]);
        assert!(plan(Known::Finished(&held), &held).is_empty());
        let nothing = Documents::new();
        assert!(!plan(Known::Finished(&nothing), &held).is_empty(), "a file to write");
        assert!(!plan(Known::Finished(&held), &nothing).is_empty(), "a file to remove");
    }

    /// A run that was killed half way may have left the second listing's bytes of a document that the third listing
    /// has back at the first one's: only looking at every file finds it.
    #[test]
    fn an_unfinished_folder_is_looked_at_whole() {
        let from = listing(&[("A-T-0001", 1)]);
        let to = listing(&[("A-T-0001", 2), ("A-T-0002", 2)]);
        let present: Vec<ShortCode> = ["A-T-0001", "A-T-0002"].map(|c| c.parse().unwrap()).to_vec();
        let plan = plan(
            Known::Unfinished {
                from: &from,
                to: &to,
                present: &present,
            },
            &from,
        );
        assert_eq!(plan.write[0].ours.len(), 2);
        assert_eq!(codes(plan.remove.iter().map(|r| &r.code)), ["A-T-0002"]);
        assert_eq!(plan.remove[0].ours, [to[&present[1]]]);
    }

    #[test]
    fn folders_at_centrals_tree_need_no_look() {
        let trees = |names: &[(&str, u8)]| {
            names
                .iter()
                .map(|(name, n)| (name.parse().unwrap(), ObjectId::from_bytes(&[*n; 20]).unwrap()))
                .collect::<BTreeMap<Prefix, ObjectId>>()
        };
        let applied = trees(&[("web", 1), ("ops", 1), ("old", 1), ("half", 1)]);
        let central = trees(&[("web", 1), ("ops", 2), ("new", 1), ("half", 1)]);
        let (stale, gone) = stale(&applied, &central, &["half".parse().unwrap()].into());
        assert_eq!(
            stale.iter().map(|p| p.as_str()).collect::<Vec<_>>(),
            ["half", "new", "ops"]
        );
        assert_eq!(gone.iter().map(|p| p.as_str()).collect::<Vec<_>>(), ["old"]);
    }
}
