//! The store by itself: two folders as two devices, what one has published carried over by hand.

mod clocks;
mod compaction;
mod copies;
mod failures;
mod together;

use std::{
    collections::BTreeMap,
    convert::Infallible,
    fs,
    path::{Path, PathBuf},
    sync::Barrier,
};

use proptest::{collection::vec, prelude::*};
use shared_records::{Cell, DeviceId, log};

use super::{tx::now, *};
use crate::{
    names::ObjectId,
    state::{
        files::StateDir,
        guard::{Guard, Place},
    },
};

/// Where a clone keeps its records.
struct Machine {
    dir: tempfile::TempDir,
    guard: Guard,
}

/// The files of a published log.
type Files = BTreeMap<String, Vec<u8>>;

impl Machine {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let metis = dir.path().join(".metis");
        fs::create_dir(&metis).unwrap();
        let guard = guard_of(dir.path());
        Machine { dir, guard }
    }

    /// As many processes open the database at the same moment, and each writes one of these. All of them are there then.
    fn all_write_at_once(&self, names: &[&str]) {
        let state = self.state();
        let together = Barrier::new(names.len());
        std::thread::scope(|scope| {
            for name in names {
                let (state, together) = (&state, &together);
                scope.spawn(move || {
                    let mut guard = self.another_guard();
                    together.wait();
                    let mut records = Records::create(state, &mut guard).unwrap();
                    assert!(put(&mut records, &cell(name), true));
                });
            }
        });
        let records = Records::open(&state, &mut self.another_guard()).unwrap().unwrap();
        assert_eq!(records.list().unwrap().len(), names.len());
    }

    /// The guard as another process reads it.
    fn another_guard(&self) -> Guard {
        guard_of(self.dir.path())
    }

    fn metis(&self) -> PathBuf {
        self.dir.path().join(".metis")
    }

    fn state(&self) -> StateDir {
        StateDir::create(&self.metis()).unwrap()
    }

    fn records(&mut self) -> Records {
        Records::create(&self.state(), &mut self.guard).unwrap()
    }

    fn file(&self) -> PathBuf {
        self.metis().join(".sync").join(FILE_NAME)
    }
}

fn guard_of(folder: &Path) -> Guard {
    Guard::open(Place::new(&folder.join(".metis"), None, Some(&folder.join("state")))).unwrap()
}

fn cell(name: &str) -> Cell {
    Cell::new("tag", &["API-T-0001", name], "")
}

fn colour(name: &str) -> Cell {
    Cell::new("tagdef", &[name], "colour")
}

fn put(records: &mut Records, cell: &Cell, value: impl Into<serde_json::Value>) -> bool {
    let mut tx = records.tx(now()).unwrap();
    let written = tx.put(cell, value.into()).unwrap();
    tx.commit().unwrap();
    written.is_some()
}

fn remove(records: &mut Records, cell: &Cell) -> bool {
    let mut tx = records.tx(now()).unwrap();
    let written = tx.remove(cell).unwrap();
    tx.commit().unwrap();
    written.is_some()
}

/// Something that is another for other bytes.
fn id(bytes: &[u8]) -> ObjectId {
    let digest = ring::digest::digest(&ring::digest::SHA256, bytes);
    ObjectId::from_bytes(&digest.as_ref()[..20]).unwrap()
}

/// Publishes what there is, as if central took it, into `files`. Says whether there was anything.
fn publish(records: &mut Records, files: &mut Files, compact_from: usize) -> bool {
    let Some(draft) = records.draft(&Publisher::default(), compact_from).unwrap() else {
        return false;
    };
    let mut whole = Files::new();
    for file in &draft.files {
        let text = match &file.text {
            Text::New(text) => text.clone().into_bytes(),
            Text::Published(_) => files[&file.name].clone(),
        };
        whole.insert(file.name.clone(), text);
    }
    let commit = id(format!("{whole:?}").as_bytes());
    let pending = draft.pending(commit, |name| whole.get(name).map(|bytes| id(bytes)));
    records.note_pending(&pending).unwrap();
    records.published().unwrap();
    *files = whole;
    true
}

fn take_up(records: &mut Records, device: DeviceId, files: &Files) {
    let names = files.keys().cloned().collect();
    let since = records.since(device).unwrap();
    let Ok(reading) = log::read(device, &names, since, |name| Ok::<_, Infallible>(files[name].clone()));
    assert_eq!(reading.fault, None);
    let tip = id(format!("{files:?}").as_bytes());
    records.take_up(device, &reading, tip, now(), || ()).unwrap();
}

fn dump(records: &Records) -> String {
    serde_json::to_string(&records.list().unwrap()).unwrap()
}

#[test]
fn what_was_committed_is_there_and_nothing_else_is() {
    let mut ann = Machine::new();
    assert!(Records::open(&ann.state(), &mut ann.guard).unwrap().is_none());
    assert!(!ann.file().exists(), "nothing is made by looking");
    let mut records = ann.records();
    let device = records.device();
    assert!(put(&mut records, &cell("urgent"), true));
    assert!(!put(&mut records, &cell("urgent"), true), "it is there already");
    let mut tx = records.tx(now()).unwrap();
    tx.put(&cell("lost"), true.into()).unwrap();
    drop(tx);
    drop(records);
    let mut records = ann.records();
    assert_eq!(records.device(), device);
    assert_eq!(records.status().unwrap().written, 1);
    assert_eq!(
        dump(&records),
        r#"[{"model":"tag","key":["API-T-0001","urgent"],"field":"","value":true}]"#
    );
    assert!(remove(&mut records, &cell("urgent")) && !remove(&mut records, &cell("urgent")));
    assert_eq!(dump(&records), "[]");
    let log = records.log(9).unwrap();
    assert_eq!(log.iter().map(|logged| logged.entry.seq).collect::<Vec<_>>(), [2, 1]);
    assert!(log[0].entry.stamp > log[1].entry.stamp);
}

/// corrosion#366: a write past the manager.
#[test]
fn nothing_else_writes_to_the_database() {
    let mut ann = Machine::new();
    let mut records = ann.records();
    put(&mut records, &cell("urgent"), true);
    let other = rusqlite::Connection::open(ann.file()).unwrap();
    let seen: i64 = other
        .query_row("SELECT count(*) FROM entry", [], |row| row.get(0))
        .unwrap();
    assert_eq!(seen, 1);
    for sql in [
        "DELETE FROM entry",
        "UPDATE own SET published = 9",
        "INSERT INTO replaced VALUES (1, 1)",
    ] {
        let refused = other.execute(sql, []).unwrap_err().to_string();
        assert!(refused.contains("records_writer"), "{sql}: {refused}");
    }
}

#[test]
fn two_devices_come_to_the_same() {
    let (mut ann, mut bob) = (Machine::new(), Machine::new());
    let (mut ann, mut bob) = (ann.records(), bob.records());
    let (mut from_ann, mut from_bob) = (Files::new(), Files::new());
    for name in ["urgent", "later"] {
        put(&mut ann, &cell(name), true);
    }
    put(&mut ann, &colour("urgent"), "red");
    assert!(publish(&mut ann, &mut from_ann, COMPACT_FROM));
    assert!(!publish(&mut ann, &mut from_ann, COMPACT_FROM), "there is nothing more");
    take_up(&mut bob, ann.device(), &from_ann);
    assert_eq!(dump(&ann), dump(&bob));
    remove(&mut bob, &cell("urgent"));
    put(&mut bob, &colour("urgent"), "blue");
    publish(&mut bob, &mut from_bob, COMPACT_FROM);
    take_up(&mut ann, bob.device(), &from_bob);
    assert_eq!(dump(&ann), dump(&bob));
    assert_eq!(ann.get(&colour("urgent")).unwrap().unwrap().value, "blue");
    let mut newcomer = Machine::new().records();
    take_up(&mut newcomer, bob.device(), &from_bob);
    take_up(&mut newcomer, ann.device(), &from_ann);
    assert_eq!(dump(&newcomer), dump(&bob), "in any order");
    let before = newcomer.log(99).unwrap().len();
    take_up(&mut newcomer, ann.device(), &from_ann);
    assert_eq!(newcomer.log(99).unwrap().len(), before);
    assert_eq!(newcomer.status().unwrap().unpublished, 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// The database shows what memory does.
    #[test]
    fn it_shows_what_the_logs_say(steps in vec((0..2usize, 0..4usize, any::<bool>(), any::<bool>()), 1..30)) {
        let mut clones = [Machine::new(), Machine::new()];
        let mut all: Vec<Records> = clones.iter_mut().map(Machine::records).collect();
        let mut files = [Files::new(), Files::new()];
        for (number, (who, which, removes, syncs)) in steps.into_iter().enumerate() {
            let cell = colour(&format!("tag-{which}"));
            match removes {
                true => drop(remove(&mut all[who], &cell)),
                false => drop(put(&mut all[who], &cell, format!("{number}"))),
            }
            if syncs {
                publish(&mut all[who], &mut files[who], 4);
                let (from, to) = (all[who].device(), 1 - who);
                if !files[who].is_empty() {
                    take_up(&mut all[to], from, &files[who]);
                }
            }
        }
        for who in [0, 1] {
            publish(&mut all[who], &mut files[who], 4);
        }
        let mut newcomer = Machine::new().records();
        for who in [0, 1].into_iter().filter(|who| !files[*who].is_empty()) {
            let device = all[who].device();
            take_up(&mut all[1 - who], device, &files[who]);
            take_up(&mut newcomer, device, &files[who]);
        }
        prop_assert_eq!(dump(&all[0]), dump(&all[1]));
        prop_assert_eq!(dump(&all[0]), dump(&newcomer));
    }
}
