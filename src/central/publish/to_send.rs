//! What a push sends: the objects of a commit that its parent has not, each with what it builds on.

use std::collections::{BTreeMap, HashSet};

use gix::objs::{FindExt, Kind};

use crate::{
    central::{
        CentralError, from_gix,
        store::Store,
        to_gix,
        tree::{self, Root},
    },
    names::ObjectId,
    plan::listing::{EntryKind, TreeEntry},
    send_pack::PackObject,
};

/// An object of a push.
pub(super) enum ToSend<'o> {
    /// It is in the store.
    Stored(&'o NewObject),
    /// It is in memory.
    Made(&'o PackObject),
}

impl ToSend<'_> {
    pub fn load(&self, odb: &gix::odb::Handle) -> Result<PackObject, CentralError> {
        match self {
            ToSend::Stored(object) => object.load(odb),
            ToSend::Made(object) => Ok((*object).clone()),
        }
    }
}

/// An object that central has not.
pub(super) struct NewObject {
    id: ObjectId,
    kind: Kind,
    base: Option<ObjectId>,
}

impl NewObject {
    fn load(&self, odb: &gix::odb::Handle) -> Result<PackObject, CentralError> {
        let id = to_gix(self.id);
        let read = |id: &gix::ObjectId| {
            let mut data = Vec::new();
            let kind = odb.find(id, &mut data).map(|object| object.kind);
            kind.map(|kind| (kind, data)).map_err(|err| CentralError::Object {
                id: from_gix(id),
                reason: err.to_string().into(),
            })
        };
        let (_, data) = read(&id)?;
        // A base that is not here is no loss: the object goes whole.
        let delta_base = self.base.and_then(|base| {
            let base = to_gix(base);
            let (kind, data) = read(&base).ok()?;
            (kind == self.kind).then_some((base, data))
        });
        Ok(PackObject {
            id,
            kind: self.kind,
            data,
            delta_base,
        })
    }
}

/// What `commit` has and its parent has not, each with the version before as a base: itself, its root, and whatever differs on the
/// way down from there. `before`: the parent's root.
pub(super) fn new_objects(store: &Store, before: &Root, commit: ObjectId) -> Result<Vec<NewObject>, CentralError> {
    let root = Root::of(store, Some(commit))?;
    let mut new = New {
        store,
        sent: HashSet::new(),
        out: vec![NewObject {
            id: commit,
            kind: Kind::Commit,
            base: None,
        }],
    };
    if let Some(id) = root.id().filter(|id| before.id() != Some(*id)) {
        new.add(id, Kind::Tree, before.id());
        new.below(root.entries().collect(), before.entries().collect())?;
    }
    Ok(new.out)
}

struct New<'a> {
    store: &'a Store,
    sent: HashSet<ObjectId>,
    out: Vec<NewObject>,
}

impl New<'_> {
    /// Whether it was not there yet.
    fn add(&mut self, id: ObjectId, kind: Kind, base: Option<ObjectId>) -> bool {
        let is_new = self.sent.insert(id);
        if is_new {
            self.out.push(NewObject { id, kind, base });
        }
        is_new
    }

    /// What is in a folder's `entries` and was not in those `before`. A folder that got another name was there, with all that is
    /// in it; a submodule is carried, never made.
    fn below(&mut self, entries: Vec<TreeEntry>, before: Vec<TreeEntry>) -> Result<(), CentralError> {
        let had: HashSet<ObjectId> = before.iter().map(|entry| entry.id).collect();
        let before: BTreeMap<Vec<u8>, TreeEntry> =
            before.into_iter().map(|entry| (entry.name.clone(), entry)).collect();
        for entry in entries.into_iter().filter(|entry| !had.contains(&entry.id)) {
            let old = before.get(&entry.name).filter(|old| old.kind == entry.kind);
            let base = old.map(|old| old.id);
            match entry.kind {
                EntryKind::File | EntryKind::Symlink => drop(self.add(entry.id, Kind::Blob, base)),
                EntryKind::Tree if self.add(entry.id, Kind::Tree, base) => {
                    let old = base.map_or_else(|| Ok(Vec::new()), |base| tree::entries(self.store, base))?;
                    self.below(tree::entries(self.store, entry.id)?, old)?;
                }
                _ => {}
            }
        }
        Ok(())
    }
}
