//! Ctrl-C, and what is left of a program after it.

use std::{
    fs,
    process::{Child, ExitStatus},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

use crate::process::DEADLINE;

/// What a person takes for "at once". A machine that is busy may take longer now and then, but not three times.
pub const AT_ONCE: Duration = Duration::from_secs(1);
pub const TRIES: usize = 3;

/// In the environment of a program and so of everything that it starts.
pub const MARK: &str = "METIS_TEST_MARK";

/// Sends Ctrl-C's signal once `reached` says so; how it ended, and how long that took.
pub fn interrupted(mut child: Child, mut reached: impl FnMut() -> bool) -> (ExitStatus, Duration) {
    let started = Instant::now();
    while !reached() {
        assert!(started.elapsed() < DEADLINE, "it does not get that far");
        assert!(child.try_wait().expect("ours").is_none(), "it ended before");
        thread::sleep(Duration::from_millis(2));
    }
    let at = Instant::now();
    kill_process(Pid::from_child(&child), Signal::INT).expect("it runs");
    while at.elapsed() < DEADLINE {
        if let Some(status) = child.try_wait().expect("ours") {
            return (status, at.elapsed());
        }
        thread::sleep(Duration::from_millis(2));
    }
    let _ = child.kill();
    panic!("it does not end");
}

/// Programs that were started with this mark and still run.
pub fn marked(mark: &str) -> Vec<String> {
    let wanted = format!("{MARK}={mark}");
    let processes = fs::read_dir("/proc").expect("Linux").flatten();
    let ours = processes.filter(|process| {
        let environment = fs::read(process.path().join("environ")).unwrap_or_default();
        environment
            .split(|byte| *byte == 0)
            .any(|variable| variable == wanted.as_bytes())
    });
    ours.map(|process| {
        let line = fs::read(process.path().join("cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&line).replace('\0', " ")
    })
    .collect()
}
