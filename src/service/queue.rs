//! Calls for one workspace within this process: one syncs, one waits, and whoever comes then shares what the waiting one brings.
//!
//! What has not begun yet sees everything that was there when it was asked for, so one waiting sync is enough for all. The table
//! is locked for moments only, never while a file is locked or a sync runs.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, atomic::Ordering},
    time::{Duration, Instant},
};

use super::SyncRequest;
use crate::sync::{SyncError, SyncErrorKind, SyncReport};

type Outcome = Result<SyncReport, SyncError>;

/// How often a waiting call looks whether it is still wanted.
const NAP: Duration = Duration::from_millis(50);

/// What is going on in each workspace where anything is.
static TABLE: Mutex<BTreeMap<PathBuf, Place>> = Mutex::new(BTreeMap::new());
/// Something in it changed.
static CHANGED: Condvar = Condvar::new();

/// A workspace in which a call runs or waits.
#[derive(Default)]
struct Place {
    /// What the call that runs notes as its reason.
    running: Option<String>,
    waiting: Option<Arc<Ticket>>,
}

/// A call that waits, or did.
struct Ticket {
    request: SyncRequest,
    state: Mutex<State>,
}

#[derive(Clone)]
enum State {
    /// It has not come to an end.
    Open,
    /// This came of it.
    Done(Box<Outcome>),
    /// Its caller went away.
    Left,
}

/// Calls `sync` when it is this call's turn, or gives what another call brought that covers it.
pub fn run(workspace: &Path, request: &SyncRequest, sync: impl FnOnce() -> Outcome) -> Outcome {
    let place = workspace.canonicalize().unwrap_or_else(|_| workspace.to_owned());
    let mut turn = match Turn::wait(place, request)? {
        Waited::Turn(turn) => turn,
        Waited::Shared(outcome) => return outcome,
    };
    let outcome = sync();
    turn.outcome = Some(outcome.clone());
    outcome
}

enum Waited {
    Turn(Turn),
    Shared(Outcome),
}

/// The right to sync. Dropping it, in whatever way, lets the next one go on.
struct Turn {
    place: PathBuf,
    ticket: Option<Arc<Ticket>>,
    outcome: Option<Outcome>,
}

impl Turn {
    fn wait(place: PathBuf, request: &SyncRequest) -> Result<Waited, SyncError> {
        let end = Instant::now() + request.lock_wait;
        let mut mine: Option<Arc<Ticket>> = None;
        let mut shared: Option<Arc<Ticket>> = None;
        let mut table = table();
        loop {
            if request.interrupt.load(Ordering::Relaxed) {
                leave(&mut table, &place, mine.as_ref());
                return Err(SyncErrorKind::Interrupted.into());
            }
            if let Some(ticket) = &shared {
                match ticket.state() {
                    State::Open => {}
                    // Somebody else's Ctrl-C is not meant for this call.
                    State::Done(outcome) if !is_interruption(&outcome) => return Ok(Waited::Shared(*outcome)),
                    State::Done(_) | State::Left => shared = None,
                }
            }
            if shared.is_none() {
                let here = table.entry(place.clone()).or_default();
                match (&here.running, &here.waiting, &mine) {
                    (None, None, _) | (None, Some(_), Some(_)) => {
                        here.running = Some(request.trigger.clone());
                        here.waiting = None;
                        return Ok(Waited::Turn(Turn {
                            place,
                            ticket: mine,
                            outcome: None,
                        }));
                    }
                    (Some(_), None, _) => {
                        let ticket = Arc::new(Ticket {
                            request: request.clone(),
                            state: Mutex::new(State::Open),
                        });
                        here.waiting = Some(Arc::clone(&ticket));
                        mine = Some(ticket);
                    }
                    (_, Some(waiting), None) if waiting.request.covers(request) => {
                        shared = Some(Arc::clone(waiting));
                    }
                    (_, Some(_), _) => {}
                }
            }
            if shared.is_none() && Instant::now() >= end {
                leave(&mut table, &place, mine.as_ref());
                return Err(locked(&table, &place));
            }
            table = CHANGED
                .wait_timeout(table, NAP)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut table = table();
        if let Some(ticket) = &self.ticket {
            let state = self.outcome.take().map(Box::new);
            *lock(&ticket.state) = state.map_or(State::Left, State::Done);
        }
        if let Some(here) = table.get_mut(&self.place) {
            here.running = None;
            if here.waiting.is_none() {
                table.remove(&self.place);
            }
        }
        drop(table);
        CHANGED.notify_all();
    }
}

impl Ticket {
    fn state(&self) -> State {
        lock(&self.state).clone()
    }
}

/// Takes back a call that waits.
fn leave(table: &mut BTreeMap<PathBuf, Place>, place: &Path, mine: Option<&Arc<Ticket>>) {
    let Some(mine) = mine else { return };
    *lock(&mine.state) = State::Left;
    if let Some(here) = table.get_mut(place) {
        here.waiting = None;
        if here.running.is_none() {
            table.remove(place);
        }
    }
    CHANGED.notify_all();
}

fn is_interruption(outcome: &Outcome) -> bool {
    outcome.as_ref().is_err_and(|err| err.kind.is_interruption())
}

fn locked(table: &BTreeMap<PathBuf, Place>, place: &Path) -> SyncError {
    let running = table.get(place).and_then(|here| here.running.as_deref());
    let holder = format!(
        "{}, in this process ({})",
        running.unwrap_or("sync"),
        std::process::id()
    );
    SyncErrorKind::Locked { holder: holder.into() }.into()
}

fn table() -> MutexGuard<'static, BTreeMap<PathBuf, Place>> {
    lock(&TABLE)
}

/// No panic can leave what is behind these half changed.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
