//! Who this clone is to others, and what it has published.

use rusqlite::params;
use serde::{Deserialize, Serialize};

use super::{Records, RecordsError, rows, tx::now};
use crate::{names::ObjectId, state::guard::Guard, text};

/// A file of the own log as it was published: a segment, or with `first` 0 what compaction has kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Its first entry.
    pub first: u64,
    /// Its last one.
    pub last: u64,
    /// How long its text is.
    pub bytes: usize,
    /// The text's id.
    pub blob: ObjectId,
}

/// What is being published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    /// The commit that the log's ref is to have.
    pub commit: ObjectId,
    /// The last entry in it.
    pub seq: u64,
    /// Up to where it is compacted.
    pub floor: u64,
    /// What is not in it any more.
    pub dropped: Vec<u64>,
    /// Its files.
    pub parts: Vec<Part>,
}

/// What is known of the own log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnLog {
    /// The last entry that was written.
    pub written: u64,
    /// The last one that central has; those after it are the outbox.
    pub published: u64,
    /// The last one that somebody may have seen.
    pub sent: u64,
    /// Up to where the published log is compacted.
    pub floor: u64,
    /// The commit that its ref was left at.
    pub tip: Option<ObjectId>,
    /// What was being published when this clone heard of it last.
    pub pending: Option<Pending>,
    /// Where the ref is, if not at the usual place.
    pub route: String,
    /// The last entry that central did not take anywhere.
    pub refused: u64,
    /// The published files.
    pub parts: Vec<Part>,
}

/// What central's ref of the own log says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It is where this clone left it.
    Here,
    /// What was pending had arrived.
    Landed,
    /// Central has lost what was published after this. All of it is to be published again.
    Lost(Option<ObjectId>),
    /// Somebody else writes under this clone's name.
    Another,
}

/// Compares central's ref with what this clone left there. `is_ours`: whether a commit is one that this clone published before.
pub fn standing(listed: Option<ObjectId>, own: &OwnLog, is_ours: impl FnOnce(ObjectId) -> bool) -> Standing {
    match listed {
        listed if listed == own.tip => Standing::Here,
        Some(id) if own.pending.as_ref().is_some_and(|pending| pending.commit == id) => Standing::Landed,
        Some(id) if !is_ours(id) => Standing::Another,
        listed => Standing::Lost(listed),
    }
}

impl Records {
    /// What is known of the own log.
    pub fn own_log(&self) -> Result<OwnLog, RecordsError> {
        let read = || -> rusqlite::Result<OwnLog> {
            let mut parts = self
                .db
                .prepare_cached("SELECT first, last, bytes, blob FROM segment ORDER BY first")?;
            let parts = parts.query_map([], |row| {
                Ok(Part {
                    first: row.get::<_, i64>(0)? as u64,
                    last: row.get::<_, i64>(1)? as u64,
                    bytes: row.get::<_, i64>(2)? as usize,
                    blob: id(row.get(3)?)?,
                })
            })?;
            let parts = parts.collect::<Result<Vec<_>, _>>()?;
            let sql = "SELECT d.seq, d.floor, o.published, o.route, o.tip, o.pending, o.refused, o.sent \
                       FROM own o JOIN device d ON d.id = o.device";
            self.db.query_row(sql, [], |row| {
                let pending: Option<String> = row.get(5)?;
                Ok(OwnLog {
                    written: row.get::<_, i64>(0)? as u64,
                    floor: row.get::<_, i64>(1)? as u64,
                    published: row.get::<_, i64>(2)? as u64,
                    route: row.get(3)?,
                    tip: row.get::<_, Option<String>>(4)?.map(id).transpose()?,
                    pending: pending.and_then(|text| serde_json::from_str(&text).ok()),
                    refused: row.get::<_, i64>(6)? as u64,
                    sent: row.get::<_, i64>(7)? as u64,
                    parts,
                })
            })
        };
        read().map_err(|err| self.fail(err))
    }

    /// Takes central's word for what became of the own log. Says whether this clone has another name now.
    pub fn settle(
        &mut self,
        listed: Option<ObjectId>,
        own: &OwnLog,
        guard: &mut Guard,
    ) -> Result<Standing, RecordsError> {
        let standing = standing(listed, own, |id| self.has_published(id));
        match standing {
            Standing::Here => {}
            Standing::Landed => self.published()?,
            Standing::Another => self.become_another(guard)?,
            Standing::Lost(at) => {
                let tx = self.tx(now())?;
                let tip = at.map(|id| id.to_string());
                tx.run(
                    "UPDATE own SET tip = ?1, pending = NULL, published = 0, refused = 0",
                    [tip],
                )?;
                tx.run("DELETE FROM segment", [])?;
                tx.commit()?;
            }
        }
        Ok(standing)
    }

    /// Whether a commit is one that this clone's log was published as.
    pub fn has_published(&self, id: ObjectId) -> bool {
        let mut query = match self.db.prepare_cached("SELECT 1 FROM published WHERE tip = ?1") {
            Ok(query) => query,
            // Taken for another's, it costs a new name.
            Err(_) => return false,
        };
        query.exists([id.to_string()]).unwrap_or(false)
    }

    /// Notes what is about to be published, so that a lost answer can be told from somebody else's write.
    pub fn note_pending(&mut self, pending: &Pending) -> Result<(), RecordsError> {
        let text = text::json(pending).unwrap_or_default();
        let tx = self.tx(now())?;
        tx.run(
            "UPDATE own SET pending = ?1, sent = max(sent, ?2)",
            params![text, rows::int(pending.seq)],
        )?;
        tx.commit()
    }

    /// What was pending is published.
    pub fn published(&mut self) -> Result<(), RecordsError> {
        let Some(pending) = self.own_log()?.pending else {
            return Ok(());
        };
        let tx = self.tx(now())?;
        let row = tx.row;
        let commit = pending.commit.to_string();
        tx.run(
            "UPDATE own SET published = ?1, tip = ?2, pending = NULL, refused = 0",
            params![rows::int(pending.seq), commit],
        )?;
        tx.run(
            "UPDATE device SET floor = ?2 WHERE id = ?1",
            params![row, rows::int(pending.floor)],
        )?;
        tx.run("INSERT OR IGNORE INTO published (tip) VALUES (?1)", [commit])?;
        tx.run("DELETE FROM segment", [])?;
        for part in &pending.parts {
            tx.run(
                "INSERT INTO segment (first, last, bytes, blob) VALUES (?1, ?2, ?3, ?4)",
                params![
                    rows::int(part.first),
                    rows::int(part.last),
                    part.bytes as i64,
                    part.blob.to_string()
                ],
            )?;
        }
        for seq in &pending.dropped {
            tx.run(
                "DELETE FROM entry WHERE device = ?1 AND seq = ?2",
                params![row, rows::int(*seq)],
            )?;
        }
        tx.commit()
    }

    /// Central takes the log at another place, or nowhere: `refused` is the last entry that it did not take.
    pub fn note_route(&mut self, route: &str, refused: u64) -> Result<(), RecordsError> {
        let tx = self.tx(now())?;
        tx.run(
            "UPDATE own SET route = ?1, refused = ?2, pending = NULL",
            params![route, rows::int(refused)],
        )?;
        tx.commit()
    }
}

fn id(text: String) -> rusqlite::Result<ObjectId> {
    text.parse().map_err(|_| rusqlite::Error::InvalidQuery)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: u8) -> ObjectId {
        ObjectId::from_bytes(&[n; 20]).unwrap()
    }

    fn own(tip: Option<u8>, pending: Option<u8>) -> OwnLog {
        let pending = pending.map(|n| Pending {
            commit: id(n),
            seq: 9,
            floor: 0,
            dropped: Vec::new(),
            parts: Vec::new(),
        });
        OwnLog {
            written: 9,
            published: 5,
            sent: 5,
            floor: 0,
            tip: tip.map(id),
            pending,
            route: String::new(),
            refused: 0,
            parts: Vec::new(),
        }
    }

    #[test]
    fn the_ref_tells_what_became_of_the_log() {
        let ours = |id: ObjectId| id == super::tests::id(1);
        let stands = |listed: Option<u8>, own: &OwnLog| standing(listed.map(id), own, ours);
        assert_eq!(stands(None, &own(None, None)), Standing::Here);
        assert_eq!(stands(None, &own(None, Some(3))), Standing::Here, "it never arrived");
        assert_eq!(stands(Some(2), &own(Some(2), Some(3))), Standing::Here);
        assert_eq!(stands(Some(3), &own(Some(2), Some(3))), Standing::Landed);
        assert_eq!(stands(Some(3), &own(None, Some(3))), Standing::Landed);
        assert_eq!(stands(Some(1), &own(Some(2), None)), Standing::Lost(Some(id(1))));
        assert_eq!(stands(None, &own(Some(2), None)), Standing::Lost(None));
        assert_eq!(stands(Some(7), &own(Some(2), Some(3))), Standing::Another);
        assert_eq!(stands(Some(7), &own(None, None)), Standing::Another);
    }
}
