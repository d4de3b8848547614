//! Looking at both sides without reading what was read before.

use std::{thread, time::SystemTime};

use super::{
    ConduitError,
    found::Found,
    index::{Index, SHORT_SLACK_NS},
    made::Made,
    memory::Base,
    ready::Ready,
    scan::{Known, Scan, scan},
    tip::Tip,
};
use crate::plan::conduit::Side;

/// What is known of the files of both sides before they are looked at.
pub struct Recall {
    known: [Known; 2],
    /// The moment before which it was read, in nanoseconds since 1970.
    begun_ns: i64,
    /// What earlier syncs stored.
    is_stored: bool,
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
        }
    }

    /// What `found` saw and then this sync made.
    pub fn after(found: &Found, made: [Made; 2]) -> Self {
        let mut sides = found.scans.iter().zip(made);
        let mut known = || {
            let (scan, made) = sides.next().expect("there are two sides");
            let index = Index::of(scan, SHORT_SLACK_NS);
            Known { index, made }
        };
        Recall {
            known: [known(), known()],
            begun_ns: found.scans[0].begun_ns.max(found.scans[1].begun_ns),
            is_stored: false,
        }
    }

    /// The base, and both sides as they are: looked at at the same time.
    pub fn scan(&self, ready: &Ready<'_>, tip: Option<&Tip>) -> Result<(Base, [Scan; 2]), ConduitError> {
        let _span = tracing::info_span!("scan").entered();
        let (rules, ends, roots, reading) = (&ready.rules, &ready.ends, ready.roots(), ready.reading(tip));
        let list = |side: Side| {
            let known = &self.known[side as usize];
            roots[side as usize].map(|root| scan(root, reading, (rules, ends), known, self.begun_ns))
        };
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
        let files = scan.seen.len();
        self.is_stored && scan.known == files && self.known[side as usize].index.len() == files
    }
}

/// Since 1970.
pub fn nanoseconds(time: SystemTime) -> i64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}
