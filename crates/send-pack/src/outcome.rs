//! What a push came to for a ref, decided by a table.

use gix_hash::ObjectId;

use super::{connect::ConnectError, report::Report};

/// What became of one ref of a push. Exactly one of these holds, whatever the network did.
///
/// The table, with what the refs said when they were listed again:
///
/// | the server said | listed: new | listed: something else | listed: as expected |
/// |---|---|---|---|
/// | `unpack ok`, `ok` | | | |
/// | `ng` for a known reason | | | |
/// | `ng`, a lock or a lost race | `Applied` | `Moved` | again, then `Refused(Locked)` |
/// | `ng`, a reason not known | `Applied` | `Moved` | `Refused(Other)` |
/// | nothing, and git has given up there | `Applied` | `Moved` | `Refused(GaveUp)` |
/// | nothing, or contradictions | `Applied` | `Moved` | `Unknown` |
///
/// The first row is `Applied` and the second `Refused` without another look. The exception is a server that does not say
/// what it is (no `agent`): dulwich reports `ok` also when somebody else was faster, so the refs are listed then and the
/// row of a reason not known holds. That git has given up is told by its exit
/// code, by an http answer that is complete without a report, or by a band for fatal errors; see
/// [`Ending`](super::connect::Ending). Refs that cannot be listed are `Unknown` in the last two rows; after a refusal they
/// are an error, as nothing was changed; unless another ref of the same push was, which makes these `Unknown`.
#[derive(Debug, Clone)]
#[must_use = "only `Applied` means that the ref has its new value"]
pub enum Outcome {
    /// The ref has the new value.
    Applied,
    /// The ref has another value than expected: somebody else was faster. Nothing of ours was applied, or it was and
    /// somebody built on it.
    Moved {
        /// The ref's value now. `None`: there is no such ref.
        actual: Option<ObjectId>,
    },
    /// The server will not have it; trying again is pointless.
    Refused(Refusal),
    /// The answer was lost and the refs could not be listed afterwards, or show the old value still: the server may or
    /// may not apply the push yet. Whoever goes on must begin with the refs: a later push with the same expected value
    /// is safe either way, since the server takes only one of the two.
    Unknown {
        /// What went wrong.
        cause: ConnectError,
    },
}

/// A refusal in the server's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What kind it is, as far as the table knows.
    pub kind: RefusalKind,
    /// The reason behind `ng` or `unpack`, fit for a terminal.
    pub reason: String,
    /// What the server's programs and hooks printed, fit for a terminal.
    pub server_text: String,
}

/// Kinds of refusals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RefusalKind {
    /// A pre-receive, update or proc-receive hook said no; hosts implement branch protection this way.
    Hook,
    /// The server's configuration forbids it: a checked-out branch, a hidden ref, denied creation, deletion or rewind.
    Denied,
    /// The pack was not accepted: too large, corrupt, no room.
    Unpack,
    /// The ref was locked although it had not moved, for as long as [`settle`](super::connect::Deadlines::settle) says.
    Locked,
    /// git at the other end gave up before it reported (a `reference-transaction` hook that says no has that effect, as
    /// has a full disk), and the ref is as it was.
    GaveUp,
    /// Another ref of the same [atomic](super::PushOptions::atomic) push could not be changed.
    HeldBack,
    /// None of these.
    Other,
}

impl Refusal {
    /// Of a ref that is not sent because another one of the same push has moved.
    pub(super) fn held_back() -> Refusal {
        Refusal {
            kind: RefusalKind::HeldBack,
            reason: "another ref of the same atomic push was not changed".to_owned(),
            server_text: String::new(),
        }
    }
}

/// What the report alone says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Taken.
    Applied,
    /// Refused for a reason that another attempt will meet again.
    Refused(Refusal),
    /// Refused, perhaps because the ref moved under the server's hands: list the refs to know. Of kind
    /// [`Locked`](RefusalKind::Locked) if another attempt may help where the ref did not move.
    PerhapsMoved(Refusal),
    /// The report does not speak of our ref or contradicts itself: list the refs to know.
    Unclear,
}

/// The reasons behind `ng` that name something other than a lost race, as git, JGit and the big hosts word them.
/// Every reason not listed here is looked into by listing the refs.
const FINAL: &[(&str, RefusalKind)] = &[
    ("pre-receive hook declined", RefusalKind::Hook),
    ("hook declined", RefusalKind::Hook),
    ("protected branch hook declined", RefusalKind::Hook),
    ("proc-receive failed to report status", RefusalKind::Hook),
    ("push declined due to repository rule violations", RefusalKind::Hook),
    ("branch is currently checked out", RefusalKind::Denied),
    ("deny updating a hidden ref", RefusalKind::Denied),
    ("deny deleting a hidden ref", RefusalKind::Denied),
    ("deletion prohibited", RefusalKind::Denied),
    ("deletion of the current branch prohibited", RefusalKind::Denied),
    ("funny refname", RefusalKind::Denied),
    ("prohibited by Gerrit", RefusalKind::Denied),
    ("shallow update not allowed", RefusalKind::Denied),
    ("unpacker error", RefusalKind::Unpack),
    ("missing necessary objects", RefusalKind::Unpack),
    ("bad pack", RefusalKind::Unpack),
];

/// How the reasons behind `ng` begin that tell of a lock or a lost race, in the words of git, JGit, Gitaly and dulwich.
const LOCKS: &[&str] = &[
    "failed to update ref",
    "atomic transaction failed",
    "cannot lock ref",
    "failed to lock",
    "lock error",
    "unable to lock",
    "reference already exists",
    "incorrect old value",
    "failed to write",
    "fetch first",
    "stale info",
];

/// What git says of the refs of an atomic push that are not at fault.
const HELD_BACK: &str = "atomic push failure";

/// Decides what `report` says of the ref `name`.
pub fn verdict(report: &Report, name: &[u8]) -> Verdict {
    let refusal = |kind, reason: &str| Refusal {
        kind,
        reason: reason.to_owned(),
        server_text: report.server_text.clone(),
    };
    let mut ours = report.refs.iter().filter(|(n, _)| n == name);
    match (&report.unpack, ours.next(), ours.next()) {
        (Some(Err(reason)), Some((_, Err(_))), None) | (Some(Err(reason)), None, None) => {
            Verdict::Refused(refusal(RefusalKind::Unpack, reason))
        }
        (Some(Ok(())), Some((_, Ok(()))), None) => Verdict::Applied,
        (Some(Ok(())), Some((_, Err(reason))), None) => match FINAL.iter().find(|(known, _)| reason == known) {
            Some((_, kind)) => Verdict::Refused(refusal(*kind, reason)),
            None if reason == HELD_BACK => Verdict::PerhapsMoved(refusal(RefusalKind::HeldBack, reason)),
            None if LOCKS.iter().any(|lock| reason.starts_with(lock)) => {
                Verdict::PerhapsMoved(refusal(RefusalKind::Locked, reason))
            }
            None => Verdict::PerhapsMoved(refusal(RefusalKind::Other, reason)),
        },
        _ => Verdict::Unclear,
    }
}

/// What the refs say after a push whose answer was missing or doubtful.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listed {
    /// The ref has the value we pushed.
    New,
    /// The ref has the value we expected before the push.
    Expected,
    /// Something else.
    Other(Option<ObjectId>),
}

impl Listed {
    /// Compares a freshly listed value.
    pub fn of(actual: Option<ObjectId>, expected: Option<ObjectId>, new: Option<ObjectId>) -> Self {
        if actual == new {
            Listed::New
        } else if actual == expected {
            Listed::Expected
        } else {
            Listed::Other(actual)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAIN: &[u8] = b"refs/heads/main";

    fn report(unpack: Option<Result<(), &str>>, refs: &[(&[u8], Result<(), &str>)]) -> Report {
        Report {
            unpack: unpack.map(|r| r.map_err(str::to_owned)),
            refs: refs
                .iter()
                .map(|(n, r)| (n.to_vec(), r.map_err(str::to_owned)))
                .collect(),
            ..Default::default()
        }
    }

    #[test]
    fn applied_needs_both_the_pack_and_the_ref() {
        assert_eq!(
            verdict(&report(Some(Ok(())), &[(MAIN, Ok(()))]), MAIN),
            Verdict::Applied
        );
        for lie in [
            report(None, &[(MAIN, Ok(()))]),
            report(Some(Err("disk full")), &[(MAIN, Ok(()))]),
            report(Some(Ok(())), &[(b"refs/heads/other", Ok(()))]),
            report(Some(Ok(())), &[]),
            report(Some(Ok(())), &[(MAIN, Ok(())), (MAIN, Err("no"))]),
            Report::default(),
        ] {
            assert_eq!(verdict(&lie, MAIN), Verdict::Unclear, "{lie:?}");
        }
    }

    #[test]
    fn each_ref_has_a_verdict_of_its_own() {
        let said = report(
            Some(Ok(())),
            &[
                (MAIN, Ok(())),
                (b"refs/a", Err("hook declined")),
                (b"refs/b", Err("fetch first")),
            ],
        );
        assert_eq!(verdict(&said, MAIN), Verdict::Applied);
        assert!(matches!(verdict(&said, b"refs/a"), Verdict::Refused(r) if r.kind == RefusalKind::Hook));
        assert!(matches!(verdict(&said, b"refs/b"), Verdict::PerhapsMoved(r) if r.kind == RefusalKind::Locked));
        assert_eq!(verdict(&said, b"refs/c"), Verdict::Unclear);
    }

    #[test]
    fn a_known_reason_is_final_and_an_unknown_one_is_looked_into() {
        for (reason, kind) in FINAL {
            let verdict = verdict(&report(Some(Ok(())), &[(MAIN, Err(reason))]), MAIN);
            assert!(matches!(verdict, Verdict::Refused(r) if r.kind == *kind), "{reason}");
        }
        for (reason, kind) in [
            ("failed to update ref", RefusalKind::Locked),
            ("cannot lock ref 'x': is at", RefusalKind::Locked),
            ("failed to lock", RefusalKind::Locked),
            ("atomic transaction failed", RefusalKind::Locked),
            ("atomic push failure", RefusalKind::HeldBack),
            ("non-fast-forward", RefusalKind::Other),
            ("", RefusalKind::Other),
        ] {
            let verdict = verdict(&report(Some(Ok(())), &[(MAIN, Err(reason))]), MAIN);
            assert!(
                matches!(verdict, Verdict::PerhapsMoved(r) if r.kind == kind),
                "{reason}"
            );
        }
    }

    #[test]
    fn a_pack_that_was_not_taken_is_a_refusal() {
        for refs in [&[(MAIN, Err("unpacker error"))][..], &[]] {
            let verdict = verdict(&report(Some(Err("unpack-objects abnormal exit")), refs), MAIN);
            assert!(matches!(verdict, Verdict::Refused(r) if r.kind == RefusalKind::Unpack));
        }
    }

    #[test]
    fn listing_tells_new_from_expected_from_moved() {
        let id = |n: u8| Some(ObjectId::Sha1([n; 20]));
        assert_eq!(Listed::of(id(2), id(1), id(2)), Listed::New);
        assert_eq!(Listed::of(id(1), id(1), id(2)), Listed::Expected);
        assert_eq!(Listed::of(id(3), id(1), id(2)), Listed::Other(id(3)));
        assert_eq!(Listed::of(None, id(1), id(2)), Listed::Other(None));
        assert_eq!(Listed::of(None, None, id(2)), Listed::Expected);
    }
}
