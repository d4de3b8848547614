//! A day of several workspaces and their central, as the loop plays it: what its host sees.

use super::{
    super::{Failure, Next, Pace, Poll, Way},
    *,
};

const HOUR: f64 = 3600.0;

/// What a host sees, each with its time.
#[derive(Default)]
struct Seen {
    listings: Vec<Duration>,
    syncs: Vec<(Duration, Way)>,
}

struct World {
    paces: Vec<Pace>,
    prints: Vec<u64>,
    pushed: Vec<u64>,
    poll: Poll,
    roll: f64,
    seen: Seen,
}

impl World {
    fn new(workspaces: usize) -> Self {
        World {
            paces: vec![Pace::new(SETTINGS); workspaces],
            prints: vec![1; workspaces],
            pushed: vec![1; workspaces],
            poll: Poll::new(Duration::ZERO, SETTINGS.poll),
            roll: 0.0,
            seen: Seen::default(),
        }
    }

    fn roll(&mut self) -> f64 {
        self.roll = (self.roll + 0.37) % 1.0;
        self.roll
    }

    /// From `from` until `to`, with these edits of these workspaces. Central is out of reach while `is_away` says so.
    fn pass(&mut self, [from, to]: [f64; 2], edits: &[(f64, usize)], is_away: &dyn Fn(Duration) -> bool) {
        let mut edits = edits.iter().peekable();
        let mut now = at(from);
        while now < at(to) {
            while let Some((_, workspace)) = edits.next_if(|(time, _)| at(*time) <= now) {
                self.prints[*workspace] += 1;
                self.paces[*workspace].event(now);
            }
            let mut next = at(to);
            for number in 0..self.paces.len() {
                next = next.min(self.workspace(number, now, is_away(now)));
            }
            if self.poll.next() <= now {
                self.seen.listings.push(now);
                let roll = self.roll();
                if is_away(now) {
                    self.poll.failed(now, Failure::Network, roll);
                } else if self.poll.answered(now, roll) {
                    self.paces.iter_mut().for_each(Pace::central_is_back);
                    continue;
                }
            }
            next = next.min(self.poll.next());
            if let Some((time, _)) = edits.peek() {
                next = next.min(at(*time));
            }
            now = next.max(now + Duration::from_millis(1));
        }
    }

    fn workspace(&mut self, number: usize, now: Duration, is_away: bool) -> Duration {
        loop {
            match self.paces[number].next(now) {
                Next::Wait(until) => return until,
                Next::Survey => self.paces[number].surveyed(now, found(self.prints[number])),
                Next::Sync(_) if self.poll.is_down() => return self.poll.next(),
                Next::Sync(way) => {
                    let print = Some(self.prints[number]);
                    self.seen.syncs.push((now, way));
                    self.paces[number].begun();
                    if is_away {
                        self.paces[number].failed(now, Failure::Network, print);
                        self.poll.doubted(now);
                        continue;
                    }
                    self.paces[number].succeeded(way, print);
                    let roll = self.roll();
                    self.poll.answered(now, roll);
                    if way == Way::Both && self.pushed[number] != self.prints[number] {
                        self.pushed[number] = self.prints[number];
                        self.poll.lively(now, roll);
                        let others = self.paces.iter_mut().enumerate().filter(|(other, _)| *other != number);
                        others.for_each(|(_, pace)| pace.central_moved());
                    }
                    // Those before it in the row have something to do.
                    return now;
                }
            }
        }
    }

    fn listings(&self, [from, to]: [f64; 2]) -> usize {
        let is_within = |time: &&Duration| **time >= at(from) && **time < at(to);
        self.seen.listings.iter().filter(is_within).count()
    }
}

/// Work in the morning and in the afternoon, and a night: from one watcher.
#[test]
fn of_one_workspace() {
    let mut world = World::new(1);
    let half_hours = |first: f64| (0..8).map(move |n| (first * HOUR + f64::from(n) * 0.5 * HOUR, 0));
    let edits: Vec<_> = half_hours(8.0).chain(half_hours(13.0)).collect();
    world.pass([0.0, 24.0 * HOUR], &edits, &|_| false);
    assert_eq!(world.seen.syncs.len(), 17, "the first one, and one for each edit");
    assert!(world.seen.syncs.iter().all(|(_, way)| *way == Way::Both));
    let night = world.listings([3.0 * HOUR, 4.0 * HOUR]);
    assert!((11..=15).contains(&night), "every five minutes: {night}");
    let work = world.listings([9.0 * HOUR, 10.0 * HOUR]);
    assert!((40..=70).contains(&work), "{work}");
    let all = world.seen.listings.len();
    assert!((500..=800).contains(&all), "{all}");
    for pair in world.seen.listings.windows(2) {
        let pause = pair[1] - pair[0];
        assert!(pause >= at(26.9) && pause <= at(360.0), "{pause:?}");
    }
}

/// Fifty workspaces of one central ask it no more often than one does.
#[test]
fn of_fifty_workspaces() {
    let mut world = World::new(50);
    let edits: Vec<_> = (0..16)
        .map(|n: u32| (8.0 * HOUR + f64::from(n) * 0.5 * HOUR, n as usize))
        .collect();
    world.pass([0.0, 24.0 * HOUR], &edits, &|_| false);
    assert!((500..=800).contains(&world.seen.listings.len()));
    // Each at the beginning, and each for every edit.
    assert_eq!(world.seen.syncs.len(), 50 + 16 * 50);
}

/// Central is away for a minute, and for an hour, while ten workspaces have something to push: it is asked less and less often, by one of
/// them, and all of it arrives.
#[test]
fn central_goes_and_comes_again() {
    let mut world = World::new(10);
    world.pass([0.0, HOUR], &[], &|_| false);
    let edits: Vec<_> = (0..10).map(|n| (HOUR + 10.0, n)).collect();
    let away = |from: f64, to: f64| move |now: Duration| now >= at(from) && now < at(to);
    world.seen = Seen::default();
    world.pass([HOUR, HOUR + 200.0], &edits, &away(HOUR, HOUR + 60.0));
    assert!(world.paces.iter().all(|pace| pace.backs_off_until().is_none()));
    assert!(world.listings([HOUR, HOUR + 60.0]) <= 4, "{:?}", world.seen.listings);
    assert_eq!(world.pushed, [2; 10]);

    let edits: Vec<_> = (0..10).map(|n| (2.0 * HOUR + 10.0, n)).collect();
    world.pass([HOUR + 200.0, 2.0 * HOUR], &[], &|_| false);
    world.seen = Seen::default();
    world.pass([2.0 * HOUR, 4.0 * HOUR], &edits, &away(2.0 * HOUR, 3.0 * HOUR));
    let asked = world.listings([2.0 * HOUR, 3.0 * HOUR]);
    assert!((6..=12).contains(&asked), "{asked}");
    let tries = world
        .seen
        .syncs
        .iter()
        .filter(|(time, _)| *time < at(3.0 * HOUR))
        .count();
    assert!(tries <= 10, "{tries}");
    let both: Vec<_> = world
        .seen
        .syncs
        .iter()
        .filter(|(time, way)| *time >= at(3.0 * HOUR) && *way == Way::Both)
        .collect();
    assert!(
        both.len() >= 10 && both[0].0 <= at(3.0 * HOUR + 15.0 * 66.0),
        "{both:?}"
    );
    assert!(world.paces.iter().all(|pace| pace.backs_off_until().is_none()));
}

#[test]
fn who_is_not_let_in_asks_seldom() {
    let mut poll = Poll::new(Duration::ZERO, SETTINGS.poll);
    let mut asked = 0;
    while poll.next() < at(24.0 * HOUR) {
        asked += 1;
        poll.failed(poll.next(), Failure::Auth, 0.5);
    }
    assert!((24..=30).contains(&asked), "{asked}");
    let now = poll.next();
    poll.at_once(now);
    assert_eq!(poll.next(), now, "the machine woke up");
    assert!(!poll.is_down());
}

#[test]
fn the_shortest_pause_is_that_of_whoever_wants_to_know_most() {
    let mut poll = Poll::new(Duration::ZERO, at(300.0));
    poll.answered(Duration::ZERO, 0.5);
    assert_eq!(poll.next(), at(300.0));
    poll.also_for(at(20.0));
    assert!(poll.is_spared_by(at(17.0)) && !poll.is_spared_by(at(19.0)));
    poll.answered(at(300.0), 0.5);
    assert_eq!(poll.next(), at(320.0));
    poll.answered(at(9_000.0), 1.0);
    assert_eq!(poll.next(), at(9_000.0) + at(20.0 * 1.5).mul_f64(1.1));
}

/// What is pushed while a sync runs, or a question is on its way, may be missing from the answer.
#[test]
fn a_bell_is_answered_by_a_question_that_came_after_it() {
    let mut poll = Poll::new(Duration::ZERO, at(300.0));
    poll.asks();
    poll.answered(at(1.0), 0.5);
    assert_eq!(poll.next(), at(301.0));
    assert!(!poll.rung(at(2.0), true), "something is on the way");
    assert!(poll.next() == at(2.0) && !poll.is_spared_by(at(1.0)));
    poll.answered(at(3.0), 0.5);
    assert_eq!(poll.next(), at(3.0), "that was a sync which had begun before");
    poll.asks();
    poll.answered(at(4.0), 0.5);
    assert!(poll.next() == at(304.0) && poll.is_spared_by(at(1.0)));
    assert!(poll.rung(at(5.0), false), "whoever syncs now sees it");
    assert_eq!(poll.next(), at(304.0));
}
