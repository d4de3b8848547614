//! The push itself: connect, compare, send, read, settle.

use std::{
    io,
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use gix::protocol::{
    handshake::Ref,
    transport::{
        Protocol, Service,
        client::{MessageKind, WriteMode},
    },
};
use gix::{
    ObjectId,
    bstr::{BString, ByteSlice},
};

use super::{
    connect::{self, ConnectError, ConnectOptions, Ending, FailureKind, Giver, Greeting, RemoteUrl, Scheme, Session},
    outcome::{self, Listed, Outcome, Refusal, RefusalKind, Verdict},
    pack::{self, PackObject, WriteError},
    report::{self, Report},
    request::{self, RefUpdate},
};

/// Why there is no outcome: the ref was not touched, because nothing was asked of the server, because it cannot have
/// received the whole of what was asked, or because it refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PushError<E> {
    /// The server could not be reached, would not let us in, does not speak the protocol, or the connection broke
    /// before all was sent.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The source of the objects failed; the pack was not completed, which no server accepts.
    #[error("the objects to push could not be read")]
    Source(E),
    /// The server lacks something that a safe push needs.
    #[error("the server does not offer {0}, without which a push cannot be made safely")]
    Unsupported(&'static str),
    /// The server's repository uses another hash than the objects.
    #[error("the server's repository uses {server}, the objects use {ours}")]
    ObjectFormat {
        /// What the server announced.
        server: String,
        /// The hash of the new value, or of the expected one.
        ours: gix::hash::Kind,
    },
    /// The ref's name is none that git takes.
    #[error("{0:?} is not the full name of a ref")]
    RefName(BString),
    /// An option for the server's hooks that cannot be sent: git's are lines, neither empty nor longer than 65,516 bytes.
    #[error("{0:?} is not an option for a server's hooks, which is one line")]
    PushOption(String),
}

/// The first pause before the refs are listed once more; each is twice the one before.
const FIRST_PAUSE: Duration = Duration::from_millis(40);

/// Pushes one ref. `agent` is what the server may log us as, e.g. `git/2.50`. `objects` is called for each attempt and
/// yields exactly the objects that the server lacks.
///
/// There is another attempt where the server demanded credentials only once it was sent something, and where it could
/// not lock the ref; never after a lost answer. An [`Outcome`] is only returned once it is settled; an error means that
/// the ref was not touched. See the [module documentation](super) for the order of operations.
pub fn push<E, I>(
    url: &RemoteUrl,
    options: &ConnectOptions,
    agent: &str,
    update: &RefUpdate,
    objects: impl FnMut() -> Result<I, E>,
) -> Result<Outcome, PushError<E>>
where
    I: ExactSizeIterator<Item = Result<PackObject, E>>,
{
    push_again(&mut None, url, options, agent, update, objects)
}

/// Like [`push()`], for those who push until it succeeds.
///
/// After [`Outcome::Moved`] over http, `met` holds how the server greeted us, and the next push, which has to be to the same
/// place, does not greet it again: it sends at once what is built on the ref's new value, and whether that still is its value
/// is for the server to compare. Anywhere else, and in the beginning, `met` is `None`.
pub fn push_again<E, I>(
    met: &mut Option<Greeting>,
    url: &RemoteUrl,
    options: &ConnectOptions,
    agent: &str,
    update: &RefUpdate,
    mut objects: impl FnMut() -> Result<I, E>,
) -> Result<Outcome, PushError<E>>
where
    I: ExactSizeIterator<Item = Result<PackObject, E>>,
{
    if !update.name.starts_with(b"refs/") || gix::validate::reference::name(update.name.as_bstr()).is_err() {
        return Err(PushError::RefName(update.name.clone()));
    }
    if let Some(option) = update.options.iter().find(|option| !request::is_option(option)) {
        return Err(PushError::PushOption(option.clone()));
    }
    // Elsewhere whoever may send has been let in, whatever is said later.
    let is_http = matches!(url.scheme(), Scheme::Http | Scheme::Https);
    let is_challenge = |cause: &ConnectError| is_http && cause.kind == FailureKind::Unauthenticated;
    let mut locked: Option<Patience> = None;
    let mut givers = Giver::all(url, options);
    // Who gives the credentials that the server demanded, and how it did.
    let mut demanded: Option<(Giver, ConnectError)> = None;
    loop {
        let known = met.take();
        let is_listed = known.is_none();
        let service = Service::ReceivePack;
        let mut session = match (known, &demanded) {
            (Some(greeting), _) => connect::open_known(greeting, url, service, Protocol::V1, options)?,
            (None, None) => connect::open(url, service, Protocol::V1, options)?,
            (None, Some((giver, challenge))) => {
                let opened = connect::open_authenticated(url, service, Protocol::V1, options, *giver);
                // The server's own words say more than that nobody knows a password.
                opened.map_err(|err| match err.kind {
                    FailureKind::Unauthenticated => challenge.clone(),
                    _ => err,
                })?
            }
        };
        let attempt = attempt_once(&mut session, is_listed, agent, update, &mut objects)?;
        if let Attempt::Settled(Outcome::Moved { .. }) = attempt {
            *met = session.greeting();
        }
        match attempt {
            Attempt::Settled(_) | Attempt::Unproven(_) => drop(session.close()),
            _ => drop(session),
        }
        let refusal = match attempt {
            Attempt::Settled(outcome) => return Ok(outcome),
            // An answer of its own, to say no.
            Attempt::NotSent(cause) | Attempt::AnswerLost(cause, _) if is_challenge(&cause) => {
                let Some(giver) = givers.next() else {
                    return Err(cause.into());
                };
                demanded = Some((giver, cause));
                continue;
            }
            Attempt::NotSent(cause) => return Err(cause.into()),
            Attempt::AnswerLost(cause, ending) => return settle(url, options, update, cause, ending),
            Attempt::Unproven(denied) => {
                return Ok(match list(url, options, update) {
                    Ok((Listed::New, _)) => Outcome::Applied,
                    Ok((Listed::Other(actual), _)) => Outcome::Moved { actual },
                    Ok((Listed::Expected, _)) => Outcome::Refused(denied),
                    Err(cause) => Outcome::Unknown { cause },
                });
            }
            Attempt::PerhapsMoved(refusal) => refusal,
        };
        let (listed, greeting) = list(url, options, update)?;
        match listed {
            Listed::New => return Ok(Outcome::Applied),
            Listed::Other(actual) => {
                *met = greeting;
                return Ok(Outcome::Moved { actual });
            }
            Listed::Expected if refusal.kind != RefusalKind::Locked => return Ok(Outcome::Refused(refusal)),
            Listed::Expected => {
                let patience = locked.get_or_insert_with(|| Patience::new(options));
                if !patience.pause(options) {
                    return Ok(Outcome::Refused(refusal));
                }
            }
        }
    }
}

/// Finds out what became of a push whose answer was lost, by listing the refs until they show it or time is over.
fn settle<E>(
    url: &RemoteUrl,
    options: &ConnectOptions,
    update: &RefUpdate,
    cause: ConnectError,
    ending: Ending,
) -> Result<Outcome, PushError<E>> {
    let mut options = options.clone();
    // The answer may have been lost because time was over; to know what became of the push is worth a little more.
    let end = Instant::now() + options.deadlines.settle;
    options.deadlines.total = options.deadlines.total.map(|total| total.max(end));
    let mut patience = Patience::new(&options);
    loop {
        let listed = list(url, &options, update).map(|(listed, _)| listed);
        match (&listed, ending) {
            (Ok(Listed::New), _) => return Ok(Outcome::Applied),
            (Ok(Listed::Other(actual)), _) => return Ok(Outcome::Moved { actual: *actual }),
            (Ok(Listed::Expected), Ending::Died) => return Ok(Outcome::Refused(given_up(cause))),
            (Ok(Listed::Expected), Ending::Over) => return Err(cause.into()),
            (Ok(Listed::Expected), Ending::Finished | Ending::Unclear) | (Err(_), _) => {}
        }
        if !patience.pause(&options) {
            return Ok(match (listed, ending) {
                (Ok(_), Ending::Finished) => Outcome::Refused(given_up(cause)),
                _ => Outcome::Unknown { cause },
            });
        }
    }
}

/// The refusal that lies in giving up, with the last words as its reason.
fn given_up(cause: ConnectError) -> Refusal {
    let last = cause.server_text.lines().last();
    Refusal {
        kind: RefusalKind::GaveUp,
        reason: last.unwrap_or("git gave up there without a report").to_owned(),
        server_text: cause.server_text,
    }
}

/// Pauses that grow, until [`connect::Deadlines::settle`] is over.
struct Patience {
    end: Instant,
    next: Duration,
}

impl Patience {
    fn new(options: &ConnectOptions) -> Self {
        Patience {
            end: Instant::now() + options.deadlines.settle,
            next: FIRST_PAUSE,
        }
    }

    /// Waits a little. False if there is no time left, or somebody wants us to stop.
    fn pause(&mut self, options: &ConnectOptions) -> bool {
        let wake = Instant::now() + self.next;
        let end = options.deadlines.total.map_or(self.end, |total| total.min(self.end));
        if wake >= end {
            return false;
        }
        self.next *= 2;
        while !options.interrupt.load(Ordering::Relaxed) {
            let left = wake.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return true;
            }
            std::thread::sleep(left.min(Duration::from_millis(50)));
        }
        false
    }
}

enum Attempt {
    Settled(Outcome),
    PerhapsMoved(Refusal),
    /// The server cannot have got all of it.
    NotSent(ConnectError),
    AnswerLost(ConnectError, Ending),
    /// The server says yes but not who it is. With what is to be said if the refs say no.
    Unproven(Refusal),
}

fn attempt_once<E, I>(
    session: &mut Session,
    is_listed: bool,
    agent: &str,
    update: &RefUpdate,
    objects: &mut impl FnMut() -> Result<I, E>,
) -> Result<Attempt, PushError<E>>
where
    I: ExactSizeIterator<Item = Result<PackObject, E>>,
{
    let negotiated = request::negotiate(&session.handshake.capabilities).map_err(|server| PushError::ObjectFormat {
        server,
        ours: update.new.map_or(gix::hash::Kind::Sha1, |id| id.kind()),
    })?;
    if !negotiated.report_status {
        return Err(PushError::Unsupported("report-status"));
    }
    if update.new.is_none() && !negotiated.delete_refs {
        return Err(PushError::Unsupported("delete-refs"));
    }
    if !update.options.is_empty() && !negotiated.push_options {
        return Err(PushError::Unsupported("push-options"));
    }
    let other = |id: &ObjectId| id.kind() != negotiated.object_hash;
    if let Some(id) = [update.new, update.expected].into_iter().flatten().find(other) {
        return Err(PushError::ObjectFormat {
            server: negotiated.object_hash.to_string(),
            ours: id.kind(),
        });
    }
    let actual = value_of(session.handshake.refs.as_deref().unwrap_or_default(), &update.name);
    // A ref that is not listed may be hidden from those who push rather than gone. The server knows, so it is asked.
    let perhaps_hidden = actual.is_none() && update.new.is_some();
    if is_listed && (actual == update.new || (actual != update.expected && !perhaps_hidden)) {
        return Ok(Attempt::Settled(match actual == update.new {
            true => Outcome::Applied,
            false => Outcome::Moved { actual },
        }));
    }
    let source = match update.new {
        Some(_) => Some(objects().map_err(PushError::Source)?),
        None => None,
    };

    let mut report = Report::default();
    let talked = talk(session, update, &negotiated, agent, source, &mut report);
    let verdict = outcome::verdict(&report, &update.name);
    if verdict != Verdict::Unclear {
        // Whatever the server says of the ref, it has let us in.
        session.credentials_work(true);
    }
    let mut explained = |err: io::Error| {
        let mut cause = session.explain(&err);
        if cause.kind == FailureKind::Unauthenticated {
            session.credentials_work(false);
        }
        if cause.server_text.is_empty() {
            cause.server_text.clone_from(&report.server_text);
        }
        cause
    };
    Ok(match (verdict, talked) {
        (_, Err(Talk::Source(err))) => return Err(PushError::Source(err)),
        // Perhaps for what became of the ref since it was listed.
        (Verdict::Refused(refusal), _) if !is_listed => Attempt::PerhapsMoved(refusal),
        // The ref was gone indeed, and what our objects build on with it.
        (Verdict::Refused(refusal), _)
            if perhaps_hidden && update.expected.is_some() && refusal.kind == RefusalKind::Unpack =>
        {
            Attempt::Settled(Outcome::Moved { actual })
        }
        // A server that refuses may stop reading our pack: its reason counts more than the broken pipe.
        (Verdict::Refused(refusal), _) => Attempt::Settled(Outcome::Refused(refusal)),
        (Verdict::PerhapsMoved(refusal), _) => Attempt::PerhapsMoved(refusal),
        (Verdict::Unclear, Err(Talk::Send(err))) => Attempt::NotSent(explained(err)),
        (Verdict::Applied, Ok(())) => match negotiated.agent {
            true => Attempt::Settled(Outcome::Applied),
            false => Attempt::Unproven(Refusal {
                kind: RefusalKind::Other,
                reason: "the server reported success, but the ref has its old value".into(),
                server_text: report.server_text,
            }),
        },
        (Verdict::Applied | Verdict::Unclear, Err(Talk::Send(err) | Talk::Receive(err))) => {
            let cause = explained(err);
            let ending = match (session.ending(), report.fatal) {
                (Ending::Unclear, true) => Ending::Finished,
                (ending, _) => ending,
            };
            Attempt::AnswerLost(cause, ending)
        }
        (Verdict::Unclear, Ok(())) => {
            let cause = explained(io::Error::new(
                io::ErrorKind::InvalidData,
                "the server's report does not say what became of the push",
            ));
            Attempt::AnswerLost(cause, Ending::Unclear)
        }
    })
}

enum Talk<E> {
    Source(E),
    /// Not all was sent.
    Send(io::Error),
    Receive(io::Error),
}

fn talk<E>(
    session: &mut Session,
    update: &RefUpdate,
    negotiated: &request::Negotiated,
    agent: &str,
    objects: Option<impl ExactSizeIterator<Item = Result<PackObject, E>>>,
    report: &mut Report,
) -> Result<(), Talk<E>> {
    let request = session
        .transport
        .request(WriteMode::Binary, MessageKind::Flush, false)
        .map_err(|err| match err {
            gix::protocol::transport::client::Error::Io(err) => Talk::Send(err),
            other => Talk::Send(io::Error::other(other)),
        })?;
    let (writer, reader) = request.into_parts();
    let mut writer = io::BufWriter::with_capacity(32 << 10, writer);
    let sent = send(&mut writer, update, negotiated, agent, objects);
    // A half-written request must not be completed by the buffer's drop.
    let (inner, _unsent) = writer.into_parts();
    drop(inner);
    if let Err(Talk::Source(_)) = sent {
        return sent;
    }
    // Also when the server stopped listening: it may have said why. Where sending failed for a reason of this machine's the
    // server still waits for the rest, and so would we for its answer.
    if let Err(Talk::Send(err)) = &sent
        && is_of_this_machine(err)
    {
        return sent;
    }
    let read = report::read(reader, negotiated.sideband, report);
    sent?;
    read.map_err(Talk::Receive)
}

/// Whether the system refused to send, without a word of the other side's end.
fn is_of_this_machine(err: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, NotConnected, TimedOut};
    let by_the_other = [BrokenPipe, ConnectionAborted, ConnectionReset, NotConnected, TimedOut];
    err.raw_os_error().is_some() && !by_the_other.contains(&err.kind())
}

fn send<E>(
    mut out: impl io::Write,
    update: &RefUpdate,
    negotiated: &request::Negotiated,
    agent: &str,
    objects: Option<impl ExactSizeIterator<Item = Result<PackObject, E>>>,
) -> Result<(), Talk<E>> {
    request::write_command(update, negotiated, agent, &mut out).map_err(Talk::Send)?;
    if let Some(objects) = objects {
        let count = u32::try_from(objects.len())
            .map_err(|_| Talk::Send(io::Error::other("a pack cannot have that many objects")))?;
        let objects = objects.map(|object| {
            object.map(|object| match negotiated.thin {
                true => object,
                false => PackObject {
                    delta_base: None,
                    ..object
                },
            })
        });
        pack::write(objects, count, negotiated.object_hash, &mut out).map_err(|err| match err {
            WriteError::Source(err) => Talk::Source(err),
            WriteError::Write(err) => Talk::Send(err),
            WriteError::Count { announced, seen } => Talk::Send(io::Error::other(format!(
                "{announced} objects were announced, {seen} were there"
            ))),
        })?;
    }
    out.flush().map_err(Talk::Send)
}

/// What the ref is now, and how the server greeted us.
fn list(
    url: &RemoteUrl,
    options: &ConnectOptions,
    update: &RefUpdate,
) -> Result<(Listed, Option<Greeting>), ConnectError> {
    let session = connect::open(url, Service::ReceivePack, Protocol::V1, options)?;
    let actual = value_of(session.handshake.refs.as_deref().unwrap_or_default(), &update.name);
    let listed = Listed::of(actual, update.expected, update.new);
    let greeting = session.greeting();
    let _ = session.close();
    Ok((listed, greeting))
}

/// The value that a listing gives a ref. Hidden refs and `.have` lines are other names and don't count.
fn value_of(refs: &[Ref], name: &[u8]) -> Option<ObjectId> {
    refs.iter().find_map(|r| {
        let (ref_name, target, _) = r.unpack();
        (ref_name == name).then(|| target.map(ToOwned::to_owned)).flatten()
    })
}
