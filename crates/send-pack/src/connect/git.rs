//! The user's git, for what it is asked besides.

use std::{
    ffi::OsStr,
    io,
    path::Path,
    process::{Command, Output},
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use super::process;

/// How long git may take to answer, unless it is given more.
const PATIENCE: Duration = Duration::from_secs(10);
/// git's answers are not longer than that.
const LONGEST_ANSWER: u64 = 128 << 20;

/// A question to git, or to a program that git would run. The answer is never waited for without an end: git may be held up by a
/// file system that does not answer, by a lock, or by a filter that it runs.
#[derive(Debug)]
pub struct Git {
    command: Command,
    input: Vec<u8>,
    patience: Duration,
    interrupt: Arc<AtomicBool>,
}

/// Begins a question. What git has to know follows as arguments.
pub fn git() -> Git {
    Git {
        command: command(),
        input: Vec::new(),
        patience: PATIENCE,
        interrupt: Arc::default(),
    }
}

/// The same for a program that git would run, which finds the repositories that git would.
pub fn as_git_does(mut command: Command) -> Git {
    as_git(&mut command);
    Git { command, ..git() }
}

impl Git {
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

    /// Sets a variable of git's environment.
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Runs git in `folder`.
    pub fn in_folder(mut self, folder: &Path) -> Self {
        self.command.current_dir(folder);
        self
    }

    /// What git reads from its standard input, which is empty otherwise.
    pub fn told(mut self, input: &[u8]) -> Self {
        self.input = input.to_vec();
        self
    }

    /// How long git may take, instead of ten seconds.
    pub fn within(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Ends git, too, as soon as `interrupt` is set.
    pub fn until(mut self, interrupt: &Arc<AtomicBool>) -> Self {
        self.interrupt = Arc::clone(interrupt);
        self
    }

    /// Runs git to its end. It has no terminal, and is ended with whatever it has started if it does not end in time: that is
    /// [`io::ErrorKind::TimedOut`].
    pub fn answer(self) -> io::Result<Output> {
        let is_git = self.command.get_program() == "git";
        let name = if is_git { "git" } else { "a program that git runs" };
        let Git {
            command,
            input,
            patience,
            interrupt,
        } = self;
        process::output(command, &input, LONGEST_ANSWER, patience, &interrupt).map_err(|err| match err.kind() {
            io::ErrorKind::TimedOut => {
                let text = format!("{name} did not end within {} s", patience.as_secs());
                io::Error::new(io::ErrorKind::TimedOut, text)
            }
            _ => err,
        })
    }

    /// For a person at the terminal, who decides how long it takes.
    pub fn at_the_terminal(self) -> Command {
        self.command
    }
}

/// git, to which a bare repository is one only where it is named as that: files of a checkout may look like one and name
/// programs to run.
pub(crate) fn command() -> Command {
    let mut git = Command::new("git");
    git.args(["-c", "safe.bareRepository=explicit"]);
    git
}

/// The variable in which git hands on what `git -c KEY=VALUE` said.
const PARAMETERS: &str = "GIT_CONFIG_PARAMETERS";

/// Has every git that `command` starts keep to the same rule: what a shell calls an editor, a pager or a merge tool asks git
/// for its settings too.
pub fn as_git(command: &mut Command) -> &mut Command {
    let mut parameters = std::env::var_os(PARAMETERS).unwrap_or_default();
    if !parameters.is_empty() {
        parameters.push(" ");
    }
    // In the form that every version of git reads.
    parameters.push("'safe.bareRepository=explicit'");
    command.env(PARAMETERS, parameters)
}
