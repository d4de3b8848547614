//! Syncs that look like an accident: they stop until somebody says that they are meant.

use std::collections::HashSet;

use super::{
    change::{Action, Resolution},
    conflict::Mode,
    listing::{Item, Listing, Side},
};
use crate::plan::guard::{TooManyDeletes, too_many_deletes};

/// Why a sync does not go on by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// A side has nothing at all, though there was something before: not mounted, or moved away.
    Emptied(Side),
    /// Most of what a side has would be removed.
    Deletes(Side, TooManyDeletes),
    /// Most of what a side has would be overwritten.
    Edits {
        /// The side.
        side: Side,
        /// Files that would get other content.
        edited: usize,
        /// Files that are there.
        held: usize,
    },
    /// The first sync of a mirror takes away, or replaces, files that were not made by it.
    FirstMirror {
        /// How many.
        touched: usize,
    },
}

/// Fewer edits than this are an ordinary day's work.
const FEW_EDITS: usize = 20;

/// What stops this sync. `first`: nothing is known of an earlier one.
pub fn check(
    out: &Resolution,
    base: &[(String, Item)],
    listings: [&Listing; 2],
    mode: Mode,
    first: bool,
) -> Option<Stop> {
    let emptied = |side: &Side| !base.is_empty() && listings[*side as usize].items.is_empty();
    let writes = |side: &Side| out.changes.iter().any(|change| change.side == side.other());
    if let Some(side) = Side::BOTH.into_iter().find(|side| emptied(side) && writes(side)) {
        return Some(Stop::Emptied(side));
    }
    for side in Side::BOTH {
        let held = listings[side as usize].items.len();
        let changes = || out.changes.iter().filter(|change| change.side == side);
        let mut coming = HashSet::new();
        let mut going = Vec::new();
        let mut touched = 0;
        let mut edited = 0;
        for change in changes() {
            let (before, after) = change.paths();
            touched += before.len();
            match change.action {
                Action::Put { was: Some(was), now } => edited += usize::from(was.id != now.id),
                Action::Put { .. } | Action::Rename { .. } => {}
                Action::Remove { .. } | Action::Replace { .. } => going.extend(before.iter().map(|(_, item)| item.id)),
            }
            coming.extend(after.iter().map(|(_, item)| item.id));
        }
        if first && mode == Mode::Mirror && side == Side::Beta && touched > 0 {
            return Some(Stop::FirstMirror { touched });
        }
        // What comes back under another name is moved, not deleted.
        let removed = going.iter().filter(|id| !coming.contains(*id)).count();
        if let Some(deletes) = too_many_deletes(removed, held) {
            return Some(Stop::Deletes(side, deletes));
        }
        if edited >= FEW_EDITS && edited * 5 > held * 4 {
            return Some(Stop::Edits { side, edited, held });
        }
    }
    None
}
