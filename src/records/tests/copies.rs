//! Copies of a clone, databases of others, and answers that were lost.

use std::fs;

use rusqlite::Connection;

use super::*;
use crate::cache::database::BUSY;

/// turso#8129 and others: copies with one name.
#[test]
fn a_copy_takes_a_new_name_with_what_was_not_published() {
    let mut ann = Machine::new();
    let mut records = ann.records();
    let device = records.device();
    let mut files = Files::new();
    put(&mut records, &colour("urgent"), "red");
    publish(&mut records, &mut files, COMPACT_FROM);
    put(&mut records, &colour("urgent"), "blue");
    put(&mut records, &colour("urgent"), "green");
    drop(records);
    // What `cp` does: the same bytes in another file.
    let copy = ann.file().with_extension("copy");
    fs::copy(ann.file(), &copy).unwrap();
    fs::rename(&copy, ann.file()).unwrap();
    let mut copied = ann.records();
    assert_ne!(copied.device(), device);
    let own = copied.own_log().unwrap();
    assert_eq!((own.written, own.published, own.tip), (2, 0, None));
    assert_eq!(copied.get(&colour("urgent")).unwrap().unwrap().value, "green");
    assert_eq!(copied.since(device).unwrap().seq, 1);
    let mut from_copy = Files::new();
    put(&mut copied, &cell("more"), true);
    publish(&mut copied, &mut from_copy, COMPACT_FROM);
    let mut newcomer = Machine::new().records();
    take_up(&mut newcomer, device, &files);
    take_up(&mut newcomer, copied.device(), &from_copy);
    assert_eq!(dump(&newcomer), dump(&copied));
    let name = copied.device();
    drop(copied);
    assert_eq!(ann.records().device(), name, "once");
}

#[test]
fn a_database_that_came_with_a_checkout_is_put_aside() {
    let (mut ann, mut eve) = (Machine::new(), Machine::new());
    put(&mut eve.records(), &cell("evil"), true);
    ann.state();
    fs::copy(eve.file(), ann.file()).unwrap();
    let records = ann.records();
    assert_eq!(dump(&records), "[]");
    assert!(records.set_aside().unwrap().ends_with("records-1.db"));
    drop(records);
    assert_eq!(ann.records().set_aside(), None);

    let mut bob = Machine::new();
    bob.state();
    let other = rusqlite::Connection::open(bob.file()).unwrap();
    other.execute("CREATE TABLE own (x)", []).unwrap();
    drop(other);
    assert!(bob.records().set_aside().is_some());
    fs::write(bob.file(), "no database").unwrap();
    assert!(Records::open(&bob.state(), &mut bob.guard).is_err());
    assert_eq!(fs::read(bob.file()).unwrap(), b"no database");
}

/// A process that has a copy open while another one finds out that it is a copy writes under the new name as well.
#[test]
fn a_new_name_counts_at_once_for_who_has_the_database_open() {
    let mut ann = Machine::new();
    let mut open = ann.records();
    let old = open.device();
    let mut guard = ann.another_guard();
    let mut other = Records::open(&ann.state(), &mut guard).unwrap().unwrap();
    other.become_another(&mut guard).unwrap();
    assert!(put(&mut open, &cell("urgent"), true));
    assert_eq!((open.device(), open.own_log().unwrap().written), (other.device(), 1));
    assert_ne!(open.device(), old);
    // Both found out: one name is enough.
    let mut late = Records::open(&ann.state(), &mut guard).unwrap().unwrap();
    other.become_another(&mut guard).unwrap();
    late.become_another(&mut guard).unwrap();
    assert_eq!(late.device(), other.device());
}

/// Who looks while the tables are being made sees none or all of them.
#[test]
fn a_database_that_is_being_made_is_nobody_elses() {
    for _ in 0..20 {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(FILE_NAME);
        let (maker, other) = (Connection::open(&path).unwrap(), Connection::open(&path).unwrap());
        for db in [&maker, &other] {
            db.busy_timeout(BUSY).unwrap();
            db.pragma_update(None, "journal_mode", "wal").unwrap();
        }
        std::thread::scope(|scope| {
            let looks = scope.spawn(move || {
                loop {
                    match schema::look(&other).unwrap() {
                        schema::Found::Empty => {}
                        found => return found,
                    }
                }
            });
            let tx = maker.unchecked_transaction().unwrap();
            schema::make(&tx).unwrap();
            tx.commit().unwrap();
            assert_eq!(looks.join().unwrap(), schema::Found::Ours);
        });
    }
}

/// Of several who find another's database in their way one moves it, and nothing that they write after that is in what was moved.
#[test]
fn several_at_once_put_a_foreign_database_aside_once() {
    for _ in 0..10 {
        let machine = Machine::new();
        let state = machine.state();
        Connection::open(machine.file())
            .unwrap()
            .execute_batch("CREATE TABLE theirs (x)")
            .unwrap();
        machine.all_write_at_once(&["a", "b", "c", "d"]);
        assert!(!state.path().join("records-2.db").exists());
    }
}

#[test]
fn a_lost_answer_is_settled_by_what_the_ref_says() {
    let mut ann = Machine::new();
    let guard = &mut Guard::open(Place::new(&ann.metis(), None, Some(&ann.dir.path().join("state")))).unwrap();
    let mut records = ann.records();
    put(&mut records, &cell("urgent"), true);
    let draft = records.draft(&Publisher::default(), COMPACT_FROM).unwrap().unwrap();
    let id = |n| ObjectId::from_bytes(&[n; 20]).unwrap();
    let pending = draft.pending(id(1), |_| Some(id(9)));
    records.note_pending(&pending).unwrap();
    let own = records.own_log().unwrap();
    let device = records.device();
    assert_eq!(records.settle(Some(id(1)), &own, guard).unwrap(), Standing::Landed);
    let own = records.own_log().unwrap();
    assert_eq!((own.published, own.tip, own.pending.clone()), (1, Some(id(1)), None));
    assert_eq!(records.settle(Some(id(1)), &own, guard).unwrap(), Standing::Here);
    assert_eq!(records.settle(None, &own, guard).unwrap(), Standing::Lost(None));
    let own = records.own_log().unwrap();
    assert_eq!((own.published, own.tip), (0, None), "it is in the outbox again");
    assert_eq!(records.settle(None, &own, guard).unwrap(), Standing::Here);
    assert!(records.draft(&Publisher::default(), COMPACT_FROM).unwrap().is_some());
    assert_eq!(records.settle(Some(id(7)), &own, guard).unwrap(), Standing::Another);
    assert_ne!(records.device(), device);
}
