//! The own documents are in a commit that is stored but known to nobody yet.

use std::{
    thread,
    time::{Duration, Instant},
};

use super::Fetched;
use crate::{
    names::{ObjectId, Prefix},
    plan::{dehydrate::DehydratePlan, source::ReadFrom},
    project::Index,
    stage::{
        Warning,
        dehydrate::{self, PlanError},
        fetch,
        own::{Own, ReadError},
    },
    state::cursor::Notes,
    sync::{error::SyncErrorKind, judgement, session::Session},
    text::UntrustedName,
    workspace::Scan,
};

/// Documents that change while they are read are read again this many times before the sync gives up on them.
const READ_ATTEMPTS: usize = 3;
/// How long git may take to change files, as in a checkout, before the sync gives up.
const GIT_WORKS: Duration = Duration::from_secs(5);
/// How often it is looked whether it is done.
const NAP: Duration = Duration::from_millis(20);

/// Own documents, ready to be pushed: a commit that is stored but known to nobody yet.
pub struct Prepared {
    pub(super) fetched: Fetched,
    pub(super) made: Made,
}

/// What became of the own documents.
#[derive(Debug, Default)]
pub(super) struct Made {
    /// The commit, or `None` if central's owned folder is as it should be.
    pub(super) commit: Option<ObjectId>,
    /// What this clone notes once the commit is central's head. `None`: as before.
    pub(super) notes: Option<Notes>,
    /// The walk through their files.
    pub(super) scan: Option<Scan>,
}

/// Why no commit was made.
enum Unmade {
    /// This document, or `HEAD`, changed between being surveyed and being read.
    Restless { path: UntrustedName },
    /// git changed files meanwhile, or is at it.
    GitWorks,
    /// See the error.
    Failed(SyncErrorKind),
}

impl<E: Into<SyncErrorKind>> From<E> for Unmade {
    fn from(err: E) -> Self {
        Unmade::Failed(err.into())
    }
}

impl Fetched {
    /// Surveys the own documents, decides, and makes the commit.
    pub fn prepare(mut self, session: &mut Session<'_>, prefix: &Prefix) -> Result<Prepared, SyncErrorKind> {
        let _stage = tracing::info_span!("dehydrate").entered();
        let mut attempts = 1..=READ_ATTEMPTS;
        loop {
            session.check_interrupt()?;
            attempts.next();
            match self.attempt(session, prefix) {
                Ok(made) => return Ok(Prepared { fetched: self, made }),
                Err(Unmade::Restless { .. }) if !attempts.is_empty() => {}
                Err(Unmade::Restless { path }) => return Err(SyncErrorKind::Restless { path: path.into() }),
                Err(Unmade::GitWorks) if !attempts.is_empty() => wait_for_git(session)?,
                Err(Unmade::GitWorks) => return Err(restless_index()),
                Err(Unmade::Failed(err)) => return Err(err),
            }
        }
    }

    fn attempt(&mut self, session: &mut Session<'_>, prefix: &Prefix) -> Result<Made, Unmade> {
        let Fetched {
            snapshot,
            known,
            glance,
        } = self;
        let glance = glance.take();
        let early = session.own.take().filter(|_| glance.is_some());
        let mut own = match early {
            Some(own) => own,
            None => session.survey(&known.cursor, snapshot.format, glance)?,
        };
        session.notebook.note_scan(own.scan.as_ref());
        if own.is_in_step(&known.cursor) && known.cursor.compared == snapshot.head && snapshot.head.is_some() {
            own.warnings().into_iter().for_each(|warning| session.warn(warning));
            return Ok(Made {
                scan: own.scan,
                ..Made::default()
            });
        }
        fetch::ensure(&session.ctx, &mut known.store, snapshot)?;
        let decided = match judgement::decide(&session.ctx, known, snapshot, prefix, &mut own, session.options) {
            Err(PlanError::Moved) => {
                let path = ".git/HEAD".to_owned();
                return Err(Unmade::Restless { path: path.into() });
            }
            decided => decided?,
        };
        let is_worktree = matches!(own.read_from, ReadFrom::Worktree(_));
        // What is pushed as committed does not depend on files.
        if is_worktree && !decided.trailers.uncommitted.is_empty() && !is_at_rest(session, own.index) {
            return Err(Unmade::GitWorks);
        }
        tell(session, &own, &decided.plan);
        let mut warnings = Vec::new();
        let stops = judgement::stops(
            &session.ctx,
            session.options,
            &known.cursor,
            &own,
            &decided,
            true,
            &mut warnings,
        );
        warnings.into_iter().for_each(|warning| session.warn(warning));
        if let Some(stop) = stops.into_iter().next() {
            return Err(stop.into());
        }
        session.report.pushed = decided.plan.push.keys().cloned().collect();
        session.report.removed = decided.plan.remove.iter().cloned().collect();
        session.report.registered = judgement::registers(known, snapshot, prefix, &decided)?;
        let mut commit = None;
        if !decided.plan.changes_nothing() {
            let (ctx, store, now) = (&session.ctx, &mut known.store, jiff::Timestamp::now());
            match dehydrate::apply(ctx, store, snapshot, prefix, &decided, &own, now) {
                Err(ReadError::Changed { path }) => return Err(Unmade::Restless { path }),
                made => commit = Some(made?),
            }
        }
        session.learnt.note_owned(decided.central);
        Ok(Made {
            commit,
            notes: Some(decided.notes),
            scan: own.scan,
        })
    }
}

/// Whether git has changed no files since the index was `before`, and is not at it.
fn is_at_rest(session: &Session<'_>, before: Option<Index>) -> bool {
    match (before, session.ctx.project.index()) {
        (Some(before), Some(index)) => index.is_at_rest_since(&before),
        _ => true,
    }
}

/// Waits until git has changed the files that it is changing.
fn wait_for_git(session: &Session<'_>) -> Result<(), SyncErrorKind> {
    let begun = Instant::now();
    while begun.elapsed() < GIT_WORKS {
        session.check_interrupt()?;
        thread::sleep(NAP);
        if !session.ctx.project.index().is_some_and(|index| index.is_busy) {
            return Ok(());
        }
    }
    Err(restless_index())
}

fn restless_index() -> SyncErrorKind {
    let path = ".git/index".to_owned();
    SyncErrorKind::Restless { path: path.into() }
}

/// Reports what is not done.
fn tell(session: &mut Session<'_>, own: &Own<'_>, plan: &DehydratePlan) {
    own.warnings().into_iter().for_each(|warning| session.warn(warning));
    for foreign in &plan.foreign {
        session.warn(Warning::Foreign(foreign.clone()));
    }
    session.report.behind.clone_from(&plan.behind);
    session.report.diverged.clone_from(&plan.conflicts);
}

impl Prepared {
    /// What another process prepared, or what is no more than a commit.
    pub fn of(fetched: Fetched, commit: Option<ObjectId>, notes: Option<Notes>) -> Self {
        let made = Made {
            commit,
            notes,
            scan: None,
        };
        Prepared { fetched, made }
    }

    /// The commit. `None`: there is nothing to push.
    pub fn commit(&self) -> Option<ObjectId> {
        self.made.commit
    }

    /// What is to be noted once it is pushed.
    pub fn into_notes(self) -> Option<Notes> {
        self.made.notes
    }
}
