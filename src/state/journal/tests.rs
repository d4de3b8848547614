use std::fs::{self, OpenOptions};

use super::*;

fn state() -> (tempfile::TempDir, StateDir) {
    let dot_metis = tempfile::tempdir().unwrap();
    let dir = StateDir::create(dot_metis.path()).unwrap();
    (dot_metis, dir)
}

fn entry(pushed: u64) -> JournalEntry {
    JournalEntry {
        schema: SCHEMA,
        started: "2026-02-26T01:30:00Z".into(),
        outcome: "synced".into(),
        seconds: 0.25,
        trigger: "pre-push".into(),
        pulled: BTreeMap::from([("web".parse().unwrap(), 2)]),
        pushed,
        commit: Some("ab".repeat(20).parse().unwrap()),
        ..Default::default()
    }
}

fn pushed(dir: &StateDir, count: usize) -> Vec<u64> {
    let journal = read_last(dir, count).unwrap();
    journal.entries.iter().map(|entry| entry.pushed).collect()
}

#[test]
fn lines_come_back_as_they_were_written_oldest_first() {
    let (_dot_metis, dir) = state();
    assert_eq!(read_last(&dir, 5).unwrap(), Journal::default());
    for number in 0..4 {
        append(&dir, &entry(number)).unwrap();
    }
    assert_eq!(pushed(&dir, 2), [2, 3]);
    assert!(pushed(&dir, 0).is_empty());
    assert_eq!(read_last(&dir, 9).unwrap().entries[1], entry(1));
}

#[test]
fn a_torn_line_costs_itself_only() {
    let (_dot_metis, dir) = state();
    append(&dir, &entry(1)).unwrap();
    let mut file = OpenOptions::new().append(true).open(dir.path().join(NAME)).unwrap();
    file.write_all(b"{\"schema\":1,\"star").unwrap();
    assert_eq!(pushed(&dir, 9), [1]);

    append(&dir, &entry(2)).unwrap();
    assert_eq!(pushed(&dir, 9), [1, 2]);
    assert_eq!(read_last(&dir, 9).unwrap().unreadable, 1);
    assert_eq!(pushed(&dir, 1), [2]);
}

#[test]
fn a_full_journal_is_rotated_and_read_across() {
    let (_dot_metis, dir) = state();
    let mut number = 0;
    while !dir.path().join(PREVIOUS).exists() {
        append(
            &dir,
            &JournalEntry {
                warnings: vec!["w".repeat(400).into(); 50],
                ..entry(number)
            },
        )
        .unwrap();
        number += 1;
    }
    assert!(fs::metadata(dir.path().join(PREVIOUS)).unwrap().len() <= MAX_SIZE);
    assert_eq!(pushed(&dir, 3), [number - 3, number - 2, number - 1]);
    assert_eq!(pushed(&dir, 10_000).len() as u64, number);
}

#[test]
fn one_entry_never_fills_the_journal() {
    let (_dot_metis, dir) = state();
    append(
        &dir,
        &JournalEntry {
            warnings: vec!["ä".repeat(10_000).into(); 1000],
            error: Some("e".repeat(1 << 22).into()),
            ..entry(1)
        },
    )
    .unwrap();
    assert!(fs::metadata(dir.path().join(NAME)).unwrap().len() < 200_000);
    let read = read_last(&dir, 1).unwrap().entries.remove(0);
    assert_eq!(read.warnings.last().unwrap().raw(), "and 950 more");
}
