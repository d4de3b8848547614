//! Doing what was decided, so that nothing is lost whatever else happens meanwhile.
//!
//! New files are made whole where nobody looks, then put in place in one step that also takes out what was there; what came out
//! is looked at, and if it is not what the scan saw, it is put back. So a path has its old or its new content at each moment,
//! and an edit that comes between the look and the deed survives. What came out stays in `kept/`.

mod bench;

use std::{
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
};

use self::bench::Bench;
use super::{files::Obstacle, record::PerSide};
use crate::{
    fs::{Dir, DirError},
    plan::conduit::{Action, Change, Item, Side},
};

/// What to do, and with what.
pub struct Work<'a> {
    pub roots: [&'a Dir; 2],
    /// The conduit's folder of state.
    pub memory: &'a Dir,
    pub generation: u64,
    pub changes: &'a [Change],
    /// Where the content of an item that comes with a change is to be had.
    pub source: &'a (dyn Fn(&Change, &str, Item) -> (&'a Dir, String) + Sync),
    pub transfers: usize,
    pub interrupt: &'a AtomicBool,
}

/// What was done.
#[derive(Default)]
pub struct Applied {
    /// For each change whether it was made.
    pub done: Vec<bool>,
    /// What could not be done, and why.
    pub failed: Vec<String>,
    pub copied: PerSide,
    pub deleted: PerSide,
    /// Where replaced and removed files are, in the conduit's folder.
    pub kept: Vec<String>,
    pub interrupted: bool,
}

/// Makes all copies and then, unless one failed, all deletes. `deleting` is told when the latter begin.
pub fn apply(work: &Work<'_>, deleting: &mut dyn FnMut(&Applied)) -> Result<Applied, DirError> {
    let benches = [Bench::open(work, Side::Alpha)?, Bench::open(work, Side::Beta)?];
    let mut out = Applied {
        done: vec![false; work.changes.len()],
        ..Applied::default()
    };
    let staged = stage_all(work, &benches);
    for bench in &benches {
        // Where it is put in place, whatever the power does.
        bench.workshop().sync_all()?;
    }
    let is_delete = |change: &Change| matches!(change.action, Action::Remove { .. });
    let mut after = false;
    for (at, (change, staged)) in work.changes.iter().zip(staged).enumerate() {
        if is_delete(change) && !after {
            after = true;
            deleting(&out);
        }
        if work.interrupt.load(Ordering::Relaxed) {
            out.interrupted = true;
            break;
        }
        let bench = &benches[change.side as usize];
        let made = match staged {
            _ if is_delete(change) && !out.failed.is_empty() => {
                out.failed
                    .push(format!("{}: not deleted, because something else failed", change.path));
                continue;
            }
            Ok(staged) => bench.make(change, staged.as_deref()),
            Err(obstacle) => Err(obstacle),
        };
        match made {
            Ok(()) => note(&mut out, at, change, bench),
            Err(obstacle) => out.failed.push(format!("{}: {obstacle}", change.path)),
        }
    }
    for bench in &benches {
        bench.root.sync_all()?;
        bench.kept.sync_all()?;
    }
    Ok(out)
}

fn note(out: &mut Applied, at: usize, change: &Change, bench: &Bench<'_>) {
    out.done[at] = true;
    let (was, now) = change.action.paths(&change.path);
    let count = |counts: &mut PerSide, n: usize| match change.side {
        Side::Alpha => counts.alpha += n,
        Side::Beta => counts.beta += n,
    };
    match change.action {
        Action::Remove { .. } => count(&mut out.deleted, 1),
        Action::Replace { .. } => {
            count(&mut out.copied, now.len());
            count(&mut out.deleted, was.len());
        }
        Action::Put { .. } | Action::Rename { .. } => count(&mut out.copied, now.len()),
    }
    let only_mode = matches!(change.action, Action::Put { was: Some(was), now } if was.id == now.id);
    if change.aside.is_none() && !only_mode {
        out.kept
            .extend(was.iter().map(|(path, _)| format!("{}/{path}", bench.kept_at)));
    }
}

/// The name of a new file under which it waits. `None`: there is none to make.
type Staged = Result<Option<String>, Obstacle>;

/// Makes the new files of all changes, several at the same time.
fn stage_all(work: &Work<'_>, benches: &[Bench<'_>; 2]) -> Vec<Staged> {
    let next = AtomicUsize::new(0);
    let made: Vec<Mutex<Option<Staged>>> = work.changes.iter().map(|_| Mutex::new(None)).collect();
    let worker = || {
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(change) = work.changes.get(at) else { return };
            let result = match work.interrupt.load(Ordering::Relaxed) {
                true => Ok(None),
                false => benches[change.side as usize].stage(work, change),
            };
            *made[at].lock().expect("no thread panics with it") = Some(result);
        }
    };
    thread::scope(|scope| {
        for _ in 1..work.transfers.min(work.changes.len()) {
            scope.spawn(worker);
        }
        worker();
    });
    made.into_iter()
        .map(|slot| slot.into_inner().expect("no thread panics with it").unwrap_or(Ok(None)))
        .collect()
}
