//! The push itself: connect, compare, send, read, settle, until every ref has its outcome.

use bstr::ByteSlice;
use gix_transport::{Protocol, Service};

use super::{
    attempt::{self, Attempt, Said},
    connect::{self, ConnectError, ConnectOptions, FailureKind, Giver, Greeting, RemoteUrl, Scheme, Session},
    doubt::{self, Doubt, Lost, Step, Steps},
    error::PushError,
    outcome::{Outcome, RefusalKind},
    pack::PackObject,
    request::{self, PushOptions, RefUpdate},
    settle::{self, Patience},
};

/// Pushes one ref. `objects` is called for each attempt and yields exactly the objects that the server lacks.
///
/// There is another attempt where the server demanded credentials only once it was sent something, and where it could
/// not lock the ref; never after a lost answer. An [`Outcome`] is only returned once it is settled; an error means that
/// the ref was not touched. See the [module documentation](super) for the order of operations.
pub fn push<E, I>(
    url: &RemoteUrl,
    connect: &ConnectOptions,
    options: &PushOptions,
    update: &RefUpdate,
    objects: impl FnMut() -> Result<I, E>,
) -> Result<Outcome, PushError<E>>
where
    I: ExactSizeIterator<Item = Result<PackObject, E>>,
{
    push_again(&mut None, url, connect, options, update, objects)
}

/// Like [`push()`], for those who push until it succeeds: `met` is as in [`push_all()`].
pub fn push_again<E, I>(
    met: &mut Option<Greeting>,
    url: &RemoteUrl,
    connect: &ConnectOptions,
    options: &PushOptions,
    update: &RefUpdate,
    mut objects: impl FnMut() -> Result<I, E>,
) -> Result<Outcome, PushError<E>>
where
    I: ExactSizeIterator<Item = Result<PackObject, E>>,
{
    let updates = std::slice::from_ref(update);
    let mut outcomes = push_all(met, url, connect, options, updates, |_| objects())?;
    Ok(outcomes.pop().expect("an outcome for each update"))
}

/// Pushes several refs in one conversation, with one pack for all. The outcomes are in the order of `updates`.
///
/// Each ref is compared, answered for, looked up and tried again by itself: some may be applied while others have moved or
/// are refused, unless [`PushOptions::atomic`] is set. `objects` is called for each attempt with the updates that are
/// sent, and yields what the server lacks for those. Nothing is sent for a ref that has moved already.
///
/// An error means that no ref was touched. Where an error comes up after some refs were applied, the others are
/// [`Refused`](Outcome::Refused) for the reason that the server had given before, or [`Unknown`](Outcome::Unknown).
///
/// After [`Outcome::Moved`] over http, `met` holds how the server greeted us, and the next push, which has to be to the same
/// place, does not greet it again: it sends at once what is built on the refs' new values, and whether those still are their
/// values is for the server to compare. Anywhere else, and in the beginning, `met` is `None`.
pub fn push_all<E, I>(
    met: &mut Option<Greeting>,
    url: &RemoteUrl,
    connect: &ConnectOptions,
    options: &PushOptions,
    updates: &[RefUpdate],
    objects: impl FnMut(&[&RefUpdate]) -> Result<I, E>,
) -> Result<Vec<Outcome>, PushError<E>>
where
    I: ExactSizeIterator<Item = Result<PackObject, E>>,
{
    check(options, updates)?;
    let mut push = Push {
        known: met.take(),
        met,
        url,
        connect,
        options,
        updates,
        objects,
        givers: Giver::all(url, connect),
        demanded: None,
    };
    let mut outcomes: Vec<Option<Outcome>> = updates.iter().map(|_| None).collect();
    let mut open: Vec<(usize, Option<super::Refusal>)> = (0..updates.len()).map(|at| (at, None)).collect();
    let mut patience: Option<Patience> = None;
    while !open.is_empty() {
        let sending: Vec<usize> = open.iter().map(|(at, _)| *at).collect();
        let steps = match push.round(&sending) {
            Ok(steps) => steps,
            Err(err) => {
                if !outcomes.iter().flatten().any(|o| matches!(o, Outcome::Applied)) {
                    return Err(err);
                }
                let refused = open.drain(..).filter_map(|(at, refusal)| Some((at, refusal?)));
                refused.for_each(|(at, refusal)| outcomes[at] = Some(Outcome::Refused(refusal)));
                break;
            }
        };
        open.clear();
        for (at, step) in steps {
            match step {
                Step::Settled(outcome) => outcomes[at] = Some(outcome),
                Step::Again(refusal) => open.push((at, Some(refusal))),
            }
        }
        let is_over = options.atomic && outcomes.iter().flatten().any(|o| !matches!(o, Outcome::Applied));
        let waits = |(_, refusal): &(usize, Option<super::Refusal>)| {
            refusal
                .as_ref()
                .is_some_and(|refusal| refusal.kind != RefusalKind::Unpack)
        };
        let is_held = !is_over && open.iter().any(waits);
        if is_over || is_held && !patience.get_or_insert_with(|| Patience::new(connect)).pause(connect) {
            for (at, refusal) in open.extract_if(.., |one| is_over || waits(one)) {
                outcomes[at] = refusal.map(Outcome::Refused);
            }
        }
    }
    Ok(outcomes.into_iter().flatten().collect())
}

/// Whether the server may be asked for this at all.
fn check<E>(options: &PushOptions, updates: &[RefUpdate]) -> Result<(), PushError<E>> {
    let mut names = std::collections::HashSet::new();
    for RefUpdate { name, .. } in updates {
        if !name.starts_with(b"refs/") || gix_validate::reference::name(name.as_bstr()).is_err() {
            return Err(PushError::RefName(name.clone()));
        }
        if !names.insert(name) {
            return Err(PushError::RefTwice(name.clone()));
        }
    }
    match options.hook_options.iter().find(|option| !request::is_option(option)) {
        Some(option) => Err(PushError::PushOption(option.clone())),
        None => Ok(()),
    }
}

/// What stays the same between the attempts of one push.
struct Push<'a, F, G> {
    /// For the first attempt.
    known: Option<Greeting>,
    /// For the next push.
    met: &'a mut Option<Greeting>,
    url: &'a RemoteUrl,
    connect: &'a ConnectOptions,
    options: &'a PushOptions,
    updates: &'a [RefUpdate],
    objects: F,
    givers: G,
    /// Who gives the credentials that the server demanded, and how it did.
    demanded: Option<(Giver, ConnectError)>,
}

impl<F, G: Iterator<Item = Giver>> Push<'_, F, G> {
    /// One attempt for the updates at these places, and what is known of each then.
    fn round<E, I>(&mut self, sending: &[usize]) -> Result<Steps, PushError<E>>
    where
        F: FnMut(&[&RefUpdate]) -> Result<I, E>,
        I: ExactSizeIterator<Item = Result<PackObject, E>>,
    {
        let (said, lost) = loop {
            let known = self.known.take();
            let is_listed = known.is_none();
            let mut session = self.open(known)?;
            let open: Vec<(usize, &RefUpdate)> = sending.iter().map(|at| (*at, &self.updates[*at])).collect();
            let attempt = attempt::once(&mut session, is_listed, self.options, &open, &mut self.objects)?;
            let greeting = session.greeting();
            let is_answered = matches!(&attempt, Attempt::Said(said, None) if said.iter().all(|(_, said)| {
                !matches!(said, Said::Doubt(Doubt::PerhapsMoved(_)))
            }));
            match is_answered {
                true => drop(session.close()),
                false => drop(session),
            }
            match attempt {
                Attempt::NotSent(cause) => self.demand(cause)?,
                // An answer of its own, to say no.
                Attempt::Said(said, Some(lost)) if attempt::is_unanswered(&said) && self.is_challenge(&lost.cause) => {
                    self.demand(lost.cause)?;
                }
                Attempt::Said(said, lost) => {
                    if said.iter().any(|(_, said)| said.is_moved()) {
                        *self.met = greeting;
                    }
                    break (said, lost);
                }
            }
        };
        Ok(self.settled(said, lost)?)
    }

    fn open(&self, known: Option<Greeting>) -> Result<Session, ConnectError> {
        let service = Service::ReceivePack;
        match (known, &self.demanded) {
            (Some(greeting), _) => connect::open_known(greeting, self.url, service, Protocol::V1, self.connect),
            (None, None) => connect::open(self.url, service, Protocol::V1, self.connect),
            (None, Some((giver, challenge))) => {
                let opened = connect::open_authenticated(self.url, service, Protocol::V1, self.connect, *giver);
                // The server's own words say more than that nobody knows a password.
                opened.map_err(|err| match err.kind {
                    FailureKind::Unauthenticated => challenge.clone(),
                    _ => err,
                })
            }
        }
    }

    /// Elsewhere whoever may send has been let in, whatever is said later.
    fn is_challenge(&self, cause: &ConnectError) -> bool {
        let is_http = matches!(self.url.scheme(), Scheme::Http | Scheme::Https);
        is_http && cause.kind == FailureKind::Unauthenticated
    }

    /// Another attempt with credentials, if they are what is missing and there are more.
    fn demand(&mut self, cause: ConnectError) -> Result<(), ConnectError> {
        let next = match self.is_challenge(&cause) {
            true => self.givers.next(),
            false => None,
        };
        match next {
            Some(giver) => self.demanded = Some((giver, cause)),
            None => return Err(cause),
        }
        Ok(())
    }

    /// What is known of each ref once those in doubt have been looked up.
    fn settled(&mut self, said: Vec<(usize, Said)>, lost: Option<Lost>) -> Result<Steps, ConnectError> {
        let (mut unsent, mut steps, mut doubts) = (Vec::new(), Vec::new(), Vec::new());
        for (at, said) in said {
            match said {
                Said::BeforeSending(step) => unsent.push((at, step)),
                Said::Step(step) => steps.push((at, step)),
                Said::Doubt(doubt) => doubts.push((at, doubt)),
            }
        }
        if !doubts.is_empty() {
            let is_untouched = doubt::is_untouched(steps.iter().map(|(_, step)| step));
            let (looked_up, greeting) =
                settle::look_up(self.url, self.connect, self.updates, doubts, lost, is_untouched)?;
            if looked_up.iter().any(|(_, step)| step.is_moved()) {
                *self.met = greeting;
            }
            steps.extend(looked_up);
        }
        // A pack for a ref that has moved may build on objects that are gone; what the others need may be fine.
        if steps.iter().any(|(_, step)| step.is_moved()) {
            for (_, step) in &mut steps {
                if let Step::Settled(Outcome::Refused(refusal)) = step
                    && refusal.kind == RefusalKind::Unpack
                {
                    *step = Step::Again(refusal.clone());
                }
            }
        }
        unsent.extend(steps);
        Ok(unsent)
    }
}
