//! One cycle: listed and [fetched](Fetched), hydrated, [prepared](Prepared), [published](Published). Each state owns what it
//! has, and nothing is carried over from an earlier cycle but what was applied on disk: own documents are read anew each time.

mod fetched;
mod prepared;
mod publish;

pub use super::follow::Known;
pub use fetched::Fetched;
pub use prepared::Prepared;
pub use publish::settled;

use super::{error::SyncErrorKind, options::Step, report::Phase, session::Session};
use crate::{state::cursor::Cursor, workspace::Scan};

/// How a cycle ended.
pub enum End {
    /// All that could be done is done.
    Done(Box<Published>),
    /// Central moved before our push: run the whole cycle again, with what is here of it.
    Moved(Box<Known>),
    /// Another writer of this machine is pushing, so central is about to move: the same, once that one is done.
    GaveWay(Box<Known>),
}

/// Central and this clone agree; what is left is to write that down.
pub struct Published {
    /// What this clone has dealt with.
    pub cursor: Cursor,
    /// The own documents' files, if they were walked through.
    pub scan: Option<Scan>,
}

/// Runs a cycle. `known`: what the one before has left.
pub fn run(session: &mut Session<'_>, mut known: Option<Known>) -> Result<End, SyncErrorKind> {
    session.soundly(|session| {
        session.check_interrupt()?;
        let mut fetched = session.phase(Phase::Fetch, |session| Fetched::list(session, known.take()))?;
        session.report.seen = fetched.snapshot.head;
        session.phase(Phase::Hydrate, |session| fetched.hydrate(session))?;
        fetched.take_up_records(session);
        match session.pushes_to().cloned() {
            None => {
                if !session.options.pull_only {
                    fetched.publish_records(session);
                }
                Ok(End::Done(Box::new(fetched.leave(session))))
            }
            Some(prefix) => {
                session.step(Step::Dehydrating);
                session.phase(Phase::Push, |session| {
                    fetched.prepare(session, &prefix)?.publish(session)
                })
            }
        }
    })
}
