//! The side of a conduit that is a workspace's documents: its folder in central, as of the last sync of documents.

use super::{
    ConduitError,
    branch::Branch,
    listed::{contents, list},
    rules::Rules,
    tip::Tip,
};
use crate::{
    central::tree,
    names::{ObjectId, Prefix},
    plan::conduit::Item,
    stage::fetch::{self, Snapshot},
    state::{cursor, files::StateDir},
    sync::{SyncErrorKind, Workspace},
    text::UntrustedName,
};

/// A workspace's folder.
pub struct Folder {
    prefix: Prefix,
    branch: UntrustedName,
    /// Central's commit that the last sync dealt with.
    head: Option<ObjectId>,
}

impl Folder {
    pub fn as_synced(workspace: &Workspace, prefix: Prefix) -> Result<Self, ConduitError> {
        let memory = match StateDir::open(workspace.metis().path())? {
            Some(state) => cursor::load(&state, &workspace.guard()?)?,
            None => cursor::Memory::None,
        };
        let (branch, head) = match memory {
            cursor::Memory::Known(cursor) => (cursor.branch, cursor.head),
            cursor::Memory::None | cursor::Memory::Foreign => ("".into(), None),
        };
        Ok(Folder { prefix, branch, head })
    }
}

impl Branch<'_> {
    /// The documents in `folder`. Where objects are missing here, they are fetched unless `is_offline`.
    pub(super) fn documents(
        &self,
        folder: &Folder,
        is_offline: bool,
        rules: &Rules,
        base: &[(String, Item)],
    ) -> Result<Tip, ConduitError> {
        let look = || {
            let head = folder.head.ok_or(SyncErrorKind::NeverSynced)?;
            let mut store = fetch::store(&self.ctx, head.format(), self.is_scratch)?;
            let snapshot = Snapshot::new(folder.branch.clone(), head.format(), Some(head));
            if !is_offline {
                fetch::ensure(&self.ctx, &mut store, &snapshot)?;
            }
            let root = snapshot.root(&store)?.id();
            let tree = root.and_then(|root| tree::id_at(&store.odb(), root, folder.prefix.as_str()));
            let tree = tree.ok_or_else(|| SyncErrorKind::NoSuchWorkspace(folder.prefix.clone()))?;
            Ok(Tip {
                listed: list(&store, Some(tree), rules, &self.bounds(), &contents(base))?,
                is_rewound: false,
                above: format!("{}/", folder.prefix),
                snapshot,
                store,
            })
        };
        look().map_err(|error| self.failure(error))
    }
}
