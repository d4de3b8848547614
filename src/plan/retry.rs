//! Whether the cycle runs again after a push that did not land, and after which wait.

use std::time::Duration;

/// What became of one cycle, as far as retrying is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CycleEnd {
    /// Central's branch moved between our fetch and our push: the only case that a new cycle can mend.
    Moved,
    /// Anything else that failed: a hook's refusal, authentication, network, the unknown.
    Failed,
}

/// What to do next.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Decision {
    /// Run the whole cycle again after this wait.
    Again(Duration),
    /// Give up: the budget is spent.
    Exhausted,
    /// Give up: the wait would pass the sync's deadline.
    OutOfTime,
    /// Give up: another cycle would fail the same way.
    Hopeless,
}

/// Decides after `retries_done` retries (0 after the first attempt) of at most `max_retries`.
///
/// `roll` is uniform in `[0, 1)`; `cycle` is how long the last cycle took from its fetch to the answer of its push;
/// `left` is the time to the sync's deadline.
///
/// # How the wait was chosen
///
/// A cycle succeeds if nobody else lands a commit while it runs. The first retry goes at once: with two or three
/// writers the other one is done by then, and that is the common case. After that the survivors of a crowd must be
/// spread out: retry *k* waits a uniformly random time (full jitter) in a window of `cycle × 4 × 2^k`, so that the
/// chance of meeting one of *n* rivals, about `n × cycle ÷ window`, halves with each round whatever the speed of the
/// transport: the window grows with the measured cycle, which under load is longer too. With twenty writers at
/// once the expected survivors after the rounds 1–5 are about 18, 9, 3, 0.5 and fewer than 0.01. The window is kept
/// between 50 ms and 20 s.
pub fn decide(
    end: CycleEnd,
    retries_done: u32,
    max_retries: u32,
    roll: f64,
    cycle: Duration,
    left: Option<Duration>,
) -> Decision {
    if end == CycleEnd::Failed {
        return Decision::Hopeless;
    }
    if retries_done >= max_retries {
        return Decision::Exhausted;
    }
    if retries_done == 0 {
        return Decision::Again(Duration::ZERO);
    }
    let window = (cycle * 4)
        .saturating_mul(1 << retries_done.min(10))
        .clamp(Duration::from_millis(50), Duration::from_secs(20));
    let wait = window.mul_f64(roll.clamp(0.0, 1.0));
    match left {
        Some(left) if wait + cycle > left => Decision::OutOfTime,
        _ => Decision::Again(wait),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CYCLE: Duration = Duration::from_millis(100);

    /// 82#7–10: only a moved branch is retried.
    #[test]
    fn anything_but_a_moved_branch_is_hopeless() {
        assert_eq!(decide(CycleEnd::Failed, 0, 5, 0.0, CYCLE, None), Decision::Hopeless);
    }

    /// 82#18: no budget means one attempt.
    #[test]
    fn the_budget_counts_retries_not_attempts() {
        assert_eq!(decide(CycleEnd::Moved, 0, 0, 0.5, CYCLE, None), Decision::Exhausted);
        assert!(matches!(
            decide(CycleEnd::Moved, 4, 5, 0.5, CYCLE, None),
            Decision::Again(_)
        ));
        assert_eq!(decide(CycleEnd::Moved, 5, 5, 0.5, CYCLE, None), Decision::Exhausted);
    }

    #[test]
    fn the_first_retry_goes_at_once_and_later_windows_double() {
        assert_eq!(
            decide(CycleEnd::Moved, 0, 5, 0.9, CYCLE, None),
            Decision::Again(Duration::ZERO)
        );
        for (done, window_ms) in [(1, 800), (2, 1600), (3, 3200), (4, 6400)] {
            assert_eq!(
                decide(CycleEnd::Moved, done, 5, 0.5, CYCLE, None),
                Decision::Again(Duration::from_millis(window_ms / 2))
            );
        }
    }

    #[test]
    fn the_window_has_a_floor_and_a_ceiling() {
        let tiny = decide(CycleEnd::Moved, 1, 5, 1.0, Duration::from_micros(10), None);
        assert_eq!(tiny, Decision::Again(Duration::from_millis(50)));
        let huge = decide(CycleEnd::Moved, 4, 5, 1.0, Duration::from_secs(60), None);
        assert_eq!(huge, Decision::Again(Duration::from_secs(20)));
    }

    #[test]
    fn a_wait_beyond_the_deadline_is_not_begun() {
        let left = Some(Duration::from_millis(300));
        assert_eq!(decide(CycleEnd::Moved, 1, 5, 0.9, CYCLE, left), Decision::OutOfTime);
        assert!(matches!(
            decide(CycleEnd::Moved, 1, 5, 0.1, CYCLE, left),
            Decision::Again(_)
        ));
    }
}
