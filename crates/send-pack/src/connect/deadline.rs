//! How long to wait for the other side, and why waiting ended.

use std::io;
use std::time::{Duration, Instant};

/// How long to wait for the other side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Deadlines {
    /// For a connection to be made: name lookup, TCP over all addresses of the host together.
    pub connect: Duration,
    /// For the next byte in either direction. A server may be silent while a hook of it runs, so less than a minute
    /// or two breaks pushes that would have worked.
    pub idle: Duration,
    /// When everything must be over; what catches a server that sends a byte now and then for ever.
    pub total: Option<Instant>,
    /// After an answer that was lost or a ref that was locked: how long to go on looking what became of the ref, if
    /// need be beyond `total`.
    pub settle: Duration,
}

impl Default for Deadlines {
    /// 30 seconds to connect, 120 of silence, no end, 3 to settle.
    fn default() -> Self {
        Deadlines {
            connect: Duration::from_secs(30),
            idle: Duration::from_secs(120),
            total: None,
            settle: Duration::from_secs(3),
        }
    }
}

/// Why we stopped waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Stop {
    #[error("no connection within {} s", .0.as_secs_f32())]
    Connect(Duration),
    #[error("nothing heard for {} s", .0.as_secs_f32())]
    Idle(Duration),
    #[error("the transfer was slower than http.lowSpeedLimit for http.lowSpeedTime")]
    Slow,
    #[error("the time for the whole operation is over")]
    Total,
    #[error("interrupted")]
    Interrupted,
    #[error("it says more than can be taken in")]
    TooMuch,
}

impl From<Stop> for io::Error {
    fn from(stop: Stop) -> Self {
        match stop {
            // Never `ErrorKind::Interrupted`: std's read and write loops would try again for ever.
            Stop::Interrupted | Stop::TooMuch => io::Error::other(stop),
            _ => io::Error::new(io::ErrorKind::TimedOut, stop),
        }
    }
}
