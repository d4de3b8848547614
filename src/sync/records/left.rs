//! Logs that could not be received, and the own one where central did not take it. A host that lists what it has not may do so for ever:
//! they are tried again once a day, and at once where they moved.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shared_records::DeviceId;

use crate::{central::fetch::Wanted, names::ObjectId, state::files::StateDir};

const NAME: &str = "logs-left.json";
const SCHEMA: u32 = 1;
/// In seconds.
const DAY: i64 = 24 * 60 * 60;
/// A connection that broke off may have broken off for another reason. One that does so again and again for so many seconds has none.
const DOUBT: i64 = 10 * 60;

/// What could not be received, and when that was found out.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct Left {
    schema: u32,
    logs: BTreeMap<DeviceId, At>,
}

#[derive(Serialize, Deserialize)]
struct At {
    /// Where the log was.
    tip: ObjectId,
    /// In seconds since 1970.
    since: i64,
    /// Whether it is not the log that failed for certain, but perhaps the connection.
    is_doubtful: bool,
}

impl Left {
    /// What cannot be read is asked for again.
    pub(super) fn load(state: &StateDir) -> Self {
        state.load(NAME, SCHEMA).ok().flatten().unwrap_or_default()
    }

    /// Whether this log was left within a day before `now`, as it is.
    pub(super) fn has(&self, device: DeviceId, wanted: &Wanted, now: Timestamp) -> bool {
        let of = self.logs.get(&device).filter(|at| at.tip == wanted.tip);
        of.is_some_and(|at| at.is_recent(now) && !(at.is_doubtful && at.age(now) < DOUBT))
    }

    /// Whether this log was left within a day before `now`, whatever became of it since.
    pub(super) fn has_any_of(&self, device: DeviceId, now: Timestamp) -> bool {
        self.logs.get(&device).is_some_and(|at| at.is_recent(now))
    }

    /// Notes what was left at `now`, and whether that is doubtful.
    pub(super) fn note(
        mut self,
        logs: impl IntoIterator<Item = (DeviceId, ObjectId, bool)>,
        state: &StateDir,
        now: Timestamp,
    ) {
        self.schema = SCHEMA;
        self.logs.retain(|_, at| at.is_recent(now));
        for (device, tip, is_doubtful) in logs {
            let before = self.logs.get(&device).filter(|at| at.tip == tip && is_doubtful);
            let since = before.map_or(now.as_second(), |at| at.since);
            self.logs.insert(
                device,
                At {
                    tip,
                    since,
                    is_doubtful,
                },
            );
        }
        // Without it they are asked for again.
        let _ = state.store(NAME, &self);
    }
}

impl At {
    fn age(&self, now: Timestamp) -> i64 {
        now.as_second() - self.since
    }

    fn is_recent(&self, now: Timestamp) -> bool {
        (0..DAY).contains(&self.age(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_is_left_for_a_day_unless_it_moves() {
        let folder = tempfile::tempdir().unwrap();
        let state = StateDir::create(folder.path()).unwrap();
        let at = |second| Timestamp::from_second(second).unwrap();
        let wanted = |n| Wanted {
            tip: ObjectId::from_bytes(&[n; 20]).unwrap(),
            seen: None,
        };
        let device = DeviceId::from_bits([1; 10]);
        let has = |n, second| Left::load(&state).has(device, &wanted(n), at(second));
        assert!(!has(1, 0));
        Left::load(&state).note([(device, wanted(1).tip, false)], &state, at(100));
        assert!(has(1, 100) && has(1, DAY + 99));
        assert!(!has(2, 100) && !has(1, DAY + 100) && !has(1, 99));
        let any = |second| Left::load(&state).has_any_of(device, at(second));
        assert!(any(DAY + 99) && !any(DAY + 100));
        let another = DeviceId::from_bits([2; 10]);
        Left::load(&state).note([(another, wanted(2).tip, false)], &state, at(DAY + 200));
        assert!(Left::load(&state).has(another, &wanted(2), at(DAY + 200)));
        assert_eq!(Left::load(&state).logs.len(), 1);
    }

    #[test]
    fn a_connection_that_broke_off_once_is_no_reason() {
        let folder = tempfile::tempdir().unwrap();
        let state = StateDir::create(folder.path()).unwrap();
        let at = |second| Timestamp::from_second(second).unwrap();
        let device = DeviceId::from_bits([1; 10]);
        let tip = ObjectId::from_bytes(&[1; 20]).unwrap();
        let has = |second| Left::load(&state).has(device, &Wanted { tip, seen: None }, at(second));
        for second in [100, 200] {
            Left::load(&state).note([(device, tip, true)], &state, at(second));
            assert!(!has(second), "{second}");
        }
        assert!(has(100 + DOUBT), "counted from the first time");
    }
}
