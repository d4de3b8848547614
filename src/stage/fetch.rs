//! Central's branch, and its objects at hand.

use std::cell::OnceCell;

use crate::{
    central::{
        CentralError, device_log,
        fetch::{self, Wanted},
        history,
        remote::{Met, Remote},
        store::{self, Store},
        tree::{self, Root},
    },
    names::{ObjectFormat, ObjectId},
    plan::guard::Lineage,
    text::UntrustedName,
};

use super::Context;

/// What a listing of central's branch asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FetchPlan {
    /// Central is where this clone saw it last.
    Nothing,
    /// Central has no commit, and never had one as far as this clone knows.
    Empty,
    /// The branch is gone.
    Gone,
    /// There is a commit that this clone has not dealt with.
    Receive(ObjectId),
}

/// Decides by the branch's commit now and the one that was dealt with last.
pub fn plan(listed: Option<ObjectId>, seen: Option<ObjectId>) -> FetchPlan {
    match (listed, seen) {
        (None, None) => FetchPlan::Empty,
        (None, Some(_)) => FetchPlan::Gone,
        (Some(head), Some(seen)) if head == seen => FetchPlan::Nothing,
        (Some(head), _) => FetchPlan::Receive(head),
    }
}

/// Central as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Snapshot {
    /// Its branch.
    pub branch: UntrustedName,
    /// The hash of its objects.
    pub format: ObjectFormat,
    /// The branch's commit. `None`: central is empty.
    pub head: Option<ObjectId>,
    /// How that commit relates to the one seen last.
    pub lineage: Lineage,
    /// Objects received.
    pub received: u32,
    root: OnceCell<Root>,
}

impl Snapshot {
    /// Central at `head`, where this clone saw it last.
    pub fn new(branch: UntrustedName, format: ObjectFormat, head: Option<ObjectId>) -> Self {
        Snapshot {
            branch,
            format,
            head,
            lineage: Lineage::Same,
            received: 0,
            root: OnceCell::new(),
        }
    }

    /// What lies at central's top. Read once, when it is asked for: a no-op never does.
    pub fn root(&self, store: &Store) -> Result<&Root, CentralError> {
        if let Some(root) = self.root.get() {
            return Ok(root);
        }
        let root = Root::of(store, self.head)?;
        Ok(self.root.get_or_init(|| root))
    }
}

/// Lists central's branch. The connection stays open for [`apply()`].
pub fn list(ctx: &Context<'_>) -> Result<Remote, CentralError> {
    Remote::list(&ctx.upstream, &ctx.connect, ctx.branch.as_deref())
}

/// The same where central may have been `met` before.
pub fn list_again(ctx: &Context<'_>, met: Option<Met>) -> Result<Remote, CentralError> {
    match met {
        Some(met) => Remote::list_again(&ctx.upstream, &ctx.connect, met),
        None => list(ctx),
    }
}

/// The same with the logs of records, where central may have been `met` before, and with something else done while its server
/// starts; nothing starts where it was met.
pub fn list_with_logs(ctx: &Context<'_>, met: Option<Met>, meanwhile: impl FnOnce()) -> Result<Remote, CentralError> {
    if let Some(met) = met {
        return Remote::list_again(&ctx.upstream, &ctx.connect, met);
    }
    let called = Remote::call(&ctx.upstream, &ctx.connect)?;
    meanwhile();
    let logs = device_log::prefixes();
    Remote::listen(called, &ctx.upstream, &ctx.connect, ctx.branch.as_deref(), logs)
}

/// Opens the object store that belongs to what was listed. `scratch`: one that is gone afterwards, for dry runs.
pub fn store(ctx: &Context<'_>, format: ObjectFormat, scratch: bool) -> Result<Store, CentralError> {
    let keys = [ctx.upstream_id.as_str(), ctx.upstream_name.as_str()];
    if scratch {
        Store::scratch(&ctx.cache_dir, keys, format)
    } else {
        store::rename(&ctx.cache_dir, keys, format);
        Store::open(&ctx.cache_dir, &ctx.upstream_id, format)
    }
}

/// Brings the objects of a listed commit into `store` and finds out whether it descends from `seen`. `told` hears of the bytes
/// that came so far. `beside`: commits of other refs, which come in the same exchange.
pub fn apply(
    ctx: &Context<'_>,
    remote: &mut Remote,
    store: &mut Store,
    seen: Option<ObjectId>,
    beside: &[Wanted],
    told: &mut dyn FnMut(u64),
) -> Result<Snapshot, CentralError> {
    let mut snapshot = Snapshot::new(remote.branch.clone(), remote.format, remote.head);
    let plan = plan(remote.head, seen);
    let documents = match plan {
        FetchPlan::Receive(tip) => Some(Wanted { tip, seen }),
        _ => None,
    };
    let wanted: Vec<Wanted> = documents.iter().chain(beside).copied().collect();
    if !wanted.is_empty() {
        told(0);
        snapshot.received = fetch::fetch_all(remote, &ctx.connect, store, &wanted, told)?;
    }
    match plan {
        FetchPlan::Nothing | FetchPlan::Empty => {}
        FetchPlan::Gone => snapshot.lineage = Lineage::Rewound,
        FetchPlan::Receive(head) => {
            if let Some(seen) = seen {
                snapshot.lineage = history::lineage(remote, &ctx.connect, store, head, seen)?;
            }
            tree::of_commit(store, head)?;
        }
    }
    Ok(snapshot)
}

/// Makes sure that the snapshot's objects are at hand, as after the cache directory was emptied between two stages of a pipe.
pub fn ensure(ctx: &Context<'_>, store: &mut Store, snapshot: &Snapshot) -> Result<(), CentralError> {
    match snapshot.head {
        Some(head) if snapshot.root.get().is_none() => ensure_commit(ctx, store, head),
        _ => Ok(()),
    }
}

/// The same for a commit of central.
pub fn ensure_commit(ctx: &Context<'_>, store: &mut Store, head: ObjectId) -> Result<(), CentralError> {
    if store.contains(head) && tree::of_commit(store, head).is_ok() {
        return Ok(());
    }
    let mut remote = list(ctx)?;
    fetch::fetch(&mut remote, &ctx.connect, store, head, None, &mut |_| {})?;
    remote.close();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listing_is_compared_with_what_was_seen() {
        let id = |n| ObjectId::from_bytes(&[n; 20]);
        assert_eq!(plan(None, None), FetchPlan::Empty);
        assert_eq!(plan(None, id(1)), FetchPlan::Gone);
        assert_eq!(plan(id(1), id(1)), FetchPlan::Nothing);
        assert_eq!(plan(id(1), None), FetchPlan::Receive(id(1).unwrap()));
        assert_eq!(plan(id(2), id(1)), FetchPlan::Receive(id(2).unwrap()));
    }
}
