//! Clocks that are wrong.

use super::*;

#[test]
fn a_clock_that_was_ahead_is_put_right_before_others_see_it() {
    let mut records = Machine::new().records();
    let year = 365 * 86_400_000;
    let mut tx = records.tx(now() + year).unwrap();
    tx.put(&cell("early"), true.into()).unwrap();
    tx.put(&cell("early-too"), true.into()).unwrap();
    tx.commit().unwrap();
    let mut files = Files::new();
    publish(&mut records, &mut files, COMPACT_FROM);
    let log = records.log(9).unwrap();
    assert!(log.iter().all(|logged| !logged.entry.stamp.is_ahead_of(now())));
    assert!(log[0].entry.seq > log[1].entry.seq && log[0].entry.stamp > log[1].entry.stamp);
    put(&mut records, &cell("late"), true);
    assert!(!records.log(1).unwrap()[0].entry.stamp.is_ahead_of(now()));
}

/// actual#3786: a failed batch moves the clock.
#[test]
fn a_stamp_from_far_ahead_counts_and_moves_no_clock() {
    let (mut ann, mut bob) = (Machine::new(), Machine::new());
    let (mut ann, mut bob) = (ann.records(), bob.records());
    let year = 365 * 86_400_000;
    let mut tx = ann.tx(now() + year).unwrap();
    tx.put(&cell("early"), true.into()).unwrap();
    let entry = shared_records::Entry {
        seq: 1,
        stamp: tx.clock.last(),
        cell: cell("early"),
        value: Some(true.into()),
        over: Vec::new(),
    };
    drop(tx);
    let about = log::About {
        schema: 1,
        device: ann.device(),
        user: String::new(),
        prefix: String::new(),
        program: String::new(),
        tip: 1,
        floor: 0,
        seen: BTreeMap::new(),
    };
    let text = shared_records::segment::text(ann.device(), &[entry]);
    let files = Files::from([
        (log::ABOUT.to_owned(), about.text().into_bytes()),
        (shared_records::segment::name(1), text.into_bytes()),
    ]);
    take_up(&mut bob, ann.device(), &files);
    assert_eq!(bob.list().unwrap().len(), 1);
    assert!(bob.status().unwrap().devices[0].ahead > now());
    put(&mut bob, &cell("late"), true);
    let log = bob.log(9).unwrap();
    let own = log.iter().find(|logged| logged.device == bob.device()).unwrap();
    assert!(!own.entry.stamp.is_ahead_of(now()));
}
