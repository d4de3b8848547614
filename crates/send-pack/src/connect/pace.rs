//! `http.lowSpeedLimit` and `http.lowSpeedTime`: a transfer that crawls is given up.

use std::time::Duration;

/// Give up when fewer than `bytes_per_second` arrive or leave for the whole of `window`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LowSpeed {
    pub(crate) bytes_per_second: u64,
    pub(crate) window: Duration,
}

/// Counts bytes against the time spent waiting for the other side; time in which we compute does not count.
#[derive(Debug)]
pub(crate) struct Pace {
    limit: LowSpeed,
    waited: Duration,
    bytes: u64,
    slow_for: Duration,
}

impl Pace {
    pub(crate) fn new(limit: LowSpeed) -> Self {
        Pace {
            limit,
            waited: Duration::ZERO,
            bytes: 0,
            slow_for: Duration::ZERO,
        }
    }

    pub(crate) fn moved(&mut self, bytes: usize) {
        self.bytes += bytes as u64;
    }

    /// Note that we waited for `time`; true if the transfer has been too slow for too long.
    pub(crate) fn waited(&mut self, time: Duration) -> bool {
        self.waited += time;
        if self.waited >= Duration::from_secs(1) {
            let enough = (self.limit.bytes_per_second as f64 * self.waited.as_secs_f64()) as u64;
            self.slow_for = if self.bytes < enough {
                self.slow_for + self.waited
            } else {
                Duration::ZERO
            };
            self.waited = Duration::ZERO;
            self.bytes = 0;
        }
        self.slow_for >= self.limit.window
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_unbroken_crawl_is_given_up() {
        let limit = LowSpeed {
            bytes_per_second: 100,
            window: Duration::from_secs(3),
        };
        let mut pace = Pace::new(limit);
        let mut second = |bytes| {
            pace.moved(bytes);
            pace.waited(Duration::from_millis(500)) || pace.waited(Duration::from_millis(500))
        };
        assert!(
            ![10, 0, 500, 10, 10].into_iter().any(&mut second),
            "a good second starts the window anew"
        );
        assert!(second(99));
    }
}
