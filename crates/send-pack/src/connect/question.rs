//! Questions to programs that are started besides: each is answered in time, or ended.

use std::{
    ffi::OsStr,
    io::{self, Read, Write},
    path::Path,
    process::{ChildStdin, ChildStdout, Command, Output},
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use super::Deadlines;
use super::git::{as_git, command};
use super::process::{self, Running};
use super::watch::{Watch, Wire};

/// How long a program may take to answer, unless it is given more.
const PATIENCE: Duration = Duration::from_secs(10);
/// Answers are not longer than that, unless less is enough.
const LONGEST_ANSWER: u64 = 128 << 20;

/// A question to a program. The answer is never waited for without an end: the program may be held up by a file system that does
/// not answer, by a lock, or by what it runs itself.
#[derive(Debug)]
pub struct Question {
    command: Command,
    /// What it is called where it does not answer.
    name: String,
    input: Vec<u8>,
    patience: Duration,
    longest: u64,
    interrupt: Arc<AtomicBool>,
}

/// Begins a question to `program`. What it has to know follows as arguments.
pub fn ask(program: impl AsRef<OsStr>) -> Question {
    Question::new(Command::new(program))
}

/// Begins a question to git.
pub fn git() -> Question {
    Question::new(command())
}

/// Begins a question to a command line that git would run, which finds the repositories that git would.
pub fn ask_as_git(line: impl AsRef<OsStr>) -> Question {
    let mut question = ask("sh").arg("-c").arg(line);
    as_git(&mut question.command);
    question.called("a program that git runs")
}

impl Question {
    fn new(command: Command) -> Self {
        Question {
            name: command.get_program().to_string_lossy().into_owned(),
            command,
            input: Vec::new(),
            patience: PATIENCE,
            longest: LONGEST_ANSWER,
            interrupt: Arc::default(),
        }
    }

    /// One more argument.
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.command.arg(arg);
        self
    }

    /// More arguments.
    pub fn args(mut self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        self.command.args(args);
        self
    }

    /// Sets a variable of its environment.
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Runs it in `folder`.
    pub fn in_folder(mut self, folder: &Path) -> Self {
        self.command.current_dir(folder);
        self
    }

    /// What it reads from its standard input, which is empty otherwise.
    pub fn told(mut self, input: &[u8]) -> Self {
        self.input = input.to_vec();
        self
    }

    /// What errors call it.
    pub fn called(mut self, name: &str) -> Self {
        name.clone_into(&mut self.name);
        self
    }

    /// How long it may take, instead of ten seconds.
    pub fn within(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// How many bytes it may answer with, instead of 128 MiB.
    pub fn at_most(mut self, bytes: u64) -> Self {
        self.longest = bytes;
        self
    }

    /// Ends it, too, as soon as `interrupt` is set.
    pub fn until(mut self, interrupt: &Arc<AtomicBool>) -> Self {
        self.interrupt = Arc::clone(interrupt);
        self
    }

    /// Runs the program to its end. It has no terminal, and is ended with whatever it has started if it does not end in time, which
    /// is [`io::ErrorKind::TimedOut`], or says more than it may.
    pub fn answer(self) -> io::Result<Output> {
        let Question {
            command,
            name,
            input,
            patience,
            longest,
            interrupt,
        } = self;
        process::output(command, &input, longest, patience, &interrupt).map_err(|err| match err.kind() {
            io::ErrorKind::TimedOut => {
                let text = format!("{name} did not end within {} s", patience.as_secs());
                io::Error::new(io::ErrorKind::TimedOut, text)
            }
            io::ErrorKind::FileTooLarge => {
                let text = format!("{name} said more than {} MiB", longest >> 20);
                io::Error::new(io::ErrorKind::FileTooLarge, text)
            }
            _ => err,
        })
    }

    /// Starts the program, to be asked more than once. Each read and each write is given as long as an answer is otherwise.
    pub fn converse(self) -> io::Result<Conversation> {
        let deadlines = Deadlines {
            idle: self.patience,
            ..Deadlines::default()
        };
        let watch = Arc::new(Watch::new(deadlines, self.interrupt));
        let spawned = process::spawn(self.command, true)?;
        let (output, input) = process::wires(spawned.stdin, spawned.stdout, &watch)?;
        Ok(Conversation {
            input,
            output,
            _running: spawned.running,
        })
    }

    /// For a person at the terminal, who decides how long it takes.
    pub fn at_the_terminal(self) -> Command {
        self.command
    }
}

/// A program that answers one question after the other. When it is dropped the program hears that there are no more, and is ended
/// with whatever it has started unless it ends by itself.
pub struct Conversation {
    // Closed before the program is waited for.
    input: Wire<ChildStdin>,
    output: Wire<ChildStdout>,
    _running: Running,
}

impl Read for Conversation {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.output.read(buffer)
    }
}

impl Write for Conversation {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.input.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.input.flush()
    }
}
