//! Records that several devices write at once, each into a log of its own, and that are the same for everybody who has read the
//! same logs.
//!
//! This crate decides and does nothing else: it opens no file, asks no clock, and talks to nobody. Whoever uses it brings a
//! store ([`Cells`]), the time, and a way to carry the files of a log from one device to another.
//!
//! # How it works
//!
//! Each write is an [`Entry`] with a [`Dot`]: the device that wrote it and a sequence number. An entry names the dots that its
//! writer saw under the same [`Cell`] and that it [replaces](Entry::over). What is not replaced by any known entry is a
//! *candidate*; what a cell shows is decided over its candidates by the [`Rule`] of its model. So causality comes
//! from what was seen, and the [clock](Clock) orders nothing but writes that knew nothing of each other: a clock that is years
//! off changes who wins among those, and never takes back what was written on top of something.
//!
//! An entry without a value is a removal. It replaces what it names, and is no candidate itself: what was added elsewhere at the
//! same time stays.
//!
//! | question | module |
//! |---|---|
//! | when was it written | [`clock`] |
//! | what is one write | [`entry`] |
//! | how do writes become what is shown | [`state`], [`model`], [`shown`] |
//! | what do the files of a log look like | [`segment`], [`log`] |
//! | what does a log still have to hold | [`compaction`] |
//! | how do items keep an order | [`position`] |
//!
//! # What holds
//!
//! - Entries in any order, twice, or in batches of any size lead to the same state.
//! - A log that breaks a rule counts up to its last good entry; what follows is passed over, and named.
//! - Reading never panics and holds no more than the limits in [`entry`] and [`segment`] allow.
//! - Models and fields that are not known are kept as they are.

pub mod clock;
pub mod compaction;
mod dot;
pub mod entry;
#[cfg(test)]
mod fixture;
pub mod log;
pub mod model;
pub mod position;
pub mod segment;
pub mod shown;
pub mod state;

pub use clock::{Clock, Stamp};
pub use dot::{DeviceId, Dot, NotADevice};
pub use entry::{Cell, Entry};
pub use model::Rule;
pub use state::{Candidate, Cells, State, apply, forget};

/// The README's example is run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
