//! The commit of the project that central's version of a document was made from, and what follows from where that is.

use super::{EvidenceError, Inquiry};
use crate::{
    names::{ObjectId, ShortCode},
    plan::{
        guard::OtherProject,
        newer::{Origin, Relation, Versions, Witness},
        source::ReadFrom,
    },
    project::Unrelated,
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
        let mut found = None;
        let mut any_is_reachable = false;
        for (origin, uncommitted) in candidates {
            if !history.obtain(origin) {
                continue;
            }
            let (relation, merge_base) = match history.relation(at, origin) {
                Ok(related) => related,
                Err(Unrelated::AsFarAsIsKnown) => continue,
                Err(Unrelated::Certainly) if self.adopt_project => continue,
                Err(Unrelated::Certainly) => {
                    return Err(EvidenceError::OtherProject(OtherProject::Unrelated(origin)));
                }
            };
            let is_reachable = relation == Relation::Descends || history.is_reachable(origin);
            if found.is_none() || (is_reachable && !any_is_reachable) {
                found = Some((origin, uncommitted, relation, merge_base));
            }
            any_is_reachable |= is_reachable;
        }
        let Some((origin, uncommitted, relation, merge_base)) = found else {
            return Ok((None, false));
        };
        let pullable = relation == Relation::Apart && !uncommitted && history.is_at_remote(origin);
        let listings = (
            history.listing(at),
            history.listing(origin),
            history.listing(merge_base),
        );
        let (Some(now), Some(then), Some(common)) = listings else {
            return Ok((None, pullable));
        };
        let version = |listing: &crate::project::Listing| listing.get(code).map(|committed| committed.blob);
        let edited = self.edited.contains(code);
        let is_ours = versions.central_is_ours();
        let path = self.own.documents.get(code).map(|document| document.path.as_str());
        let path = path.or(base.map(|base| base.path.as_str()));
        let kept_aside = relation == Relation::Descends
            && uncommitted
            && !edited
            && is_ours
            && versions
                .central
                .zip(path)
                .is_some_and(|(blob, path)| history.is_kept_aside(blob, path));
        // Amended or rebased, and not pushed yet: a hook, which reads what has arrived, is not to take it back.
        let given_up = relation == Relation::Apart
            && is_ours
            && !any_is_reachable
            && !history.is_further_on(at, code, versions.central);
        let origin = Origin {
            relation,
            edited,
            uncommitted,
            central_is_committed: version(&now) == versions.central,
            at_origin: version(&then),
            at_base: version(&common),
            given_up,
            kept_aside,
            from_worktree: matches!(self.own.read_from, ReadFrom::Worktree(_)),
        };
        Ok((Some(origin), pullable))
    }
}

/// The commits that central's version may have been made from, the best witness first, and whether it was uncommitted there.
///
/// An edit that this clone pushed and committed later counts as committed, unless one branch alone is followed
/// (`follows_branch`): what that branch does not have any more is no more than the edit that it was.
fn candidates(
    cursor: &Cursor,
    base: Option<&Base>,
    witness: Option<&Witness>,
    follows_branch: bool,
) -> Vec<(ObjectId, bool)> {
    let mut out = Vec::new();
    if let Some(base) = base {
        out.extend(cursor.at(base).map(|at| (at, false)));
        out.extend(base.from.map(|from| (from, base.uncommitted)));
        if follows_branch && base.mine && base.uncommitted {
            out.reverse();
        }
    }
    out.extend(witness.and_then(|witness| Some((witness.commit?, witness.uncommitted))));
    out
}
