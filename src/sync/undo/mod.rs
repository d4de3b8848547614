//! Taking back what syncs did: central gets the documents of before in a new commit, copies of other workspaces go back to their
//! trees of before, and files that a person had `resolve` write get their bytes of before.
//!
//! Central is never rewound, and own files are not touched but for those that `resolve` wrote. So what was taken out of central
//! is still here; it is noted as held back, and no sync publishes it again until it changes or a person says so.

mod chosen;
mod documents;
mod files;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use self::{
    chosen::chosen,
    documents::{attempt, documents},
};
use super::{
    Clock, Session, SyncError, SyncErrorKind, SyncOptions, SyncOutcome, SyncReport, Workspace, cache,
    cycle::Published,
    options::Progress,
    preview::{self, Ask, CentralView},
    record, resolve, retry,
};
use crate::{
    central::store::Store,
    names::{ObjectId, Prefix, ShortCode},
    plan::undo::{self, Documented, Left},
    stage::{fetch, hydrate},
    state::{
        cursor::Cursor,
        files::StateDir,
        journal::{self, JournalEntry, ResolvedFile},
    },
    text::Untrusted,
};

/// Entries that are looked through.
const MAX_ENTRIES: usize = 10_000;

/// What would be taken back.
#[derive(Debug, Clone, Default, Serialize)]
pub struct UndoPlan {
    /// What did it, newest first.
    pub entries: Vec<JournalEntry>,
    /// Documents that central gets instead of what it has. `None`: the document goes.
    pub documents: BTreeMap<ShortCode, Option<ObjectId>>,
    /// Those of them of which what is here is not published again.
    pub held_back: BTreeSet<ShortCode>,
    /// Hydrated folders, with the trees that they go back to.
    pub folders: BTreeMap<Prefix, ObjectId>,
    /// Own files that `resolve` wrote.
    #[serde(serialize_with = "paths")]
    pub files: Vec<ResolvedFile>,
    /// What stays, and why.
    pub left: BTreeMap<Untrusted, Left>,
}

fn paths<S: serde::Serializer>(files: &[ResolvedFile], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(files.iter().map(|file| &file.path))
}

impl UndoPlan {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.documents.is_empty() && self.folders.is_empty() && self.files.is_empty()
    }
}

/// Finds out what taking back the last `count` deeds comes to. Writes nothing; central is asked where it is concerned.
pub fn plan(
    workspace: &Workspace,
    options: &SyncOptions,
    count: usize,
    progress: &mut dyn Progress,
) -> Result<UndoPlan, SyncErrorKind> {
    workspace.needs_folder("undo")?;
    workspace.check_state()?;
    let journal = match StateDir::open(workspace.metis().path())? {
        Some(state) => journal::read_last(&state, MAX_ENTRIES)?,
        None => Default::default(),
    };
    let entries = chosen(journal.entries, count);
    if entries.is_empty() {
        return Ok(UndoPlan::default());
    }
    let publishes = entries.iter().any(|entry| entry.made.is_some());
    let ask = if publishes { Ask::Central } else { Ask::Nobody };
    let mut preview = preview::look(workspace, options, ask, progress)?;
    if let CentralView::Failed(err) = std::mem::replace(&mut preview.central, CentralView::NotAsked) {
        return Err(err.into());
    }
    let Some(store) = &preview.store else {
        return Err(preview::not_at_hand(preview.cursor.head));
    };
    let mut plan = UndoPlan::default();
    let prefix = preview
        .ctx
        .owned
        .clone()
        .or_else(|| workspace.config().workspace.clone());
    if let Some(prefix) = prefix.filter(|_| publishes) {
        let documented = documents(
            &entries,
            &prefix,
            (&preview.cursor, store),
            &preview.held,
            &preview.own,
            &mut plan.left,
        );
        plan.take(documented);
    }
    plan.folders = folders(&entries, &preview.cursor, store, &mut plan.left);
    let written = entries.iter().flat_map(|entry| entry.resolved.clone());
    for file in written {
        match files::may_go_back(&preview.ctx, &file, preview.cursor.format) {
            None => plan.files.push(file),
            Some(left) => drop(plan.left.insert((&file.path).into(), left)),
        }
    }
    if !plan.files.is_empty() {
        resolve::check_writable(&preview)?;
    }
    plan.entries = entries;
    Ok(plan)
}

impl UndoPlan {
    fn take(&mut self, documented: Documented) {
        let left = documented.left.into_iter();
        self.left.extend(left.map(|(code, left)| (code.as_str().into(), left)));
        self.held_back = documented.held_back.into_keys().collect();
        self.documents = documented.to;
    }
}

fn folders(
    entries: &[JournalEntry],
    cursor: &Cursor,
    store: &Store,
    left: &mut BTreeMap<Untrusted, Left>,
) -> BTreeMap<Prefix, ObjectId> {
    let changes: Vec<_> = entries.iter().map(|entry| entry.folders.clone()).collect();
    let found = undo::back(&changes, &|prefix| cursor.folders.get(prefix).copied());
    let mut out = BTreeMap::new();
    let mut leave = |prefix: &Prefix, why| left.insert(format!("{prefix}/").into(), why);
    for (prefix, to) in found.to {
        match to {
            None => drop(leave(&prefix, Left::New)),
            Some(tree) if hydrate::read_listing(store, &prefix, Some(tree)).is_none() => {
                leave(&prefix, Left::NotAtHand);
            }
            Some(tree) => drop(out.insert(prefix, tree)),
        }
    }
    for prefix in found.moved_on {
        leave(&prefix, Left::MovedOn);
    }
    out
}

/// Takes back what `plan` says, as far as it still can be.
pub fn apply(
    workspace: &Workspace,
    options: &SyncOptions,
    plan: &UndoPlan,
    progress: &mut dyn Progress,
) -> Result<SyncReport, SyncError> {
    let mut report = SyncReport::default();
    let clock = Clock::start();
    let done = Session::new(workspace, options, progress, &mut report, clock)
        .and_then(|mut session| carry_out(&mut session, plan));
    report.seconds = clock.begun.elapsed().as_secs_f64();
    match done {
        Ok(()) => Ok(report),
        Err(kind) => Err(SyncError {
            kind: kind.into(),
            report: Box::new(report),
        }),
    }
}

fn carry_out(session: &mut Session<'_>, plan: &UndoPlan) -> Result<(), SyncErrorKind> {
    let mut published = match plan.documents.is_empty() {
        false => retry::until_done(session, |session, known| attempt(session, known, plan))?,
        true => Published {
            cursor: session.notebook.last.clone().ok_or(SyncErrorKind::NeverSynced)?,
            scan: None,
        },
    };
    go_back(session, &mut published.cursor, &plan.folders)?;
    for file in &plan.files {
        let version = files::put_back(&session.ctx, file, published.cursor.format)?;
        published.cursor.hold_back(file.code.clone(), version);
    }
    session.report.outcome = SyncOutcome::Synced;
    record::write(session, &mut published)?;
    let undoes = plan.entries.iter().map(|entry| entry.started.clone()).collect();
    record::deed(session, "undone", |entry| entry.undoes = undoes);
    cache::after_sync(session, published);
    Ok(())
}

/// Brings hydrated folders back to their trees of before.
fn go_back(
    session: &mut Session<'_>,
    cursor: &mut Cursor,
    folders: &BTreeMap<Prefix, ObjectId>,
) -> Result<(), SyncErrorKind> {
    if folders.is_empty() {
        return Ok(());
    }
    let store = fetch::store(&session.ctx, cursor.format, false)?;
    let plan = hydrate::back(&session.ctx, &store, cursor, folders)?;
    let done = hydrate::apply(&session.ctx, &store, &plan, session.clock.started, &mut |_, _| {})?;
    session
        .report
        .trail
        .brought
        .extend(plan.work.iter().flat_map(|work| work.files.codes()).cloned());
    session.report.pulled = done.pulled;
    session.report.kept = done.kept;
    done.warnings.into_iter().for_each(|warning| session.warn(warning));
    cursor.folders_went_back(done.folders);
    Ok(())
}
