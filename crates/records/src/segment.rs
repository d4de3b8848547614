//! The text of a part of a log, schema 1: a line that says whose it is, and a line for each entry.
//!
//! ```text
//! {"schema":1,"device":"…","devices":["…","…"]}
//! {"s":17,"t":"0190a1b2c3d40000","m":"tag","k":["API-T-0001","urgent"],"f":"","v":true,"o":[[1,12]]}
//! ```
//!
//! `s` is the sequence number, `t` the stamp, `m`, `k` and `f` are model, key and field, `v` is the value, which a removal has
//! not, and `o` the dots that are replaced, each as a place in `devices`, counted from 0, and a sequence number. `f` may be
//! missing where it is empty, `o` where nothing is replaced.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::{
    Cell, DeviceId, Dot, Entry,
    entry::{self, Improper},
};

/// The schema that is written and read.
pub const SCHEMA: u32 = 1;
/// How many entries a segment has at most.
pub const MAX_ENTRIES: usize = 500;
/// How long its text is at most, in bytes.
pub const MAX_BYTES: usize = 64 << 10;
/// How long one line is at most.
pub const MAX_LINE: usize = 48 << 10;
/// How many devices a head names at most.
const MAX_DEVICES: usize = 4096;
/// What a head needs, but for the devices that it names, and what each of those needs.
const HEAD_BYTES: usize = 64;
const DEVICE_BYTES: usize = 19;

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    schema: u32,
    device: DeviceId,
    devices: Vec<DeviceId>,
}

/// What every schema's head has.
#[derive(Deserialize)]
struct AnyHead {
    schema: u32,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    s: u64,
    t: String,
    m: String,
    k: Vec<String>,
    #[serde(default)]
    f: String,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    v: Option<Value>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    o: Vec<(usize, u64)>,
}

/// A value that is there, `null` too: it is told from one that is not.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

/// Why a line of a segment does not count, nor what is behind it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// It is longer than it may be.
    #[error("a line or a file that is too long")]
    TooLong,
    /// It is not what a line has to be.
    #[error("a line that cannot be read")]
    Unreadable,
    /// A later program wrote it.
    #[error("schema {0}, which a later version writes")]
    Schema(u32),
    /// The head is another device's, or names too many.
    #[error("a head of another log")]
    Head,
    /// A replaced dot is of a device that the head does not name.
    #[error("a device that the head does not name")]
    Device,
    /// It is no entry.
    #[error(transparent)]
    Entry(#[from] Improper),
}

/// What a segment has, as far as it is sound.
#[derive(Debug, Clone, PartialEq)]
pub struct Parsed {
    /// The entries before the fault.
    pub entries: Vec<Entry>,
    /// What is wrong behind them.
    pub fault: Option<Fault>,
}

/// Reads a segment of `device`'s log.
pub fn parse(text: &[u8], device: DeviceId) -> Parsed {
    let mut entries = Vec::new();
    let mut lines = text.split(|byte| *byte == b'\n');
    let devices = match head(lines.next().unwrap_or_default(), device) {
        Ok(devices) => devices,
        Err(fault) => {
            return Parsed {
                entries,
                fault: Some(fault),
            };
        }
    };
    // What is behind the last line feed is a line that was cut off, or nothing.
    let mut lines = lines.peekable();
    while let Some(line) = lines.next() {
        let fault = match line_of(line, device, &devices) {
            _ if lines.peek().is_none() && line.is_empty() => break,
            _ if lines.peek().is_none() => Fault::Unreadable,
            Ok(entry) => {
                entries.push(entry);
                continue;
            }
            Err(fault) => fault,
        };
        return Parsed {
            entries,
            fault: Some(fault),
        };
    }
    Parsed { entries, fault: None }
}

fn head(line: &[u8], device: DeviceId) -> Result<Vec<DeviceId>, Fault> {
    let any: AnyHead = serde_json::from_slice(line).map_err(|_| Fault::Unreadable)?;
    if any.schema != SCHEMA {
        return Err(Fault::Schema(any.schema));
    }
    let head: Head = serde_json::from_slice(line).map_err(|_| Fault::Unreadable)?;
    match head.device == device && head.devices.len() <= MAX_DEVICES {
        true => Ok(head.devices),
        false => Err(Fault::Head),
    }
}

fn line_of(line: &[u8], device: DeviceId, devices: &[DeviceId]) -> Result<Entry, Fault> {
    if line.len() > MAX_LINE {
        return Err(Fault::TooLong);
    }
    let line: Line = serde_json::from_slice(line).map_err(|_| Fault::Unreadable)?;
    if line.o.len() > entry::MAX_OVER {
        return Err(Improper::Over.into());
    }
    let over = line.o.iter().map(|(place, seq)| {
        let device = *devices.get(*place).ok_or(Fault::Device)?;
        Ok(Dot { device, seq: *seq })
    });
    let entry = Entry {
        seq: line.s,
        stamp: line.t.parse().map_err(|_| Fault::Unreadable)?,
        over: over.collect::<Result<_, Fault>>()?,
        cell: Cell {
            model: line.m,
            key: line.k,
            field: line.f,
        },
        value: line.v,
    };
    entry.check(device)?;
    Ok(entry)
}

/// How much a line needs at most, for those who look before they write.
pub fn line_bytes(entry: &Entry) -> usize {
    let over = entry.over.iter().map(|dot| (MAX_DEVICES, dot.seq));
    written(entry, over.collect()).len()
}

fn written(entry: &Entry, o: Vec<(usize, u64)>) -> String {
    let line = Line {
        s: entry.seq,
        t: entry.stamp.to_string(),
        m: entry.cell.model.clone(),
        k: entry.cell.key.clone(),
        f: entry.cell.field.clone(),
        v: entry.value.clone(),
        o,
    };
    serde_json::to_string(&line).unwrap_or_default()
}

/// A segment's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// The sequence number of its first entry, after which it is named.
    pub first: u64,
    /// That of its last one.
    pub last: u64,
    /// What it is.
    pub text: String,
}

impl Segment {
    /// The name of its file.
    pub fn name(&self) -> String {
        name(self.first)
    }
}

/// The name of the segment that begins with `first`.
pub fn name(first: u64) -> String {
    format!("{first:010}.jsonl")
}

/// The entry that a segment of this name begins with.
pub fn first_of(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(".jsonl")?;
    let first = digits
        .bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| digits.parse().ok())??;
    (self::name(first) == name).then_some(first)
}

/// Writes entries of `device`'s log as segments within the limits. The same entries give the same text.
pub fn write(device: DeviceId, entries: &[Entry]) -> Vec<Segment> {
    let mut rest = entries;
    let mut segments = Vec::new();
    while let Some(first) = rest.first() {
        let mut named = BTreeSet::new();
        let mut bytes = HEAD_BYTES;
        let fits = rest.iter().take(MAX_ENTRIES).take_while(|entry| {
            let new = entry.over.iter().filter(|dot| named.insert(dot.device)).count();
            bytes += line_bytes(entry) + 1 + new * DEVICE_BYTES;
            bytes <= MAX_BYTES
        });
        // A single one that names many devices may be too long for it.
        let (here, later) = rest.split_at(fits.count().max(1));
        segments.push(Segment {
            first: first.seq,
            last: here.last().map_or(first.seq, |entry| entry.seq),
            text: text(device, here),
        });
        rest = later;
    }
    segments
}

/// One text for all of these, however long it gets.
pub fn text(device: DeviceId, entries: &[Entry]) -> String {
    let mut devices = Vec::new();
    let mut places = BTreeMap::new();
    let mut lines = String::new();
    for entry in entries {
        let over = entry.over.iter().map(|dot| {
            let place = *places.entry(dot.device).or_insert_with(|| {
                devices.push(dot.device);
                devices.len() - 1
            });
            (place, dot.seq)
        });
        lines.push_str(&written(entry, over.collect()));
        lines.push('\n');
    }
    let head = Head {
        schema: SCHEMA,
        device,
        devices,
    };
    format!("{}\n{lines}", serde_json::to_string(&head).unwrap_or_default())
}

/// How many segments that are not full stand at the end of a log before they are put together.
pub const FOLD: usize = 16;

/// From which segment on a log is to be written anew, so that its many small ones become few. `segments`: the number of entries
/// and bytes of each.
pub fn fold_from(segments: &[(usize, usize)]) -> Option<usize> {
    let is_small = |(entries, bytes): &&(usize, usize)| *entries <= MAX_ENTRIES / 2 && *bytes <= MAX_BYTES / 2;
    let small = segments.iter().rev().take_while(is_small).count();
    (small >= FOLD).then(|| segments.len() - small)
}

#[cfg(test)]
mod tests;
