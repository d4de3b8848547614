//! What goes to the branch of central: one commit, pushed where nobody else was faster.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{
    apply::{Content, Source, Unsent, is_mode_only, kept_of},
    branch::Branch,
    files::{Obstacle, make_folders, write},
    record::remove_all,
    tip::Tip,
};
use crate::{
    central::{
        CentralError,
        commit::{self, Trailers},
        publish::{self, PushPlan},
        tree::surgery::{self, Changes, Leaf},
    },
    fs::Dir,
    names::{ObjectId, Prefix},
    plan::conduit::{Change, Form, Item},
    stage::push,
    sync::steps,
};

/// What one commit is made with.
pub struct Publishing<'a> {
    pub branch: &'a Branch<'a>,
    /// The conduit's folder of state.
    pub memory: &'a Dir,
    pub generation: u64,
    pub source: &'a Source<'a>,
    /// Whoever alone writes a mirror.
    pub writer: Option<Prefix>,
}

impl From<Item> for Leaf {
    fn from(item: Item) -> Self {
        match item.form {
            Form::File => Leaf::File(item.id),
            Form::Executable => Leaf::Executable(item.id),
            Form::Link => Leaf::Link(item.id),
        }
    }
}

impl Publishing<'_> {
    /// Makes `changes` on top of `tip`, pushes them, and returns the commit. `None`: the branch has all of it.
    pub fn send(&self, tip: &mut Tip, changes: &[&Change]) -> Result<Option<ObjectId>, Unsent> {
        if let Err(obstacle) = self.keep(tip, changes) {
            if matches!(obstacle, Obstacle::Damaged) {
                self.branch.renewal.ask();
            }
            self.drop_kept(changes);
            return Err(Unsent::Obstacle(obstacle));
        }
        let sent = self.commit(tip, changes).and_then(|commit| match commit {
            Some(commit) => self.push(tip, commit).map(Some),
            None => Ok(None),
        });
        if sent.is_err() {
            self.drop_kept(changes);
        }
        sent
    }

    /// Keeps what is replaced or taken away, as files: central's history has it too, but may be out of reach.
    fn keep(&self, tip: &Tip, changes: &[&Change]) -> Result<(), Obstacle> {
        for change in changes
            .iter()
            .filter(|change| change.aside.is_none() && !is_mode_only(&change.action))
        {
            let (was, _) = change.paths();
            for (path, item) in was {
                let bytes = tip
                    .store
                    .blob(item.id, u64::MAX)
                    .ok()
                    .flatten()
                    .ok_or(Obstacle::Damaged)?;
                let to = format!("{}/{path}", kept_of(self.generation, change.side));
                make_folders(self.memory, &to)?;
                write(&bytes, self.memory, &to, item, 0o644)?;
            }
        }
        self.memory
            .create_dir(kept_of(self.generation, self.branch.side))?
            .sync_all()?;
        Ok(())
    }

    fn drop_kept(&self, changes: &[&Change]) {
        if let Some(change) = changes.first() {
            // What stays is a copy more.
            let _ = remove_all(self.memory, &kept_of(self.generation, change.side));
        }
    }

    /// Makes the commit. `None`: nothing would change.
    fn commit(&self, tip: &mut Tip, changes: &[&Change]) -> Result<Option<ObjectId>, Unsent> {
        let (leaves, wanted) = self.leaves(tip, changes);
        let unsent = |err: CentralError| self.branch.unsent_by(err);
        let root = tip.snapshot.root(&tip.store).map_err(unsent)?;
        let trees = surgery::edited(&tip.store, root, &leaves).map_err(|obstacle| match obstacle {
            surgery::Obstacle::Central(err) => unsent(err),
            surgery::Obstacle::NotAFile(path) | surgery::Obstacle::NotAFolder(path) => {
                Unsent::Obstacle(Obstacle::InTheWay(path))
            }
        })?;
        if root.id() == Some(trees.root.id) || (root.id().is_none() && leaves.values().all(Option::is_none)) {
            return Ok(None);
        }
        let ctx = &self.branch.ctx;
        let name = ctx.branch.as_deref().unwrap_or_default();
        let subject = match &ctx.owned {
            Some(prefix) => format!("{name}: {prefix}"),
            None => name.to_owned(),
        };
        let trailers = Trailers {
            writer: self.writer.clone(),
            ..Trailers::default()
        };
        let commit = commit::new(
            trees.root.id,
            tip.snapshot.head,
            &subject,
            &ctx.project.committer(),
            Timestamp::now(),
            &trailers,
            tip.store.format(),
        );
        let ids: Vec<ObjectId> = wanted.keys().copied().collect();
        publish::store_commit(&mut tip.store, &commit, &trees, &ids, |id| {
            let (change, path, item) = wanted[&id];
            self.read(change, path, item).map_err(Unmade::Obstacle)
        })
        .map_err(|unmade| match unmade {
            Unmade::Obstacle(obstacle) => Unsent::Obstacle(obstacle),
            Unmade::Central(err) => unsent(err),
        })?;
        Ok(Some(commit.id))
    }

    /// What the tree is to hold, and which contents come with it.
    #[allow(clippy::type_complexity, reason = "it is named by what it is used for, once")]
    fn leaves<'c>(
        &self,
        tip: &Tip,
        changes: &[&'c Change],
    ) -> (Changes, BTreeMap<ObjectId, (&'c Change, &'c str, Item)>) {
        let names = |path: &str| -> Vec<String> { path.split('/').map(str::to_owned).collect() };
        let leaf = |path: &str, item: Item| match item.into() {
            // Whoever does not take the permission does not take it away either.
            Leaf::File(id) if tip.listed.to_run.contains(path) => Leaf::Executable(id),
            leaf => leaf,
        };
        let (mut leaves, mut wanted) = (Changes::new(), BTreeMap::new());
        for change in changes {
            let (was, now) = change.paths();
            if let (Some(aside), Some((path, item))) = (&change.aside, was.first()) {
                leaves.insert(names(aside.raw()), Some(leaf(path, *item)));
            }
            for (path, _) in was {
                leaves.entry(names(path)).or_insert(None);
            }
            for (path, item) in now {
                leaves.insert(names(path), Some(leaf(path, item)));
                wanted.insert(item.id, (*change, path, item));
            }
        }
        (leaves, wanted)
    }

    fn read(&self, change: &Change, path: &str, item: Item) -> Result<Vec<u8>, Obstacle> {
        let bytes = match (self.source)(change, path, item)? {
            Content::Bytes(bytes) => bytes,
            Content::File(dir, from) if item.is_link() => match dir.read_link(&from) {
                Err(err) if err.is_gone() => return Err(Obstacle::Copied),
                read => read?,
            },
            Content::File(dir, from) => match dir.read_file(&from, self.branch.largest) {
                Err(err) if err.is_gone() => return Err(Obstacle::Copied),
                read => read?.0,
            },
        };
        match crate::central::blob_id(item.id.format(), &bytes) == item.id {
            true => Ok(bytes),
            false => Err(Obstacle::Copied),
        }
    }

    fn push(&self, tip: &Tip, commit: ObjectId) -> Result<ObjectId, Unsent> {
        let branch = self.branch;
        let plan = PushPlan {
            branch: branch.ctx.branch.clone().unwrap_or_default().into(),
            expected: tip.snapshot.head,
            commit,
        };
        let before = tip.snapshot.root(&tip.store).map_err(|err| branch.unsent_by(err))?;
        let mut met = branch.met_to_push.borrow_mut();
        match steps::settled(push::apply(&branch.ctx, &mut met, &tip.store, &plan, before)) {
            Ok(true) => Ok(commit),
            Ok(false) => Err(Unsent::Moved),
            Err(kind) => Err(branch.unsent(kind)),
        }
    }
}

/// Why no commit was made.
enum Unmade {
    Obstacle(Obstacle),
    Central(CentralError),
}

impl From<CentralError> for Unmade {
    fn from(err: CentralError) -> Self {
        Unmade::Central(err)
    }
}

/// Whose branch it is, where a sync would change it, and `owner` is not this workspace as the only writer of a mirror.
///
/// A branch that a mirror writes has that in its newest commit; nobody else writes there, since the mirror would undo it, and a
/// mirror does not write where others do.
pub fn other_writer(tip: &Tip, writer: Option<&Prefix>) -> Result<Option<String>, CentralError> {
    let Some(head) = tip.snapshot.head else { return Ok(None) };
    let told = crate::central::objects::trailers(&tip.store.odb(), head)?.writer;
    Ok(match (told, writer) {
        (told, writer) if told.as_ref() == writer => None,
        (Some(told), _) => Some(format!("the mirror of {told} writes it")),
        (None, _) => Some("others than a mirror write it".to_owned()),
    })
}
