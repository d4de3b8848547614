//! One path: what it was, what each side made of it, what becomes of it.

use super::{
    conflict::Kind,
    listing::{Form, Item},
};
use crate::plan::three_way::{Changed, changed};

/// What becomes of one path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Both sides have the same, or both have nothing.
    Same,
    /// Both sides get this; `None`: the path goes.
    Become(Option<Item>),
    /// Both changed it, each in its own way.
    Conflict(Kind),
}

/// The three-way decision. It is symmetric in `alpha` and `beta`.
///
/// A side that has what the base has did nothing, so the other one counts. The permission to run a file merges by itself, apart from
/// the content, as two sides that change a yes or no from the same base agree; where there is no base it is not given.
pub fn decide(base: Option<Item>, alpha: Option<Item>, beta: Option<Item>) -> Verdict {
    match changed(&base, &alpha, &beta) {
        Changed::Alike => return Verdict::Same,
        Changed::First => return Verdict::Become(alpha),
        Changed::Second => return Verdict::Become(beta),
        Changed::Both => {}
    }
    let (Some(alpha), Some(beta)) = (alpha, beta) else {
        return Verdict::Conflict(Kind::EditedDeleted);
    };
    match base {
        None if alpha.id == beta.id && !alpha.is_link() && !beta.is_link() => Verdict::Become(Some(Item {
            form: Form::File,
            ..alpha
        })),
        None => Verdict::Conflict(Kind::BothCreated),
        Some(base) if [alpha, beta].iter().any(|item| item.is_link() != base.is_link()) => {
            Verdict::Conflict(Kind::FormChanged)
        }
        Some(base) => match merged_id(base, alpha, beta) {
            Some(id) => Verdict::Become(Some(Item {
                id,
                form: merged_form(Some(base), alpha, beta),
            })),
            None => Verdict::Conflict(Kind::BothEdited),
        },
    }
}

fn merged_id(base: Item, alpha: Item, beta: Item) -> Option<crate::names::ObjectId> {
    if alpha.id == base.id || alpha.id == beta.id {
        Some(beta.id)
    } else if beta.id == base.id {
        Some(alpha.id)
    } else {
        None
    }
}

/// The form that `winner` has after it won over `loser`: its own, but for the permission to run it.
pub(super) fn merged_form(base: Option<Item>, winner: Item, loser: Item) -> Form {
    match (base, winner.form, loser.form) {
        (_, Form::Link, _) | (_, _, Form::Link) => winner.form,
        (_, winner, loser) if winner == loser => winner,
        // They differ, so one of them is as it was and the other one was changed.
        (Some(base), ..) if base.form == Form::File => Form::Executable,
        _ => Form::File,
    }
}

/// The decision where beta gets what alpha has and keeps what is its own; `None`: it is beta's own.
pub(super) fn delivery(base: Option<Item>, alpha: Option<Item>, beta: Option<Item>) -> Option<Verdict> {
    let verdict = decide(base, alpha, beta);
    Some(match (verdict, alpha, beta) {
        (Verdict::Same, ..) => verdict,
        (Verdict::Become(item), ..) if item == alpha => verdict,
        // Deleted there: it is delivered again.
        (_, Some(_), None) => Verdict::Become(alpha),
        (Verdict::Become(_), None, _) => return None,
        (Verdict::Become(_), Some(a), Some(b)) if a.id == b.id && !a.is_link() && !b.is_link() => {
            // Only whether it may be run was changed there.
            if base.is_some_and(|base| base.form == a.form) {
                return None;
            }
            Verdict::Become(alpha)
        }
        (Verdict::Become(Some(item)), Some(a), Some(_)) if item.id == a.id => Verdict::Become(alpha),
        (Verdict::Become(_), Some(a), Some(b)) if a.is_link() != b.is_link() => Verdict::Conflict(Kind::FormChanged),
        (Verdict::Become(_), ..) => Verdict::Conflict(Kind::BothEdited),
        (Verdict::Conflict(_), ..) => verdict,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_permission_to_run_a_file_is_what_was_changed_of_it() {
        use Form::{Executable, File, Link};
        let item = |form| Item {
            id: "1a".repeat(20).parse().unwrap(),
            form,
        };
        for (base, winner, loser, merged) in [
            (Some(File), Executable, File, Executable),
            (Some(File), File, Executable, Executable),
            (Some(Executable), File, Executable, File),
            (Some(Executable), Executable, File, File),
            (Some(Link), Executable, File, File),
            (None, File, Executable, File),
            (Some(File), Link, Executable, Link),
            (Some(Link), Executable, Executable, Executable),
        ] {
            let found = merged_form(base.map(item), item(winner), item(loser));
            assert_eq!(found, merged, "{base:?} {winner:?} {loser:?}");
        }
    }
}
