//! `git metis-sync status`: where the workspace stands, and what a sync would do or stumble over.
//!
//! Central is asked once for its branch, and what it has that is new is received into the object cache, where the next
//! sync finds it. `--offline` compares with what the last sync saw. A central that cannot be reached is said in a line
//! and is no failure of this command.

mod porcelain;
mod text;

use std::sync::{Arc, atomic::AtomicBool};

use clap::{Args, ValueEnum};
use jiff::Timestamp;
use serde::Serialize;

use crate::{
    names::{ObjectId, Prefix, ShortCode},
    plan::{
        dehydrate::{Behind, CentralChange},
        listing::printable,
        standing::{FolderStanding, Standing},
    },
    state::journal::{self, JournalEntry},
    sync::{
        SyncErrorKind, SyncOptions, Workspace,
        preview::{self, Ask, CentralView, Preview},
        stop,
    },
    text::Untrusted,
};

use super::{Exit, Global, background, progress::Bar, render, sync::prompt};

#[derive(Debug, Clone, Args)]
pub struct StatusArgs {
    /// Offline: compare with the last sync
    #[arg(long)]
    offline: bool,
    /// Print lines for scripts, stable across versions
    #[arg(long, value_name = "VERSION", num_args = 0..=1, require_equals = true, default_missing_value = "v1")]
    porcelain: Option<Porcelain>,
    /// End the lines for scripts with NUL, paths as they are (implies --porcelain)
    #[arg(short = 'z')]
    nul: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Porcelain {
    V1,
}

/// What all three ways to print it have in common; as it stands, the JSON document.
#[derive(Debug, Serialize)]
struct Status {
    workspace: Option<Prefix>,
    upstream: String,
    branch: Option<String>,
    state: Standing,
    documents: usize,
    head: Option<ObjectId>,
    central: Central,
    last_sync: Option<LastSync>,
    last_failure: Option<LastSync>,
    /// The failure of a sync in the background that no sync has settled since.
    background: Option<String>,
    ahead: Vec<Ahead>,
    behind: Vec<Behind>,
    conflicts: Vec<Conflicting>,
    workspaces: Vec<Folder>,
    obstacles: Vec<Obstacle>,
    warnings: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Central {
    /// Whether it was asked now.
    asked: bool,
    /// Whether it answered.
    reachable: Option<bool>,
    head: Option<ObjectId>,
    /// Whether it moved since the last sync.
    moved: Option<bool>,
    /// Whether everything else in this status is compared with central as it is now.
    compared: bool,
    error: Option<String>,
}

#[derive(Debug, Serialize)]
struct LastSync {
    started: String,
    seconds_ago: Option<i64>,
    outcome: String,
    trigger: String,
    error: Option<String>,
}

#[derive(Debug, Serialize)]
struct Ahead {
    code: ShortCode,
    change: CentralChange,
    path: Option<String>,
}

#[derive(Debug, Serialize)]
struct Conflicting {
    code: ShortCode,
    path: Option<String>,
}

#[derive(Debug, Serialize)]
struct Folder {
    prefix: Prefix,
    #[serde(flatten)]
    standing: FolderStanding,
    documents: usize,
    /// When a sync last changed it here, as far back as the journal is read.
    changed: Option<String>,
    seconds_ago: Option<i64>,
}

/// What would stop a sync.
#[derive(Debug, Serialize)]
struct Obstacle {
    kind: &'static str,
    stop: &'static str,
    message: String,
    next: String,
}

/// Looks and prints. What is found is never a failure of this command.
pub fn run(global: &Global, args: &StatusArgs, interrupt: Arc<AtomicBool>) -> Exit {
    let workspace = match Workspace::discover(&global.start_dir()) {
        Ok(workspace) => workspace,
        Err(kind) => return render::explained(global, "status", &kind, ""),
    };
    let options = SyncOptions {
        prompt: prompt(global),
        interrupt,
        trigger: "status".into(),
        ..SyncOptions::default()
    };
    let ask = if args.offline { Ask::Nobody } else { Ask::Everybody };
    let mut bar = Bar::new(global);
    let looked = preview::look(&workspace, &options, ask, &mut bar);
    bar.clear();
    let preview = match looked {
        Ok(preview) => preview,
        Err(SyncErrorKind::NoUpstream) => return render::single_workspace(global, "status"),
        Err(kind) => return render::explained(global, "status", &kind, ""),
    };
    let mut status = Status::of(&preview, Timestamp::now());
    status.background = background::unsettled(global);
    if args.porcelain.is_some() || args.nul {
        porcelain::print(&status, args.nul);
    } else if global.json {
        render::print_json(&render::document(
            "status",
            serde_json::to_value(&status).unwrap_or_default(),
        ));
    } else if global.talks() {
        text::print(global, &status);
    }
    Exit::Ok
}

impl Status {
    fn of(preview: &Preview<'_>, now: Timestamp) -> Self {
        let conflicts = preview
            .plan
            .conflicts
            .iter()
            .map(|conflict| Conflicting {
                code: conflict.code.clone(),
                path: preview.path_of(&conflict.code).map(str::to_owned),
            })
            .collect();
        let pushed = preview.plan.push.keys().map(|code| {
            let change = match preview.held.contains_key(code) {
                true => CentralChange::Changed,
                false => CentralChange::Added,
            };
            (code, change)
        });
        let removed = preview.plan.remove.iter().map(|code| (code, CentralChange::Removed));
        let mut ahead: Vec<Ahead> = pushed
            .chain(removed)
            .map(|(code, change)| Ahead {
                code: code.clone(),
                change,
                path: preview.path_of(code).map(str::to_owned),
            })
            .collect();
        ahead.sort_by(|a, b| a.code.cmp(&b.code));
        let entries = past(preview);
        let (last_sync, last_failure) = history(&entries, now);
        let metis = preview.ctx.metis.dir();
        let changed = |prefix: &Prefix| {
            let pulled = |entry: &&JournalEntry| entry.pulled.get(prefix).is_some_and(|documents| *documents > 0);
            entries.iter().rev().find(pulled).map(|entry| LastSync::of(entry, now))
        };
        Status {
            workspace: preview.ctx.owned.clone(),
            upstream: preview.ctx.upstream_shown.clone(),
            branch: branch(preview),
            state: preview.standing(),
            documents: preview.own.documents.len(),
            head: preview.cursor.head,
            central: Central::of(preview),
            last_sync,
            last_failure,
            background: None,
            ahead,
            behind: preview.plan.behind.clone(),
            conflicts,
            workspaces: preview
                .folders()
                .into_iter()
                .map(|(prefix, standing)| {
                    let last = changed(&prefix);
                    Folder {
                        documents: crate::workspace::documents_in(metis, &prefix)
                            .map_or(0, |documents| documents.len()),
                        standing,
                        seconds_ago: last.as_ref().and_then(|last| last.seconds_ago),
                        changed: last.map(|last| last.started),
                        prefix,
                    }
                })
                .collect(),
            obstacles: preview.stops.iter().map(|kind| Obstacle::of(kind, preview)).collect(),
            warnings: preview.warnings.iter().map(ToString::to_string).collect(),
        }
    }
}

fn branch(preview: &Preview<'_>) -> Option<String> {
    let known = match &preview.central {
        CentralView::Seen { branch, .. } => Some(branch.clone()),
        _ => preview.ctx.branch.clone(),
    };
    known
        .or_else(|| Some(preview.cursor.branch.clone()))
        .filter(|branch| !branch.is_empty())
        .map(|branch| printable(branch.as_bytes()))
}

impl Central {
    fn of(preview: &Preview<'_>) -> Self {
        let (asked, reachable, head, error) = match &preview.central {
            CentralView::NotAsked => (false, None, None, None),
            CentralView::Seen { head, .. } => (true, Some(true), *head, None),
            CentralView::Failed(err) => {
                let reason = stop::explain_central(err, &preview.ctx.upstream_shown);
                (true, Some(false), None, Some(reason))
            }
        };
        let moved = preview.central_moved();
        Central {
            asked,
            reachable,
            head,
            moved,
            compared: reachable == Some(true) && preview.snapshot.is_some(),
            error,
        }
    }
}

impl Obstacle {
    fn of(kind: &SyncErrorKind, preview: &Preview<'_>) -> Self {
        let hint = stop::explain(kind, &preview.ctx.upstream_shown);
        Obstacle {
            kind: kind.word(),
            stop: hint.stop.name(),
            message: hint.message,
            next: hint.next,
        }
    }
}

/// What the journal says, as far back as a status needs it.
fn past(preview: &Preview<'_>) -> Vec<JournalEntry> {
    let read = preview.state.as_ref().map(|state| journal::read_last(state, 100));
    read.and_then(Result::ok).unwrap_or_default().entries
}

/// The last sync that went well and, if it came after that, the last that did not.
fn history(entries: &[JournalEntry], now: Timestamp) -> (Option<LastSync>, Option<LastSync>) {
    let good = entries.iter().rposition(|entry| entry.error.is_none());
    let bad = entries
        .iter()
        .rposition(|entry| entry.error.is_some())
        .filter(|bad| Some(*bad) > good);
    let tell = |at: usize| LastSync::of(&entries[at], now);
    (good.map(tell), bad.map(tell))
}

impl LastSync {
    fn of(entry: &JournalEntry, now: Timestamp) -> Self {
        let clean = |text: &Untrusted| text.brief().to_string();
        LastSync {
            seconds_ago: render::seconds_since(entry.started.raw(), now),
            started: clean(&entry.started),
            outcome: clean(&entry.outcome),
            trigger: clean(&entry.trigger),
            error: entry.error.as_ref().map(clean),
        }
    }
}
