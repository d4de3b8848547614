//! Logs as they should be, and as they should not.

use std::convert::Infallible;

use super::*;
use crate::{Cell, Stamp};

type Files = BTreeMap<String, Vec<u8>>;

fn device() -> DeviceId {
    DeviceId::from_bits([1; 10])
}

fn entries(seqs: impl IntoIterator<Item = u64>) -> Vec<Entry> {
    let entry = |seq| Entry {
        seq,
        stamp: Stamp::at(seq),
        cell: Cell::new("tag", &["API-T-0001", "urgent"], ""),
        value: Some(true.into()),
        over: Vec::new(),
    };
    seqs.into_iter().map(entry).collect()
}

/// A log of these segments, compacted up to `floor` with some entries kept.
fn log(floor: u64, kept: &[u64], segments: &[std::ops::RangeInclusive<u64>]) -> Files {
    let mut files = Files::new();
    let about = About {
        schema: SCHEMA,
        device: device(),
        user: "Ann".into(),
        prefix: "api".into(),
        program: "test/1".into(),
        tip: segments.last().map_or(floor, |last| *last.end()),
        floor,
        seen: BTreeMap::new(),
    };
    files.insert(ABOUT.into(), about.text().into_bytes());
    if !kept.is_empty() {
        files.insert(
            KEPT.into(),
            segment::text(device(), &entries(kept.iter().copied())).into_bytes(),
        );
    }
    for range in segments {
        for segment in segment::write(device(), &entries(range.clone())) {
            files.insert(segment.name(), segment.text.into_bytes());
        }
    }
    files
}

/// What is read, and from which files.
fn read_since(files: &Files, seq: u64, floor: u64) -> (Reading, Vec<String>) {
    let names = files.keys().cloned().collect();
    let mut loaded = Vec::new();
    let Ok(reading) = read(device(), &names, Since { seq, floor }, |name| {
        loaded.push(name.to_owned());
        Ok::<_, Infallible>(files[name].clone())
    });
    (reading, loaded)
}

fn seqs(reading: &Reading) -> Vec<u64> {
    reading.entries.iter().map(|entry| entry.seq).collect()
}

fn change(files: &mut Files, name: &str, from: &str, to: &str) {
    let text = String::from_utf8(files[name].clone()).unwrap();
    assert!(text.contains(from));
    files.insert(name.into(), text.replace(from, to).into_bytes());
}

#[test]
fn a_newcomer_reads_all_and_others_what_is_new() {
    let files = log(0, &[], &[1..=3, 4..=4, 5..=6]);
    let (all, _) = read_since(&files, 0, 0);
    assert_eq!((seqs(&all), all.fault, all.kept), ((1..=6).collect(), None, None));
    let (new, loaded) = read_since(&files, 4, 0);
    assert_eq!(seqs(&new), [5, 6]);
    assert_eq!(loaded, [ABOUT, "0000000005.jsonl"]);
    let (new, loaded) = read_since(&files, 5, 0);
    assert_eq!((seqs(&new), loaded.len()), (vec![6], 2), "from the middle of a segment");
    assert_eq!(read_since(&files, 6, 0).1, [ABOUT]);
    let wide = log(0, &[], &[1..=1200]);
    assert_eq!(read_since(&wide, 0, 0).0.entries.len(), 1200);
}

#[test]
fn what_was_kept_comes_before_the_rest() {
    let files = log(6, &[2, 5], &[7..=8]);
    let (all, _) = read_since(&files, 0, 0);
    assert_eq!((seqs(&all), all.fault), (vec![2, 5, 7, 8], None));
    assert_eq!(all.kept, Some(BTreeSet::from([2, 5])));
    let (new, _) = read_since(&files, 4, 0);
    assert_eq!(seqs(&new), [5, 7, 8]);
    let (new, loaded) = read_since(&files, 7, 6);
    assert_eq!((seqs(&new), new.kept), (vec![8], None));
    assert_eq!(loaded, [ABOUT, "0000000007.jsonl"], "the floor is where it was");
    let (nothing_kept, _) = read_since(&log(6, &[], &[]), 0, 0);
    assert_eq!((nothing_kept.kept, nothing_kept.fault), (Some(BTreeSet::new()), None));
}

#[test]
fn a_log_counts_up_to_its_last_good_entry() {
    let whole = || log(0, &[], &[1..=2, 3..=4, 5..=6]);
    let after = |change: &dyn Fn(&mut Files)| {
        let mut files = whole();
        change(&mut files);
        let (reading, _) = read_since(&files, 0, 0);
        (seqs(&reading).len(), reading.fault)
    };
    assert_eq!(
        after(&|files| drop(files.remove("0000000003.jsonl"))),
        (2, Some(Fault::Missing(3)))
    );
    assert_eq!(
        after(&|files| drop(files.remove("0000000005.jsonl"))),
        (4, Some(Fault::Missing(5)))
    );
    assert_eq!(
        after(&|files| drop(files.remove("0000000001.jsonl"))),
        (0, Some(Fault::Missing(1)))
    );
    let (good, fault) = after(&|files| change(files, "0000000003.jsonl", "\"s\":4", "\"s\":40"));
    assert_eq!((good, fault), (3, Some(Fault::Missing(4))));
    let (good, fault) = after(&|files| change(files, "0000000003.jsonl", "{\"s\":4", "{\"q\":4"));
    assert!(good == 3 && matches!(fault, Some(Fault::Segment { .. })), "{fault:?}");
    let (good, fault) = after(&|files| drop(files.insert("0000000003.jsonl".into(), vec![b'x'; MAX_SEGMENT + 1])));
    assert!(good == 2 && matches!(fault, Some(Fault::Segment { .. })), "{fault:?}");
    assert_eq!(
        after(&|files| change(files, ABOUT, "\"tip\":6", "\"tip\":5")),
        (5, None)
    );
    assert_eq!(
        after(&|files| change(files, ABOUT, "\"tip\":6", "\"tip\":7")),
        (6, Some(Fault::Missing(7)))
    );
}

#[test]
fn what_does_not_say_whose_it_is_does_not_count() {
    let fault = |from: &str, to: &str| {
        let mut files = log(0, &[], &[1..=2]);
        change(&mut files, ABOUT, from, to);
        let (reading, _) = read_since(&files, 0, 0);
        assert!(reading.entries.is_empty());
        reading.fault.unwrap()
    };
    assert_eq!(fault("\"schema\":1", "\"schema\":2"), Fault::Schema(2));
    assert_eq!(
        fault(device().as_str(), DeviceId::from_bits([2; 10]).as_str()),
        Fault::Foreign
    );
    assert_eq!(fault("\"floor\":0", "\"floor\":3"), Fault::About);
    assert_eq!(fault("{", "["), Fault::About);
    let (reading, _) = read_since(&Files::new(), 0, 0);
    assert_eq!(reading.fault, Some(Fault::About));
}

#[test]
fn half_of_what_was_kept_is_worse_than_nothing() {
    for (from, to) in [("\"s\":5", "\"s\":1"), ("\"s\":5", "\"s\":7"), ("{\"s\":5", "{\"q\":5")] {
        let mut files = log(6, &[2, 5], &[7..=8]);
        change(&mut files, KEPT, from, to);
        let (reading, _) = read_since(&files, 0, 0);
        assert!(
            reading.entries.is_empty() && reading.kept.is_none() && reading.fault.is_some(),
            "{to}"
        );
    }
}

#[test]
fn a_log_that_lost_entries_waits_for_its_owner() {
    let files = log(2, &[1], &[3..=4]);
    for (seq, floor) in [(5, 2), (4, 3)] {
        let (reading, _) = read_since(&files, seq, floor);
        assert_eq!((seqs(&reading), reading.fault), (vec![], Some(Fault::Behind(seq))));
    }
}

/// What comes in is compressed, so its size says little of what it costs to read.
#[test]
fn a_log_that_was_made_to_be_read_for_ever() {
    let segments: Vec<_> = (0..4).map(|n| 10 * n + 1..=10 * n + 10).collect();
    let files = log(0, &[], &segments);
    let names: BTreeSet<String> = files.keys().cloned().collect();
    let whole: usize = files.values().map(Vec::len).sum();
    let half = files["0000000001.jsonl"].len() + files["0000000011.jsonl"].len();
    let read = |most: usize| {
        let load = |name: &str| Ok::<_, Infallible>(files[name].clone());
        let Ok(reading) = read_up_to(most, device(), &names, Since::default(), load);
        (reading.entries.len(), reading.fault)
    };
    assert_eq!(read(whole), (40, None));
    assert_eq!(read(half + 1), (20, Some(Fault::TooMuch)));

    // One text under many names.
    let mut files = log(0, &[], &[1..=3]);
    let text = files["0000000001.jsonl"].clone();
    for number in 2..1000 {
        files.insert(format!("{number:010}.jsonl"), text.clone());
    }
    change(&mut files, ABOUT, "\"tip\":3", "\"tip\":5000");
    let (reading, loaded) = read_since(&files, 0, 0);
    assert_eq!(reading.fault, Some(Fault::Misplaced("0000000002.jsonl".into())));
    assert!(reading.entries.len() == 3 && loaded.len() <= 5, "{loaded:?}");
    // And texts that have nothing.
    let head = text.split(|byte| *byte == b'\n').next().unwrap();
    for number in 2..1000 {
        files.insert(format!("{number:010}.jsonl"), [head, b"\n"].concat());
    }
    let (reading, loaded) = read_since(&files, 0, 0);
    assert_eq!(reading.fault, Some(Fault::Missing(4)));
    assert!(loaded.len() <= 5, "{loaded:?}");
}
