//! What is asked of a sync, when it ends early, and who is told how far it is.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use super::ConduitError;
use crate::{
    plan::conduit::Outcome,
    sync::{Progress, Step, SyncOptions},
};

/// What is asked of a sync.
#[derive(Default)]
pub struct Order<'a> {
    /// What is asked of any sync: a dry run, what ran it, how long to wait for others.
    pub options: SyncOptions,
    /// Deleting or overwriting most of a side is meant.
    pub accept_deletes: bool,
    /// So is a first mirror over what is there, or over what others write.
    pub accept_first: bool,
    /// A branch counts as the last sync saw it.
    pub is_offline: bool,
    /// What a person decided, by path.
    pub decided: BTreeMap<String, Outcome>,
    /// When the time is over for all that is asked together. `None`: waits end, and what is done takes as long as it takes.
    pub until: Option<Instant>,
    /// Who is told how far it is.
    pub told: Told<'a>,
}

impl Order<'_> {
    /// The time that is left. `None`: see [`until`](Self::until).
    pub(super) fn left(&self) -> Option<Duration> {
        self.until.map(|until| until.saturating_duration_since(Instant::now()))
    }

    /// How long to wait for another sync here.
    pub(super) fn lock_wait(&self) -> Duration {
        let wait = self.options.lock_wait;
        self.left().map_or(wait, |left| wait.min(left))
    }

    pub(super) fn ends(&self) -> Ends {
        Ends {
            interrupt: Arc::clone(&self.options.interrupt),
            until: self.until,
        }
    }
}

/// When a sync ends before it is done.
pub struct Ends {
    interrupt: Arc<AtomicBool>,
    until: Option<Instant>,
}

impl Ends {
    /// Whether it does.
    pub fn is_now(&self) -> bool {
        self.interrupt.load(Ordering::Relaxed) || self.until.is_some_and(|until| Instant::now() >= until)
    }

    /// The same as an error.
    pub fn check(&self) -> Result<(), ConduitError> {
        match self.is_now() {
            true => Err(self.error()),
            false => Ok(()),
        }
    }

    /// Why it ended.
    pub fn error(&self) -> ConduitError {
        match self.interrupt.load(Ordering::Relaxed) {
            true => ConduitError::Interrupted,
            false => ConduitError::OutOfTime,
        }
    }
}

/// Who is told how far a sync is, if anybody is.
#[derive(Default)]
pub struct Told<'a>(RefCell<Option<&'a mut dyn Progress>>);

impl<'a> Told<'a> {
    /// `progress` is told.
    pub fn by(progress: &'a mut dyn Progress) -> Self {
        Told(RefCell::new(Some(progress)))
    }

    /// Tells of a step.
    pub fn step(&self, step: Step) {
        if let Some(progress) = self.0.borrow_mut().as_deref_mut() {
            progress.step(step);
        }
    }
}

impl Progress for &Told<'_> {
    fn step(&mut self, step: Step) {
        Told::step(self, step);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sync_ends_when_it_is_told_to_or_its_time_is_over() {
        let order = |until| Order {
            until,
            ..Order::default()
        };
        let (past, future) = (Instant::now(), Instant::now() + Duration::from_secs(3600));
        assert!(order(None).ends().check().is_ok() && order(None).left().is_none());
        assert!(order(Some(future)).ends().check().is_ok());
        let late = order(Some(past));
        assert!(matches!(late.ends().check(), Err(ConduitError::OutOfTime)));
        assert_eq!((late.left(), late.lock_wait()), (Some(Duration::ZERO), Duration::ZERO));
        late.options.interrupt.store(true, Ordering::Relaxed);
        assert!(matches!(late.ends().check(), Err(ConduitError::Interrupted)));
    }
}
