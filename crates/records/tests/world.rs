//! A few devices and the place where their logs lie, played in memory by the crate's own decisions.

use std::collections::{BTreeMap, BTreeSet};

use shared_records::{Cell, DeviceId, Dot, Entry, Stamp, State, compaction, log::Since};

/// A log as it lies at the place that all can read.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Published {
    pub tip: u64,
    pub floor: u64,
    /// What it holds: an index into [`World::written`], by sequence number.
    pub held: BTreeSet<u64>,
}

/// A device.
#[derive(Debug, Clone, Default)]
pub struct Device {
    pub state: State,
    pub written: u64,
    pub since: BTreeMap<usize, Since>,
    /// The logs as they were fetched last.
    pub fetched: BTreeMap<usize, Published>,
}

/// All of them.
#[derive(Debug, Clone)]
pub struct World {
    pub devices: Vec<Device>,
    pub central: Vec<Published>,
    /// Everything that was ever written, published or not.
    pub written: BTreeMap<Dot, Entry>,
}

pub fn id(device: usize) -> DeviceId {
    DeviceId::from_bits([device as u8; 10])
}

pub fn dot(device: usize, seq: u64) -> Dot {
    Dot {
        device: id(device),
        seq,
    }
}

impl World {
    pub fn new(devices: usize) -> Self {
        World {
            devices: vec![Device::default(); devices],
            central: vec![Published::default(); devices],
            written: BTreeMap::new(),
        }
    }

    /// A device writes over what it sees in a cell, or takes that away.
    pub fn write(&mut self, device: usize, cell: &Cell, value: Option<&str>, at: u64) {
        let writer = &mut self.devices[device];
        writer.written += 1;
        let entry = Entry {
            seq: writer.written,
            stamp: Stamp::at(at),
            cell: cell.clone(),
            value: value.map(Into::into),
            over: writer
                .state
                .candidates(cell)
                .iter()
                .map(|candidate| candidate.dot)
                .collect(),
        };
        writer.state.take(id(device), &entry);
        self.written.insert(dot(device, entry.seq), entry);
    }

    /// A device takes up all the others' logs, but only `batch` entries of each.
    pub fn fetch(&mut self, device: usize, batch: usize) {
        for peer in (0..self.central.len()).filter(|peer| *peer != device) {
            let log = self.central[peer].clone();
            let reader = &mut self.devices[device];
            let since = reader.since.entry(peer).or_default();
            let mut new = log.held.range(since.seq + 1..);
            for seq in new.by_ref().take(batch) {
                reader.state.take(id(peer), &self.written[&dot(peer, *seq)]);
                since.seq = *seq;
            }
            if new.next().is_none() {
                since.seq = log.tip;
                let kept = log.held.range(..=log.floor).copied().collect();
                reader.state.forget(id(peer), log.floor, &kept);
                since.floor = log.floor;
                reader.fetched.insert(peer, log);
            }
        }
    }

    /// A device publishes what it has written, and drops before that what it may.
    pub fn publish(&mut self, device: usize, compacts: bool) {
        let owner = &self.devices[device];
        let log = &mut self.central[device];
        if compacts {
            let entries: Vec<Entry> = log
                .held
                .iter()
                .map(|seq| self.written[&dot(device, *seq)].clone())
                .collect();
            let is_gone = |dot: Dot| {
                let peer = (0..self.devices.len()).find(|peer| id(*peer) == dot.device);
                let fetched = peer.and_then(|peer| owner.fetched.get(&peer));
                fetched.is_some_and(|log| dot.seq <= log.floor && !log.held.contains(&dot.seq))
            };
            let dropped = compaction::droppable(id(device), &entries, |dot| owner.state.is_candidate(dot), is_gone);
            log.floor = log.tip;
            log.held.retain(|seq| !dropped.contains(seq));
        }
        log.held.extend(log.tip + 1..=owner.written);
        log.tip = owner.written;
    }

    /// What somebody shows who comes now and reads the logs as they lie.
    pub fn newcomer(&self) -> State {
        let mut state = State::default();
        for (device, log) in self.central.iter().enumerate() {
            log.held
                .iter()
                .for_each(|seq| state.take(id(device), &self.written[&dot(device, *seq)]));
        }
        state
    }

    /// What everything shows that was published, and that `device` has written besides.
    pub fn replayed(&self, device: Option<usize>) -> State {
        let mut state = State::default();
        for (dot, entry) in &self.written {
            let is_own = device.is_some_and(|device| id(device) == dot.device);
            let is_published = (0..self.central.len()).any(|n| id(n) == dot.device && dot.seq <= self.central[n].tip);
            if is_own || is_published {
                state.take(dot.device, entry);
            }
        }
        state
    }
}
