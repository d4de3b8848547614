//! Entries and cells as rows.

use rusqlite::{Connection, Row, params};
use serde_json::Value;
use shared_records::{Candidate, Cell, DeviceId, Dot, Entry, Stamp};

use crate::text;

/// A number that is small enough.
pub(super) fn int(number: u64) -> i64 {
    number as i64
}

/// A stamp's bits: all 64 of them.
pub(super) fn bits(stamp: Stamp) -> i64 {
    stamp.bits().cast_signed()
}

pub(super) fn stamp(bits: i64) -> Stamp {
    Stamp::from_bits(bits.cast_unsigned())
}

pub(super) fn key(key: &[String]) -> String {
    text::json(&key).unwrap_or_default()
}

pub(super) fn over(over: &[Dot]) -> String {
    let pairs: Vec<(DeviceId, u64)> = over.iter().map(|dot| (dot.device, dot.seq)).collect();
    text::json(&pairs).unwrap_or_default()
}

/// A column with JSON that we wrote.
fn parsed<T: serde::de::DeserializeOwned>(row: &Row<'_>, column: usize) -> rusqlite::Result<T> {
    let text: String = row.get(column)?;
    serde_json::from_str(&text)
        .map_err(|err| rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, Box::new(err)))
}

pub(super) fn device(row: &Row<'_>, column: usize) -> rusqlite::Result<DeviceId> {
    let name: String = row.get(column)?;
    name.parse()
        .map_err(|err| rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, Box::new(err)))
}

/// A cell in three columns.
pub(super) fn cell(row: &Row<'_>, from: usize) -> rusqlite::Result<Cell> {
    Ok(Cell {
        model: row.get(from)?,
        key: parsed(row, from + 1)?,
        field: row.get(from + 2)?,
    })
}

/// What [`entry()`] reads, of `entry e`.
pub(super) const ENTRY: &str = "e.seq, e.stamp, e.model, e.key, e.field, e.value, e.over";

pub(super) fn entry(row: &Row<'_>) -> rusqlite::Result<Entry> {
    let value: Option<String> = row.get(5)?;
    let over: Vec<(DeviceId, u64)> = parsed(row, 6)?;
    Ok(Entry {
        seq: row.get::<_, i64>(0)? as u64,
        stamp: stamp(row.get(1)?),
        cell: cell(row, 2)?,
        value: value.map(|_| parsed(row, 5)).transpose()?,
        over: over.into_iter().map(|(device, seq)| Dot { device, seq }).collect(),
    })
}

/// What [`candidate()`] reads, of `entry e` and its `device d`.
pub(super) const CANDIDATE: &str = "d.name, e.seq, e.stamp, e.value";

pub(super) fn candidate(row: &Row<'_>) -> rusqlite::Result<Candidate> {
    Ok(Candidate {
        dot: Dot {
            device: device(row, 0)?,
            seq: row.get::<_, i64>(1)? as u64,
        },
        stamp: stamp(row.get(2)?),
        value: parsed::<Value>(row, 3)?,
    })
}

/// The candidates of a cell.
pub(super) fn candidates(db: &Connection, cell: &Cell) -> rusqlite::Result<Vec<Candidate>> {
    let sql = format!(
        "SELECT {CANDIDATE} FROM entry e JOIN device d ON d.id = e.device \
         WHERE e.live AND e.model = ?1 AND e.key = ?2 AND e.field = ?3"
    );
    let mut query = db.prepare_cached(&sql)?;
    query
        .query_map(params![cell.model, key(&cell.key), cell.field], candidate)?
        .collect()
}
