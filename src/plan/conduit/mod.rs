//! What a sync of two folders, `alpha` and `beta`, does: three listings in, a value out.
//!
//! The listings are what both had in common last (the base) and what each has at the moment. A folder is no entry of its own
//! but the first part of its files' paths, so empty ones are not carried. Whatever could not be looked at is *unknown* and never
//! taken for absent: nothing happens there, and the base stays.
//!
//! 1. [`reconcile()`] goes through the listings side by side; [`decide()`] says what becomes of one path.
//! 2. Where both sides changed, [`Policy`] says who gives way, if anybody does ([`conflict`]).
//! 3. What cannot lie side by side, as names that a file system takes for one, stays as it is ([`fold`]).
//! 4. [`guard`] stops what looks like an accident.

pub mod change;
pub mod circle;
pub mod conflict;
pub mod decide;
pub mod fold;
pub mod guard;
mod join;
pub mod listing;
pub mod reconcile;
#[cfg(test)]
mod tests;

pub use change::{Action, Change, Resolution};
pub use conflict::{Conflict, Kind, Mode, OnConflict, Outcome, Policy, conflict_name, is_conflict_name};
pub use decide::{Verdict, decide};
pub use listing::{Form, Item, Listing, Side, path_order};
pub use reconcile::reconcile;
