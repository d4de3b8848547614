//! Segments of a log are put together.

use super::*;

#[test]
fn many_small_segments_are_put_together() {
    let (mut ann, mut bob) = (Machine::new(), Machine::new());
    let (mut ann, mut bob) = (ann.records(), bob.records());
    let mut files = Files::new();
    let mut most = 0;
    for number in 0..40 {
        put(&mut ann, &cell(&format!("tag-{number}")), true);
        publish(&mut ann, &mut files, COMPACT_FROM);
        take_up(&mut bob, ann.device(), &files);
        most = most.max(files.len());
    }
    assert!((15..=17).contains(&most), "{most}");
    assert_eq!(dump(&ann), dump(&bob));
    assert_eq!(bob.list().unwrap().len(), 40);
}

#[test]
fn compaction_drops_what_is_over_and_says_so_to_everybody() {
    let (mut ann, mut bob) = (Machine::new(), Machine::new());
    let (mut ann, mut bob) = (ann.records(), bob.records());
    let mut files = Files::new();
    put(&mut ann, &cell("stays"), true);
    for number in 0..50 {
        put(&mut ann, &colour("urgent"), format!("colour {number}"));
    }
    publish(&mut ann, &mut files, 10);
    take_up(&mut bob, ann.device(), &files);
    put(&mut ann, &colour("urgent"), "last");
    publish(&mut ann, &mut files, 10);
    assert!(files.contains_key(log::KEPT), "{:?}", files.keys());
    let before = dump(&bob);
    take_up(&mut bob, ann.device(), &files);
    assert_ne!(dump(&bob), before);
    let mut newcomer = Machine::new().records();
    take_up(&mut newcomer, ann.device(), &files);
    for records in [&ann, &bob, &newcomer] {
        assert_eq!(dump(records), dump(&ann));
        assert_eq!(records.log(99).unwrap().len(), 2);
    }
    assert_eq!(ann.own_log().unwrap().written, 52);
}
