//! What the 28 scenarios of rclone's two-way sync do to its two folders, and what we make of the same.
//!
//! Options that have no match here (check files, listings that are compared again, other hashes) leave the trees as their plain
//! sibling does, so these are played once more and not left out.

mod resync;

use super::{
    super::{
        guard::{Stop, check},
        *,
    },
    world::{How, Tree, story, tree},
};

const PROMPT: How = How::new(Mode::Bidirectional, OnConflict::Prompt);
const FILE: How = How::new(Mode::Bidirectional, OnConflict::File);

/// New, newer and deleted on either side, changed on both, edited against deleted, deleted on both.
fn changes(name: &str) {
    let before = "f1=0 f2=0 f3=0 f4=0 f5=0 f6=0 f7=0 f8=0 sub/f20=0";
    let alpha = "f1=0 f2=2 f3=0 f5=L f7=7 f11=n sub/f20=0";
    let beta = "f1=1 f2=0 f4=0 f5=R f6=6 f10=n sub/f20=0";
    story(
        name,
        PROMPT,
        &[
            (before, before, before),
            (
                alpha,
                beta,
                "f1=1 f10=n f11=n f2=2 f5=L f7=7 sub/f20=0 | f1=1 f10=n f11=n f2=2 f5=R f6=6 sub/f20=0 ! MM f5 MD f6 MD f7",
            ),
        ],
    );
    let world = story(
        name,
        FILE,
        &[
            (before, before, before),
            (alpha, beta, "f1=1 f10=n f11=n f2=2 f5=L f6=6 f7=7 sub/f20=0"),
        ],
    );
    assert_eq!(
        world.unknown.map(|names| names.len()),
        [0, 1],
        "{name}: the loser stays"
    );
}

#[test]
fn all_kinds_of_changes() {
    for name in ["changes", "compare_all", "nomodtime", "backupdir", "dry_run"] {
        changes(name);
    }
}

#[test]
fn plain_changes() {
    for name in ["basic", "ignorelistingchecksum"] {
        story(
            name,
            PROMPT,
            &[
                ("f1=0 sub/f20=0", "", "f1=0 sub/f20=0"),
                ("f1=0 sub/f20=2", "f1=1 sub/f20=0", "f1=1 sub/f20=2"),
            ],
        );
    }
    // Only the content counts, whatever the times say.
    story(
        "all_changed",
        PROMPT,
        &[("f1=0 f2=0", ".", "f1=0 f2=0"), ("f1=0 f2=0", ".", "f1=0 f2=0")],
    );
    story(
        "rclone_args",
        PROMPT,
        &[
            ("f1=0 f2=0 sub/f20=0 sub/f21=0", ".", "f1=0 f2=0 sub/f20=0 sub/f21=0"),
            (
                "f1=1 f2=0 sub/f20=1 sub/f21=0",
                "f1=0 f2=1 sub/f20=0 sub/f21=1",
                "f1=1 f2=1 sub/f20=1 sub/f21=1",
            ),
        ],
    );
}

#[test]
fn the_same_change_on_both_sides_is_none() {
    story(
        "equal",
        PROMPT,
        &[
            ("f1=0 f2=0", ".", "f1=0 f2=0"),
            ("f1=L f2=1", "f1=R f2=1", "f1=L f2=1 | f1=R f2=1 ! MM f1"),
        ],
    );
}

/// What is written while a sync runs is found by the next one.
#[test]
fn files_that_change_meanwhile() {
    story(
        "concurrent",
        PROMPT,
        &[
            ("f1=0 f5=0", ".", "f1=0 f5=0"),
            (".", "f1=R f5=0", "f1=R f5=0"),
            (".", "f1=S f5=0", "f1=S f5=0"),
        ],
    );
    story(
        "volatile",
        FILE,
        &[
            ("f5=0", ".", "f5=0"),
            ("f5=L", "f5=R", "f5=L"),
            ("f5=L n0=1 n1=1", "f5=S", "f5=S n0=1 n1=1"),
            ("f5=M n0=2 n1=1", "f5=T n0=1 n1=1", "f5=M n0=2 n1=1"),
        ],
    );
}

/// Its files that must be on both sides are files as others here: one that was deleted is deleted.
#[test]
fn files_that_stand_for_access() {
    story(
        "check_access",
        PROMPT,
        &[
            ("T=0 sub/T=0", ".", "T=0 sub/T=0"),
            (".", "T=0", "T=0"),
            ("T=0 sub/T=0", ".", "T=0 sub/T=0"),
            ("sub/T=0", ".", "sub/T=0"),
        ],
    );
    story(
        "check_filename",
        PROMPT,
        &[("c=0 sub/c=0", ".", "c=0 sub/c=0"), (".", "c=0", "c=0")],
    );
    story(
        "check_access_filters",
        PROMPT,
        &[
            ("T=0 out? in/T=0", "T=0 out?", "T=0 in/T=0"),
            ("T=0 out? in/T=0", "T=0 out? in/T=0", "T=0 in/T=0"),
            ("T=0 out?", "in/T=0 out?", ""),
        ],
    );
    // There is one record of what both had, so it cannot contradict itself.
    story("check_sync", PROMPT, &[("f1=0", ".", "f1=0"), (".", ".", "f1=0")]);
}

#[test]
fn empty_folders_are_not_carried() {
    for name in ["createemptysrcdirs", "rmdirs"] {
        story(
            name,
            PROMPT,
            &[
                ("f1=0 sub/p=0", ".", "f1=0 sub/p=0"),
                ("f1=0", ".", "f1=0"),
                (".", ".", "f1=0"),
            ],
        );
    }
}

#[test]
fn names_beyond_ascii() {
    story(
        "ext_paths",
        PROMPT,
        &[
            ("測試Русский/測試_c=0", ".", "測試Русский/測試_c=0"),
            (
                "測試Русский/測試_c=0 測試Русский/測試_p1=1",
                "測試Русский/測試_c=0 測試Русский/測試_p2=1",
                "測試Русский/測試_c=0 測試Русский/測試_p1=1 測試Русский/測試_p2=1",
            ),
        ],
    );
    story(
        "extended_filenames",
        PROMPT,
        &[
            ("Русский=0 d_ࢺ_/ě=0 ࢺ=0", ".", "d_ࢺ_/ě=0 Русский=0 ࢺ=0"),
            (
                "d_ࢺ_/ě=0 d_ࢺ_/測試=1 d_ࢺ_/b=1 ࢺ=0 \u{19}\u{81}=1",
                "Русский=1 d_ࢺ_/b=2",
                "\u{19}\u{81}=1 d_ࢺ_/b=1 d_ࢺ_/測試=1 | \u{19}\u{81}=1 d_ࢺ_/b=2 d_ࢺ_/測試=1 Русский=1 ! CC d_ࢺ_/b MD Русский",
            ),
        ],
    );
    // Names that are one to some file systems wait, and neither is deleted.
    story(
        "normalization",
        PROMPT,
        &[
            ("f1=0", ".", "f1=0"),
            (
                "f1=0 \u{e9}\u{f6}=1 HeLlO=1",
                "f1=0 e\u{301}o\u{308}=2 hello=2",
                "HeLlO=1 f1=0 \u{e9}\u{f6}=1 | e\u{301}o\u{308}=2 f1=0 hello=2 \
                 ! COLLISION HeLlO COLLISION e\u{301}o\u{308} COLLISION hello COLLISION \u{e9}\u{f6}",
            ),
        ],
    );
}

/// Filters make what they leave out unknown, on both sides.
#[test]
fn filters() {
    story(
        "filters",
        PROMPT,
        &[
            ("f1=0 Z?", "Z?", "f1=0"),
            ("f1=0 Z? sub/Z=1", "f1=0 Z?", "f1=0 sub/Z=1"),
        ],
    );
    // Other filters forget what they leave out, and what they let in again is a first sync.
    let mut world = story(
        "filtersfile_checks",
        PROMPT,
        &[("f1=0 f2=0", ".", "f1=0 f2=0"), ("f1=0 f2?", "f1=0 f2?", "f1=0")],
    );
    world.base = tree("f1=0").0;
    world.unknown = Default::default();
    world.sides = [tree("f1=0").0, tree("f1=0 f2=0").0];
    assert_eq!(world.outcome(PROMPT), "f1=0 f2=0");
}

#[test]
fn more_than_half_deleted_stops_on_either_side() {
    let nine = "f1=1 f2=2 f3=3 f4=4 f5=5 f6=6 f7=7 f8=8 f9=9";
    let four = "f6=6 f7=7 f8=8 f9=9";
    for (name, alpha, beta, stopped) in [
        ("max_delete_path1", four, nine, Side::Beta),
        ("max_delete_path2_force", nine, four, Side::Alpha),
    ] {
        let world = super::world::World::new(nine, alpha, beta);
        let listing = |tree: &Tree| Listing {
            items: tree.iter().map(|(path, item)| (path.clone(), *item)).collect(),
            unknown: Vec::new(),
        };
        let [a, b] = [0, 1].map(|side| listing(&world.sides[side]));
        let stop = check(
            &world.resolve(PROMPT),
            &listing(&world.base).items,
            [&a, &b],
            Mode::Bidirectional,
            false,
        );
        assert!(
            matches!(stop, Some(Stop::Deletes(side, _)) if side == stopped),
            "{name}: {stop:?}"
        );
        story(name, PROMPT, &[(nine, ".", nine), (alpha, beta, four)]);
    }
}
