//! What a sync would meet and do, found out without doing any of it.
//!
//! No lock is taken and nothing below `.metis/` is written. Central is asked once, unless it should not be, and what it
//! has that is new goes to the object cache, where the next sync finds it: nothing is transferred twice. What would stop
//! a sync does not stop the look; it is gathered in [`Preview::stops`].

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Instant, SystemTime},
};

use super::{
    branch,
    error::SyncErrorKind,
    options::{Progress, Step, SyncOptions},
    setup::{self, Workspace},
};
use crate::{
    central::{CentralError, store::Store},
    names::{ObjectFormat, ObjectId, Prefix, ShortCode},
    plan::{
        dehydrate::{self as decide, DehydratePlan},
        guard::{self, Lineage},
        hydrate::FolderPlan,
        listing::Documents,
        newer::{Verdict, Versions},
        source::ReadFrom,
        standing::{self, FolderStanding, Presence, Standing},
    },
    project::Freshness,
    send_pack::connect::FailureKind,
    stage::{
        Context, Warning,
        dehydrate::{self, How, PlanError},
        fetch::{self, Snapshot},
        hydrate::{self, HydratePlan},
        own::{self, Own, OwnError},
    },
    state::{
        cursor::{Cursor, Provenance},
        files::StateDir,
        guard::Guard,
        lock,
    },
    workspace::{FolderState, StatCache, Survey},
};

/// What is known of central's branch now.
#[derive(Debug)]
pub enum CentralView {
    /// It was not asked.
    NotAsked,
    /// It could not be asked.
    Failed(CentralError),
    /// Its branch, and the commit there.
    Seen {
        /// The branch.
        branch: String,
        /// Its commit. `None`: central is empty.
        head: Option<ObjectId>,
    },
}

/// See the [module documentation](self).
pub struct Preview<'a> {
    /// What the stages need.
    pub ctx: Context<'a>,
    /// `.metis/.sync/`, if there is one.
    pub state: Option<StateDir>,
    /// What this clone is bound to.
    pub guard: Guard,
    /// What this clone knows of central; empty if it has never synced.
    pub cursor: Cursor,
    /// Whether it has synced before.
    pub synced_before: bool,
    /// What central says now.
    pub central: CentralView,
    /// The commit that everything here is compared with. `None`: its objects are not at hand, and the comparison is
    /// with what the last sync left.
    pub snapshot: Option<Snapshot>,
    /// Central's objects.
    pub store: Option<Store>,
    /// The own documents on disk.
    pub own: Own,
    /// Those in central's owned folder, or at the last sync.
    pub held: Documents,
    /// What a sync would do with them.
    pub plan: DehydratePlan,
    /// The folders in `.metis/`.
    pub survey: Survey,
    /// What a sync would do in them. `None` without a [`snapshot`](Self::snapshot).
    pub hydrate: Option<HydratePlan>,
    /// What would stop a sync, each reason for itself.
    pub stops: Vec<SyncErrorKind>,
    /// What deserves a look but stops nothing.
    pub warnings: Vec<Warning>,
}

/// Whether to ask central.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ask {
    /// No network at all: everything is compared with what the last sync saw.
    Nobody,
    /// Central alone.
    Central,
    /// Central, and where something would be pushed the project's own remote, as a sync does.
    Everybody,
}

/// Looks. Fails only where there is nothing to look at: no upstream, no `.metis/` that can be read.
pub fn look<'a>(
    workspace: &'a Workspace,
    options: &SyncOptions,
    ask: Ask,
    progress: &mut dyn Progress,
) -> Result<Preview<'a>, SyncErrorKind> {
    let mut stops = Vec::new();
    let mut warnings = workspace.warnings();
    let mut options = options.clone();
    if workspace.config().sync.is_some() && workspace.config().workspace.is_none() {
        options.pull_only = true;
        stops.push(SyncErrorKind::NoPrefix);
    }
    let ctx = setup::context(workspace, &options, Instant::now())?;
    let state = StateDir::open(workspace.metis().path())?;
    let guard = workspace.guard()?;
    let known = match &state {
        Some(state) => setup::load_cursor(state, &guard, &mut warnings)?,
        None => None,
    };
    if let Some(holder) = state.as_ref().and_then(lock::held) {
        stops.push(SyncErrorKind::Locked {
            holder: holder.map_or("it does not say which".into(), |holder| holder.to_string().into()),
        });
    }
    stops.extend(workspace.check_state().err());
    stops.extend(workspace.check_binding(&guard, known.as_ref(), &ctx));
    let same_house = !stops
        .iter()
        .any(|stop| matches!(stop, SyncErrorKind::UpstreamChanged { .. }));
    // A central that is not confirmed is not talked to: a sync would not do so either.
    let ask = if same_house { ask } else { Ask::Nobody };
    let stat_cache = stat_cache(state.as_ref());
    let synced_before = known.is_some();
    let mut cursor = known;

    let mut store = None;
    let mut snapshot = None;
    let mut central = CentralView::NotAsked;
    if ask != Ask::Nobody {
        match asked(&ctx, &mut cursor, &mut store, &mut stops, progress) {
            Ok((view, seen)) => (central, snapshot) = (view, seen),
            Err(CentralError::Connect(err)) if err.kind == FailureKind::Interrupted => {
                return Err(SyncErrorKind::Interrupted);
            }
            Err(err) => central = CentralView::Failed(err),
        }
    }
    if snapshot.is_none()
        && same_house
        && let Some(cursor) = &cursor
    {
        snapshot = remembered(&ctx, cursor, &mut store);
    }
    let cursor = cursor.unwrap_or_else(|| Cursor::new(ctx.upstream_name.clone(), String::new(), ObjectFormat::Sha1));

    progress.step(Step::Dehydrating);
    // Every marker is looked at, unlike in a sync: what somebody did to a folder is what people want to see here.
    let survey = crate::workspace::survey(ctx.metis.dir(), &cursor.folders.keys().cloned().collect())?;
    let look_at_all = crate::workspace::Glance::default();
    let surveyed = own::survey(
        &ctx,
        &cursor,
        &stat_cache,
        cursor.format,
        SystemTime::now(),
        options.arrived,
    );
    let mut own = match surveyed {
        Ok(own) => own,
        Err(OwnError::Dir(err)) => return Err(err.into()),
        Err(err) => {
            stops.push(err.into());
            Own::unknown()
        }
    };
    if ask != Ask::Nobody
        && let Some(store) = &mut store
        && let Some(head) = snapshot.as_ref().and_then(|seen| seen.head)
    {
        // The cache may have been emptied since. If it stays empty, the last sync is what we compare with.
        let _ = fetch::ensure(&ctx, store, head);
    }
    let compared = snapshot.as_ref().zip(store.as_ref()).and_then(|(seen, store)| {
        let hydrate = hydrate::plan(&ctx, store, &cursor, seen, &look_at_all, &BTreeSet::new()).ok()?;
        let how = How {
            force: options.force,
            adopt_project: options.adopt_project,
            copied: cursor.provenance == Provenance::Copied,
        };
        let decided = match dehydrate::plan(&ctx, store, &cursor, seen, &mut own, how) {
            Ok(decided) => decided,
            Err(PlanError::Central(_)) => return None,
            // Nothing is registered again, and the warning says so.
            Err(PlanError::OtherProject(_)) if workspace.retired().is_some() => Default::default(),
            Err(err) => {
                stops.push(err.into());
                Default::default()
            }
        };
        for foreign in &decided.plan.foreign {
            warnings.push(Warning::Foreign(foreign.clone()));
        }
        Some((hydrate, decided.central, decided.plan))
    });
    warnings.extend(own.warnings());
    let (hydrate, held, plan) = match compared {
        Some((hydrate, held, plan)) => (Some(hydrate), held, plan),
        None => {
            snapshot = None;
            let base = cursor.base_blobs();
            let plan = compared_with_the_last_sync(&own, &base);
            (None, base, plan)
        }
    };
    let plan = if ctx.owned.is_some() && workspace.retired().is_none() {
        plan
    } else {
        DehydratePlan::default()
    };
    warnings.extend(hydrate.iter().flat_map(|plan| plan.warnings.iter().cloned()));
    if let Some(store) = &store {
        warnings.extend(edited(&ctx, store, &survey));
    }
    let mut preview = Preview {
        ctx,
        state,
        guard,
        cursor,
        synced_before,
        central,
        snapshot,
        store,
        own,
        held,
        plan,
        survey,
        hydrate,
        stops,
        warnings,
    };
    preview.guards(ask);
    Ok(preview)
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
fn compared_with_the_last_sync(own: &Own, base: &Documents) -> DehydratePlan {
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

/// The error of what needs central's objects when they are not here: never fetched, or the cache was emptied.
pub fn not_at_hand(head: Option<ObjectId>) -> SyncErrorKind {
    match head {
        Some(id) => CentralError::Object {
            id,
            reason: "it is not in the object cache; ask central for it by leaving out --offline, or with --fetch"
                .into(),
        }
        .into(),
        None => SyncErrorKind::NeverSynced,
    }
}

/// The stat cache as the last sync left it.
fn stat_cache(state: Option<&StateDir>) -> StatCache {
    state
        .and_then(|state| state.read(crate::state::STAT_CACHE).ok().flatten())
        .map(|bytes| StatCache::from_bytes(&bytes))
        .unwrap_or_default()
}

/// Central as it is now, its objects at hand unless it went where this clone would not follow.
fn asked(
    ctx: &Context<'_>,
    cursor: &mut Option<Cursor>,
    store: &mut Option<Store>,
    stops: &mut Vec<SyncErrorKind>,
    progress: &mut dyn Progress,
) -> Result<(CentralView, Option<Snapshot>), CentralError> {
    progress.step(Step::Listing);
    let mut remote = fetch::list(ctx)?;
    let view = CentralView::Seen {
        branch: remote.branch.clone(),
        head: remote.head,
    };
    let seen = cursor.as_ref().and_then(|cursor| cursor.head);
    let format = cursor.as_ref().map(|cursor| cursor.format);
    let rewound = |branch: &str, stops: &mut Vec<SyncErrorKind>| {
        if let Some(seen) = seen {
            stops.push(SyncErrorKind::Rewound {
                branch: branch.into(),
                seen,
            });
        }
    };
    if format.is_some_and(|format| format != remote.format) {
        rewound(&remote.branch, stops);
        remote.close();
        return Ok((view, None));
    }
    let store = store.insert(fetch::store(ctx, remote.format, false)?);
    cursor.get_or_insert_with(|| Cursor::new(ctx.upstream_name.clone(), remote.branch.clone(), remote.format));
    if let Some(stop) = branch::missing(ctx, &mut remote, store, seen)? {
        stops.push(stop);
        remote.close();
        return Ok((view, None));
    }
    let plan = fetch::plan(remote.head, seen);
    if matches!(plan, fetch::FetchPlan::Receive(_)) {
        progress.step(Step::Fetching { bytes: 0 });
    }
    let snapshot = fetch::apply(ctx, &mut remote, store, plan, seen, &mut |bytes| {
        progress.step(Step::Fetching { bytes })
    })?;
    remote.close();
    if snapshot.lineage == Lineage::Rewound {
        rewound(&snapshot.branch, stops);
        return Ok((view, None));
    }
    Ok((view, Some(snapshot)))
}

/// Central as the last sync saw it, if its objects are still here.
fn remembered(ctx: &Context<'_>, cursor: &Cursor, store: &mut Option<Store>) -> Option<Snapshot> {
    if store.is_none() {
        *store = fetch::store(ctx, cursor.format, false).ok();
    }
    let at_hand = cursor
        .head
        .is_none_or(|head| store.as_ref().is_some_and(|store| store.contains(head)));
    at_hand.then(|| Snapshot {
        branch: cursor.branch.clone(),
        format: cursor.format,
        head: cursor.head,
        lineage: Lineage::Same,
        received: 0,
    })
}

impl Preview<'_> {
    fn guards(&mut self, ask: Ask) {
        if !self.plan.conflicts.is_empty() {
            self.stops.push(SyncErrorKind::Diverged {
                conflicts: self.plan.conflicts.clone(),
            });
        }
        if let Some(found) = guard::deletes(&self.plan, self.held.len()) {
            self.stops.push(SyncErrorKind::TooManyDeletes(found));
        }
        let reads_worktree = matches!(self.own.read_from, ReadFrom::Worktree(_));
        if ask == Ask::Everybody
            && matches!(self.central, CentralView::Seen { .. })
            && !self.plan.changes_nothing()
            && reads_worktree
        {
            let skip = |top: &str| top.parse().is_ok_and(|prefix| self.own.hydrated.contains(&prefix));
            match self
                .ctx
                .project
                .freshness(&self.ctx.connect, &self.ctx.cache_dir, &skip)
            {
                Ok(Freshness::NotApplicable | Freshness::Fresh) => {}
                Ok(Freshness::Stale { remote, documents }) => {
                    self.stops.push(SyncErrorKind::Stale { remote, documents });
                }
                Err(err) => self.warnings.push(Warning::FreshnessUnknown(err.to_string().into())),
            }
        }
    }

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
    pub fn path_of(&self, code: &ShortCode) -> Option<&str> {
        let here = self.own.documents.get(code).map(|document| document.path.as_str());
        here.or_else(|| self.cursor.base.get(code).map(|base| base.path.as_str()))
    }
}
