//! All paths: the three listings joined, and what follows from each path and from each folder.

use super::{
    change::{Action, Change, Resolution},
    conflict::{Conflict, Kind, Mode, Outcome, Policy, conflict_name},
    decide::{Verdict, decide, delivery, merged_form},
    fold,
    join::{Row, join},
    listing::{Item, Listing, Side, is_below, path_order},
};

/// Compares what was with what is, and says what to do. All three listings are in [`path_order()`].
pub fn reconcile(base: &[(String, Item)], listings: [&Listing; 2], policy: &Policy<'_>) -> Resolution {
    let rows = join(base, listings);
    let mut settling = Settling {
        listings,
        policy,
        out: Resolution::default(),
    };
    let mut rest = &rows[..];
    while let Some(row) = rest.first() {
        let below = rest[1..]
            .iter()
            .take_while(|other| is_below(other.path, row.path))
            .count();
        let (group, others) = rest.split_at(1 + below);
        rest = match settling.file_side(group) {
            Some(side) => {
                settling.clash(group, side);
                others
            }
            None => {
                settling.settle(row);
                &rest[1..]
            }
        };
    }
    let mut out = settling.out;
    fold::settle_names(&mut out, listings, policy.folds);
    out.changes.sort_by(|a, b| {
        let is_remove = |change: &Change| matches!(change.action, Action::Remove { .. });
        is_remove(a)
            .cmp(&is_remove(b))
            .then_with(|| path_order(a.path.raw(), b.path.raw()))
    });
    out.conflicts.sort();
    out
}

struct Settling<'a> {
    listings: [&'a Listing; 2],
    policy: &'a Policy<'a>,
    out: Resolution,
}

impl Settling<'_> {
    /// The side that has a file, or a link, where the other one has a folder. `group` is a path and all those below it.
    fn file_side(&self, group: &[Row<'_>]) -> Option<Side> {
        let row = &group[0];
        let side = match row.sides {
            [Some(_), None] => Side::Alpha,
            [None, Some(_)] => Side::Beta,
            _ => return None,
        };
        let folder = side.other();
        let has_children = group[1..].iter().any(|child| child.on(folder).is_some());
        // A file that became a folder which nothing is known of goes on the other side too, unless it is alpha's alone to say.
        let stays = row.on(side) != row.base || !self.may_write(side);
        let hides = || stays && self.listings[folder as usize].hides_below(row.path);
        (has_children || hides()).then_some(side)
    }

    /// A file, or a link, on `side` and a folder on the other one.
    fn clash(&mut self, group: &[Row<'_>], side: Side) {
        let folder = side.other();
        let (row, below) = (&group[0], &group[1..]);
        let Some(file) = row.on(side) else { return };
        let children: Vec<(String, Item)> = below
            .iter()
            .filter_map(|child| Some((child.path.to_owned(), child.on(folder)?)))
            .collect();
        let gone = below.iter().filter(|child| child.sides == [None, None]);
        self.out.agreed.extend(gone.map(|child| (child.path.to_owned(), None)));

        let became_folder = row.base == Some(file);
        let became_file = row.base.is_none()
            && below.iter().any(|child| child.base.is_some())
            && below
                .iter()
                .all(|child| child.on(folder).is_none() || child.on(folder) == child.base);
        let hides = self.listings[folder as usize].hides_below(row.path);
        let shown = match self.policy.mode {
            Mode::Mirror => Some(Side::Alpha),
            _ if became_folder => Some(folder),
            _ if became_file => Some(side),
            _ => None,
        };
        let outcome = match shown {
            Some(winner) if self.may_write(winner.other()) => Outcome::Take(winner),
            _ if children.is_empty() => Outcome::Take(side),
            _ => self.policy.outcome(Kind::FileAgainstFolder, row.path, Some(folder)),
        };
        let as_file = [(row.path.to_owned(), file)];
        match outcome {
            Outcome::Take(winner) if winner == side && hides => self.wait(row.path, Kind::Obstructed),
            Outcome::Take(winner) if winner == side && self.may_write(folder) => {
                self.replace(folder, row.path, children, as_file.into(), None);
            }
            Outcome::Take(winner) if winner == folder && self.may_write(side) => {
                self.replace(side, row.path, as_file.into(), children, None);
            }
            Outcome::Beside(winner) if winner == folder && self.may_write(side) => {
                let aside = conflict_name(row.path, file.id);
                self.replace(side, row.path, as_file.into(), children, Some(aside));
            }
            _ => self.wait(row.path, Kind::FileAgainstFolder),
        }
    }

    /// A path that is a folder on neither side.
    fn settle(&mut self, row: &Row<'_>) {
        let [alpha, beta] = row.sides;
        let verdict = match self.policy.mode {
            Mode::Bidirectional => decide(row.base, alpha, beta),
            Mode::Mirror if alpha == beta => Verdict::Same,
            Mode::Mirror => Verdict::Become(alpha),
            Mode::Selective => match delivery(row.base, alpha, beta) {
                Some(verdict) => verdict,
                None => return,
            },
        };
        match verdict {
            Verdict::Same => self.out.agreed.push((row.path.to_owned(), alpha)),
            Verdict::Become(item) => self.bring(row, item, None),
            Verdict::Conflict(kind) => self.conflict(row, kind),
        }
    }

    fn conflict(&mut self, row: &Row<'_>, kind: Kind) {
        let survivor = Side::BOTH.into_iter().find(|side| row.on(*side).is_some());
        let (winner, beside) = match self.policy.outcome(kind, row.path, survivor) {
            Outcome::Base if Side::BOTH.into_iter().all(|side| self.may_write(side)) => {
                return self.bring(row, row.base, None);
            }
            Outcome::Waits | Outcome::Base => return self.wait(row.path, kind),
            Outcome::Take(winner) => (winner, false),
            Outcome::Beside(winner) => (winner, true),
        };
        let loser = winner.other();
        if !self.may_write(loser) {
            // What was edited is beta's own from then on.
            return match row.on(loser) {
                None => self.out.agreed.push((row.path.to_owned(), None)),
                Some(_) => self.wait(row.path, kind),
            };
        }
        let item = match (row.on(winner), row.on(loser)) {
            (Some(won), Some(lost)) if self.may_write(winner) => Some(Item {
                form: merged_form(row.base, won, lost),
                ..won
            }),
            (won, _) => won,
        };
        let aside = row
            .on(loser)
            .filter(|_| beside)
            .map(|lost| (loser, conflict_name(row.path, lost.id)));
        self.bring(row, item, aside);
    }

    /// Both sides get `item`; what the side of `aside` has stays beside it.
    fn bring(&mut self, row: &Row<'_>, item: Option<Item>, aside: Option<(Side, String)>) {
        for side in Side::BOTH {
            let was = row.on(side);
            let action = match (was, item) {
                _ if was == item || !self.may_write(side) => continue,
                (was, Some(now)) => Action::Put { was, now },
                (Some(was), None) => Action::Remove { was },
                (None, None) => continue,
            };
            let aside = aside
                .as_ref()
                .filter(|(of, _)| *of == side)
                .map(|(_, name)| name.clone());
            self.push(side, row.path, action, aside);
        }
    }

    fn replace(
        &mut self,
        side: Side,
        path: &str,
        was: Vec<(String, Item)>,
        now: Vec<(String, Item)>,
        aside: Option<String>,
    ) {
        let action = match (&was[..], &now[..]) {
            ([(_, was)], []) => Action::Remove { was: *was },
            ([], [(_, now)]) => Action::Put { was: None, now: *now },
            _ => Action::Replace { was, now },
        };
        self.push(side, path, action, aside);
    }

    fn push(&mut self, side: Side, path: &str, action: Action, aside: Option<String>) {
        self.out.changes.push(Change {
            side,
            path: path.into(),
            action,
            aside: aside.map(Into::into),
        });
    }

    fn wait(&mut self, path: &str, kind: Kind) {
        self.out.conflicts.push(Conflict {
            path: path.into(),
            kind,
        });
    }

    fn may_write(&self, side: Side) -> bool {
        side == Side::Beta || self.policy.mode == Mode::Bidirectional
    }
}
