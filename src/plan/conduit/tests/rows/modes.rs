//! The modes that go one way, and what strategies make of conflicts.

use super::*;

#[test]
fn a_mirror_becomes_what_alpha_is() {
    let mirror = How::new(Mode::Mirror, OnConflict::Prompt);
    for (base, alpha, beta, becomes) in [
        ("", "a=1", "", "a=1"),
        ("", "a=1", "a=2 b=3", "a=1"),
        ("a=1", "a=1", "", "a=1"),
        ("a=1", "a=1", "a=2*", "a=1"),
        ("a=1", "", "a=2", ""),
        ("a=1", "a=1", "a/b=1", "a=1"),
        ("", "a/b=1", "a=1", "a/b=1"),
        ("", "a=1", "a/u? a/b=2", "a=1 | a/b=2 ! OBSTRUCTED a"),
        ("a=1", "a?", "a=2 b=1", "| a=2"),
        ("", "a=1", "b?", "a=1"),
        ("", "", "a=1 b?", ""),
    ] {
        assert_eq!(
            outcome(mirror, base, alpha, beta),
            becomes,
            "[{base}] [{alpha}] [{beta}]"
        );
    }
}

#[test]
fn a_selective_conduit_touches_only_what_it_delivered() {
    let prompt = How::new(Mode::Selective, OnConflict::Prompt);
    let source = How::new(Mode::Selective, OnConflict::Source);
    let target = How::new(Mode::Selective, OnConflict::Target);
    let file = How::new(Mode::Selective, OnConflict::File);
    for (how, base, alpha, beta, becomes) in [
        (prompt, "", "a=1", "", "a=1"),
        (prompt, "", "a=1", "b=2", "a=1 | a=1 b=2"),
        (prompt, "a=1", "a=2", "a=1", "a=2"),
        (prompt, "a=1", "", "a=1 b=2", "| b=2"),
        (prompt, "a=1", "a=1", "", "a=1"),
        (prompt, "a=1", "a=2", "", "a=2"),
        (prompt, "", "a=1", "a=2", "a=1 | a=2 ! CC a"),
        (source, "", "a=1", "a=2", "a=1"),
        (target, "", "a=1", "a=2", "a=1 | a=2 ! CC a"),
        (prompt, "a=1", "a=1", "a=2", "a=1 | a=2 ! MM a"),
        (source, "a=1", "a=1", "a=2", "a=1"),
        (prompt, "a=1", "a=1", "a@x", "a=1 | a@x ! TT a"),
        (prompt, "a=1", "", "a=2", "| a=2 ! MD a"),
        (source, "a=1", "", "a=2", ""),
        (target, "a=1", "", "a=2", "| a=2"),
        (file, "a=1", "", "a=2", "| a=2"),
        (prompt, "a=1", "a=1", "a=1*", "a=1 | a=1*"),
        (prompt, "a=1", "a=2", "a=1*", "a=2"),
        (prompt, "a=1", "a=1*", "a=1", "a=1*"),
        (prompt, "a=1", "a=1", "a/b=2", "a=1 | a/b=2 ! TD a"),
        (prompt, "a/b=1", "a=1", "a/b=1", "a=1"),
        (prompt, "a/b=1", "a=1", "a/b=1 a/c=1", "a=1 | a/b=1 a/c=1 ! TD a"),
        (file, "", "a=1", "a/b=2", "a=1 | a/b=2 ! TD a"),
        (prompt, "a=1", "a/b=1", "a=1", "a/b=1"),
        (prompt, "a=1", "a?", "a=2", "| a=2"),
    ] {
        assert_eq!(
            outcome(how, base, alpha, beta),
            becomes,
            "{how:?} [{base}] [{alpha}] [{beta}]"
        );
    }
}

/// What stays beside the name belongs to one side, so it is not among what both have.
#[test]
fn strategies_decide_what_would_wait() {
    use OnConflict::*;
    let table = [
        ("", "a=1", "a=2", ["a=2", "a=1", "a=2", "a=1"]),
        ("a=1", "a=2", "a=3", ["a=3", "a=2", "a=3", "a=2"]),
        ("a=1", "a@x", "a=3", ["a=3", "a@x", "a=3", "a@x"]),
        ("a=1", "a=2", "", ["a=2", "a=2", "", "a=2"]),
        ("a=1", "", "a=2", ["a=2", "", "a=2", "a=2"]),
        ("", "a=1", "a/b=2", ["a/b=2", "a=1", "a/b=2", "a/b=2"]),
        ("", "a/b=1", "a=2", ["a/b=1", "a/b=1", "a=2", "a/b=1"]),
    ];
    for (base, alpha, beta, becomes) in table {
        for (on_conflict, becomes) in [Newest, Source, Target, File].into_iter().zip(becomes) {
            let how = How::new(Mode::Bidirectional, on_conflict);
            assert_eq!(
                outcome(how, base, alpha, beta),
                becomes,
                "{on_conflict:?} [{base}] [{alpha}] [{beta}]"
            );
        }
    }
    let source = How::new(Mode::Bidirectional, Source);
    assert_eq!(outcome(source, "", "a=1", "a/u? a/b=2"), "a=1 | a/b=2 ! OBSTRUCTED a");
}

#[test]
fn the_loser_stays_beside_the_name_where_it_was() {
    let file = How::new(Mode::Bidirectional, OnConflict::File);
    for (alpha, beta, loser) in [("a=1", "a=2", 1), ("a=1", "a/b=2", 0), ("a/b=1", "a=2", 1)] {
        let mut world = World::new("", alpha, beta);
        world.sync(file);
        let names: Vec<_> = world.unknown.iter().map(|names| names.len()).collect();
        let expected = if loser == 0 { [1, 0] } else { [0, 1] };
        assert_eq!(names, expected, "[{alpha}] [{beta}]");
        // The same conflict again makes the same file.
        let before = world.unknown.clone();
        world.base.clear();
        [world.sides[0], world.sides[1]] = [alpha, beta].map(|text| tree(text).0);
        world.sync(file);
        assert_eq!(world.unknown, before);
    }
}
