//! Doing what was decided, so that nothing is lost whatever else happens meanwhile.
//!
//! New files are made whole where nobody looks, then put in place in one step that also takes out what was there; what came out
//! is looked at, and if it is not what the scan saw, it is put back. So a path has its old or its new content at each moment,
//! and an edit that comes between the look and the deed survives. What came out stays in `kept/`.

use std::{
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
};

use super::{
    files::{Obstacle, copy, exchange, is_what_was, make_folders, remove_empty, rename, with_form},
    record::{PerSide, kept, remove_all},
    scan::look,
};
use crate::{
    fs::{Dir, DirError, Kind, fresh_name},
    plan::conduit::{Action, Change, Form, Item, Side},
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

/// One side, and where what is replaced there is kept.
struct Bench<'a> {
    root: &'a Dir,
    kept: Dir,
    kept_at: String,
    /// Both are on one file system, so that things can be exchanged between them.
    is_near: bool,
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

impl<'a> Bench<'a> {
    fn open(work: &Work<'a>, side: Side) -> Result<Self, DirError> {
        let name = match side {
            Side::Alpha => "alpha",
            Side::Beta => "beta",
        };
        let kept_at = format!("{}/{name}", kept(work.generation));
        let kept = work.memory.create_dir(&kept_at)?;
        let root = work.roots[side as usize];
        Ok(Bench {
            root,
            is_near: kept.stat()?.device == root.stat()?.device,
            kept,
            kept_at,
        })
    }

    /// Where new files are made.
    fn workshop(&self) -> &Dir {
        if self.is_near { &self.kept } else { self.root }
    }

    /// Makes what comes with `change`, and returns where it is in the workshop.
    fn stage(&self, work: &Work<'_>, change: &Change) -> Result<Option<String>, Obstacle> {
        let (was, now) = change.action.paths(&change.path);
        let known = was
            .iter()
            .any(|(_, was)| now.iter().any(|(_, now)| was.id == now.id) && was_one(&change.action));
        if now.is_empty() || known {
            return Ok(None);
        }
        let at = self.place(&change.path)?;
        for (path, item) in now {
            let inner = path.strip_prefix(&change.path).unwrap_or_default();
            let to = format!("{at}{inner}");
            make_folders(self.workshop(), &to)?;
            let (dir, from) = (work.source)(change, path, item);
            if let Err(obstacle) = copy(dir, &from, self.workshop(), &to, item, self.bits(path, item.form)) {
                remove_all(self.workshop(), &at)?;
                return Err(obstacle);
            }
        }
        Ok(Some(at))
    }

    /// A free place in the workshop for what will be at `path`.
    fn place(&self, path: &str) -> Result<String, DirError> {
        if self.is_near {
            make_folders(&self.kept, path)?;
            return Ok(path.to_owned());
        }
        make_folders(self.root, path)?;
        Ok(match path.rfind('/') {
            Some(at) => format!("{}/{}", &path[..at], fresh_name()),
            None => fresh_name(),
        })
    }

    /// The permissions of what will be at `path`: those of what is there, but for the one to run it.
    fn bits(&self, path: &str, form: Form) -> u32 {
        let bits = match self.root.lstat(path) {
            Ok(stat) if stat.kind == Kind::File => stat.mode,
            _ => 0o644,
        };
        with_form(bits, form)
    }

    fn make(&self, change: &Change, staged: Option<&str>) -> Result<(), Obstacle> {
        let path = &change.path;
        match (&change.action, staged) {
            (Action::Remove { was }, _) => self.remove(path, *was),
            (Action::Put { was: None, .. }, Some(staged)) => self.create(path, staged),
            (Action::Put { was: Some(was), .. }, Some(staged)) => self.swap(change, &[(path.clone(), *was)], staged),
            (Action::Put { was, now }, None) => self.change_mode(path, *was, *now),
            (Action::Replace { was, .. }, Some(staged)) => self.swap(change, was, staged),
            (Action::Rename { from, was, now }, staged) => {
                rename(self.root, from, path)?;
                match staged {
                    Some(staged) => self.swap(change, &[(path.clone(), *was)], staged),
                    None if was == now => Ok(()),
                    None => self.change_mode(path, Some(*was), *now),
                }
            }
            (Action::Replace { .. }, None) => Ok(()),
        }
    }

    fn create(&self, path: &str, staged: &str) -> Result<(), Obstacle> {
        make_folders(self.root, path)?;
        match self.workshop().move_new(staged, self.root, path) {
            Ok(()) => Ok(()),
            // Empty folders are in nobody's way.
            Err(DirError::Exists { .. }) if remove_empty(self.root, path) => {
                Ok(self.workshop().move_new(staged, self.root, path)?)
            }
            Err(err) => {
                remove_all(self.workshop(), staged)?;
                match err {
                    DirError::Exists { .. } => Err(Obstacle::Changed),
                    err => Err(err.into()),
                }
            }
        }
    }

    /// Puts what was staged in the place of `was`, and keeps that.
    fn swap(&self, change: &Change, was: &[(String, Item)], staged: &str) -> Result<(), Obstacle> {
        let (path, workshop) = (&change.path, self.workshop());
        if !self.is_near && change.aside.is_none() {
            self.keep_copies(was)?;
        }
        exchange(self.root, path, workshop, staged)?;
        if !is_what_was(workshop, staged, path, was)? {
            exchange(self.root, path, workshop, staged)?;
            remove_all(workshop, staged)?;
            return Err(Obstacle::Changed);
        }
        match &change.aside {
            Some(aside) => match workshop.move_new(staged, self.root, aside) {
                // The same conflict came before, and made the same file.
                Err(DirError::Exists { .. }) => Ok(remove_all(workshop, staged)?),
                moved => Ok(moved?),
            },
            None if self.is_near => Ok(()),
            None => Ok(remove_all(workshop, staged)?),
        }
    }

    fn remove(&self, path: &str, was: Item) -> Result<(), Obstacle> {
        let (other, at) = if self.is_near {
            make_folders(&self.kept, path)?;
            (&self.kept, path.to_owned())
        } else {
            self.keep_copies(&[(path.to_owned(), was)])?;
            (self.root, self.place(path)?)
        };
        match self.root.move_new(path, other, &at) {
            Ok(()) => {}
            Err(err) if err.is_gone() => return Ok(()),
            Err(err) => return Err(err.into()),
        }
        if look(other, &at)? != Some(was) {
            other.move_new(&at, self.root, path)?;
            return Err(Obstacle::Changed);
        }
        if !self.is_near {
            self.root.remove_file(&at)?;
        }
        let mut folder = path;
        while let Some(at) = folder.rfind('/') {
            folder = &folder[..at];
            if self.root.remove_dir(folder).is_err() {
                break;
            }
        }
        Ok(())
    }

    fn change_mode(&self, path: &str, was: Option<Item>, now: Item) -> Result<(), Obstacle> {
        if look(self.root, path)? != was {
            return Err(Obstacle::Changed);
        }
        Ok(self.root.set_mode(path, self.bits(path, now.form))?)
    }

    /// On another file system things can only be copied.
    fn keep_copies(&self, was: &[(String, Item)]) -> Result<(), Obstacle> {
        for (path, item) in was {
            make_folders(&self.kept, path)?;
            match copy(self.root, path, &self.kept, path, *item, with_form(0o644, item.form)) {
                Err(Obstacle::Copied) => return Err(Obstacle::Changed),
                copied => copied?,
            }
        }
        Ok(self.kept.sync_all()?)
    }
}

/// Whether one file takes the place of one file.
fn was_one(action: &Action) -> bool {
    !matches!(action, Action::Replace { .. })
}
