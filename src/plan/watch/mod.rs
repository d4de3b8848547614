//! What a watcher does next. Time is a `Duration` since the watcher began, told from outside, so that a day passes in a test
//! within a moment.
//!
//! Events only wake; what a survey finds decides. A [`Pace`] is one workspace's: when to survey, when to sync, which way. A
//! [`Poll`] is one central's: when to ask it for its head. [`Hearing`] is about the kernel: whether it tells of changes, and when
//! to ask it again. A [`Clock`] notices that the machine was suspended.

mod clock;
mod failure;
mod hearing;
mod pace;
mod poll;
#[cfg(test)]
mod tests;

pub use clock::Clock;
pub use failure::Failure;
pub use hearing::Hearing;
pub use pace::{Found, Next, Pace, Settings, Way};
pub use poll::Poll;
