//! After a push that came too late: whether the cycle runs again, and after which wait.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    time::Duration,
};

use crate::names::Prefix;

/// What a sync that lost a race knows of it.
#[derive(Debug, Clone, Copy)]
pub struct Race {
    /// How many retries there were so far: 0 after the first attempt.
    pub retries_done: u32,
    /// How many there may be.
    pub max_retries: u32,
    /// How long the last cycle took, from its fetch to the answer of its push.
    pub cycle: Duration,
    /// The time to the sync's deadline.
    pub left: Option<Duration>,
    /// The writer's place among those it may race. `None`: there is none that is its own, as another clone of the same
    /// workspace takes part.
    pub seat: Option<Seat>,
}

/// A workspace's place among all of central. Everybody counts the same way, so no two have the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seat {
    /// From 0.
    pub number: usize,
    /// How many there are, this one included.
    pub of: usize,
}

impl Seat {
    /// The seat of `own` among itself and `others`. In each `round` they sit down in another order, so that neighbours who
    /// got into each other's way do not do so again. A version of this program that orders them differently does no harm.
    pub fn take<'a>(own: &Prefix, others: impl IntoIterator<Item = &'a Prefix>, round: u32) -> Self {
        let place = |prefix: &Prefix| {
            let mut hasher = DefaultHasher::new();
            (prefix.as_str(), round).hash(&mut hasher);
            (hasher.finish(), prefix.clone())
        };
        let own = place(own);
        let mut seat = Seat { number: 0, of: 1 };
        for other in others {
            seat.of += 1;
            seat.number += usize::from(place(other) < own);
        }
        seat
    }
}

/// What differs each time.
#[derive(Debug, Clone, Copy)]
pub struct Chance {
    /// Uniform in `[0, 1)`.
    pub roll: f64,
    /// The time of day: any clock that the writers have in common, if they have one.
    pub clock: Duration,
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
}

/// The window before each retry: its length in cycles, and the share of it at its beginning in which nobody retries.
const WINDOWS: [(f64, f64); 5] = [(3.5, 0.0), (3.5, 0.0), (16.0, 0.2), (40.0, 0.3), (300.0, 0.3)];
/// Of so many workspaces a crowd may have come at once.
const CROWD: usize = 8;
/// No window before the first retry is larger: mostly only two came.
const FIRST: Duration = Duration::from_secs(1);
/// No window is smaller: below this, cycles are dominated by what their measuring does not see.
const SHORTEST: Duration = Duration::from_millis(50);
/// No window is larger. Only the last of a big crowd meet it; who watches is told that a retry is due, and when.
const LONGEST: Duration = Duration::from_secs(45);

/// Decides after a cycle that ended with central's branch moved; nothing else is retried.
///
/// # How the wait was chosen
///
/// A cycle succeeds if nobody else lands a commit while it runs. Where central has few workspaces the first retry goes at
/// once: with two writers the other one is done by then, and that is the common case. Else, and after that, the survivors of
/// a crowd must be spread out, over a window of 3.5 cycles before the first and the second retry, and of 16, 40 and 300 before
/// the third to the fifth. Of twenty writers over http who all retried at once nineteen pushed in vain a second time; spread,
/// they take 1.4 times as long as one after the other instead of 1.9, and one who lost to a single other waits for a tenth of a
/// second. The window grows with the measured cycle, so it fits any transport, and also a server or a machine that is slow
/// because the whole crowd uses it: there a cycle is as long as the crowd is large, and so is the window. How many rivals there are cannot be known, so the lengths are a
/// compromise: small windows first keep a handful of writers from waiting for nobody, and only the few whom they did not
/// serve meet the large ones. Of those the beginning is left out: who retries soon meets those who have not waited yet.
///
/// Within a window each workspace has times of its own. The clock is divided into periods, long enough for one cycle of
/// each workspace if the window is, and rounded to a power of two milliseconds so that writers whose cycles differ a little
/// have the same; a period is divided among the seats; and in which of the window's periods a writer begins, and when in the
/// first quarter of its part, is left to chance. Where clocks disagree, or few of many workspaces take part, this is as good
/// as chance alone; and chance alone it is among clones of one workspace. Twenty workspaces that race each other are as good
/// as queued: in simulations and on one machine they take two thirds of the time that they take by chance, and half as many
/// retry more than twice. Of crowds of 100 on a line with 20 ms delay, by chance 4 were left without a retry, and so nobody.
///
/// Writers of one machine do not come to that: from the first retry on they take turns (`central::turn`), and
/// twenty of them need one retry each, rarely two.
///
/// The window is kept between 50 ms and 45 s, which no wait exceeds by more than two seconds, and the wait within the time
/// that is left, so that a sync with a deadline uses the time it has instead of giving up early.
pub fn decide(race: &Race, chance: Chance) -> Decision {
    if race.retries_done >= race.max_retries {
        return Decision::Exhausted;
    }
    if race.left.is_some_and(|left| left < race.cycle) {
        return Decision::OutOfTime;
    }
    let is_first = race.retries_done == 0;
    if is_first && race.seat.is_none_or(|seat| seat.of < CROWD) {
        return Decision::Again(Duration::ZERO);
    }
    let done = usize::try_from(race.retries_done).unwrap_or(usize::MAX);
    let (cycles, free) = WINDOWS[done.min(WINDOWS.len() - 1)];
    let usable = race.left.map_or(Duration::MAX, |left| left.saturating_sub(race.cycle));
    // Half of it: with its beginning left out, and rounded up, a wait may be longer than its window.
    let window = Duration::try_from_secs_f64(race.cycle.as_secs_f64() * cycles)
        .unwrap_or(LONGEST)
        .clamp(SHORTEST, if is_first { FIRST } else { LONGEST })
        .min(usable / 2);
    let free = window.mul_f64(free);
    let roll = chance.roll.clamp(0.0, 1.0);
    let wait = match race.seat {
        Some(seat) => free + until_own_time(window - free, race.cycle, seat, roll, chance.clock.saturating_add(free)),
        None => free + (window - free).mul_f64(roll),
    };
    Decision::Again(wait.min(usable))
}

/// How long it is from `clock` to a time that belongs to `seat`, in a window from then on.
fn until_own_time(window: Duration, cycle: Duration, seat: Seat, roll: f64, clock: Duration) -> Duration {
    let of = u32::try_from(seat.of.max(1)).unwrap_or(u32::MAX);
    let wanted = cycle.saturating_mul(of).min(window);
    let millis = 2f64.powf((wanted.as_secs_f64() * 1e3).max(1.0).log2().round());
    let period = Duration::from_millis(millis as u64);
    let periods = (window.as_millis() / period.as_millis()).max(1) as f64;
    let chosen = (roll * periods).floor().min(periods - 1.0);
    let within = (roll * periods - chosen) / 4.0;
    let own = period.mul_f64(((seat.number % seat.of.max(1)) as f64 + within) / f64::from(of));
    let now = Duration::from_nanos((clock.as_nanos() % period.as_nanos()) as u64);
    let first = match own >= now {
        true => own - now,
        false => period + own - now,
    };
    first + period.mul_f64(chosen)
}

#[cfg(test)]
mod tests;
