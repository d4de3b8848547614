//! The kit that the tests are written with.

pub mod central;
pub mod disk;
pub mod document;
pub mod point;
pub mod process;
pub mod proxy;
pub mod report;
pub mod servers;
pub mod snapshot;
pub mod team;
pub mod terminal;
pub mod workspace;
pub mod world;
