//! Records beside the documents that they are about: opened, written, and as marks by which documents are found and shown.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::Serialize;
use shared_records::{DeviceId, shown::Record};

use super::{Workspace, error::SyncErrorKind, setup::made_state};
use crate::{
    cache::{Mark, MarkKind},
    records::{self, Collection, Records, RecordsError, Tx},
    stage::Warning,
    state::{files::StateDir, guard::Guard},
    text::shown,
};

/// Why records were not written.
#[derive(Debug, thiserror::Error)]
pub enum NotWritten {
    /// Those that are here.
    #[error(transparent)]
    Records(#[from] RecordsError),
    /// The workspace.
    #[error(transparent)]
    Workspace(#[from] SyncErrorKind),
}

/// The records of a workspace. `None`: there are none, and nothing was made. [`moved_away`] has what the caller is to tell of it.
pub fn open_records(workspace: &Workspace, guard: &mut Guard) -> Result<Option<Records>, RecordsError> {
    match StateDir::open(workspace.metis().path())? {
        Some(state) => Records::open(&state, guard),
        None => Ok(None),
    }
}

/// The same, made if there are none.
fn made_records(workspace: &Workspace, guard: &mut Guard) -> Result<Records, RecordsError> {
    Records::create(&made_state(workspace.metis())?, guard)
}

/// What is to be told where a database that is none of this clone's was in the way and was moved.
pub fn moved_away(records: &Records) -> Option<Warning> {
    let path = records.set_aside()?;
    Some(Warning::RecordsSetAside(shown(path).to_string().into()))
}

/// Writes in one transaction. `told` hears what there is to warn of.
pub fn write_records<T>(
    workspace: &Workspace,
    told: impl FnOnce(Warning),
    work: impl FnOnce(&mut Tx<'_>) -> Result<T, RecordsError>,
) -> Result<T, NotWritten> {
    let mut guard = workspace.guard().map_err(SyncErrorKind::from)?;
    let mut records = made_records(workspace, &mut guard)?;
    if let Some(warning) = moved_away(&records) {
        told(warning);
    }
    let mut tx = records.tx(records::now())?;
    let done = work(&mut tx)?;
    tx.commit()?;
    Ok(done)
}

/// What is here, for those who can do without. What cannot be read is not there.
fn readable(workspace: &Workspace) -> Option<Records> {
    // A guard is more to read than whether there are any.
    let state = StateDir::open(workspace.metis().path()).ok()??;
    let mut guard = Records::are_in(&state).then(|| workspace.guard().ok())??;
    Records::look(&state, &mut guard).ok()?
}

/// Under which name this clone writes records. It gets one if it has none.
pub fn device(workspace: &Workspace) -> Result<DeviceId, NotWritten> {
    let mut guard = workspace.guard().map_err(SyncErrorKind::from)?;
    let state = made_state(workspace.metis()).map_err(RecordsError::from)?;
    let records = match Records::look(&state, &mut guard)? {
        Some(records) => records,
        None => Records::create(&state, &mut guard)?,
    };
    Ok(records.device())
}

/// What shared records say of documents, be those known here or not.
pub fn marks(workspace: &Workspace) -> Vec<Mark> {
    let read = |records: Records| -> Result<Vec<Mark>, RecordsError> {
        let mut marks = Marks::default();
        records.each_of_any(&["collection"], |record| marks.learn(&record))?;
        records.each_of_any(&["tag", "collection", "assignment"], |record| marks.take(&record))?;
        Ok(marks.all)
    };
    readable(workspace)
        .and_then(|records| read(records).ok())
        .unwrap_or_default()
}

/// The most characters of a collection's title that count. It is held for each document in it, and whoever wrote it may have kept
/// to no bound.
const MOST_TITLE: usize = 200;

/// How many marks of one kind count for a document. Each stands in every line of it, and one device can write a million.
const MOST_MARKS: usize = 200;

/// Marks as records are read.
#[derive(Default)]
struct Marks {
    titles: BTreeMap<String, String>,
    gone: BTreeSet<String>,
    counts: HashMap<(String, MarkKind), usize>,
    all: Vec<Mark>,
}

impl Marks {
    /// What a collection is called, and whether it is gone: read before anything is taken.
    fn learn(&mut self, record: &Record) {
        let [id] = record.key.as_slice() else { return };
        match record.field.as_str() {
            "title" => {
                let title = record.shown.value.as_str().unwrap_or_default();
                self.titles.insert(id.clone(), title.chars().take(MOST_TITLE).collect());
            }
            "gone" if record.shown.value == true => drop(self.gone.insert(id.clone())),
            _ => {}
        }
    }

    fn take(&mut self, record: &Record) {
        let (code, kind, name) = match (record.model.as_str(), record.key.as_slice(), record.field.as_str()) {
            ("tag", [code, tag], "") => (code, MarkKind::Tag, tag),
            ("assignment", [code, _, who], "") => (code, MarkKind::Assigned, who),
            ("collection", [id, code], "") if !self.gone.contains(id) => match self.titles.get(id) {
                Some(title) => (code, MarkKind::Collection, title),
                None => return,
            },
            _ => return,
        };
        let count = self.counts.entry((code.clone(), kind)).or_default();
        *count += 1;
        if *count <= MOST_MARKS {
            let (code, name) = (code.clone(), name.clone());
            self.all.push(Mark { code, kind, name });
        }
    }
}

/// All collections that are not gone. What cannot be read is not there.
pub fn collections(workspace: &Workspace) -> Vec<Collection> {
    let found = readable(workspace).and_then(|records| records.collections().ok());
    found.unwrap_or_default()
}

/// How much of what was written here is in central.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Outbox {
    /// Entries that are not there yet.
    pub unpublished: u64,
    /// Whether central does not take them.
    pub refused: bool,
}

/// See [`Outbox`]. `None`: nothing was ever written, or it cannot be read.
pub fn outbox(workspace: &Workspace) -> Option<Outbox> {
    let own = readable(workspace)?.own_log().ok()?;
    (own.written > 0).then(|| Outbox {
        unpublished: own.written - own.published,
        refused: own.refused > 0,
    })
}

#[cfg(test)]
mod tests {
    use shared_records::{Dot, shown::Shown};

    use super::*;

    fn of_records(records: &[Record]) -> Vec<Mark> {
        let mut marks = Marks::default();
        for record in records.iter().filter(|record| record.model == "collection") {
            marks.learn(record);
        }
        for record in records {
            marks.take(record);
        }
        marks.all
    }

    #[test]
    fn marks_are_what_records_say_of_documents() {
        let record = |model: &str, key: &[&str], field: &str, value: serde_json::Value| Record {
            model: model.into(),
            key: key.iter().map(|part| (*part).to_owned()).collect(),
            field: field.into(),
            shown: Shown {
                value,
                by: Dot {
                    device: DeviceId::from_bits([1; 10]),
                    seq: 1,
                },
                others: Vec::new(),
            },
        };
        let records = [
            record("assignment", &["API-T-0001", "owner", "ann"], "", true.into()),
            record("collection", &["a"], "title", "Release".into()),
            record("collection", &["a", "API-T-0001"], "", true.into()),
            record("collection", &["a", "API-T-0001"], "pos", "V".into()),
            record("collection", &["b"], "gone", true.into()),
            record("collection", &["b"], "title", "Old".into()),
            record("collection", &["b", "API-T-0001"], "", true.into()),
            record("collection", &["untitled", "API-T-0001"], "", true.into()),
            record("collection", &["long"], "title", "ü".repeat(10_000).into()),
            record("collection", &["long", "WEB-T-0001"], "", true.into()),
            record("tag", &["WEB-T-0001", "urgent"], "", true.into()),
        ];
        let marks = of_records(&records);
        let told: Vec<(&str, MarkKind, &str)> = marks
            .iter()
            .map(|mark| (mark.code.as_str(), mark.kind, mark.name.as_str()))
            .collect();
        assert_eq!(
            told,
            [
                ("API-T-0001", MarkKind::Assigned, "ann"),
                ("API-T-0001", MarkKind::Collection, "Release"),
                ("WEB-T-0001", MarkKind::Collection, "ü".repeat(MOST_TITLE).as_str()),
                ("WEB-T-0001", MarkKind::Tag, "urgent"),
            ]
        );
    }
}
