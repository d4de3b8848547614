//! What holds whatever happens.

use std::collections::BTreeSet;

use proptest::{collection::vec, prelude::*};
use shared_records::{
    Cell, DeviceId, Dot, Entry, Stamp, State,
    segment::{self, parse},
    shown,
};

use crate::world::World;

#[derive(Debug, Clone)]
enum Step {
    Write {
        device: usize,
        cell: usize,
        removes: bool,
        skew: i64,
    },
    Fetch {
        device: usize,
        batch: usize,
    },
    Publish {
        device: usize,
        compacts: bool,
    },
}

const DEVICES: usize = 4;
const NOON: i64 = 1_800_000_000_000;
const TEN_YEARS: i64 = 10 * 365 * 86_400_000;

fn cells() -> [Cell; 3] {
    [
        Cell::new("tagdef", &["urgent"], "colour"),
        Cell::new("tagdef", &["urgent"], "text"),
        Cell::new("note", &["id"], "body"),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let device = 0..DEVICES;
    let write = (device.clone(), 0..3usize, any::<bool>(), -TEN_YEARS..TEN_YEARS);
    prop_oneof![
        3 => write.prop_map(|(device, cell, removes, skew)| Step::Write { device, cell, removes, skew }),
        2 => (device.clone(), 1..5usize).prop_map(|(device, batch)| Step::Fetch { device, batch }),
        2 => (device, any::<bool>()).prop_map(|(device, compacts)| Step::Publish { device, compacts }),
    ]
}

fn play(steps: &[Step]) -> World {
    let mut world = World::new(DEVICES);
    for (number, step) in steps.iter().enumerate() {
        match step {
            Step::Write {
                device,
                cell,
                removes,
                skew,
            } => {
                let text = format!("text {number}");
                let at = (NOON + number as i64 + skew) as u64;
                world.write(*device, &cells()[*cell], (!removes).then_some(&text), at);
            }
            Step::Fetch { device, batch } => world.fetch(*device, *batch),
            Step::Publish { device, compacts } => world.publish(*device, *compacts),
        }
        assert_eq!(world.newcomer(), world.replayed(None), "a newcomer after step {number}");
    }
    world
}

/// Everybody hears everything.
fn settle(world: &mut World) {
    for device in 0..DEVICES {
        world.publish(device, false);
    }
    for device in 0..DEVICES {
        world.fetch(device, usize::MAX);
    }
}

fn entries(world: &World) -> Vec<(DeviceId, Entry)> {
    world
        .written
        .iter()
        .map(|(dot, entry)| (dot.device, entry.clone()))
        .collect()
}

fn replay<'a>(entries: impl IntoIterator<Item = &'a (DeviceId, Entry)>) -> State {
    let mut state = State::default();
    entries
        .into_iter()
        .for_each(|(device, entry)| state.take(*device, entry));
    state
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn all_come_to_the_same_as_a_newcomer(steps in vec(step(), 1..60)) {
        let mut world = play(&steps);
        settle(&mut world);
        let whole = replay(&entries(&world));
        for device in &world.devices {
            prop_assert_eq!(&device.state, &whole);
        }
        // Compacting again and again changes nothing that is shown, and comes to an end.
        let mut sizes = Vec::new();
        for _ in 0..DEVICES + 2 {
            for device in 0..DEVICES {
                world.fetch(device, usize::MAX);
                world.publish(device, true);
                prop_assert_eq!(&world.newcomer(), &whole);
            }
            sizes.push(world.central.iter().map(|log| log.held.len()).sum::<usize>());
        }
        prop_assert!(sizes.is_sorted_by(|a, b| a >= b), "{:?}", sizes);
    }

    #[test]
    fn order_duplicates_and_prefixes_make_no_difference(
        steps in vec(step(), 1..40),
        order in any::<prop::sample::Index>(),
        seed in any::<u64>(),
    ) {
        let all = entries(&play(&steps));
        let whole = replay(&all);
        let mut mixed: Vec<_> = all.iter().chain(&all).cloned().collect();
        mixed.sort_by_key(|(device, entry)| (entry.seq ^ seed).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ u64::from(device.as_str().as_bytes()[0]));
        prop_assert_eq!(&replay(&mixed), &whole);
        if !all.is_empty() {
            let mut resumed = replay(&all[..order.index(all.len())]);
            all.iter().for_each(|(device, entry)| resumed.take(*device, entry));
            prop_assert_eq!(&resumed, &whole);
        }
    }

    /// What was written on top of something stays on top of it, however wrong the clocks are.
    #[test]
    fn clocks_decide_among_concurrent_writes_alone(steps in vec(step(), 1..40), skew in -TEN_YEARS..TEN_YEARS) {
        let all = entries(&play(&steps));
        let skewed: Vec<_> = all.iter().cloned().enumerate().map(|(number, (device, entry))| {
            let at = (NOON + (number as i64 % 7 - 3) * skew / 4) as u64;
            (device, Entry { stamp: Stamp::at(at), ..entry })
        }).collect();
        let dots = |state: &State| -> Vec<(Cell, BTreeSet<Dot>)> {
            state.cells().map(|(cell, found)| (cell.clone(), found.iter().map(|one| one.dot).collect())).collect()
        };
        prop_assert_eq!(dots(&replay(&all)), dots(&replay(&skewed)));
        for (cell, candidates) in replay(&skewed).cells() {
            prop_assert!(shown::shown(cell, candidates).is_some());
        }
    }

    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in vec(any::<u8>(), 0..400), cut in any::<prop::sample::Index>()) {
        let device = crate::world::id(0);
        let _ = parse(&bytes, device);
        let mut world = World::new(1);
        (0..5).for_each(|_| world.write(0, &cells()[0], Some("x"), 1));
        let written: Vec<Entry> = world.written.into_values().collect();
        let mut text = segment::text(device, &written).into_bytes();
        let at = cut.index(text.len());
        let whole = parse(&text, device);
        prop_assert_eq!(&whole.entries, &written);
        for (place, byte) in text[at..].iter_mut().zip(&bytes) {
            *place = *byte;
        }
        let read = parse(&text, device);
        prop_assert!(read.fault.is_some() || read.entries.len() <= 5);
        let _ = parse(&text[..at], device);
    }
}
