//! The kit that the tests are written with.

// Tests print for those who wrote them.
#![allow(clippy::disallowed_methods, clippy::disallowed_macros)]

pub mod access_proxy;
pub mod central;
mod checkout;
pub mod disk;
pub mod document;
pub mod interrupt;
pub mod point;
pub mod process;
pub mod proxy;
pub mod report;
pub mod repository;
pub mod scripted;
pub mod servers;
pub mod snapshot;
pub mod team;
pub mod terminal;
pub mod wire;
pub mod workspace;
pub mod world;
