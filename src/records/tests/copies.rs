//! Copies of a clone, databases of others, and answers that were lost.

use std::fs;

use super::*;

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
