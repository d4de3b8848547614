//! Opening a session with a git server: the transport half of a client, on gix's protocol.
//!
//! ```text
//! rewrite ─→ RemoteUrl::parse ─→ open ─→ Session{transport, handshake} ─→ close
//!                                  └────────────── explain(error) ──────────┘
//! ```
//!
//! 1. [`rewrite`] applies `insteadOf`; [`RemoteUrl::parse`] refuses every location that we do not talk to.
//! 2. [`open`] starts a process (ssh, a server for a local path), dials a `git daemon`, or prepares http; then it
//!    performs gix's handshake, asking for credentials if the server wants them.
//! 3. The caller talks to the server through [`Session::transport`]. Whatever fails there, [`Session::explain`] turns
//!    into a [`ConnectError`] with a [`FailureKind`] and the server's own words.
//! 4. [`Session::close`] hangs up politely; dropping the session just hangs up, and ends what it started.
//!
//! Every wait is bounded by [`Deadlines`] and ends with the interrupt flag. gix's own connectors are not used, because
//! they wait for ever. What is not done: nothing is retried, nothing is printed or logged, no reference is interpreted.

mod credentials;
mod deadline;
mod errors;
mod facts;
mod failure;
mod git;
#[cfg_attr(not(feature = "http"), path = "without_http.rs")]
mod http;
mod pace;
mod process;
mod protocol;
mod rewrite;
mod server;
mod settings;
mod span;
#[cfg_attr(not(feature = "ssh"), path = "without_ssh.rs")]
mod ssh;
mod stderr_patterns;
mod symrefs;
mod tcp;
mod url;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use bstr::ByteSlice;
use gix_credentials::helper::NextAction;
use gix_error::{ResultExt, message};
use gix_protocol::Handshake;
use gix_transport::client::blocking_io::Transport;
use gix_transport::{Protocol, Service};

use credentials::Credentials;
use deadline::Watch;
use errors::HttpReport;
use failure::Program;
use http::Greeted;
use process::Running;
use span::Connection;
use symrefs::WithoutSymrefs;

use super::text;

pub use deadline::Deadlines;
pub use errors::FailureKind;
pub use failure::{ConnectError, Ending, Explainer};
pub use git::git;
pub use http::Greeting;
pub use rewrite::{Direction, rewrite};
pub use settings::Settings;
pub use span::ExchangeSpan;
pub use url::{RemoteUrl, Scheme, UrlError};

/// Whether the user may be asked for something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Prompt {
    /// On the terminal, or by an askpass program.
    #[default]
    Allowed,
    /// Not on the terminal: `GIT_TERMINAL_PROMPT=0`, ssh in batch mode. An askpass program that the user has set up
    /// for git still answers for http.
    Forbidden,
    /// Not at all; only credential helpers answer.
    Never,
}

/// How to connect; cheap to clone.
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct ConnectOptions {
    /// From git's configuration and the environment.
    pub settings: Settings,
    /// How long to wait.
    pub deadlines: Deadlines,
    /// Whether the user may be asked.
    pub prompt: Prompt,
    /// Set it from anywhere to end every wait within a tenth of a second.
    pub interrupt: Arc<AtomicBool>,
    /// Where relative local paths start and whose configuration credential helpers see; empty is the current directory.
    pub cwd: PathBuf,
    /// No repository is around `cwd`, or none that counts: credential helpers see the user's own configuration alone.
    pub outside: bool,
}

/// A conversation with one service of one repository.
pub struct Session {
    /// To send requests with; hung up when the session is dropped.
    pub transport: Box<dyn Transport + Send>,
    /// What the server said first: version, capabilities and, before version 2, its refs. Empty repositories have none.
    pub handshake: Handshake,
    service: Service,
    sent_by_handshake: u64,
    explainer: Explainer,
    /// Credentials given unasked, of which it is not known yet whether they work.
    on_trial: Option<(Credentials, NextAction)>,
    /// Over http.
    greeted: Option<Greeted>,
    // Dropped after the transport, so that the program sees its input end before it is told to.
    program: Option<Arc<Running>>,
    connection: Connection,
}

/// Connect to `service` of the repository at `url` and perform the handshake.
///
/// `version` is what we ask for, the server may answer with less; for receiving a pack there is nothing after
/// version 1, and it is asked for instead. Local paths are relative to `options.cwd`.
///
/// The list of refs that the handshake brings along may have up to 64 MiB.
pub fn open(
    url: &RemoteUrl,
    service: Service,
    version: Protocol,
    options: &ConnectOptions,
) -> Result<Session, ConnectError> {
    establish(url, service, version, options, Start::Greeting)
}

/// Where the credentials for an http server come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Giver {
    /// `~/.netrc`.
    Netrc,
    /// The URL, or git's credential helpers.
    Asked,
}

impl Giver {
    /// Who may know the credentials for `url`, first to last, as git asks them: a password in the URL, `~/.netrc`, helpers.
    pub fn all(url: &RemoteUrl, options: &ConnectOptions) -> impl Iterator<Item = Giver> + use<> {
        let noted = options.settings.http.netrc(url).map(|_| Giver::Netrc);
        noted.into_iter().chain([Giver::Asked])
    }
}

/// The same, giving an http server credentials without being asked for them.
///
/// For servers that let everybody list the refs and demand authentication only when they are sent something. Say with
/// [`Session::credentials_work()`] whether they were right.
pub fn open_authenticated(
    url: &RemoteUrl,
    service: Service,
    version: Protocol,
    options: &ConnectOptions,
    giver: Giver,
) -> Result<Session, ConnectError> {
    establish(url, service, version, options, Start::Introduced(giver))
}

/// The same for a server that was greeted before: nothing is sent yet. The [`Greeting`] must be that of the same service at
/// the same URL; the refs that came with it are those of then.
pub fn open_known(
    greeting: Greeting,
    url: &RemoteUrl,
    service: Service,
    version: Protocol,
    options: &ConnectOptions,
) -> Result<Session, ConnectError> {
    establish(url, service, version, options, Start::Known(greeting))
}

/// How an http session begins.
enum Start {
    Greeting,
    /// With our credentials.
    Introduced(Giver),
    /// Without a request.
    Known(Greeting),
}

/// What a handshake may bring: some 700,000 refs.
const MAX_HANDSHAKE: u64 = 64 << 20;

fn establish(
    url: &RemoteUrl,
    service: Service,
    version: Protocol,
    options: &ConnectOptions,
    start: Start,
) -> Result<Session, ConnectError> {
    let version = match service {
        Service::ReceivePack => Protocol::V1,
        Service::UploadPack => version,
    };
    let (giver, known) = match start {
        Start::Greeting => (None, None),
        Start::Introduced(giver) => (Some(giver), None),
        Start::Known(greeting) => (None, Some(greeting)),
    };
    let watch = Arc::new(Watch::new(options.deadlines, options.interrupt.clone()));
    let connection = Connection::new(url, service.as_str(), watch.clone());
    let shaking_hands = connection.exchange("handshake");
    let mut explainer = Explainer {
        url: url.to_string(),
        watch: watch.clone(),
        http: None,
        program: None,
        welcomed: false,
    };
    if !options.settings.protocols.allow(url.scheme()) {
        return Err(ConnectError::not_allowed(url));
    }
    if !url.scheme().is_built_in() {
        return Err(ConnectError::left_out(url));
    }
    let connected = connected(url, service, version, options, (giver, known), &mut explainer);
    // The last one is dropped first: a program sees its input end before it is told to.
    let Connected {
        program,
        greeted,
        mut transport,
    } = connected.map_err(|err| explainer.explain(&err))?;
    let mut credentials = Credentials::new(url, options.prompt, helpers_dir(options), watch.clone());
    watch.allow(Some(MAX_HANDSHAKE));
    let mut next = None;
    if giver == Some(Giver::Asked) && explainer.http.is_some() {
        let given = give(&mut credentials, &mut *transport);
        next = Some(given.map_err(|err| explainer.without_credentials(&err))?);
    }
    let authenticate = |action| credentials.act(action);
    let mut greeting = WithoutSymrefs::new(&mut *transport);
    let mut handshake = gix_protocol::handshake(
        &mut greeting,
        service,
        authenticate,
        Vec::new(),
        &mut gix_utils::progress::Discard,
    )
    .map_err(|err| explainer.explain(&err))?;
    if let Some(refs) = &mut handshake.refs {
        greeting.give_back(refs);
    }
    watch.allow(None);
    explainer.welcomed = true;
    drop(shaking_hands);
    Ok(Session {
        on_trial: next.map(|next| (credentials, next)),
        transport,
        handshake,
        service,
        sent_by_handshake: watch.sent(),
        explainer,
        greeted,
        program,
        connection,
    })
}

/// A way to a server, on which nothing was said yet.
struct Connected {
    transport: Box<dyn Transport + Send>,
    program: Option<Arc<Running>>,
    greeted: Option<Greeted>,
}

/// Starts, dials or prepares what leads to `url`; `explainer` learns what its failures can be told by.
fn connected(
    url: &RemoteUrl,
    service: Service,
    version: Protocol,
    options: &ConnectOptions,
    (giver, known): (Option<Giver>, Option<Greeting>),
    explainer: &mut Explainer,
) -> std::io::Result<Connected> {
    let watch = explainer.watch.clone();
    let (mut program, mut greeted) = (None, None);
    let transport: Box<dyn Transport + Send> = match url.scheme() {
        Scheme::Http | Scheme::Https => {
            let report = Arc::new(HttpReport::default());
            explainer.http = Some(report.clone());
            let greeted = greeted.insert(Greeted::by(known)).clone();
            http::open(url, version, options, giver, greeted, &watch, report)?
        }
        Scheme::Git => Box::new(tcp::daemon(url, version, &watch)?),
        Scheme::Ssh | Scheme::File => {
            let spawned = server::start(&server::Starter {
                url,
                service,
                version,
                options,
                watch: &watch,
            })?;
            let running = Arc::new(spawned.running);
            let place = (url.scheme() == Scheme::File).then(|| directory(options).join(url.path().to_path_lossy()));
            explainer.program = Some(Program {
                running: Arc::downgrade(&running),
                place,
            });
            program = Some(running);
            let (read, write) = process::wires(spawned.stdin, spawned.stdout, &watch)?;
            Box::new(server::conversation(read, write, url, version))
        }
    };
    Ok(Connected {
        transport,
        program,
        greeted,
    })
}

/// Asks for credentials and hands them to the transport; what is to become of them is returned.
fn give(credentials: &mut Credentials, transport: &mut (dyn Transport + Send)) -> gix_error::Result<NextAction> {
    let outcome = credentials.unasked(transport.to_url().into_owned())?;
    transport
        .set_identity(outcome.identity)
        .or_raise(|| message("the credentials cannot be used here"))?;
    Ok(outcome.next)
}

impl Session {
    /// Whether the credentials of [`open_authenticated()`] were right, so that helpers keep or forget them.
    pub fn credentials_work(&mut self, right: bool) {
        if let Some((mut credentials, next)) = self.on_trial.take() {
            credentials.judge(next, right);
        }
    }

    /// What an error that came up while talking to the server means.
    pub fn explain(&self, error: &(dyn std::error::Error + 'static)) -> ConnectError {
        self.explainer.explain(error)
    }

    /// What is known of the other end, after such an error has been explained.
    pub fn ending(&self) -> Ending {
        self.explainer.ending()
    }

    /// The same as a value of its own, for when the transport is borrowed.
    pub fn explainer(&self) -> Explainer {
        self.explainer.clone()
    }

    /// Tells a listener of [`tracing`] that a question to the server and its answer go from here to where the value is dropped.
    pub fn exchange(&self, name: &'static str) -> ExchangeSpan {
        self.connection.exchange(name)
    }

    /// What [`open_known()`] needs to open another session without a request; `None` but over http.
    pub fn greeting(&self) -> Option<Greeting> {
        self.greeted.as_ref().and_then(Greeted::get)
    }

    /// Hang up, wait for the program at the other end (no longer than the idle deadline), and return what it said on
    /// standard error, without control characters.
    ///
    /// Never fails: what matters has been said in the conversation.
    pub fn close(mut self) -> String {
        // A flush ends the conversation with upload-pack, and with receive-pack before a command is sent. Later it could
        // complete a list of commands that was given up half-way.
        let watch = self.explainer.watch.clone();
        if self.service == Service::UploadPack || watch.sent() == self.sent_by_handshake {
            gix_protocol::indicate_end_of_interaction(&mut self.transport, false).ok();
        }
        let Session {
            transport,
            program,
            connection: _connection,
            ..
        } = self;
        drop(transport);
        let Some(program) = program else { return String::new() };
        let started = Instant::now();
        while program.exit(Duration::from_millis(100)).is_none() {
            if watch.check().is_err() || started.elapsed() > watch.deadlines.idle {
                program.end();
            }
        }
        text::lines(&program.stderr(Duration::from_millis(50)), 4096)
    }
}

/// Whether a person can be asked: the process has a terminal.
fn has_terminal() -> bool {
    std::fs::File::open("/dev/tty").is_ok()
}

/// Where git, asked for a password, finds no repository but the one that counts.
fn helpers_dir(options: &ConnectOptions) -> PathBuf {
    match options.outside {
        true => PathBuf::from("/"),
        false => directory(options),
    }
}

fn directory(options: &ConnectOptions) -> PathBuf {
    match options.cwd.as_os_str().is_empty() {
        true => PathBuf::from("."),
        false => options.cwd.clone(),
    }
}
