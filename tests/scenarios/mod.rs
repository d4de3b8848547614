//! The scenarios of METIS-T-0081 that the stories in `sync` do not tell; `tests/SCENARIOS.md` lists which test covers which.

mod beside;
mod branch;
pub mod direct;
mod edges;
mod errors;
mod freshness;
mod hosts;
mod latency;
mod place;
pub mod project;
mod result;
mod sequence;
mod traffic;
