//! `git metis-sync` from end to end.

mod cache;
mod convergence;
mod corpus;
mod crash;
mod input;
mod interrupt;
mod race;
mod refs;
mod rewritten;
