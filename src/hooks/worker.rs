//! The process that syncs: it waits until git has ended and for its turn, and it ends in time.

use std::{
    fs::{File, TryLockError},
    io,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use rustix::fs::OFlags;

use super::process::Process;
use crate::{
    lock_order::{self, Held, Rank},
    project,
    state::files::{StateDir, StateError},
};

const RUNNING: &str = "hook-running.lock";
const WAITING: &str = "hook-waiting.lock";
const PAUSE: Duration = Duration::from_millis(25);
/// Between two looks at a command that takes long.
const LONG_PAUSE: Duration = Duration::from_millis(250);
/// How long a worker waits for the git command that fired its hook. A push of minutes is ordinary, and waiting costs next to
/// nothing; but one that hangs must not keep a process for ever.
pub const GIT_PATIENCE: Duration = Duration::from_secs(60 * 60);
/// How long after its deadline a sync that was asked to end may take until it is not asked any more.
const GRACE: Duration = Duration::from_secs(2);
/// How long after its deadline a worker is gone for certain.
pub const LONGEST_END: Duration = Duration::from_secs(10);

/// Held while this worker syncs.
#[derive(Debug)]
#[must_use = "the turn is over when it is dropped"]
pub struct Turn {
    /// Released when it is closed.
    _running: File,
    _held: Held,
}

/// What came of waiting.
#[derive(Debug)]
pub enum Waited {
    /// It is this worker's turn.
    Turn(Turn),
    /// Another worker waits already and has not begun: it will sync what this one would.
    OneIsEnough,
    /// The time is over and git is still in the middle of something.
    Unfinished(&'static str),
    /// The time is over and another worker still syncs.
    Busy,
}

/// A session of its own, without a terminal: Ctrl-C in the user's is not meant for us, and nobody can be asked anything.
pub fn detach() {
    // It fails only for the leader of a process group, which has been put where it is on purpose.
    let _ = rustix::process::setsid();
}

/// Waits until `command` has ended, for `patience` at most: only then is settled what it changed. After that the sync is no
/// worse for it, as it reads what has arrived and nothing that `command` is about to change.
pub fn wait_for_git(command: &Process, patience: Duration) {
    let begun = Instant::now();
    while command.runs() && begun.elapsed() < patience {
        let is_long = begun.elapsed() > Duration::from_secs(5);
        thread::sleep(if is_long { LONG_PAUSE } else { PAUSE });
    }
}

/// Waits until no other worker syncs and git has finished, for `patience` at most.
///
/// One worker syncs and one waits; all others are one too many. So a thousand hooks at once end in two syncs, and the
/// second one sees everything that was there when the last hook fired.
pub fn wait_for_turn(state: &StateDir, git_dir: Option<&Path>, patience: Duration) -> Result<Waited, StateError> {
    let Some(waiting) = try_lock(state, WAITING)? else {
        return Ok(Waited::OneIsEnough);
    };
    let begun = Instant::now();
    if !patience.is_zero() {
        lock_order::check(Rank::HookRunning);
    }
    let running = loop {
        if let Some(running) = try_lock(state, RUNNING)? {
            break running;
        }
        if begun.elapsed() > patience {
            return Ok(Waited::Busy);
        }
        thread::sleep(PAUSE);
    };
    while let Some(what) = git_dir.and_then(project::unfinished) {
        if begun.elapsed() > patience {
            return Ok(Waited::Unfinished(what));
        }
        thread::sleep(PAUSE);
    }
    drop(waiting);
    Ok(Waited::Turn(Turn {
        _running: running,
        _held: lock_order::hold(Rank::HookRunning),
    }))
}

/// Asks this process to end by `interrupt` when `deadline` is over, and a little later calls `out_of_time`, which is to end it: a
/// file system or a program of somebody else's that hangs cannot hold it up.
pub fn watch(deadline: Duration, interrupt: Arc<AtomicBool>, out_of_time: impl FnOnce() + Send + 'static) {
    // Without the thread the sync's own deadline still holds.
    let _ = thread::Builder::new().name("deadline".into()).spawn(move || {
        thread::sleep(deadline + GRACE);
        interrupt.store(true, Ordering::Relaxed);
        thread::sleep(GRACE);
        out_of_time();
    });
}

/// Where there are no locks, nobody has to wait: central's compare-and-swap protects what matters.
fn try_lock(state: &StateDir, name: &'static str) -> Result<Option<File>, StateError> {
    let file = state.open_file(name, OFlags::RDWR | OFlags::CREATE)?;
    let file = file.ok_or_else(|| state.error("create", name, io::ErrorKind::NotFound.into()))?;
    match file.try_lock() {
        Ok(()) | Err(TryLockError::Error(_)) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state() -> (tempfile::TempDir, StateDir) {
        let dot_metis = tempfile::tempdir().unwrap();
        let state = StateDir::create(dot_metis.path()).unwrap();
        (dot_metis, state)
    }

    #[test]
    fn one_runs_one_waits_the_others_go() {
        let (_dot_metis, state) = state();
        let wait = |patience| wait_for_turn(&state, None, patience).unwrap();
        let first = wait(Duration::ZERO);
        assert!(matches!(first, Waited::Turn(_)));
        assert!(matches!(wait(Duration::ZERO), Waited::Busy), "the second one may wait");
        let somebody_waits = try_lock(&state, WAITING).unwrap().unwrap();
        assert!(matches!(wait(Duration::from_secs(60)), Waited::OneIsEnough));
        drop(somebody_waits);
        thread::scope(|scope| {
            let second = scope.spawn(|| wait(Duration::from_secs(60)));
            drop(first);
            assert!(matches!(second.join().unwrap(), Waited::Turn(_)));
        });
    }

    #[test]
    fn the_command_that_fired_is_waited_for() {
        let mut command = std::process::Command::new("cat")
            .stdin(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let process = Process::of(command.id()).unwrap();
        wait_for_git(&process, Duration::ZERO);
        assert!(process.runs(), "patience has an end");
        thread::scope(|scope| {
            let waiting = scope.spawn(|| wait_for_git(&process, Duration::from_secs(60)));
            assert!(!waiting.is_finished());
            drop(command.stdin.take());
            waiting.join().unwrap();
        });
        assert!(!process.runs());
        command.wait().unwrap();
    }

    #[test]
    fn an_unfinished_rebase_is_waited_for() {
        let (dot_metis, state) = state();
        let git_dir = dot_metis.path().join("git");
        std::fs::create_dir_all(git_dir.join("rebase-merge")).unwrap();
        let wait = |patience| wait_for_turn(&state, Some(&git_dir), patience).unwrap();
        assert!(matches!(wait(Duration::ZERO), Waited::Unfinished("a rebase")));
        thread::scope(|scope| {
            let waiting = scope.spawn(|| wait(Duration::from_secs(60)));
            std::fs::remove_dir(git_dir.join("rebase-merge")).unwrap();
            assert!(matches!(waiting.join().unwrap(), Waited::Turn(_)));
        });
    }
}
