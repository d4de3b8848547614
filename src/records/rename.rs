//! A new name for a clone that is a copy, or that has one.

use std::collections::BTreeMap;

use rusqlite::params;
use shared_records::{DeviceId, Dot};

use super::{
    Records, RecordsError, Tx,
    database::{mark_of, new_device, place_of},
    rows,
    tx::now,
};
use crate::state::guard::Guard;

impl Records {
    /// Takes a new name, since this is a copy of the folder that had the old one, or another copy writes under it. What was not
    /// published moves over; the rest is another device's.
    pub(super) fn become_another(&mut self, guard: &mut Guard) -> Result<(), RecordsError> {
        let place = place_of(&self.path)?;
        let device = new_device();
        let mark = mark_of(guard, device.as_str());
        let before = self.device;
        let mut tx = self.tx(now())?;
        let old = tx.device;
        if old != before {
            // Another process took one just now.
            return Ok(());
        }
        let (old_row, published) = tx.standing_row()?;
        let row = tx.row_of(device)?;
        let moved = tx.move_unpublished((old_row, old, published), (row, device))?;
        tx.run(
            "UPDATE device SET seq = ?2 WHERE id = ?1",
            params![old_row, rows::int(published)],
        )?;
        tx.run(
            "UPDATE device SET seq = ?2 WHERE id = ?1",
            params![row, rows::int(moved)],
        )?;
        tx.run(
            "UPDATE own SET device = ?1, mark = ?2, place = ?3, published = 0, sent = 0, route = '', tip = NULL, \
             pending = NULL, refused = 0",
            params![row, mark, place],
        )?;
        tx.run("DELETE FROM segment", [])?;
        tx.run("DELETE FROM published", [])?;
        tx.commit()?;
        (self.device, self.row) = (device, row);
        Ok(())
    }
}

impl Tx<'_> {
    /// This clone's row and what it has published.
    fn standing_row(&self) -> Result<(i64, u64), RecordsError> {
        let read = self.tx.query_row("SELECT device, published FROM own", [], |row| {
            Ok((row.get(0)?, row.get::<_, i64>(1)? as u64))
        });
        read.map_err(|err| self.fail(err))
    }

    /// Gives the unpublished entries of one device to another, which has none, and says how many there are.
    fn move_unpublished(
        &mut self,
        (old_row, old, published): (i64, DeviceId, u64),
        (row, device): (i64, DeviceId),
    ) -> Result<u64, RecordsError> {
        let entries = self.entries_after(old_row, published)?;
        let new: BTreeMap<u64, u64> = entries.iter().map(|entry| entry.seq).zip(1..).collect();
        for entry in &entries {
            // What was dropped is nobody's any more.
            let over = entry
                .over
                .iter()
                .filter_map(|dot| match dot.device == old && dot.seq > published {
                    true => new.get(&dot.seq).map(|seq| Dot { device, seq: *seq }),
                    false => Some(*dot),
                });
            self.run(
                "UPDATE entry SET device = ?3, seq = ?4, over = ?5 WHERE device = ?1 AND seq = ?2",
                params![
                    old_row,
                    rows::int(entry.seq),
                    row,
                    rows::int(new[&entry.seq]),
                    rows::over(&over.collect::<Vec<_>>())
                ],
            )?;
        }
        Ok(entries.len() as u64)
    }
}
