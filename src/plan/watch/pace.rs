//! A workspace's pace: when to survey its files, when to sync, and which way.

use std::time::Duration;

use super::failure::{Failure, Failures};

/// No survey before files have been quiet for so long: an editor writes in several steps.
const QUIET: Duration = Duration::from_millis(400);
/// Where documents are not to be quiet before a push, a survey waits for so long. A file that is written at once is not looked
/// at half written.
const HASTY: Duration = Duration::from_millis(10);
/// Files that are never quiet are surveyed so often,
const RESTLESS: Duration = Duration::from_secs(5);
/// and pushed so often.
const LONGEST: Duration = Duration::from_secs(60);
/// A survey without any event: one may have been lost.
pub const SURVEY: Duration = Duration::from_secs(300);
/// The same while git is changing files, since that it is done is no event.
const HELD: Duration = Duration::from_secs(1);
/// A workspace that is not there is looked for so often.
pub const AWAY: Duration = Duration::from_secs(10);

/// What is configured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// Whether own documents are pushed.
    pub push: bool,
    /// How long they have to be quiet before that.
    pub settle: Duration,
    /// How long between two questions to central after something happened.
    pub poll: Duration,
}

/// Which way a sync goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Both.
    Both,
    /// Others' documents come in. Own ones are not at rest, or not to be pushed.
    Pull,
}

/// What to do for a workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Nothing before this time.
    Wait(Duration),
    /// Look at its files; where the workspace is away, for it.
    Survey,
    /// Sync.
    Sync(Way),
}

/// What is found in the files of a workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// Tells own documents, branches and the configuration as they are from what they were.
    pub print: u64,
    /// The same for the configuration alone.
    pub config: u64,
    /// Whether git is in the middle of something.
    pub is_unfinished: bool,
    /// Whether git is changing files.
    pub is_held: bool,
}

/// See the module.
#[derive(Debug, Clone)]
pub struct Pace {
    settings: Settings,
    /// The first and the last event that no survey has followed yet.
    events: Option<[Duration; 2]>,
    surveyed: Option<Duration>,
    found: Option<Found>,
    /// What was there when the last sync that read own documents began.
    synced: Option<u64>,
    changed: Option<Changed>,
    /// Central has something that is not here.
    moved: bool,
    is_running: bool,
    failed: Option<Failed>,
    /// It is not there, and is looked for at this time.
    away: Option<Duration>,
}

/// Own documents are not what was synced.
#[derive(Debug, Clone, Copy)]
struct Changed {
    /// When that began.
    since: Duration,
    /// When they count as at rest, if nothing more happens.
    due: Duration,
}

#[derive(Debug, Clone, Copy)]
struct Failed {
    failures: Failures,
    until: Duration,
    /// What the survey before it had found.
    print: Option<u64>,
}

impl Failed {
    fn is_refusal(&self) -> bool {
        self.failures.failure == Failure::Refused
    }
}

impl Pace {
    /// One that begins: it syncs once it has surveyed.
    pub fn new(settings: Settings) -> Self {
        Pace {
            settings,
            events: None,
            surveyed: None,
            found: None,
            synced: None,
            changed: None,
            moved: true,
            is_running: false,
            failed: None,
            away: None,
        }
    }

    /// What is configured has changed.
    pub fn set(&mut self, settings: Settings) {
        self.settings = settings;
    }

    /// Something happened in its files.
    pub fn event(&mut self, now: Duration) {
        let first = self.events.map_or(now, |[first, _]| first);
        self.events = Some([first, now]);
    }

    /// A survey found this.
    pub fn surveyed(&mut self, now: Duration, found: Found) {
        let before = self.found.replace(found);
        let event = self.events.take().map_or(now, |[first, _]| first);
        self.surveyed = Some(now);
        if self.synced == Some(found.print) {
            self.changed = None;
        } else if before.is_none_or(|before| before.print != found.print) || self.changed.is_none() {
            let since = self.changed.map_or(event, |changed| changed.since);
            let due = match before {
                Some(_) => (now + self.settings.settle).min(since + LONGEST),
                // What was there before the watcher was is at rest.
                None => now,
            };
            self.changed = Some(Changed { since, due });
        }
        self.failed = self
            .failed
            .filter(|failed| !failed.failures.failure.is_of_this_machine() || failed.print == Some(found.print));
    }

    /// It is not there. It is looked for at once if `at_once`, else in a while.
    pub fn is_away(&mut self, now: Duration, at_once: bool) {
        *self = Pace {
            is_running: self.is_running,
            away: Some(if at_once { now } else { now + AWAY }),
            ..Pace::new(self.settings)
        };
    }

    /// It is there again, as configured. A sync of it may still run.
    pub fn is_back(&mut self, settings: Settings) {
        *self = Pace {
            is_running: self.is_running,
            ..Pace::new(settings)
        };
    }

    /// Central has something that this clone has not.
    pub fn central_moved(&mut self) {
        self.moved = true;
        self.failed = self.failed.filter(|failed| failed.failures.failure != Failure::Guard);
    }

    /// Central had been out of reach and answers.
    pub fn central_is_back(&mut self) {
        self.failed = self.failed.filter(|failed| failed.failures.failure != Failure::Network);
    }

    /// The machine was suspended: whatever was waited for is over.
    pub fn woke(&mut self) {
        self.surveyed = None;
        self.failed = self.failed.filter(|failed| failed.failures.failure == Failure::Guard);
    }

    /// Another sync of this clone went well after the one that failed.
    pub fn is_mended(&mut self) {
        self.failed = None;
    }

    /// A sync begins; it reads what the last survey found, or something later.
    pub fn begun(&mut self) {
        self.is_running = true;
    }

    /// It went well; `print` is what the survey before it had found.
    pub fn succeeded(&mut self, way: Way, print: Option<u64>) {
        self.is_running = false;
        self.moved = false;
        self.failed = self.failed.filter(|failed| way == Way::Pull && failed.is_refusal());
        if way == Way::Both {
            self.synced = print;
            if self.found.map(|found| found.print) == print {
                self.changed = None;
            }
        }
    }

    /// It did not.
    pub fn failed(&mut self, now: Duration, failure: Failure, print: Option<u64>) {
        self.is_running = false;
        // Others' documents came in before the push.
        self.moved &= failure != Failure::Refused;
        let failures = Failures::and(self.failed.map(|failed| failed.failures), failure);
        self.failed = Some(Failed {
            failures,
            until: now + failures.wait(),
            print,
        });
    }

    /// Until when nothing is tried because of a failure.
    pub fn backs_off_until(&self) -> Option<Duration> {
        self.failed.map(|failed| failed.until)
    }

    /// Which way a sync would go now, were there a reason for one. An error says when own documents, which are all that there
    /// is to sync, are at rest.
    fn way(&self, now: Duration) -> Result<Option<Way>, Duration> {
        let is_gits = self.found.is_some_and(|found| found.is_unfinished || found.is_held);
        let pushes = self.settings.push && !is_gits;
        match (self.changed.filter(|_| pushes), self.moved) {
            (Some(changed), _) if changed.due <= now => Ok(Some(Way::Both)),
            // With nothing of its own on the way, there is no reason not to do all of it.
            (None, true) if pushes => Ok(Some(Way::Both)),
            (_, true) => Ok(Some(Way::Pull)),
            (Some(changed), false) => Err(changed.due),
            (None, false) => Ok(None),
        }
    }

    /// When files are surveyed next.
    fn survey(&self, now: Duration) -> Duration {
        let pause = match self.found.is_some_and(|found| found.is_held) {
            true => HELD,
            false => SURVEY,
        };
        let quiet = match self.settings.settle.is_zero() {
            true => HASTY,
            false => QUIET,
        };
        let regular = self.surveyed.map_or(now, |surveyed| surveyed + pause);
        let awaited = self.events.map(|[first, last]| (last + quiet).min(first + RESTLESS));
        awaited.map_or(regular, |awaited| awaited.min(regular))
    }

    /// What to do now.
    pub fn next(&self, now: Duration) -> Next {
        if let Some(at) = self.away {
            return if at <= now { Next::Survey } else { Next::Wait(at) };
        }
        let survey = self.survey(now);
        if survey <= now {
            return Next::Survey;
        }
        if self.is_running {
            return Next::Wait(survey);
        }
        let held_back = self.failed.filter(|failed| failed.until > now);
        match (held_back, self.way(now)) {
            (None, Ok(Some(way))) => Next::Sync(way),
            (Some(failed), Ok(Some(_))) if failed.is_refusal() && self.moved => Next::Sync(Way::Pull),
            (Some(failed), Ok(Some(_))) => Next::Wait(survey.min(failed.until)),
            (_, Err(at)) => Next::Wait(survey.min(at)),
            (_, Ok(None)) => Next::Wait(survey),
        }
    }
}
