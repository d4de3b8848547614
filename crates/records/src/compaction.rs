//! What a log need not hold any more.

use std::collections::BTreeSet;

use crate::{DeviceId, Dot, Entry};

/// The entries of `device`'s own log that it may drop, by their sequence numbers.
///
/// An entry may go when it is no candidate *and everything that it replaces is gone from its owner's log*. The second half is what
/// newcomers need, who know nothing but the logs as they lie: with *c replaces b, and b replaces a*, and *b* dropped while *a* is
/// still there, nobody would tell them that *a* is over. That every reader of today has acknowledged *b* does not help them.
///
/// `entries`: those of the log in their order. `is_gone`: whether a dot of another device is behind the floor of its log as it was
/// fetched last, and not in it.
pub fn droppable(
    device: DeviceId,
    entries: &[Entry],
    is_candidate: impl Fn(Dot) -> bool,
    is_gone: impl Fn(Dot) -> bool,
) -> BTreeSet<u64> {
    let mut held: BTreeSet<u64> = entries.iter().map(|entry| entry.seq).collect();
    let mut dropped = BTreeSet::new();
    for entry in entries {
        let dot = Dot { device, seq: entry.seq };
        // What goes at the same time goes for all readers at once.
        let is_over = |dot: &Dot| match dot.device == device {
            true => !held.contains(&dot.seq),
            false => is_gone(*dot),
        };
        if !is_candidate(dot) && entry.over.iter().all(is_over) {
            held.remove(&entry.seq);
            dropped.insert(entry.seq);
        }
    }
    dropped
}

/// Whether it is worth writing a log anew: half of it could go, and that is more than a few lines.
pub fn is_due(entries: usize, droppable: usize, at_least: usize) -> bool {
    droppable >= at_least.max(1) && droppable * 2 >= entries
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Cell, Stamp,
        fixture::{device, dot},
    };

    fn entry(seq: u64, over: &[Dot]) -> Entry {
        Entry {
            seq,
            stamp: Stamp::at(seq),
            cell: Cell::new("tagdef", &["urgent"], "colour"),
            value: Some("red".into()),
            over: over.to_vec(),
        }
    }

    fn dropped(entries: &[Entry], candidates: &[Dot], gone: &[Dot]) -> Vec<u64> {
        let set = droppable(
            device(1),
            entries,
            |dot| candidates.contains(&dot),
            |dot| gone.contains(&dot),
        );
        set.into_iter().collect()
    }

    #[test]
    fn a_chain_of_ones_own_goes_at_once() {
        let chain = [entry(1, &[]), entry(2, &[dot(1, 1)]), entry(3, &[dot(1, 2)])];
        assert_eq!(dropped(&chain, &[dot(1, 3)], &[]), [1, 2]);
    }

    #[test]
    fn a_candidate_stays_and_so_does_what_hides_one_that_is_still_there() {
        assert_eq!(dropped(&[entry(1, &[])], &[dot(1, 1)], &[]), [0; 0]);
        let over_another = [entry(1, &[dot(2, 5)])];
        assert_eq!(dropped(&over_another, &[], &[]), [0; 0]);
        assert_eq!(dropped(&over_another, &[], &[dot(2, 5)]), [1]);
        let mixed = [entry(1, &[dot(2, 5)]), entry(2, &[dot(1, 1)])];
        assert_eq!(
            dropped(&mixed, &[], &[]),
            [0; 0],
            "the second hides the first, which stays"
        );
    }

    #[test]
    fn a_few_lines_are_not_worth_it() {
        assert!(is_due(100, 50, 50) && is_due(1000, 900, 50));
        assert!(!is_due(100, 49, 1) && !is_due(60, 49, 50) && !is_due(0, 0, 0));
    }
}
