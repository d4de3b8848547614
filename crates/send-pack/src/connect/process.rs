//! Programs that we start: ssh, a server for a local path, `git credential`.
//!
//! None outlives its session, none blocks us: pipes are watched, standard error is drained by a thread of its own, and
//! a program that has not ended by itself is ended with its whole process group.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Output, Stdio};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions};

use super::deadline::{Deadlines, Stop};
use super::watch::{Watch, Wire};

/// How much of standard error is kept: its end.
const STDERR_KEPT: usize = 8 << 10;
/// For a program that was told to end, before it is killed.
const GRACE: Duration = Duration::from_millis(500);
/// For a group that was killed. What left the group in time, such as a connection that several ssh share, is not meant.
const PARTING: Duration = Duration::from_millis(200);

/// The variables that tie git to one repository (`git rev-parse --local-env-vars`) and those of a receiving repository's
/// hook. A server for another repository must not see them.
pub(crate) const REPOSITORY_ENVIRONMENT: &[&str] = &[
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_DIR",
    "GIT_GRAFT_FILE",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_INTERNAL_SUPER_PREFIX",
    "GIT_NAMESPACE",
    "GIT_NO_REPLACE_OBJECTS",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX",
    "GIT_QUARANTINE_PATH",
    "GIT_REPLACE_REF_BASE",
    "GIT_SHALLOW_FILE",
    "GIT_WORK_TREE",
];

/// Configuration that was given to this process only, as git keeps it from a server too.
pub(crate) const CONFIG_ENVIRONMENT: &[&str] = &["GIT_CONFIG", "GIT_CONFIG_PARAMETERS", "GIT_CONFIG_COUNT"];

/// A program that runs, with its pipes.
pub(crate) struct Spawned {
    pub(crate) stdin: ChildStdin,
    pub(crate) stdout: ChildStdout,
    pub(crate) running: Running,
}

/// The handle to a program; ends it when dropped.
pub(crate) struct Running {
    /// Whether it was heard how it ended: from then on its number, and its group's, may be somebody else's.
    child: Mutex<(Child, bool)>,
    pid: Pid,
    own_group: bool,
    stderr: Arc<Tail>,
}

/// Start `command` with three pipes; `own_group` unless it may have to ask the user something on the terminal.
pub(crate) fn spawn(mut command: Command, own_group: bool) -> io::Result<Spawned> {
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    if own_group {
        command.process_group(0);
    }
    let mut child = command.spawn()?;
    let pid = Pid::from_child(&child);
    let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let stderr = Arc::new(Tail::default());
    let running = Running {
        child: Mutex::new((child, false)),
        pid,
        own_group,
        stderr: stderr.clone(),
    };
    let (Some(stdin), Some(stdout), Some(mut errors)) = pipes else {
        return Err(io::Error::other("a pipe to the program is missing"));
    };
    std::thread::Builder::new()
        .name("stderr".into())
        .stack_size(128 << 10)
        .spawn(move || {
            let mut buffer = [0; 4096];
            loop {
                match errors.read(&mut buffer) {
                    Ok(0) => break,
                    Ok(n) => stderr.push(&buffer[..n]),
                    Err(err) if err.kind() == io::ErrorKind::Interrupted => {}
                    Err(_) => break,
                }
            }
            stderr.finish();
        })?;
    Ok(Spawned { stdin, stdout, running })
}

impl Running {
    /// The end of what the program said on standard error.
    ///
    /// Waits up to `patience` for more, because the message often arrives after the end of standard output. It is not
    /// waited for longer: a connection shared by several ssh keeps standard error open after ssh has ended.
    pub(crate) fn stderr(&self, patience: Duration) -> Vec<u8> {
        self.stderr.text(patience)
    }

    /// How the program ended, if it does within `patience`.
    pub(crate) fn exit(&self, patience: Duration) -> Option<ExitStatus> {
        let started = Instant::now();
        let mut pause = Duration::from_micros(100);
        loop {
            if let Some(status) = self.ended() {
                return Some(status);
            }
            let left = patience.checked_sub(started.elapsed())?;
            std::thread::sleep(pause.min(left));
            pause = (pause * 2).min(Duration::from_millis(10));
        }
    }

    fn ended(&self) -> Option<ExitStatus> {
        let (child, is_over) = &mut *self.child();
        let status = child.try_wait().ok().flatten();
        *is_over |= status.is_some();
        status
    }

    /// End the program now, with its process group if it has one of its own. The program may have ended before and left others of
    /// its group behind, unless that was heard already.
    pub(crate) fn end(&self) {
        let (child, is_over) = &mut *self.child();
        if std::mem::replace(is_over, true) {
            return;
        }
        self.signal(Signal::TERM);
        // Not reaped before the last signal is sent, so that the group's number cannot belong to somebody else.
        let exited = || {
            let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
            !matches!(rustix::process::waitid(WaitId::Pid(self.pid), options), Ok(None))
        };
        let started = Instant::now();
        while !exited() && started.elapsed() < GRACE {
            std::thread::sleep(Duration::from_millis(5));
        }
        self.signal(Signal::KILL);
        child.wait().ok();
        // What the program had started is not ours to wait for, but it is to be gone when we say that it is, and a busy
        // machine takes its time to end what was killed. The last of them to go closes standard error.
        self.stderr.text(PARTING);
    }

    fn signal(&self, signal: Signal) {
        match self.own_group {
            true => rustix::process::kill_process_group(self.pid, signal),
            false => rustix::process::kill_process(self.pid, signal),
        }
        .ok();
    }

    fn child(&self) -> MutexGuard<'_, (Child, bool)> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Its pipes are closed by now, so that it normally is about to end by itself.
        if self.exit(Duration::from_millis(50)).is_none() {
            self.end();
        }
    }
}

/// Run `command` to its end: `input` to its standard input, its exit and standard output back.
///
/// `limit` is for the whole of it; without one only the session's own deadlines hold, for a user may be asked
/// something. Output beyond `max` bytes is an error.
pub(crate) fn run(
    command: Command,
    input: &[u8],
    max: u64,
    own_group: bool,
    limit: Option<Duration>,
    watch: &Watch,
) -> io::Result<(ExitStatus, Vec<u8>)> {
    let spawned = spawn(command, own_group)?;
    finish(spawned, input, max, limit, watch).map(|(status, output, _)| (status, output))
}

/// Run `command` to its end, with no terminal and in a group of its own, and return all that it said. After `limit`, or when
/// `interrupt` is set, it is ended with whatever it has started. Output beyond `max` bytes is an error.
pub(crate) fn output(
    command: Command,
    input: &[u8],
    max: u64,
    limit: Duration,
    interrupt: &Arc<AtomicBool>,
) -> io::Result<Output> {
    let watch = Watch::new(Deadlines::default(), interrupt.clone());
    let (status, stdout, running) = finish(spawn(command, true)?, input, max, Some(limit), &watch)?;
    Ok(Output {
        status,
        stdout,
        stderr: running.stderr(PARTING),
    })
}

fn finish(
    spawned: Spawned,
    input: &[u8],
    max: u64,
    limit: Option<Duration>,
    watch: &Watch,
) -> io::Result<(ExitStatus, Vec<u8>, Running)> {
    let Spawned {
        mut stdin,
        stdout,
        running,
    } = spawned;
    let (sender, receiver) = std::sync::mpsc::channel();
    let input = input.to_vec();
    // The thread ends with the program, which is ended with `running`.
    std::thread::spawn(move || {
        let written = stdin.write_all(&input);
        drop(stdin);
        let mut output = Vec::new();
        let read = stdout.take(max + 1).read_to_end(&mut output);
        // A program that has its answer need not have read the question.
        sender
            .send(read.map(|_| output).or_else(|err| written.and(Err(err))))
            .ok();
    });
    let late = limit.map(|limit| (limit, Stop::Idle(limit)));
    // What it left behind may hold its standard output though the program itself has ended.
    let output = watch.receive(&receiver, late).inspect_err(|_| running.end())?;
    let output = output.ok_or(io::ErrorKind::UnexpectedEof)??;
    if output.len() as u64 > max {
        running.end();
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            "the program says more than expected",
        ));
    }
    let status = running
        .exit(GRACE * 4)
        .ok_or_else(|| io::Error::other("the program does not end"))?;
    Ok((status, output, running))
}

/// The pipes of a program under watch.
pub(crate) fn wires(
    stdin: ChildStdin,
    stdout: ChildStdout,
    watch: &Arc<Watch>,
) -> io::Result<(Wire<ChildStdout>, Wire<ChildStdin>)> {
    Ok((Wire::new(stdout, watch.clone())?, Wire::new(stdin, watch.clone())?))
}

/// The last bytes of a stream that another thread reads.
#[derive(Default)]
struct Tail {
    kept: Mutex<(VecDeque<u8>, bool)>,
    finished: Condvar,
}

impl Tail {
    fn push(&self, bytes: &[u8]) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.0.extend(bytes);
        let surplus = kept.0.len().saturating_sub(STDERR_KEPT);
        kept.0.drain(..surplus);
    }

    fn finish(&self) {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).1 = true;
        self.finished.notify_all();
    }

    fn text(&self, patience: Duration) -> Vec<u8> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self
            .finished
            .wait_timeout_while(kept, patience, |(_, finished)| !*finished);
        let (kept, _) = waited.unwrap_or_else(PoisonError::into_inner);
        kept.0.iter().copied().collect()
    }
}

#[cfg(test)]
mod tests;
