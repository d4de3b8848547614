//! The only loop: a cycle that lost the race for central's branch is run again.

use std::{
    sync::atomic::Ordering,
    time::{Duration, Instant, SystemTime},
};

use super::{
    cycle::{End, Known, Published},
    error::SyncErrorKind,
    options::{Progress, Step},
    session::Session,
};
use crate::{
    central::{
        store::Store,
        turn::{self, Asked, Turn},
    },
    plan::retry::{self, Chance, Decision, Race},
    send_pack::connect::Scheme,
    stage::Context,
};

/// A writer of this machine that has not had its turn after this long goes on without.
const TURN_PATIENCE: Duration = Duration::from_secs(20);
/// How long [`pause()`] sleeps at a time, so that an interruption is seen soon.
const NAP: Duration = Duration::from_millis(50);
/// How long [`take_turn()`] sleeps before it asks again: short beside a cycle, which at least starts a program or crosses
/// a network.
const TURN_NAP: Duration = Duration::from_millis(5);

/// Runs a cycle, and again while central moves.
pub fn until_done<'a>(
    session: &mut Session<'a>,
    mut cycle: impl FnMut(&mut Session<'a>, Option<Known>) -> Result<End, SyncErrorKind>,
) -> Result<Published, SyncErrorKind> {
    let mut known = None;
    let mut turn = None;
    let is_on_a_path = session.ctx.upstream.scheme() == Scheme::File;
    // Over a path a push that comes too late costs less than waiting for the other's end.
    session.may_give_way = !is_on_a_path;
    loop {
        let begun = Instant::now();
        let end = cycle(session, known)?;
        // Neither held while we wait nor while we write down what we did.
        drop(turn);
        session.may_give_way = false;
        match end {
            End::Done(published) => return Ok(*published),
            End::GaveWay(left) => {
                turn = take_turn(&session.ctx, &left.store, Some(session.time_left()))?;
                known = Some(*left);
            }
            End::Moved(left) => {
                let retries = session.report.retries;
                // All who came to a central on a path take turns there, so nobody has to be kept away from anybody at first.
                let seat = match is_on_a_path && retries == 0 {
                    true => None,
                    false => session.seat(&left, retries),
                };
                let lost = Lost {
                    ctx: &session.ctx,
                    store: &left.store,
                    deadline: session.deadline,
                    race: Race {
                        retries_done: retries,
                        max_retries: session.max_retries,
                        cycle: begun.elapsed(),
                        left: Some(session.time_left()),
                        seat,
                    },
                };
                turn = wait(&lost, session.progress)?;
                session.report.retries = retries + 1;
                known = Some(*left);
            }
        }
    }
}

/// A writer that somebody else was faster than.
pub struct Lost<'a> {
    /// Which central.
    pub ctx: &'a Context<'a>,
    /// What is here of it.
    pub store: &'a Store,
    /// The time for everything.
    pub deadline: Duration,
    /// How the race went.
    pub race: Race,
}

/// Waits for its time after a cycle that was lost, or says that there is no more of it.
pub fn wait(lost: &Lost<'_>, told: &mut dyn Progress) -> Result<Option<Turn>, SyncErrorKind> {
    let retries = lost.race.retries_done;
    let chance = Chance {
        roll: fastrand::f64(),
        clock: SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default(),
    };
    match retry::decide(&lost.race, chance) {
        Decision::Again(wait) => {
            let retry = retries + 1;
            told.step(Step::Retrying { retry, wait });
            let _wait = tracing::info_span!("wait", retry).entered();
            pause(lost.ctx, wait)?;
            take_turn(lost.ctx, lost.store, lost.race.left)
        }
        Decision::OutOfTime => Err(SyncErrorKind::OutOfTime {
            seconds: lost.deadline.as_secs(),
        }),
        Decision::Exhausted => Err(SyncErrorKind::RetriesExhausted { retries }),
    }
}

/// Waits, unless interrupted.
fn pause(ctx: &Context<'_>, wait: Duration) -> Result<(), SyncErrorKind> {
    let end = Instant::now() + wait;
    loop {
        if ctx.connect.interrupt.load(Ordering::Relaxed) {
            return Err(SyncErrorKind::Interrupted);
        }
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(());
        }
        std::thread::sleep(left.min(NAP));
    }
}

/// Waits for its turn among the writers of this machine, but not for all the time that is `left`. `None`: without.
fn take_turn(ctx: &Context<'_>, store: &Store, left: Option<Duration>) -> Result<Option<Turn>, SyncErrorKind> {
    let _turn = tracing::info_span!("turn").entered();
    let end = Instant::now() + TURN_PATIENCE.min(left.unwrap_or(TURN_PATIENCE) / 2);
    loop {
        match turn::ask(&ctx.upstream, &ctx.connect, store) {
            Asked::Taken(turn) => return Ok(Some(turn)),
            Asked::Busy if Instant::now() < end => pause(ctx, TURN_NAP)?,
            Asked::Busy | Asked::Impossible => return Ok(None),
        }
    }
}
