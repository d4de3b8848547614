//! What is done for each workspace: it is opened, surveyed, synced, and what came of that is told to its pace.

use std::{io, sync::Arc, time::Duration};

use super::{
    events::Target,
    run::{Done, TICK, Watcher},
    seat::{self, NotOpen, Open},
    survey::{self, Part},
    work::{self, Configured, Stopped, Synced},
};
use crate::{
    plan::watch::{Failure, Found, Next, Way},
    sync::stop,
};

impl Watcher<'_> {
    /// Opens a workspace and becomes its only watcher.
    pub(super) fn open(&mut self, number: usize) -> Result<(), NotOpen> {
        let workspace = work::workspace(&self.seats[number].path)?;
        let configured = work::configured(&workspace)?;
        let central = self.central(&configured);
        let open = Open::new(&workspace, central, self.events.is_some())?;
        let seat = &mut self.seats[number];
        seat.open = Some(open);
        seat.pace.is_back(configured.0);
        Ok(())
    }

    /// Does what is due for a workspace. Returns when something is next.
    pub(super) fn serve(&mut self, number: usize, now: Duration) -> Duration {
        loop {
            match self.seats[number].pace.next(now) {
                Next::Wait(until) => return until,
                Next::Survey if self.seats[number].open.is_none() => {
                    if let Err(err) = self.open(number) {
                        self.seats[number].pace.is_away(now, false);
                        let (kind, words) = err.words();
                        self.say_once(number, kind, &words);
                    } else if self.seats[number].said.take().is_some() {
                        self.say(number, "watching");
                    }
                }
                Next::Survey => {
                    if self.survey(number, now).is_err() {
                        // What is there in its place, if anything, is found out by opening it.
                        self.closed(number, now);
                    }
                }
                Next::Sync(way) => {
                    let Some(central) = self.seats[number].open.as_ref().map(|open| open.central) else {
                        return now + TICK;
                    };
                    let asked = &mut self.centrals[central];
                    if asked.poll.is_down() {
                        return asked.poll.next();
                    }
                    if asked.is_busy || self.jobs.is_full() {
                        // Whoever is done wakes us.
                        return now + TICK;
                    }
                    asked.is_busy = true;
                    self.sync(number, central, way);
                }
            }
        }
    }

    /// A workspace is not there any more.
    pub(super) fn closed(&mut self, number: usize, now: Duration) {
        if let Some(events) = &mut self.events {
            events.forget(number);
        }
        self.seats[number].open = None;
        self.seats[number].pace.is_away(now, true);
    }

    fn survey(&mut self, number: usize, now: Duration) -> io::Result<()> {
        let (found, refused) = self.look(number)?;
        let seat = &mut self.seats[number];
        seat.pace.surveyed(now, found);
        let mut is_configured_anew = false;
        if let Some(open) = &mut seat.open {
            let before = open.found.replace(found);
            is_configured_anew = before.is_some_and(|before| before.config != found.config);
            if seat.pace.backs_off_until().is_some() && open.is_mended() {
                seat.pace.is_mended();
            }
        }
        if is_configured_anew {
            self.read_configuration(number);
        }
        if refused {
            self.refused(now);
        }
        Ok(())
    }

    /// What is configured counts from the moment it is saved. Until it can be read, what was configured before does.
    fn read_configuration(&mut self, number: usize) {
        let read = work::workspace(&self.seats[number].path).and_then(|workspace| work::configured(&workspace));
        match read {
            Ok(configured) => self.is_configured(number, &configured),
            Err(kind) => {
                let hint = stop::explain(&kind, "");
                self.say_once(number, hint.stop.name(), &hint.line().to_string());
            }
        }
    }

    fn is_configured(&mut self, number: usize, configured: &Configured) {
        let central = self.central(configured);
        let seat = &mut self.seats[number];
        seat.pace.set(configured.0);
        if let Some(open) = &mut seat.open {
            open.central = central;
            open.place.clone_from(&configured.2);
        }
    }

    /// Surveys, and has the kernel tell of every folder on the way. Returns whether it refused one, too.
    pub(super) fn look(&mut self, number: usize) -> io::Result<(Found, bool)> {
        let Watcher { seats, events, .. } = self;
        let Some(open) = &seats[number].open else {
            return Err(io::ErrorKind::NotFound.into());
        };
        let mut refused = false;
        let found = survey::survey(&open.place, &mut |folder, part| {
            let target = match part {
                Part::Documents => Target::Documents(number),
                Part::Repository => Target::Repository(number),
                Part::Around => Target::Around(number),
            };
            if let Some(events) = events.as_mut() {
                refused |= events.watch(folder, target).is_err();
            }
        })?;
        Ok((found, refused))
    }

    fn sync(&mut self, number: usize, central: usize, way: Way) {
        let beside = self.centrals[central].beside;
        let seat = &mut self.seats[number];
        seat.open.iter_mut().for_each(|open| open.beside = beside);
        seat.pace.begun();
        let print = seat.open.as_ref().and_then(|open| open.found).map(|found| found.print);
        let (path, interrupt) = (seat.path.clone(), Arc::clone(&self.interrupt));
        let done = move |synced| Done::Synced {
            number,
            central,
            synced: Box::new(synced),
        };
        self.jobs.start(
            move || done(work::sync(&path, way, print, interrupt)),
            move || {
                done(Synced {
                    way,
                    print,
                    configured: None,
                    result: Err(Stopped::defect()),
                })
            },
        );
    }

    /// A sync of a workspace with this central ended.
    pub(super) fn synced(&mut self, number: usize, central: usize, synced: Synced) {
        let now = self.now();
        self.centrals[central].is_busy = false;
        if let Some(configured) = &synced.configured
            && self.seats[number].open.is_some()
        {
            self.is_configured(number, configured);
        }
        let served = match synced.result {
            Ok(served) => served,
            Err(stopped) => return self.stopped(number, central, synced.print, &stopped, now),
        };
        let seat = &mut self.seats[number];
        seat.pace.succeeded(synced.way, synced.print);
        let left = served.report.warnings.iter().find(|warning| warning.leaves_records());
        if let Some(open) = &mut seat.open {
            open.succeeded(served.report.head);
            open.leaves_records = left.is_some();
        }
        let was_troubled = left.is_none() && seat.said.take().is_some();
        let words = seat::words(&served);
        match &words {
            Some(words) => self.say(number, words),
            None if was_troubled => self.say(number, "in step again"),
            None => {}
        }
        if let Some(left) = left {
            self.say_once(number, "records", &left.to_string());
        }
        self.reached(central, now);
        if words.is_some() {
            self.centrals[central].poll.lively(now, fastrand::f64());
        }
        self.is_known_at(central, served.report.head);
        // What became known while it ran may have come too late for it.
        let Some(beside) = self.centrals[central].beside else {
            return;
        };
        let seat = &mut self.seats[number];
        if seat.open.as_ref().is_some_and(|open| open.wants(open.beside, beside)) {
            seat.pace.central_moved();
        }
    }

    fn stopped(&mut self, number: usize, central: usize, print: Option<u64>, stopped: &Stopped, now: Duration) {
        if self.is_interrupted() {
            return;
        }
        let seat = &mut self.seats[number];
        seat.pace.failed(now, stopped.failure, print);
        if let (Some(open), Some(until)) = (&mut seat.open, seat.pace.backs_off_until()) {
            open.failed(stopped, until.saturating_sub(now));
        }
        if stopped.failure == Failure::Network {
            self.centrals[central].poll.doubted(now);
        }
        if stopped.is_gone {
            self.closed(number, now);
        } else if stopped.failure != Failure::Locked {
            self.say_once(number, stopped.stop, &stopped.message);
        }
    }
}
