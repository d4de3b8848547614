//! Standard output: everything that is printed as data goes through here, so that what could not be written is noticed once,
//! at the end, whatever the command.

use std::{
    io::{self, ErrorKind, IsTerminal, Write},
    process::ExitCode,
    sync::OnceLock,
};

use signal_hook::{consts::SIGPIPE, low_level::emulate_default_handler};

use super::hint::Exit;

/// The first failure.
static FAILED: OnceLock<io::Error> = OnceLock::new();

/// Standard output.
pub struct Output;

/// Standard output as a writer. Whoever prints need not look at what comes of it.
pub fn stdout() -> Output {
    Output
}

/// Whether a person reads it.
pub fn is_terminal() -> bool {
    system().is_terminal()
}

// The one place that may.
#[allow(clippy::disallowed_methods)]
fn system() -> io::Stdout {
    io::stdout()
}

/// Notes a failure; what it is for is told by [`finish()`].
pub fn note<T>(result: io::Result<T>) {
    if let Err(err) = result {
        let _ = FAILED.set(err);
    }
}

impl Write for Output {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        system().lock().write(buf).inspect_err(|err| note::<()>(Err(copy(err))))
    }

    fn flush(&mut self) -> io::Result<()> {
        system().lock().flush().inspect_err(|err| note::<()>(Err(copy(err))))
    }
}

/// The same error once more, for whoever looks at the result.
fn copy(err: &io::Error) -> io::Error {
    match err.raw_os_error() {
        Some(code) => io::Error::from_raw_os_error(code),
        None => err.kind().into(),
    }
}

/// The exit code of a command that ended with `exit`: success is none if what it printed could not be written. Where the
/// reader went away, as `head` does, the process ends like git: by the signal.
pub fn finish(exit: Exit) -> ExitCode {
    let _ = Output.flush();
    match FAILED.get() {
        None => exit.into(),
        Some(err) if err.kind() == ErrorKind::BrokenPipe => {
            let _ = emulate_default_handler(SIGPIPE);
            exit.into()
        }
        Some(err) => {
            mention!("error: standard output cannot be written: {err}");
            match exit {
                Exit::Ok => {
                    mention!("  The command did what it had to do; what it printed is incomplete.");
                    Exit::Error.into()
                }
                failed => failed.into(),
            }
        }
    }
}
