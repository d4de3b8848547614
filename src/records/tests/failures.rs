//! Writes that fail.

use super::*;
use crate::cache::CacheError;

/// All that a failed batch might have moved: the clock, what was written and published, what was taken up of whom, what is shown.
fn everything(records: &mut Records) -> (u64, OwnLog, Vec<(DeviceId, log::Since)>, usize, String) {
    let clock = records.tx(0).unwrap().clock.last().bits();
    let own = records.own_log().unwrap();
    let devices = records.status().unwrap().devices;
    let since = devices.iter().map(|it| (it.device, records.since(it.device).unwrap()));
    let since = since.collect();
    let entries = records.log(9999).unwrap().len();
    (clock, own, since, entries, dump(records))
}

/// Lets the database grow by so many pages, and by any number where that is `None`.
fn leave_room(records: &Records, pages: Option<i64>) {
    let count: i64 = records
        .db
        .pragma_query_value(None, "page_count", |row| row.get(0))
        .unwrap();
    let most = pages.map_or(i64::from(i32::MAX), |pages| count + pages);
    records.db.pragma_update(None, "max_page_count", most).unwrap();
}

fn is_full(err: &RecordsError) -> bool {
    match err {
        RecordsError::Database(CacheError::Sqlite { source, .. }) => {
            source.sqlite_error_code() == Some(rusqlite::ErrorCode::DiskFull)
        }
        _ => false,
    }
}

fn names(count: usize) -> impl Iterator<Item = Cell> {
    (0..count).map(|number| cell(&format!("tag-{number}-{}", "x".repeat(50))))
}

/// actual#3786, PR#8904: a write that fails after others of its transaction were made, since it cannot be recorded or since the disk
/// is full, leaves everything as it was, and the next one has the next number.
#[test]
fn a_transaction_that_fails_half_way_was_never_there() {
    let mut records = Machine::new().records();
    put(&mut records, &cell("before"), true);
    put(&mut records, &colour("urgent"), "red");
    let before = everything(&mut records);
    let mut tx = records.tx(now()).unwrap();
    for cell in names(20) {
        tx.put(&cell, true.into()).unwrap();
    }
    tx.put(&colour("urgent"), "blue".into()).unwrap();
    assert!(matches!(tx.put(&cell(""), true.into()), Err(RecordsError::Improper(_))));
    drop(tx);
    assert_eq!(everything(&mut records), before);

    leave_room(&records, Some(2));
    let mut tx = records.tx(now()).unwrap();
    let mut written = 0;
    let failed = names(9999).find_map(|cell| {
        let failed = tx.put(&cell, true.into()).err();
        written += usize::from(failed.is_none());
        failed
    });
    assert!(failed.as_ref().is_some_and(is_full), "{failed:?}");
    assert!(written > 10, "{written}");
    drop(tx);
    leave_room(&records, None);
    assert_eq!(everything(&mut records), before);

    put(&mut records, &cell("after"), true);
    let log = records.log(9).unwrap();
    assert_eq!(log.iter().map(|logged| logged.entry.seq).collect::<Vec<_>>(), [3, 2, 1]);
    assert!(log[0].entry.stamp > log[1].entry.stamp);
    assert_eq!(records.own_log().unwrap().written, 3);
}

/// The same of what others wrote, whose stamps are ahead of this clone's clock: the batch before counts, the one that failed does not,
/// and the next try goes on from there.
#[test]
fn a_batch_that_is_half_taken_up_was_never_there() {
    let (mut ann, mut bob) = (Machine::new(), Machine::new());
    let (mut ann, mut bob) = (ann.records(), bob.records());
    let minute = 60_000;
    let mut tx = ann.tx(now() + minute).unwrap();
    for cell in names(2 * BATCH) {
        tx.put(&cell, true.into()).unwrap();
    }
    tx.commit().unwrap();
    let entries = ann.entries_after(ann.row, 0).unwrap();
    put(&mut bob, &cell("own"), true);
    let mut tx = bob.tx(now()).unwrap();
    tx.take_batch(ann.device(), &entries[..BATCH]).unwrap();
    tx.commit().unwrap();
    let before = everything(&mut bob);

    leave_room(&bob, Some(2));
    let mut tx = bob.tx(now()).unwrap();
    let failed = tx.take_batch(ann.device(), &entries[BATCH..]).unwrap_err();
    assert!(is_full(&failed), "{failed:?}");
    assert!(tx.clock.last() > entries[BATCH].stamp, "some of them were taken up");
    drop(tx);
    leave_room(&bob, None);
    assert_eq!(everything(&mut bob), before);
    put(&mut bob, &cell("after"), true);
    assert_eq!(bob.own_log().unwrap().written, 2);

    let mut tx = bob.tx(now()).unwrap();
    tx.take_batch(ann.device(), &entries[BATCH..]).unwrap();
    tx.commit().unwrap();
    assert_eq!(bob.since(ann.device()).unwrap().seq, 2 * BATCH as u64);
    assert_eq!(bob.list().unwrap().len(), 2 * BATCH + 2);
}

#[test]
fn what_cannot_be_read_back_is_not_written() {
    let mut records = Machine::new().records();
    let mut tx = records.tx(now()).unwrap();
    assert!(matches!(
        tx.put(&colour("urgent"), 7.into()),
        Err(RecordsError::WrongKind)
    ));
    assert!(matches!(tx.put(&cell(""), true.into()), Err(RecordsError::Improper(_))));
    let long = "x".repeat(60 << 10);
    let body = Cell::new("note", &["id"], "body");
    assert!(matches!(tx.put(&body, long.into()), Err(RecordsError::TooLong)));
    tx.commit().unwrap();
    assert_eq!(records.status().unwrap().written, 0);
}
