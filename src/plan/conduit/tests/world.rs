//! Two folders that exist on paper only, and a sync of them whose every step is watched.
//!
//! A tree is written as `a=1 b=2* d/l@x d/u?`: a file `a` with content 1, a program `b`, a link to `x`, and something unknown.

use std::collections::{BTreeMap, BTreeSet};

use super::super::{listing::is_below, *};
use crate::names::ObjectId;

pub type Tree = BTreeMap<String, Item>;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct World {
    pub base: Tree,
    pub sides: [Tree; 2],
    pub unknown: [BTreeSet<String>; 2],
}

#[derive(Debug, Clone, Copy)]
pub struct How {
    pub mode: Mode,
    pub on_conflict: OnConflict,
    pub folds: [bool; 2],
    /// When alpha's and beta's files were changed.
    pub times: [i64; 2],
}

impl How {
    pub const fn new(mode: Mode, on_conflict: OnConflict) -> Self {
        How {
            mode,
            on_conflict,
            folds: [false; 2],
            times: [0, 10_000_000_000],
        }
    }
}

fn id(content: &str) -> ObjectId {
    let mut digest = [b'.'; 20];
    digest[..content.len()].copy_from_slice(content.as_bytes());
    ObjectId::from_bytes(&digest).unwrap()
}

fn content(id: ObjectId) -> String {
    String::from_utf8_lossy(id.as_bytes()).trim_end_matches('.').to_owned()
}

/// The files and links of a tree, and what is unknown in it.
pub fn tree(text: &str) -> (Tree, BTreeSet<String>) {
    let (mut items, mut unknown) = (Tree::new(), BTreeSet::new());
    for word in text.split_whitespace() {
        let (path, value, form) = match (word.split_once('='), word.split_once('@'), word.strip_suffix('?')) {
            (Some((path, value)), ..) => match value.strip_suffix('*') {
                Some(value) => (path, value, Form::Executable),
                None => (path, value, Form::File),
            },
            (_, Some((path, value)), _) => (path, value, Form::Link),
            (_, _, Some(path)) => {
                unknown.insert(path.to_owned());
                continue;
            }
            _ => panic!("{word}"),
        };
        items.insert(path.to_owned(), Item { id: id(value), form });
    }
    (items, unknown)
}

pub fn written(tree: &Tree) -> String {
    let words = tree.iter().map(|(path, item)| {
        let value = content(item.id);
        match item.form {
            Form::File => format!("{path}={value}"),
            Form::Executable => format!("{path}={value}*"),
            Form::Link => format!("{path}@{value}"),
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

fn sorted<T>(items: impl IntoIterator<Item = T>, path: impl Fn(&T) -> &str) -> Vec<T> {
    let mut items: Vec<T> = items.into_iter().collect();
    items.sort_by(|a, b| path_order(path(a), path(b)));
    items
}

impl World {
    pub fn new(base: &str, alpha: &str, beta: &str) -> Self {
        let [(alpha, in_alpha), (beta, in_beta)] = [alpha, beta].map(tree);
        World {
            base: tree(base).0,
            sides: [alpha, beta],
            unknown: [in_alpha, in_beta],
        }
    }

    pub fn resolve(&self, how: How) -> Resolution {
        let listings = [0, 1].map(|side| Listing {
            items: sorted(self.sides[side].clone(), |(path, _)| path),
            unknown: sorted(self.unknown[side].clone(), |path| path),
        });
        let policy = Policy {
            mode: how.mode,
            on_conflict: how.on_conflict,
            now_ns: i64::MAX,
            changed_ns: &|side, _| Some(how.times[side as usize]),
            keeps_name: Side::Alpha,
            decided: &|_| None,
            folds: how.folds,
        };
        reconcile(
            &sorted(self.base.clone(), |(path, _)| path),
            [&listings[0], &listings[1]],
            &policy,
        )
    }

    /// A whole sync, step by step. After each step every path must have what it had or what it will have, and at the end
    /// nothing that existed may be gone from everywhere. Returns what waits.
    pub fn sync(&mut self, how: How) -> Vec<Conflict> {
        let before = self.clone();
        let out = self.resolve(how);
        let mut goal = self.sides.clone();
        for change in &out.changes {
            apply(&mut goal[change.side as usize], change);
        }
        let mut kept: BTreeSet<ObjectId> = BTreeSet::new();
        for change in &out.changes {
            let side = change.side as usize;
            kept.extend(change.paths().0.iter().map(|(_, item)| item.id));
            check_step(&self.sides[side], &self.unknown[side], change, &out);
            apply(&mut self.sides[side], change);
            for (path, item) in &self.sides[side] {
                let allowed = [before.sides[side].get(path), goal[side].get(path)];
                assert!(
                    allowed.contains(&Some(item)),
                    "{path} is neither old nor new: {before:?} {out:?}"
                );
            }
        }
        let left: BTreeSet<ObjectId> = self
            .sides
            .iter()
            .flat_map(Tree::values)
            .map(|item| item.id)
            .chain(kept)
            .collect();
        for item in before.sides.iter().flat_map(Tree::values) {
            assert!(left.contains(&item.id), "lost {item:?}: {before:?} {out:?}");
        }
        self.note(&out);
        self.hide_conflict_files();
        out.conflicts
    }

    /// The first changes of a sync, and then a kill: the base knows of none of them.
    pub fn sync_partly(&mut self, how: How, changes: usize) {
        for change in self.resolve(how).changes.iter().take(changes) {
            apply(&mut self.sides[change.side as usize], change);
        }
        self.hide_conflict_files();
    }

    /// Moves the base to what both sides have from then on.
    fn note(&mut self, out: &Resolution) {
        for (path, item) in &out.agreed {
            match item {
                Some(item) => self.base.insert(path.clone(), *item),
                None => self.base.remove(path),
            };
        }
        for change in &out.changes {
            let (was, now) = change.paths();
            for (path, _) in was {
                self.base.remove(path);
            }
            self.base
                .extend(now.into_iter().map(|(path, item)| (path.to_owned(), item)));
        }
    }

    /// As a scan does.
    fn hide_conflict_files(&mut self) {
        for (side, unknown) in self.sides.iter_mut().zip(&mut self.unknown) {
            let hidden = side
                .keys()
                .filter(|path| is_conflict_name(path.rsplit('/').next().unwrap()));
            unknown.extend(hidden.cloned());
            side.retain(|path, _| !unknown.contains(path));
        }
    }

    /// What a sync does in the end, as `alpha | beta ! KIND path`, in short where both sides have the same.
    pub fn outcome(&mut self, how: How) -> String {
        let waits = self.sync(how);
        let waiting = waits
            .iter()
            .map(|conflict| format!("{} {}", kind(conflict.kind), conflict.path));
        let waiting = waiting.collect::<Vec<_>>().join(" ");
        let [alpha, beta] = [0, 1].map(|side| written(&self.sides[side]));
        self.check_second_sync(how, &waits);
        let trees = match alpha == beta {
            true => alpha,
            false => format!("{alpha} | {beta}"),
        };
        let whole = match waiting.is_empty() {
            true => trees,
            false => format!("{trees} ! {waiting}"),
        };
        whole.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// A second sync has nothing to do and names the same conflicts; where both sides may be written, they have the same but
    /// for what is named or unknown.
    pub fn check_second_sync(&self, how: How, waits: &[Conflict]) {
        let again = self.resolve(how);
        assert_eq!(
            (again.changes, again.conflicts),
            (Vec::new(), waits.to_vec()),
            "second sync of {self:?}"
        );
        if how.mode == Mode::Selective {
            return;
        }
        let unknown = self.unknown.iter().flatten();
        let named: Vec<&str> = waits
            .iter()
            .map(|conflict| conflict.path.raw())
            .chain(unknown.map(String::as_str))
            .collect();
        for path in self.sides.iter().flat_map(Tree::keys) {
            let same = self.sides[0].get(path) == self.sides[1].get(path);
            assert!(
                same || named.iter().any(|name| is_at_or_below(path, name)),
                "{path} differs: {self:?}"
            );
        }
    }
}

/// What a change says was there is there, and nothing stands in the way, nothing unknown least of all.
fn check_step(side: &Tree, unknown: &BTreeSet<String>, change: &Change, out: &Resolution) {
    let (was, now) = change.paths();
    for (path, item) in &was {
        assert_eq!(side.get(*path), Some(item), "{change:?} of {out:?}");
    }
    for (path, _) in &now {
        let goes = |other: &String| was.iter().any(|(path, _)| path == other);
        let hidden = unknown
            .iter()
            .find(|other| is_at_or_below(path, other) || is_at_or_below(other, path));
        assert_eq!(hidden, None, "{change:?} of {out:?}");
        let in_the_way = side.keys().find(|other| {
            let above_or_below = *other != path && (is_at_or_below(path, other) || is_at_or_below(other, path));
            above_or_below && !goes(other)
        });
        assert_eq!(in_the_way, None, "{change:?} of {out:?}");
    }
}

fn apply(side: &mut Tree, change: &Change) {
    let (was, now) = change.paths();
    if let (Some(aside), Some((_, item))) = (&change.aside, was.first()) {
        side.insert(aside.raw().to_owned(), *item);
    }
    for (path, _) in was {
        side.remove(path);
    }
    side.extend(now.into_iter().map(|(path, item)| (path.to_owned(), item)));
}

fn kind(kind: Kind) -> String {
    serde_json::to_value(kind).unwrap().as_str().unwrap().to_owned()
}

/// What becomes of these trees.
pub fn outcome(how: How, base: &str, alpha: &str, beta: &str) -> String {
    World::new(base, alpha, beta).outcome(how)
}

/// Several syncs one after the other, from a first one on: alpha, beta, what becomes of them. `.` is a side that was left alone.
pub fn story(name: &str, how: How, steps: &[(&str, &str, &str)]) -> World {
    let mut world = World::default();
    for (n, (alpha, beta, becomes)) in steps.iter().enumerate() {
        for (side, text) in [alpha, beta].into_iter().enumerate() {
            if *text != "." {
                (world.sides[side], world.unknown[side]) = tree(text);
            }
        }
        assert_eq!(world.outcome(how), *becomes, "{name}, sync {}", n + 1);
    }
    world
}

/// Whether `path` is `folder` or lies in it.
pub fn is_at_or_below(path: &str, folder: &str) -> bool {
    path == folder || is_below(path, folder)
}
