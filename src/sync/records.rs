//! What a sync does with records, beside the documents. Whatever goes wrong with them is a warning: the documents go on, and what
//! could not be published stays here for the next sync.

mod left;
mod sift;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shared_records::DeviceId;

use self::left::Left;
pub(super) use self::sift::{Why, sift};
use super::{error::SyncErrorKind, marks::moved_away, options::Step, session::Session};
use crate::{
    central::{
        CentralError,
        device_log::{AS_BRANCHES, REFS},
        fetch::{Wanted, fetch_all},
        remote::Remote,
        store::Store,
    },
    records::{COMPACT_FROM, Records, Standing},
    send_pack::{Outcome, connect::FailureKind},
    stage::{
        Warning, fetch, push,
        records::{self, ExchangeError, Listed, LogPush},
    },
};

/// What was done with records.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordsDone {
    /// Entries of others that were taken up.
    pub received: usize,
    /// Own entries that central has since.
    pub published: u64,
}

impl RecordsDone {
    /// Whether that was nothing.
    pub fn is_nothing(&self) -> bool {
        *self == RecordsDone::default()
    }
}

/// The records of one sync.
#[derive(Default)]
pub(super) struct Shared {
    /// `None`: there are none, or nothing can be done with them.
    db: Option<Records>,
    /// Whether central said where the own log is.
    is_listed: bool,
    /// The logs that are new.
    wanted: BTreeMap<DeviceId, Wanted>,
}

/// Exchanges records, and nothing else: the others' are taken up, and own ones are published unless this only pulls.
pub fn exchange_records(session: &mut Session<'_>) -> Result<(), SyncErrorKind> {
    session.step(Step::Listing);
    let mut remote = fetch::list_with_logs(&session.ctx, None, || ())?;
    let format = remote.format;
    let mut store = session.open_store(format)?;
    let wanted = listed(session, &remote);
    let fetched = fetch_all(&mut remote, &session.ctx.connect, &mut store, &wanted, &mut |_| {});
    remote.close();
    match fetched {
        Err(err) if may_be_a_log(&err) => sift(session, &mut store, Why::from(&err)),
        fetched => drop(fetched?),
    }
    take_up(session, &store);
    if !session.options.pull_only
        && let Some(log) = draft(session, &mut store)
    {
        session.step(Step::Pushing);
        push_alone(session, &store, &log);
    }
    Ok(())
}

/// Finds out from central's refs what is new in the others' logs, and what became of the own one. Says what is to be fetched.
pub(super) fn listed(session: &mut Session<'_>, remote: &Remote) -> Vec<Wanted> {
    let logs = records::logs(&remote.beside);
    match look(session, &logs) {
        Ok(()) => session.shared.wanted.values().copied().collect(),
        Err(err) => {
            give_up(session, err);
            Vec::new()
        }
    }
}

fn look(session: &mut Session<'_>, logs: &BTreeMap<DeviceId, Listed>) -> Result<(), ExchangeError> {
    session.shared.wanted.clear();
    let (state, guard) = (&session.notebook.state, &mut session.notebook.guard);
    if session.shared.db.is_none() {
        session.shared.db = match logs.is_empty() {
            true => Records::open(state, guard)?,
            false => Some(Records::create(state, guard)?),
        };
        if let Some(warning) = session.shared.db.as_ref().and_then(moved_away) {
            session.warn(warning);
        }
    }
    let guard = &mut session.notebook.guard;
    let Some(db) = &mut session.shared.db else {
        return Ok(());
    };
    let own = db.own_log()?;
    let listed = logs.get(&db.device()).copied().unwrap_or_default();
    let standing = db.settle(listed.at(&own.route), &own, guard)?;
    session.shared.is_listed = true;
    session.shared.wanted = records::new_logs(logs, &db.tips()?, db.device());
    if !session.shared.wanted.is_empty() && !session.options.recheck {
        let (left, now) = (Left::load(&session.notebook.state), Timestamp::now());
        session
            .shared
            .wanted
            .retain(|device, wanted| !left.has(*device, wanted, now));
    }
    if standing == Standing::Another {
        session.warn(Warning::RecordsRenamed);
    }
    Ok(())
}

/// Takes up the logs that were fetched.
pub(super) fn take_up(session: &mut Session<'_>, store: &Store) {
    let wanted = std::mem::take(&mut session.shared.wanted);
    if wanted.is_empty() {
        return;
    }
    let _stage = tracing::info_span!("records").entered();
    for (device, Wanted { tip, .. }) in wanted {
        let Some(db) = &mut session.shared.db else { return };
        let fault = match records::take_up(db, store, device, tip) {
            Ok(taken) => {
                session.report.records.received += taken.entries;
                taken.fault.map(|fault| fault.to_string())
            }
            // What lies at the ref is no log. The others' are.
            Err(ExchangeError::Central(err)) => Some(err.to_string()),
            Err(err) => return give_up(session, err),
        };
        if let Some(fault) = fault {
            session.warn(Warning::LogFrozen {
                device: device.to_string().into(),
                fault: fault.into(),
            });
        }
    }
}

/// What is to be pushed of the own log.
pub(super) fn draft(session: &mut Session<'_>, store: &mut Store) -> Option<LogPush> {
    let Session {
        ctx,
        shared,
        notebook,
        options,
        ..
    } = session;
    let db = shared.db.as_mut().filter(|_| shared.is_listed)?;
    let is_left = |own| !options.recheck && Left::load(&notebook.state).has_any_of(own, Timestamp::now());
    match records::draft(ctx, db, store, COMPACT_FROM, is_left) {
        Ok(log) => log,
        Err(err) => {
            give_up(session, err.into());
            None
        }
    }
}

/// Pushes the own log alone.
pub(super) fn push_alone(session: &mut Session<'_>, store: &Store, log: &LogPush) {
    let outcome = push_to(session, store, log, log.route);
    pushed(session, store, log, outcome);
}

fn push_to(session: &mut Session<'_>, store: &Store, log: &LogPush, route: &str) -> Option<Outcome> {
    let beside = log.beside(route);
    match push::with_beside(&session.ctx, &mut None, store, None, Some(&beside)) {
        Ok(published) => published.beside,
        Err(err) => {
            session.warn(Warning::RecordsNotPublished(err.to_string().into()));
            None
        }
    }
}

/// Takes note of what became of the own log. A host that does not take its ref, or does not list it, is offered a branch.
pub(super) fn pushed(session: &mut Session<'_>, store: &Store, log: &LogPush, outcome: Option<Outcome>) {
    let is_ours = |id| session.shared.db.as_ref().is_some_and(|db| db.has_published(id));
    let (outcome, route) = match outcome {
        Some(outcome) if log.route == REFS && log.wants_a_branch(&outcome, is_ours) => {
            (push_to(session, store, log, AS_BRANCHES), AS_BRANCHES)
        }
        outcome => (outcome, log.route),
    };
    let Some(outcome) = outcome else { return };
    let Some(db) = &mut session.shared.db else { return };
    let noted = match &outcome {
        Outcome::Applied if route == log.route => db.published(),
        Outcome::Applied => db.published().and_then(|()| db.note_route(route, 0)),
        Outcome::Refused(_) => {
            let (state, own) = (&session.notebook.state, (log.device, log.commit(), false));
            Left::load(state).note([own], state, Timestamp::now());
            db.note_route("", log.seq)
        }
        // What became of it is seen by the next listing.
        Outcome::Moved { .. } | Outcome::Unknown { .. } => Ok(()),
    };
    if let Err(err) = noted {
        return give_up(session, err.into());
    }
    match outcome {
        Outcome::Applied => {
            session.report.records.published += log.entries;
            if route != log.route {
                session.warn(Warning::RecordsAsBranch);
            }
        }
        Outcome::Refused(refusal) => session.warn(Warning::RecordsRefused(refusal.reason.into())),
        Outcome::Moved { .. } => session.warn(Warning::RecordsNotPublished(
            "another copy of this folder writes under its name, and the next sync takes a new one".into(),
        )),
        Outcome::Unknown { cause } => session.warn(Warning::RecordsNotPublished(cause.to_string().into())),
    }
}

/// Whether what failed may be about a log.
pub(super) fn may_be_a_log(err: &CentralError) -> bool {
    match err {
        CentralError::TooLarge | CentralError::Receive(_) | CentralError::Object { .. } => true,
        // A server lists a ref and has not what it leads to.
        CentralError::Connect(err) => matches!(err.kind, FailureKind::Forbidden | FailureKind::Other),
        _ => false,
    }
}

/// Goes on without records.
fn give_up(session: &mut Session<'_>, err: ExchangeError) {
    session.shared = Shared::default();
    session.warn(Warning::RecordsLeft(err.to_string().into()));
}
