//! What there is to write down at a sync's end, and the line in the journal.

use std::collections::{BTreeMap, BTreeSet};

use super::{Session, SyncErrorKind, SyncOutcome, Warning, cycle::Published};
use crate::{
    names::{ObjectId, Prefix},
    state::{
        files::StateError,
        journal::{self, JournalEntry},
        last::LastSync,
    },
};
use jiff::Timestamp;

/// Writes what is new and nothing else. Returns whether the cursor or config.toml changed.
pub(super) fn write(session: &mut Session<'_>, published: &mut Published) -> Result<bool, StateError> {
    let _stage = tracing::info_span!("record").entered();
    let cursor = &mut published.cursor;
    let before = session.notebook.last.as_ref().map(|last| &last.folders);
    session.report.trail.folders = changed_folders(before, &cursor.folders);
    session.notebook.write(&session.ctx, cursor, session.report)
}

/// The folders that are at another tree than before.
fn changed_folders(
    before: Option<&BTreeMap<Prefix, ObjectId>>,
    after: &BTreeMap<Prefix, ObjectId>,
) -> BTreeMap<Prefix, [Option<ObjectId>; 2]> {
    let all: BTreeSet<&Prefix> = before
        .into_iter()
        .flatten()
        .chain(after)
        .map(|(prefix, _)| prefix)
        .collect();
    let trees =
        |prefix: &Prefix| [before.and_then(|before| before.get(prefix)), after.get(prefix)].map(Option::<&_>::copied);
    let changes = all.into_iter().map(|prefix| (prefix.clone(), trees(prefix)));
    changes.filter(|(_, [before, after])| before != after).collect()
}

/// Notes that it went well, and what it did if that was anything.
pub(super) fn succeeded(session: &mut Session<'_>) {
    let state = &session.notebook.state;
    let now = Timestamp::now();
    let idle = LastSync::load(state, now).map_or(0, |last| last.idle);
    let changed = session.report.outcome == SyncOutcome::Synced;
    if session.options.is_full() {
        let mut last = LastSync::new(
            now,
            session.report.head,
            &session.options.trigger,
            rounded(session),
            outcome(session.report.outcome),
        );
        last.idle = if changed { 0 } else { idle + 1 };
        // Without it the next look at central comes a little early.
        let _ = last.store(state);
    }
    if changed {
        line(session, None, idle);
    }
}

/// Appends to the log of syncs.
pub(super) fn journal(session: &mut Session<'_>, error: Option<&str>) {
    line(session, error, 0);
}

/// Appends a line of what a person had done beside syncs: `outcome` in a word, and what else there is to say.
pub(super) fn deed(session: &mut Session<'_>, outcome: &str, complete: impl FnOnce(&mut JournalEntry)) {
    let mut entry = entry(session);
    entry.outcome = outcome.into();
    complete(&mut entry);
    append(session, &entry);
}

fn outcome(outcome: SyncOutcome) -> &'static str {
    match outcome {
        SyncOutcome::Synced => "synced",
        SyncOutcome::UpToDate => "up-to-date",
        SyncOutcome::Planned => "planned",
        SyncOutcome::NotConfigured => "not-configured",
    }
}

/// How long it took so far.
fn rounded(session: &Session<'_>) -> f64 {
    (session.clock.begun.elapsed().as_secs_f64() * 1000.0).round() / 1000.0
}

/// `idle`: how many syncs came before it that changed nothing.
fn line(session: &mut Session<'_>, error: Option<&str>, idle: u64) {
    let entry = JournalEntry {
        outcome: error.map_or(outcome(session.report.outcome), |_| "failed").into(),
        error: error.map(Into::into),
        idle,
        ..entry(session)
    };
    append(session, &entry);
}

/// What was done so far.
fn entry(session: &Session<'_>) -> JournalEntry {
    let report = &*session.report;
    let (pulled, warnings) = (report.pulled.iter(), report.warnings.iter());
    let own = report.pushed.iter().chain(&report.removed);
    JournalEntry {
        schema: journal::SCHEMA,
        started: session.clock.started.to_string().into(),
        seconds: rounded(session),
        trigger: session.options.trigger.as_str().into(),
        pulled: pulled
            .map(|(prefix, pulled)| (prefix.clone(), (pulled.written + pulled.removed) as u64))
            .collect(),
        pushed: report.pushed.len() as u64,
        removed: report.removed.len() as u64,
        retries: report.retries,
        commit: report.head,
        warnings: warnings.map(|warning| warning.to_string().into()).collect(),
        documents: own.chain(&report.trail.brought).cloned().collect(),
        made: report.commit,
        onto: report.commit.and(report.trail.onto),
        folders: report.trail.folders.clone(),
        ..JournalEntry::default()
    }
}

fn append(session: &mut Session<'_>, entry: &JournalEntry) {
    if let Err(err) = journal::append(&session.notebook.state, entry) {
        session
            .report
            .warnings
            .push(Warning::JournalNotWritten(err.to_string().into()));
    }
}

/// Writes what is new, and a line in the journal if that was anything: the end of a push by itself.
pub fn record(session: &mut Session<'_>, mut published: Published) -> Result<(), SyncErrorKind> {
    if write(session, &mut published)? {
        journal(session, None);
    }
    Ok(())
}
