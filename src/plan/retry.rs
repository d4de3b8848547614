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

/// The window before the second retry and each after that: its length in cycles, and the share of it at its beginning in
/// which nobody retries.
const WINDOWS: [(f64, f64); 4] = [(4.0, 0.0), (12.0, 0.2), (40.0, 0.3), (300.0, 0.3)];
/// No window is smaller: below this, cycles are dominated by what their measuring does not see.
const SHORTEST: Duration = Duration::from_millis(50);
/// No window is larger. Only the last of a big crowd meet it; who watches is told that a retry is due, and when.
const LONGEST: Duration = Duration::from_secs(60);

/// Decides after `retries_done` retries (0 after the first attempt) of at most `max_retries`.
///
/// `roll` is uniform in `[0, 1)`; `cycle` is how long the last cycle took from its fetch to the answer of its push;
/// `left` is the time to the sync's deadline.
///
/// # How the wait was chosen
///
/// A cycle succeeds if nobody else lands a commit while it runs. The first retry goes at once: with two writers the
/// other one is done by then, and that is the common case. After that the survivors of a crowd must be spread out:
/// each waits a uniformly random time in a window of 4, 12, 40 and 300 cycles before the second to the fifth retry. The
/// window grows with the measured cycle, so it fits any transport, and also a machine that is slow because all of the
/// crowd run on it. Of the later windows the beginning is left out: who is unlucky twice and then retries soon meets
/// those who have not waited yet, and has lost one of few tries.
///
/// How many rivals there are cannot be known, so the lengths are a compromise: small windows first keep a handful of
/// writers from waiting for nobody, and only the few whom they did not serve meet the large ones, where the chance of
/// failing again is small even for the last of a big crowd. In simulations of crowds of 100, one writer in some 2,500 is
/// left without a retry; with windows of 5, 15, 45 and 135 cycles that are used from their beginning it is one in 600.
///
/// Writers of one machine do not come to that: from the first retry on they take turns (`central::turn`), and
/// twenty of them need one retry each, rarely two.
///
/// The window is kept between 50 ms and a minute, and within the time that is left, so that a sync with a deadline
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
    let later = usize::try_from(retries_done - 1).unwrap_or(usize::MAX);
    let (cycles, kept_free) = WINDOWS[later.min(WINDOWS.len() - 1)];
    let mut window = Duration::try_from_secs_f64(cycle.as_secs_f64() * cycles)
        .unwrap_or(LONGEST)
        .clamp(SHORTEST, LONGEST);
    if let Some(left) = left {
        window = window.min(left.saturating_sub(cycle));
    }
    Decision::Again(window.mul_f64(kept_free + (1.0 - kept_free) * roll.clamp(0.0, 1.0)))
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
        for (done, earliest, latest) in [(1, 0, 400), (2, 240, 1200), (3, 1200, 4000), (4, 9000, 30000)] {
            for (roll, expected) in [(0.0, earliest), (1.0, latest)] {
                let Decision::Again(wait) = decide(CycleEnd::Moved, done, 5, roll, CYCLE, None) else {
                    panic!("there are retries left");
                };
                assert!(
                    wait.abs_diff(Duration::from_millis(expected)) < Duration::from_millis(1),
                    "{done}: {wait:?}"
                );
            }
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
        // However many retries there may be, the last window is that of the fifth.
        let many = decide(CycleEnd::Moved, u32::MAX - 1, u32::MAX, 1.0, CYCLE, None);
        assert_eq!(many, decide(CycleEnd::Moved, 4, 5, 1.0, CYCLE, None));
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
