//! The only loop: a cycle that lost the race for central's branch is run again.

use std::time::{Duration, Instant, SystemTime};

use super::{
    cycle::{End, Known, Published},
    error::SyncErrorKind,
    options::Step,
    session::Session,
};
use crate::{
    central::turn::Turn,
    plan::retry::{self, Chance, Decision, Race},
};

/// A writer of this machine that has not had its turn after this long goes on without.
const TURN_PATIENCE: Duration = Duration::from_secs(20);

/// Runs a cycle, and again while central moves.
pub fn until_done<'a>(
    session: &mut Session<'a>,
    mut cycle: impl FnMut(&mut Session<'a>, Option<Known>) -> Result<End, SyncErrorKind>,
) -> Result<Published, SyncErrorKind> {
    let mut known = None;
    let mut turn = None;
    loop {
        let begun = Instant::now();
        let end = cycle(session, known)?;
        // Neither held while we wait nor while we write down what we did.
        drop(turn);
        match end {
            End::Done(published) => return Ok(*published),
            End::Moved(left) => {
                turn = wait(session, &left, begun.elapsed())?;
                known = Some(*left);
            }
        }
    }
}

/// Waits for its time after a `cycle` that was lost, or says that there is no more of it.
fn wait(session: &mut Session<'_>, known: &Known, cycle: Duration) -> Result<Option<Turn>, SyncErrorKind> {
    let left = session.deadline.saturating_sub(session.clock.begun.elapsed());
    let retries = session.report.retries;
    let race = Race {
        retries_done: retries,
        max_retries: session.max_retries,
        cycle,
        left: Some(left),
        seat: session.seat(known, retries),
    };
    let chance = Chance {
        roll: fastrand::f64(),
        clock: SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default(),
    };
    match retry::decide(&race, chance) {
        Decision::Again(wait) => {
            let retry = retries + 1;
            session.report.retries = retry;
            session.step(Step::Retrying { retry, wait });
            let _wait = tracing::info_span!("wait", retry).entered();
            session.pause(wait)?;
            session.turn(&known.store, TURN_PATIENCE.min(left / 2))
        }
        Decision::OutOfTime => Err(SyncErrorKind::OutOfTime {
            seconds: session.deadline.as_secs(),
        }),
        Decision::Exhausted => Err(SyncErrorKind::RetriesExhausted { retries }),
    }
}
