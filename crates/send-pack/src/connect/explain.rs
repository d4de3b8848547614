//! What went wrong in a session, found out from what is known of it.
//!
//! Facts decide first: what made us stop, an http status, an error number, the exit code of ssh. Prose is read only where
//! nothing else is to be had: ssh and the servers behind it speak in sentences on standard error.

use std::error::Error;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};
use std::time::Duration;

use super::deadline::Stop;
use super::errors::{HttpReport, HttpTrouble};
use super::facts::Facts;
use super::failure::{ConnectError, Ending, FailureKind};
use super::process::Running;
use super::stderr_patterns;
use super::text;
use super::watch::Watch;

/// The exit code of git's `die()`.
const DIED: i32 = 128;

/// Turns the errors of one session into [`ConnectError`]s.
///
/// A handle of its own, so that it can be used while the transport of the session is borrowed.
#[derive(Clone)]
pub struct Explainer {
    pub(crate) url: String,
    pub(crate) watch: Arc<Watch>,
    pub(crate) http: Option<Arc<HttpReport>>,
    pub(crate) program: Option<Program>,
    /// The handshake is over: what a banner or a hook says does not tell of how one gets in.
    pub(crate) welcomed: bool,
}

/// The program at the other end of a session.
#[derive(Clone)]
pub(crate) struct Program {
    /// Not kept alive by an explanation of its end.
    pub(crate) running: Weak<Running>,
    /// Where the repository would be, if the program is git itself; `None` for ssh.
    pub(crate) place: Option<PathBuf>,
}

impl Explainer {
    /// What `error`, which came up on this session, means.
    ///
    /// Takes up to two seconds if a program at the other end has just closed the connection, as its reason follows.
    pub fn explain(&self, error: &(dyn Error + 'static)) -> ConnectError {
        let facts = Facts::of(error);
        let (exit_code, said) = match &self.program {
            Some(program) => {
                let closed = facts.kind.is_none_or(|kind| kind == FailureKind::Unreachable);
                last_words(program, closed && self.watch.stopped().is_none())
            }
            None => (None, String::new()),
        };
        let (kind, detail) = self.kind(&facts, exit_code, &said);
        let http_text = self.http.as_ref().and_then(|http| match http.get() {
            Some(HttpTrouble::Status { text, .. }) => Some(text),
            _ => None,
        });
        let texts = [facts.remote_error.clone(), http_text, Some(said)];
        let texts: Vec<String> = texts.into_iter().flatten().filter(|text| !text.is_empty()).collect();
        ConnectError {
            kind,
            message: message(kind, &self.url, &detail),
            server_text: texts.join("\n"),
        }
    }

    /// The same where nobody has the credentials that the server wants: whatever else it is, that is what it comes to.
    pub(crate) fn without_credentials(&self, error: &(dyn Error + 'static)) -> ConnectError {
        let found = self.explain(error);
        match found.kind {
            FailureKind::Other => {
                let kind = FailureKind::Unauthenticated;
                let message = message(kind, &self.url, &Facts::of(error).detail);
                ConnectError { kind, message, ..found }
            }
            _ => found,
        }
    }

    /// What is known of the other end, after something went wrong there.
    pub fn ending(&self) -> Ending {
        if let Some(http) = &self.http {
            return match http.get() {
                Some(HttpTrouble::Status { code: 300..=499, .. }) => Ending::Over,
                None if http.is_complete() => Ending::Finished,
                _ => Ending::Unclear,
            };
        }
        let Some(program) = &self.program else {
            return Ending::Unclear;
        };
        let exit = program
            .running
            .upgrade()
            .and_then(|running| running.exit(Duration::ZERO));
        match (exit.and_then(|status| status.code()), program.place.is_some()) {
            (Some(DIED), _) => Ending::Died,
            // Other codes may be ssh's own, and which it uses for a connection that broke is another matter with every
            // program: 255 with OpenSSH, 1 with plink.
            (_, false) => Ending::Unclear,
            // A server on this machine ends with its session.
            (_, true) => Ending::Over,
        }
    }

    fn kind(&self, facts: &Facts, exit_code: Option<i32>, said: &str) -> (FailureKind, String) {
        // Ctrl-C ends the programs that share our terminal, too: their end may be seen before the flag is.
        self.watch.note_interrupt();
        match self.watch.stopped() {
            Some(Stop::Interrupted) => return (FailureKind::Interrupted, String::new()),
            Some(stop @ Stop::TooMuch) => return (FailureKind::Protocol, stop.to_string()),
            Some(stop) => return (FailureKind::TimedOut, stop.to_string()),
            None => {}
        }
        if let Some(trouble) = self.http.as_ref().and_then(|http| http.get()) {
            return (trouble.kind(), trouble.to_string());
        }
        if let Some(said) = self
            .watch
            .said_first()
            .filter(|_| self.http.is_none() && !self.welcomed)
        {
            return (FailureKind::NotGit, format!("it said \"{said}\" first"));
        }
        if let Some(text) = &facts.remote_error {
            let (kind, line) = stderr_patterns::kind_of(text).unwrap_or((FailureKind::Forbidden, text));
            return (kind, line.to_owned());
        }
        // git on this machine speaks the user's language.
        let place = self.program.as_ref().and_then(|program| program.place.as_deref());
        if place.is_some_and(|place| !has_repository(place)) {
            return (FailureKind::NoRepository, last_line(said, ""));
        }
        if let Some((kind, line)) = stderr_patterns::kind_of(said).filter(|_| !self.welcomed) {
            return (kind, line.to_owned());
        }
        let is_ssh = self.program.as_ref().is_some_and(|program| program.place.is_none());
        match (is_ssh, exit_code) {
            // "ssh exits with the exit status of the remote command or with 255 if an error occurred."
            (true, Some(255)) => return (FailureKind::Unreachable, last_line(said, "ssh could not connect")),
            (true, Some(126 | 127)) => return (FailureKind::Other, last_line(said, "the server has no git")),
            _ => {}
        }
        match (facts.kind, said.is_empty()) {
            (Some(FailureKind::Unreachable), false) => (FailureKind::Other, last_line(said, "")),
            (Some(kind), _) => (kind, facts.detail.clone()),
            (None, _) if self.http.is_some() && facts.from_http => (FailureKind::Protocol, facts.detail.clone()),
            (None, _) => (FailureKind::Other, facts.detail.clone()),
        }
    }
}

/// What the program said last and how it ended, if it has.
fn last_words(program: &Program, is_ending: bool) -> (Option<i32>, String) {
    let Some(running) = program.running.upgrade() else {
        return (None, String::new());
    };
    let patience = if is_ending {
        Duration::from_secs(2)
    } else {
        Duration::ZERO
    };
    let exit = running.exit(patience);
    let said = running.stderr(Duration::from_millis(if exit.is_some() { 200 } else { 0 }));
    (exit.and_then(|status| status.code()), text::lines(&said, 4096))
}

/// Whether one of the places where git's servers look for a repository has something in it.
fn has_repository(place: &Path) -> bool {
    let with_suffix = |suffix: &str| {
        let mut path = place.as_os_str().to_owned();
        path.push(suffix);
        PathBuf::from(path)
    };
    // Only the server knows whose home `~user` is.
    let is_home = place
        .components()
        .any(|part| part.as_os_str().as_bytes().starts_with(b"~"));
    let mut candidates = ["/HEAD", "/.git", ".git/HEAD", ".git/.git"].into_iter();
    is_home || candidates.any(|suffix| with_suffix(suffix).symlink_metadata().is_ok())
}

fn last_line(said: &str, otherwise: &str) -> String {
    said.lines().last().unwrap_or(otherwise).to_owned()
}

/// One sentence for `kind`.
fn message(kind: FailureKind, url: &str, detail: &str) -> String {
    let what = match kind {
        FailureKind::Unauthenticated => format!("cannot authenticate to {url}"),
        FailureKind::Forbidden => format!("{url} does not allow it"),
        FailureKind::Unreachable => format!("cannot reach {url}"),
        FailureKind::NoRepository => format!("there is no repository at {url}"),
        FailureKind::TimedOut => format!("{url} did not answer in time"),
        FailureKind::Interrupted => format!("interrupted while talking to {url}"),
        FailureKind::Refused => format!("{url} is not followed"),
        FailureKind::Protocol | FailureKind::NotGit => format!("{url} does not speak git's protocol"),
        FailureKind::Other => format!("talking to {url} failed"),
    };
    match text::line(detail.as_bytes(), 400) {
        detail if detail.is_empty() => what,
        detail => format!("{what}: {detail}"),
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use gix_error::ErrorExt as _;
    use gix_transport::client::{self, AuthenticationRequired};
    use gix_transport::packetline;

    use super::super::deadline::Deadlines;
    use super::*;

    fn explainer(http: Option<HttpTrouble>) -> Explainer {
        let report = http.map(|trouble| {
            let report = HttpReport::default();
            report.set(Some(trouble));
            Arc::new(report)
        });
        let watch = Arc::new(Watch::new(Deadlines::default(), Default::default()));
        Explainer {
            url: "https://h/r".into(),
            watch,
            http: report,
            program: None,
            welcomed: false,
        }
    }

    #[test]
    fn wrapped_causes_are_found() {
        let err = io::Error::other(client::Error::Io(io::Error::from(io::ErrorKind::ConnectionRefused)));
        assert_eq!(explainer(None).explain(&err).kind, FailureKind::Unreachable);
        let err = client::Error::Io(io::Error::new(
            io::ErrorKind::PermissionDenied,
            AuthenticationRequired::default(),
        ));
        assert_eq!(explainer(None).explain(&err).kind, FailureKind::Unauthenticated);
        let err = gix_error::message("outer").raise_all([io::Error::from(io::ErrorKind::UnexpectedEof)]);
        assert_eq!(
            explainer(None).explain(&gix_error::Error::from(err)).kind,
            FailureKind::Unreachable
        );
    }

    #[test]
    fn an_err_line_is_the_servers_text_without_its_escapes() {
        let said = packetline::read::Error {
            message: "access denied or repository not exported: \x1b[31m/r\n".into(),
        };
        let err = explainer(None).explain(&client::Error::Io(io::Error::other(said)));
        assert_eq!(err.kind, FailureKind::NoRepository);
        assert_eq!(err.server_text, "access denied or repository not exported: /r");
    }

    #[test]
    fn an_http_status_decides_whatever_the_error_says() {
        for (code, kind) in [
            (401, FailureKind::Unauthenticated),
            (403, FailureKind::Forbidden),
            (404, FailureKind::NoRepository),
            (500, FailureKind::Other),
            (503, FailureKind::Unreachable),
        ] {
            let trouble = HttpTrouble::Status {
                code,
                text: "sorry".into(),
            };
            let err = explainer(Some(trouble)).explain(&io::Error::other("x"));
            assert_eq!((err.kind, err.server_text.as_str()), (kind, "sorry"));
        }
    }

    #[test]
    fn an_interrupt_goes_before_what_it_caused() {
        let explainer = explainer(Some(HttpTrouble::Tls("closed".into())));
        explainer.watch.stop(Stop::Interrupted);
        assert_eq!(explainer.explain(&io::Error::other("x")).kind, FailureKind::Interrupted);
    }
}
