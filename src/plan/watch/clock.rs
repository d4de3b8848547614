//! Whether the machine slept.

use std::time::Duration;

/// A clock that was set, or a sleep, shorter than this goes unnoticed.
const JUMP: Duration = Duration::from_secs(5);

/// Compares the clock on the wall with one that stands still while the machine is suspended.
#[derive(Debug, Clone, Copy, Default)]
pub struct Clock {
    ahead: Option<Duration>,
}

impl Clock {
    /// Whether the one on the wall went on by itself since the last look. Both are told since any time of their own. A clock on
    /// the wall that is set back says nothing.
    pub fn jumped(&mut self, monotonic: Duration, wall: Duration) -> bool {
        let ahead = wall.saturating_sub(monotonic);
        let before = self.ahead.replace(ahead);
        before.is_some_and(|before| ahead.saturating_sub(before) >= JUMP)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_suspension_is_noticed_once() {
        let mut clock = Clock::default();
        let seconds = Duration::from_secs;
        let looks = [
            (10, 1_000, false),
            (20, 1_010, false),
            // Set by two seconds, and back again.
            (21, 1_013, false),
            (22, 1_012, false),
            // An hour.
            (23, 4_613, true),
            (24, 4_614, false),
            // Set back by a day.
            (25, 10, false),
            (26, 11, false),
        ];
        for (monotonic, wall, jumped) in looks {
            let found = clock.jumped(seconds(monotonic), seconds(wall));
            assert_eq!(found, jumped, "{monotonic} {wall}");
        }
    }
}
