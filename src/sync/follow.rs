//! From a listing of central's branch to its objects at hand, as far as this clone follows it. A sync stops where it does not, a
//! preview says so.

use super::{
    branch,
    error::SyncErrorKind,
    options::{Progress, Step},
};
use crate::{
    central::{fetch::Wanted, history, remote::Remote, store::Store},
    names::ObjectId,
    plan::guard::{self, Lineage},
    stage::{
        Context,
        fetch::{self, Snapshot},
    },
    state::cursor::{Cursor, Pushing},
    text::UntrustedName,
};

/// What is here of central.
pub struct Known {
    /// What this clone has dealt with.
    pub cursor: Cursor,
    /// Central's objects.
    pub store: Store,
}

/// Central as it is now, its objects at hand.
pub struct Followed {
    /// What there is.
    pub snapshot: Snapshot,
    /// What is here of it.
    pub known: Known,
    /// Whether its history is another one than before.
    pub adopted: bool,
}

/// How far central is followed.
#[derive(Clone, Copy)]
pub struct Follow<'c, 'a> {
    /// What every stage needs.
    pub ctx: &'c Context<'a>,
    /// The commit that was seen last: central must not have gone behind it,
    pub seen: Option<ObjectId>,
    /// unless that is accepted.
    pub adopt: bool,
}

impl Follow<'_, '_> {
    /// The cursor for the central that was listed, and whether it is a new one because an old one does not count any more. `first`:
    /// what the first syncs of all were about to push.
    pub fn cursor(
        &self,
        remote: &Remote,
        last: Option<Cursor>,
        first: impl FnOnce() -> Vec<Pushing>,
    ) -> Result<(Cursor, bool), SyncErrorKind> {
        match last {
            // What was pushed under another hash cannot be compared with anything here.
            Some(last) if last.format != remote.format && !self.adopt => Err(self.rewound(&remote.branch)),
            Some(last) if last.format == remote.format => Ok((last, false)),
            last => {
                let mut new = Cursor::new(self.ctx.upstream_name.clone(), remote.branch.clone(), remote.format);
                if last.is_none() {
                    new.pushing = first();
                }
                Ok((new, last.is_some()))
            }
        }
    }

    /// Brings what was listed here, and in the same exchange what is wanted `beside` it.
    pub fn fetch(
        &self,
        remote: &mut Remote,
        mut known: Known,
        beside: &[Wanted],
        progress: &mut dyn Progress,
    ) -> Result<Followed, SyncErrorKind> {
        let Known { cursor, store } = &mut known;
        if cursor.format != remote.format {
            return Err(self.rewound(&remote.branch));
        }
        if let Some(stop) = branch::missing(self.ctx, remote, store, self.seen)? {
            return Err(stop);
        }
        let snapshot = fetch::apply(self.ctx, remote, store, self.seen, beside, &mut |bytes| {
            progress.step(Step::Fetching { bytes })
        })?;
        guard::lineage(snapshot.lineage, self.adopt).map_err(|_| self.rewound(&snapshot.branch))?;
        let adopted = snapshot.lineage == Lineage::Rewound;
        if adopted {
            cursor.adopt_rewritten();
        }
        // A server may take a push after its client was killed: until this sync is over, each look at central is for that too.
        if let Some(head) = snapshot.head.filter(|_| !cursor.pushing.is_empty()) {
            let pushed: Vec<_> = cursor.pushing.iter().map(|pushing| pushing.commit).collect();
            // Of what nobody here had seen before, no more than the newest commit is here.
            let wholly = cursor.head.is_none();
            if let Some(at) = history::last_held(remote, &self.ctx.connect, store, head, &pushed, wholly)? {
                cursor.push_had_arrived(at);
            }
        }
        Ok(Followed {
            snapshot,
            known,
            adopted,
        })
    }

    fn rewound(&self, branch: &UntrustedName) -> SyncErrorKind {
        match self.seen {
            Some(seen) => SyncErrorKind::Rewound {
                branch: branch.into(),
                seen,
            },
            None => SyncErrorKind::Rehashed,
        }
    }
}
