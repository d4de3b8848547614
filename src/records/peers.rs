//! The others' logs, taken up in batches.

use std::collections::BTreeMap;

use rusqlite::params;
use shared_records::{
    DeviceId, Entry,
    log::{Reading, Since},
};

use super::{Records, RecordsError, Tx, rows};
use crate::names::ObjectId;

/// So many entries are taken up in one transaction: whoever is killed has taken up those before.
pub const BATCH: usize = 500;

/// A fault counts for the version that found it: a later one may know better.
const VERSION: &str = env!("CARGO_PKG_VERSION");

impl Records {
    /// The commits that the others' logs were taken up to.
    pub fn tips(&self) -> Result<BTreeMap<DeviceId, ObjectId>, RecordsError> {
        let read = || -> rusqlite::Result<Vec<(String, String)>> {
            let mut query = self.db.prepare_cached(
                "SELECT name, tip FROM device WHERE tip IS NOT NULL AND (fault IS NULL OR fault LIKE ?1 || ': %')",
            )?;
            query
                .query_map([VERSION], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect()
        };
        let tips = read().map_err(|err| self.fail(err))?;
        let parse = |(name, tip): (String, String)| Some((name.parse().ok()?, tip.parse().ok()?));
        Ok(tips.into_iter().filter_map(parse).collect())
    }

    /// How much of a device's log was taken up.
    pub fn since(&self, device: DeviceId) -> Result<Since, RecordsError> {
        let read = || -> rusqlite::Result<Since> {
            let mut query = self
                .db
                .prepare_cached("SELECT seq, floor FROM device WHERE name = ?1")?;
            let mut rows = query.query([device.as_str()])?;
            Ok(match rows.next()? {
                Some(row) => Since {
                    seq: row.get::<_, i64>(0)? as u64,
                    floor: row.get::<_, i64>(1)? as u64,
                },
                None => Since::default(),
            })
        };
        read().map_err(|err| self.fail(err))
    }

    /// Takes up what is new in a device's log, as its ref has it at `tip`. `now`: milliseconds since 1970.
    pub fn take_up(
        &mut self,
        device: DeviceId,
        reading: &Reading,
        tip: ObjectId,
        now: u64,
        mut between: impl FnMut(),
    ) -> Result<(), RecordsError> {
        for batch in reading.entries.chunks(BATCH) {
            let mut tx = self.tx(now)?;
            tx.take_batch(device, batch)?;
            tx.commit()?;
            between();
        }
        let mut tx = self.tx(now)?;
        tx.finish(device, reading, tip)?;
        tx.commit()
    }
}

impl Tx<'_> {
    pub(super) fn take_batch(&mut self, device: DeviceId, batch: &[Entry]) -> Result<(), RecordsError> {
        let row = self.row_of(device)?;
        for entry in batch {
            self.take(row, device, entry)?;
            self.hear(row, entry.stamp)?;
        }
        let last = batch.last().map_or(0, |entry| entry.seq);
        self.run(
            "UPDATE device SET seq = max(seq, ?2) WHERE id = ?1",
            params![row, rows::int(last)],
        )?;
        Ok(())
    }

    /// What counts once all entries are there.
    fn finish(&mut self, device: DeviceId, reading: &Reading, tip: ObjectId) -> Result<(), RecordsError> {
        let row = self.row_of(device)?;
        if let (Some(kept), Some(about)) = (&reading.kept, &reading.about) {
            shared_records::forget(self, device, about.floor, kept)?;
            let floor = rows::int(about.floor);
            let kept: Vec<u64> = kept.iter().copied().collect();
            self.run(
                "DELETE FROM entry WHERE device = ?1 AND seq <= ?2 AND seq NOT IN (SELECT value FROM json_each(?3))",
                params![row, floor, serde_json::to_string(&kept).unwrap_or_default()],
            )?;
            self.run(
                "UPDATE device SET floor = ?2, seq = max(seq, ?2) WHERE id = ?1",
                params![row, floor],
            )?;
        }
        if let Some(about) = &reading.about {
            self.run(
                "UPDATE device SET user = ?2, prefix = ?3, program = ?4 WHERE id = ?1",
                params![row, about.user, about.prefix, about.program],
            )?;
        }
        let fault = reading.fault.as_ref().map(|fault| format!("{VERSION}: {fault}"));
        self.run(
            "UPDATE device SET tip = ?2, fault = ?3 WHERE id = ?1",
            params![row, tip.to_string(), fault],
        )?;
        Ok(())
    }
}
