//! The groups of Unison's own test, as far as they are about trees: what it has on both sides, or keeps, after each sync.
//!
//! Its backups are our kept copies: the world that plays these checks at each sync that what was replaced or removed is kept.

use super::{
    super::*,
    world::{How, World, story, tree, written},
};

const PROMPT: How = How::new(Mode::Bidirectional, OnConflict::Prompt);
const SOURCE: How = How::new(Mode::Bidirectional, OnConflict::Source);
const MIRROR: How = How::new(Mode::Mirror, OnConflict::Prompt);

#[test]
fn propagation() {
    let both = "a=a b=b d1/a=a1 d1/b=b1 d2/x=x2 d2/y=y2 x=x y=y";
    for threads in ["default", "one", "one less", "as many", "one more"] {
        story(
            threads,
            PROMPT,
            &[
                ("", "", ""),
                ("a=a b=b d1/a=a1 d1/b=b1", "x=x y=y d2/x=x2 d2/y=y2", both),
            ],
        );
    }
}

/// A folder that it takes as one thing (`.git`) never travels here, so these are folders as others, file by file.
#[test]
fn folders_taken_as_one() {
    let newest = How {
        times: [9_000_000_000, 0],
        ..How::new(Mode::Bidirectional, OnConflict::Newest)
    };
    let before = "d/a=1 d/b=1 d/c=1";
    story(
        "atomicity 1",
        newest,
        &[
            (before, before, before),
            ("d/a=2 d/b=1 d/c=2", "d/a=1 d/b=3 d/c=3", "d/a=2 d/b=3 d/c=2"),
        ],
    );
    story(
        "atomicity 2",
        PROMPT,
        &[("d/a=1 d/d=q", "d/a=1 d/e=q", "d/a=1 d/d=q d/e=q")],
    );
}

/// It takes a change that comes after an unsolved conflict for the winner's, in one mode of its own. Here it stays a conflict.
#[test]
fn a_conflict_stays_one() {
    story(
        "fastcheck",
        PROMPT,
        &[
            ("", "", ""),
            ("x=foo", "x=bar", "x=foo | x=bar ! CC x"),
            ("x=new", ".", "x=new | x=bar ! CC x"),
            ("x=bar", ".", "x=bar"),
            ("x=f00", ".", "x=f00"),
            ("x=f00 y=foo", ".", "x=f00 y=foo"),
        ],
    );
}

/// Seven of its groups: whatever is replaced or removed, once or again, on whichever side, is kept.
#[test]
fn backups() {
    story(
        "remote",
        PROMPT,
        &[("", "", ""), ("t=1", ".", "t=1"), ("t=2", ".", "t=2")],
    );
    story(
        "local",
        PROMPT,
        &[
            ("x=foo d/a=barr", ".", "d/a=barr x=foo"),
            ("", ".", ""),
            ("x=FOO d/a=BARR", ".", "d/a=BARR x=FOO"),
            ("", ".", ""),
        ],
    );
    story("2", PROMPT, &[("x=foo d/a=barr", ".", "d/a=barr x=foo"), ("", ".", "")]);
    story("2a", PROMPT, &[("foo=1", ".", "foo=1"), ("foo=2", ".", "foo=2")]);
    story("3", PROMPT, &[("x=foo", ".", "x=foo"), (".", "x=barr", "x=barr")]);
    story(
        "4",
        PROMPT,
        &[
            ("x=foo", ".", "x=foo"),
            ("x=barr", ".", "x=barr"),
            (".", "x=bazzz", "x=bazzz"),
        ],
    );
    story("6", PROMPT, &[("x=foo", ".", "x=foo")]);
}

/// A folder that changes on one side and becomes a file on the other one afterwards, with plain files and with links.
#[test]
fn folders_that_become_files() {
    for (name, l1, l2) in [("backups 5", "x/l=1", "x/l=2"), ("links 1", "x/l@1", "x/l@2")] {
        story(
            name,
            PROMPT,
            &[
                (&format!("x/a=foo {l1}"), ".", &format!("x/a=foo {l1}")),
                (".", &format!("x/b=barr {l2}"), &format!("x/b=barr {l2}")),
                ("x=bazzz", ".", "x=bazzz"),
            ],
        );
    }
}

/// A link that leads nowhere is followed by nobody. Links are unknown unless they are kept, and then it is one as others.
#[test]
fn links_to_nowhere() {
    story("links 2", PROMPT, &[("", "", ""), ("y?", ".", "")]);
    story("links 2, kept", PROMPT, &[("", "", ""), ("y@x", ".", "y@x")]);
}

#[test]
fn moves() {
    story(
        "plain",
        PROMPT,
        &[
            ("x=foo d/a=barr", ".", "d/a=barr x=foo"),
            (".", "y=foo d/a=barr", "d/a=barr y=foo"),
            (".", "y=foo e/a=barr", "e/a=barr y=foo"),
            (".", "e/a=barr e/y=foo", "e/a=barr e/y=foo"),
            ("d/a=barr", ".", "d/a=barr"),
            (".", "q/d/a=barr", "q/d/a=barr"),
            (
                "x=foo y=bar z=bah c/b=quu d/a=barr",
                ".",
                "c/b=quu d/a=barr x=foo y=bar z=bah",
            ),
            (
                "y=bar o=bah c/b=quu c/x=foo c/z=bar e/a=barr",
                ".",
                "c/b=quu c/x=foo c/z=bar e/a=barr o=bah y=bar",
            ),
            ("x=bah", ".", "x=bah"),
        ],
    );
    let before = "d/a=barr x=foo";
    for moved in [
        "y=foo d/a=barr",
        "x=foo e/a=barr",
        "d/a=barr d/x=foo",
        "x=foo q/d/a=barr",
    ] {
        story("reverting", MIRROR, &[(before, ".", before), (".", moved, before)]);
    }
}

#[test]
fn moves_over_something() {
    let before = "c/b=quu d/a=barr x=foo y=bar";
    let over_a_folder = "c=foo d/a=barr y=bar";
    let over_a_file = "c/b=quu x=foo y/a=barr";
    for after in [over_a_folder, over_a_file] {
        story("overwriting", PROMPT, &[(before, before, before), (after, ".", after)]);
        story(
            "reverting overwrites",
            MIRROR,
            &[(before, ".", before), (".", after, before)],
        );
    }
}

#[test]
fn moves_against_changes() {
    let before = "c/b=quu d/a=barr x=foo y=bar";
    for (alpha, beta, becomes) in [
        // The target of the move was deleted on the other side.
        ("c=foo y=bar d/a=barr", "x=foo y=bar d/a=barr", "c=foo d/a=barr y=bar"),
        (
            "x=foo y/b=quu d/a=barr",
            "x=foo c/b=quu d/a=barr",
            "d/a=barr x=foo y/b=quu",
        ),
        // What was moved was edited.
        (
            "z=foo y=bar c/b=quu d/a=barr",
            "x=fooz y=bar c/b=quu d/a=barr",
            "c/b=quu d/a=barr y=bar z=foo",
        ),
        // A folder is decided file by file, so that both new names live on both sides.
        ("x=foo e/a=barr", "x=foo d/b=barr", "d/b=barr e/a=barr x=foo"),
        // The other side made something of the same name.
        (
            "z=foo y=bar c/b=quu d/a=barr",
            "x=foo y=bar z=fooz c/b=quu d/a=barr",
            "c/b=quu d/a=barr y=bar z=foo",
        ),
        (
            "z=foo y=bar c/b=quu d/a=barr",
            "x=foo y=bar c/b=quu d/a=barr",
            "c/b=quu d/a=barr y=bar z=foo",
        ),
        (
            "x=foo y=bar z/b=quu d/a=barr",
            "x=foo y=bar z=fooz c/b=quu d/a=barr",
            "d/a=barr x=foo y=bar z/b=quu",
        ),
        // Both moved something to one name.
        (
            "z=foo y=bar c/b=quu d/a=barr",
            "x=foo z=bar c/b=quu d/a=barr",
            "c/b=quu d/a=barr z=foo",
        ),
        (
            "x=foo y=bar z/b=quu d/a=barr",
            "x=foo y=bar c/b=quu z/a=barr",
            "x=foo y=bar z/a=barr z/b=quu",
        ),
    ] {
        let mut world = World::new(before, alpha, beta);
        assert_eq!(world.outcome(SOURCE), becomes, "[{alpha}] [{beta}]");
    }
    // Without a side to take, the same name with two contents waits.
    let mut both = World::new(before, "z=foo y=bar c/b=quu d/a=barr", "x=foo z=bar c/b=quu d/a=barr");
    let waits = both.sync(PROMPT);
    assert_eq!(
        waits
            .iter()
            .map(|wait| (wait.path.raw(), wait.kind))
            .collect::<Vec<_>>(),
        [("z", Kind::BothCreated)]
    );
}

/// Its remote calls, as far as they have an effect on trees.
#[test]
fn remote_calls() {
    let big = "b".repeat(20);
    story(
        "append",
        PROMPT,
        &[("", &format!("bigfile={big}"), &format!("bigfile={big}"))],
    );
    story("props", PROMPT, &[("", "a=x", "a=x"), (".", "a=x", "a=x")]);
    story("archive", PROMPT, &[("n=d", "", "n=d"), (".", "", "")]);
    story("mkdir", PROMPT, &[("subd/f=1", "", "subd/f=1")]);
    // Merging contents is a person's work here.
    let world = story(
        "merge",
        PROMPT,
        &[("ma=a", "ma=b", "ma=a | ma=b ! CC ma"), ("ma=x", "ma=x", "ma=x")],
    );
    assert_eq!(written(&world.base), written(&tree("ma=x").0));
}
