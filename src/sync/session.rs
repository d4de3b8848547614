//! What all cycles of one sync share: what is asked for, what this clone knows, what was done so far.

use std::{
    sync::atomic::Ordering,
    time::{Duration, Instant, SystemTime},
};

use jiff::Timestamp;

use super::{
    error::SyncErrorKind,
    follow::Known,
    notebook::Notebook,
    options::{Progress, Step, SyncOptions},
    records::Shared,
    report::{Phase, SyncReport},
    setup::{self, Workspace},
};
use crate::{
    central::{CentralError, remote::Met, store::Store},
    names::{ObjectFormat, ObjectId, Prefix},
    plan::{listing::Documents, retry::Seat},
    send_pack::connect::Greeting,
    stage::{
        Context, Warning, fetch,
        own::{self, Own, OwnError},
    },
    state::cursor::Cursor,
    workspace::Glance,
};

/// When a sync began.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    /// In the world.
    pub started: Timestamp,
    /// For measuring.
    pub begun: Instant,
}

impl Clock {
    /// It begins now.
    pub fn start() -> Self {
        Clock {
            started: Timestamp::now(),
            begun: Instant::now(),
        }
    }
}

/// A sync: what is asked for, what this clone knows, what was done so far. All its cycles share it.
pub struct Session<'a> {
    /// What the stages need.
    pub ctx: Context<'a>,
    pub(super) options: &'a SyncOptions,
    pub(super) progress: &'a mut dyn Progress,
    /// What was done so far.
    pub report: &'a mut SyncReport,
    pub(super) clock: Clock,
    /// The time for everything.
    pub(super) deadline: Duration,
    /// Retries after a moved branch.
    pub(super) max_retries: u32,
    /// Whether a push may be put off because another writer of this machine is pushing.
    pub(super) may_give_way: bool,
    pub(super) notebook: Notebook,
    pub(super) learnt: Learnt,
    /// The own documents as they were while central's server started, for a cycle that has nothing to hydrate.
    pub(super) own: Option<Own<'a>>,
    /// The records that anybody may write.
    pub(super) shared: Shared,
    /// The owned folder, where something is to be pushed to it.
    pub(super) pushes_to: Option<Prefix>,
}

/// What earlier cycles of this sync have learnt.
#[derive(Default)]
pub(super) struct Learnt {
    /// The commit of central that was seen last, by an earlier cycle or sync: central must not go behind it.
    pub seen: Option<ObjectId>,
    /// What spares a later cycle a request.
    pub met: Option<Met>,
    /// The same of the service that takes pushes.
    pub met_to_push: Option<Greeting>,
    /// What the owned folder held in central in the last cycle.
    owned: Option<Documents>,
    /// Whether another clone of this workspace changed that during this sync.
    is_rivalled: bool,
    /// Whether what failed last was fetching: what is here may be why what comes does not fit.
    pub fetch_failed: bool,
    renewal: Renewal,
}

/// Whether central's objects have been thrown away because they were damaged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Renewal {
    #[default]
    NotNeeded,
    Due,
    Done,
}

impl<'a> Session<'a> {
    /// Locks the workspace and reads what this clone knows.
    pub fn new(
        workspace: &'a Workspace,
        options: &'a SyncOptions,
        progress: &'a mut dyn Progress,
        report: &'a mut SyncReport,
        clock: Clock,
    ) -> Result<Self, SyncErrorKind> {
        Self::passing_over(workspace, options, progress, report, clock, |_| false)
    }

    /// The same for what ends such a stop.
    pub(super) fn passing_over(
        workspace: &'a Workspace,
        options: &'a SyncOptions,
        progress: &'a mut dyn Progress,
        report: &'a mut SyncReport,
        clock: Clock,
        passes: fn(&SyncErrorKind) -> bool,
    ) -> Result<Self, SyncErrorKind> {
        let mut warnings = workspace.warnings();
        workspace.check_state()?;
        let notebook = Notebook::open(workspace, options, clock.started, &mut warnings)?;
        let ctx = setup::context(workspace, options, clock.begun)?;
        let stops = workspace.check_binding(&notebook.guard, notebook.last.as_ref(), &ctx);
        if let Some(stop) = stops.into_iter().find(|stop| !passes(stop)) {
            return Err(stop);
        }
        report.warnings.append(&mut warnings);
        let settings = workspace.config().sync.as_ref();
        let pushes = !options.pull_only && workspace.retired().is_none();
        Ok(Session {
            pushes_to: ctx.owned.clone().filter(|_| pushes),
            ctx,
            options,
            progress,
            report,
            clock,
            deadline: setup::deadline(options, settings),
            max_retries: setup::max_retries(options, settings),
            may_give_way: false,
            learnt: Learnt {
                seen: notebook.last.as_ref().and_then(|cursor| cursor.head),
                ..Learnt::default()
            },
            own: None,
            shared: Shared::default(),
            notebook,
        })
    }

    /// The time to the sync's deadline.
    pub(super) fn time_left(&self) -> Duration {
        self.deadline.saturating_sub(self.clock.begun.elapsed())
    }

    /// Surveys the own documents in the time that central's server takes to start. `None`: what they are compared with is not
    /// known, or they cannot be read, which is said when they are needed.
    pub(super) fn survey_early(&self, known: Option<&Known>) -> Option<Own<'a>> {
        let _pushes = self.pushes_to.as_ref()?;
        let cursor = known.map(|known| &known.cursor).or(self.notebook.last.as_ref())?;
        self.survey(cursor, cursor.format, None).ok()
    }

    /// Surveys the own documents. `glance`: see [`own::survey()`].
    pub(super) fn survey(
        &self,
        cursor: &Cursor,
        format: ObjectFormat,
        glance: Option<Glance>,
    ) -> Result<Own<'a>, OwnError> {
        let (ctx, stat_cache) = (&self.ctx, &self.notebook.stat_cache);
        own::survey(
            ctx,
            cursor,
            stat_cache,
            format,
            SystemTime::now(),
            self.options.arrived,
            glance,
        )
    }

    /// The owned folder, where something is to be pushed to it.
    pub fn pushes_to(&self) -> Option<&Prefix> {
        self.pushes_to.as_ref()
    }

    /// Does `work`, and notes how long it took if it came to its end.
    pub(super) fn phase<T, E>(&mut self, phase: Phase, work: impl FnOnce(&mut Self) -> Result<T, E>) -> Result<T, E> {
        let begun = Instant::now();
        let done = work(self)?;
        self.report.completed(phase, begun.elapsed().as_secs_f64());
        Ok(done)
    }

    pub(super) fn step(&mut self, step: Step) {
        self.progress.step(step);
    }

    pub(super) fn progress(&mut self) -> (&Context<'a>, &mut dyn Progress) {
        (&self.ctx, &mut *self.progress)
    }

    /// A retry meets the same things again; each is said once.
    pub(super) fn warn(&mut self, warning: Warning) {
        if !self.report.warnings.contains(&warning) {
            self.report.warnings.push(warning);
        }
    }

    /// Does `work`, and does it once more from the start with objects that were fetched anew if one could not be read: a loss
    /// of power or a failing disk may have torn it, and all that the object store holds is central's. Only once in a sync:
    /// what is still missing after that, central does not have either.
    pub fn soundly<T>(
        &mut self,
        mut work: impl FnMut(&mut Self) -> Result<T, SyncErrorKind>,
    ) -> Result<T, SyncErrorKind> {
        match work(self) {
            Err(err) if self.is_by_damage(&err) && self.may_renew() => {
                self.learnt.renewal = Renewal::Due;
                self.learnt.seen = self.notebook.last.as_ref().and_then(|cursor| cursor.head);
                work(self)
            }
            done => done,
        }
    }

    /// Whether it failed because of what the object store holds, as far as can be told.
    fn is_by_damage(&mut self, err: &SyncErrorKind) -> bool {
        let in_fetch = std::mem::take(&mut self.learnt.fetch_failed);
        matches!(err, SyncErrorKind::Central(err) if err.object().is_some() || (in_fetch && err.is_damaged_cache()))
    }

    /// Whether a damaged object store is still to be thrown away.
    pub(super) fn may_renew(&self) -> bool {
        self.learnt.renewal == Renewal::NotNeeded
    }

    /// Opens central's object store, empty where it is to be renewed.
    pub(super) fn open_store(&mut self, format: ObjectFormat) -> Result<Store, CentralError> {
        let mut store = fetch::store(&self.ctx, format, false)?;
        if self.learnt.renewal == Renewal::Due {
            store.reset()?;
            self.learnt.renewal = Renewal::Done;
        }
        Ok(store)
    }

    /// The owned workspace's place among central's, as long as it is its alone.
    pub(super) fn seat(&self, known: &Known, round: u32) -> Option<Seat> {
        let own = self.ctx.owned.as_ref().filter(|_| !self.learnt.is_rivalled)?;
        Some(Seat::take(own, known.cursor.folders.keys(), round))
    }

    /// An error once somebody asked us to stop.
    pub(super) fn check_interrupt(&self) -> Result<(), SyncErrorKind> {
        match self.is_interrupted() {
            true => Err(SyncErrorKind::Interrupted),
            false => Ok(()),
        }
    }

    pub(super) fn is_interrupted(&self) -> bool {
        self.ctx.connect.interrupt.load(Ordering::Relaxed)
    }
}

impl Learnt {
    /// Takes note of what the owned folder holds in central in this cycle.
    pub(super) fn note_owned(&mut self, held: Documents) {
        self.is_rivalled |= self.owned.as_ref().is_some_and(|before| *before != held);
        self.owned = Some(held);
    }
}
