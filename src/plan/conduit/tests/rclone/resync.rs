//! Conflicts, and syncs with nothing known from before.

use super::*;

#[test]
fn conflicts_by_strategy() {
    use OnConflict::*;
    for (on_conflict, times, becomes, beside) in [
        (Newest, [0, 9_000_000_000], "f1=R", [0, 0]),
        (Newest, [9_000_000_000, 0], "f1=L", [0, 0]),
        (Newest, [0, 0], "f1=L", [0, 1]),
        (Target, [0, 0], "f1=R", [0, 0]),
        (Source, [0, 0], "f1=L", [0, 0]),
        (File, [0, 0], "f1=L", [0, 1]),
        (Prompt, [0, 0], "f1=L | f1=R ! MM f1", [0, 0]),
    ] {
        let how = How {
            times,
            ..How::new(Mode::Bidirectional, on_conflict)
        };
        let world = story("resolve", how, &[("f1=0", ".", "f1=0"), ("f1=L", "f1=R", becomes)]);
        assert_eq!(
            world.unknown.map(|names| names.len()),
            beside,
            "resolve {on_conflict:?}"
        );
        // Without anything known from before, what differs was created on both sides.
        let world = story("resync_modes", how, &[("f1=L", "f1=R", &becomes.replace("MM", "CC"))]);
        assert_eq!(
            world.unknown.map(|names| names.len()),
            beside,
            "resync_modes {on_conflict:?}"
        );
    }
}

/// A first sync, with nothing known from before.
#[test]
fn first_syncs() {
    let all = "f1=1 f2=2 f7=7";
    story("resync", PROMPT, &[("", all, all)]);
    story("resync", PROMPT, &[(all, "", all)]);
    let source = How::new(Mode::Bidirectional, OnConflict::Source);
    story(
        "resync",
        source,
        &[
            (
                "f1=1 f3=1 f5=1 f6=B f7=7",
                "f2=2 f3=A f4=A f5=B f6=A f7=7",
                "f1=1 f2=2 f3=1 f4=A f5=1 f6=B f7=7",
            ),
            (".", ".", "f1=1 f2=2 f3=1 f4=A f5=1 f6=B f7=7"),
        ],
    );
}
