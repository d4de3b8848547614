//! What a preview says of the workspace as a whole, and of each folder.

use std::collections::BTreeMap;

use super::{CentralView, Preview};
use crate::{
    names::{Prefix, ShortCode},
    plan::{
        hydrate::FolderPlan,
        standing::{self, FolderStanding, Presence, Standing},
    },
    stage::Warning,
    text::UntrustedName,
    workspace::FolderState,
};

impl Preview<'_> {
    /// Whether central moved since the last sync. `None`: it is not known.
    pub fn central_moved(&self) -> Option<bool> {
        match &self.central {
            CentralView::Seen { head, .. } => Some(!self.synced_before || *head != self.cursor.head),
            _ => None,
        }
    }

    /// Where the workspace stands.
    pub fn standing(&self) -> Standing {
        let pulls = self.folders().values().any(|folder| match folder {
            FolderStanding::Blocked { .. } => false,
            other => !other.is_in_step(),
        });
        // A moved central whose objects are not here is known to have something, if not what.
        let unknown = self.snapshot.is_none() && self.central_moved() == Some(true);
        standing::standing(
            self.synced_before,
            !self.stops.is_empty(),
            !self.plan.changes_nothing(),
            pulls || unknown || !self.plan.behind.is_empty(),
        )
    }

    /// Each other workspace that central has or that has a folder here.
    pub fn folders(&self) -> BTreeMap<Prefix, FolderStanding> {
        let mut out = BTreeMap::new();
        let presence = |prefix: &Prefix| match self.survey.folders.get(prefix) {
            Some(FolderState::Marked(marker)) if marker.applying.is_none() => Presence::Whole,
            None | Some(FolderState::Absent | FolderState::Reserved) => Presence::Absent,
            Some(_) => Presence::Doubtful,
        };
        let mut tell = |prefix: &Prefix, work: Option<&FolderPlan>| {
            let was_here = self.cursor.folders.contains_key(prefix);
            out.insert(prefix.clone(), standing::folder(presence(prefix), work, was_here));
        };
        match &self.hydrate {
            Some(plan) => {
                plan.in_step.keys().for_each(|prefix| tell(prefix, None));
                plan.work.iter().for_each(|work| tell(&work.prefix, Some(&work.files)));
                for (prefix, files) in &plan.gone {
                    let remove = files.remove.len();
                    out.insert(prefix.clone(), FolderStanding::Gone { remove });
                }
                for warning in &plan.warnings {
                    if let Warning::FolderFailed { prefix, reason } = warning {
                        let reason = reason.clone();
                        out.insert(prefix.clone(), FolderStanding::Blocked { reason });
                    }
                }
            }
            None => {
                self.cursor.folders.keys().for_each(|prefix| tell(prefix, None));
                let marked = self.survey.folders.iter().filter_map(|(prefix, state)| match state {
                    FolderState::Marked(_) => Some(prefix),
                    _ => None,
                });
                marked.for_each(|prefix| tell(prefix, None));
                for prefix in &self.cursor.unfinished {
                    out.insert(prefix.clone(), FolderStanding::Unfinished);
                }
            }
        }
        if let Some(owned) = &self.ctx.owned {
            out.remove(owned);
        }
        out
    }

    /// The path of an own document, here or where it was seen last.
    pub fn path_of(&self, code: &ShortCode) -> Option<&UntrustedName> {
        let here = self.own.documents.get(code).map(|document| &document.path);
        here.or_else(|| self.cursor.base.get(code).map(|base| &base.path))
    }
}
