//! The tables of decisions, each row both ways round.

mod modes;

use super::{
    super::*,
    world::{How, World, outcome, tree, written},
};

const PROMPT: How = How::new(Mode::Bidirectional, OnConflict::Prompt);

/// The same outcome with the sides exchanged.
fn exchanged(outcome: &str) -> String {
    let (trees, waits) = match outcome.split_once('!') {
        Some((trees, waits)) => (trees.trim(), format!(" !{waits}")),
        None => (outcome, String::new()),
    };
    let trees = match trees.split_once('|') {
        Some((alpha, beta)) => format!("{} | {}", beta.trim(), alpha.trim()),
        None => trees.to_owned(),
    };
    format!("{trees}{waits}")
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}

fn both_ways(table: &[(&str, &str, &str, &str)]) {
    for (base, alpha, beta, becomes) in table {
        assert_eq!(
            outcome(PROMPT, base, alpha, beta),
            *becomes,
            "[{base}] [{alpha}] [{beta}]"
        );
        let turned = outcome(PROMPT, base, beta, alpha);
        assert_eq!(turned, exchanged(becomes), "exchanged: [{base}] [{beta}] [{alpha}]");
    }
}

#[test]
fn what_one_side_did_counts() {
    both_ways(&[
        ("", "", "", ""),
        ("a=1", "a=1", "a=1", "a=1"),
        ("", "a=1", "a=1", "a=1"),
        ("a=1", "a=2", "a=2", "a=2"),
        ("a=1", "", "", ""),
        ("", "a=1", "", "a=1"),
        ("a=1", "a=2", "a=1", "a=2"),
        ("a=1", "", "a=1", ""),
        ("", "d/e/a=1", "", "d/e/a=1"),
        ("", "l@x", "", "l@x"),
        ("l@x", "l@y", "l@x", "l@y"),
    ]);
}

#[test]
fn what_both_did_waits() {
    both_ways(&[
        ("", "a=1", "a=2", "a=1 | a=2 ! CC a"),
        ("", "a=1", "a@1", "a=1 | a@1 ! CC a"),
        ("a=1", "a=2", "a=3", "a=2 | a=3 ! MM a"),
        ("l@1", "l@2", "l@3", "l@2 | l@3 ! MM l"),
        ("a=1", "a=2", "", "a=2 | ! MD a"),
    ]);
}

#[test]
fn the_permission_to_run_a_file_merges_by_itself() {
    both_ways(&[
        ("a=1", "a=1*", "a=1", "a=1*"),
        ("a=1*", "a=1", "a=1*", "a=1"),
        ("a=1", "a=1*", "a=2", "a=2*"),
        ("a=1*", "a=1", "a=2*", "a=2"),
        ("a=1*", "a=2*", "a=1", "a=2"),
        ("a=1", "a=2*", "a=2", "a=2*"),
        ("", "a=1*", "a=1", "a=1"),
        ("a=1", "a=1*", "", "a=1* | ! MD a"),
        ("a=1", "a=2*", "a=3", "a=2* | a=3 ! MM a"),
    ]);
    // Who wins gives the content, and the permission is that which was changed.
    let source = How::new(Mode::Bidirectional, OnConflict::Source);
    assert_eq!(outcome(source, "a=1", "a=2", "a=3*"), "a=2*");
    assert_eq!(outcome(source, "", "a=2*", "a=3"), "a=2");
}

#[test]
fn files_and_links() {
    both_ways(&[
        ("a=1", "a@x", "a=1", "a@x"),
        ("a@x", "a=1", "a@x", "a=1"),
        ("a=1", "a@x", "a=2", "a@x | a=2 ! TT a"),
        ("a@x", "a=1", "a@y", "a=1 | a@y ! TT a"),
        ("a=1", "a@x", "a@y", "a@x | a@y ! TT a"),
        ("a=1", "a@x", "", "a@x | ! MD a"),
    ]);
}

#[test]
fn files_and_folders() {
    both_ways(&[
        // A file became a folder.
        ("a=1", "a/b=2 a/c/d=3", "a=1", "a/b=2 a/c/d=3"),
        ("a=1", "a/b=2", "a=3", "a/b=2 | a=3 ! TD a"),
        ("a=1", "a/b=2", "", "a/b=2"),
        ("a=1", "a/b=2", "a/b=3 a/c=4", "a/b=2 a/c=4 | a/b=3 a/c=4 ! CC a/b"),
        ("a=1", "a/u?", "a=1", ""),
        ("a=1", "a/u? a/b=2", "a=1", "a/b=2"),
        // A folder became a file.
        ("a/b=1 a/c=2", "a=3", "a/b=1 a/c=2", "a=3"),
        ("a/b=1 a/c=2", "a=3", "a/b=1", "a=3"),
        ("a/b=1 a/c=2", "a=3", "", "a=3"),
        ("a/b=1", "a@x", "a/b=1", "a@x"),
        ("a/b=1", "a=3", "a/b=2", "a=3 | a/b=2 ! TD a"),
        ("a/b=1", "a=3", "a/b=1 a/n=1", "a=3 | a/b=1 a/n=1 ! TD a"),
        ("a/b=1", "a=3", "a/b=1 a/u?", "a=3 | a/b=1 ! OBSTRUCTED a"),
        ("a/b=1", "a=3", "a/u?", "a=3 | ! OBSTRUCTED a"),
        ("", "a=3", "a/u?", "a=3 | ! OBSTRUCTED a"),
        // Both are new.
        ("", "a=1", "a/b=2", "a=1 | a/b=2 ! TD a"),
        ("a/b=1", "", "a=2", "a=2"),
        // Names that begin alike are no folder.
        ("a=1 a-b=1", "a/b=2 a-b=1", "a=1 a-b=2", "a-b=2 a/b=2"),
    ]);
}

#[test]
fn folders_that_go() {
    both_ways(&[
        ("d/a=1 d/b=1", "", "d/a=1 d/b=1 d/n=1", "d/n=1"),
        ("d/a=1 d/b=1", "", "d/a=2 d/b=1", "| d/a=2 ! MD d/a"),
    ]);
}

#[test]
fn renames() {
    both_ways(&[
        ("a=1", "b=1", "a=1", "b=1"),
        ("a=1", "b=1", "a=2", "b=1 | a=2 b=1 ! MD a"),
        ("a=1", "b=1", "c=1", "b=1 c=1"),
        ("d/a=1 d/b=2", "e/a=1 e/b=2", "d/a=1 d/b=2", "e/a=1 e/b=2"),
    ]);
}

#[test]
fn unknown_is_never_absent() {
    both_ways(&[
        ("a=1", "a?", "a=1", "| a=1"),
        ("a=1", "a?", "a=2", "| a=2"),
        ("a=1", "a?", "", ""),
        ("", "a?", "a=2", "| a=2"),
        ("d/a=1 d/b=1", "d?", "d/a=2 d/b=1", "| d/a=2 d/b=1"),
        ("d/a=1 d/b=1", "d/a? d/b=2", "d/a=3 d/b=1", "d/b=2 | d/a=3 d/b=2"),
        ("d/a=1", "d?", "d=2", "| d=2"),
    ]);
    // What it was is remembered, and counts once it can be seen again.
    let mut world = World::new("a=1", "a?", "a=1");
    world.sync(PROMPT);
    assert_eq!(written(&world.base), "a=1");
    world.unknown[0].clear();
    assert_eq!(world.outcome(PROMPT), "");
}

#[test]
fn names_that_differ_in_case_or_composition() {
    both_ways(&[
        ("", "Foo=1 foo=2", "", "Foo=1 foo=2 | ! COLLISION Foo COLLISION foo"),
        ("", "Foo=1", "foo=2", "Foo=1 | foo=2 ! COLLISION Foo COLLISION foo"),
        ("Foo=1", "foo=1", "Foo=1", "foo=1"),
        ("Foo=1", "foo=1", "Foo=2", "foo=1 | Foo=2 ! MD Foo COLLISION foo"),
        ("", "D/a=1", "d/b=1", "D/a=1 | d/b=1 ! COLLISION D/a COLLISION d/b"),
        // Where they lie side by side already, nobody minds.
        ("", "Foo=1 foo=2", "Foo=1 foo=2", "Foo=1 foo=2"),
        ("Foo=1 foo=2", "Foo=3 foo=2", "Foo=1 foo=2", "Foo=3 foo=2"),
        ("Foo=1 foo=2", "foo=2", "Foo=1 foo=2", "foo=2"),
        // The twin of what the other side has is no reason to delete it.
        (
            "\u{e9}=1",
            "\u{e9}=1 e\u{301}=1",
            "\u{e9}=1",
            "e\u{301}=1 \u{e9}=1 | \u{e9}=1 ! COLLISION e\u{301}",
        ),
        ("\u{e9}=1", "e\u{301}=1", "\u{e9}=1", "e\u{301}=1"),
    ]);
}

/// A side that takes `Foo` and `foo` for one.
#[test]
fn a_change_of_case_is_a_rename_where_case_is_ignored() {
    let folding = How {
        folds: [false, true],
        ..PROMPT
    };
    for (base, alpha, beta, from, path) in [
        ("Foo=1", "foo=1", "Foo=1", "Foo", "foo"),
        ("Foo=1", "foo=2", "Foo=1", "Foo", "foo"),
        ("D/a=1", "d/a=1", "D/a=1", "D/a", "d/a"),
    ] {
        let world = World::new(base, alpha, beta);
        let changes = world.resolve(folding).changes;
        let [
            Change {
                side: Side::Beta,
                path: to,
                action: Action::Rename { from: was, .. },
                ..
            },
        ] = &changes[..]
        else {
            panic!("{changes:?}");
        };
        assert_eq!((was.raw(), to.raw()), (from, path));
        let sensitive = world.resolve(PROMPT).changes;
        assert_eq!(sensitive.len(), 2, "{sensitive:?}");
        assert_eq!(outcome(folding, base, alpha, beta), written(&tree(alpha).0));
    }
}
