use super::*;

#[test]
fn each_kind_has_words_of_its_own() {
    use Kind::*;
    let kinds = [
        BothCreated,
        BothEdited,
        EditedDeleted,
        FormChanged,
        FileAgainstFolder,
        Collision,
        Obstructed,
    ];
    let words = std::collections::BTreeSet::from(kinds.map(Kind::words));
    assert_eq!(words.len(), kinds.len());
    assert!(words.iter().all(|words| words.contains(' ')), "{words:?}");
}

fn id() -> ObjectId {
    "1a2b3c4d5e6f0123456789abcdef0123456789ab".parse().unwrap()
}

#[test]
fn a_conflict_files_name_has_the_contents_digits_before_the_extension() {
    for (path, named) in [
        ("notes.md", "notes (conflict 1a2b3c4d5e6f).md"),
        ("a.b/c", "a.b/c (conflict 1a2b3c4d5e6f)"),
        ("d/.env", "d/.env (conflict 1a2b3c4d5e6f)"),
        ("a.tar.gz", "a.tar (conflict 1a2b3c4d5e6f).gz"),
        ("end.", "end (conflict 1a2b3c4d5e6f)."),
    ] {
        assert_eq!(conflict_name(path, id()), named);
        assert!(is_conflict_name(named.rsplit('/').next().unwrap()), "{named}");
    }
    let mark = " (conflict 1a2b3c4d5e6f)";
    for (stem, rest, is_extension) in [(40, 2, true), (1, 31, true), (1, 32, false), (2, 40, false)] {
        let (stem, rest) = ("s".repeat(stem), format!(".{}", "x".repeat(rest)));
        let named = match is_extension {
            true => format!("{stem}{mark}{rest}"),
            false => format!("{stem}{rest}{mark}"),
        };
        assert_eq!(conflict_name(&format!("{stem}{rest}"), id()), named);
    }
    for long in [
        "ü".repeat(127),
        format!("{}.md", "x".repeat(252)),
        format!("x.{}", "y".repeat(250)),
    ] {
        let named = conflict_name(&long, id());
        assert!(named.len() <= LONGEST_NAME && is_conflict_name(&named), "{named}");
    }
    for other in [
        "a (conflict).md",
        "a (conflict 1a2b).md",
        "a (conflict 1A2B3C4D5E6F).md",
        "a (conflict 1a2b3c4d5e6f)x",
    ] {
        assert!(!is_conflict_name(other), "{other}");
    }
}

/// Kinds × strategies, with the edit, or the folder, on beta's side.
#[test]
fn each_strategy_has_its_answer_to_each_kind() {
    use {Kind::*, OnConflict::*, Outcome::*, Side::*};
    let times = |side, _: &str| Some(if side == Alpha { 10 } else { 20_000_000_000 });
    let table = [
        (BothCreated, [Take(Beta), Take(Alpha), Take(Beta), Beside(Alpha), Waits]),
        (BothEdited, [Take(Beta), Take(Alpha), Take(Beta), Beside(Alpha), Waits]),
        (FormChanged, [Take(Beta), Take(Alpha), Take(Beta), Beside(Alpha), Waits]),
        (EditedDeleted, [Take(Beta), Take(Alpha), Take(Beta), Take(Beta), Waits]),
        (
            FileAgainstFolder,
            [Beside(Beta), Take(Alpha), Take(Beta), Beside(Beta), Waits],
        ),
        (Collision, [Waits; 5]),
        (Obstructed, [Waits; 5]),
    ];
    for (kind, outcomes) in table {
        for (on_conflict, outcome) in [Newest, Source, Target, File, Prompt].into_iter().zip(outcomes) {
            let policy = Policy {
                mode: Mode::Bidirectional,
                on_conflict,
                now_ns: i64::MAX,
                changed_ns: &times,
                keeps_name: Side::Alpha,
                decided: &|_| None,
                folds: [false; 2],
            };
            assert_eq!(
                policy.outcome(kind, "a", Some(Beta)),
                outcome,
                "{kind:?} {on_conflict:?}"
            );
        }
    }
}

#[test]
fn times_that_say_nothing_decide_nothing() {
    let second = 1_000_000_000;
    for (alpha, beta, later) in [
        (Some(0), Some(3 * second), Some(Side::Beta)),
        (Some(3 * second), Some(0), Some(Side::Alpha)),
        (Some(0), Some(2 * second), None),
        (Some(2 * second), Some(0), None),
        (Some(0), Some(100 * second), Some(Side::Beta)),
        (Some(0), Some(101 * second), None),
        (Some(i64::MIN), Some(i64::MAX), None),
        (None, Some(3 * second), None),
        (Some(3 * second), None, None),
    ] {
        let policy = Policy {
            mode: Mode::Bidirectional,
            on_conflict: OnConflict::Newest,
            now_ns: 100 * second,
            changed_ns: &|side, _| if side == Side::Alpha { alpha } else { beta },
            keeps_name: Side::Alpha,
            decided: &|_| None,
            folds: [false; 2],
        };
        assert_eq!(policy.later("a"), later, "{alpha:?} {beta:?}");
    }
}

#[test]
fn a_person_decides_over_every_strategy() {
    use {Kind::*, Outcome::*, Side::*};
    for (kind, decided, outcome) in [
        (BothEdited, Take(Beta), Take(Beta)),
        (BothEdited, Beside(Alpha), Beside(Alpha)),
        (BothEdited, Base, Base),
        (EditedDeleted, Base, Base),
        (EditedDeleted, Take(Alpha), Take(Alpha)),
        (EditedDeleted, Beside(Alpha), Take(Beta)),
        (FileAgainstFolder, Beside(Alpha), Beside(Beta)),
    ] {
        for on_conflict in [OnConflict::Prompt, OnConflict::Source] {
            let policy = Policy {
                mode: Mode::Bidirectional,
                on_conflict,
                now_ns: 0,
                changed_ns: &|_, _| None,
                keeps_name: Side::Alpha,
                decided: &|path| (path == "a").then_some(decided),
                folds: [false; 2],
            };
            assert_eq!(policy.outcome(kind, "a", Some(Beta)), outcome, "{kind:?} {decided:?}");
            assert_ne!(policy.outcome(BothEdited, "b", None), Take(Beta));
        }
    }
}
