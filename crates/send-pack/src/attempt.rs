//! One conversation: what the refs are is compared, the rest is sent, and the answer is taken apart by refs.

use std::io;

use gix_hash::ObjectId;
use gix_protocol::handshake::Ref;

use super::{
    connect::{ConnectError, Ending, FailureKind, Session},
    doubt::{Doubt, Lost, Step},
    error::PushError,
    outcome::{self, Outcome, Refusal, RefusalKind, Verdict},
    pack::PackObject,
    report::Report,
    request::{self, Negotiated, PushOptions, RefUpdate},
    talk::{Talk, talk},
};

/// What one conversation came to.
pub(super) enum Attempt {
    /// The server cannot have got all of it, and said nothing of any ref.
    NotSent(ConnectError),
    /// What is known of each ref, and why some of them may have got no answer.
    Said(Vec<(usize, Said)>, Option<Lost>),
}

/// What one conversation says of a ref.
pub(super) enum Said {
    /// Nothing was sent for it.
    BeforeSending(Step),
    Step(Step),
    Doubt(Doubt),
}

impl Said {
    pub(super) fn is_moved(&self) -> bool {
        matches!(self, Said::BeforeSending(step) | Said::Step(step) if step.is_moved())
    }
}

/// Whether the server said nothing of any ref that it was sent.
pub(super) fn is_unanswered(said: &[(usize, Said)]) -> bool {
    said.iter()
        .all(|(_, said)| matches!(said, Said::BeforeSending(_) | Said::Doubt(Doubt::Lost)))
}

/// A ref that is sent.
struct Sent<'a> {
    at: usize,
    update: &'a RefUpdate,
    /// It is not listed, which may mean that it is hidden from those who push rather than gone.
    perhaps_hidden: bool,
}

/// Compares, sends and reads once. `open` are the updates that have no outcome yet, with their places.
pub(super) fn once<E, I>(
    session: &mut Session,
    is_listed: bool,
    options: &PushOptions,
    open: &[(usize, &RefUpdate)],
    objects: &mut impl FnMut(&[&RefUpdate]) -> Result<I, E>,
) -> Result<Attempt, PushError<E>>
where
    I: ExactSizeIterator<Item = Result<PackObject, E>>,
{
    let negotiated = agreed(session, options, open)?;
    let (mut said, sent) = compared(session, is_listed, options, open);
    if sent.is_empty() {
        return Ok(Attempt::Said(said, None));
    }
    let updates: Vec<&RefUpdate> = sent.iter().map(|sent| sent.update).collect();
    let source = match updates.iter().any(|update| update.new.is_some()) {
        true => Some(objects(&updates).map_err(PushError::Source)?),
        false => None,
    };
    let mut report = Report::default();
    let (talked, is_sending) = match talk(session, &updates, &negotiated, options, source, &mut report) {
        Err(Talk::Source(err)) => return Err(PushError::Source(err)),
        Err(Talk::Send(err)) => (Err(err), true),
        Err(Talk::Receive(err)) => (Err(err), false),
        Ok(()) => (Ok(()), false),
    };
    let verdicts: Vec<Verdict> = sent
        .iter()
        .map(|sent| outcome::verdict(&report, &sent.update.name))
        .collect();
    let is_silent = verdicts.iter().all(|verdict| *verdict == Verdict::Unclear);
    if !is_silent {
        // Whatever the server says of a ref, it has let us in.
        session.credentials_work(true);
    }
    for (sent, verdict) in sent.iter().zip(verdicts) {
        let judged = judged(verdict, sent, is_listed, talked.is_ok(), &negotiated, &report);
        said.push((sent.at, judged));
    }
    if !said.iter().any(|(_, said)| matches!(said, Said::Doubt(Doubt::Lost))) {
        return Ok(Attempt::Said(said, None));
    }
    let is_cut = talked.is_err();
    let missing = "the server's report does not say what became of the push";
    let err = talked.err();
    let err = err.unwrap_or_else(|| io::Error::new(io::ErrorKind::InvalidData, missing));
    let cause = explained(session, &report, &err);
    let ending = match session.ending() {
        _ if !is_cut => Ending::Unclear,
        Ending::Unclear if report.fatal => Ending::Finished,
        ending => ending,
    };
    Ok(match is_sending && is_silent {
        true => Attempt::NotSent(cause),
        false => Attempt::Said(said, Some(Lost { cause, ending })),
    })
}

/// What the list of refs decides before anything is sent, and what has to be sent.
fn compared<'a>(
    session: &Session,
    is_listed: bool,
    options: &PushOptions,
    open: &[(usize, &'a RefUpdate)],
) -> (Vec<(usize, Said)>, Vec<Sent<'a>>) {
    let refs = session.handshake.refs.as_deref().unwrap_or_default();
    let (mut said, mut sent) = (Vec::new(), Vec::new());
    for (at, update) in open {
        let actual = value_of(refs, &update.name);
        // The server knows, so it is asked.
        let perhaps_hidden = actual.is_none() && update.new.is_some();
        if is_listed && actual == update.new {
            said.push((*at, Said::BeforeSending(Step::Settled(Outcome::Applied))));
        } else if is_listed && actual != update.expected && !perhaps_hidden {
            said.push((*at, Said::BeforeSending(Step::Settled(Outcome::Moved { actual }))));
        } else {
            sent.push(Sent {
                at: *at,
                update,
                perhaps_hidden,
            });
        }
    }
    if options.atomic && said.iter().any(|(_, said)| said.is_moved()) {
        let held = |sent: Sent<'_>| (sent.at, Said::BeforeSending(Step::Again(Refusal::held_back())));
        said.extend(sent.drain(..).map(held));
    }
    (said, sent)
}

/// What both sides can do, if that suffices for these updates.
fn agreed<E>(
    session: &Session,
    options: &PushOptions,
    open: &[(usize, &RefUpdate)],
) -> Result<Negotiated, PushError<E>> {
    let ids = |update: &RefUpdate| [update.new, update.expected].into_iter().flatten();
    let negotiated = request::negotiate(&session.handshake.capabilities).map_err(|server| PushError::ObjectFormat {
        server,
        ours: open
            .iter()
            .find_map(|(_, update)| ids(update).next())
            .map_or(gix_hash::Kind::Sha1, |id| id.kind()),
    })?;
    let deletes = open.iter().any(|(_, update)| update.new.is_none());
    let missing = [
        (!negotiated.report_status, "report-status"),
        (deletes && !negotiated.delete_refs, "delete-refs"),
        (
            !options.hook_options.is_empty() && !negotiated.push_options,
            "push-options",
        ),
        (options.atomic && !negotiated.atomic, "atomic"),
    ];
    if let Some((_, name)) = missing.into_iter().find(|(is_missing, _)| *is_missing) {
        return Err(PushError::Unsupported(name));
    }
    let other = |id: &ObjectId| id.kind() != negotiated.object_hash;
    match open.iter().flat_map(|(_, update)| ids(update)).find(other) {
        Some(id) => Err(PushError::ObjectFormat {
            server: negotiated.object_hash.to_string(),
            ours: id.kind(),
        }),
        None => Ok(negotiated),
    }
}

/// What the server's `verdict` on a ref means in the light of how it was asked.
fn judged(
    verdict: Verdict,
    sent: &Sent<'_>,
    is_listed: bool,
    is_whole: bool,
    negotiated: &Negotiated,
    report: &Report,
) -> Said {
    match verdict {
        // Perhaps for what became of the ref since it was listed.
        Verdict::Refused(refusal) if !is_listed => Said::Doubt(Doubt::PerhapsMoved(refusal)),
        // The ref was gone indeed, and what our objects build on with it.
        Verdict::Refused(refusal)
            if sent.perhaps_hidden && sent.update.expected.is_some() && refusal.kind == RefusalKind::Unpack =>
        {
            Said::Step(Step::Settled(Outcome::Moved { actual: None }))
        }
        // A server that refuses may stop reading our pack: its reason counts more than the broken pipe.
        Verdict::Refused(refusal) => Said::Step(Step::Settled(Outcome::Refused(refusal))),
        Verdict::PerhapsMoved(refusal) => Said::Doubt(Doubt::PerhapsMoved(refusal)),
        Verdict::Applied if is_whole && negotiated.agent => Said::Step(Step::Settled(Outcome::Applied)),
        Verdict::Applied if is_whole => Said::Doubt(Doubt::Unproven(Refusal {
            kind: RefusalKind::Other,
            reason: "the server reported success, but the ref has its old value".into(),
            server_text: report.server_text.clone(),
        })),
        Verdict::Applied | Verdict::Unclear => Said::Doubt(Doubt::Lost),
    }
}

fn explained(session: &mut Session, report: &Report, err: &io::Error) -> ConnectError {
    let mut cause = session.explain(err);
    if cause.kind == FailureKind::Unauthenticated {
        session.credentials_work(false);
    }
    if cause.server_text.is_empty() {
        cause.server_text.clone_from(&report.server_text);
    }
    cause
}

/// The value that a listing gives a ref. Hidden refs and `.have` lines are other names and don't count.
pub(super) fn value_of(refs: &[Ref], name: &[u8]) -> Option<ObjectId> {
    refs.iter().find_map(|r| {
        let (ref_name, target, _) = r.unpack();
        (ref_name == name).then(|| target.map(ToOwned::to_owned)).flatten()
    })
}
