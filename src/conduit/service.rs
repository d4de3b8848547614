//! One sync of one conduit.

use jiff::Timestamp;
use serde::Serialize;

use super::{
    ConduitError, Generation, Status,
    apply::Applied,
    found::Found,
    ready::{Order, Ready},
    record::{PerSide, Records},
    scan::Skipped,
};
use crate::{
    plan::conduit::{Action, Change, Conflict, Side},
    sync::Workspace,
};

/// How often what is left to do is done before that is an error: files may change while a sync runs.
const ROUNDS: usize = 2;

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
