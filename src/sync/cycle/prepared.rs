//! The own documents are in a commit, which is made central's head.

use std::{
    thread,
    time::{Duration, Instant},
};

use super::{End, Fetched, Known};
use crate::{
    central::{
        CentralError,
        turn::{self, Asked},
    },
    names::{ObjectId, Prefix},
    plan::{dehydrate::DehydratePlan, source::ReadFrom},
    project::Index,
    send_pack::{
        Outcome, PushError,
        connect::{ConnectError, FailureKind},
    },
    stage::{
        Warning,
        dehydrate::{self, PlanError},
        fetch,
        own::{Own, ReadError},
        push::{self, Published, PushPlan},
        records::LogPush,
    },
    state::cursor::Notes,
    sync::{error::SyncErrorKind, judgement, options::Step, records, session::Session},
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
    fetched: Fetched,
    made: Made,
}

/// What became of the own documents.
#[derive(Debug, Default)]
struct Made {
    /// The commit, or `None` if central's owned folder is as it should be.
    commit: Option<ObjectId>,
    /// What this clone notes once the commit is central's head. `None`: as before.
    notes: Option<Notes>,
    /// The walk through their files.
    scan: Option<Scan>,
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

/// What was to be pushed was not.
fn unpushed(session: &mut Session<'_>) {
    session.report.pushed.clear();
    session.report.removed.clear();
    session.report.registered = false;
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

    /// Makes the commit central's head and takes note of it.
    pub fn publish(self, session: &mut Session<'_>) -> Result<End, SyncErrorKind> {
        let Prepared { mut fetched, made } = self;
        let mut head = fetched.snapshot.head;
        if let (Some(commit), true) = (made.commit, session.ctx.owned.is_some()) {
            session.check_interrupt()?;
            let turn = match session.may_give_way {
                true => turn::ask(&session.ctx.upstream, &session.ctx.connect, &fetched.known.store),
                false => Asked::Impossible,
            };
            if matches!(turn, Asked::Busy) {
                unpushed(session);
                return Ok(End::GaveWay(Box::new(fetched.known)));
            }
            // What cannot be noted is not pushed.
            session.notebook.state.check_writable()?;
            if let Some(notes) = &made.notes {
                session.notebook.note_pushing(&fetched.known.cursor, commit, notes)?;
            }
            session.step(Step::Pushing);
            let log = records::draft(session, &mut fetched.known.store);
            let pushed = fetched.push(session, commit, log.as_ref());
            drop(turn);
            if !matches!(pushed, Ok(true)) {
                unpushed(session);
            }
            if !pushed? {
                return Ok(End::Moved(Box::new(fetched.known)));
            }
            session.report.commit = Some(commit);
            session.report.trail.onto = head;
            head = Some(commit);
        } else {
            fetched.publish_records(session);
        }
        let Fetched { snapshot, known, .. } = fetched;
        let Known { mut cursor, .. } = known;
        cursor.compared_at(head, made.notes);
        cursor.dealt_with(&snapshot.branch, head);
        session.report.head = head;
        Ok(End::Done(Box::new(super::Published {
            cursor,
            scan: made.scan,
        })))
    }
}

impl Fetched {
    /// Pushes the commit, and the own log of records with it.
    fn push(&self, session: &mut Session<'_>, commit: ObjectId, log: Option<&LogPush>) -> Result<bool, SyncErrorKind> {
        let _stage = tracing::info_span!("push").entered();
        let Fetched { snapshot, known, .. } = self;
        let plan = PushPlan {
            branch: snapshot.branch.clone(),
            expected: snapshot.head,
            commit,
        };
        let (store, before) = (&known.store, snapshot.root(&known.store)?);
        let (ctx, met) = (&session.ctx, &mut session.learnt.met_to_push);
        let Some(log) = log else {
            return settled(push::apply(ctx, met, store, &plan, before));
        };
        let beside = log.beside(log.route);
        match push::with_beside(ctx, met, store, Some((&plan, before)), Some(&beside)) {
            // One hook for both cannot take the one and refuse the other.
            Ok(Published {
                documents: Some(Outcome::Refused(_)),
                beside: Some(Outcome::Refused(_)),
            }) => {
                records::push_alone(session, store, log);
                let (ctx, met) = (&session.ctx, &mut session.learnt.met_to_push);
                settled(push::apply(ctx, met, store, &plan, before))
            }
            Ok(published) => {
                records::pushed(session, store, log, published.beside);
                settled(Ok(published.documents.expect("an outcome for the branch")))
            }
            Err(err) => settled(Err(err)),
        }
    }
}

/// Whether the commit is the branch's head. `false`: somebody else was faster, so the whole work is to be done again.
pub fn settled(pushed: Result<Outcome, PushError<CentralError>>) -> Result<bool, SyncErrorKind> {
    match pushed.map_err(failure)? {
        Outcome::Applied => Ok(true),
        Outcome::Moved { .. } => Ok(false),
        Outcome::Refused(refusal) => Err(SyncErrorKind::Refused(refusal)),
        Outcome::Unknown { cause } => Err(SyncErrorKind::AnswerLost { cause }),
    }
}

fn failure(err: PushError<CentralError>) -> SyncErrorKind {
    match err {
        // It was there a moment ago, when it was listed: some servers say so of what one may not push to.
        PushError::Connect(err) if err.kind == FailureKind::NoRepository => ConnectError {
            kind: FailureKind::Forbidden,
            message: "it can be read there, but not pushed to".into(),
            ..err
        }
        .into(),
        PushError::Connect(err) => err.into(),
        PushError::Source(err) => err.into(),
        err => SyncErrorKind::Unsupported(err.to_string().into()),
    }
}
