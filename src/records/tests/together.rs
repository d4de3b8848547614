//! Several processes that use one database at the same time.

use std::sync::atomic::{AtomicBool, Ordering};

use super::*;

/// What is written while a draft is made is all in it, or all in the next one: it never has entries behind those that it says to have,
/// which would be published, and could be stamped anew afterwards.
#[test]
fn a_draft_ends_with_the_last_entry_that_it_says_to_have() {
    let mut machine = Machine::new();
    let mut records = machine.records();
    let state = machine.state();
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut guard = machine.another_guard();
            let mut other = Records::open(&state, &mut guard).unwrap().unwrap();
            for number in 0..200 {
                assert!(put(&mut other, &cell(&format!("tag-{number}")), true));
            }
            is_over.store(true, Ordering::SeqCst);
        });
        let mut drafts = 0;
        while !is_over.load(Ordering::SeqCst) {
            let Some(draft) = records.draft(&Publisher::default(), COMPACT_FROM).unwrap() else {
                continue;
            };
            let last = draft
                .files
                .iter()
                .filter_map(|file| file.range)
                .map(|(_, last)| last)
                .max();
            assert_eq!(last, Some(draft.seq));
            drafts += 1;
        }
        assert!(drafts > 5, "{drafts}");
    });
    assert_eq!(records.own_log().unwrap().written, 200);
}

/// Of several who write the first record of a clone at once each succeeds.
#[test]
fn several_at_once_make_the_database() {
    for _ in 0..15 {
        let machine = Machine::new();
        let state = machine.state();
        machine.all_write_at_once(&["a", "b", "c", "d", "e", "f", "g", "h"]);
        assert!(!state.path().join("records-1.db").exists());
    }
}
