//! What holds whatever the two sides did. The world that plays each sync checks at every step that no path has anything but what
//! it had or will have, and at the end that nothing that existed is gone from everywhere.

use proptest::prelude::*;

use super::{
    super::*,
    world::{How, Tree, World, is_at_or_below, tree, written},
};

/// Few names, so that files, folders and twins meet.
fn trees() -> impl Strategy<Value = String> {
    let path = prop::sample::select(vec!["a", "b", "A", "a/b", "a/c", "a/b/c", "b/a", "ab", "a-b", "b/B"]);
    let value = prop::sample::select(vec!["=1", "=2", "=3", "=1*", "=2*", "@1", "@2"]);
    prop::collection::vec((path, value), 0..6).prop_map(|entries| {
        let mut taken: Vec<&str> = Vec::new();
        let mut text = String::new();
        for (path, value) in entries {
            if taken
                .iter()
                .all(|other| !is_at_or_below(path, other) && !is_at_or_below(other, path))
            {
                taken.push(path);
                text += &format!("{path}{value} ");
            }
        }
        text
    })
}

fn hows() -> impl Strategy<Value = How> {
    let mode = prop::sample::select(vec![Mode::Bidirectional, Mode::Mirror, Mode::Selective]);
    let strategy = prop::sample::select(vec![
        OnConflict::Newest,
        OnConflict::Source,
        OnConflict::Target,
        OnConflict::File,
        OnConflict::Prompt,
    ]);
    let time = prop::sample::select(vec![0i64, 1_000_000_000, 9_000_000_000]);
    (mode, strategy, time.clone(), time).prop_map(|(mode, strategy, alpha, beta)| How {
        times: [alpha, beta],
        ..How::new(mode, strategy)
    })
}

/// A few of the paths of a tree could not be looked at.
fn hide(world: &mut World, side: usize, mask: u8) {
    let paths: Vec<String> = world.sides[side].keys().cloned().collect();
    for (n, path) in paths.into_iter().enumerate() {
        if mask & (1 << n) != 0 {
            world.sides[side].remove(&path);
            world.unknown[side].insert(path);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_lost_and_the_second_sync_is_idle(
        base in trees(), alpha in trees(), beta in trees(), how in hows(), masks in any::<(u8, u8)>(), hides in 0..4,
    ) {
        let mut world = World::new(&base, &alpha, &beta);
        if hides == 0 {
            hide(&mut world, 0, masks.0 & masks.1);
            hide(&mut world, 1, masks.1 & !masks.0);
        }
        let waits = world.sync(how);
        world.check_second_sync(how, &waits);
    }

    /// Which side is called alpha makes no difference to two equal sides.
    #[test]
    fn the_decision_is_symmetric(base in trees(), alpha in trees(), beta in trees()) {
        let how = How::new(Mode::Bidirectional, OnConflict::Prompt);
        let [mut one, mut other] = [World::new(&base, &alpha, &beta), World::new(&base, &beta, &alpha)];
        prop_assert_eq!(one.sync(how), other.sync(how));
        other.sides.swap(0, 1);
        prop_assert_eq!(one.sides.map(|side| written(&side)), other.sides.map(|side| written(&side)));
    }

    /// A sync that was killed after any of its changes, with the base not moved at all, is finished by the next one.
    #[test]
    fn a_killed_sync_is_finished_by_the_next_one(
        base in trees(), alpha in trees(), beta in trees(), how in hows(), after in 0..6usize,
    ) {
        let mut whole = World::new(&base, &alpha, &beta);
        let mut killed = whole.clone();
        let waits = whole.sync(how);
        killed.sync_partly(how, after);
        killed.sync(how);
        if how.on_conflict == OnConflict::Prompt && waits.is_empty() {
            prop_assert_eq!(killed.sides, whole.sides);
        }
    }

    /// Without conflicts each side has all that either had, and what one deleted and the other left alone is gone.
    #[test]
    fn each_path_is_decided_by_itself(base in trees(), alpha in trees(), beta in trees()) {
        let mut world = World::new(&base, &alpha, &beta);
        let waits = world.sync(How::new(Mode::Bidirectional, OnConflict::Prompt));
        let [base, alpha, beta] = [base, alpha, beta].map(|text| tree(&text).0);
        let named = |path: &str| waits.iter().any(|conflict| is_at_or_below(path, conflict.path.raw()));
        let item = |tree: &Tree, path: &str| tree.get(path).copied();
        for path in base.keys().chain(alpha.keys()).chain(beta.keys()).filter(|path| !named(path)) {
            let now = item(&world.sides[0], path);
            match decide(item(&base, path), item(&alpha, path), item(&beta, path)) {
                Verdict::Same => prop_assert_eq!(now, item(&alpha, path)),
                Verdict::Become(becomes) => prop_assert_eq!(now, becomes),
                // A folder took the place of a file that was edited: nothing but a folder can be there.
                Verdict::Conflict(kind) => prop_assert!(false, "{} is {:?} and not named", path, kind),
            }
        }
    }
}
