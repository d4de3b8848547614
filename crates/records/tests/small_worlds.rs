//! Every schedule of three devices that write, remove, sync, and sync with compaction, four writes in all, with a newcomer at every
//! moment.

use std::collections::{BTreeSet, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use shared_records::{Cell, Dot};

use crate::world::{World, dot, id};

const DEVICES: usize = 3;
const WRITES: usize = 4;

#[derive(Debug, Clone, Copy)]
enum Step {
    Write(usize),
    Remove(usize),
    Sync(usize),
    Compact(usize),
}

fn cell() -> Cell {
    Cell::new("tagdef", &["urgent"], "colour")
}

fn steps(world: &World) -> Vec<Step> {
    let mut steps = Vec::new();
    for device in 0..DEVICES {
        // Who writes first, second and third for the first time makes no difference but to the names.
        let is_next = device == 0 || world.devices[device - 1].written > 0;
        if world.written.len() < WRITES && is_next {
            steps.push(Step::Write(device));
            if !world.devices[device].state.candidates(&cell()).is_empty() {
                steps.push(Step::Remove(device));
            }
        }
        steps.push(Step::Sync(device));
        if world.central[device].tip > world.central[device].floor {
            steps.push(Step::Compact(device));
        }
    }
    steps
}

fn play(world: &mut World, step: Step) {
    let at = world.written.len() as u64 + 1;
    match step {
        Step::Write(device) => world.write(device, &cell(), Some("x"), at),
        Step::Remove(device) => world.write(device, &cell(), None, at),
        Step::Sync(device) | Step::Compact(device) => {
            world.fetch(device, usize::MAX);
            world.publish(device, matches!(step, Step::Compact(_)));
        }
    }
}

/// What tells one world from another.
fn mark(world: &World) -> u64 {
    let mut hasher = DefaultHasher::new();
    for (dot, entry) in &world.written {
        (dot, &entry.over, entry.value.is_some()).hash(&mut hasher);
    }
    for (number, log) in world.central.iter().enumerate() {
        (log.tip, log.floor, &log.held).hash(&mut hasher);
        let device = &world.devices[number];
        for (peer, since) in &device.since {
            (peer, since.seq, since.floor).hash(&mut hasher);
        }
        for (peer, log) in &device.fetched {
            (peer, log.tip, log.floor, &log.held).hash(&mut hasher);
        }
        let live: BTreeSet<Dot> = world
            .written
            .keys()
            .copied()
            .filter(|dot| device.state.is_candidate(*dot))
            .collect();
        live.hash(&mut hasher);
    }
    hasher.finish()
}

#[test]
fn newcomers_and_everybody_else_show_the_same_at_every_moment() {
    let mut seen = HashSet::new();
    let mut open = vec![(World::new(DEVICES), Vec::new())];
    let mut compacted = 0;
    while let Some((world, past)) = open.pop() {
        for step in steps(&world) {
            let mut next = world.clone();
            play(&mut next, step);
            if !seen.insert(mark(&next)) {
                continue;
            }
            let past: Vec<Step> = past.iter().copied().chain([step]).collect();
            // A write changes nothing for anybody else yet.
            if let Step::Sync(device) | Step::Compact(device) = step {
                let published = next.replayed(None);
                assert_eq!(next.newcomer(), published, "a newcomer after {past:?}");
                assert_eq!(next.devices[device].state, published, "device {device} after {past:?}");
            }
            compacted += usize::from(next.central.iter().any(|log| log.held.len() < log.tip as usize));
            open.push((next, past));
        }
    }
    assert!(
        compacted > 1000,
        "{compacted} of {} worlds had dropped something",
        seen.len()
    );
}

/// The reason for the second half of the rule.
#[test]
fn without_looking_at_what_an_entry_replaces_newcomers_are_wrong() {
    let mut world = World::new(3);
    world.write(0, &cell(), Some("a"), 1);
    world.publish(0, false);
    world.fetch(1, usize::MAX);
    world.write(1, &cell(), Some("b"), 2);
    world.publish(1, false);
    world.fetch(2, usize::MAX);
    world.write(2, &cell(), Some("c"), 3);
    world.publish(2, false);
    let right = world.newcomer();
    world.fetch(1, usize::MAX);
    world.publish(1, true);
    assert_eq!(world.newcomer(), right, "b stays, as a does");
    let mut careless = world.clone();
    careless.central[1].held.clear();
    assert_ne!(careless.newcomer(), right);
    assert!(careless.newcomer().is_candidate(dot(0, 1)));
    world.fetch(0, usize::MAX);
    world.publish(0, true);
    world.fetch(1, usize::MAX);
    world.publish(1, true);
    assert_eq!(world.newcomer(), right);
    assert!(
        world.central[1].held.is_empty() && world.devices[0].state.is_candidate(dot(2, 1)),
        "{:?}",
        id(2)
    );
}
