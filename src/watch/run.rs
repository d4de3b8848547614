//! The loop: what happened is told to the paces and polls of `plan::watch`, and what they want next is done.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant, SystemTime},
};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::{
    centrals::Central,
    events::{Events, Target},
    jobs::Jobs,
    program::Program,
    seat::{self, NotOpen, Seat},
    work::{Stopped, Synced},
};
use crate::{
    plan::watch::{Clock, Hearing, Pace, Settings},
    state::files::StateError,
    sync::{SyncErrorKind, heads::Heads},
};

/// So often it looks whether it is to end, and whether the machine was suspended.
pub(super) const TICK: Duration = Duration::from_millis(500);
/// How long syncs that run may take to end where the watcher is asked to. A signal gives everything somewhat longer.
const LAST: Duration = Duration::from_secs(1);

/// How watching ended.
#[derive(Debug)]
pub enum Ended {
    /// It was asked to.
    Interrupted,
    /// The program was replaced: its new version is to go on.
    Replaced,
    /// None of the workspaces can be watched, as another watcher has the first one; the text names it.
    Watched(String),
    /// Nor for another reason.
    Stopped(SyncErrorKind),
}

/// What a job ended with.
pub(super) enum Done {
    /// A sync of a workspace with a central.
    Synced {
        number: usize,
        central: usize,
        synced: Box<Synced>,
    },
    /// A question to a central on behalf of the workspace `asks`.
    Listed {
        number: usize,
        asks: usize,
        listed: Result<Heads, Stopped>,
    },
}

/// Watches these workspaces until it is asked to end. `tell` gets a line for what it did. `all`: every one has to be there and
/// free when it begins.
pub fn watch(paths: &[PathBuf], all: bool, interrupt: &Arc<AtomicBool>, tell: &mut dyn FnMut(&str)) -> Ended {
    let mut program = Program::this();
    let mut watcher = match Watcher::new(interrupt, tell) {
        Ok(watcher) => watcher,
        Err(source) => {
            let (action, path) = ("make a pair of sockets in", PathBuf::from("/"));
            return Ended::Stopped(StateError::Io { action, path, source }.into());
        }
    };
    if let Err(ended) = watcher.begin(paths, all) {
        return ended;
    }
    loop {
        if watcher.is_interrupted() {
            watcher.jobs.finish(LAST);
            return Ended::Interrupted;
        }
        let now = watcher.now();
        if watcher.jobs.is_idle() && program.as_mut().is_some_and(|program| program.was_replaced(now)) {
            return Ended::Replaced;
        }
        watcher.step(now);
    }
}

/// All that a watcher has. What it does for workspaces is in `seats`, for centrals in `centrals`.
pub(super) struct Watcher<'a> {
    begun: Instant,
    clock: Clock,
    hearing: Hearing,
    pub seats: Vec<Seat>,
    pub centrals: Vec<Central>,
    pub events: Option<Events>,
    pub jobs: Jobs<Done>,
    pub interrupt: Arc<AtomicBool>,
    tell: &'a mut dyn FnMut(&str),
}

impl<'a> Watcher<'a> {
    fn new(interrupt: &Arc<AtomicBool>, tell: &'a mut dyn FnMut(&str)) -> std::io::Result<Self> {
        Ok(Watcher {
            begun: Instant::now(),
            clock: Clock::default(),
            hearing: Hearing::default(),
            seats: Vec::new(),
            centrals: Vec::new(),
            events: Events::new().ok(),
            jobs: Jobs::new()?,
            interrupt: Arc::clone(interrupt),
            tell,
        })
    }

    fn begin(&mut self, paths: &[PathBuf], all: bool) -> Result<(), Ended> {
        if self.events.is_none() {
            self.refused(Duration::ZERO);
        }
        // Until config.toml was read.
        let settings = Settings {
            push: false,
            settle: Duration::ZERO,
            poll: Duration::from_secs(30),
        };
        let mut refused = None;
        for (number, (path, name)) in paths.iter().zip(seat::names(paths)).enumerate() {
            self.seats.push(Seat {
                path: path.clone(),
                name,
                pace: Pace::new(settings),
                open: None,
                said: None,
            });
            if let Err(err) = self.open(number) {
                let now = self.now();
                self.seats[number].pace.is_away(now, false);
                if !all {
                    let (kind, words) = err.words();
                    self.say_once(number, kind, &words);
                }
                refused = refused.or(Some(err));
            }
        }
        let none = self.seats.iter().all(|seat| seat.open.is_none());
        match refused {
            Some(NotOpen::Watched(holder)) if all || none => Err(Ended::Watched(holder)),
            Some(NotOpen::Stop(kind)) if all => Err(Ended::Stopped(kind)),
            _ => Ok(()),
        }
    }

    /// Since it began, the time that the machine was suspended not counted.
    pub fn now(&self) -> Duration {
        self.begun.elapsed()
    }

    pub fn is_interrupted(&self) -> bool {
        self.interrupt.load(Ordering::Relaxed)
    }

    /// Does what is due, then waits for whatever comes first.
    fn step(&mut self, now: Duration) {
        let wall = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
        if self.clock.jumped(now, wall) {
            self.seats.iter_mut().for_each(|seat| seat.pace.woke());
            self.centrals.iter_mut().for_each(|central| central.poll.at_once(now));
        }
        self.hear(now);
        if self.hearing.looks(now) {
            self.seats.iter_mut().for_each(|seat| seat.pace.event(now));
        }
        if self.hearing.asks_again(now) {
            self.ask_the_kernel_again(now);
        }
        while let Some(done) = self.jobs.done() {
            match done {
                Done::Synced {
                    number,
                    central,
                    synced,
                } => self.synced(number, central, *synced),
                Done::Listed { number, asks, listed } => self.listed(number, asks, listed),
            }
        }
        let mut next = now + TICK;
        for number in 0..self.seats.len() {
            next = next.min(self.serve(number, now));
        }
        for number in 0..self.centrals.len() {
            next = next.min(self.ask(number, now));
        }
        self.wait(next.saturating_sub(self.now()));
    }

    fn wait(&mut self, wait: Duration) {
        let woken = self.jobs.woken();
        let queue = self.events.as_ref().map(Events::queue);
        let mut fds = vec![PollFd::new(&woken, PollFlags::IN)];
        fds.extend(queue.as_ref().map(|queue| PollFd::new(queue, PollFlags::IN)));
        let timeout = Timespec::try_from(wait.max(Duration::from_millis(1))).ok();
        // An interrupted wait is one that is over.
        let _ = poll(&mut fds, timeout.as_ref());
        drop(fds);
        self.jobs.calm();
    }

    /// What the kernel told.
    fn hear(&mut self, now: Duration) {
        let Some(events) = &mut self.events else { return };
        let mut centrals = Vec::new();
        let seats = &mut self.seats;
        let lost = events.read(&mut |target| match target {
            Target::Documents(number) | Target::Repository(number) | Target::Around(number) => {
                seats[number].pace.event(now);
            }
            Target::Central(number) if !centrals.contains(&number) => centrals.push(number),
            Target::Central(_) => {}
        });
        if lost {
            seats.iter_mut().for_each(|seat| seat.pace.event(now));
            centrals = (0..self.centrals.len()).collect();
        }
        for number in centrals {
            self.refs_moved(number);
        }
    }

    /// The kernel does not tell of some folder.
    pub fn refused(&mut self, now: Duration) {
        self.events = None;
        if self.hearing.refused(now) {
            (self.tell)(
                "the system tells of no more changes (on Linux: fs.inotify.max_user_watches, max_user_instances): looking at files \
                 every 5 s instead",
            );
            self.note_hearing();
        }
    }

    /// Whether it tells of all folders is known once all of them were looked at.
    fn ask_the_kernel_again(&mut self, now: Duration) {
        self.events = Events::new().ok();
        let looked = (0..self.seats.len()).filter(|number| self.seats[*number].open.is_some());
        let looked: Vec<usize> = looked.collect();
        // Whatever is wrong with one of them is found out by its own survey.
        let refused = looked
            .into_iter()
            .any(|number| self.look(number).is_ok_and(|(_, refused)| refused));
        if self.events.is_none() || refused {
            return self.refused(now);
        }
        self.hearing.hears();
        (self.tell)("the system tells of changes again");
        self.note_hearing();
        (0..self.centrals.len()).for_each(|number| self.watch_refs(number));
        self.seats.iter_mut().for_each(|seat| seat.pace.event(now));
    }

    fn note_hearing(&mut self) {
        let events = self.events.is_some();
        let open = self.seats.iter_mut().filter_map(|seat| seat.open.as_mut());
        open.for_each(|open| open.hears(events));
    }

    /// Says what was done for a workspace.
    pub fn say(&mut self, number: usize, words: &str) {
        (self.tell)(&format!("{}: {words}", self.seats[number].name));
    }

    /// Says what is wrong with a workspace, unless that is what was wrong before.
    pub fn say_once(&mut self, number: usize, kind: &str, words: &str) {
        if self.seats[number].said.as_deref() != Some(kind) {
            self.seats[number].said = Some(kind.to_owned());
            self.say(number, words);
        }
    }
}
