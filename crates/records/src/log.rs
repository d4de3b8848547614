//! The files of a device's log, and what of them counts.
//!
//! | file | what |
//! |---|---|
//! | `log.json` | [`About`] |
//! | `0000000101.jsonl` | a [`segment`] that begins with entry 101, never changed once it is there |
//! | `snap.jsonl` | what [compaction](crate::compaction) has kept of the entries up to the floor |
//!
//! Behind the floor the entries follow each other without a gap up to the tip.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{
    DeviceId, Entry,
    segment::{self, Parsed, SCHEMA},
};

/// The file that says whose log it is.
pub const ABOUT: &str = "log.json";
/// The file with what compaction has kept.
pub const KEPT: &str = "snap.jsonl";
/// How long `log.json` may be.
const MAX_ABOUT: usize = 256 << 10;
/// How long what compaction has kept may be.
pub const MAX_KEPT: usize = 16 << 20;
/// How long a segment may be that somebody else has written.
const MAX_SEGMENT: usize = 2 * segment::MAX_BYTES;
/// How much of a log is read at once. What is repeated weighs next to nothing on its way here, so the way is no bound.
pub const MAX_READ: usize = 64 << 20;

/// Whose log it is, and how far it goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// The schema of all files of the log.
    pub schema: u32,
    /// Its device.
    pub device: DeviceId,
    /// Who works there.
    #[serde(default)]
    pub user: String,
    /// The name of the place there, as a workspace's.
    #[serde(default)]
    pub prefix: String,
    /// Which program wrote it.
    #[serde(default)]
    pub program: String,
    /// The last entry.
    pub tip: u64,
    /// Up to where it was compacted.
    #[serde(default)]
    pub floor: u64,
    /// How much of the others' logs the device has taken up.
    #[serde(default)]
    pub seen: BTreeMap<DeviceId, u64>,
}

impl About {
    /// The text of `log.json`.
    pub fn text(&self) -> String {
        format!("{}\n", serde_json::to_string(self).unwrap_or_default())
    }
}

/// How much of a log was taken up before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Since {
    /// Up to which entry.
    pub seq: u64,
    /// Up to where it had been compacted then.
    pub floor: u64,
}

/// What is new in a log.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// Whose it is, where that can be read.
    pub about: Option<About>,
    /// The new entries, in their order.
    pub entries: Vec<Entry>,
    /// Where it was compacted further: what it has kept up to its floor. To be [taken up](crate::forget) after the entries.
    pub kept: Option<BTreeSet<u64>>,
    /// Why it counts no further than this.
    pub fault: Option<Fault>,
}

/// What is wrong with a log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// `log.json` is missing or cannot be read.
    #[error("its log.json cannot be read")]
    About,
    /// A later program wrote it.
    #[error("schema {0}, which a later version of this program writes")]
    Schema(u32),
    /// It is another device's.
    #[error("it is another device's")]
    Foreign,
    /// It has less than before: whoever serves it has lost something. Its owner will bring that again.
    #[error("it ends before entry {0}, which was there before")]
    Behind(u64),
    /// A file has a line that does not count.
    #[error("{file} has {fault}")]
    Segment {
        /// The file.
        file: String,
        /// What is wrong with it.
        fault: segment::Fault,
    },
    /// An entry is missing.
    #[error("entry {0} is missing")]
    Missing(u64),
    /// A file does not begin with the entry that it is named after.
    #[error("{0} is not where its entries belong")]
    Misplaced(String),
    /// There is more new than is read at once.
    #[error("more than {} MiB at once", MAX_READ >> 20)]
    TooMuch,
    /// The entries that were kept are not in their order, or beyond the floor.
    #[error("{KEPT} is out of order")]
    Disorder,
}

/// Reads what is new in `device`'s log. `names`: its files. `load` gets the bytes of one of them, and is asked for those that are
/// needed alone.
pub fn read<E>(
    device: DeviceId,
    names: &BTreeSet<String>,
    since: Since,
    load: impl FnMut(&str) -> Result<Vec<u8>, E>,
) -> Result<Reading, E> {
    read_up_to(MAX_READ, device, names, since, load)
}

fn read_up_to<E>(
    most: usize,
    device: DeviceId,
    names: &BTreeSet<String>,
    since: Since,
    mut load: impl FnMut(&str) -> Result<Vec<u8>, E>,
) -> Result<Reading, E> {
    let mut reading = Reading {
        about: None,
        entries: Vec::new(),
        kept: None,
        fault: None,
    };
    let about = match names.contains(ABOUT) {
        true => about(&load(ABOUT)?, device),
        false => Err(Fault::About),
    };
    let about = match about {
        Ok(about) if about.tip < since.seq || about.floor < since.floor => {
            reading.fault = Some(Fault::Behind(since.seq));
            reading.about = Some(about);
            return Ok(reading);
        }
        Ok(about) => reading.about.insert(about).clone(),
        Err(fault) => {
            reading.fault = Some(fault);
            return Ok(reading);
        }
    };
    if about.floor > since.floor {
        let parsed = match names.contains(KEPT) {
            true => file(KEPT, &load(KEPT)?, device, MAX_KEPT),
            // Nothing was kept.
            false => Ok(Vec::new()),
        };
        match parsed.and_then(|kept| in_order(kept, about.floor)) {
            // What is missing there counts as dropped, so half of it is worse than nothing.
            Err(fault) => {
                reading.fault = Some(fault);
                return Ok(reading);
            }
            Ok(kept) => {
                reading.kept = Some(kept.iter().map(|entry| entry.seq).collect());
                reading.entries = kept.into_iter().filter(|entry| entry.seq > since.seq).collect();
            }
        }
    }
    let next = since.seq.max(about.floor) + 1;
    reading.fault = follow(&mut reading.entries, device, names, next..=about.tip, most, load)?;
    Ok(reading)
}

/// Takes up the segments from one entry to another.
fn follow<E>(
    entries: &mut Vec<Entry>,
    device: DeviceId,
    names: &BTreeSet<String>,
    wanted: std::ops::RangeInclusive<u64>,
    mut most: usize,
    mut load: impl FnMut(&str) -> Result<Vec<u8>, E>,
) -> Result<Option<Fault>, E> {
    let (mut next, tip) = wanted.into_inner();
    // By number: their names are not in order any more when they get longer.
    let segments: BTreeMap<u64, &String> = names
        .iter()
        .filter_map(|name| Some((segment::first_of(name)?, name)))
        .collect();
    let from = segments.range(..=next).next_back().map_or(next, |(first, _)| *first);
    for (first, name) in segments.range(from..) {
        if next > tip {
            break;
        }
        let text = load(name)?;
        let Some(left) = most.checked_sub(text.len()) else {
            return Ok(Some(Fault::TooMuch));
        };
        most = left;
        let parsed = parsed(&text, device, MAX_SEGMENT);
        // One text under many names would be read as often.
        if parsed.entries.first().is_some_and(|entry| entry.seq != *first) {
            return Ok(Some(Fault::Misplaced((*name).clone())));
        }
        let before = next;
        for entry in parsed.entries {
            if entry.seq > next {
                return Ok(Some(Fault::Missing(next)));
            }
            if entry.seq == next && next <= tip {
                next += 1;
                entries.push(entry);
            }
        }
        if let Some(fault) = parsed.fault {
            let file = (*name).clone();
            return Ok(Some(Fault::Segment { file, fault }));
        }
        // What brings nothing is read no further times.
        if next == before {
            break;
        }
    }
    Ok((next <= tip).then_some(Fault::Missing(next)))
}

fn about(text: &[u8], device: DeviceId) -> Result<About, Fault> {
    #[derive(Deserialize)]
    struct Any {
        schema: u32,
    }
    if text.len() > MAX_ABOUT {
        return Err(Fault::About);
    }
    let any: Any = serde_json::from_slice(text).map_err(|_| Fault::About)?;
    if any.schema != SCHEMA {
        return Err(Fault::Schema(any.schema));
    }
    let about: About = serde_json::from_slice(text).map_err(|_| Fault::About)?;
    let is_sound = about.floor <= about.tip && about.tip <= crate::entry::MAX_SEQ;
    match about.device == device {
        true if is_sound => Ok(about),
        true => Err(Fault::About),
        false => Err(Fault::Foreign),
    }
}

fn parsed(text: &[u8], device: DeviceId, limit: usize) -> Parsed {
    match text.len() <= limit {
        true => segment::parse(text, device),
        false => Parsed {
            entries: Vec::new(),
            fault: Some(segment::Fault::TooLong),
        },
    }
}

fn file(name: &str, text: &[u8], device: DeviceId, limit: usize) -> Result<Vec<Entry>, Fault> {
    let Parsed { entries, fault } = parsed(text, device, limit);
    match fault {
        None => Ok(entries),
        Some(fault) => Err(Fault::Segment {
            file: name.to_owned(),
            fault,
        }),
    }
}

fn in_order(kept: Vec<Entry>, floor: u64) -> Result<Vec<Entry>, Fault> {
    let is_sorted = kept.is_sorted_by(|a, b| a.seq < b.seq);
    match is_sorted && kept.last().is_none_or(|entry| entry.seq <= floor) {
        true => Ok(kept),
        false => Err(Fault::Disorder),
    }
}

#[cfg(test)]
mod tests;
