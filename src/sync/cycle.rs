//! One cycle: fetch, hydrate, dehydrate, push. Nothing in here is carried over from an earlier cycle but what was
//! applied on disk: own documents are read anew each time.

use std::{collections::HashSet, time::SystemTime};

use serde::{Deserialize, Serialize};

use super::{
    branch,
    error::SyncErrorKind,
    options::{Progress, Step, SyncOptions},
    report::SyncReport,
    setup::Setup,
};
use crate::{
    names::ObjectId,
    plan::{
        dehydrate::DehydratePlan,
        guard::{self, Lineage},
        source::ReadFrom,
    },
    project::Freshness,
    send_pack::{
        Outcome, PushError,
        connect::{ConnectError, FailureKind},
    },
    stage::{
        Warning,
        dehydrate::{self, How, Notes},
        fetch::{self, FetchPlan, Snapshot},
        hydrate::{self, Hydrated},
        own::{self, Own},
        push::{self, PushPlan},
    },
    state::cursor::{Cursor, Provenance},
};

/// How a cycle ended.
pub enum End {
    /// All that could be done is done; the cursor in memory says so.
    Done,
    /// Central moved before our push: run the whole cycle again.
    Moved,
}

/// Documents that change while they are read are read again this many times before the sync gives up on them.
const READ_ATTEMPTS: usize = 3;

pub fn run(
    setup: &mut Setup<'_>,
    options: &SyncOptions,
    progress: &mut dyn Progress,
    report: &mut SyncReport,
) -> Result<End, SyncErrorKind> {
    let renewed = setup.renewed();
    match once(setup, options, progress, report) {
        Err(_) if setup.renewed() && !renewed => once(setup, options, progress, report),
        end => end,
    }
}

fn once(
    setup: &mut Setup<'_>,
    options: &SyncOptions,
    progress: &mut dyn Progress,
    report: &mut SyncReport,
) -> Result<End, SyncErrorKind> {
    setup.check_interrupt()?;
    let snapshot = fetched(setup, options, progress, report)?;
    hydrated(setup, options, progress, report, &snapshot)?;
    if options.pull_only || setup.is_retired {
        finish(setup, report, &snapshot, snapshot.head);
        return Ok(End::Done);
    }
    progress.step(Step::Dehydrating);
    let prepared = prepared(setup, options, report, &snapshot)?;
    if options.dry_run {
        return Ok(End::Done);
    }
    published(setup, progress, report, &snapshot, &prepared)
}

/// So many files read in vain because they had changed just before the last scan make writing the stat cache pay.
const WORTH_A_WRITE: usize = 32;

/// Lists central's branch and brings its objects here.
pub fn fetched(
    setup: &mut Setup<'_>,
    options: &SyncOptions,
    progress: &mut dyn Progress,
    report: &mut SyncReport,
) -> Result<Snapshot, SyncErrorKind> {
    progress.step(Step::Listing);
    let ctx = &setup.ctx;
    let mut remote = fetch::list_again(ctx, setup.met.take())?;
    // What was pushed under another hash cannot be compared with anything here.
    let known = setup.cursor.take().filter(|cursor| {
        cursor.format == remote.format || !options.adopt_central || {
            report.warnings.push(Warning::CentralAdopted);
            false
        }
    });
    let cursor = setup
        .cursor
        .insert(known.unwrap_or_else(|| Cursor::new(ctx.upstream_name.clone(), remote.branch.clone(), remote.format)));
    let seen = setup.seen;
    let rewound = |branch: &str| match seen {
        Some(seen) => SyncErrorKind::Rewound {
            branch: branch.into(),
            seen,
        },
        None => SyncErrorKind::Central(crate::central::CentralError::Receive(
            "its hash function changed".into(),
        )),
    };
    if cursor.format != remote.format {
        return Err(rewound(&remote.branch));
    }
    if setup.store.is_none() {
        setup.store = Some(fetch::store(ctx, remote.format, options.dry_run)?);
    }
    let store = setup.store.as_mut().expect("opened above");
    if let Some(stop) = branch::missing(ctx, &mut remote, store, seen)? {
        remote.close();
        return Err(stop);
    }
    let plan = fetch::plan(remote.head, seen);
    if let FetchPlan::Receive(_) = plan {
        progress.step(Step::Fetching { bytes: 0 });
    }
    let snapshot = fetch::apply(ctx, &mut remote, store, plan, seen, &mut |bytes| {
        progress.step(Step::Fetching { bytes })
    })?;
    setup.met = remote.met();
    remote.close();
    guard::lineage(snapshot.lineage, options.adopt_central).map_err(|_| rewound(&snapshot.branch))?;
    if snapshot.lineage == Lineage::Rewound {
        report.warnings.push(Warning::CentralAdopted);
        cursor.head = None;
        cursor.compared = None;
    }
    cursor.branch.clone_from(&snapshot.branch);
    setup.seen = snapshot.head;
    Ok(snapshot)
}

/// Brings the others' folders to the snapshot.
pub fn hydrated(
    setup: &mut Setup<'_>,
    options: &SyncOptions,
    progress: &mut dyn Progress,
    report: &mut SyncReport,
    snapshot: &Snapshot,
) -> Result<(), SyncErrorKind> {
    if !options.dry_run {
        setup.hide_from_git();
    }
    let mut done = hydrate_once(setup, options, progress, report, snapshot);
    let damaged = match &done {
        Ok(done) => done.as_ref().and_then(|done| done.damaged),
        Err(err) => err.damaged_object(),
    };
    if setup.renew_store(damaged)? {
        done = hydrate_once(setup, options, progress, report, snapshot);
    }
    let Some(done) = done? else { return Ok(()) };
    // By what they say and all at once: there may be as many as central has entries.
    let mut said: HashSet<String> = report.warnings.iter().map(Warning::to_string).collect();
    let new = done
        .warnings
        .into_iter()
        .filter(|warning| said.insert(warning.to_string()));
    report.warnings.extend(new);
    setup.check_interrupt()
}

/// `None` if there was nothing to do.
fn hydrate_once(
    setup: &mut Setup<'_>,
    options: &SyncOptions,
    progress: &mut dyn Progress,
    report: &mut SyncReport,
    snapshot: &Snapshot,
) -> Result<Option<Hydrated>, SyncErrorKind> {
    let (Some(store), Some(cursor)) = (setup.store.as_mut(), setup.cursor.as_mut()) else {
        unreachable!("fetching opened the store and made the cursor")
    };
    let glance = hydrate::glance(&setup.ctx, cursor)?;
    if !hydrate::is_due(&glance, cursor, snapshot, options.only.is_empty()) {
        return Ok(None);
    }
    if let Some(head) = snapshot.head {
        fetch::ensure(&setup.ctx, store, head)?;
    }
    let plan = hydrate::plan(&setup.ctx, store, cursor, snapshot, &glance, &options.only).map_err(|err| match err {
        hydrate::PlanError::Central(err) => SyncErrorKind::from(err),
        hydrate::PlanError::Dir(err) => err.into(),
    })?;
    if let Some(prefix) = options.only.iter().find(|prefix| !plan.listed.contains_key(*prefix)) {
        return Err(SyncErrorKind::NoSuchWorkspace(prefix.clone()));
    }
    let mut done = if options.dry_run {
        hydrate::foresee(&plan)
    } else {
        hydrate::apply(&setup.ctx, store, &plan, setup.started, &mut |done, total| {
            progress.step(Step::Hydrating { done, total })
        })?
    };
    for (prefix, pulled) in &done.pulled {
        let sum = report.pulled.entry(prefix.clone()).or_default();
        sum.written += pulled.written;
        sum.removed += pulled.removed;
    }
    report.kept.append(&mut done.kept);
    cursor.folders = std::mem::take(&mut done.folders);
    cursor.unfinished = std::mem::take(&mut done.unfinished);
    Ok(Some(done))
}

/// Takes up a snapshot that another process made.
pub fn resume(setup: &mut Setup<'_>, snapshot: &Snapshot) -> Result<(), SyncErrorKind> {
    let name = setup.ctx.upstream_name.clone();
    let cursor = setup
        .cursor
        .get_or_insert_with(|| Cursor::new(name, snapshot.branch.clone(), snapshot.format));
    let mut store = fetch::store(&setup.ctx, snapshot.format, false)?;
    if let Some(head) = snapshot.head {
        fetch::ensure(&setup.ctx, &mut store, head)?;
    }
    if snapshot.lineage == Lineage::Rewound && cursor.head != snapshot.head {
        cursor.compared = None;
    }
    setup.store = Some(store);
    Ok(())
}

/// Writes down what hydrating came to, where nothing is pushed by this process.
pub fn note(setup: &mut Setup<'_>, report: &mut SyncReport, snapshot: &Snapshot) -> Result<(), SyncErrorKind> {
    finish(setup, report, snapshot, snapshot.head);
    setup.expect_cache();
    let changed = setup.cursor_changed();
    setup.bind()?;
    if let (Some(state), Some(cursor), true) = (&setup.state, &setup.cursor, changed) {
        cursor.store(state, &setup.guard)?;
    }
    Ok(())
}

/// Own documents, ready to be pushed: a commit that is stored but known to nobody yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prepared {
    /// The commit, or `None` if central's owned folder is as it should be.
    pub commit: Option<ObjectId>,
    /// What this clone notes once the commit is central's head. `None`: as before.
    pub notes: Option<Notes>,
}

/// Surveys the own documents, decides, and makes the commit.
pub fn prepared(
    setup: &mut Setup<'_>,
    options: &SyncOptions,
    report: &mut SyncReport,
    snapshot: &Snapshot,
) -> Result<Prepared, SyncErrorKind> {
    for attempt in 1.. {
        setup.check_interrupt()?;
        let prepared = prepare(setup, options, report, snapshot);
        match soundly(setup, prepared)? {
            Ok(prepared) => return Ok(prepared),
            Err(Restless { path }) if attempt == READ_ATTEMPTS => {
                return Err(SyncErrorKind::Restless { path: path.into() });
            }
            Err(Restless { .. }) => {}
        }
    }
    unreachable!("the loop ends by returning")
}

/// This document changed between being surveyed and being read.
struct Restless {
    path: String,
}

fn prepare(
    setup: &mut Setup<'_>,
    options: &SyncOptions,
    report: &mut SyncReport,
    snapshot: &Snapshot,
) -> Result<Result<Prepared, Restless>, SyncErrorKind> {
    let (Some(store), Some(cursor)) = (setup.store.as_mut(), setup.cursor.as_mut()) else {
        unreachable!("fetching opened the store and made the cursor")
    };
    let Some(prefix) = setup.ctx.owned.clone() else {
        unreachable!("a workspace without a prefix only pulls")
    };
    if setup.is_retired {
        return Ok(Ok(Prepared {
            commit: None,
            notes: None,
        }));
    }
    let mut own = own::survey(
        &setup.ctx,
        cursor,
        &setup.stat_cache,
        snapshot.format,
        SystemTime::now(),
        options.arrived,
    )?;
    if let Some(scan) = own
        .scan
        .as_ref()
        .filter(|scan| scan.cache_changed || scan.cache_gain >= WORTH_A_WRITE)
    {
        setup.stat_cache = scan.stat_cache.clone();
        setup.stat_cache_changed = true;
    }
    if own.is_in_step(cursor) && cursor.compared == snapshot.head && snapshot.head.is_some() {
        for warning in own.warnings() {
            warn(report, warning);
        }
        setup.scan = own.scan;
        return Ok(Ok(Prepared {
            commit: None,
            notes: None,
        }));
    }
    if let Some(head) = snapshot.head {
        fetch::ensure(&setup.ctx, store, head)?;
    }
    if snapshot.lineage == Lineage::Rewound {
        dehydrate::forget_lost_versions(store, cursor, snapshot.head, Some(&prefix), &own.blobs())?;
    }
    let how = How {
        force: options.force,
        adopt_project: options.adopt_project,
        copied: cursor.provenance == Provenance::Copied,
    };
    let decided = match dehydrate::plan(&setup.ctx, store, cursor, snapshot, &mut own, how) {
        Ok(decided) => decided,
        Err(dehydrate::PlanError::Moved) => {
            let path = ".git/HEAD".to_owned();
            return Ok(Err(Restless { path }));
        }
        Err(err) => return Err(err.into()),
    };
    let plan = &decided.plan;
    for warning in own.warnings() {
        warn(report, warning);
    }
    for foreign in &plan.foreign {
        warn(report, Warning::Foreign(foreign.clone()));
    }
    report.behind.clone_from(&plan.behind);
    report.diverged.clone_from(&plan.conflicts);
    guards(&setup.ctx, options, report, &own, plan, decided.central.len())?;
    report.pushed = plan.push.keys().cloned().collect();
    report.removed = plan.remove.iter().cloned().collect();
    report.registered =
        decided.central.is_empty() && !plan.push.is_empty() && !dehydrate::exists(store, snapshot, &prefix)?;
    let mut commit = None;
    if !plan.changes_nothing() && !options.dry_run {
        let author = crate::central::git_config::committer(setup.ctx.project.config());
        let now = jiff::Timestamp::now();
        match dehydrate::apply(&setup.ctx, store, snapshot, &decided, &own, &author, now) {
            Ok(id) => commit = Some(id),
            Err(dehydrate::ApplyError::Changed { path }) => return Ok(Err(Restless { path })),
            Err(dehydrate::ApplyError::Central(err)) => return Err(err.into()),
            Err(dehydrate::ApplyError::Dir(err)) => return Err(err.into()),
        }
    }
    setup.note_owned(decided.central);
    setup.scan = own.scan;
    Ok(Ok(Prepared {
        commit,
        notes: Some(decided.notes),
    }))
}

/// After a failure because of a damaged object the store is empty, so that whoever tries again fetches it anew.
fn soundly<T>(setup: &mut Setup<'_>, result: Result<T, SyncErrorKind>) -> Result<T, SyncErrorKind> {
    if let Err(err) = &result {
        setup.renew_store(err.damaged_object())?;
    }
    result
}

/// Makes the commit central's head and takes note of it.
pub fn published(
    setup: &mut Setup<'_>,
    progress: &mut dyn Progress,
    report: &mut SyncReport,
    snapshot: &Snapshot,
    prepared: &Prepared,
) -> Result<End, SyncErrorKind> {
    let mut head = snapshot.head;
    if let (Some(commit), Some(store), Some(prefix)) = (prepared.commit, &setup.store, &setup.ctx.owned) {
        setup.check_interrupt()?;
        if let Some(state) = &setup.state {
            // What cannot be noted is not pushed.
            state.check_writable()?;
        }
        progress.step(Step::Pushing);
        let push = PushPlan {
            branch: snapshot.branch.clone(),
            prefix: prefix.clone(),
            expected: snapshot.head,
            commit,
        };
        match push::apply(&setup.ctx, &mut setup.met_to_push, store, &push) {
            Ok(Outcome::Applied) => {
                report.commit = Some(commit);
                head = Some(commit);
            }
            Ok(Outcome::Moved { .. }) => {
                forget_push(report);
                return Ok(End::Moved);
            }
            other => {
                forget_push(report);
                return soundly(setup, Err(failure(other)));
            }
        }
    }
    if let Some(cursor) = &mut setup.cursor {
        if let Some(notes) = &prepared.notes {
            cursor.base.clone_from(&notes.base);
            cursor.agreed = notes.agreed;
            cursor.witnesses.clone_from(&notes.witnesses);
            cursor.root = notes.root;
            cursor.unsettled = notes.unsettled;
            cursor.decided.clone_from(&notes.decided);
        }
        cursor.compared = head;
    }
    finish(setup, report, snapshot, head);
    Ok(End::Done)
}

fn guards(
    ctx: &crate::stage::Context<'_>,
    options: &SyncOptions,
    report: &mut SyncReport,
    own: &Own,
    plan: &DehydratePlan,
    held: usize,
) -> Result<(), SyncErrorKind> {
    // Older than what the project's remote has: whatever else would stop this sync is likely to come from that.
    let reads_worktree = matches!(own.read_from, ReadFrom::Worktree(_));
    let has_something = !plan.changes_nothing() || !plan.foreign.is_empty();
    if has_something && !options.force && reads_worktree {
        match ctx.project.freshness(&ctx.connect, &ctx.cache_dir, &|top| {
            top.parse().is_ok_and(|prefix| own.hydrated.contains(&prefix))
        }) {
            Ok(Freshness::NotApplicable | Freshness::Fresh) => {}
            Ok(Freshness::Stale { remote, documents }) => return Err(SyncErrorKind::Stale { remote, documents }),
            Err(err) => {
                warn(report, Warning::FreshnessUnknown(err.to_string().into()));
            }
        }
    }
    match guard::deletes(plan, held) {
        Some(found) if !options.allow_deletes => Err(SyncErrorKind::TooManyDeletes(found)),
        _ => Ok(()),
    }
}

/// A retry meets the same things again; each is said once.
fn warn(report: &mut SyncReport, warning: Warning) {
    if !report.warnings.contains(&warning) {
        report.warnings.push(warning);
    }
}

fn forget_push(report: &mut SyncReport) {
    report.pushed.clear();
    report.removed.clear();
    report.registered = false;
}

fn failure(outcome: Result<Outcome, PushError<crate::central::CentralError>>) -> SyncErrorKind {
    match outcome {
        Ok(Outcome::Refused(refusal)) => SyncErrorKind::Refused(refusal),
        Ok(Outcome::Unknown { cause }) => SyncErrorKind::AnswerLost { cause },
        Ok(Outcome::Applied | Outcome::Moved { .. }) => unreachable!("no failure"),
        // It was there a moment ago, when it was listed: some servers say so of what one may not push to.
        Err(PushError::Connect(err)) if err.kind == FailureKind::NoRepository => ConnectError {
            kind: FailureKind::Forbidden,
            message: "it can be read there, but not pushed to".into(),
            ..err
        }
        .into(),
        Err(PushError::Connect(err)) => err.into(),
        Err(PushError::Source(err)) => err.into(),
        Err(err) => SyncErrorKind::Unsupported(err.to_string().into()),
    }
}

pub(super) fn finish(setup: &mut Setup<'_>, report: &mut SyncReport, snapshot: &Snapshot, head: Option<ObjectId>) {
    report.head = head;
    if let Some(cursor) = &mut setup.cursor {
        cursor.head = head;
        cursor.branch.clone_from(&snapshot.branch);
    }
}
