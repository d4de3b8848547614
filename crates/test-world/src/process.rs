//! Commands that end: each has a deadline, and a failing one shows everything it said.

use std::{
    fmt::Write as _,
    io::Read,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc::{self, Receiver},
    thread,
    time::{Duration, Instant},
};

/// Far above what any step of a test takes, so that reaching it means "hangs" and never "slow machine".
pub const DEADLINE: Duration = Duration::from_secs(60);

/// A command that has ended.
#[derive(Debug)]
pub struct Finished {
    /// The command as one could type it.
    pub command: String,
    /// `None` if a signal ended it.
    pub code: Option<i32>,
    pub stdout: Vec<u8>,
    pub stderr: String,
}

impl Finished {
    /// Standard output of a command that must have succeeded.
    #[track_caller]
    pub fn success(self) -> String {
        assert_eq!(self.code, Some(0), "{}", self.transcript());
        String::from_utf8(self.stdout).expect("output is UTF-8")
    }

    /// Everything there is to know, for the message of a failing test.
    pub fn transcript(&self) -> String {
        format!(
            "$ {}\n[exit {:?}]\n--- stdout\n{}\n--- stderr\n{}",
            self.command,
            self.code,
            String::from_utf8_lossy(&self.stdout),
            self.stderr
        )
    }
}

/// A command that runs, with its output being read.
pub struct Running {
    command: String,
    child: Child,
    stdout: Receiver<Vec<u8>>,
    stderr: Receiver<Vec<u8>>,
}

impl Running {
    pub fn start(mut command: Command) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|err| panic!("cannot run {}: {err}", as_shell(&command)));
        Running {
            command: as_shell(&command),
            stdout: read_to_end(child.stdout.take().expect("piped")),
            stderr: read_to_end(child.stderr.take().expect("piped")),
            child,
        }
    }

    /// SIGKILL to this one process: what it started lives on, as after a crash.
    pub fn kill(mut self) -> Finished {
        self.child.kill().expect("the child is ours");
        self.reap()
    }

    /// SIGKILL to all processes of its group, which it must lead.
    pub fn kill_group(self) -> Finished {
        let group = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process_group(group, rustix::process::Signal::KILL).expect("the group is ours");
        self.reap()
    }

    /// Wait for its end, however it ends.
    #[track_caller]
    pub fn finish(self) -> Finished {
        self.finish_within(DEADLINE)
    }

    /// The same for work that takes longer, such as compiling.
    #[track_caller]
    pub fn finish_within(mut self, deadline: Duration) -> Finished {
        let stdout = self.stdout.recv_timeout(deadline);
        if stdout.is_err() {
            self.child.kill().expect("the child is ours");
            panic!("did not end in {deadline:?}: {}", self.command);
        }
        let mut finished = self.reap();
        finished.stdout = stdout.unwrap_or_default();
        finished
    }

    fn reap(mut self) -> Finished {
        let status = self.child.wait().expect("the child is ours");
        // A killed process may leave its output open in processes of its own: wait for what is there, not for the end.
        let grace = Duration::from_millis(if status.code().is_some() { 5_000 } else { 0 });
        Finished {
            command: self.command,
            code: status.code(),
            stdout: Vec::new(),
            stderr: String::from_utf8_lossy(&self.stderr.recv_timeout(grace).unwrap_or_default()).into_owned(),
        }
    }
}

fn read_to_end(mut stream: impl Read + Send + 'static) -> Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        // A stream that breaks is as good as one that ends: the exit status tells which it was.
        let _ = stream.read_to_end(&mut bytes);
        let _ = sender.send(bytes);
    });
    receiver
}

/// A program that is built with the tests, which lies beside their folder: only the tests of its own package are told where.
pub fn built(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("this test");
    let folder = test.parent().and_then(Path::parent).expect("deps, and what it is in");
    folder.join(name)
}

/// Run it to its end.
#[track_caller]
pub fn run(command: Command) -> Finished {
    Running::start(command).finish()
}

/// The command as a line of shell: folder, environment and arguments quoted, and nothing inherited.
pub fn as_shell(command: &Command) -> String {
    let mut line = String::new();
    if let Some(dir) = command.get_current_dir() {
        write!(line, "cd {} && ", quoted(&dir.to_string_lossy())).expect("memory");
    }
    line.push_str("env -i");
    for (name, value) in command.get_envs() {
        if let Some(value) = value {
            let assignment = format!("{}={}", name.to_string_lossy(), value.to_string_lossy());
            write!(line, " {}", quoted(&assignment)).expect("memory");
        }
    }
    for word in std::iter::once(command.get_program()).chain(command.get_args()) {
        write!(line, " {}", quoted(&word.to_string_lossy())).expect("memory");
    }
    line
}

/// One word for a POSIX shell.
pub fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@,+%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// What nobody can wait for, such as another's process: look until it is so.
#[track_caller]
pub fn eventually(what: &str, is_so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < DEADLINE, "{what}: not in {DEADLINE:?}");
        thread::sleep(Duration::from_millis(2));
    }
}

/// Whether the process with this number has ended. Whoever inherited it may leave its number in use.
pub fn is_over(pid: &str) -> bool {
    let state = Command::new("ps").args(["-o", "stat=", "-p", pid]).output();
    let state = state.expect("ps runs").stdout;
    state.trim_ascii().is_empty() || state.starts_with(b"Z")
}
