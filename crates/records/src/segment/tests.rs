//! Segments as they should be, and as they should not.

use super::*;
use crate::{
    Stamp,
    fixture::{device, dot},
};

fn entry(seq: u64) -> Entry {
    Entry {
        seq,
        stamp: Stamp::at(seq),
        cell: Cell::new("tag", &["API-T-0001", "urgent"], ""),
        value: Some(true.into()),
        over: vec![dot(2, 12)],
    }
}

#[test]
fn a_segment_is_read_as_it_was_written() {
    let removal = Entry {
        value: None,
        over: vec![dot(1, 1), dot(2, 3)],
        ..entry(2)
    };
    let unknown = Entry {
        cell: Cell::new("hologram", &["x"], "depth"),
        value: Some(serde_json::json!({"z": [1, "ä\n"]})),
        over: Vec::new(),
        ..entry(3)
    };
    let entries = vec![entry(1), removal, unknown];
    let segments = write(device(1), &entries);
    assert_eq!(segments.len(), 1);
    assert_eq!((segments[0].name().as_str(), segments[0].last), ("0000000001.jsonl", 3));
    let parsed = parse(segments[0].text.as_bytes(), device(1));
    assert_eq!(parsed, Parsed { entries, fault: None });
    let line = segments[0].text.lines().nth(1).unwrap();
    assert_eq!(
        line,
        r#"{"s":1,"t":"0000000000010000","m":"tag","k":["API-T-0001","urgent"],"f":"","v":true,"o":[[0,12]]}"#
    );
}

#[test]
fn what_is_before_a_fault_counts() {
    let text = text(device(1), &[entry(1), entry(2)]);
    let cut = |text: &str| {
        let parsed = parse(text.as_bytes(), device(1));
        (parsed.entries.len(), parsed.fault)
    };
    assert_eq!(cut(&text), (2, None));
    assert_eq!(cut(&text[..text.len() - 1]), (1, Some(Fault::Unreadable)));
    assert_eq!(cut(&text[..text.len() - 9]), (1, Some(Fault::Unreadable)));
    assert_eq!(
        cut(&text.replace("\"s\":2", "\"s\":0")),
        (1, Some(Fault::Entry(Improper::Seq)))
    );
    assert_eq!(
        cut(&text.replace("\"s\":2", "\"x\":1,\"s\":2")),
        (1, Some(Fault::Unreadable))
    );
    assert_eq!(
        cut(&text.replace("\"s\":2", "\"s\":2,\"s\":3")),
        (1, Some(Fault::Unreadable))
    );
    assert_eq!(cut(&text.replace("[0,12]", "[9,12]")), (0, Some(Fault::Device)));
    assert_eq!(
        cut(&text.replace("\"v\":true", "\"v\":null")),
        (0, Some(Fault::Entry(Improper::Null)))
    );
    assert_eq!(
        cut(&text.replace("\"v\":true", &format!("\"v\":\"{}\"", "x".repeat(MAX_LINE)))).1,
        Some(Fault::TooLong)
    );
    assert_eq!(
        cut(&text.replace("\"schema\":1", "\"schema\":2")),
        (0, Some(Fault::Schema(2)))
    );
    assert_eq!(
        cut(&text.replacen(device(1).as_str(), device(3).as_str(), 1)),
        (0, Some(Fault::Head))
    );
    assert_eq!(cut(""), (0, Some(Fault::Unreadable)));
    assert_eq!(cut(&"[".repeat(100_000)), (0, Some(Fault::Unreadable)));
}

#[test]
fn segments_stay_within_their_limits() {
    let many: Vec<Entry> = (1..=1001).map(entry).collect();
    let ranges = |segments: &[Segment]| segments.iter().map(|s| (s.first, s.last)).collect::<Vec<_>>();
    assert_eq!(ranges(&write(device(1), &many[..500])).len(), 1);
    assert_eq!(ranges(&write(device(1), &many)), [(1, 500), (501, 1000), (1001, 1001)]);
    let long: Vec<Entry> = (1..=5)
        .map(|seq| Entry {
            value: Some("x".repeat(40 << 10).into()),
            ..entry(seq)
        })
        .collect();
    let segments = write(device(1), &long);
    assert_eq!(segments.len(), 5);
    assert!(segments.iter().all(|segment| segment.text.len() <= MAX_BYTES));
    assert!(write(device(1), &[]).is_empty());
}

#[test]
fn names_are_told_from_others() {
    assert_eq!(first_of("0000000101.jsonl"), Some(101));
    assert_eq!(first_of(&name(12_345_678_901)), Some(12_345_678_901));
    for odd in [
        "101.jsonl",
        "0000000101",
        "000000010x.jsonl",
        "snap.jsonl",
        "00000000101.jsonl",
        "+000000101.jsonl",
    ] {
        assert_eq!(first_of(odd), None, "{odd}");
    }
}

#[test]
fn sixteen_small_segments_become_few() {
    let (full, small) = ((500, 40_000), (3, 300));
    assert_eq!(fold_from(&[small; 15]), None);
    assert_eq!(fold_from(&[small; 16]), Some(0));
    let mut log = vec![full, small, full];
    log.extend([small; 16]);
    assert_eq!(fold_from(&log), Some(3));
    log.push(full);
    assert_eq!(fold_from(&log), None);
}
