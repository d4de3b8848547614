//! What a watcher does, against a clock that the tests turn.

use std::time::Duration;

use super::{Found, Settings};

mod day;
mod pace;

const SETTINGS: Settings = Settings {
    push: true,
    settle: Duration::from_secs(10),
    poll: Duration::from_secs(30),
};

fn at(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

fn found(print: u64) -> Found {
    Found {
        print,
        config: 0,
        is_unfinished: false,
        is_held: false,
    }
}
