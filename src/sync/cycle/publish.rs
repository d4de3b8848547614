//! The commit with the own documents is made central's head.

use super::{End, Fetched, Known, Prepared, Published};
use crate::{
    central::{
        CentralError,
        turn::{self, Asked},
    },
    names::ObjectId,
    send_pack::{
        Outcome, PushError,
        connect::{ConnectError, FailureKind},
    },
    stage::{
        push::{self, PushPlan},
        records::LogPush,
    },
    sync::{error::SyncErrorKind, options::Step, records, session::Session},
};

impl Prepared {
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
        Ok(End::Done(Box::new(Published {
            cursor,
            scan: made.scan,
        })))
    }
}

/// What was to be pushed was not.
fn unpushed(session: &mut Session<'_>) {
    session.report.pushed.clear();
    session.report.removed.clear();
    session.report.registered = false;
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
            Ok(push::Published {
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
