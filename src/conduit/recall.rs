//! Looking at both sides without reading what was read before.

use std::{cell::Cell, thread, time::SystemTime};

use super::{
    ConduitError,
    found::Found,
    index::{Index, SHORT_SLACK_NS},
    made::Made,
    memory::Base,
    order::Order,
    ready::Ready,
    scan::{Known, Scan, scan},
    tip::Tip,
};
use crate::{fs::times::nanoseconds, names::ObjectFormat, plan::conduit::Side};

/// What is known of the files of both sides before they are looked at.
pub struct Recall {
    known: [Known; 2],
    /// The moment before which it was read, in nanoseconds since 1970.
    begun_ns: i64,
    /// What earlier syncs stored.
    is_stored: bool,
    /// The folder of a conduit whose other side is in central, listed while that was fetched, for contents of this hash.
    ahead: Cell<Option<(ObjectFormat, Scan)>>,
}

impl Recall {
    /// What earlier syncs stored.
    pub fn of_the_last_sync(ready: &Ready<'_>) -> Self {
        let known = |side| Known {
            index: ready.memory.index(side),
            ..Known::default()
        };
        Recall {
            known: Side::BOTH.map(known),
            begun_ns: nanoseconds(SystemTime::now()),
            is_stored: true,
            ahead: Cell::default(),
        }
    }

    /// What `found` saw and then this sync made.
    pub fn after(&self, found: &Found, made: [Made; 2]) -> Self {
        let [alpha, beta] = made;
        let known = |side: Side, made| Known {
            index: Index::of(&found.scans[side as usize], SHORT_SLACK_NS, self.index(side)),
            made,
        };
        Recall {
            known: [known(Side::Alpha, alpha), known(Side::Beta, beta)],
            begun_ns: found.scans[0].begun_ns.max(found.scans[1].begun_ns),
            is_stored: false,
            ahead: Cell::default(),
        }
    }

    /// What is known of a side that was read before.
    pub fn index(&self, side: Side) -> &Index {
        &self.known[side as usize].index
    }

    /// Fetches the branch, and lists the folder at the same time.
    pub fn fetch(&self, ready: &Ready<'_>, order: &Order<'_>) -> Result<Option<Tip>, ConduitError> {
        let (Some(branch), Some(head)) = (&ready.branch, ready.memory.head()) else {
            return ready.fetch(order);
        };
        let side = branch.side.other();
        let (Some(root), reading) = (ready.roots()[side as usize], ready.reading_for(head.format())) else {
            return ready.fetch(order);
        };
        let (rules, ends, known) = (&ready.rules, &ready.ends, &self.known[side as usize]);
        let begun_ns = self.begun_ns;
        thread::scope(|scope| {
            let ahead = scope.spawn(move || scan(root, reading, (rules, ends), known, begun_ns));
            let tip = ready.fetch(order);
            // One that failed fails again, where that is said.
            let ahead = ahead.join().expect("a scan does not panic").ok();
            self.ahead.set(ahead.map(|scan| (reading.format, scan)));
            tip
        })
    }

    /// The base, and both sides as they are: looked at at the same time.
    pub fn scan(&self, ready: &Ready<'_>, tip: Option<&Tip>) -> Result<(Base, [Scan; 2]), ConduitError> {
        let _span = tracing::info_span!("scan").entered();
        let (rules, ends, roots, reading) = (&ready.rules, &ready.ends, ready.roots(), ready.reading(tip));
        let (known, begun_ns) = (&self.known, self.begun_ns);
        let list = |side: Side| {
            let known = &known[side as usize];
            roots[side as usize].map(|root| scan(root, reading, (rules, ends), known, begun_ns))
        };
        if let (Some(branch), Some((format, ahead))) = (&ready.branch, self.ahead.take())
            && format == reading.format
        {
            let branch_side = Scan::of_branch(tip);
            let scans = match branch.side {
                Side::Alpha => [branch_side, ahead],
                Side::Beta => [ahead, branch_side],
            };
            return Ok((ready.memory.base(rules)?, scans));
        }
        let (alpha, base, beta) = thread::scope(|scope| {
            let alpha = scope.spawn(|| list(Side::Alpha));
            let base = ready.memory.base(rules);
            let beta = list(Side::Beta);
            (alpha.join().expect("a scan does not panic"), base, beta)
        });
        let of = |scan: Option<Result<Scan, ConduitError>>| scan.unwrap_or_else(|| Ok(Scan::of_branch(tip)));
        Ok((base?, [of(alpha)?, of(beta)?]))
    }

    /// Whether what was stored answers for all that `scan` saw, and for no more.
    pub fn is_all_of(&self, scan: &Scan, side: Side) -> bool {
        self.is_stored && scan.read.is_empty() && self.index(side).len() == scan.listing.items.len()
    }
}
