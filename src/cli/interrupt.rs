//! Ctrl-C and its kin: the first one asks everything to end, which it does within moments and orderly; what is being
//! written is completed or not begun. A second one, or half a second of deafness, ends the process.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGTERM},
    iterator::Signals,
};

use super::pager;

/// How long the orderly end may take.
const GRACE: Duration = Duration::from_millis(1500);

/// Whether Ctrl-C is for a program that we have started at the terminal.
static DEAF: AtomicBool = AtomicBool::new(false);

/// As long as this lives, Ctrl-C is nothing to us.
pub struct Deaf(());

impl Deaf {
    /// From here on.
    pub fn new() -> Self {
        DEAF.store(true, Ordering::SeqCst);
        Deaf(())
    }
}

impl Drop for Deaf {
    fn drop(&mut self) {
        DEAF.store(false, Ordering::SeqCst);
    }
}

/// Sets `flag` on the first signal. Without a thread to watch, the system's default stays in force.
pub fn watch(flag: &Arc<AtomicBool>) {
    let Ok(mut signals) = Signals::new([SIGINT, SIGTERM, SIGHUP]) else {
        return;
    };
    let flag = Arc::clone(flag);
    let _ = std::thread::Builder::new().name("signals".into()).spawn(move || {
        for signal in &mut signals {
            // What Ctrl-C does while a person reads is the pager's to say; the process ends with that.
            if pager::is_running() {
                flag.store(true, Ordering::SeqCst);
                continue;
            }
            if signal == SIGINT && DEAF.load(Ordering::SeqCst) {
                continue;
            }
            if flag.swap(true, Ordering::SeqCst) {
                std::process::exit(128 + signal);
            }
            std::thread::spawn(move || {
                std::thread::sleep(GRACE);
                std::process::exit(128 + signal);
            });
        }
    });
}
