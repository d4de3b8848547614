//! Taking back what syncs did: only where nobody went on from it.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::listing::Documents;
use crate::names::{ObjectId, ShortCode};

/// Something before a sync and after it. `None`: it was not there.
pub type Change = [Option<ObjectId>; 2];

/// What can be taken back of several changes to the same things.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Back<K> {
    /// What each thing goes back to.
    pub to: BTreeMap<K, Option<ObjectId>>,
    /// Things that somebody changed since.
    pub moved_on: BTreeSet<K>,
}

/// Goes back through `changes`, newest first, from what is there `now`. A change is taken back where what is there is what came
/// of it; whoever changed a thing in between ends the way back for that thing.
pub fn back<K: Ord + Clone>(changes: &[BTreeMap<K, Change>], now: &dyn Fn(&K) -> Option<ObjectId>) -> Back<K> {
    let mut out = Back {
        to: BTreeMap::new(),
        moved_on: BTreeSet::new(),
    };
    let mut ended = BTreeSet::new();
    for (key, [before, after]) in changes.iter().flatten() {
        let there = out.to.get(key).copied().unwrap_or_else(|| now(key));
        if ended.contains(key) || there == *before {
            continue;
        }
        if there == *after {
            out.to.insert(key.clone(), *before);
            continue;
        }
        ended.insert(key.clone());
        if !out.to.contains_key(key) {
            out.moved_on.insert(key.clone());
        }
    }
    // There and back again.
    out.to.retain(|key, to| now(key) != *to);
    out
}

/// The documents that are not the same in two listings.
pub fn changes(before: &Documents, after: &Documents) -> BTreeMap<ShortCode, Change> {
    let codes: BTreeSet<&ShortCode> = before.keys().chain(after.keys()).collect();
    let change = |code: &ShortCode| [before.get(code).copied(), after.get(code).copied()];
    let all = codes.into_iter().map(|code| (code.clone(), change(code)));
    all.filter(|(_, [before, after])| before != after).collect()
}

/// The own document that is here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Here {
    /// This version. `None`: there is none.
    Version(Option<ObjectId>),
    /// This one, which was taken back before.
    HeldBack(Option<ObjectId>),
    /// It cannot be read.
    Unreadable,
}

/// Why something stays as the sync left it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Left {
    /// Somebody changed it in central since.
    MovedOn,
    /// It was edited here since.
    Edited,
    /// The file here cannot be read.
    Unreadable,
    /// What was there before is not at hand.
    NotAtHand,
    /// The sync was the first one to bring it.
    New,
}

impl Left {
    /// In words, to follow the thing's name.
    pub fn words(self) -> &'static str {
        match self {
            Left::MovedOn => "it was changed again since",
            Left::Edited => "it was edited here since, and a sync would publish that",
            Left::Unreadable => "the file here cannot be read",
            Left::NotAtHand => "what was there before is not at hand",
            Left::New => "it came with that sync; [sync] except keeps a workspace away",
        }
    }
}

/// What becomes of the own documents.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Documented {
    /// What central gets instead of what it has. `None`: the document goes.
    pub to: BTreeMap<ShortCode, Option<ObjectId>>,
    /// Those of them of which another version is here, which is not to be published again.
    pub held_back: BTreeMap<ShortCode, Option<ObjectId>>,
    /// What stays, and why.
    pub left: BTreeMap<ShortCode, Left>,
}

/// Decides what of the own documents goes back. Files here are nobody's to change, so what is here must be what was published
/// or what central had before it: an edit on top of it would bring it all back.
pub fn documents(
    changes: &[BTreeMap<ShortCode, Change>],
    central: &Documents,
    here: &dyn Fn(&ShortCode) -> Here,
    at_hand: &dyn Fn(ObjectId) -> bool,
) -> Documented {
    let found = back(changes, &|code| central.get(code).copied());
    let moved_on = found.moved_on.into_iter().map(|code| (code, Left::MovedOn));
    let mut out = Documented {
        left: moved_on.collect(),
        ..Documented::default()
    };
    for (code, to) in found.to {
        let left = match here(&code) {
            _ if to.is_some_and(|blob| !at_hand(blob)) => Some(Left::NotAtHand),
            Here::Unreadable => Some(Left::Unreadable),
            Here::Version(version) | Here::HeldBack(version) if version == to => None,
            Here::Version(version) if version != central.get(&code).copied() => Some(Left::Edited),
            Here::Version(version) | Here::HeldBack(version) => {
                out.held_back.insert(code.clone(), version);
                None
            }
        };
        match left {
            Some(left) => drop(out.left.insert(code, left)),
            None => drop(out.to.insert(code, to)),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 0 stands for what is not there.
    fn id(n: u8) -> Option<ObjectId> {
        (n > 0).then(|| ObjectId::from_bytes(&[n; 20]).unwrap())
    }

    fn code() -> ShortCode {
        "API-T-0001".parse().unwrap()
    }

    /// Goes back through changes of one thing, given as before and after.
    fn gone_back(changes: &[[u8; 2]], now: u8) -> Result<Option<Option<ObjectId>>, ()> {
        let changes: Vec<_> = changes
            .iter()
            .map(|change| BTreeMap::from([("x", change.map(id))]))
            .collect();
        let found = back(&changes, &|_| id(now));
        match found.moved_on.is_empty() {
            true => Ok(found.to.get("x").copied()),
            false => Err(()),
        }
    }

    #[test]
    fn changes_are_taken_back_where_nobody_went_on() {
        assert_eq!(gone_back(&[[1, 2]], 2), Ok(Some(id(1))));
        assert_eq!(gone_back(&[[0, 2]], 2), Ok(Some(None)), "it was new");
        assert_eq!(gone_back(&[[2, 0]], 0), Ok(Some(id(2))), "it was removed");
        assert_eq!(gone_back(&[[1, 2]], 1), Ok(None), "somebody did");
        assert_eq!(gone_back(&[[1, 2]], 3), Err(()));
    }

    #[test]
    fn several_go_back_one_after_the_other_as_far_as_they_join() {
        assert_eq!(gone_back(&[[2, 3], [1, 2]], 3), Ok(Some(id(1))));
        assert_eq!(gone_back(&[[2, 1], [1, 2]], 1), Ok(None), "there and back");
        // Somebody else made 4 of 2 in between.
        assert_eq!(gone_back(&[[4, 3], [1, 2]], 3), Ok(Some(id(4))));
        assert_eq!(gone_back(&[[4, 3], [1, 2], [0, 4]], 3), Ok(Some(id(4))), "not past it");
        assert_eq!(gone_back(&[[1, 2], [4, 3]], 3), Err(()));
    }

    #[test]
    fn what_is_here_is_held_back_and_edits_are_left_alone() {
        let decide = |here: Here, at_hand: bool| {
            let change = BTreeMap::from([(code(), [id(1), id(2)])]);
            let central = Documents::from([(code(), id(2).unwrap())]);
            documents(&[change], &central, &|_| here, &|_| at_hand)
        };
        let published = decide(Here::Version(id(2)), true);
        assert_eq!(published.to, BTreeMap::from([(code(), id(1))]));
        assert_eq!(published.held_back, BTreeMap::from([(code(), id(2))]));
        assert_eq!(
            decide(Here::HeldBack(id(3)), true).held_back,
            BTreeMap::from([(code(), id(3))])
        );
        let reverted = decide(Here::Version(id(1)), true);
        assert_eq!((reverted.to.len(), reverted.held_back.len()), (1, 0));
        for (here, at_hand, why) in [
            (Here::Version(id(3)), true, Left::Edited),
            (Here::Version(None), true, Left::Edited),
            (Here::Unreadable, true, Left::Unreadable),
            (Here::Version(id(2)), false, Left::NotAtHand),
        ] {
            let left = decide(here, at_hand);
            assert_eq!(left.left, BTreeMap::from([(code(), why)]), "{here:?}");
            assert!(left.to.is_empty() && left.held_back.is_empty());
        }
    }

    #[test]
    fn only_what_differs_changed() {
        let listing = |versions: &[(&str, u8)]| -> Documents {
            let all = versions
                .iter()
                .map(|(code, n)| (code.parse().unwrap(), id(*n).unwrap()));
            all.collect()
        };
        let before = listing(&[("API-T-0001", 1), ("API-T-0002", 1), ("API-T-0003", 1)]);
        let after = listing(&[("API-T-0001", 1), ("API-T-0002", 2), ("API-T-0004", 1)]);
        let changed: Vec<_> = changes(&before, &after).into_values().collect();
        assert_eq!(changed, [[id(1), id(2)], [id(1), None], [None, id(1)]]);
    }
}
