//! What is found on both sides of a conduit, and doing what follows from it.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::SystemTime,
};

use super::{
    ConduitError, Generation, Order,
    apply::{Applied, Content, Work},
    content::Objects,
    files::Obstacle,
    leftovers::Leftovers,
    memory::Base,
    past::Past,
    publish::Publishing,
    reading::folds,
    ready::Ready,
    recall::Recall,
    record::Records,
    run::run,
    scan::{Scan, Skipped},
    tip::Tip,
};
use crate::{
    fs::times::nanoseconds,
    names::ObjectId,
    plan::conduit::{Change, Item, Mode, Outcome, Policy, Resolution, Side, guard, path_order, reconcile},
    sync::Step,
    text::UntrustedName,
};

/// What was found on both sides, and what follows from it.
pub struct Found {
    pub scans: [Scan; 2],
    base: Base,
    pub out: Resolution,
    /// Where that is which a killed sync took out and nobody had seen, in the conduit's folder.
    pub rescued: Vec<UntrustedName>,
}

impl Found {
    /// `tip`: the side that is a branch; `recall`: what was known before; `killed`: what the last sync was doing when it was killed.
    pub fn look(
        ready: &Ready<'_>,
        order: &Order<'_>,
        tip: Option<&Tip>,
        recall: &Recall,
        killed: &[Change],
    ) -> Result<Self, ConduitError> {
        let now = SystemTime::now();
        let reading = ready.reading(tip);
        let definition = &ready.defined.definition;
        order.told.step(Step::Scanning);
        let (mut base, scans) = recall.scan(ready, tip)?;
        let mut rescued = Vec::new();
        if !order.options.dry_run && scans.iter().any(|scan| !scan.with_temps.is_empty()) {
            let leftovers = Leftovers::of_the_last_sync(ready.memory.dir()?, reading, now)?;
            for (root, scan) in ready.roots().into_iter().zip(&scans) {
                rescued.extend(
                    root.map(|root| leftovers.clear(root, &scan.with_temps))
                        .unwrap_or_default(),
                );
            }
        }
        if !ready.memory.is_forgotten() && base.catch_up(killed, [&scans[0].listing, &scans[1].listing]) {
            ready.memory.store_base(&base.items)?;
        }
        if let (Some(branch), Some(tip)) = (&ready.branch, tip) {
            // What a selective one takes away must be what it brought.
            let removes = definition.mode != Mode::Selective;
            base.ask(branch, tip, &scans[branch.side.other() as usize].listing, removes)?;
        }
        let keeps_name = ready.keeps_name();
        let changed_ns = |side: Side, path: &str| match (ready.roots()[side as usize], tip) {
            (None, Some(tip)) => tip.changed_ns(path),
            (Some(root), _) => scans[side as usize].seen_in(root, path).map(|seen| seen.mtime_ns),
            (None, None) => None,
        };
        let decided = |path: &str| match order.decided.get(path) {
            Some(Outcome::Beside(_)) => Some(Outcome::Beside(keeps_name)),
            decided => decided.copied(),
        };
        let _span = tracing::info_span!("resolve").entered();
        let out = reconcile(
            &base.items,
            [&scans[0].listing, &scans[1].listing],
            &Policy {
                mode: definition.mode,
                on_conflict: definition.on_conflict,
                now_ns: nanoseconds(now),
                changed_ns: &changed_ns,
                keeps_name,
                decided: &decided,
                folds: ready.roots().map(|root| root.is_some_and(folds)),
            },
        );
        Ok(Found {
            scans,
            base,
            out,
            rescued,
        })
    }

    pub fn check(&self, ready: &Ready<'_>, order: &Order<'_>, tip: Option<&Tip>) -> Result<(), ConduitError> {
        if let (Some(branch), Some(tip), false) = (&ready.branch, tip, order.accept_first)
            && self.out.changes.iter().any(|change| change.side == branch.side)
        {
            ready.check_writer(branch, tip)?;
        }
        if !order.accept_deletes
            && let now = ready.mounts().with(&self.scans)
            && let Some((side, folder)) = ready.memory.mounts().lost_inside(&now, &ready.rules)
        {
            let inside = Some(folder.into());
            return Err(ConduitError::Unmounted { side, inside });
        }
        let listings = [&self.scans[0].listing, &self.scans[1].listing];
        match guard::check(
            &self.out,
            &self.base.items,
            listings,
            ready.defined.definition.mode,
            self.base.is_first,
        ) {
            Some(guard::Stop::FirstMirror { .. }) if order.accept_first => {}
            Some(stop) if !order.accept_deletes || matches!(stop, guard::Stop::FirstMirror { .. }) => {
                return Err(ConduitError::Stopped(stop));
            }
            _ => {}
        }
        // Whatever is to be decided must be there to be decided.
        let is_there = |path: &&String| !self.out.conflicts.iter().any(|conflict| conflict.path == **path);
        let idle = |path: &&String| is_there(path) && !self.out.changes.iter().any(|change| change.path == **path);
        match order.decided.keys().find(idle) {
            Some(path) => Err(ConduitError::NotWaiting(path.clone())),
            None => self.past(ready, tip).map(drop),
        }
    }

    /// What comes and neither side has any more, by path and content: it must be somewhere else.
    fn past<'a>(
        &self,
        ready: &'a Ready<'_>,
        tip: Option<&Tip>,
    ) -> Result<BTreeMap<(&str, ObjectId), Content<'a>>, ConduitError> {
        let mut found = BTreeMap::new();
        let mut past = None;
        for change in &self.out.changes {
            for (path, item) in change.paths().1 {
                if self.holder(change, path, item).is_some() {
                    continue;
                }
                let past = match &mut past {
                    Some(past) => past,
                    none => none.insert(Past::of(ready, tip)?),
                };
                let content = past.content(path, item);
                found.insert(
                    (path, item.id),
                    content.ok_or_else(|| ConduitError::NoBase(path.into()))?,
                );
            }
        }
        Ok(found)
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
        tip: &mut Option<Tip>,
    ) -> Result<(Generation, Applied), ConduitError> {
        self.check_room(ready)?;
        let definition = &ready.defined.definition;
        let mut generation = Generation {
            conflicts: self.out.conflicts.clone(),
            ..Generation::new(number, order.options.trigger.clone(), definition)
        };
        generation.begins(&self.scans, ready.format(tip.as_ref()))?;
        records.write_changes(number, &self.out.changes)?;
        records.write(&generation)?;
        let roots = ready.roots();
        let objects = Objects::of(tip.as_ref());
        let past = self.past(ready, tip.as_ref())?;
        let source = |change: &Change, path: &str, item: Item| match self.holder(change, path, item) {
            Some(side) => match roots[side as usize] {
                Some(root) => Ok(Content::File(root, path.to_owned())),
                None => objects.read(item.id).map(Content::Bytes),
            },
            None => past.get(&(path, item.id)).cloned().ok_or(Obstacle::Copied),
        };
        let work = Work {
            roots,
            reading: ready.reading(tip.as_ref()),
            memory: ready.memory.dir()?,
            generation: number,
            changes: &self.out.changes,
            source: &source,
            transfers: definition.parallel_transfers as usize,
            ends: &ready.ends,
        };
        let mut commit = None;
        let mut publish = |changes: &[&Change]| {
            if let (Some(branch), Some(tip)) = (&ready.branch, tip.as_mut()) {
                let publishing = Publishing {
                    branch,
                    memory: work.memory,
                    generation: number,
                    source: &source,
                    writer: ready.writer(),
                };
                commit = publishing.send(tip, changes)?;
            }
            Ok(vec![None; changes.len()])
        };
        let applied = run(&work, order, &mut publish, records, &mut generation)?;
        if let (Some(branch), Some(tip)) = (&ready.branch, tip.as_mut()) {
            if objects.is_damaged() {
                branch.renewal.ask();
            }
            if let Some(commit) = commit {
                branch.is_at(tip, commit, &ready.rules, &self.base.items)?;
                generation.commit = Some(commit.to_string());
                records.write(&generation)?;
            }
            // Before the base: one that is older than this does no harm.
            ready.memory.store_head(tip.snapshot.head)?;
        }
        self.move_base(ready, &applied.done)?;
        Ok((generation, applied))
    }

    /// The side that has `item` at `path`.
    pub fn holder(&self, change: &Change, path: &str, item: Item) -> Option<Side> {
        let has = |side: &Side| {
            let at = self.scans[*side as usize].listing.at(path);
            at.is_some_and(|at| at.id == item.id)
        };
        [change.side.other(), change.side].into_iter().find(has)
    }

    /// What both sides have in common now: paths of which every change was made. `done`: those of the changes that were.
    pub fn move_base(&self, ready: &Ready<'_>, done: &[bool]) -> Result<(), ConduitError> {
        let is_news = self.base.is_first || self.base.forgets;
        if !is_news && self.out.agreed.is_empty() && !done.contains(&true) {
            return Ok(());
        }
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
            .map(|(_, change)| change.path.raw())
            .collect();
        for (_, change) in changes().filter(|(at, change)| is_done(*at) && !undone.contains(change.path.raw())) {
            let (was, now) = change.paths();
            for (path, _) in was {
                base.remove(path);
            }
            base.extend(now);
        }
        let mut items: Vec<(String, Item)> = base.into_iter().map(|(path, item)| (path.to_owned(), item)).collect();
        items.sort_by(|(a, _), (b, _)| path_order(a, b));
        if is_news || items != self.base.items {
            ready.memory.store_base(&items)?;
        }
        Ok(())
    }
}
