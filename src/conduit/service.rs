//! One sync of one conduit.

use std::time::Instant;

use jiff::Timestamp;
use serde::Serialize;

use super::{
    ConduitError, Generation, Status,
    apply::{Applied, Unsent},
    found::Found,
    order::Order,
    ready::Ready,
    recall::Recall,
    record::{PerSide, Records},
    round::Rounds,
    scan::Skipped,
};
use crate::{
    names::ObjectFormat,
    plan::conduit::{Action, Change, Conflict, Side},
    sync::Workspace,
    text::{Untrusted, UntrustedName},
};

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
    pub kept: Vec<UntrustedName>,
    /// What was left out, but for what the patterns leave out.
    pub skipped: Vec<Skipped>,
    /// What could not be done.
    pub failed: Vec<Untrusted>,
    /// The commit that was pushed to central.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// How often somebody else was faster.
    #[serde(skip_serializing_if = "is_zero")]
    pub retries: u32,
    /// What was done, or would be.
    #[serde(skip)]
    pub changes: Vec<Change>,
}

fn is_zero(retries: &u32) -> bool {
    *retries == 0
}

/// Syncs the conduit `name`.
///
/// # Errors
///
/// Nothing was changed then, except when it was interrupted or central could not be worked with half way, which the generation's
/// record says.
pub fn sync_now(workspace: &Workspace, name: &str, order: &Order<'_>) -> Result<Report, ConduitError> {
    let _span = tracing::info_span!("conduit", of = name).entered();
    let guard = workspace.guard()?;
    let ready = Ready::new(workspace, &guard, name, order)?;
    let mut report = Report::new(name);
    let begun = Instant::now();
    let recall = Recall::of_the_last_sync(&ready);
    let tip = recall.fetch(&ready, order)?;
    if order.options.dry_run {
        let first = Found::look(&ready, order, tip.as_ref(), &recall, &[])?;
        first.check(&ready, order, tip.as_ref())?;
        report.conflicts.clone_from(&first.out.conflicts);
        report.skipped = first.skipped();
        report.plan(first.out.changes);
        return Ok(report);
    }
    let records = Records::open(ready.memory.dir()?)?;
    Rounds::new(&ready, order, &records, (recall, tip), begun)?.run(&mut report)?;
    if report.generation.is_some() {
        records.prune(Timestamp::now())?;
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
            commit: None,
            retries: 0,
            changes: Vec::new(),
        }
    }

    fn plan(&mut self, changes: Vec<Change>) {
        if changes.is_empty() {
            return;
        }
        self.status = "planned";
        for change in &changes {
            let (was, now) = change.paths();
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

    /// Takes note of what one go did. Where somebody else was faster, what was not done is planned anew.
    pub(super) fn add(&mut self, generation: &Generation, applied: Applied, mut changes: Vec<Change>) {
        if matches!(applied.unsent, Some(Unsent::Moved)) {
            let mut done = applied.done.into_iter();
            changes.retain(|_| done.next().unwrap_or(false));
        }
        self.commit = generation.commit.clone().or(self.commit.take());
        self.generation = Some(generation.generation);
        self.count(Side::Alpha, applied.copied.alpha, applied.deleted.alpha);
        self.count(Side::Beta, applied.copied.beta, applied.deleted.beta);
        self.kept.extend(applied.kept);
        self.failed = applied.failed;
        self.changes.extend(changes);
    }

    pub(super) fn close(
        &mut self,
        records: &Records<'_>,
        last: Option<Generation>,
        found: &Found,
        format: ObjectFormat,
    ) -> Result<(), ConduitError> {
        let Some(mut generation) = last else { return Ok(()) };
        generation.ends(&found.scans, format)?;
        (generation.status, self.status) = match self.verified {
            true => (Status::Verified, "verified"),
            false => (Status::Failed, "failed"),
        };
        if self.verified {
            // A later round did what an earlier one could not.
            self.failed.clear();
        } else if self.failed.is_empty() {
            self.failed
                .push(format!("{} operations remain", found.out.changes.len()).into());
        }
        generation.failed.clone_from(&self.failed);
        generation.conflicts.clone_from(&self.conflicts);
        generation.ended = Some(Timestamp::now().to_string());
        records.write(&generation)
    }
}
