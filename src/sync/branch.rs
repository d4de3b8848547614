//! Central without the branch that a sync is about.

use super::error::SyncErrorKind;
use crate::{
    central::{CentralError, history, remote::Remote, store::Store},
    names::ObjectId,
    plan::guard::{self, MissingBranch},
    stage::Context,
    text::Untrusted,
};

/// So many of central's other branches are looked into for the commit synced last.
const MAX_LOOKED_INTO: usize = 16;

/// What stops a sync because central does not have the branch that was listed; `None` where it has, or where there is
/// nothing to be taken for another history.
pub fn missing(
    ctx: &Context<'_>,
    remote: &mut Remote,
    store: &Store,
    seen: Option<ObjectId>,
) -> Result<Option<SyncErrorKind>, CentralError> {
    if remote.head.is_some() {
        return Ok(None);
    }
    let chosen = ctx.branch.is_some();
    Ok(match guard::missing_branch(seen, chosen, !remote.others.is_empty()) {
        MissingBranch::Begins | MissingBranch::Emptied => None,
        MissingBranch::NotNamed => Some(not_named(remote)),
        MissingBranch::Gone(seen) => {
            let mut has_it = Vec::new();
            for (name, tip) in remote.others.clone().into_iter().take(MAX_LOOKED_INTO) {
                if history::last_held(remote, &ctx.connect, store, tip, &[seen], true)?.is_some() {
                    has_it.push(name.into());
                }
            }
            Some(SyncErrorKind::BranchGone {
                branch: (&remote.branch).into(),
                has_it,
                others: names(remote),
            })
        }
    })
}

/// The stop where there are branches, and nobody said which.
pub fn not_named(remote: &Remote) -> SyncErrorKind {
    SyncErrorKind::NoBranch {
        branch: (&remote.branch).into(),
        others: names(remote),
    }
}

fn names(remote: &Remote) -> Vec<Untrusted> {
    remote.others.iter().map(|(name, _)| name.into()).collect()
}
