//! What is to be published: the own log's files, of which only those that are new have a text.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::params;
use shared_records::{
    DeviceId, Dot, Entry, clock, compaction,
    log::{ABOUT, About},
    segment::SCHEMA,
};

use super::{OwnLog, Part, Records, RecordsError, Tx, files, rows, tx::now};
use crate::{cache::database::snapshot, names::ObjectId};

/// From this number of entries on that could go, a log is compacted.
pub const COMPACT_FROM: usize = 500;

/// Who publishes.
#[derive(Debug, Clone, Default)]
pub struct Publisher {
    /// Who works here.
    pub user: String,
    /// The workspace.
    pub prefix: String,
    /// The program.
    pub program: String,
}

/// A file of the log that is to be published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Its name.
    pub name: String,
    /// Its first entry and its last. `None`: it is `log.json`.
    pub range: Option<(u64, u64)>,
    /// What it is.
    pub text: Text,
}

/// A file's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Text {
    /// It has this one.
    New(String),
    /// It is as it was published.
    Published(Part),
}

/// A log that is to be published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// Whose.
    pub device: DeviceId,
    /// Its last entry.
    pub seq: u64,
    /// Up to where it is compacted.
    pub floor: u64,
    /// What is not in it any more.
    pub dropped: Vec<u64>,
    /// All its files.
    pub files: Vec<File>,
}

impl Records {
    /// What there is to publish. `None`: nothing.
    pub fn draft(&mut self, publisher: &Publisher, compact_from: usize) -> Result<Option<Draft>, RecordsError> {
        let own = self.own_log()?;
        if own.written == own.published {
            return Ok(None);
        }
        self.restamp(&own)?;
        // What others write from here on is in the next draft.
        let _snapshot = snapshot(&self.db).map_err(|err| self.fail(err))?;
        let own = self.own_log()?;
        let all = self.entries_after(self.row, 0)?;
        let dropped = self.droppable(&own, &all, compact_from)?;
        let floor = if dropped.is_empty() { own.floor } else { own.published };
        let left: Vec<Entry> = all.into_iter().filter(|entry| !dropped.contains(&entry.seq)).collect();
        let parts: &[Part] = if dropped.is_empty() { &own.parts } else { &[] };
        let (kept, rest) = left.split_at(left.partition_point(|entry| entry.seq <= floor));
        let mut files = vec![self.about(publisher, &own, floor)?];
        files.extend(files::kept(self.device, kept, floor, parts));
        files.extend(files::segments(self.device, rest, parts));
        Ok(Some(Draft {
            device: self.device,
            seq: own.written,
            floor,
            dropped: dropped.into_iter().collect(),
            files,
        }))
    }

    /// The published entries that may go, if it is worth it.
    fn droppable(&self, own: &OwnLog, all: &[Entry], compact_from: usize) -> Result<BTreeSet<u64>, RecordsError> {
        let published = &all[..all.partition_point(|entry| entry.seq <= own.published)];
        if published.len() < compact_from {
            return Ok(BTreeSet::new());
        }
        let (live, floors) = (self.live()?, self.floors()?);
        let is_here = |row: i64, seq: u64| {
            let query = self
                .db
                .prepare_cached("SELECT 1 FROM entry WHERE device = ?1 AND seq = ?2");
            // In doubt it stays.
            query
                .and_then(|mut query| query.exists(params![row, rows::int(seq)]))
                .unwrap_or(true)
        };
        let is_gone = |dot: Dot| match floors.get(dot.device.as_str()) {
            Some((row, floor)) => dot.seq <= *floor && !is_here(*row, dot.seq),
            None => false,
        };
        let droppable = compaction::droppable(self.device, published, |dot| live.contains(&dot.seq), is_gone);
        Ok(
            match compaction::is_due(published.len(), droppable.len(), compact_from) {
                true => droppable,
                false => BTreeSet::new(),
            },
        )
    }

    /// The own entries that nothing replaces.
    fn live(&self) -> Result<BTreeSet<u64>, RecordsError> {
        let read = || -> rusqlite::Result<BTreeSet<u64>> {
            let mut query = self
                .db
                .prepare_cached("SELECT seq FROM entry WHERE device = ?1 AND live")?;
            let seqs = query.query_map([self.row], |row| Ok(row.get::<_, i64>(0)? as u64))?;
            seqs.collect()
        };
        read().map_err(|err| self.fail(err))
    }

    /// All devices by name: their rows, and up to where their logs were compacted.
    fn floors(&self) -> Result<BTreeMap<String, (i64, u64)>, RecordsError> {
        let read = || -> rusqlite::Result<BTreeMap<String, (i64, u64)>> {
            let mut query = self.db.prepare_cached("SELECT name, id, floor FROM device")?;
            let floors = query.query_map([], |row| Ok((row.get(0)?, (row.get(1)?, row.get::<_, i64>(2)? as u64))))?;
            floors.collect()
        };
        read().map_err(|err| self.fail(err))
    }

    /// `log.json`.
    fn about(&self, publisher: &Publisher, own: &OwnLog, floor: u64) -> Result<File, RecordsError> {
        let read = || -> rusqlite::Result<Vec<(String, i64)>> {
            let mut seen = self
                .db
                .prepare_cached("SELECT name, seq FROM device WHERE id <> ?1 AND seq > 0")?;
            seen.query_map([self.row], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect()
        };
        let seen = read().map_err(|err| self.fail(err))?;
        let seen = seen
            .into_iter()
            .filter_map(|(name, seq)| Some((name.parse().ok()?, seq as u64)));
        let about = About {
            schema: SCHEMA,
            device: self.device,
            user: publisher.user.clone(),
            prefix: publisher.prefix.clone(),
            program: publisher.program.clone(),
            tip: own.written,
            floor,
            seen: seen.collect(),
        };
        Ok(File {
            name: ABOUT.into(),
            range: None,
            text: Text::New(about.text()),
        })
    }

    /// Stamps anew what nobody has seen yet where this machine's clock was ahead when it was written and was put right since.
    fn restamp(&mut self, own: &OwnLog) -> Result<(), RecordsError> {
        let now = now();
        let is_ahead = |entry: &Entry| entry.stamp.is_ahead_of(now);
        if !self.entries_after(self.row, own.sent)?.iter().any(is_ahead) {
            return Ok(());
        }
        let mut tx = self.tx(now)?;
        let row = tx.row;
        let entries = tx.entries_after(row, own.sent)?;
        tx.clock = clock::Clock::resume(tx.last_seen(row, own.sent)?);
        for entry in entries {
            let stamp = rows::bits(tx.clock.tick(now)?);
            tx.run(
                "UPDATE entry SET stamp = ?3 WHERE device = ?1 AND seq = ?2",
                params![row, rows::int(entry.seq), stamp],
            )?;
        }
        tx.commit()
    }

    /// The entries of a device after one of them, in their order.
    pub(super) fn entries_after(&self, row: i64, seq: u64) -> Result<Vec<Entry>, RecordsError> {
        entries_after(&self.db, row, seq).map_err(|err| self.fail(err))
    }
}

impl Tx<'_> {
    /// The entries of a device after one of them, in their order.
    pub(super) fn entries_after(&self, row: i64, seq: u64) -> Result<Vec<Entry>, RecordsError> {
        entries_after(&self.tx, row, seq).map_err(|err| self.fail(err))
    }

    /// The stamp of the last entry that somebody may have seen, or of the last of anybody's that this clone's clock has followed.
    fn last_seen(&self, row: i64, sent: u64) -> Result<clock::Stamp, RecordsError> {
        let read = || -> rusqlite::Result<Vec<i64>> {
            let mut query = self
                .tx
                .prepare_cached("SELECT stamp FROM entry WHERE device <> ?1 OR seq <= ?2")?;
            query
                .query_map(params![row, rows::int(sent)], |row| row.get(0))?
                .collect()
        };
        let stamps = read().map_err(|err| self.fail(err))?;
        let stamps = stamps
            .into_iter()
            .map(rows::stamp)
            .filter(|stamp| !stamp.is_ahead_of(self.now));
        Ok(stamps.max().unwrap_or_default())
    }
}

fn entries_after(db: &rusqlite::Connection, row: i64, seq: u64) -> rusqlite::Result<Vec<Entry>> {
    let sql = format!(
        "SELECT {} FROM entry e WHERE e.device = ?1 AND e.seq > ?2 ORDER BY e.seq",
        rows::ENTRY
    );
    let mut query = db.prepare_cached(&sql)?;
    query.query_map(params![row, rows::int(seq)], rows::entry)?.collect()
}

impl Draft {
    /// What is noted before it is published, once the texts have their ids, which `blob` knows by their files' names.
    pub fn pending(&self, commit: ObjectId, blob: impl Fn(&str) -> Option<ObjectId>) -> super::Pending {
        let part = |file: &File| {
            let (first, last) = file.range?;
            match &file.text {
                Text::Published(part) => Some(part.clone()),
                Text::New(text) => Some(Part {
                    first,
                    last,
                    bytes: text.len(),
                    blob: blob(&file.name)?,
                }),
            }
        };
        super::Pending {
            commit,
            seq: self.seq,
            floor: self.floor,
            dropped: self.dropped.clone(),
            parts: self.files.iter().filter_map(part).collect(),
        }
    }
}
