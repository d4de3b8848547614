//! The centrals of the workspaces: each is asked for its head once for all of them, and one that lies here is watched.

use std::{path::PathBuf, sync::Arc, time::Duration};

use super::{
    events::Target,
    refs::Refs,
    run::{Done, TICK, Watcher},
    seat::Open,
    work::{self, Configured, Stopped},
};
use crate::{
    names::ObjectId,
    plan::watch::{Failure, Poll},
    sync::heads::{Heads, OtherRefs},
};

/// A central.
pub struct Central {
    /// What tells it from others.
    key: String,
    /// Its branch, where it lies on this machine.
    refs: Option<Refs>,
    /// What is rung by other syncs on this machine, where it lies elsewhere.
    bell: Option<PathBuf>,
    /// What lies beside its branch, as it was found last: in its files where it lies here, or by asking.
    pub beside: Option<OtherRefs>,
    /// See [`Poll`].
    pub poll: Poll,
    /// Whether a sync or a question is on the way.
    pub is_busy: bool,
    /// Which of its workspaces' connections is used: another one after each question that did not get as far as central.
    turn: usize,
}

impl Watcher<'_> {
    /// The number of the central that is configured.
    pub(super) fn central(&mut self, (settings, central, _): &Configured) -> usize {
        if let Some(number) = self.centrals.iter().position(|known| known.key == central.key) {
            self.centrals[number].poll.also_for(settings.poll);
            return number;
        }
        let refs = central
            .folder
            .as_ref()
            .map(|folder| Refs::new(folder, central.branch.clone()));
        self.centrals.push(Central {
            key: central.key.clone(),
            beside: None,
            refs,
            bell: central.bell.clone(),
            poll: Poll::new(self.now(), settings.poll),
            is_busy: false,
            turn: 0,
        });
        let number = self.centrals.len() - 1;
        // What happens while it is read is told.
        self.watch_refs(number);
        let central = &mut self.centrals[number];
        central.beside = central.refs.as_ref().and_then(Refs::beside);
        number
    }

    /// Has the kernel tell of a central's branch, or of its bell. Without that the poll finds out.
    pub(super) fn watch_refs(&mut self, number: usize) {
        let Central { refs, bell, .. } = &self.centrals[number];
        if let Some(events) = &mut self.events {
            let folders = refs.iter().flat_map(Refs::folders).chain(bell.clone());
            folders.for_each(|folder| drop(events.watch(&folder, Target::Central(number))));
        }
    }

    /// Something happened among the refs of a central that lies here, or was pushed to one that lies elsewhere.
    pub(super) fn refs_moved(&mut self, number: usize) {
        if self.centrals[number].refs.is_some() {
            // The folder that they are in may have been made just now, and what comes into it while they are read is told.
            self.watch_refs(number);
        }
        if let Some(beside) = self.centrals[number].refs.as_ref().and_then(Refs::beside) {
            self.has_beside(number, beside);
        }
        let now = self.now();
        let central = &mut self.centrals[number];
        match central.refs.as_ref().and_then(Refs::head) {
            Some(head) => self.is_at(number, Some(head)),
            None if central.bell.is_none() => central.poll.at_once(now),
            // For all but the one that pushed it is news, and a question would cost as much as that one's sync.
            None => {
                if central.poll.rung(now, central.is_busy) {
                    self.moved_for(number, |_| true);
                }
            }
        }
    }

    /// A sync ended with central at `head`, which is news for the others. Where it lies here it may have moved since, and what
    /// the kernel told meanwhile was not for this workspace to act on.
    pub(super) fn is_known_at(&mut self, central: usize, head: Option<ObjectId>) {
        match self.centrals[central].refs.as_ref().and_then(Refs::head) {
            Some(newest) => self.is_at(central, Some(newest)),
            None => self.is_at(central, head),
        }
    }

    /// A central's head is known to be this one: whoever has not dealt with it syncs.
    fn is_at(&mut self, central: usize, head: Option<ObjectId>) {
        for seat in &mut self.seats {
            let open = seat.open.as_mut().filter(|open| open.central == central);
            if open.is_some_and(|open| open.is_news(head)) {
                seat.pace.central_moved();
            }
        }
    }

    /// A central is known to have this beside its branch. Who has not taken up what is new, each sync finds out by itself.
    fn has_beside(&mut self, central: usize, beside: OtherRefs) {
        let before = self.centrals[central].beside.replace(beside);
        self.moved_for(central, |open| open.wants(before, beside));
    }

    /// There is something to sync for those workspaces of a central of which this is so.
    fn moved_for(&mut self, central: usize, is_so: impl Fn(&Open) -> bool) {
        for seat in &mut self.seats {
            let open = seat.open.as_ref().filter(|open| open.central == central);
            if open.is_some_and(&is_so) {
                seat.pace.central_moved();
            }
        }
    }

    fn workspaces_of(&self, central: usize) -> Vec<usize> {
        let is_there = |number: &usize| {
            self.seats[*number]
                .open
                .as_ref()
                .is_some_and(|open| open.central == central)
        };
        (0..self.seats.len()).filter(is_there).collect()
    }

    /// Asks central where it is due. Returns when something is next.
    pub(super) fn ask(&mut self, number: usize, now: Duration) -> Duration {
        let due = self.centrals[number].poll.next();
        if due > now {
            return due;
        }
        let here = self.workspaces_of(number);
        if here.is_empty() || self.centrals[number].is_busy || self.jobs.is_full() {
            // Nobody wants to know, or whoever is done wakes us.
            return now + TICK;
        }
        let synced = here
            .iter()
            .filter_map(|seat| self.seats[*seat].open.as_ref()?.last_sync())
            .min_by_key(|(_, age)| *age);
        let poll = &mut self.centrals[number].poll;
        if let Some((head, age)) = synced.filter(|(_, age)| poll.is_spared_by(*age) && *age <= now)
            && !poll.is_down()
        {
            // Another sync of this machine has asked it meanwhile.
            poll.answered(now - age, fastrand::f64());
            let next = poll.next();
            self.is_at(number, head);
            return next;
        }
        self.centrals[number].is_busy = true;
        self.centrals[number].poll.asks();
        let asks = here[self.centrals[number].turn % here.len()];
        let (path, interrupt) = (self.seats[asks].path.clone(), Arc::clone(&self.interrupt));
        let done = move |listed| Done::Listed { number, asks, listed };
        self.jobs.start(
            move || done(work::listed(&path, interrupt)),
            move || done(Err(Stopped::defect())),
        );
        now + TICK
    }

    /// Central was asked on behalf of the workspace `asks`.
    pub(super) fn listed(&mut self, number: usize, asks: usize, listed: Result<Heads, Stopped>) {
        let now = self.now();
        self.centrals[number].is_busy = false;
        match listed {
            Ok(Heads { head, beside }) => {
                self.reached(number, now);
                self.is_at(number, head);
                self.has_beside(number, beside);
                // Central is there, so what kept a sync from its records may be over.
                self.moved_for(number, |open| open.leaves_records);
            }
            Err(_) if self.is_interrupted() => {}
            Err(stopped) => {
                let central = &mut self.centrals[number];
                // What is wrong with one workspace is nothing to the others.
                let is_centrals = matches!(stopped.failure, Failure::Network | Failure::Auth);
                match is_centrals {
                    true => central.poll.failed(now, stopped.failure, fastrand::f64()),
                    false => {
                        central.turn += 1;
                        let _ = central.poll.answered(now, fastrand::f64());
                    }
                }
                let wait = central.poll.next().saturating_sub(now);
                if stopped.is_gone {
                    self.closed(asks, now);
                } else if let Some(open) = &mut self.seats[asks].open {
                    open.failed(&stopped, wait);
                }
                self.say_once(asks, stopped.stop, &stopped.message);
            }
        }
    }

    /// Central answered.
    pub(super) fn reached(&mut self, number: usize, now: Duration) {
        if self.centrals[number].poll.answered(now, fastrand::f64()) {
            for seat in self.workspaces_of(number) {
                self.seats[seat].pace.central_is_back();
            }
        }
    }
}
