//! Doing what was decided, so that nothing is lost whatever else happens meanwhile.
//!
//! New files are made whole where nobody looks, then put in place in one step that also takes out what was there; what came out
//! is looked at, and if it is not what the scan saw, it is put back. So a path has its old or its new content at each moment,
//! and an edit that comes between the look and the deed survives. What came out stays in `kept/`.

mod bench;
mod stage;
#[cfg(test)]
mod tests;

use std::ops::Range;

use self::{
    bench::Bench,
    stage::{Staged, stage_all},
};
use super::{
    ConduitError,
    files::Obstacle,
    made::Made,
    order::{Ends, Told},
    reading::Reading,
    record::{PerSide, kept},
};
use crate::{
    fs::{Dir, DirError},
    plan::conduit::{Action, Change, Item, Side},
    sync::Step,
    text::{Untrusted, UntrustedName},
};

/// What to do, and with what.
pub struct Work<'a> {
    /// `None`: that side is a branch of central.
    pub roots: [Option<&'a Dir>; 2],
    pub reading: Reading,
    /// The conduit's folder of state.
    pub memory: &'a Dir,
    pub generation: u64,
    pub changes: &'a [Change],
    /// Where the content of an item that comes with a change is to be had.
    pub source: &'a Source<'a>,
    pub transfers: usize,
    pub ends: &'a Ends,
}

/// Gives the content of an item that comes with a change, by the item's path.
pub type Source<'a> = dyn Fn(&Change, &str, Item) -> Result<Content<'a>, Obstacle> + Sync + 'a;

/// Content of a file.
#[derive(Clone)]
pub enum Content<'a> {
    /// It is in a file.
    File(&'a Dir, String),
    /// It is in central.
    Bytes(Vec<u8>),
}

/// Sends the changes of the side that is a branch: for each of them why it could not be made, if it could not.
pub type Publish<'a> = dyn FnMut(&[&Change]) -> Result<Vec<Option<String>>, Unsent> + 'a;

/// Why nothing was sent.
#[derive(Debug)]
pub enum Unsent {
    /// Somebody else was faster: everything is to be looked at again.
    Moved,
    /// Something in the way here.
    Obstacle(Obstacle),
    /// It ends the sync.
    Stopped(Box<ConduitError>),
}

/// What was done.
#[derive(Default)]
pub struct Applied {
    /// For each change whether it was made.
    pub done: Vec<bool>,
    /// What could not be done, and why.
    pub failed: Vec<Untrusted>,
    pub copied: PerSide,
    pub deleted: PerSide,
    /// Where replaced and removed files are, in the conduit's folder.
    pub kept: Vec<UntrustedName>,
    /// What was written on each side.
    pub made: [Made; 2],
    pub interrupted: bool,
    /// Why the side that is a branch got nothing of what it should.
    pub unsent: Option<Unsent>,
}

/// Makes all copies, sends what goes to a branch, and then, unless something of that failed, makes all deletes. `deleting` is told
/// when the latter begin.
pub fn apply(
    work: &Work<'_>,
    told: &Told<'_>,
    publish: &mut Publish<'_>,
    deleting: &mut dyn FnMut(&Applied),
) -> Result<Applied, DirError> {
    let benches = [Bench::open(work, Side::Alpha)?, Bench::open(work, Side::Beta)?];
    let mut out = Applied {
        done: vec![false; work.changes.len()],
        ..Applied::default()
    };
    let copies = work.changes.partition_point(|change| !is_delete(change));
    let copying = tracing::info_span!("copy").entered();
    for begin in (0..copies).step_by(BATCH) {
        let batch = begin..copies.min(begin + BATCH);
        let tell = |done| {
            told.step(Step::Copying {
                done: begin + done,
                total: copies,
            });
        };
        let staged = stage_all(work, &benches, batch.clone(), &tell);
        for bench in benches.iter().flatten() {
            // Where it is put in place, whatever the power does.
            bench.workshop().sync_all()?;
        }
        make_all(work, &benches, batch, staged, &mut out);
    }
    drop(copying);
    if work.roots.iter().any(Option::is_none) {
        told.step(Step::Pushing);
    }
    send(work, publish, &mut out);
    if copies < work.changes.len() {
        deleting(&out);
    }
    let deletes = copies..work.changes.len();
    make_all(work, &benches, deletes, std::iter::repeat_with(|| Ok(None)), &mut out);
    for bench in benches.iter().flatten() {
        bench.root.sync_all()?;
        bench.kept.sync_all()?;
    }
    Ok(out)
}

fn is_delete(change: &Change) -> bool {
    matches!(change.action, Action::Remove { .. })
}

/// So many changes are made ready before the first of them is put in place: a sync that is ended comes so far.
const BATCH: usize = 500;
const NOT_DELETED: &str = "not deleted, because something else failed";

/// Makes the changes in `range` of the sides that are folders.
fn make_all(
    work: &Work<'_>,
    benches: &[Option<Bench<'_>>; 2],
    range: Range<usize>,
    staged: impl IntoIterator<Item = Staged>,
    out: &mut Applied,
) {
    for (at, staged) in range.zip(staged) {
        let change = &work.changes[at];
        let Some(bench) = &benches[change.side as usize] else {
            continue;
        };
        if out.interrupted || work.ends.is_now() {
            out.interrupted = true;
            return;
        }
        let made = match staged {
            _ if is_delete(change) && !out.failed.is_empty() => {
                out.failed.push(format!("{}: {NOT_DELETED}", change.path).into());
                continue;
            }
            Ok(staged) => bench
                .make(change, staged.as_ref().map(|new| new.at.as_str()))
                .map(|()| staged.map(|new| new.files)),
            Err(obstacle) => Err(obstacle),
        };
        match made {
            Ok(files) => {
                note(out, at, change, work.generation);
                for (path, stat, id) in files.into_iter().flatten() {
                    out.made[change.side as usize].note(path, &stat, id);
                }
            }
            Err(obstacle) => out.failed.push(format!("{}: {obstacle}", change.path).into()),
        }
    }
}

/// Sends the changes of the side that is a branch, all at once: its deletes too, unless a copy failed.
fn send(work: &Work<'_>, publish: &mut Publish<'_>, out: &mut Applied) {
    if out.interrupted || work.ends.is_now() {
        out.interrupted = true;
        return;
    }
    let is_sound = out.failed.is_empty();
    let mut sent = Vec::new();
    for (at, change) in work.changes.iter().enumerate() {
        match work.roots[change.side as usize] {
            Some(_) => {}
            None if is_delete(change) && !is_sound => out.failed.push(format!("{}: {NOT_DELETED}", change.path).into()),
            None => sent.push((at, change)),
        }
    }
    if sent.is_empty() {
        return;
    }
    let changes: Vec<&Change> = sent.iter().map(|(_, change)| *change).collect();
    match publish(&changes) {
        Ok(failures) => {
            for ((at, change), failure) in sent.into_iter().zip(failures) {
                match failure {
                    None => note(out, at, change, work.generation),
                    Some(reason) => out.failed.push(format!("{}: {reason}", change.path).into()),
                }
            }
        }
        Err(unsent) => {
            out.failed.push(match &unsent {
                Unsent::Moved => "central: somebody else was faster".into(),
                Unsent::Obstacle(obstacle) => format!("central: {obstacle}").into(),
                Unsent::Stopped(error) => format!("central: {error}").into(),
            });
            out.unsent = Some(unsent);
        }
    }
}

fn note(out: &mut Applied, at: usize, change: &Change, generation: u64) {
    out.done[at] = true;
    let (was, now) = change.paths();
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
    if change.aside.is_none() && !is_mode_only(&change.action) {
        let kept_at = kept_of(generation, change.side);
        out.kept
            .extend(was.iter().map(|(path, _)| format!("{kept_at}/{path}").into()));
    }
}

/// Whether a change is about the permission to run a file and nothing else.
pub fn is_mode_only(action: &Action) -> bool {
    matches!(action, Action::Put { was: Some(was), now } if was.has_content_of(now))
}

/// Where what is replaced on a side is kept, in the conduit's folder.
pub fn kept_of(generation: u64, side: Side) -> String {
    format!("{}/{}", kept(generation), side.name())
}
