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
    /// Give up: there is no time left for another cycle before the sync's deadline.
    OutOfTime,
    /// Give up: another cycle would fail the same way.
    Hopeless,
}

/// The window before the second retry, in cycles.
const FIRST_WINDOW: f64 = 5.0;
/// How much larger the window is before each retry after that.
const GROWTH: f64 = 3.0;
/// No window is smaller: below this, cycles are dominated by what their measuring does not see.
const SHORTEST: Duration = Duration::from_millis(50);
/// No window is larger: who watches a sync believes it dead after that.
const LONGEST: Duration = Duration::from_secs(20);

/// Decides after `retries_done` retries (0 after the first attempt) of at most `max_retries`.
///
/// `roll` is uniform in `[0, 1)`; `cycle` is how long the last cycle took from its fetch to the answer of its push;
/// `left` is the time to the sync's deadline.
///
/// # How the wait was chosen
///
/// A cycle succeeds if nobody else lands a commit while it runs. The first retry goes at once: with two writers the
/// other one is done by then, and that is the common case. After that the survivors of a crowd must be spread out:
/// retry *k* waits a uniformly random time (full jitter) in a window of `cycle × 5 × 3^(k-2)`, that is 5, 15, 45 and 135
/// cycles before the second to the fifth. The window grows with the measured cycle, so it fits any transport, and also
/// a machine that is slow because all of the crowd run on it.
///
/// How many rivals there are cannot be known, so the factors are a compromise: small windows first keep a handful of
/// writers from waiting for nobody, and only the few whom they did not serve meet the large ones, where the chance of
/// failing again, about `survivors × cycle ÷ window`, is small even for the last of a big crowd. In simulation and on a
/// busy machine, smaller windows (4, 8, 16, 32 or 4, 10, 25, 62) let one in some hundred writers of a crowd of twenty
/// fail; larger first ones made five writers wait for nothing. Of two hundred, twenty at a time over http on
/// a busy machine with two cores, all arrived, nineteen with four retries and one with all five; a crowd took 2.2 times as
/// long as its writers one after the other (median).
///
/// Writers of one machine do not come to that: from the first retry on they take turns (`central::turn`), and
/// twenty of them need one retry each, rarely two, in 0.7 of the time that they take one after the other.
///
/// The window is kept between 50 ms and 20 s, and within the time that is left, so that a sync with a deadline
/// uses the time it has instead of giving up early.
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
    if left.is_some_and(|left| left < cycle) {
        return Decision::OutOfTime;
    }
    if retries_done == 0 {
        return Decision::Again(Duration::ZERO);
    }
    let factor = FIRST_WINDOW * GROWTH.powi(retries_done.min(20) as i32 - 1);
    let mut window = Duration::try_from_secs_f64(cycle.as_secs_f64() * factor)
        .unwrap_or(LONGEST)
        .clamp(SHORTEST, LONGEST);
    if let Some(left) = left {
        window = window.min(left.saturating_sub(cycle));
    }
    Decision::Again(window.mul_f64(roll.clamp(0.0, 1.0)))
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
    fn the_first_retry_goes_at_once_and_later_windows_grow() {
        assert_eq!(
            decide(CycleEnd::Moved, 0, 5, 0.9, CYCLE, None),
            Decision::Again(Duration::ZERO)
        );
        for (done, window_ms) in [(1, 500), (2, 1500), (3, 4500), (4, 13500)] {
            assert_eq!(
                decide(CycleEnd::Moved, done, 5, 0.5, CYCLE, None),
                Decision::Again(Duration::from_millis(window_ms / 2))
            );
        }
    }

    #[test]
    fn the_window_has_a_floor_and_a_ceiling() {
        let tiny = decide(CycleEnd::Moved, 1, 5, 1.0, Duration::from_micros(10), None);
        assert_eq!(tiny, Decision::Again(SHORTEST));
        for cycle in [Duration::from_secs(60), Duration::MAX] {
            assert_eq!(
                decide(CycleEnd::Moved, 4, 5, 1.0, cycle, None),
                Decision::Again(LONGEST)
            );
        }
        let many = decide(CycleEnd::Moved, u32::MAX - 1, u32::MAX, 1.0, CYCLE, None);
        assert_eq!(many, Decision::Again(LONGEST));
    }

    #[test]
    fn what_is_left_of_the_time_is_used_up_but_not_passed() {
        let left = |ms| Some(Duration::from_millis(ms));
        for (done, roll) in [(0, 0.0), (1, 0.0), (4, 0.99)] {
            assert_eq!(
                decide(CycleEnd::Moved, done, 5, roll, CYCLE, left(99)),
                Decision::OutOfTime
            );
            let Decision::Again(wait) = decide(CycleEnd::Moved, done, 5, roll, CYCLE, left(300)) else {
                panic!("there is time for a cycle");
            };
            assert!(wait + CYCLE <= Duration::from_millis(300), "{done}: {wait:?}");
        }
    }
}
