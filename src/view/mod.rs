//! What is shown, as values: where a workspace stands, what a verification found, how documents differ. Whoever shows it, as the
//! command line does, renders these and decides nothing. What stops a sync is such a value too: [`stop`](crate::sync::stop).

mod as_of;
pub mod board;
pub mod diff;
pub mod lines;
mod status;
mod verified;

use jiff::Timestamp;

pub use as_of::AsOf;
pub use status::{Ahead, Central, Conflicting, Folder, LastSync, Obstacle, Status};
pub use verified::{Own, Verified};

use crate::names::ObjectId;

/// The first digits of an id, enough to recognize it by.
pub fn short(id: ObjectId) -> String {
    let mut hex = id.to_string();
    hex.truncate(10);
    hex
}

/// Whole seconds from an RFC 3339 time to `now`; `None` if it is none.
pub fn seconds_since(time: &str, now: Timestamp) -> Option<i64> {
    let time: Timestamp = time.parse().ok()?;
    Some(now.as_second() - time.as_second())
}
