//! What a listing of the refs says of a push whose answer left a question: pure decisions, one ref at a time.

use super::{
    connect::{ConnectError, Ending},
    outcome::{Listed, Outcome, Refusal, RefusalKind},
};

/// What is known of refs, with their places among the updates.
pub(super) type Steps = Vec<(usize, Step)>;

/// How far one ref has come after an attempt.
#[derive(Debug)]
pub(super) enum Step {
    Settled(Outcome),
    /// The server did nothing, and another attempt may help; if there is none, this is why.
    Again(Refusal),
}

impl Step {
    pub(super) fn is_moved(&self) -> bool {
        matches!(self, Step::Settled(Outcome::Moved { .. }))
    }
}

/// Why the answer does not settle what became of a ref.
#[derive(Debug)]
pub(super) enum Doubt {
    /// There was none.
    Lost,
    /// The server said no, perhaps because somebody else was faster.
    PerhapsMoved(Refusal),
    /// The server said yes, but not what it is. With what is to be said if the refs say no.
    Unproven(Refusal),
}

impl Doubt {
    pub(super) fn is_untouched(&self) -> bool {
        matches!(self, Doubt::PerhapsMoved(_))
    }
}

/// An answer that broke off, or says nothing of a ref.
pub(super) struct Lost {
    pub(super) cause: ConnectError,
    pub(super) ending: Ending,
}

/// What is known of a ref in doubt once it has been listed.
#[derive(Debug)]
pub(super) enum Known {
    Step(Step),
    /// The ref is as it was, and the server is known to do nothing more about it.
    Undone,
    /// The server may still be at work.
    NotYet,
}

/// The table of [`Outcome`], from its third row on.
pub(super) fn known(doubt: &Doubt, listed: Listed, lost: Option<&Lost>) -> Known {
    let refusal = match (listed, doubt) {
        (Listed::New, _) => return Known::Step(Step::Settled(Outcome::Applied)),
        (Listed::Other(actual), _) => return Known::Step(Step::Settled(Outcome::Moved { actual })),
        (Listed::Expected, Doubt::PerhapsMoved(refusal) | Doubt::Unproven(refusal)) => refusal,
        (Listed::Expected, Doubt::Lost) => {
            return match lost {
                Some(lost) if lost.ending == Ending::Died => {
                    Known::Step(Step::Settled(Outcome::Refused(gave_up(&lost.cause))))
                }
                Some(lost) if lost.ending == Ending::Over => Known::Undone,
                _ => Known::NotYet,
            };
        }
    };
    Known::Step(match refusal.kind {
        RefusalKind::Locked | RefusalKind::HeldBack => Step::Again(refusal.clone()),
        _ => Step::Settled(Outcome::Refused(refusal.clone())),
    })
}

/// What is said of a ref of which the listings showed nothing until time was over; `is_listed`: there was one at the end.
pub(super) fn given_up_on(lost: &Lost, is_listed: bool) -> Step {
    Step::Settled(match (is_listed, lost.ending) {
        (true, Ending::Finished) => Outcome::Refused(gave_up(&lost.cause)),
        _ => Outcome::Unknown {
            cause: lost.cause.clone(),
        },
    })
}

/// The refusal that lies in giving up, with the last words as its reason.
pub(super) fn gave_up(cause: &ConnectError) -> Refusal {
    let last = cause.server_text.lines().last();
    Refusal {
        kind: RefusalKind::GaveUp,
        reason: last.unwrap_or("git gave up there without a report").to_owned(),
        server_text: cause.server_text.clone(),
    }
}

/// Whether none of these refs was changed by us.
pub(super) fn is_untouched<'a>(mut steps: impl Iterator<Item = &'a Step>) -> bool {
    steps.all(|step| !matches!(step, Step::Settled(Outcome::Applied | Outcome::Unknown { .. })))
}

#[cfg(test)]
mod tests {
    use gix_hash::ObjectId;

    use super::super::connect::FailureKind;
    use super::*;

    fn refusal(kind: RefusalKind) -> Refusal {
        Refusal {
            kind,
            reason: "no".into(),
            server_text: String::new(),
        }
    }

    fn lost(ending: Ending) -> Lost {
        let cause = ConnectError {
            kind: FailureKind::Unreachable,
            message: "cannot reach it".into(),
            server_text: "first\nlast words".into(),
        };
        Lost { cause, ending }
    }

    fn doubts() -> [Doubt; 5] {
        use RefusalKind::{HeldBack, Locked, Other};
        [
            Doubt::Lost,
            Doubt::PerhapsMoved(refusal(Locked)),
            Doubt::PerhapsMoved(refusal(HeldBack)),
            Doubt::PerhapsMoved(refusal(Other)),
            Doubt::Unproven(refusal(Other)),
        ]
    }

    #[test]
    fn a_ref_that_changed_says_all() {
        let there = Some(ObjectId::Sha1([7; 20]));
        for doubt in doubts() {
            let lost = lost(Ending::Unclear);
            let applied = known(&doubt, Listed::New, Some(&lost));
            assert!(
                matches!(applied, Known::Step(Step::Settled(Outcome::Applied))),
                "{doubt:?}"
            );
            let moved = known(&doubt, Listed::Other(there), Some(&lost));
            assert!(
                matches!(moved, Known::Step(Step::Settled(Outcome::Moved { actual })) if actual == there),
                "{doubt:?}"
            );
        }
    }

    #[test]
    fn a_ref_as_it_was_is_refused_tried_again_or_waited_for() {
        let said = |doubt: &Doubt, ending| match known(doubt, Listed::Expected, Some(&lost(ending))) {
            Known::Step(Step::Settled(Outcome::Refused(refusal))) => format!("refused {:?}", refusal.kind),
            Known::Step(Step::Again(refusal)) => format!("again {:?}", refusal.kind),
            Known::Undone => "undone".into(),
            Known::NotYet => "not yet".into(),
            other => panic!("{other:?}"),
        };
        let [silent, locked, held, other, unproven] = doubts();
        assert_eq!(said(&silent, Ending::Died), "refused GaveUp");
        assert_eq!(said(&silent, Ending::Over), "undone");
        assert_eq!(said(&silent, Ending::Finished), "not yet");
        assert_eq!(said(&silent, Ending::Unclear), "not yet");
        for ending in [Ending::Died, Ending::Over, Ending::Finished, Ending::Unclear] {
            assert_eq!(said(&locked, ending), "again Locked");
            assert_eq!(said(&held, ending), "again HeldBack");
            assert_eq!(said(&other, ending), "refused Other");
            assert_eq!(said(&unproven, ending), "refused Other");
        }
    }

    #[test]
    fn what_is_not_known_in_the_end_is_unknown_unless_git_is_known_to_have_given_up() {
        for (ending, is_listed, expected) in [
            (Ending::Finished, true, "Refused"),
            (Ending::Finished, false, "Unknown"),
            (Ending::Unclear, true, "Unknown"),
            (Ending::Unclear, false, "Unknown"),
        ] {
            let Step::Settled(outcome) = given_up_on(&lost(ending), is_listed) else {
                panic!("settled")
            };
            assert!(format!("{outcome:?}").starts_with(expected), "{ending:?} {is_listed}");
        }
        assert_eq!(gave_up(&lost(Ending::Died).cause).reason, "last words");
    }

    #[test]
    fn a_step_and_a_doubt_tell_whether_the_ref_was_touched() {
        assert!(Step::Settled(Outcome::Moved { actual: None }).is_moved());
        assert!(!Step::Settled(Outcome::Applied).is_moved());
        assert!(!Step::Again(refusal(RefusalKind::Locked)).is_moved());
        let untouched = doubts().iter().filter(|doubt| doubt.is_untouched()).count();
        assert_eq!(untouched, 3, "those that the server refused");
        assert!(!Doubt::Lost.is_untouched());
    }

    #[test]
    fn an_error_may_stand_for_refs_that_were_refused_or_have_moved_only() {
        let step = |outcome| Step::Settled(outcome);
        let refused = || Outcome::Refused(refusal(RefusalKind::Hook));
        let untouched = [
            step(refused()),
            Step::Again(refusal(RefusalKind::Locked)),
            step(Outcome::Moved { actual: None }),
        ];
        assert!(is_untouched(untouched.iter()));
        assert!(!is_untouched([step(refused()), step(Outcome::Applied)].iter()));
        let cause = lost(Ending::Unclear).cause;
        assert!(!is_untouched([step(Outcome::Unknown { cause })].iter()));
    }
}
