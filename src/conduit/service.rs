//! One sync of one conduit.

use std::{collections::BTreeMap, sync::atomic::AtomicBool, time::Duration};

use jiff::Timestamp;
use serde::Serialize;

use super::{
    ConduitError, Generation, Status,
    apply::Applied,
    definition::{self, Defined},
    endpoint::{self, Endpoints},
    found::Found,
    memory::{self, Memory},
    record::{PerSide, Records},
    rules::Rules,
    scan::Skipped,
};
use crate::{
    fs::Dir,
    plan::{
        conduit::{Action, Change, Conflict, Outcome, Side},
        source::{Head, Source},
    },
    stage::own::WORKTREE,
    state::{
        files::StateDir,
        guard::Guard,
        lock::{Holder, Lock},
    },
    sync::Workspace,
    workspace::ConfigFile,
};

/// How often what is left to do is done before that is an error: files may change while a sync runs.
const ROUNDS: usize = 2;

/// What is asked of a sync.
pub struct Order<'a> {
    /// Only say what would be done.
    pub dry_run: bool,
    /// Deleting or overwriting most of a side is meant.
    pub accept_deletes: bool,
    /// So is a first mirror over what is there.
    pub accept_first: bool,
    /// What a person decided, by path.
    pub decided: BTreeMap<String, Outcome>,
    /// What ran it, for the record.
    pub trigger: &'a str,
    /// Ctrl-C.
    pub interrupt: &'a AtomicBool,
    /// How long to wait for others.
    pub lock_wait: Duration,
}

/// What a sync did, or would do.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// The conduit.
    pub name: String,
    /// `None`: nothing had to be done.
    pub generation: Option<u64>,
    /// `in-step`, `planned`, or how far the generation came.
    pub status: &'static str,
    /// Both sides were looked at, and there is nothing left to do.
    pub verified: bool,
    /// Files that were written.
    pub copied: PerSide,
    /// Files that were removed.
    pub deleted: PerSide,
    /// What waits for a person.
    pub conflicts: Vec<Conflict>,
    /// Where replaced and removed files are, in `.metis/.sync/conduits/NAME/`.
    pub kept: Vec<String>,
    /// What was left out, but for what the patterns leave out.
    pub skipped: Vec<Skipped>,
    /// What could not be done.
    pub failed: Vec<String>,
    /// What was done, or would be.
    #[serde(skip)]
    pub changes: Vec<Change>,
}

/// A conduit that may be synced: locked, open, and what is known of it.
pub(super) struct Ready<'a> {
    pub defined: Defined,
    pub endpoints: Endpoints,
    pub memory: Memory<'a>,
    pub rules: Rules,
    _lock: Option<Lock>,
}

impl<'a> Ready<'a> {
    pub fn new(workspace: &Workspace, guard: &'a Guard, name: &str, order: &Order<'_>) -> Result<Self, ConduitError> {
        let metis = workspace.metis();
        let all = definition::all(metis.dir())?;
        let defined = all
            .get(name)
            .cloned()
            .ok_or_else(|| ConduitError::Unknown(name.to_owned()))?;
        let enabled = &guard.notes().conduits;
        if !is_enabled(enabled, name, &defined) {
            return Err(ConduitError::NotEnabled {
                name: name.to_owned(),
                changed: enabled.contains_key(name),
            });
        }
        let endpoints = opened(workspace, &all, enabled, name, &defined)?;
        check_checkout(workspace, &endpoints)?;
        let lock = match order.dry_run {
            true => None,
            false => {
                let state = StateDir::create(metis.path())?;
                let holder = Holder::this_process(Timestamp::now(), &format!("git metis-sync {}", order.trigger));
                let lock = Lock::acquire(&state, order.lock_wait, &holder)?;
                endpoints.lock(order.lock_wait)?;
                Some(lock)
            }
        };
        Ok(Ready {
            rules: Rules::new(&defined.definition),
            memory: Memory::open(metis.dir(), guard, name, &defined.definition, !order.dry_run)?,
            defined,
            endpoints,
            _lock: lock,
        })
    }

    pub fn roots(&self) -> [&Dir; 2] {
        [&self.endpoints.roots[0], &self.endpoints.roots[1]]
    }
}

/// The files of a project count where its documents do: with nothing unfinished, and on the branch that they come from.
fn check_checkout(workspace: &Workspace, endpoints: &Endpoints) -> Result<(), ConduitError> {
    let project = workspace.project();
    let Some(top) = project.dir().and_then(|dir| dir.canonicalize().ok()) else {
        return Ok(());
    };
    if !endpoints.roots.iter().any(|root| root.path().starts_with(&top)) {
        return Ok(());
    }
    let source = workspace.config().sync.as_ref().and_then(|sync| sync.source.as_deref());
    let branch = source.filter(|source| *source != WORKTREE);
    let Some(situation) = project.situation(branch.map_or(Source::Worktree, Source::Branch)) else {
        return Ok(());
    };
    if let Some(what) = situation.unfinished {
        return Err(ConduitError::Unfinished(what));
    }
    match (branch, situation.head) {
        (Some(branch), Head::Branch { name, .. }) if name == branch => Ok(()),
        (Some(branch), _) => Err(ConduitError::OtherBranch(branch.to_owned())),
        (None, _) => Ok(()),
    }
}

/// Syncs the conduit `name`.
///
/// # Errors
///
/// Nothing was changed then, except when it was interrupted, which the generation's record says.
pub fn sync_now(workspace: &Workspace, name: &str, order: &Order<'_>) -> Result<Report, ConduitError> {
    let guard = workspace.guard()?;
    let ready = Ready::new(workspace, &guard, name, order)?;
    let mut report = Report::new(name);
    let first = Found::look(&ready, order)?;
    first.check(order)?;
    if order.dry_run {
        report.conflicts.clone_from(&first.out.conflicts);
        report.skipped = first.skipped();
        report.plan(first.out.changes);
        return Ok(report);
    }
    let records = Records::open(ready.memory.dir()?)?;
    let numbers = records.numbers()?;
    records.close_killed(&numbers)?;
    let next = numbers.last().map_or(1, |last| last + 1);
    let mut last: Option<Generation> = None;
    let mut found = first;
    for (round, number) in (0..=ROUNDS).zip(next..) {
        if round > 0 {
            found = Found::look(&ready, order)?;
        }
        report.conflicts.clone_from(&found.out.conflicts);
        report.skipped = found.skipped();
        report.kept.append(&mut found.rescued);
        if found.out.changes.is_empty() || round == ROUNDS {
            report.verified = found.out.changes.is_empty();
            ready.memory.store_seen(Side::Alpha, &found.scans[0].seen)?;
            ready.memory.store_seen(Side::Beta, &found.scans[1].seen)?;
            found.move_base(&ready, &[])?;
            report.close(&records, last, found.out.changes.len())?;
            records.prune(Timestamp::now())?;
            return Ok(report);
        }
        let (generation, applied) = found.apply(&ready, &records, number, order)?;
        report.add(&generation, applied, std::mem::take(&mut found.out.changes));
        if generation.status == Status::Interrupted {
            return Err(ConduitError::Interrupted);
        }
        last = Some(generation);
    }
    Ok(report)
}

impl Report {
    fn new(name: &str) -> Self {
        Report {
            name: name.to_owned(),
            generation: None,
            status: "in-step",
            verified: false,
            copied: PerSide::default(),
            deleted: PerSide::default(),
            conflicts: Vec::new(),
            kept: Vec::new(),
            skipped: Vec::new(),
            failed: Vec::new(),
            changes: Vec::new(),
        }
    }

    fn plan(&mut self, changes: Vec<Change>) {
        if changes.is_empty() {
            return;
        }
        self.status = "planned";
        for change in &changes {
            let (was, now) = change.action.paths(&change.path);
            let goes = match change.action {
                Action::Remove { .. } | Action::Replace { .. } => was.len(),
                Action::Put { .. } | Action::Rename { .. } => 0,
            };
            self.count(change.side, now.len(), goes);
        }
        self.changes = changes;
    }

    fn count(&mut self, side: Side, copied: usize, deleted: usize) {
        let (to, from) = match side {
            Side::Alpha => (&mut self.copied.alpha, &mut self.deleted.alpha),
            Side::Beta => (&mut self.copied.beta, &mut self.deleted.beta),
        };
        *to += copied;
        *from += deleted;
    }

    fn add(&mut self, generation: &Generation, applied: Applied, changes: Vec<Change>) {
        self.generation = Some(generation.generation);
        self.count(Side::Alpha, applied.copied.alpha, applied.deleted.alpha);
        self.count(Side::Beta, applied.copied.beta, applied.deleted.beta);
        self.kept.extend(applied.kept);
        self.failed = applied.failed;
        self.changes.extend(changes);
    }

    fn close(&mut self, records: &Records<'_>, last: Option<Generation>, left: usize) -> Result<(), ConduitError> {
        let Some(mut generation) = last else { return Ok(()) };
        (generation.status, self.status) = match self.verified {
            true => (Status::Verified, "verified"),
            false => (Status::Failed, "failed"),
        };
        if self.verified {
            // A later round did what an earlier one could not.
            self.failed.clear();
        } else if self.failed.is_empty() {
            self.failed.push(format!("{left} operations remain"));
        }
        generation.failed.clone_from(&self.failed);
        generation.conflicts.clone_from(&self.conflicts);
        generation.ended = Some(Timestamp::now().to_string());
        records.write(&generation)
    }
}

/// Forgets what the folders of a conduit had in common, so that one of this name begins anew. What was kept stays.
pub fn forget(workspace: &Workspace, name: &str) -> Result<(), ConduitError> {
    memory::forget(workspace.metis().dir(), name)
}

/// Whether a conduit of this definition could be synced: its folders are there, are two, and nobody else's.
pub fn check(
    workspace: &Workspace,
    name: &str,
    definition: &definition::Definition,
    file: ConfigFile,
) -> Result<(), ConduitError> {
    let defined = Defined {
        definition: definition.clone(),
        file,
    };
    let all = definition::all(workspace.metis().dir())?;
    let guard = workspace.guard()?;
    opened(workspace, &all, &guard.notes().conduits, name, &defined).map(drop)
}

/// Whether `enabled` has a conduit as it is defined.
fn is_enabled(enabled: &BTreeMap<String, String>, name: &str, defined: &Defined) -> bool {
    enabled.get(name) == Some(&defined.definition.digest())
}

/// The folders of a conduit, if they are no other enabled one's.
fn opened(
    workspace: &Workspace,
    all: &BTreeMap<String, Defined>,
    enabled: &BTreeMap<String, String>,
    name: &str,
    defined: &Defined,
) -> Result<Endpoints, ConduitError> {
    let project = workspace.metis().project();
    let endpoints = endpoint::open(project, defined)?;
    let others = all
        .iter()
        .filter(|(other, defined)| *other != name && is_enabled(enabled, other, defined));
    endpoint::check_others(project, name, defined, &endpoints, others)?;
    Ok(endpoints)
}
