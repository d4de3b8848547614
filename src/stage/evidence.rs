//! What shows which version of a document is newer, gathered for the documents that differ and for no others.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Context,
    fetch::Snapshot,
    own::{self, Own},
};
use crate::{
    central::{
        CentralError,
        history::{self, Question},
        store::Store,
    },
    names::{ObjectId, Prefix, ShortCode},
    plan::{
        guard::OtherProject,
        listing::{Documents, Versions as Past},
        newer::{self, Evidence, Noted, Origin, Relation, Versions, Witness},
        source::ReadFrom,
    },
    project::{History, Unrelated},
    state::cursor::{Base, Cursor},
};

/// Why nothing can be decided.
#[derive(Debug, thiserror::Error)]
pub enum EvidenceError {
    /// Central's history cannot be read.
    #[error(transparent)]
    Central(#[from] CentralError),
    /// The owned folder was made from a project that has nothing in common with this one.
    #[error(transparent)]
    OtherProject(#[from] OtherProject),
}

/// Everything that the verdicts rest on.
#[derive(Debug, Default)]
pub struct Gathered {
    /// Each document that is here, in central or noted, unless it is protected; with evidence where it differs.
    pub documents: BTreeMap<ShortCode, (Versions, Option<Evidence>)>,
    /// What central's history said of documents that are not as noted.
    pub witnesses: BTreeMap<ShortCode, Witness>,
    /// Documents whose version in central the project's remote has and the commit that is synced from has not.
    pub pullable: BTreeSet<ShortCode>,
    /// Versions that central had of documents of which nothing was noted: the one here, or some one of a document that it has
    /// no more.
    pub had: Documents,
}

/// What gathering needs.
pub struct Inquiry<'a, 'h> {
    /// What every stage needs.
    pub ctx: &'a Context<'a>,
    /// Central's objects.
    pub store: &'a Store,
    /// What this clone knows.
    pub cursor: &'a Cursor,
    /// Central's state.
    pub snapshot: &'a Snapshot,
    /// The own documents.
    pub own: &'a Own<'h>,
    /// Those that are not as committed.
    pub edited: &'a BTreeSet<ShortCode>,
    /// The owned folder in central.
    pub central: &'a Documents,
    /// The project's history, if there is one.
    pub history: Option<&'a mut History<'h>>,
    /// Whether what this clone noted was noted in another folder.
    pub copied: bool,
    /// Whether versions from another project's history are taken for ones of unknown origin.
    pub adopt_project: bool,
}

impl Inquiry<'_, '_> {
    /// Gathers. Central's and the project's history are asked for what differs, over the network only where that is not known
    /// here.
    pub fn gather(mut self) -> Result<Gathered, EvidenceError> {
        let mut gathered = Gathered::default();
        let differing = self.differing(&mut gathered);
        if differing.is_empty() {
            return Ok(gathered);
        }
        gathered.witnesses = self.witnesses(&differing, &gathered)?;
        let outdated = self.outdated(&differing, &gathered);
        let mut unclear = BTreeSet::new();
        for code in &differing {
            let Some((versions, evidence)) = gathered.documents.get_mut(code) else {
                continue;
            };
            let witness = gathered.witnesses.get(code);
            let (origin, pullable) = self.origin(code, versions, witness)?;
            if pullable {
                gathered.pullable.insert(code.clone());
            }
            *evidence = origin.map(Evidence::Origin);
            let is_edited = self.edited.contains(code);
            let by_memory = self.own.commit().is_none();
            if evidence.is_none()
                && !outdated.contains(code)
                && newer::wants_past(versions, is_edited && !by_memory, self.copied)
            {
                unclear.insert(code.clone());
            }
        }
        let past = self.past(&unclear)?;
        for code in &differing {
            let Some((versions, evidence @ None)) = gathered.documents.get_mut(code) else {
                continue;
            };
            if let (Some(had), Some(here), None) = (past.get(code), versions.here, versions.noted) {
                let here = Some(here).filter(|here| had.contains(here));
                let removed = had.first().copied().filter(|_| versions.central.is_none());
                let version = here.or(removed);
                gathered.had.extend(version.map(|version| (code.clone(), version)));
            }
            let past = match (past.get(code), versions.here) {
                (Some(had), Some(here)) if had.contains(&here) => newer::Past::This,
                (Some(_), _) => newer::Past::Other,
                (None, _) => newer::Past::Never,
            };
            let committed = self.committed(code);
            *evidence = Some(match self.own.commit() {
                Some(_) => Evidence::NoOrigin {
                    edited: self.edited.contains(code),
                    central_is_committed: versions.central.is_some() && committed == versions.central,
                    central_is_outdated: outdated.contains(code),
                    past,
                },
                None => Evidence::NoCommit {
                    copied: self.copied,
                    past,
                },
            });
        }
        Ok(gathered)
    }

    /// Lists all documents. Returns those that need evidence.
    fn differing(&self, gathered: &mut Gathered) -> BTreeSet<ShortCode> {
        let mut differing = BTreeSet::new();
        let codes = self
            .own
            .documents
            .keys()
            .chain(self.central.keys())
            .chain(self.cursor.base.keys());
        for code in codes.collect::<BTreeSet<_>>() {
            if self.own.protects(code) {
                continue;
            }
            let versions = Versions {
                here: self.own.documents.get(code).map(|document| document.blob),
                central: self.central.get(code).copied(),
                noted: self.cursor.base.get(code).map(|base| Noted {
                    version: base.blob,
                    mine: base.mine,
                }),
            };
            if versions.here != versions.central && !is_decided(self.cursor, code, &versions) {
                differing.insert(code.clone());
            }
            gathered.documents.insert(code.clone(), (versions, None));
        }
        differing
    }

    /// A document in the commit that is synced from.
    fn committed(&mut self, code: &ShortCode) -> Option<ObjectId> {
        let listing = self.history.as_mut()?.listing(self.own.commit()?)?;
        listing.get(code).map(|committed| committed.blob)
    }

    /// Whether this clone's notes tell where central's version came from.
    fn is_noted(&self, code: &ShortCode, versions: &Versions) -> bool {
        let base = self.cursor.base.get(code);
        base.is_some_and(|base| base.blob == versions.central && self.cursor.at(base).or(base.from).is_some())
    }

    /// What central's history says of documents whose origin is not noted.
    fn witnesses(
        &mut self,
        differing: &BTreeSet<ShortCode>,
        gathered: &Gathered,
    ) -> Result<BTreeMap<ShortCode, Witness>, CentralError> {
        let mut known = BTreeMap::new();
        let (Some(head), Some(prefix), Some(at)) = (self.snapshot.head, &self.ctx.owned, self.own.commit()) else {
            return Ok(known);
        };
        let (mut recent, mut whole) = (BTreeSet::new(), BTreeSet::new());
        for code in differing {
            let versions = &gathered.documents[code].0;
            if let Some(witness) = self.cursor.witnesses.get(code)
                && witness.version == versions.central
            {
                known.insert(code.clone(), witness.clone());
            } else if self.is_noted(code, versions) {
            } else if versions.central.is_none() && versions.noted.is_none() && self.is_new(code, at) {
                recent.insert(code.clone());
            } else {
                whole.insert(code.clone());
            }
        }
        if self.central.is_empty() && self.cursor.compared.is_none() && !self.claims_to_have_synced() {
            return Ok(known);
        }
        let recent_and_whole = recent.iter().chain(&whole).cloned().collect();
        if let Some(since) = self.cursor.compared {
            known.extend(self.tell(head, prefix, &recent_and_whole, Some(since))?);
            whole.retain(|code| !known.contains_key(code));
        } else {
            whole = recent_and_whole;
        }
        if !whole.is_empty() {
            known.extend(self.tell(head, prefix, &whole, None)?);
        }
        Ok(known)
    }

    /// The documents that an older client wrote as the project had them before. It has told nothing of the commit that it had
    /// checked out, so the project's own history is looked through for that.
    fn outdated(&mut self, differing: &BTreeSet<ShortCode>, gathered: &Gathered) -> BTreeSet<ShortCode> {
        let (Some(at), Some(history)) = (self.own.commit(), self.history.as_deref_mut()) else {
            return BTreeSet::new();
        };
        let written: BTreeMap<ObjectId, &ShortCode> = differing
            .iter()
            .filter_map(|code| {
                let version = gathered.documents[code].0.central?;
                let witness = gathered.witnesses.get(code)?;
                (witness.commit.is_none() && witness.version == Some(version)).then_some((version, code))
            })
            .collect();
        let before = history.had_before(at, written.keys().copied().collect());
        before.iter().map(|version| written[version].clone()).collect()
    }

    /// Whether the document came into the project after this clone and central last agreed.
    fn is_new(&mut self, code: &ShortCode, at: ObjectId) -> bool {
        if self.edited.contains(code) {
            return true;
        }
        let Some((history, agreed)) = self.history.as_mut().zip(self.cursor.agreed) else {
            return false;
        };
        let is_later = matches!(history.relation(at, agreed), Ok((Relation::Descends, _)));
        is_later
            && history
                .listing(agreed)
                .is_some_and(|listing| !listing.contains_key(code))
    }

    fn claims_to_have_synced(&self) -> bool {
        let settings = self.ctx.config.sync.as_ref();
        settings.is_some_and(|settings| settings.last_synced_commit.is_some())
    }

    fn tell(
        &self,
        head: ObjectId,
        prefix: &Prefix,
        wanted: &BTreeSet<ShortCode>,
        since: Option<ObjectId>,
    ) -> Result<BTreeMap<ShortCode, Witness>, CentralError> {
        if wanted.is_empty() {
            return Ok(BTreeMap::new());
        }
        let question = Question {
            prefix,
            wanted,
            versions: false,
            since,
        };
        self.ask(head, question).map(|told| told.witnesses)
    }

    fn ask(&self, head: ObjectId, question: Question<'_>) -> Result<history::Told, CentralError> {
        let ctx = self.ctx;
        history::tell(
            &ctx.upstream,
            &ctx.connect,
            &self.snapshot.branch,
            self.store,
            head,
            question,
        )
    }

    /// Every version that central had of these documents.
    fn past(&self, unclear: &BTreeSet<ShortCode>) -> Result<Past, CentralError> {
        let (Some(head), Some(prefix)) = (self.snapshot.head, &self.ctx.owned) else {
            return Ok(Past::new());
        };
        if unclear.is_empty() || (self.central.is_empty() && !self.claims_to_have_synced()) {
            return Ok(Past::new());
        }
        let question = |since| Question {
            prefix,
            wanted: unclear,
            versions: true,
            since,
        };
        // Without a commit to go by, what was noted covers what central had until then.
        let since = self
            .cursor
            .compared
            .filter(|_| self.own.commit().is_none() && !self.copied);
        self.ask(head, question(since)).map(|told| told.versions)
    }

    /// What the project's history says, `None` if nothing, and whether the project's remote has more.
    fn origin(
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

/// Whether a person decided that what is here goes over the version that central has.
pub fn is_decided(cursor: &Cursor, code: &ShortCode, versions: &Versions) -> bool {
    cursor.decided.get(code) == Some(&versions.central)
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
