//! Times of files, in nanoseconds since 1970.

use std::time::SystemTime;

/// How long after a file was read a change of it may still carry the time that it had then. Some file systems keep whole or even
/// seconds, and a file server's clock may be a little behind ours.
pub const SLACK_NS: i64 = 2_000_000_000;

/// A moment as files have it; saturating.
pub fn nanoseconds(time: SystemTime) -> i64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}
