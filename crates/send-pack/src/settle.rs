//! Looking up what became of a push, by listing the refs.

use std::{
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use gix_hash::ObjectId;
use gix_transport::{Protocol, Service};

use super::{
    attempt::value_of,
    connect::{self, ConnectError, ConnectOptions, Greeting, RemoteUrl},
    doubt::{self, Doubt, Known, Lost, Step, Steps},
    outcome::{Listed, Outcome},
    request::RefUpdate,
};

/// The first pause before the refs are listed once more; each is twice the one before.
const FIRST_PAUSE: Duration = Duration::from_millis(40);

/// Lists the refs and decides what became of those in doubt. After a lost answer they are listed until they show it or time
/// is over; else one listing says all there is to know.
///
/// An error means that none of them was touched; where others were (`is_untouched`), it is not returned.
pub(super) fn look_up(
    url: &RemoteUrl,
    options: &ConnectOptions,
    updates: &[RefUpdate],
    mut doubts: Vec<(usize, Doubt)>,
    lost: Option<Lost>,
    is_untouched: bool,
) -> Result<(Steps, Option<Greeting>), ConnectError> {
    let mut options = options.clone();
    if lost.is_some() {
        // The answer may have been lost because time was over; to know what became of the push is worth a little more.
        let end = Instant::now() + options.deadlines.settle;
        options.deadlines.total = options.deadlines.total.map(|total| total.max(end));
    }
    let mut patience = Patience::new(&options);
    let (mut steps, mut undone, mut met) = (Vec::new(), Vec::new(), None);
    let last = loop {
        let listed = list(url, &options, updates);
        if let Ok((values, greeting)) = &listed {
            met = greeting.clone();
            doubts.retain(|(at, doubt)| {
                let listed = Listed::of(values[*at], updates[*at].expected, updates[*at].new);
                match doubt::known(doubt, listed, lost.as_ref()) {
                    Known::Step(step) => steps.push((*at, step)),
                    Known::Undone => undone.push(*at),
                    Known::NotYet => return true,
                }
                false
            });
        }
        let listed = listed.map(|_| ());
        if doubts.is_empty() || lost.is_none() || !patience.pause(&options) {
            break listed;
        }
    };
    let is_untouched = is_untouched && doubt::is_untouched(steps.iter().map(|(_, step)| step));
    match (lost, last) {
        (None, Err(cause)) if is_untouched && doubts.iter().all(|(_, doubt)| doubt.is_untouched()) => {
            return Err(cause);
        }
        (None, Err(cause)) => steps.extend(doubts.drain(..).map(|(at, _)| {
            let cause = cause.clone();
            (at, Step::Settled(Outcome::Unknown { cause }))
        })),
        (None, Ok(())) => {}
        (Some(lost), _) if is_untouched && doubts.is_empty() && !undone.is_empty() => return Err(lost.cause),
        (Some(lost), last) => {
            let left = doubts
                .drain(..)
                .map(|(at, _)| (at, doubt::given_up_on(&lost, last.is_ok())));
            steps.extend(left);
            let refused = |at| (at, Step::Settled(Outcome::Refused(doubt::gave_up(&lost.cause))));
            steps.extend(undone.into_iter().map(refused));
        }
    }
    Ok((steps, met))
}

/// What the refs are, in the order of `updates`, and how the server greeted us.
fn list(
    url: &RemoteUrl,
    options: &ConnectOptions,
    updates: &[RefUpdate],
) -> Result<(Vec<Option<ObjectId>>, Option<Greeting>), ConnectError> {
    let session = connect::open(url, Service::ReceivePack, Protocol::V1, options)?;
    let refs = session.handshake.refs.as_deref().unwrap_or_default();
    let values = updates.iter().map(|update| value_of(refs, &update.name)).collect();
    let greeting = session.greeting();
    let _ = session.close();
    Ok((values, greeting))
}

/// Pauses that grow, until [`connect::Deadlines::settle`] is over.
pub(super) struct Patience {
    end: Instant,
    next: Duration,
}

impl Patience {
    pub(super) fn new(options: &ConnectOptions) -> Self {
        Patience {
            end: Instant::now() + options.deadlines.settle,
            next: FIRST_PAUSE,
        }
    }

    /// Waits a little. False if there is no time left, or somebody wants us to stop.
    pub(super) fn pause(&mut self, options: &ConnectOptions) -> bool {
        let wake = Instant::now() + self.next;
        let end = options.deadlines.total.map_or(self.end, |total| total.min(self.end));
        if wake >= end {
            return false;
        }
        self.next *= 2;
        while !options.interrupt.load(Ordering::Relaxed) {
            let left = wake.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return true;
            }
            std::thread::sleep(left.min(Duration::from_millis(50)));
        }
        false
    }
}
