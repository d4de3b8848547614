//! Walking through commits.

use std::{
    cell::{Cell, RefCell},
    collections::{BinaryHeap, HashMap, HashSet},
};

use gix::objs::FindExt;

use crate::{
    central::{from_gix, to_gix},
    names::ObjectId,
};

pub(super) fn parents(odb: &impl gix::objs::Find, id: ObjectId) -> Option<Vec<ObjectId>> {
    let mut buffer = Vec::new();
    let commit = odb.find_commit_iter(&to_gix(id), &mut buffer).ok()?;
    Some(commit.parent_ids().map(|id| from_gix(&id)).collect())
}

/// The commits nearest to `head` that it goes back to, `limit` at most.
pub(super) fn nearest(odb: &impl gix::objs::Find, head: ObjectId, limit: usize) -> Vec<ObjectId> {
    let mut seen = HashSet::from([head]);
    let mut found = vec![head];
    let mut next = 0;
    while let Some(id) = found.get(next).copied().filter(|_| found.len() < limit) {
        next += 1;
        for parent in parents(odb, id).unwrap_or_default() {
            if seen.insert(parent) {
                found.push(parent);
            }
        }
    }
    found.truncate(limit);
    found
}

/// The commits that `head` goes back to, newest first by their own word, `limit` at most.
pub(super) fn newest(odb: &impl gix::objs::Find, head: ObjectId, limit: usize) -> impl Iterator<Item = ObjectId> {
    let commits = Commits::of(odb);
    let mut seen = HashSet::from([head]);
    let mut queue = BinaryHeap::new();
    queue.extend(commits.node(head).map(|node| (node.seconds, head)));
    std::iter::from_fn(move || {
        let (_, id) = queue.pop()?;
        for parent in commits.node(id)?.parents {
            if seen.insert(parent) {
                queue.extend(commits.node(parent).map(|node| (node.seconds, parent)));
            }
        }
        Some(id)
    })
    .take(limit)
}

/// A commit's time and parents.
#[derive(Clone)]
struct Node {
    seconds: i64,
    parents: Vec<ObjectId>,
}

/// Questions about ancestry, answered by looking no further back than they need.
pub(super) struct Commits<'a, F> {
    odb: &'a F,
    known: RefCell<HashMap<ObjectId, Option<Node>>>,
    /// Whether a commit was missing on the way: the answer "no" is not certain then.
    cut_short: Cell<bool>,
}

const ONE: u8 = 1;
const OTHER: u8 = 2;
const STALE: u8 = 4;

impl<'a, F: gix::objs::Find> Commits<'a, F> {
    pub fn of(odb: &'a F) -> Self {
        Commits {
            odb,
            known: RefCell::default(),
            cut_short: Cell::new(false),
        }
    }

    fn node(&self, id: ObjectId) -> Option<Node> {
        if let Some(node) = self.known.borrow().get(&id) {
            return node.clone();
        }
        let mut buffer = Vec::new();
        let node = self.odb.find_commit_iter(&to_gix(id), &mut buffer).ok().map(|commit| {
            let parents = commit.parent_ids().map(|id| from_gix(&id)).collect();
            let seconds = commit
                .committer()
                .ok()
                .and_then(|who| who.time().ok())
                .map_or(0, |time| time.seconds);
            Node { seconds, parents }
        });
        if node.is_none() {
            self.cut_short.set(true);
        }
        self.known.borrow_mut().insert(id, node.clone());
        node
    }

    /// Whether an answer may be "no" only because commits are missing.
    pub fn is_cut_short(&self) -> bool {
        self.cut_short.get()
    }

    /// The best common ancestor of `one` and of any of `others`, as git finds it: newest commits first, until nothing is left
    /// but what both have.
    pub fn merge_base(&self, one: ObjectId, others: &[ObjectId]) -> Option<ObjectId> {
        // Nothing is better than one of the two themselves.
        let is_best = |common: ObjectId| common == one || others == [common];
        let (found, flags) = self.paint(one, others, is_best);
        let best = found.last().copied().filter(|last| is_best(*last));
        // One that another one descends from is no best one.
        best.or_else(|| found.into_iter().find(|id| flags[id] & STALE == 0))
    }

    /// The commits that `one` goes back to and none of `others` does, itself included.
    pub fn only_of(&self, one: ObjectId, others: &[ObjectId]) -> HashSet<ObjectId> {
        let (_, flags) = self.paint(one, others, |_| false);
        flags
            .into_iter()
            .filter(|(_, flags)| *flags == ONE)
            .map(|(id, _)| id)
            .collect()
    }

    /// Goes back from all of them, newest commits first, until nothing is left but what both sides have, or a common ancestor
    /// is `enough`. Returns common ancestors, and what each commit on the way is an ancestor of.
    fn paint(
        &self,
        one: ObjectId,
        others: &[ObjectId],
        enough: impl Fn(ObjectId) -> bool,
    ) -> (Vec<ObjectId>, HashMap<ObjectId, u8>) {
        let mut flags: HashMap<ObjectId, u8> = HashMap::new();
        let mut queue = BinaryHeap::new();
        let push =
            |id: ObjectId, flag: u8, flags: &mut HashMap<ObjectId, u8>, queue: &mut BinaryHeap<(i64, ObjectId)>| {
                let has = flags.entry(id).or_default();
                if *has & flag != flag {
                    *has |= flag;
                    queue.extend(self.node(id).map(|node| (node.seconds, id)));
                }
            };
        push(one, ONE, &mut flags, &mut queue);
        for other in others {
            push(*other, OTHER, &mut flags, &mut queue);
        }
        let mut found = Vec::new();
        while let Some((_, id)) = queue.pop() {
            let mut flag = flags[&id];
            if flag & STALE == 0 && flag & (ONE | OTHER) == ONE | OTHER {
                if !found.contains(&id) {
                    found.push(id);
                }
                if enough(id) {
                    break;
                }
                flag |= STALE;
            }
            for parent in self.node(id).map(|node| node.parents).unwrap_or_default() {
                push(parent, flag, &mut flags, &mut queue);
            }
            if queue.iter().all(|(_, id)| flags[id] & STALE != 0) {
                break;
            }
        }
        (found, flags)
    }

    /// Whether `ancestor` is `commit` or an ancestor of it. `None`: it cannot be told, as commits are missing.
    pub fn descends(&self, commit: ObjectId, ancestor: ObjectId) -> Option<bool> {
        self.any_descends(&[commit], ancestor)
    }

    /// The same of any of `commits`.
    pub fn any_descends(&self, commits: &[ObjectId], ancestor: ObjectId) -> Option<bool> {
        if commits.is_empty() {
            return Some(false);
        }
        if commits.contains(&ancestor) || self.merge_base(ancestor, commits) == Some(ancestor) {
            return Some(true);
        }
        (!self.is_cut_short()).then_some(false)
    }

    /// The commits without parents that `commit` goes back to. `None`: some of its history is missing.
    pub fn roots(&self, commit: ObjectId) -> Option<Vec<ObjectId>> {
        let mut seen = HashSet::from([commit]);
        let mut open = vec![commit];
        let mut roots = Vec::new();
        while let Some(id) = open.pop() {
            let node = self.node(id)?;
            if node.parents.is_empty() {
                roots.push(id);
            }
            open.extend(node.parents.into_iter().filter(|parent| seen.insert(*parent)));
        }
        roots.sort();
        Some(roots)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Commits in memory, and how many of them were read.
    #[derive(Default)]
    struct Told {
        commits: HashMap<ObjectId, Vec<u8>>,
        read: Cell<usize>,
    }

    impl Told {
        /// A commit `seconds` after the beginning.
        fn commit(&mut self, seconds: u32, parents: &[ObjectId]) -> ObjectId {
            let tree = gix::ObjectId::empty_tree(gix::hash::Kind::Sha1);
            let parents: String = parents.iter().map(|id| format!("parent {id}\n")).collect();
            let who = format!("A <a@example.org> {seconds} +0000");
            let text = format!("tree {tree}\n{parents}author {who}\ncommitter {who}\n\nwork\n");
            let hash = gix::hash::Kind::Sha1;
            let id = gix::objs::compute_hash(hash, gix::objs::Kind::Commit, text.as_bytes()).expect("a hash");
            self.commits.insert(from_gix(&id), text.into_bytes());
            from_gix(&id)
        }

        /// Commits one after the other, the first one without a parent.
        fn line(&mut self, length: u32) -> Vec<ObjectId> {
            let mut line: Vec<ObjectId> = Vec::new();
            for n in 0..length {
                let parent: Vec<ObjectId> = line.last().copied().into_iter().collect();
                line.push(self.commit(n, &parent));
            }
            line
        }
    }

    impl gix::objs::Find for Told {
        fn try_find<'a>(
            &self,
            id: &gix::hash::oid,
            buffer: &'a mut Vec<u8>,
        ) -> gix::error::Result<Option<gix::objs::Data<'a>>> {
            self.read.set(self.read.get() + 1);
            let Some(text) = self.commits.get(&from_gix(id)) else {
                return Ok(None);
            };
            buffer.clone_from(text);
            Ok(Some(gix::objs::Data::new(
                buffer,
                gix::objs::Kind::Commit,
                gix::hash::Kind::Sha1,
            )))
        }
    }

    #[test]
    fn no_question_looks_further_back_than_it_must() {
        let mut odb = Told::default();
        let line = odb.line(1000);
        let (tip, before) = (line[999], line[998]);
        let aside = odb.commit(1000, &[before]);
        // Tags are everywhere.
        let tags: Vec<ObjectId> = line.iter().step_by(100).copied().chain([tip]).collect();
        let commits = || Commits::of(&odb);
        assert_eq!(commits().any_descends(&[], tip), Some(false));
        assert_eq!(commits().any_descends(&tags, before), Some(true));
        assert_eq!(commits().descends(before, tip), Some(false));
        assert_eq!(commits().merge_base(tip, &[before]), Some(before));
        assert_eq!(commits().merge_base(before, &[tip]), Some(before));
        assert_eq!(commits().merge_base(aside, &[tip]), Some(before));
        assert_eq!(commits().only_of(aside, &[tip]), HashSet::from([aside]));
        assert!(odb.read.get() < 60, "{} commits were read", odb.read.get());
        assert_eq!(commits().any_descends(&tags, aside), Some(false));
    }

    #[test]
    fn a_clock_that_ran_ahead_hides_no_ancestor() {
        let mut odb = Told::default();
        let root = odb.commit(1_000_000, &[]);
        let one = odb.commit(1, &[root]);
        let other = odb.commit(2, &[one]);
        let far = odb.commit(3, &[root]);
        let commits = Commits::of(&odb);
        assert_eq!(commits.merge_base(other, &[one]), Some(one));
        assert_eq!(commits.merge_base(one, &[other]), Some(one));
        assert_eq!(commits.merge_base(other, &[far]), Some(root));
        assert_eq!(commits.any_descends(&[far, other], one), Some(true));
        assert_eq!(commits.any_descends(&[far], one), Some(false));
    }
}
