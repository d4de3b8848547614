//! What the histories of central and of the project tell of a document's versions.

use std::collections::{BTreeMap, BTreeSet};

use super::{Gathered, Inquiry};
use crate::{
    central::{
        CentralError,
        history::{self, Question},
    },
    names::{ObjectId, Prefix, ShortCode},
    plan::newer::{Relation, Versions, Witness},
};

impl Inquiry<'_, '_> {
    /// Whether this clone's notes tell where central's version came from.
    fn is_noted(&self, code: &ShortCode, versions: &Versions) -> bool {
        let base = self.cursor.base.get(code);
        base.is_some_and(|base| base.blob == versions.central && self.cursor.at(base).or(base.from).is_some())
    }

    /// What central's history says of documents whose origin is not noted, and which of them are noted and were changed to
    /// something else and back since: what is noted says nothing of those.
    pub(super) fn witnesses(
        &mut self,
        asked: &BTreeSet<ShortCode>,
        came_back: &BTreeSet<ShortCode>,
        gathered: &Gathered,
    ) -> Result<(BTreeMap<ShortCode, Witness>, BTreeSet<ShortCode>), CentralError> {
        let mut known = BTreeMap::new();
        let (mut noted, mut changed_back) = (BTreeSet::new(), BTreeSet::new());
        let (Some(head), Some(prefix), Some(at)) = (self.snapshot.head, &self.ctx.owned, self.own.commit()) else {
            return Ok((known, changed_back));
        };
        let (mut recent, mut whole) = (BTreeSet::new(), BTreeSet::new());
        for code in asked {
            let versions = &gathered.documents[code].0;
            let is_noted = !came_back.contains(code) && self.is_noted(code, versions);
            if let Some(witness) = self.cursor.witnesses.get(code)
                && witness.version == versions.central
            {
                known.insert(code.clone(), witness.clone());
                // It was asked for although something was noted.
                changed_back.extend(is_noted.then(|| code.clone()));
            } else if is_noted {
                noted.insert(code.clone());
            } else if versions.central.is_none() && versions.noted.is_none() && self.is_new(code, at) {
                recent.insert(code.clone());
            } else {
                whole.insert(code.clone());
            }
        }
        if self.central.is_empty() && self.cursor.compared.is_none() && !self.claims_to_have_synced() {
            return Ok((known, changed_back));
        }
        let recent_and_whole = recent.iter().chain(&whole).cloned().collect();
        if let Some(since) = self.cursor.compared {
            known.extend(self.tell(head, prefix, &recent_and_whole, Some(since))?);
            whole.retain(|code| !known.contains_key(code));
            let again = match since == head {
                true => BTreeMap::new(),
                false => self.tell(head, prefix, &noted, Some(since))?,
            };
            changed_back.extend(again.keys().cloned());
            known.extend(again);
        } else {
            whole = recent_and_whole;
        }
        if !whole.is_empty() {
            known.extend(self.tell(head, prefix, &whole, None)?);
        }
        Ok((known, changed_back))
    }

    /// The documents that an older client wrote as the project had them before. It has told nothing of the commit that it had
    /// checked out, so the project's own history is looked through for that.
    pub(super) fn outdated(&mut self, differing: &BTreeSet<ShortCode>, gathered: &Gathered) -> BTreeSet<ShortCode> {
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
            root: self.snapshot.root(self.store)?,
        };
        self.ask(head, question).map(|told| told.witnesses)
    }

    fn ask(&self, head: ObjectId, question: Question<'_>) -> Result<history::Told, CentralError> {
        history::tell(self.ctx.central(self.snapshot.branch.raw()), self.store, head, question)
    }

    /// Every version that central had of these documents, and what the newest commit that touched them says.
    pub(super) fn past(&self, unclear: &BTreeSet<ShortCode>) -> Result<history::Told, CentralError> {
        let (Some(head), Some(prefix)) = (self.snapshot.head, &self.ctx.owned) else {
            return Ok(history::Told::default());
        };
        if unclear.is_empty() || (self.central.is_empty() && !self.claims_to_have_synced()) {
            return Ok(history::Told::default());
        }
        let root = self.snapshot.root(self.store)?;
        let question = |since| Question {
            prefix,
            wanted: unclear,
            versions: true,
            since,
            root,
        };
        // Without a commit to go by, what was noted covers what central had until then.
        let since = self
            .cursor
            .compared
            .filter(|_| self.own.commit().is_none() && !self.copied);
        self.ask(head, question(since))
    }
}
