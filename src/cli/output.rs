//! The one printer. Everything that is printed as data goes through [`stdout()`], so that what could not be written is noticed once,
//! at the end, whatever the command; talk goes through [`stderr()`]. Both escape what could move a cursor, hide, or turn text
//! around, but for line breaks, tabs and the colours that [`Paint`](super::colour::Paint) makes, whoever forgot to.

use std::{
    fmt,
    fs::File,
    io::{self, ErrorKind, IsTerminal, Write},
    os::fd::{AsFd, OwnedFd},
    process::ExitCode,
    sync::{
        OnceLock,
        atomic::{AtomicBool, Ordering},
    },
};

use signal_hook::{consts::SIGPIPE, low_level::emulate_default_handler};

use super::{Exit, colour, pager};
use crate::text::printed;

/// The first failure.
static FAILED: OnceLock<io::Error> = OnceLock::new();

/// Standard output or error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Output {
    Data,
    /// The same, for programs that asked for bytes as they are.
    Bytes,
    Talk,
}

/// Standard output as a writer. Whoever prints need not look at what comes of it.
pub fn stdout() -> Output {
    Output::Data
}

/// Standard output without escaping, for `-z`.
pub fn bytes() -> Output {
    Output::Bytes
}

/// Standard error as a writer.
pub fn stderr() -> Output {
    Output::Talk
}

/// Whether a person reads standard output, be it through a pager.
pub fn is_terminal() -> bool {
    PAGED.get().is_some() || system().is_terminal()
}

/// How wide the terminal is on which standard output is read. `None`: on none.
pub fn width() -> Option<usize> {
    let asked = || {
        let size = rustix::termios::tcgetwinsize(system()).ok()?;
        Some(size.ws_col.into()).filter(|columns| *columns > 0)
    };
    match PAGED.get() {
        Some(columns) => Some(*columns),
        None => system().is_terminal().then(|| asked().unwrap_or(COLUMNS)),
    }
}

/// Where a terminal does not say how wide it is.
const COLUMNS: usize = 80;

/// How wide the terminal behind the pager is.
static PAGED: OnceLock<usize> = OnceLock::new();

/// Where talk went before there was a pager.
static TALKED_TO: OnceLock<OwnedFd> = OnceLock::new();

/// Sends what is printed to a pager from here on, talk too if a person reads it: it would be painted over.
#[allow(clippy::disallowed_methods)]
pub fn redirect(pager: &impl AsFd) -> io::Result<()> {
    let columns = width().unwrap_or(COLUMNS);
    system().lock().flush()?;
    if talks_to_terminal() {
        let _ = TALKED_TO.set(rustix::io::fcntl_dupfd_cloexec(io::stderr(), 3)?);
        rustix::stdio::dup2_stderr(pager)?;
    }
    rustix::stdio::dup2_stdout(pager)?;
    let _ = PAGED.set(columns);
    Ok(())
}

/// Shows the pager the end of what is printed.
pub fn close() {
    let _ = system().lock().flush();
    if let Ok(nowhere) = File::options().write(true).open("/dev/null") {
        let _ = rustix::stdio::dup2_stdout(nowhere);
    }
    if let Some(terminal) = TALKED_TO.get() {
        let _ = rustix::stdio::dup2_stderr(terminal);
    }
}

/// Whether a person reads standard error.
#[allow(clippy::disallowed_methods)]
pub fn talks_to_terminal() -> bool {
    io::stderr().is_terminal()
}

/// How wide a terminal on standard error is.
#[allow(clippy::disallowed_methods)]
pub fn columns() -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(io::stderr()).ok()?;
    Some(size.ws_col.into()).filter(|columns| *columns > 0)
}

/// Wipes the line that a terminal on standard error is at, and writes `text` there.
#[allow(clippy::disallowed_methods)]
pub fn redraw(text: &str) {
    let _ = write!(io::stderr().lock(), "\r\x1b[2K{}", printed(text));
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

/// Whether our colours are let through; without colours there is nothing to let through.
static COLOURED: [AtomicBool; 2] = [AtomicBool::new(false), AtomicBool::new(false)];

impl Output {
    fn coloured(self) -> &'static AtomicBool {
        &COLOURED[usize::from(self == Output::Talk)]
    }

    /// Lets our colours through from here on.
    pub fn allow_colour(self) {
        self.coloured().store(true, Ordering::Relaxed);
    }
}

impl Write for Output {
    /// Takes all of it. Text comes in pieces that are whole characters, as formatting and `BufWriter` hand them on.
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(buf);
        let written = match self {
            Output::Bytes => system().lock().write_all(buf),
            Output::Data => {
                let text = fit(&text, self.coloured().load(Ordering::Relaxed));
                system().lock().write_all(text.as_bytes())
            }
            // It is nobody's fault and no command's failure if there is nobody to talk to.
            #[allow(clippy::disallowed_methods)]
            Output::Talk => {
                let text = fit(&text, self.coloured().load(Ordering::Relaxed));
                return io::stderr().write_all(text.as_bytes()).map(|()| buf.len());
            }
        };
        written.inspect_err(|err| note::<()>(Err(copy(err))))?;
        Ok(buf.len())
    }

    /// In one piece, so that the lines of two processes don't mix.
    fn write_fmt(&mut self, words: fmt::Arguments<'_>) -> io::Result<()> {
        self.write_all(words.to_string().as_bytes())
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Output::Talk => Ok(()),
            _ => system().lock().flush().inspect_err(|err| note::<()>(Err(copy(err)))),
        }
    }
}

/// `text` with everything hidden escaped; where there are colours, our own codes stay.
fn fit(text: &str, coloured: bool) -> String {
    if !coloured {
        return printed(text).into_owned();
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\x1b') {
        let (before, code) = rest.split_at(at);
        out.push_str(&printed(before));
        let own = colour::CODES.iter().find(|own| code.starts_with(**own));
        match own {
            Some(own) => out.push_str(own),
            None => out.push_str(&printed("\x1b")),
        }
        rest = &code[own.map_or(1, |own| own.len())..];
    }
    out.push_str(&printed(rest));
    out
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
    let _ = stdout().flush();
    let paged = pager::finish();
    match FAILED.get() {
        None => exit.into(),
        // Who has read enough leaves the pager.
        Some(err) if paged && err.kind() == ErrorKind::BrokenPipe => exit.into(),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_colours_come_through_and_only_where_there_are_colours() {
        let text = "\x1b[31mred\x1b[m \x1b[31;1m\x1b]0;t\u{7}\r\u{202e}\n";
        let rest = " \\u{1b}[31;1m\\u{1b}]0;t\\u{7}\\u{d}\\u{202e}\n";
        assert_eq!(fit(text, true), format!("\x1b[31mred\x1b[m{rest}"));
        assert_eq!(fit(text, false), format!("\\u{{1b}}[31mred\\u{{1b}}[m{rest}"));
        assert_eq!(fit("\x1b", true), "\\u{1b}");
    }
}
