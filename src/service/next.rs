//! The next task of a queue that several work on: each is taken once.
//!
//! What is here may be older than central. So a task is claimed first, which of several one succeeds in, and then looked at as central
//! has it: whoever did it before has said so there before letting go of the claim.

use std::collections::BTreeSet;

use super::{Direction, SyncRequest, execute};
use crate::{
    cache::{Document, Filter, QueryError},
    names::ShortCode,
    sync::{self, ClaimError, Claimed, Progress, SyncError, SyncErrorKind, Workspace},
};

/// Why no task was taken.
#[derive(Debug, thiserror::Error)]
pub enum NotTaken {
    /// Nothing could be claimed.
    #[error(transparent)]
    Claim(#[from] ClaimError),
    /// It could not be looked up what there is to do.
    #[error(transparent)]
    Query(#[from] QueryError),
}

impl From<SyncError> for NotTaken {
    fn from(err: SyncError) -> Self {
        NotTaken::Claim(err.into())
    }
}

impl From<SyncErrorKind> for NotTaken {
    fn from(kind: SyncErrorKind) -> Self {
        NotTaken::Claim(kind.into())
    }
}

/// The tasks that can be begun, as far as is known here, without those that are claimed.
pub fn ready(workspace: &Workspace, filter: &Filter, claimed: &BTreeSet<String>) -> Result<Vec<Document>, NotTaken> {
    let guard = workspace.guard().map_err(SyncErrorKind::from)?;
    let cache = sync::open_cache(workspace, &guard)?;
    for prefix in &filter.workspaces {
        cache.has_workspace(prefix)?;
    }
    let mut found = cache.find(&Filter {
        ready: true,
        ..filter.clone()
    })?;
    found.retain(|document| !claimed.contains(document.code.raw()));
    Ok(found)
}

/// Claims the next task that fits and that nobody has. `None`: there is none in central either.
pub fn take_next(
    workspace: &Workspace,
    request: &SyncRequest,
    filter: &Filter,
    progress: &mut dyn Progress,
) -> Result<Option<Document>, NotTaken> {
    let options = request.options();
    let pull = SyncRequest {
        direction: Direction::Pull,
        conduits: false,
        ..request.clone()
    };
    let (mut is_fresh, mut tries) = (false, 0);
    // Those that were looked at as central has them and are not to be done, and those that somebody has, which central need not list.
    let mut over: BTreeSet<String> = BTreeSet::new();
    loop {
        let mut taken = sync::claimed(workspace, &options)?;
        taken.extend(over.iter().cloned());
        let open = ready(workspace, filter, &taken)?;
        let Some(next) = chosen(&open, tries) else {
            if is_fresh {
                return Ok(None);
            }
            execute(workspace, &pull, progress)?;
            is_fresh = true;
            continue;
        };
        let Ok(code) = next.code.raw().parse::<ShortCode>() else {
            over.insert(next.code.raw().to_owned());
            continue;
        };
        tries += 1;
        // One that this clone has already was taken by somebody else who works in it.
        if sync::claim(workspace, &options, &code)? != Claimed::Done {
            over.insert(next.code.raw().to_owned());
            continue;
        }
        execute(workspace, &pull, progress)?;
        is_fresh = true;
        let still = ready(workspace, filter, &over)?;
        if let Some(document) = still.into_iter().find(|document| document.code == next.code) {
            return Ok(Some(document));
        }
        sync::release(workspace, &options, &code, false)?;
        over.insert(next.code.raw().to_owned());
    }
}

/// The first one, and any one after a race was lost: those who lost it must not meet at the second again.
fn chosen(open: &[Document], tries: usize) -> Option<&Document> {
    match (open.len(), tries) {
        (0, _) => None,
        (_, 0) => open.first(),
        (count, _) => open.get(fastrand::usize(..count)),
    }
}
