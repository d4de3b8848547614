//! The commit of the project that central's version of a document was made from, and what follows from where that is.

use super::{EvidenceError, Inquiry};
use crate::{
    names::{ObjectId, ShortCode},
    plan::{
        guard::OtherProject,
        newer::{Origin, Relation, Versions, Witness},
        source::ReadFrom,
    },
    project::{History, Unrelated},
    stage::own,
    state::cursor::{Base, Cursor},
};

impl Inquiry<'_, '_> {
    /// What the project's history says, `None` if nothing, and whether the project's remote has more.
    pub(super) fn origin(
        &mut self,
        code: &ShortCode,
        versions: &Versions,
        witness: Option<&Witness>,
    ) -> Result<(Option<Origin>, bool), EvidenceError> {
        let (Some(at), Some(history)) = (self.own.commit(), self.history.as_deref_mut()) else {
            return Ok((None, false));
        };
        let base = self
            .cursor
            .base
            .get(code)
            .filter(|base| base.blob == versions.central && versions.noted.is_some());
        let candidates = candidates(self.cursor, base, witness, own::follows_branch(self.ctx));
        let is_ours = versions.central_is_ours();
        let found = best(history, at, candidates, self.adopt_project)?;
        let edited = self.edited.contains(code);
        let from_worktree = matches!(self.own.read_from, ReadFrom::Worktree(_));
        let path = self.own.documents.get(code).map(|document| document.path.raw());
        let path = path.or(base.map(|base| base.path.raw()));
        let kept_aside = |history: &History<'_>| {
            let lies_aside = |path| history.is_kept_aside(at, versions.central, path);
            !edited && is_ours && from_worktree && path.is_some_and(lies_aside)
        };
        let Some(found) = found else {
            let cursor = self.cursor;
            let is_gone = |base: &&Base| {
                base.from
                    .or_else(|| cursor.at(base))
                    .is_some_and(|from| history.is_gone(from))
            };
            let gone = base.filter(|base| is_ours && is_gone(base));
            let gone = gone.filter(|_| !history.is_further_on(at, code, versions.central));
            let origin = gone.map(|base| Origin {
                edited,
                uncommitted: base.uncommitted,
                at_origin: versions.here,
                kept_aside: base.uncommitted && kept_aside(history),
                from_worktree,
                ..Origin::GONE
            });
            return Ok((origin, false));
        };
        let listings = (
            history.listing(at),
            history.listing(found.origin),
            history.listing(found.merge_base),
        );
        let (Some(now), Some(then), Some(common)) = listings else {
            return Ok((None, false));
        };
        let version = |listing: &crate::project::Listing| listing.get(code).map(|committed| committed.blob);
        let relation = found.relation;
        let uncommitted = found.uncommitted.unwrap_or_else(|| version(&then) != versions.central);
        let pullable = relation == Relation::Apart && !uncommitted && history.is_at_remote(found.origin);
        // Amended or rebased, and not pushed yet: a hook, which reads what has arrived, is not to take it back.
        let given_up = relation == Relation::Apart
            && is_ours
            && !found.is_reachable
            && !history.is_further_on(at, code, versions.central);
        let goes_on = relation == Relation::Descends || given_up;
        let kept_aside = goes_on && uncommitted && kept_aside(history);
        let origin = Origin {
            relation,
            edited,
            uncommitted,
            central_is_committed: version(&now) == versions.central,
            at_origin: version(&then),
            at_base: version(&common),
            given_up,
            kept_aside,
            from_worktree,
        };
        Ok((Some(origin), pullable))
    }
}

/// The commit that central's version was made from.
struct Found {
    origin: ObjectId,
    /// Whether it was not committed there. `None`: that is to be looked up there.
    uncommitted: Option<bool>,
    relation: Relation,
    merge_base: ObjectId,
    /// Whether a branch has it, or another commit that it may have been made from.
    is_reachable: bool,
}

/// The best of these commits: the first one, or the first one that a branch has. `None`: none is to be had.
fn best(
    history: &mut History<'_>,
    at: ObjectId,
    candidates: Vec<(ObjectId, Option<bool>)>,
    adopt_project: bool,
) -> Result<Option<Found>, EvidenceError> {
    let mut best: Option<Found> = None;
    for (origin, uncommitted) in candidates {
        if !history.obtain(origin) {
            continue;
        }
        let (relation, merge_base) = match history.relation(at, origin) {
            Ok(related) => related,
            Err(Unrelated::AsFarAsIsKnown) => continue,
            Err(Unrelated::Certainly) if adopt_project => continue,
            Err(Unrelated::Certainly) => {
                return Err(EvidenceError::OtherProject(OtherProject::Unrelated(origin)));
            }
        };
        let is_reachable = relation == Relation::Descends || history.is_reachable(origin);
        if best.as_ref().is_none_or(|best| is_reachable && !best.is_reachable) {
            best = Some(Found {
                origin,
                uncommitted,
                relation,
                merge_base,
                is_reachable,
            });
        }
    }
    Ok(best)
}

/// The commits that central's version may have been made from, the best witness first, and whether it was uncommitted there.
/// Where this clone merely had it, that has to be looked up.
///
/// An edit that this clone pushed and committed later counts as committed, unless one branch alone is followed
/// (`follows_branch`): what that branch does not have any more is no more than the edit that it was.
fn candidates(
    cursor: &Cursor,
    base: Option<&Base>,
    witness: Option<&Witness>,
    follows_branch: bool,
) -> Vec<(ObjectId, Option<bool>)> {
    let mut out = Vec::new();
    if let Some(base) = base {
        out.extend(cursor.at(base).map(|at| (at, None)));
        out.extend(base.from.map(|from| (from, Some(base.uncommitted))));
        if follows_branch && base.mine && base.uncommitted {
            out.reverse();
        }
    }
    out.extend(witness.and_then(|witness| Some((witness.commit?, Some(witness.uncommitted)))));
    out
}
