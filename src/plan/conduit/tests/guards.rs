//! What stops until somebody says that it is meant.

use super::{
    super::{
        guard::{Stop, check},
        *,
    },
    world::{How, World},
};
use crate::plan::guard::TooManyDeletes;

fn files(count: usize, content: &str) -> String {
    (0..count).map(|n| format!("f{n:03}={content}{n} ")).collect()
}

fn stop(mode: Mode, first: bool, base: &str, alpha: &str, beta: &str) -> Option<Stop> {
    let world = World::new(base, alpha, beta);
    let listing = |tree: &super::world::Tree| Listing {
        items: tree.iter().map(|(path, item)| (path.clone(), *item)).collect(),
        unknown: Vec::new(),
    };
    let [alpha, beta] = [0, 1].map(|side| listing(&world.sides[side]));
    let out = world.resolve(How::new(mode, OnConflict::Prompt));
    check(&out, &listing(&world.base).items, [&alpha, &beta], mode, first)
}

#[test]
fn accidents_stop_and_an_ordinary_day_does_not() {
    use Mode::*;
    let ten = files(10, "x");
    let four = files(4, "x");
    let five = files(5, "x");
    let moved: String = files(10, "x").replace('f', "d/f");
    let twenty = files(20, "x");
    let edited = files(20, "y");
    let twenty_of = |held: usize| files(20, "y") + &files(held, "x").split_inclusive(' ').skip(20).collect::<String>();
    let deletes = |side, removed, held| Some(Stop::Deletes(side, TooManyDeletes { removed, held }));
    for (mode, first, base, alpha, beta, stops) in [
        (
            Bidirectional,
            false,
            &ten[..],
            "",
            &ten[..],
            Some(Stop::Emptied(Side::Alpha)),
        ),
        (Bidirectional, false, &ten, &ten, "", Some(Stop::Emptied(Side::Beta))),
        (Mirror, false, &ten, "", &ten, Some(Stop::Emptied(Side::Alpha))),
        // A mirror fills an emptied target again.
        (Mirror, false, &ten, &ten, "", None),
        (Bidirectional, false, &ten, "", "", None),
        (Bidirectional, false, &ten, &four, &ten, deletes(Side::Beta, 6, 10)),
        (Bidirectional, false, &ten, &ten, &four, deletes(Side::Alpha, 6, 10)),
        (Bidirectional, false, &ten, &five, &ten, None),
        (Bidirectional, false, &ten, &moved, &ten, None),
        (
            Bidirectional,
            false,
            &twenty,
            &edited,
            &twenty,
            Some(Stop::Edits {
                side: Side::Beta,
                edited: 20,
                held: 20,
            }),
        ),
        (Bidirectional, false, &ten, &files(10, "y"), &ten, None),
        // Four fifths are an ordinary day, and more are not.
        (
            Bidirectional,
            false,
            &files(25, "x"),
            &twenty_of(25),
            &files(25, "x"),
            None,
        ),
        (
            Bidirectional,
            false,
            &files(24, "x"),
            &twenty_of(24),
            &files(24, "x"),
            Some(Stop::Edits {
                side: Side::Beta,
                edited: 20,
                held: 24,
            }),
        ),
        (Mirror, true, "", "a=1", "a=2", Some(Stop::FirstMirror { touched: 1 })),
        (
            Mirror,
            true,
            "",
            "a=1",
            "b=2 c=3",
            Some(Stop::FirstMirror { touched: 2 }),
        ),
        (Mirror, true, "", "a=1 b=1", "a=1", None),
        (Mirror, false, "a=1", "a=2 b=1", "a=1", None),
        (Bidirectional, true, "", "a=1", "b=2", None),
    ] {
        assert_eq!(
            stop(mode, first, base, alpha, beta),
            stops,
            "{mode:?} {first} [{base}] [{alpha}] [{beta}]"
        );
    }
}
