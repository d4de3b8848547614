//! From entries to candidates: what was written and not replaced.

use std::{
    collections::{BTreeMap, BTreeSet},
    convert::Infallible,
};

use serde_json::Value;

use crate::{Cell, DeviceId, Dot, Entry, Stamp};

/// A write that no known entry replaces.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// Which write.
    pub dot: Dot,
    /// When.
    pub stamp: Stamp,
    /// What.
    pub value: Value,
}

/// Where candidates are kept, in memory or in a database.
pub trait Cells {
    /// Why it could not be done.
    type Error;

    /// Whether an entry that is known replaces `dot`, be that one known or not.
    fn is_replaced(&self, dot: Dot) -> Result<bool, Self::Error>;

    /// Notes that `dot` is replaced, and takes it away where it is a candidate.
    fn replace(&mut self, dot: Dot) -> Result<(), Self::Error>;

    /// Makes `candidate` one of `cell`'s, if it is not one already.
    fn add(&mut self, cell: &Cell, candidate: Candidate) -> Result<(), Self::Error>;

    /// The candidates of `device` that are not after `floor`.
    fn up_to(&self, device: DeviceId, floor: u64) -> Result<Vec<Dot>, Self::Error>;
}

/// Takes up an entry of `device`'s log. Taking it up twice, or before what it replaces, makes no difference.
pub fn apply<C: Cells>(cells: &mut C, device: DeviceId, entry: &Entry) -> Result<(), C::Error> {
    for dot in &entry.over {
        cells.replace(*dot)?;
    }
    let dot = Dot { device, seq: entry.seq };
    match &entry.value {
        Some(value) if !cells.is_replaced(dot)? => {
            let (stamp, value) = (entry.stamp, value.clone());
            cells.add(&entry.cell, Candidate { dot, stamp, value })
        }
        _ => Ok(()),
    }
}

/// Takes up that `device` has compacted its log up to `floor` and kept these entries of it alone. What it has dropped was
/// replaced, by an entry that may have been dropped as well, so that nobody else will ever say so.
pub fn forget<C: Cells>(cells: &mut C, device: DeviceId, floor: u64, kept: &BTreeSet<u64>) -> Result<(), C::Error> {
    for dot in cells.up_to(device, floor)? {
        if !kept.contains(&dot.seq) {
            cells.replace(dot)?;
        }
    }
    Ok(())
}

/// Candidates in memory. Two of them are equal if they show the same.
#[derive(Debug, Clone, Default)]
pub struct State {
    cells: BTreeMap<Cell, BTreeMap<Dot, Candidate>>,
    places: BTreeMap<Dot, Cell>,
    replaced: BTreeSet<Dot>,
}

impl PartialEq for State {
    fn eq(&self, other: &Self) -> bool {
        self.cells == other.cells
    }
}

impl State {
    /// The candidates of a cell.
    pub fn candidates(&self, cell: &Cell) -> Vec<Candidate> {
        let found = self.cells.get(cell);
        found.into_iter().flat_map(BTreeMap::values).cloned().collect()
    }

    /// All cells that have candidates, in their order.
    pub fn cells(&self) -> impl Iterator<Item = (&Cell, Vec<Candidate>)> {
        let cells = self.cells.iter();
        cells.map(|(cell, candidates)| (cell, candidates.values().cloned().collect()))
    }

    /// Whether this write is one of the candidates.
    pub fn is_candidate(&self, dot: Dot) -> bool {
        self.places.contains_key(&dot)
    }

    /// The same as [`apply()`], which cannot fail here.
    pub fn take(&mut self, device: DeviceId, entry: &Entry) {
        let Ok(()) = apply(self, device, entry);
    }

    /// The same as [`forget()`], which cannot fail here.
    pub fn forget(&mut self, device: DeviceId, floor: u64, kept: &BTreeSet<u64>) {
        let Ok(()) = forget(self, device, floor, kept);
    }
}

impl Cells for State {
    type Error = Infallible;

    fn is_replaced(&self, dot: Dot) -> Result<bool, Infallible> {
        Ok(self.replaced.contains(&dot))
    }

    fn replace(&mut self, dot: Dot) -> Result<(), Infallible> {
        self.replaced.insert(dot);
        if let Some(cell) = self.places.remove(&dot)
            && let Some(candidates) = self.cells.get_mut(&cell)
        {
            candidates.remove(&dot);
            if candidates.is_empty() {
                self.cells.remove(&cell);
            }
        }
        Ok(())
    }

    fn add(&mut self, cell: &Cell, candidate: Candidate) -> Result<(), Infallible> {
        self.places.insert(candidate.dot, cell.clone());
        self.cells
            .entry(cell.clone())
            .or_default()
            .insert(candidate.dot, candidate);
        Ok(())
    }

    fn up_to(&self, device: DeviceId, floor: u64) -> Result<Vec<Dot>, Infallible> {
        let range = Dot { device, seq: 0 }..=Dot { device, seq: floor };
        Ok(self.places.range(range).map(|(dot, _)| *dot).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{device, dot};

    fn entry(seq: u64, value: Option<&str>, over: &[Dot]) -> Entry {
        Entry {
            seq,
            stamp: Stamp::at(seq),
            cell: Cell::new("tagdef", &["urgent"], "colour"),
            value: value.map(Value::from),
            over: over.to_vec(),
        }
    }

    fn shown(state: &State) -> Vec<Dot> {
        let candidates = state.candidates(&Cell::new("tagdef", &["urgent"], "colour"));
        candidates.into_iter().map(|candidate| candidate.dot).collect()
    }

    #[test]
    fn what_is_replaced_goes_in_whatever_order_it_comes() {
        let (first, second) = (entry(1, Some("red"), &[]), entry(1, Some("blue"), &[dot(1, 1)]));
        let (mut forward, mut back) = (State::default(), State::default());
        forward.take(device(1), &first);
        forward.take(device(2), &second);
        back.take(device(2), &second);
        back.take(device(1), &first);
        back.take(device(1), &first);
        assert_eq!(forward, back);
        assert_eq!(shown(&back), [dot(2, 1)]);
    }

    #[test]
    fn a_removal_takes_what_it_saw_and_nothing_else() {
        let mut state = State::default();
        state.take(device(1), &entry(1, Some("red"), &[]));
        state.take(device(2), &entry(1, Some("blue"), &[]));
        state.take(device(3), &entry(1, None, &[dot(1, 1)]));
        assert_eq!(shown(&state), [dot(2, 1)]);
        state.take(device(3), &entry(2, None, &[dot(2, 1)]));
        assert_eq!(state.cells().count(), 0);
    }

    #[test]
    fn what_a_log_has_dropped_was_replaced() {
        let mut state = State::default();
        for seq in 1..=4 {
            state.take(device(1), &entry(seq, Some("red"), &[]));
        }
        state.forget(device(1), 3, &BTreeSet::from([2]));
        assert_eq!(shown(&state), [dot(1, 2), dot(1, 4)]);
        state.take(device(1), &entry(1, Some("red"), &[]));
        assert_eq!(
            shown(&state),
            [dot(1, 2), dot(1, 4)],
            "an older copy of the log does not bring it back"
        );
    }
}
