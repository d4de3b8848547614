//! The only way to write records: stamp, entry, what is shown, and the outbox in one transaction.

use rusqlite::{OptionalExtension, Transaction, TransactionBehavior, params};
use serde_json::Value;
use shared_records::{
    Candidate, Cell, Cells, Clock, DeviceId, Dot, Entry, Stamp, clock::Received, entry, segment, shown,
};

use super::{Records, RecordsError, rows};
use crate::{
    cache::CacheError,
    lock_order::{self, Rank},
    text,
};

/// A transaction. What was written in it is there once it is [committed](Tx::commit), and never was if it is not.
pub struct Tx<'r> {
    pub(super) tx: Transaction<'r>,
    path: &'r std::path::Path,
    pub(super) device: DeviceId,
    /// This clone's row.
    pub(super) row: i64,
    pub(super) clock: Clock,
    /// Milliseconds since 1970.
    pub(super) now: u64,
    _held: lock_order::Held,
}

/// Milliseconds since 1970, by this machine's clock.
pub fn now() -> u64 {
    jiff::Timestamp::now().as_millisecond().max(0) as u64
}

impl Records {
    /// Begins a transaction at `now`, in milliseconds since 1970. Others wait for its end.
    pub fn tx(&mut self, now: u64) -> Result<Tx<'_>, RecordsError> {
        let _held = lock_order::hold(Rank::Database);
        let Records {
            db, path, device, row, ..
        } = self;
        let fail = |err| CacheError::sqlite(path.as_path(), err);
        let tx = db
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(fail)?;
        // Another process may have given this clone a new name.
        let own = "SELECT o.clock, d.id, d.name FROM own o JOIN device d ON d.id = o.device";
        let clock: i64;
        (clock, *row, *device) = tx
            .query_row(own, [], |row| Ok((row.get(0)?, row.get(1)?, rows::device(row, 2)?)))
            .map_err(fail)?;
        Ok(Tx {
            tx,
            path,
            device: *device,
            row: *row,
            clock: Clock::resume(rows::stamp(clock)),
            now,
            _held,
        })
    }
}

impl Tx<'_> {
    /// Writes `value` over everything that is seen in `cell`. `None`: it shows just that already, so there is nothing to write.
    pub fn put(&mut self, cell: &Cell, value: Value) -> Result<Option<Dot>, RecordsError> {
        if !shown::takes(cell, &value) {
            return Err(RecordsError::WrongKind);
        }
        let candidates = self.candidates(cell)?;
        if matches!(candidates.as_slice(), [only] if only.value == value) {
            return Ok(None);
        }
        self.write(cell, Some(value), candidates).map(Some)
    }

    /// Takes away what is seen in `cell`. `None`: that is nothing.
    pub fn remove(&mut self, cell: &Cell) -> Result<Option<Dot>, RecordsError> {
        let candidates = self.candidates(cell)?;
        match candidates.is_empty() {
            true => Ok(None),
            false => self.write(cell, None, candidates).map(Some),
        }
    }

    fn write(&mut self, cell: &Cell, value: Option<Value>, seen: Vec<Candidate>) -> Result<Dot, RecordsError> {
        let seq = self.seq(self.row)? + 1;
        let entry = Entry {
            seq,
            stamp: self.clock.tick(self.now)?,
            cell: cell.clone(),
            value,
            over: seen
                .into_iter()
                .map(|candidate| candidate.dot)
                .take(entry::MAX_OVER)
                .collect(),
        };
        entry.check(self.device)?;
        if segment::line_bytes(&entry) > segment::MAX_LINE {
            return Err(RecordsError::TooLong);
        }
        self.take(self.row, self.device, &entry)?;
        self.run(
            "UPDATE device SET seq = ?2 WHERE id = ?1",
            params![self.row, rows::int(seq)],
        )?;
        Ok(Dot {
            device: self.device,
            seq,
        })
    }

    /// What is seen in `cell`.
    pub fn candidates(&self, cell: &Cell) -> Result<Vec<Candidate>, RecordsError> {
        rows::candidates(&self.tx, cell).map_err(|err| self.fail(err))
    }

    /// Makes it last.
    pub fn commit(self) -> Result<(), RecordsError> {
        let clock = rows::bits(self.clock.last());
        self.run("UPDATE own SET clock = ?1", params![clock])?;
        let path = self.path;
        self.tx.commit().map_err(|err| CacheError::sqlite(path, err).into())
    }

    /// Takes up an entry, of this clone or of another. One that is there already changes nothing.
    pub(super) fn take(&mut self, row: i64, device: DeviceId, entry: &Entry) -> Result<(), RecordsError> {
        let added = self.run(
            "INSERT OR IGNORE INTO entry (device, seq, stamp, model, key, field, value, over, live) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 0)",
            params![
                row,
                rows::int(entry.seq),
                rows::bits(entry.stamp),
                entry.cell.model,
                rows::key(&entry.cell.key),
                entry.cell.field,
                entry.value.as_ref().map(text::json).transpose().unwrap_or_default(),
                rows::over(&entry.over),
            ],
        )?;
        if added == 0 {
            return Ok(());
        }
        shared_records::apply(self, device, entry)?;
        self.run(
            "DELETE FROM replaced WHERE device = ?1 AND seq = ?2",
            params![row, rows::int(entry.seq)],
        )?;
        Ok(())
    }

    /// Takes note of the stamp of somebody else's entry. One that is too far ahead counts, and is remembered.
    pub(super) fn hear(&mut self, row: i64, stamp: Stamp) -> Result<(), RecordsError> {
        if self.clock.receive(stamp, self.now) == Received::TooFarAhead {
            let millis = rows::int(stamp.millis());
            self.run(
                "UPDATE device SET ahead = max(ahead, ?2) WHERE id = ?1",
                params![row, millis],
            )?;
        }
        Ok(())
    }

    /// The row of a device, made if it is not there.
    pub(super) fn row_of(&self, device: DeviceId) -> Result<i64, RecordsError> {
        if device == self.device {
            return Ok(self.row);
        }
        let find = || -> rusqlite::Result<i64> {
            let mut query = self.tx.prepare_cached("SELECT id FROM device WHERE name = ?1")?;
            if let Some(row) = query.query_row([device.as_str()], |row| row.get(0)).optional()? {
                return Ok(row);
            }
            self.tx
                .execute("INSERT INTO device (name) VALUES (?1)", [device.as_str()])?;
            Ok(self.tx.last_insert_rowid())
        };
        find().map_err(|err| self.fail(err))
    }

    /// Up to where a device's log was taken up.
    pub(super) fn seq(&self, row: i64) -> Result<u64, RecordsError> {
        let read = || -> rusqlite::Result<i64> {
            let mut query = self.tx.prepare_cached("SELECT seq FROM device WHERE id = ?1")?;
            query.query_row([row], |row| row.get(0))
        };
        read().map(|seq| seq as u64).map_err(|err| self.fail(err))
    }

    /// Runs a statement, and says how many rows it changed.
    pub(super) fn run(&self, sql: &str, params: impl rusqlite::Params) -> Result<usize, RecordsError> {
        let run = || self.tx.prepare_cached(sql)?.execute(params);
        run().map_err(|err| self.fail(err))
    }

    pub(super) fn fail(&self, err: rusqlite::Error) -> RecordsError {
        CacheError::sqlite(self.path, err).into()
    }
}

impl Cells for Tx<'_> {
    type Error = RecordsError;

    fn is_replaced(&self, dot: Dot) -> Result<bool, RecordsError> {
        let row = self.row_of(dot.device)?;
        let find = || {
            let mut query = self
                .tx
                .prepare_cached("SELECT 1 FROM replaced WHERE device = ?1 AND seq = ?2")?;
            query.exists(params![row, rows::int(dot.seq)])
        };
        find().map_err(|err| self.fail(err))
    }

    fn replace(&mut self, dot: Dot) -> Result<(), RecordsError> {
        let row = self.row_of(dot.device)?;
        let at = params![row, rows::int(dot.seq)];
        let here = self.run("UPDATE entry SET live = 0 WHERE device = ?1 AND seq = ?2", at)?;
        // What was taken up and is not here any more was dropped, and does not come again.
        if here == 0 && dot.seq > self.seq(row)? {
            self.run("INSERT OR IGNORE INTO replaced (device, seq) VALUES (?1, ?2)", at)?;
        }
        Ok(())
    }

    fn add(&mut self, _: &Cell, candidate: Candidate) -> Result<(), RecordsError> {
        let row = self.row_of(candidate.dot.device)?;
        let at = params![row, rows::int(candidate.dot.seq)];
        self.run("UPDATE entry SET live = 1 WHERE device = ?1 AND seq = ?2", at)?;
        Ok(())
    }

    fn up_to(&self, device: DeviceId, floor: u64) -> Result<Vec<Dot>, RecordsError> {
        let row = self.row_of(device)?;
        let find = || {
            let mut query = self
                .tx
                .prepare_cached("SELECT seq FROM entry WHERE device = ?1 AND seq <= ?2 AND live")?;
            let seqs = query.query_map(params![row, rows::int(floor)], |row| row.get::<_, i64>(0))?;
            seqs.map(|seq| {
                Ok(Dot {
                    device,
                    seq: seq? as u64,
                })
            })
            .collect::<Result<Vec<_>, rusqlite::Error>>()
        };
        find().map_err(|err| self.fail(err))
    }
}
