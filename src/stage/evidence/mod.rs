//! What shows which version of a document is newer, gathered for the documents that differ and for no others.

mod origin;
mod witnesses;

use std::collections::{BTreeMap, BTreeSet};

use super::{Context, fetch::Snapshot, own::Own};
use crate::{
    central::{CentralError, history::Told, store::Store},
    names::{ObjectId, ShortCode},
    plan::{
        guard::OtherProject,
        listing::Documents,
        newer::{self, Evidence, Noted, Versions, Witness},
    },
    project::History,
    state::cursor::Cursor,
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
        let came_back = self.came_back(&gathered);
        if differing.is_empty() && came_back.is_empty() {
            return Ok(gathered);
        }
        let asked = differing.union(&came_back).cloned().collect();
        let changed_back;
        (gathered.witnesses, changed_back) = self.witnesses(&asked, &came_back, &gathered)?;
        for code in &changed_back {
            if let Some((versions, _)) = gathered.documents.get_mut(code) {
                versions.noted = None;
            }
        }
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
        self.by_past(&differing, &unclear, &outdated, &mut gathered)?;
        Ok(gathered)
    }

    /// Gathers what central's history tells of those `differing` documents of which there is no evidence yet, as far as that is
    /// `unclear` without.
    fn by_past(
        &mut self,
        differing: &BTreeSet<ShortCode>,
        unclear: &BTreeSet<ShortCode>,
        outdated: &BTreeSet<ShortCode>,
        gathered: &mut Gathered,
    ) -> Result<(), EvidenceError> {
        let Told {
            witnesses,
            versions: past,
        } = self.past(unclear)?;
        for code in differing {
            let Some((versions, evidence @ None)) = gathered.documents.get_mut(code) else {
                continue;
            };
            // What was taken for new was removed from central once: the commit that did so is a witness.
            let witness = witnesses.get(code).filter(|_| !gathered.witnesses.contains_key(code));
            if let Some(witness) = witness
                && let (Some(origin), pullable) = self.origin(code, versions, Some(witness))?
            {
                gathered.pullable.extend(pullable.then(|| code.clone()));
                gathered.witnesses.insert(code.clone(), witness.clone());
                *evidence = Some(Evidence::Origin(origin));
                continue;
            }
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
        Ok(())
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
            let is_said = is_decided(self.cursor, code, &versions) || is_held_back(self.cursor, code, &versions);
            if versions.here != versions.central && !is_said {
                differing.insert(code.clone());
            }
            gathered.documents.insert(code.clone(), (versions, None));
        }
        differing
    }

    /// Documents that are in step again after central had another version: what this clone noted of them before says nothing.
    fn came_back(&self, gathered: &Gathered) -> BTreeSet<ShortCode> {
        let in_step = |code: &&ShortCode| {
            let versions = gathered.documents.get(*code).map(|(versions, _)| versions);
            versions.is_some_and(|versions| {
                versions.here.is_some()
                    && versions.here == versions.central
                    && self.cursor.saw_another(code, versions.central)
            })
        };
        self.cursor.witnesses.keys().filter(in_step).cloned().collect()
    }

    /// A document in the commit that is synced from.
    fn committed(&mut self, code: &ShortCode) -> Option<ObjectId> {
        let listing = self.history.as_mut()?.listing(self.own.commit()?)?;
        listing.get(code).map(|committed| committed.blob)
    }
}

/// Whether a person decided that what is here goes over the version that central has.
pub fn is_decided(cursor: &Cursor, code: &ShortCode, versions: &Versions) -> bool {
    cursor.decided.get(code) == Some(&versions.central)
}

/// Whether a person took what is here out of central.
pub fn is_held_back(cursor: &Cursor, code: &ShortCode, versions: &Versions) -> bool {
    cursor.held_back.get(code) == Some(&versions.here)
}
