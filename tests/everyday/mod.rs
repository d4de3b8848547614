//! The everyday life of a project under git: whatever is checked out, stashed, rebased or cloned when a sync runs, central never
//! goes back to what is older, and what is newer gets through.

mod adopting;
mod bare;
mod branches;
mod ci;
mod colleagues;
mod configuration;
mod copies;
mod filters;
mod freshness;
mod given_up;
mod hidden;
mod histories;
mod hooks;
mod line_ends;
mod markers;
mod metis;
mod names;
mod older_clients;
mod plain_folders;
mod real_metis;
mod renaming;
mod resolving;
mod stash;
mod submodules;
mod undone;
pub mod unfinished;
