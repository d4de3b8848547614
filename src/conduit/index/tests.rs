use super::*;
use crate::plan::conduit::{Form, Item, Listing};

const SECOND: i64 = 1_000_000_000;

fn stat(mtime_ns: i64) -> Stat {
    Stat::of_a_file(mtime_ns, mtime_ns)
}

fn id(byte: u8) -> ObjectId {
    ObjectId::from_bytes(&[byte; 20]).unwrap()
}

/// A scan that began at the hundredth second.
fn scan(files: &[(&str, i64)]) -> Scan {
    let item = |at: usize| Item {
        id: id(at as u8),
        form: Form::File,
    };
    Scan {
        listing: Listing {
            items: files
                .iter()
                .enumerate()
                .map(|(at, (path, _))| ((*path).to_owned(), item(at)))
                .collect(),
            unknown: Vec::new(),
        },
        read: files
            .iter()
            .map(|(_, time)| Seen::from(&stat(*time)))
            .enumerate()
            .collect(),
        ..Scan::begun_at(100 * SECOND)
    }
}

#[test]
fn only_what_is_surely_unchanged_is_answered_for() {
    let files = [
        ("a/b", 97 * SECOND + 1),
        ("a.md", 99 * SECOND + 1),
        ("b", 200 * SECOND + 1),
        ("c", 99 * SECOND),
        ("d", -1),
    ];
    let known = |index: &Index| {
        let mut walk = index.walk();
        let found = files.map(|(path, time)| walk.find(path, &Seen::from(&stat(time))).is_some());
        assert_eq!(found.iter().filter(|found| **found).count(), index.len());
        found
    };
    let stored = Index::of(&scan(&files), SLACK_NS, &Index::default());
    assert_eq!(known(&stored), [true, false, false, false, true]);
    assert_eq!(known(&Index::from_bytes(stored.to_bytes())), known(&stored));
    let within = Index::of(&scan(&files), SHORT_SLACK_NS, &Index::default());
    assert_eq!(
        known(&within),
        [true, true, false, false, true],
        "whole seconds need the long one"
    );

    let changed = |change: fn(&mut Stat)| {
        let mut stat = stat(97 * SECOND + 1);
        change(&mut stat);
        stored.walk().find("a/b", &Seen::from(&stat))
    };
    assert_eq!(changed(|_| {}), Some(id(0)));
    assert_eq!(changed(|stat| stat.len = 4), None);
    assert_eq!(changed(|stat| stat.inode = 8), None);
    assert_eq!(changed(|stat| stat.mtime_ns += 1), None);
    assert_eq!(changed(|stat| stat.ctime_ns += 1), None);
}

#[test]
fn paths_that_came_and_went_are_passed_over() {
    let index = Index::of(&scan(&[("b", 1), ("c/d", 1), ("e", 1)]), SLACK_NS, &Index::default());
    let mut walk = index.walk();
    let seen = Seen::from(&stat(1));
    let found = ["a", "b", "b/x", "c/d", "d", "f"].map(|path| walk.find(path, &seen));
    assert_eq!(found, [None, Some(id(0)), None, Some(id(1)), None, None]);
}

/// What was not read is as it was known, by the rule for what is stored.
#[test]
fn what_was_known_is_stored_again() {
    let files = [("a", 1), ("b", 99 * SECOND + 1), ("c", 2)];
    let known = Index::of(&scan(&files), SHORT_SLACK_NS, &Index::default());
    assert_eq!(known.len(), 3);
    let mut later = scan(&files);
    later.read.retain(|(at, _)| *at == 2);
    assert_eq!(Index::of(&later, SHORT_SLACK_NS, &known).bytes, known.bytes);
    let stored = Index::of(&later, SLACK_NS, &known);
    assert_eq!(stored.len(), 2);
    assert_eq!(stored.walk().find("a", &Seen::from(&stat(1))), Some(id(0)));
}

#[test]
fn a_damaged_index_knows_nothing() {
    let bytes = Index::of(&scan(&[("a", 1), ("b", 1), ("c", 1)]), SLACK_NS, &Index::default()).to_bytes();
    for end in 0..bytes.len() {
        assert_eq!(Index::from_bytes(bytes[..end].to_vec()).len(), 0, "cut at {end}");
    }
    for at in 0..bytes.len() {
        let mut bytes = bytes.clone();
        bytes[at] ^= 1;
        assert_eq!(Index::from_bytes(bytes).len(), 0, "changed at {at}");
    }
}
