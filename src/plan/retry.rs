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

/// The window before the second retry and each after that: its length in cycles, and the share of it at its beginning in
/// which nobody retries.
const WINDOWS: [(f64, f64); 4] = [(3.5, 0.0), (16.0, 0.2), (40.0, 0.3), (300.0, 0.3)];
/// No window is smaller: below this, cycles are dominated by what their measuring does not see.
const SHORTEST: Duration = Duration::from_millis(50);
/// No window is larger. Only the last of a big crowd meet it; who watches is told that a retry is due, and when.
const LONGEST: Duration = Duration::from_secs(45);

/// Decides after a cycle that ended with central's branch moved; nothing else is retried.
///
/// # How the wait was chosen
///
/// A cycle succeeds if nobody else lands a commit while it runs. The first retry goes at once: with two writers the
/// other one is done by then, and that is the common case. After that the survivors of a crowd must be spread out, over a
/// window of 3.5, 16, 40 and 300 cycles before the second to the fifth retry. The window grows with the measured cycle, so
/// it fits any transport, and also a server or a machine that is slow because the whole crowd uses it: there a cycle is as
/// long as the crowd is large, and so is the window. How many rivals there are cannot be known, so the lengths are a
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
    if race.retries_done == 0 {
        return Decision::Again(Duration::ZERO);
    }
    let later = usize::try_from(race.retries_done - 1).unwrap_or(usize::MAX);
    let (cycles, free) = WINDOWS[later.min(WINDOWS.len() - 1)];
    let usable = race.left.map_or(Duration::MAX, |left| left.saturating_sub(race.cycle));
    // Half of it: with its beginning left out, and rounded up, a wait may be longer than its window.
    let window = Duration::try_from_secs_f64(race.cycle.as_secs_f64() * cycles)
        .unwrap_or(LONGEST)
        .clamp(SHORTEST, LONGEST)
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
mod tests {
    use super::*;

    const CYCLE: Duration = Duration::from_millis(100);
    const RACE: Race = Race {
        retries_done: 0,
        max_retries: 5,
        cycle: CYCLE,
        left: None,
        seat: None,
    };

    fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn at(roll: f64, clock: Duration) -> Chance {
        Chance { roll, clock }
    }

    fn wait(race: Race, chance: Chance) -> Duration {
        match decide(&race, chance) {
            Decision::Again(wait) => wait,
            other => panic!("{other:?}"),
        }
    }

    /// 82#18: no budget means one attempt.
    #[test]
    fn the_budget_counts_retries_not_attempts() {
        let after = |retries_done, max_retries| {
            let race = Race {
                retries_done,
                max_retries,
                ..RACE
            };
            decide(&race, at(0.5, ms(0)))
        };
        assert_eq!(after(0, 0), Decision::Exhausted);
        assert!(matches!(after(4, 5), Decision::Again(_)));
        assert_eq!(after(5, 5), Decision::Exhausted);
    }

    #[test]
    fn the_first_retry_goes_at_once_and_later_windows_grow() {
        assert_eq!(wait(RACE, at(0.9, ms(77))), ms(0));
        for (retries_done, earliest, latest) in [(1, 0, 350), (2, 320, 1600), (3, 1200, 4000), (4, 9000, 30000)] {
            let race = Race { retries_done, ..RACE };
            for (roll, expected) in [(0.0, earliest), (1.0, latest)] {
                let wait = wait(race, at(roll, ms(0)));
                assert!(wait.abs_diff(ms(expected)) < ms(1), "{retries_done}: {wait:?}");
            }
        }
    }

    #[test]
    fn no_two_workspaces_sit_in_one_place_and_none_sits_in_one_for_ever() {
        let names: Vec<Prefix> = (b'a'..=b't')
            .map(|c| format!("w{}", char::from(c)).parse().unwrap())
            .collect();
        let seats = |round| {
            names
                .iter()
                .map(|own| Seat::take(own, names.iter().filter(|other| *other != own), round))
                .inspect(|seat| assert_eq!(seat.of, names.len()))
                .map(|seat| seat.number)
                .collect::<Vec<_>>()
        };
        for round in 1..5 {
            let mut taken = seats(round);
            assert_ne!(taken, seats(round + 1));
            taken.sort_unstable();
            assert_eq!(taken, (0..names.len()).collect::<Vec<_>>());
        }
    }

    /// Whenever they lost, and if they measured about the same: where their clocks agree, no two begin within three
    /// quarters of a seat, in all windows.
    #[test]
    fn writers_of_different_seats_keep_their_distance() {
        let of = 20;
        for (retries_done, period) in [(1, 256), (2, 1024), (3, 2048), (4, 2048)] {
            let period = ms(period).as_nanos();
            let mut begun: Vec<u128> = (0..of)
                .map(|number| {
                    let race = Race {
                        retries_done,
                        seat: Some(Seat { number, of }),
                        cycle: ms(80 + number as u64),
                        ..RACE
                    };
                    let lost = ms(1_700_000_000_000 + 13 * number as u64);
                    let wait = wait(race, at((number * 7 % 10) as f64 / 10.0, lost));
                    (lost + wait).as_nanos() % period
                })
                .collect();
            begun.sort_unstable();
            for pair in begun.windows(2) {
                let least = period / of as u128 * 3 / 4;
                assert!(pair[1] - pair[0] >= least - 1000, "{retries_done}: {begun:?}");
            }
        }
    }

    #[test]
    fn a_seat_that_cannot_be_does_no_harm() {
        for (number, of) in [(7, 0), (usize::MAX, 3), (0, usize::MAX)] {
            let race = Race {
                retries_done: 1,
                seat: Some(Seat { number, of }),
                ..RACE
            };
            for clock in [Duration::ZERO, Duration::MAX] {
                assert!(wait(race, at(0.99, clock)) <= ms(512));
            }
        }
    }

    #[test]
    fn the_window_has_a_floor_and_a_ceiling() {
        for seat in [None, Some(Seat { number: 3, of: 4 })] {
            let first = Race {
                retries_done: 1,
                cycle: Duration::from_micros(10),
                seat,
                ..RACE
            };
            assert!((ms(20)..=ms(64)).contains(&wait(first, at(1.0, ms(0)))));
            for cycle in [Duration::from_secs(60), Duration::MAX] {
                let last = Race {
                    retries_done: 4,
                    cycle,
                    seat,
                    ..RACE
                };
                for clock in (0..70).map(Duration::from_secs) {
                    assert!(wait(last, at(1.0, clock)) <= LONGEST + Duration::from_secs(2));
                }
            }
            // However many retries there may be, the last window is that of the fifth.
            let many = |retries_done| Race {
                retries_done,
                max_retries: u32::MAX,
                seat,
                ..RACE
            };
            let chance = at(1.0, ms(5));
            assert_eq!(wait(many(u32::MAX - 1), chance), wait(many(4), chance));
        }
    }

    #[test]
    fn what_is_left_of_the_time_is_used_up_but_not_passed() {
        for seat in [None, Some(Seat { number: 9, of: 10 })] {
            let race = |retries_done, left| Race {
                retries_done,
                left: Some(ms(left)),
                seat,
                ..RACE
            };
            for (done, roll) in [(0, 0.0), (1, 0.0), (2, 0.99), (4, 0.99)] {
                assert_eq!(decide(&race(done, 99), at(roll, ms(3))), Decision::OutOfTime);
                let exactly_one_more = decide(&race(done, 100), at(roll, ms(3)));
                assert_eq!(exactly_one_more, Decision::Again(ms(0)));
                let wait = wait(race(done, 300), at(roll, ms(3)));
                assert!(wait + CYCLE <= ms(300), "{done}: {wait:?}");
            }
        }
    }
}
