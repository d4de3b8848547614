//! Own documents into a commit on top of central's head.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::SystemTime,
};

use crate::{
    central::{self, CentralError, commit, history, publish, store::Store, tree},
    names::{ObjectFormat, ObjectId, Prefix, ShortCode},
    plan::{
        dehydrate::{self, DehydratePlan, Sides},
        listing::{self, Documents},
    },
    state::cursor::Cursor,
    workspace::{self, DirError, Scan, StatCache},
};

use super::{Context, Warning, fetch::Snapshot};

/// The own documents as they are on disk now.
pub struct Own {
    /// What was found.
    pub scan: Scan,
    /// Top folders of `.metis/` that hold other workspaces.
    pub hydrated: BTreeSet<Prefix>,
}

impl Own {
    /// The versions on disk.
    pub fn documents(&self) -> Documents {
        self.scan
            .documents
            .iter()
            .map(|(code, document)| (code.clone(), document.blob))
            .collect()
    }

    /// Whether every document is as it was when this clone and central last agreed, at the same place.
    pub fn is_in_step(&self, cursor: &Cursor) -> bool {
        self.scan.documents.iter().all(|(code, document)| {
            cursor
                .base
                .get(code)
                .is_some_and(|base| base.blob == document.blob && base.path == document.path)
        }) && cursor
            .base
            .keys()
            .all(|code| self.scan.documents.contains_key(code) || self.scan.protects(code))
    }

    /// What could not be read.
    pub fn warnings(&self) -> Vec<Warning> {
        self.scan
            .damaged
            .iter()
            .map(|damaged| Warning::Damaged {
                path: listing::printable(damaged.path.as_bytes()),
                reason: damaged.reason.to_string(),
            })
            .collect()
    }
}

/// Reads the own documents, as far as the stat cache does not know them.
pub fn survey(
    ctx: &Context<'_>,
    cursor: &Cursor,
    stat_cache: &StatCache,
    format: ObjectFormat,
    now: SystemTime,
) -> Result<Own, DirError> {
    let hydrated = workspace::glance(ctx.metis.dir(), cursor.folders.keys())?
        .hydrated
        .into_iter()
        .filter(|prefix| ctx.owned.as_ref() != Some(prefix))
        .collect();
    let scan = workspace::scan(
        ctx.metis.dir(),
        &hydrated,
        &|bytes| central::blob_id(format, bytes),
        stat_cache,
        &cursor.last_paths(),
        now,
    )?;
    Ok(Own { scan, hydrated })
}

/// Decides what to push; also returns the documents that central holds for this workspace.
pub fn plan(
    ctx: &Context<'_>,
    store: &Store,
    cursor: &Cursor,
    snapshot: &Snapshot,
    own: &Own,
    force: bool,
) -> Result<(Documents, DehydratePlan), CentralError> {
    let central = match &ctx.owned {
        Some(prefix) => owned_documents(store, snapshot.head, prefix)?,
        None => Documents::new(),
    };
    let local = own.documents();
    let mut base = cursor.base_blobs();
    let unproven = |code: &ShortCode, blob: &ObjectId| {
        !base.contains_key(code) && central.get(code).is_some_and(|theirs| theirs != blob)
    };
    if local.iter().any(|(code, blob)| unproven(code, blob)) {
        let committed = ctx.project.committed(snapshot.format);
        let committed: BTreeMap<ShortCode, ObjectId> = own
            .scan
            .documents
            .iter()
            .filter_map(|(code, document)| Some((code.clone(), *committed.get(&document.path)?)))
            .collect();
        base = dehydrate::base_from_checkout(&base, &committed, &central);
    }
    let known = base.clone();
    let sides = |base| Sides {
        base,
        local: &local,
        central: &central,
        protected: &own.scan.protected,
    };
    // A workspace that central does not hold and that does not claim to have synced before makes its first push: nobody
    // can have removed anything.
    let has_been_there = !central.is_empty()
        || ctx
            .config
            .sync
            .as_ref()
            .is_some_and(|settings| settings.last_synced_commit.is_some());
    if let (Some(prefix), Some(head), true) = (&ctx.owned, snapshot.head, has_been_there)
        && dehydrate::wants_history(sides(&known))
    {
        let past = history::versions(
            &ctx.upstream,
            &ctx.connect,
            &snapshot.branch,
            store,
            head,
            cursor.compared,
            prefix,
        )?;
        base = dehydrate::base_from_history(&known, &local, &central, &past);
    }
    let plan = dehydrate::plan(sides(&base), force);
    Ok((central, plan))
}

fn owned_documents(store: &Store, head: Option<ObjectId>, prefix: &Prefix) -> Result<Documents, CentralError> {
    let root = head.map(|head| tree::of_commit(store, head)).transpose()?;
    Ok(match tree::owned(store, root, prefix)? {
        Some(folder) => listing::folder(prefix, tree::entries(store, folder)?).documents,
        None => Documents::new(),
    })
}

/// Whether central has the owned folder, be it without documents.
pub fn exists(store: &Store, snapshot: &Snapshot, prefix: &Prefix) -> Result<bool, CentralError> {
    let root = snapshot.head.map(|head| tree::of_commit(store, head)).transpose()?;
    Ok(tree::owned(store, root, prefix)?.is_some())
}

/// After central's history was rewritten: a version that was in central and is not any more is no longer a common one.
/// A document that differs from it now has to be decided by a person.
pub fn forget_lost_versions(
    store: &Store,
    cursor: &mut Cursor,
    head: Option<ObjectId>,
    owned: Option<&Prefix>,
) -> Result<(), CentralError> {
    if let Some(prefix) = owned {
        let central = owned_documents(store, head, prefix)?;
        cursor.base.retain(|code, base| central.get(code) == Some(&base.blob));
    }
    Ok(())
}

/// Why no commit was made.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// A document is not what it was when the plan was made. Plan again.
    #[error("{path} changed meanwhile")]
    Changed {
        /// Relative to `.metis/`.
        path: String,
    },
    /// A document could not be read.
    #[error(transparent)]
    Dir(#[from] DirError),
    /// The objects could not be made or stored.
    #[error(transparent)]
    Central(#[from] CentralError),
}

/// Stores the commit that the plan asks for and returns its id. `plan` must change something.
///
/// Every blob is read once more, and must still be the one that was planned.
pub fn apply(
    ctx: &Context<'_>,
    store: &mut Store,
    snapshot: &Snapshot,
    plan: &DehydratePlan,
    own: &Own,
    author: &(String, String),
    now: jiff::Timestamp,
) -> Result<ObjectId, ApplyError> {
    let Some(prefix) = &ctx.owned else {
        unreachable!("a workspace without a prefix has no plan to apply")
    };
    let root = snapshot.head.map(|head| tree::of_commit(store, head)).transpose()?;
    let trees = tree::with_owned(store, root, prefix, &plan.push, &plan.remove)?;
    let commit = commit::new(trees.root.id, snapshot.head, prefix, author, now, snapshot.format);
    let paths: BTreeMap<ObjectId, &str> = plan
        .push
        .iter()
        .filter_map(|(code, blob)| Some((*blob, own.scan.documents.get(code)?.path.as_str())))
        .collect();
    let blobs: Vec<ObjectId> = paths.keys().copied().collect();
    publish::store_commit(store, &commit, &trees, &blobs, |id| {
        let path = paths[&id];
        let changed = || ApplyError::Changed { path: path.to_owned() };
        let bytes = workspace::read_document(ctx.metis.dir(), path)
            .map_err(|err| if err.is_gone() { changed() } else { ApplyError::Dir(err) })?;
        if central::blob_id(snapshot.format, &bytes) != id {
            return Err(changed());
        }
        Ok(bytes)
    })?;
    Ok(commit.id)
}
