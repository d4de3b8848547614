//! When to ask a central for its head: often while something goes on, seldom otherwise.

use std::time::Duration;

use super::failure::{Failure, Failures};

/// So long after something happened the shortest pause is kept.
const LIVELY: Duration = Duration::from_secs(10 * 60);
/// After that each pause is by so much longer than the one before,
const GROWTH: f64 = 1.5;
/// up to this.
const LONGEST: Duration = Duration::from_secs(5 * 60);
/// Watchers that began together do not ask together.
const SPREAD: f64 = 0.1;

/// A central's.
#[derive(Debug, Clone)]
pub struct Poll {
    shortest: Duration,
    pause: Duration,
    lively_until: Duration,
    next: Duration,
    failed: Option<Failures>,
    /// Whether something happened there since it asked last.
    is_rung: bool,
}

impl Poll {
    /// One that asks at once; `shortest` is configured.
    pub fn new(now: Duration, shortest: Duration) -> Self {
        Poll {
            shortest,
            pause: shortest,
            lively_until: now + LIVELY,
            next: now,
            failed: None,
            is_rung: false,
        }
    }

    /// Another workspace wants to know, too, after pauses of `shortest`.
    pub fn also_for(&mut self, shortest: Duration) {
        self.shortest = self.shortest.min(shortest);
        self.pause = self.pause.min(self.shortest);
    }

    /// When it asks next.
    pub fn next(&self) -> Duration {
        self.next
    }

    /// Whether the last question had no answer. Nothing else is asked of a central that is down.
    pub fn is_down(&self) -> bool {
        self.failed.is_some()
    }

    /// Whether what was learned so long ago spares a question.
    pub fn is_spared_by(&self, age: Duration) -> bool {
        !self.is_rung && age < self.shortest.mul_f64(1.0 - SPREAD)
    }

    /// Something happened here or there: the pause becomes short. `roll` is from 0 to 1.
    pub fn lively(&mut self, now: Duration, roll: f64) {
        self.lively_until = now + LIVELY;
        self.pause = self.shortest;
        if self.failed.is_none() {
            self.next = self.next.min(now + spread(self.pause, roll));
        }
    }

    /// It asks now, and hears of all that happened before.
    pub fn asks(&mut self) {
        self.is_rung = false;
    }

    /// Central answered, at `at`, here or somebody else on this machine. Returns whether it had been down.
    pub fn answered(&mut self, at: Duration, roll: f64) -> bool {
        if at >= self.lively_until {
            self.pause = self.pause.mul_f64(GROWTH).min(LONGEST.max(self.shortest));
        }
        // What happened meanwhile may have come too late for that answer.
        self.next = if self.is_rung {
            at
        } else {
            at + spread(self.pause, roll)
        };
        self.failed.take().is_some()
    }

    /// It did not.
    pub fn failed(&mut self, now: Duration, failure: Failure, roll: f64) {
        let failures = Failures::and(self.failed, failure);
        self.failed = Some(failures);
        self.next = now + spread(failures.wait(), roll);
    }

    /// A sync could not reach it: whether it is down is found out at once, unless that is known.
    pub fn doubted(&mut self, now: Duration) {
        if self.failed.is_none() {
            self.next = self.next.min(now);
        }
    }

    /// Somebody on this machine pushed to it. Whether those who have it sync at once: what is on the way may have come too early for
    /// that, so it is asked afterwards.
    pub fn rung(&mut self, now: Duration, is_busy: bool) -> bool {
        if is_busy {
            self.at_once(now);
        }
        !is_busy
    }

    /// Ask at once, whatever was learned before: central's refs lie here and changed, or the machine was suspended.
    pub fn at_once(&mut self, now: Duration) {
        self.is_rung = true;
        self.next = now;
        self.failed = None;
        self.pause = self.shortest;
        self.lively_until = now + LIVELY;
    }
}

fn spread(pause: Duration, roll: f64) -> Duration {
    pause.mul_f64(1.0 - SPREAD + 2.0 * SPREAD * roll.clamp(0.0, 1.0))
}
