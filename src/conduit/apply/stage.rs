//! Making new files ready, several at the same time.

use std::{
    ops::Range,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use super::{super::files::Obstacle, Work, bench::Bench};
use crate::{fs::Stat, names::ObjectId};

/// What comes with a change. `None`: there is nothing to make.
pub(super) type Staged = Result<Option<New>, Obstacle>;

/// New files, made and not yet in place.
pub(super) struct New {
    /// The name under which they wait.
    pub(super) at: String,
    /// Each by the path that it is for.
    pub(super) files: Vec<(String, Stat, ObjectId)>,
}

/// Makes the new files of the changes in `range`, several at the same time. `tell` is told how many are made.
pub(super) fn stage_all(
    work: &Work<'_>,
    benches: &[Option<Bench<'_>>; 2],
    range: Range<usize>,
    tell: &dyn Fn(usize),
) -> Vec<Staged> {
    let (next, finished) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let changes = &work.changes[range];
    let made: Vec<Mutex<Option<Staged>>> = changes.iter().map(|_| Mutex::new(None)).collect();
    let stage_next = || {
        let at = next.fetch_add(1, Ordering::Relaxed);
        let change = changes.get(at)?;
        let result = match &benches[change.side as usize] {
            Some(bench) if !work.ends.is_now() => bench.stage(work, change),
            _ => Ok(None),
        };
        *made[at].lock().expect("no thread panics with it") = Some(result);
        Some(finished.fetch_add(1, Ordering::Relaxed) + 1)
    };
    thread::scope(|scope| {
        for _ in 1..work.transfers.min(changes.len()) {
            scope.spawn(|| while stage_next().is_some() {});
        }
        while let Some(finished) = stage_next() {
            tell(finished);
        }
    });
    tell(changes.len());
    made.into_iter()
        .map(|slot| slot.into_inner().expect("no thread panics with it").unwrap_or(Ok(None)))
        .collect()
}
