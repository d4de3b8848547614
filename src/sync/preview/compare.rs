//! Comparing what is here with what central has.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::SystemTime,
};

use super::{
    Ask, CentralView, Preview,
    look::{Here, Look},
};
use crate::{
    central::store::Store,
    names::{ObjectFormat, Prefix, ShortCode},
    plan::{
        dehydrate::{self as decide, DehydratePlan},
        listing::Documents,
        newer::{Verdict, Versions},
    },
    stage::{
        Context, Warning,
        dehydrate::PlanError,
        fetch::{self, Snapshot},
        hydrate::{self, HydratePlan},
        own::{self, Own, OwnError},
    },
    state::cursor::Cursor,
    sync::{error::SyncErrorKind, follow::Known, judgement, notebook},
    text::UntrustedName,
    workspace::{self, FolderState, Glance, Survey},
};

/// What a sync would do with a snapshot.
#[derive(Default)]
struct Plans {
    /// `None` where nothing is known of central.
    hydrate: Option<HydratePlan>,
    held: Documents,
    plan: DehydratePlan,
    registers: bool,
}

impl<'a> Look<'_, 'a> {
    /// Compares.
    pub fn compare(mut self, here: Here, central: CentralView, ask: Ask) -> Result<Preview<'a>, SyncErrorKind> {
        let Here {
            mut snapshot,
            mut known,
        } = here;
        let new = || {
            Cursor::new(
                self.ctx.upstream_name.clone(),
                UntrustedName::default(),
                ObjectFormat::Sha1,
            )
        };
        let cursor = known.as_ref().map(|known| &known.cursor).or(self.last.as_ref());
        let cursor = cursor.cloned().unwrap_or_else(new);
        // Every marker is looked at, unlike in a sync: what somebody did to a folder is what people want to see here.
        let survey = workspace::survey(self.ctx.metis.dir(), &cursor.folders.keys().cloned().collect())?;
        let mut own = self.own(&cursor)?;
        let asks = ask == Ask::Everybody && matches!(central, CentralView::Seen { .. });
        let plans = match (&snapshot, &mut known) {
            (Some(snapshot), Some(known)) => {
                if ask != Ask::Nobody {
                    // The cache may have been emptied since. If it stays empty, the last sync is what we compare with.
                    let _ = fetch::ensure(&self.ctx, &mut known.store, snapshot);
                }
                match self.plans(snapshot, known, &mut own, asks) {
                    Err(err) if self.options.dry_run => return Err(err),
                    plans => plans.ok(),
                }
            }
            _ => None,
        };
        self.warnings.extend(own.warnings());
        if !own.excluded.is_empty() {
            self.warnings
                .push(Warning::NotPublished(own.excluded.keys().cloned().collect()));
        }
        let Plans {
            hydrate,
            held,
            plan,
            registers,
        } = plans.unwrap_or_else(|| {
            snapshot = None;
            self.without_central(&own, &cursor)
        });
        if !plan.conflicts.is_empty() {
            self.stops.push(SyncErrorKind::Diverged {
                conflicts: plan.conflicts.clone(),
            });
        }
        let warnings = hydrate.iter().flat_map(|plan| &plan.warnings);
        self.warnings.extend(warnings.cloned());
        let (cursor, store) = match known {
            Some(Known { cursor, store }) => (cursor, Some(store)),
            None => (cursor, None),
        };
        if let Some(store) = store.as_ref().filter(|_| !self.options.dry_run) {
            self.warnings.extend(edited(&self.ctx, store, &survey));
        }
        Ok(Preview {
            synced_before: self.last.is_some(),
            ctx: self.ctx,
            state: self.state,
            guard: self.guard,
            cursor,
            central,
            snapshot,
            store,
            own,
            held,
            plan,
            pushes: self.pushes,
            registers,
            survey,
            hydrate,
            stops: self.stops,
            warnings: self.warnings,
        })
    }

    /// The own documents, as far as they matter.
    fn own(&mut self, cursor: &Cursor) -> Result<Own<'a>, SyncErrorKind> {
        if self.options.dry_run && !self.pushes {
            return Ok(Own::unknown(cursor.format));
        }
        let stat_cache = notebook::stat_cache(self.state.as_ref());
        let (now, arrived) = (SystemTime::now(), self.options.arrived);
        match own::survey(&self.ctx, cursor, &stat_cache, cursor.format, now, arrived, None) {
            Ok(own) => Ok(own),
            Err(OwnError::Dir(err)) => Err(err.into()),
            Err(err) => {
                self.stops.push(err.into());
                Ok(Own::unknown(cursor.format))
            }
        }
    }

    /// What changed since the last sync.
    fn without_central(&self, own: &Own<'_>, cursor: &Cursor) -> Plans {
        let held = cursor.base_blobs();
        Plans {
            plan: match self.pushes {
                true => compared_with_the_last_sync(own, &held),
                false => DehydratePlan::default(),
            },
            held,
            ..Plans::default()
        }
    }

    /// What a sync would do with the snapshot.
    fn plans(
        &mut self,
        snapshot: &Snapshot,
        known: &mut Known,
        own: &mut Own<'a>,
        asks: bool,
    ) -> Result<Plans, SyncErrorKind> {
        let mut plans = Plans {
            hydrate: Some(self.hydrate(snapshot, known)?),
            ..Plans::default()
        };
        let Some(prefix) = self.ctx.owned.clone() else {
            return Ok(plans);
        };
        if !self.pushes {
            plans.held = snapshot.root(&known.store)?.documents(&known.store, &prefix)?;
            return Ok(plans);
        }
        let decided = match judgement::decide(&self.ctx, known, snapshot, &prefix, own, self.options) {
            Err(PlanError::Central(err)) => return Err(err.into()),
            Err(err) => {
                self.stops.push(err.into());
                return Ok(plans);
            }
            Ok(decided) => decided,
        };
        let foreign = decided.plan.foreign.iter().cloned().map(Warning::Foreign);
        self.warnings.extend(foreign);
        let stops = judgement::stops(
            &self.ctx,
            self.options,
            &known.cursor,
            own,
            &decided,
            asks,
            &mut self.warnings,
        );
        self.stops.extend(stops);
        plans.registers = judgement::registers(known, snapshot, &prefix, &decided)?;
        (plans.held, plans.plan) = (decided.central, decided.plan);
        Ok(plans)
    }

    fn hydrate(&self, snapshot: &Snapshot, known: &Known) -> Result<HydratePlan, SyncErrorKind> {
        let Known { cursor, store } = known;
        // A dry run tells what a sync would notice, everybody else wants to see what is there.
        let glance = match self.options.dry_run {
            true => hydrate::glance(&self.ctx, cursor)?,
            false => Glance::default(),
        };
        let scope = self.options.scope();
        if self.options.dry_run && !hydrate::is_due(&self.ctx, &glance, cursor, snapshot, scope) {
            return Ok(HydratePlan::default());
        }
        let plan = hydrate::plan(&self.ctx, store, cursor, snapshot, &glance, scope)?;
        match scope.only.iter().find(|prefix| !plan.listed.contains_key(*prefix)) {
            Some(prefix) => Err(SyncErrorKind::NoSuchWorkspace(prefix.clone())),
            None => Ok(plan),
        }
    }
}

/// The copies that somebody edited, folder by folder: a sync sees that only where central changes the folder.
fn edited(ctx: &Context<'_>, store: &Store, survey: &Survey) -> Vec<Warning> {
    let edited = |(prefix, state): (&Prefix, &FolderState)| {
        let FolderState::Marked(marker) = state else {
            return None;
        };
        let held = hydrate::read_listing(store, prefix, marker.tree)?;
        let codes = hydrate::edited(ctx, prefix, &held).unwrap_or_default();
        let prefix = prefix.clone();
        (!codes.is_empty()).then_some(Warning::Edited { prefix, codes })
    };
    survey.folders.iter().filter_map(edited).collect()
}

/// What changed here since the last sync, while nothing is known of central.
fn compared_with_the_last_sync(own: &Own<'_>, base: &Documents) -> DehydratePlan {
    let here = own.blobs();
    let codes: BTreeSet<&ShortCode> = here.keys().chain(base.keys()).collect();
    let verdicts = codes.into_iter().filter(|code| !own.protects(code)).map(|code| {
        let versions = Versions {
            here: here.get(code).copied(),
            central: base.get(code).copied(),
            noted: None,
        };
        let verdict = match versions.here == versions.central {
            true => Verdict::InStep,
            false => Verdict::Push,
        };
        (code.clone(), versions, verdict)
    });
    decide::plan(verdicts, &BTreeMap::new(), false)
}
