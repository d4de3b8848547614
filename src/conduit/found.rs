//! What is found in both folders of a conduit, and doing what follows from it.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    time::SystemTime,
};

use jiff::Timestamp;

use super::{
    ConduitError, Generation, Order, Status,
    apply::{Applied, Work, apply},
    leftovers::Leftovers,
    memory::Base,
    ready::Ready,
    record::{PerSide, Records, SCHEMA},
    scan::{Scan, Skipped, scan},
};
use crate::{
    fs::Dir,
    plan::conduit::{Change, Item, Mode, Policy, Resolution, Side, guard, path_order, reconcile},
};

/// What was found in both folders, and what follows from it.
pub struct Found {
    pub scans: [Scan; 2],
    base: Base,
    pub out: Resolution,
    mode: Mode,
    /// Where that is which a killed sync took out and nobody had seen, in the conduit's folder.
    pub rescued: Vec<String>,
}

impl Found {
    pub fn look(ready: &Ready<'_>, order: &Order<'_>) -> Result<Self, ConduitError> {
        let now = SystemTime::now();
        let base = ready.memory.base(&ready.rules)?;
        let [alpha, beta] = ready.roots();
        let list = |root, side| scan(root, &ready.rules, &ready.memory.seen(side), now);
        let scans = [list(alpha, Side::Alpha)?, list(beta, Side::Beta)?];
        let mut rescued = Vec::new();
        if !order.dry_run && scans.iter().any(|scan| !scan.with_temps.is_empty()) {
            let leftovers = Leftovers::of_the_last_sync(ready.memory.dir()?, now)?;
            for (root, scan) in [alpha, beta].into_iter().zip(&scans) {
                rescued.extend(leftovers.clear(root, &scan.with_temps));
            }
        }
        let definition = &ready.defined.definition;
        let since = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let out = reconcile(
            &base.items,
            [&scans[0].listing, &scans[1].listing],
            &Policy {
                mode: definition.mode,
                on_conflict: definition.on_conflict,
                now_ns: i64::try_from(since.as_nanos()).unwrap_or(i64::MAX),
                changed_ns: &|side, path| scans[side as usize].times.get(path).copied(),
                decided: &|path| order.decided.get(path).copied(),
                folds: [folds(alpha), folds(beta)],
            },
        );
        Ok(Found {
            scans,
            base,
            out,
            mode: definition.mode,
            rescued,
        })
    }

    pub fn check(&self, order: &Order<'_>) -> Result<(), ConduitError> {
        let listings = [&self.scans[0].listing, &self.scans[1].listing];
        match guard::check(&self.out, &self.base.items, listings, self.mode, self.base.is_first) {
            Some(guard::Stop::FirstMirror { .. }) if order.accept_first => Ok(()),
            Some(stop) if !order.accept_deletes || matches!(stop, guard::Stop::FirstMirror { .. }) => {
                Err(ConduitError::Stopped(stop))
            }
            _ => {
                // Whatever is to be decided must be there to be decided.
                let is_there = |path: &&String| !self.out.conflicts.iter().any(|conflict| conflict.path == **path);
                let idle =
                    |path: &&String| is_there(path) && !self.out.changes.iter().any(|change| change.path == **path);
                match order.decided.keys().find(idle) {
                    Some(path) => Err(ConduitError::NotWaiting(path.clone())),
                    None => Ok(()),
                }
            }
        }
    }

    pub fn skipped(&self) -> Vec<Skipped> {
        let all: BTreeSet<&Skipped> = self.scans.iter().flat_map(|scan| &scan.skipped).collect();
        all.into_iter().cloned().collect()
    }

    /// Writes down what will be done, does it, and moves the base.
    pub fn apply(
        &self,
        ready: &Ready<'_>,
        records: &Records<'_>,
        number: u64,
        order: &Order<'_>,
    ) -> Result<(Generation, Applied), ConduitError> {
        let definition = &ready.defined.definition;
        let mut generation = Generation {
            schema: SCHEMA,
            generation: number,
            started: Timestamp::now().to_string(),
            ended: None,
            trigger: order.trigger.to_owned(),
            digest: definition.digest(),
            mode: definition.mode,
            on_conflict: definition.on_conflict,
            status: Status::Copying,
            copied: PerSide::default(),
            deleted: PerSide::default(),
            conflicts: self.out.conflicts.clone(),
            failed: Vec::new(),
        };
        records.write_changes(number, &self.out.changes)?;
        records.write(&generation)?;
        let roots = ready.roots();
        let work = Work {
            roots,
            memory: ready.memory.dir()?,
            generation: number,
            changes: &self.out.changes,
            source: &|change, path, item| (roots[self.holder(change, path, item) as usize], path.to_owned()),
            transfers: definition.parallel_transfers as usize,
            interrupt: order.interrupt,
        };
        let applied = run(&work, records, &mut generation)?;
        self.move_base(ready, &applied.done)?;
        Ok((generation, applied))
    }

    /// The side that has `item` at `path`.
    fn holder(&self, change: &Change, path: &str, item: Item) -> Side {
        let has = |side: Side| {
            let items = &self.scans[side as usize].listing.items;
            let at = items.binary_search_by(|(other, _)| path_order(other, path));
            at.is_ok_and(|at| items[at].1.id == item.id)
        };
        let across = change.side.other();
        if has(across) { across } else { change.side }
    }

    /// What both sides have in common now: paths of which every change was made. `done`: those of the changes that were.
    pub fn move_base(&self, ready: &Ready<'_>, done: &[bool]) -> Result<(), ConduitError> {
        let known = self.base.items.iter();
        let mut base: BTreeMap<&str, Item> = known.map(|(path, item)| (path.as_str(), *item)).collect();
        for (path, item) in &self.out.agreed {
            match item {
                Some(item) => base.insert(path, *item),
                None => base.remove(path.as_str()),
            };
        }
        let is_done = |at: usize| done.get(at).copied().unwrap_or(false);
        let changes = || self.out.changes.iter().enumerate();
        let undone: BTreeSet<&str> = changes()
            .filter(|(at, _)| !is_done(*at))
            .map(|(_, change)| change.path.as_str())
            .collect();
        for (_, change) in changes().filter(|(at, change)| is_done(*at) && !undone.contains(change.path.as_str())) {
            let (was, now) = change.action.paths(&change.path);
            for (path, _) in was {
                base.remove(path);
            }
            base.extend(now);
        }
        let mut items: Vec<(String, Item)> = base.into_iter().map(|(path, item)| (path.to_owned(), item)).collect();
        items.sort_by(|(a, _), (b, _)| path_order(a, b));
        if self.base.is_first || self.base.forgets || items != self.base.items {
            ready.memory.store_base(&items)?;
        }
        Ok(())
    }
}

/// Does the work, and keeps the record true meanwhile.
pub fn run(work: &Work<'_>, records: &Records<'_>, generation: &mut Generation) -> Result<Applied, ConduitError> {
    let applied = apply(work, &mut |so_far| {
        generation.status = Status::Deleting;
        generation.copied = so_far.copied;
        // Should that fail, what is done is written down at the end.
        let _ = records.write(generation);
    })?;
    generation.status = if applied.interrupted {
        Status::Interrupted
    } else {
        Status::Verifying
    };
    generation.copied = applied.copied;
    generation.deleted = applied.deleted;
    generation.failed.clone_from(&applied.failed);
    records.write(generation)?;
    Ok(applied)
}

/// Whether the folder takes names for one that differ in case only: asked by a name that is there.
fn folds(root: &Dir) -> bool {
    let Ok(entries) = root.list() else { return false };
    let swapped = |name: &str| -> String {
        let swap = |c: char| {
            if c.is_ascii_lowercase() {
                c.to_ascii_uppercase()
            } else {
                c.to_ascii_lowercase()
            }
        };
        name.chars().map(swap).collect()
    };
    let names = || entries.iter().filter_map(|entry| entry.name.to_str());
    let name = names().find(|name| name.chars().any(|c| c.is_ascii_alphabetic()));
    name.is_some_and(|name| {
        let other = swapped(name);
        let inode = |name: &str| root.lstat(Path::new(name)).ok().map(|stat| (stat.device, stat.inode));
        !names().any(|name| name == other) && inode(&other).is_some() && inode(&other) == inode(name)
    })
}
