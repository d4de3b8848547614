//! `git metis-sync` from end to end.

mod cache;
mod convergence;
mod corpus;
mod crash;
mod input;
mod race;
mod refs;
