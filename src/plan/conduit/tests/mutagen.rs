//! The situations that the tests of Mutagen's reconciliation tell apart (121 of them, in its four modes), and what we do in each.
//!
//! Its modes are S two-way-safe, R two-way-resolved, O one-way-safe and M one-way-replica. Where the expectation differs
//! from Mutagen's, the row says why: `E` an edit against a deletion waits, or goes the way of the side that was chosen; `U` what is
//! unknown is never taken for absent, also where it is ignored, and is named by the scan and not as a conflict; `0` empty
//! folders are not carried.

use super::{
    super::*,
    world::{How, outcome},
};

fn how(mode: char) -> How {
    let (mode, on_conflict) = match mode {
        'S' => (Mode::Bidirectional, OnConflict::Prompt),
        'R' => (Mode::Bidirectional, OnConflict::Source),
        'O' => (Mode::Selective, OnConflict::Prompt),
        _ => (Mode::Mirror, OnConflict::Prompt),
    };
    How::new(mode, on_conflict)
}

/// Modes, base, alpha, beta, what becomes of it, and why that is not what Mutagen does.
type Row = (
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    &'static str,
);

fn play(rows: &[Row]) -> usize {
    for (modes, base, alpha, beta, becomes, _) in rows {
        for mode in modes.chars() {
            assert_eq!(
                outcome(how(mode), base, alpha, beta),
                *becomes,
                "{mode} [{base}] [{alpha}] [{beta}]"
            );
        }
    }
    rows.len()
}

#[rustfmt::skip]
const AGREED: &[Row] = &[
    ("SROM", "", "", "", "", ""),
    ("SROM", "r=1", "r=1", "r=1", "r=1", ""),
    ("SROM", "r@f", "r@f", "r@f", "r@f", ""),
    ("SROM", "r@/f", "r@/f", "r@/f", "r@/f", ""),
    ("SROM", "", "", "", "", "0"),
    ("SROM", "r/f=1", "r/f=1", "r/f=1", "r/f=1", ""),
    ("SROM", "", "r=1", "r=1", "r=1", ""),
    ("SROM", "", "r@f", "r@f", "r@f", ""),
    ("SROM", "", "r@/f", "r@/f", "r@/f", ""),
    ("SROM", "", "", "", "", "0"),
    ("SROM", "", "r/f=1", "r/f=1", "r/f=1", ""),
    ("SROM", "r/e=1", "r/e=1 r/f=1", "r/e=1 r/f=1", "r/e=1 r/f=1", ""),
    ("SROM", "r/f=1", "r/f=1 r/l@f", "r/f=1 r/l@f", "r/f=1 r/l@f", ""),
    ("SROM", "", "r/l@/f", "r/l@/f", "r/l@/f", ""),
    ("SROM", "r=1", "", "", "", ""),
    ("SROM", "r/f=1", "", "", "", "0"),
    ("SROM", "r/f=1 r/l@f", "r/f=1", "r/f=1", "r/f=1", ""),
    ("SROM", "r/l@/f", "", "", "", "0"),
    ("SROM", "", "", "", "", "0"),
    ("SROM", "r/f=1", "", "", "", ""),
];

#[rustfmt::skip]
const UNKNOWN: &[Row] = &[
    ("SROM", "", "", "r?", "", ""),
    ("SROM", "", "r?", "", "", ""),
    ("SROM", "", "r?", "r?", "", ""),
    ("SROM", "r=1", "", "r?", "", "U"),
    ("SROM", "r=1", "r?", "", "", "U"),
    ("SROM", "r/f=1", "r?", "r?", "", "U"),
    ("SROM", "", "r?", "", "", ""),
    ("SROM", "r=1", "r?", "", "", ""),
    ("SROM", "", "r?", "", "", ""),
    ("SROM", "r=1", "r?", "r=1", "| r=1", ""),
    ("SROM", "", "", "r?", "", ""),
    ("SROM", "r=1", "", "r?", "", ""),
    ("SROM", "r=1", "r=1", "r?", "r=1 |", ""),
    ("SROM", "", "", "r?", "", ""),
    ("SROM", "", "r?", "r?", "", ""),
    ("SROM", "r=1", "r?", "r?", "", ""),
    ("SROM", "r/f=1", "r?", "r?", "", ""),
];

#[rustfmt::skip]
const ONE_SIDE: &[Row] = &[
    ("SROM", "", "r=1", "", "r=1", ""),
    ("SROM", "", "", "", "", "0"),
    ("SROM", "", "r/f=1", "", "r/f=1", ""),
    ("SROM", "r/e=1", "r/e=1 r/f=1", "r/e=1", "r/e=1 r/f=1", ""),
    ("SROM", "r=1", "r=2", "r=1", "r=2", ""),
    ("SROM", "r=1", "r/f=1", "r=1", "r/f=1", ""),
    ("SROM", "r=1", "", "r=1", "", ""),
    ("SROM", "r/f=1", "", "r/f=1", "", ""),
    ("SR", "", "", "r=1", "r=1", ""),
    ("O", "", "", "r=1", "| r=1", ""),
    ("M", "", "", "r=1", "", ""),
    ("SR", "", "", "", "", "0"),
    ("O", "", "", "", "", "0"),
    ("M", "", "", "", "", "0"),
    ("SR", "", "", "r/f=1", "r/f=1", ""),
    ("O", "", "", "r/f=1", "| r/f=1", ""),
    ("M", "", "", "r/f=1", "", ""),
    ("SR", "r/e=1", "r/e=1", "r/e=1 r/f=1", "r/e=1 r/f=1", ""),
    ("O", "r/e=1", "r/e=1", "r/e=1 r/f=1", "r/e=1 | r/e=1 r/f=1", ""),
    ("M", "r/e=1", "r/e=1", "r/e=1 r/f=1", "r/e=1", ""),
    ("SR", "r=1", "r=1", "r=2", "r=2", ""),
    ("O", "r=1", "r=1", "r=2", "r=1 | r=2 ! MM r", ""),
    ("M", "r=1", "r=1", "r=2", "r=1", ""),
    ("SR", "r=1", "r=1", "r/f=1", "r/f=1", ""),
    ("O", "r=1", "r=1", "r/f=1", "r=1 | r/f=1 ! TD r", ""),
    ("M", "r=1", "r=1", "r/f=1", "r=1", ""),
    ("SR", "r=1", "r=1", "", "", ""),
    ("OM", "r=1", "r=1", "", "r=1", ""),
    ("SR", "r/f=1", "r/f=1", "", "", ""),
    ("OM", "r/f=1", "r/f=1", "", "r/f=1", ""),
];

#[rustfmt::skip]
const BOTH_SIDES: &[Row] = &[
    ("SO", "", "r=1", "r=2", "r=1 | r=2 ! CC r", ""),
    ("RM", "", "r=1", "r=2", "r=1", ""),
    ("SO", "", "r=1", "r/f=1", "r=1 | r/f=1 ! TD r", ""),
    ("RM", "", "r=1", "r/f=1", "r=1", ""),
    ("SROM", "", "r/e=1 r/f=1", "r/e=1", "r/e=1 r/f=1", ""),
    ("SR", "", "r/e=1", "r/e=1 r/f=1", "r/e=1 r/f=1", ""),
    ("O", "", "r/e=1", "r/e=1 r/f=1", "r/e=1 | r/e=1 r/f=1", ""),
    ("M", "", "r/e=1", "r/e=1 r/f=1", "r/e=1", ""),
    ("SO", "", "r/f=1", "r/f=2", "r/f=1 | r/f=2 ! CC r/f", ""),
    ("RM", "", "r/f=1", "r/f=2", "r/f=1", ""),
    ("ROM", "r=1", "r=2", "", "r=2", ""),
    ("S", "r=1", "r=2", "", "r=2 | ! MD r", "E"),
    ("S", "r=1", "", "r=2", "| r=2 ! MD r", "E"),
    ("R", "r=1", "", "r=2", "", "E"),
    ("O", "r=1", "", "r=2", "| r=2 ! MD r", "E"),
    ("M", "r=1", "", "r=2", "", ""),
    ("SROM", "r/e=1 r/f=1", "", "r/e=1", "", ""),
    ("SR", "r/e=1 r/f=1", "r/e=1", "", "", ""),
    ("OM", "r/e=1 r/f=1", "r/e=1", "", "r/e=1", ""),
];

#[rustfmt::skip]
const IN_THE_WAY: &[Row] = &[
    ("SR", "", "r?", "r=1", "| r=1", "U"),
    ("O", "", "r?", "r=1", "| r=1", ""),
    ("M", "", "r?", "r=1", "| r=1", "U"),
    ("SROM", "r/e=1", "r/e=1 r/u?", "r/e=1", "r/e=1", ""),
    ("SROM", "r/e=1", "r/e=1 r/u?", "r/e=1", "r/e=1", ""),
    ("SROM", "", "r/u?", "", "", "0"),
    ("SROM", "", "r/u?", "", "", "0"),
    ("SROM", "", "r=1", "r?", "r=1 |", "U"),
    ("SO", "", "r=1", "r/u?", "r=1 | ! OBSTRUCTED r", ""),
    ("RM", "", "r=1", "r/u?", "r=1 | ! OBSTRUCTED r", ""),
    ("SROM", "r/e=1", "r/e=1", "r/e=1 r/u?", "r/e=1", ""),
    ("SROM", "r/e=1", "r/e=1 r/u?", "r/e=1", "r/e=1", ""),
    ("SR", "", "", "r/u?", "", "0"),
    ("O", "", "", "r/u?", "", ""),
    ("M", "", "", "r/u?", "", "0"),
    ("SR", "", "", "r/u?", "", "0"),
    ("O", "", "", "r/u?", "", ""),
    ("M", "", "", "r/u?", "", "0"),
    ("SR", "r=1", "r=1", "r?", "r=1 |", "U"),
    ("OM", "r=1", "r=1", "r?", "r=1 |", "U"),
    ("SR", "r=1", "r=1", "r/u?", "", "0"),
    ("O", "r=1", "r=1", "r/u?", "r=1 | ! OBSTRUCTED r", ""),
    ("M", "r=1", "r=1", "r/u?", "r=1 | ! OBSTRUCTED r", ""),
    ("SROM", "r/f=1", "", "r/u?", "", "0"),
    ("SR", "r/f=1", "r/u?", "", "", "0"),
    ("OM", "r/f=1", "r/u?", "", "", "0"),
    ("SROM", "r/f=1", "r?", "", "", "0"),
    ("SR", "r/f=1", "", "r?", "", "0"),
    ("OM", "r/f=1", "", "r?", "", "0"),
    ("SR", "r/f=1", "r/u?", "r=2", "| r=2 ! OBSTRUCTED r", ""),
    ("O", "r/f=1", "r/u?", "r=2", "| r=2 ! OBSTRUCTED r", ""),
    ("M", "r/f=1", "r/u?", "r=2", "", ""),
    ("SROM", "r/f=1", "r=2", "r/u?", "r=2 | ! OBSTRUCTED r", ""),
    ("SR", "r/f=1", "r/u?", "r=2", "| r=2 ! OBSTRUCTED r", ""),
    ("O", "r/f=1", "r/u?", "r=2", "| r=2 ! OBSTRUCTED r", ""),
    ("M", "r/f=1", "r/u?", "r=2", "", ""),
    ("SROM", "r/f=1", "r=2", "r/u?", "r=2 | ! OBSTRUCTED r", ""),
];

#[test]
fn both_sides_agree() {
    assert_eq!(play(AGREED), 20);
}

#[test]
fn one_side_or_both_are_unknown() {
    assert_eq!(play(UNKNOWN), 17);
}

#[test]
fn one_side_changed() {
    assert_eq!(play(ONE_SIDE), 30);
}

/// Two situations of Mutagen's take two rows each here.
#[test]
fn both_sides_changed() {
    assert_eq!(play(BOTH_SIDES), 17 + 2);
}

#[test]
fn something_unknown_is_in_the_way() {
    assert_eq!(play(IN_THE_WAY), 37);
}
