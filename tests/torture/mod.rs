//! Nothing lost, nothing let in: syncs that are killed, starved, deceived and crowded.
//!
//! Each file has a short form, which runs with everything else, and where that makes a difference a long one, which
//! `scripts/torture` runs.

mod branch;
mod checkout;
mod conduits;
mod conduits_power;
mod conduits_swap;
mod costs;
mod crash;
mod cut_short;
mod environment;
mod full;
mod given;
mod hostile;
mod laws;
mod many_records;
mod other_users;
mod pending;
mod planted;
mod power;
mod records;
mod restored;
mod stage;
mod stores;
mod swap;
mod terminal;
mod together;
mod trace;
mod trust;
mod walk;
mod watch;
