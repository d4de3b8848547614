//! One side of a conduit at work: what comes is made aside, put in place in one step, and what was there is kept.

use super::{
    super::{
        files::{Obstacle, copy, exchange, is_what_was, make_folders, remove_empty, rename, with_form, write},
        reading::{Reading, look},
        record::remove_all,
    },
    Content, Work, kept_of,
    stage::{New, Staged},
};
use crate::{
    fs::{Dir, DirError, Kind, Stat, fresh_name},
    plan::conduit::{Action, Change, Form, Item, Side},
};

/// One side, and where what is replaced there is kept.
pub(super) struct Bench<'a> {
    pub(super) root: &'a Dir,
    pub(super) kept: Dir,
    reading: Reading,
    /// Both are on one file system, so that things can be exchanged between them.
    is_near: bool,
}

impl<'a> Bench<'a> {
    /// `None`: there is no folder on that side.
    pub(super) fn open(work: &Work<'a>, side: Side) -> Result<Option<Self>, DirError> {
        let Some(root) = work.roots[side as usize] else {
            return Ok(None);
        };
        let kept = work.memory.create_dir(kept_of(work.generation, side))?;
        Ok(Some(Bench {
            root,
            reading: work.reading,
            is_near: kept.stat()?.device == root.stat()?.device,
            kept,
        }))
    }

    /// Where new files are made.
    pub(super) fn workshop(&self) -> &Dir {
        if self.is_near { &self.kept } else { self.root }
    }

    /// Makes what comes with `change` in the workshop.
    pub(super) fn stage(&self, work: &Work<'_>, change: &Change) -> Staged {
        let (was, now) = change.paths();
        let known = was
            .iter()
            .any(|(_, was)| now.iter().any(|(_, now)| was.has_content_of(now)) && was_one(&change.action));
        if now.is_empty() || known {
            return Ok(None);
        }
        let at = self.place(change.path.raw())?;
        let mut files = Vec::new();
        for (path, item) in now {
            let inner = path.strip_prefix(change.path.raw()).unwrap_or_default();
            let to = format!("{at}{inner}");
            make_folders(self.workshop(), &to)?;
            let is_new = matches!(change.action, Action::Put { was: None, .. });
            let old = (!is_new).then(|| self.root.lstat(path).ok()).flatten();
            let (workshop, bits) = (self.workshop(), self.bits(old, item.form));
            let copied = match (work.source)(change, path, item) {
                Ok(Content::File(dir, from)) => copy(dir, &from, workshop, &to, item, bits),
                Ok(Content::Bytes(bytes)) => write(&bytes, workshop, &to, item, bits),
                Err(obstacle) => Err(obstacle),
            };
            match copied {
                Ok(stat) => files.push((path.to_owned(), stat, item.id)),
                Err(obstacle) => {
                    remove_all(self.workshop(), &at)?;
                    return Err(obstacle);
                }
            }
        }
        Ok(Some(New { at, files }))
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

    /// The permissions of what takes the place of `old`: those that that has, but for the one to run it.
    fn bits(&self, old: Option<Stat>, form: Form) -> u32 {
        let bits = match old {
            Some(stat) if stat.kind == Kind::File => stat.mode,
            _ => 0o644,
        };
        match self.reading.exec {
            true => with_form(bits, form),
            false => bits,
        }
    }

    pub(super) fn make(&self, change: &Change, staged: Option<&str>) -> Result<(), Obstacle> {
        let path = change.path.raw();
        match (&change.action, staged) {
            (Action::Remove { was }, _) => self.remove(path, *was),
            (Action::Put { was: None, .. }, Some(staged)) => self.create(path, staged),
            (Action::Put { was: Some(was), .. }, Some(staged)) => self.swap(change, &[(path.to_owned(), *was)], staged),
            (Action::Put { was, now }, None) => self.change_mode(path, *was, *now),
            (Action::Replace { was, .. }, Some(staged)) => self.swap(change, was, staged),
            (Action::Rename { from, was, now }, staged) => {
                rename(self.root, from.raw(), path)?;
                match staged {
                    Some(staged) => self.swap(change, &[(path.to_owned(), *was)], staged),
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
        let (path, workshop) = (change.path.raw(), self.workshop());
        if !self.is_near && change.aside.is_none() {
            self.keep_copies(was)?;
        }
        exchange(self.root, path, workshop, staged)?;
        if !is_what_was(workshop, staged, path, was, self.reading)? {
            exchange(self.root, path, workshop, staged)?;
            remove_all(workshop, staged)?;
            return Err(Obstacle::Changed);
        }
        match &change.aside {
            Some(aside) => match workshop.move_new(staged, self.root, aside.raw()) {
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
        if look(other, &at, self.reading)? != Some(was) {
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
        if look(self.root, path, self.reading)? != was {
            return Err(Obstacle::Changed);
        }
        let old = self.root.lstat(path).ok();
        Ok(self.root.set_mode(path, self.bits(old, now.form))?)
    }

    /// On another file system things can only be copied.
    fn keep_copies(&self, was: &[(String, Item)]) -> Result<(), Obstacle> {
        for (path, item) in was {
            make_folders(&self.kept, path)?;
            match copy(self.root, path, &self.kept, path, *item, with_form(0o644, item.form)) {
                Err(Obstacle::Copied) => return Err(Obstacle::Changed),
                copied => drop(copied?),
            }
        }
        Ok(self.kept.sync_all()?)
    }
}

/// Whether one file takes the place of one file.
fn was_one(action: &Action) -> bool {
    !matches!(action, Action::Replace { .. })
}
