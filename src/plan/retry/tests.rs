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

/// 82#18's crowd: where many may have come, the first retry has a time of its own too, and a slow line does not draw it out.
#[test]
fn where_there_may_be_a_crowd_the_first_retry_waits_a_little() {
    let first = |of: usize, number: usize, cycle: Duration| {
        let seat = Some(Seat { number, of });
        wait(Race { cycle, seat, ..RACE }, at(0.0, ms(0)))
    };
    assert_eq!(first(CROWD - 1, CROWD - 2, CYCLE), ms(0));
    let waits: Vec<Duration> = (0..20).map(|number| first(20, number, CYCLE)).collect();
    assert!(waits.is_sorted_by(|a, b| a < b) && waits[19] < ms(350), "{waits:?}");
    assert!(first(20, 19, Duration::from_secs(10)) <= ms(1024));
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
