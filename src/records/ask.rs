//! Questions about records.

use rusqlite::params;
use serde::Serialize;
use shared_records::{Candidate, Cell, DeviceId, Entry, shown, shown::Record};

use super::{Records, RecordsError, rows};
use crate::text::Untrusted;

/// A device whose log is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Device {
    /// Its name.
    pub device: DeviceId,
    /// Who works there.
    pub user: Untrusted,
    /// The workspace there.
    pub prefix: Untrusted,
    /// Up to where its log was taken up.
    pub entries: u64,
    /// Why its log counts no further.
    pub fault: Option<Untrusted>,
    /// The furthest that its clock was ahead of this one, by the stamp, in milliseconds since 1970. 0: it was not.
    pub ahead: u64,
}

/// Where this clone's records stand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Status {
    /// This clone.
    pub device: DeviceId,
    /// What it has written.
    pub written: u64,
    /// How much of that is not in central yet.
    pub unpublished: u64,
    /// Whether central did not take it.
    pub refused: bool,
    /// The others.
    pub devices: Vec<Device>,
}

/// An entry of somebody's log.
#[derive(Debug, Clone, PartialEq)]
pub struct Logged {
    /// Whose.
    pub device: DeviceId,
    /// Who worked there.
    pub user: String,
    /// What.
    pub entry: Entry,
    /// Whether nothing replaces it.
    pub is_live: bool,
}

impl Records {
    /// All shared state, by model, key and field. Clones that have taken up the same logs have the same.
    pub fn list(&self) -> Result<Vec<Record>, RecordsError> {
        self.list_where("1", [])
    }

    /// The same of one model.
    pub fn list_of(&self, model: &str) -> Result<Vec<Record>, RecordsError> {
        self.list_where("e.model = ?1", [model])
    }

    /// Tells of each of several models, in no certain order: of very many none is held for longer.
    pub fn each_of_any(&self, models: &[&str], each: impl FnMut(Record)) -> Result<(), RecordsError> {
        let models = serde_json::to_string(models).unwrap_or_default();
        self.each_where("e.model IN (SELECT value FROM json_each(?1))", [models], each)
    }

    fn list_where(&self, condition: &str, params: impl rusqlite::Params) -> Result<Vec<Record>, RecordsError> {
        let mut records = Vec::new();
        self.each_where(condition, params, |record| records.push(record))?;
        // Not by the text of the keys.
        records.sort_by(|a, b| (&a.model, &a.key, &a.field).cmp(&(&b.model, &b.key, &b.field)));
        Ok(records)
    }

    fn each_where(
        &self,
        condition: &str,
        params: impl rusqlite::Params,
        mut each: impl FnMut(Record),
    ) -> Result<(), RecordsError> {
        let sql = format!(
            "SELECT {}, e.model, e.key, e.field FROM entry e JOIN device d ON d.id = e.device \
             WHERE e.live AND {condition} ORDER BY e.model, e.key, e.field",
            rows::CANDIDATE
        );
        let mut tell = |cell: Cell, candidates: Vec<Candidate>| {
            if let Some(shown) = shown::shown(&cell, candidates) {
                let Cell { model, key, field } = cell;
                each(Record {
                    model,
                    key,
                    field,
                    shown,
                });
            }
        };
        let read = || -> rusqlite::Result<()> {
            let mut query = self.db.prepare_cached(&sql)?;
            let mut found = query.query(params)?;
            let mut last: Option<(Cell, Vec<Candidate>)> = None;
            while let Some(row) = found.next()? {
                let (cell, candidate) = (rows::cell(row, 4)?, rows::candidate(row)?);
                match &mut last {
                    Some((of, candidates)) if *of == cell => candidates.push(candidate),
                    _ => {
                        if let Some((cell, candidates)) = last.replace((cell, vec![candidate])) {
                            tell(cell, candidates);
                        }
                    }
                }
            }
            if let Some((cell, candidates)) = last {
                tell(cell, candidates);
            }
            Ok(())
        };
        read().map_err(|err| self.fail(err))
    }

    /// What a cell shows.
    pub fn get(&self, cell: &Cell) -> Result<Option<shown::Shown>, RecordsError> {
        let candidates = rows::candidates(&self.db, cell).map_err(|err| self.fail(err))?;
        Ok(shown::shown(cell, candidates))
    }

    /// Where this clone's records stand.
    pub fn status(&self) -> Result<Status, RecordsError> {
        let own = self.own_log()?;
        let read = || -> rusqlite::Result<Vec<Device>> {
            let sql = "SELECT name, user, prefix, seq, fault, ahead FROM device WHERE id <> ?1 ORDER BY name";
            let mut query = self.db.prepare_cached(sql)?;
            let devices = query.query_map([self.row], |row| {
                let fault: Option<String> = row.get(4)?;
                let text = |column| row.get::<_, String>(column).map(Untrusted::from);
                Ok(Device {
                    device: rows::device(row, 0)?,
                    user: text(1)?,
                    prefix: text(2)?,
                    entries: row.get::<_, i64>(3)? as u64,
                    fault: fault.map(|fault| {
                        fault
                            .split_once(": ")
                            .map_or(fault.clone(), |(_, why)| why.to_owned())
                            .into()
                    }),
                    ahead: row.get::<_, i64>(5)? as u64,
                })
            })?;
            devices.collect()
        };
        Ok(Status {
            device: self.device,
            written: own.written,
            unpublished: own.written - own.published,
            refused: own.refused > 0,
            devices: read().map_err(|err| self.fail(err))?,
        })
    }

    /// The last entries of all logs, the newest first by their stamps.
    pub fn log(&self, limit: usize) -> Result<Vec<Logged>, RecordsError> {
        let sql = format!(
            "SELECT {}, d.name, d.user, e.live FROM entry e JOIN device d ON d.id = e.device \
             ORDER BY e.stamp DESC, d.name DESC, e.seq DESC LIMIT ?1",
            rows::ENTRY
        );
        let read = || -> rusqlite::Result<Vec<Logged>> {
            let mut query = self.db.prepare_cached(&sql)?;
            let logged = query.query_map(params![limit as i64], |row| {
                Ok(Logged {
                    entry: rows::entry(row)?,
                    device: rows::device(row, 7)?,
                    user: row.get(8)?,
                    is_live: row.get(9)?,
                })
            })?;
            logged.collect()
        };
        read().map_err(|err| self.fail(err))
    }
}
