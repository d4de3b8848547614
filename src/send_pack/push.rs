//! The push itself: connect, compare, send, read, settle.

use std::io;

use gix::protocol::{
    handshake::Ref,
    transport::{
        Protocol, Service,
        client::{MessageKind, WriteMode},
    },
};
use gix::{ObjectId, bstr::BString};

use super::{
    connect::{self, ConnectError, ConnectOptions, RemoteUrl, Session},
    outcome::{self, Listed, Outcome, Refusal, RefusalKind, Verdict},
    pack::{self, PackObject, WriteError},
    report::{self, Report},
    request,
};

/// One ref and what it shall become.
#[derive(Debug, Clone)]
pub struct RefUpdate {
    /// The full name, e.g. `refs/heads/main`.
    pub name: BString,
    /// The value the ref must have now. `None`: it must not exist.
    pub expected: Option<ObjectId>,
    /// The value it shall get. `None`: it shall be deleted.
    pub new: Option<ObjectId>,
    /// Options for the server's hooks (`git push -o`), sent if the server takes them.
    pub options: Vec<String>,
}

/// Why there is no outcome: nothing was asked of the server yet, so nothing can have changed there.
#[derive(Debug, thiserror::Error)]
pub enum PushError<E> {
    /// The server could not be reached, would not let us in, or does not speak the protocol.
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
        /// The hash of the new value.
        ours: gix::hash::Kind,
    },
}

/// A ref that is locked without having moved is tried this many times in all.
const LOCKED_ATTEMPTS: usize = 2;

/// Pushes one ref. `agent` is what the server may log us as, e.g. `git/2.50`. `objects` is called for each attempt and yields exactly the objects that the server lacks.
///
/// See the [module documentation](super) for the order of operations. An [`Outcome`] is only returned once
/// it is settled; an error means that the ref was not touched.
pub fn push<E, I>(
    url: &RemoteUrl,
    options: &ConnectOptions,
    agent: &str,
    update: &RefUpdate,
    mut objects: impl FnMut() -> Result<I, E>,
) -> Result<Outcome, PushError<E>>
where
    I: ExactSizeIterator<Item = Result<PackObject, E>>,
{
    let mut attempt = 1;
    loop {
        let session = connect::open(url, Service::ReceivePack, Protocol::V1, options)?;
        let (answer, refusal) = match attempt_once(session, agent, update, &mut objects)? {
            Attempt::Settled(outcome) => return Ok(outcome),
            Attempt::PerhapsMoved(refusal) => (None, Some(refusal)),
            Attempt::AnswerLost(cause) => (Some(cause), None),
        };
        let listed = match list(url, options, update) {
            Ok(listed) => listed,
            Err(err) => {
                return Ok(Outcome::Unknown {
                    cause: answer.unwrap_or(err),
                });
            }
        };
        return Ok(match (listed, answer, refusal) {
            (Listed::New, _, _) => Outcome::Applied,
            (Listed::Other(actual), _, _) => Outcome::Moved { actual },
            (Listed::Expected, Some(cause), _) => Outcome::Unknown { cause },
            (Listed::Expected, None, _) if attempt < LOCKED_ATTEMPTS => {
                attempt += 1;
                continue;
            }
            (Listed::Expected, None, Some(refusal)) => Outcome::Refused(Refusal {
                kind: RefusalKind::Locked,
                ..refusal
            }),
            (Listed::Expected, None, None) => unreachable!("either an answer was lost or a refusal was given"),
        });
    }
}

enum Attempt {
    Settled(Outcome),
    PerhapsMoved(Refusal),
    AnswerLost(ConnectError),
}

fn attempt_once<E, I>(
    mut session: Session,
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
    if let Some(new) = update.new
        && new.kind() != negotiated.object_hash
    {
        return Err(PushError::ObjectFormat {
            server: negotiated.object_hash.to_string(),
            ours: new.kind(),
        });
    }
    let actual = value_of(session.handshake.refs.as_deref().unwrap_or_default(), &update.name);
    // A ref that is not listed may be hidden from those who push rather than gone. The server knows, so it is asked.
    let perhaps_hidden = actual.is_none() && update.new.is_some();
    if actual != update.expected && !perhaps_hidden {
        hang_up(session);
        return Ok(Attempt::Settled(if actual == update.new {
            Outcome::Applied
        } else {
            Outcome::Moved { actual }
        }));
    }
    let source = match update.new {
        Some(_) => Some(objects().map_err(PushError::Source)?),
        None => None,
    };

    let mut report = Report::default();
    let talked = talk(&mut session, update, &negotiated, agent, source, &mut report);
    let verdict = outcome::verdict(&report, &update.name);
    let answer = match talked {
        Err(Talk::Source(err)) => return Err(PushError::Source(err)),
        Err(Talk::Io(err)) => Err(err),
        Ok(()) => Ok(()),
    };
    Ok(match (verdict, answer) {
        // A server that refuses may stop reading our pack: its reason counts more than the broken pipe.
        (Verdict::Refused(refusal), _) => Attempt::Settled(Outcome::Refused(refusal)),
        (Verdict::PerhapsMoved(refusal), _) => Attempt::PerhapsMoved(refusal),
        (Verdict::Applied, Ok(())) => {
            let _ = session.close();
            Attempt::Settled(Outcome::Applied)
        }
        (Verdict::Applied | Verdict::Unclear, Err(err)) => {
            let mut cause = session.explain(&err);
            if cause.server_text.is_empty() {
                cause.server_text = report.server_text;
            }
            Attempt::AnswerLost(cause)
        }
        (Verdict::Unclear, Ok(())) => {
            let err = io::Error::new(
                io::ErrorKind::InvalidData,
                "the server's report does not say what became of the push",
            );
            let mut cause = session.explain(&err);
            if cause.server_text.is_empty() {
                cause.server_text = report.server_text;
            }
            Attempt::AnswerLost(cause)
        }
    })
}

enum Talk<E> {
    Source(E),
    Io(io::Error),
}

fn talk<E>(
    session: &mut Session,
    update: &RefUpdate,
    negotiated: &request::Negotiated,
    agent: &str,
    objects: Option<impl ExactSizeIterator<Item = Result<PackObject, E>>>,
    report: &mut Report,
) -> Result<(), Talk<E>> {
    let io = |err: &dyn std::fmt::Display| Talk::Io(io::Error::other(err.to_string()));
    let request = session
        .transport
        .request(WriteMode::Binary, MessageKind::Flush, false)
        .map_err(|err| match err {
            gix::protocol::transport::client::Error::Io(err) => Talk::Io(err),
            other => io(&other),
        })?;
    let (writer, reader) = request.into_parts();
    let mut writer = io::BufWriter::with_capacity(32 << 10, writer);
    let sent = request::write_command(update, negotiated, agent, &mut writer)
        .map_err(Talk::Io)
        .and_then(|()| match objects {
            Some(objects) => {
                let count = objects.len() as u32;
                pack::write(objects, count, negotiated.object_hash, &mut writer)
                    .map(|_| ())
                    .map_err(|err| match err {
                        WriteError::Source(err) => Talk::Source(err),
                        other @ (WriteError::Write(_) | WriteError::Count { .. }) => Talk::Io(io::Error::new(
                            io::ErrorKind::BrokenPipe,
                            match other {
                                WriteError::Write(text) => text,
                                WriteError::Count { announced, seen } => {
                                    format!("{announced} objects announced, {seen} sent")
                                }
                                WriteError::Source(_) => unreachable!("matched above"),
                            },
                        )),
                    })
            }
            None => Ok(()),
        })
        .and_then(|()| io::Write::flush(&mut writer).map_err(Talk::Io));
    // A half-written request must not be completed by the buffer's drop.
    let (inner, _unsent) = writer.into_parts();
    drop(inner);
    if let Err(Talk::Source(err)) = sent {
        return Err(Talk::Source(err));
    }
    let read = report::read(reader, negotiated.sideband, report);
    sent?;
    read.map_err(Talk::Io)
}

/// Ends a conversation in which nothing is to be updated.
fn hang_up(mut session: Session) {
    if session.transport.connection_persists_across_multiple_requests()
        && let Ok(request) = session.transport.request(WriteMode::Binary, MessageKind::Flush, false)
    {
        let _ = request.into_read();
    }
    let _ = session.close();
}

fn list(url: &RemoteUrl, options: &ConnectOptions, update: &RefUpdate) -> Result<Listed, ConnectError> {
    let session = connect::open(url, Service::ReceivePack, Protocol::V1, options)?;
    let actual = value_of(session.handshake.refs.as_deref().unwrap_or_default(), &update.name);
    hang_up(session);
    Ok(Listed::of(actual, update.expected, update.new))
}

/// The value that a listing gives a ref. Hidden refs and `.have` lines are other names and don't count.
fn value_of(refs: &[Ref], name: &[u8]) -> Option<ObjectId> {
    refs.iter().find_map(|r| {
        let (ref_name, target, _) = r.unpack();
        (ref_name == name).then(|| target.map(ToOwned::to_owned)).flatten()
    })
}
