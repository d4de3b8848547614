//! The rounds of a sync: a look at both sides, and one go at what follows from it, until nothing is left to do.
//!
//! A round that somebody else was faster than begins again with central as it is then, after the wait that documents have too.

use std::time::Instant;

use jiff::Timestamp;

use super::{
    ConduitError, Generation, Order, Report, Status, apply::Unsent, found::Found, index::Index, ready::Ready,
    recall::Recall, record::Records, tip::Tip,
};
use crate::{
    central::turn::Turn,
    fs::times::SLACK_NS,
    plan::conduit::{Change, Side},
};

/// How often what is left to do is done before that is an error: files may change while a sync runs.
const ROUNDS: usize = 2;

pub struct Rounds<'a, 't> {
    ready: &'a Ready<'a>,
    order: &'a Order<'t>,
    records: &'a Records<'a>,
    numbers: Vec<u64>,
    /// What the last sync was doing when it was killed.
    killed: Vec<Change>,
    recall: Recall,
    tip: Option<Tip>,
    /// When that was listed.
    begun: Instant,
    last: Option<Generation>,
    /// Held from a lost race to the end of the next try.
    turn: Option<Turn>,
}

impl<'a, 't> Rounds<'a, 't> {
    pub fn new(
        ready: &'a Ready<'a>,
        order: &'a Order<'t>,
        records: &'a Records<'a>,
        (recall, tip): (Recall, Option<Tip>),
        begun: Instant,
    ) -> Result<Self, ConduitError> {
        let numbers = records.numbers()?;
        Ok(Rounds {
            killed: records.killed(&numbers, &ready.defined.definition)?,
            recall,
            ready,
            order,
            records,
            numbers,
            tip,
            begun,
            last: None,
            turn: None,
        })
    }

    pub fn run(mut self, report: &mut Report) -> Result<(), ConduitError> {
        let mut round = 0;
        let mut is_fresh = true;
        loop {
            let mut found = Found::look(
                self.ready,
                self.order,
                self.tip.as_ref(),
                &self.recall,
                &std::mem::take(&mut self.killed),
            )?;
            if is_fresh {
                found.check(self.ready, self.order, self.tip.as_ref())?;
            }
            if self.last.is_none() {
                self.records.close_killed(&self.numbers)?;
            }
            report.conflicts.clone_from(&found.out.conflicts);
            report.skipped = found.skipped();
            report.kept.append(&mut found.rescued);
            if found.out.changes.is_empty() || round == ROUNDS {
                return self.end(report, &found);
            }
            is_fresh = self.go(report, &mut found)?;
            // A lost race is no round: there is another one as long as there are retries.
            round += usize::from(!is_fresh);
        }
    }

    /// Does what was found to be done. Returns whether central was fetched anew, as somebody else was faster.
    fn go(&mut self, report: &mut Report, found: &mut Found) -> Result<bool, ConduitError> {
        let number = self.numbers.last().map_or(1, |last| last + 1);
        let (mut generation, mut applied) = found.apply(self.ready, self.records, number, self.order, &mut self.tip)?;
        self.turn = None;
        self.recall = self.recall.after(found, std::mem::take(&mut applied.made));
        let unsent = applied.unsent.take();
        let was_idle = !applied.done.contains(&true);
        let is_moved = matches!(unsent, Some(Unsent::Moved));
        if is_moved {
            applied.unsent = Some(Unsent::Moved);
        }
        let is_interrupted = applied.interrupted;
        // A go that did nothing leaves its number to the next one.
        if !(is_moved && was_idle) {
            self.numbers.push(number);
        }
        report.add(&generation, applied, std::mem::take(&mut found.out.changes));
        if is_interrupted {
            return Err(self.ready.ends.error());
        }
        if unsent.is_some() {
            generation.status = Status::Failed;
            generation.ended = Some(Timestamp::now().to_string());
            self.records.write(&generation)?;
        }
        self.last = Some(generation);
        match unsent {
            Some(Unsent::Stopped(error)) => Err(*error),
            Some(Unsent::Moved) => self.again(report).map(|()| true),
            None | Some(Unsent::Obstacle(_)) => {
                if self.ready.branch.as_ref().is_some_and(|branch| branch.renewal.is_due()) {
                    self.tip = self.ready.fetch(self.order)?;
                }
                Ok(false)
            }
        }
    }

    /// Waits, and fetches central as it is then.
    fn again(&mut self, report: &mut Report) -> Result<(), ConduitError> {
        if let (Some(branch), Some(tip)) = (&self.ready.branch, &self.tip) {
            self.turn = match branch.wait(tip, report.retries, self.begun, &mut &self.order.told) {
                Ok(turn) => turn,
                Err(Unsent::Stopped(error)) => return Err(*error),
                Err(_) => None,
            };
        }
        report.retries += 1;
        self.begun = Instant::now();
        self.tip = self.ready.fetch(self.order)?;
        Ok(())
    }

    fn end(mut self, report: &mut Report, found: &Found) -> Result<(), ConduitError> {
        report.verified = found.out.changes.is_empty();
        let memory = &self.ready.memory;
        for side in Side::BOTH {
            let scan = &found.scans[side as usize];
            if self.ready.roots()[side as usize].is_some() && !self.recall.is_all_of(scan, side) {
                memory.store_index(side, &Index::of(scan, SLACK_NS, self.recall.index(side)))?;
            }
        }
        if let Some(tip) = &self.tip {
            memory.store_head(tip.snapshot.head)?;
        }
        memory.store_mounts(&self.ready.mounts().with(&found.scans))?;
        found.move_base(self.ready, &[])?;
        report.close(
            self.records,
            self.last.take(),
            found,
            self.ready.format(self.tip.as_ref()),
        )
    }
}
