//! The side of a conduit that is a branch of central, or a folder there: listing it, and waiting for one's time after a lost race.

use std::{
    cell::RefCell,
    collections::HashSet,
    time::{Duration, Instant},
};

use super::{
    ConduitError, Definition, Order,
    apply::Unsent,
    definition::{Links, Remote},
    documents::Folder,
    files::Obstacle,
    listed::{Bounds, Listed, contents, list},
    renewal::Renewal,
    rules::Rules,
    tip::Tip,
};
use crate::{
    central::{
        CentralError,
        history::{self, Central},
        remote::Met,
        store::Store,
        turn::Turn,
    },
    names::ObjectId,
    plan::{
        conduit::{Item, Side},
        guard::Lineage,
        retry::Race,
    },
    send_pack::connect::Greeting,
    stage::{
        Context,
        fetch::{self, Snapshot},
    },
    sync::{Progress, Step, SyncErrorKind, SyncOptions, Workspace, steps},
};

/// The branch, or a workspace's folder in central, and how this clone comes to it.
pub struct Branch<'a> {
    pub side: Side,
    /// The folder, and where it is as of the last sync. `None`: it is a branch of its own.
    pub(super) folder: Option<Folder>,
    pub ctx: Context<'a>,
    pub exec: bool,
    /// Whether symbolic links are carried.
    pub links: bool,
    /// The largest file, in bytes.
    pub largest: u64,
    pub met_to_push: RefCell<Option<Greeting>>,
    met: RefCell<Option<Met>>,
    max_retries: u32,
    deadline: Duration,
    begun: Instant,
    pub(super) is_scratch: bool,
    pub renewal: Renewal,
}

impl<'a> Branch<'a> {
    /// `None`: both sides are folders.
    pub fn open(
        workspace: &'a Workspace,
        definition: &Definition,
        order: &Order<'_>,
    ) -> Result<Option<Self>, ConduitError> {
        let Some((side, remote)) = definition.remote() else {
            return Ok(None);
        };
        let begun = Instant::now();
        let options = SyncOptions {
            pull_only: !definition.writes(side),
            deadline: order.left().or(order.options.deadline),
            ..order.options.clone()
        };
        let (mut ctx, deadline, max_retries) = workspace.upstream(&options, begun)?;
        let folder = match remote {
            Remote::Branch(name) => {
                ctx.branch = Some(name);
                None
            }
            Remote::Documents(prefix) => Some(Folder::as_synced(workspace, prefix)?),
        };
        Ok(Some(Branch {
            side,
            folder,
            ctx,
            exec: definition.exec,
            links: definition.links == Links::Keep,
            largest: u64::from(definition.max_file_mib) << 20,
            met_to_push: RefCell::default(),
            met: RefCell::default(),
            max_retries,
            deadline,
            begun,
            is_scratch: options.dry_run,
            renewal: Renewal::default(),
        }))
    }

    /// Lists the branch and brings its objects here. `seen`: the commit that this clone saw last; `base`: what needs not be looked
    /// at. Damaged objects are fetched anew, once; what is missing after that, central does not have either.
    pub fn fetch(
        &self,
        seen: Option<ObjectId>,
        rules: &Rules,
        base: &[(String, Item)],
        progress: &mut dyn Progress,
    ) -> Result<Tip, ConduitError> {
        if let Some(folder) = &self.folder {
            return self.documents(folder, false, rules, base);
        }
        match self.attempt(seen, rules, base, progress) {
            Err(ConduitError::Workspace(SyncErrorKind::Central(err)))
                if err.is_damaged_cache() && self.renewal.may_help() =>
            {
                self.renewal.ask();
                self.attempt(seen, rules, base, progress)
                    .map_err(|error| self.failure(error))
            }
            done => done.map_err(|error| self.failure(error)),
        }
    }

    fn attempt(
        &self,
        seen: Option<ObjectId>,
        rules: &Rules,
        base: &[(String, Item)],
        progress: &mut dyn Progress,
    ) -> Result<Tip, ConduitError> {
        let mut remote = fetch::list_again(&self.ctx, self.met.take())?;
        let mut store = fetch::store(&self.ctx, remote.format, self.is_scratch)?;
        if self.renewal.is_due() {
            store.reset()?;
            self.renewal.done();
        }
        // One of another hash is no commit of this central.
        let known = seen.filter(|seen| seen.format() == remote.format);
        let snapshot = fetch::apply(&self.ctx, &mut remote, &mut store, known, &[], &mut |bytes| {
            progress.step(Step::Fetching { bytes });
        });
        *self.met.borrow_mut() = remote.met();
        remote.close();
        let snapshot = snapshot?;
        fetch::ensure(&self.ctx, &mut store, &snapshot)?;
        Ok(Tip {
            above: String::new(),
            is_rewound: snapshot.lineage == Lineage::Rewound || (seen.is_some() && known.is_none()),
            listed: self.list(&snapshot, &store, rules, base)?,
            snapshot,
            store,
        })
    }

    /// The branch as this clone saw it last, at `head`, without asking central.
    pub fn known(&self, head: Option<ObjectId>, rules: &Rules, base: &[(String, Item)]) -> Result<Tip, ConduitError> {
        if let Some(folder) = &self.folder {
            return self.documents(folder, true, rules, base);
        }
        let look = || {
            let head = head.ok_or(SyncErrorKind::NeverSynced)?;
            let store = fetch::store(&self.ctx, head.format(), self.is_scratch)?;
            let name = self.ctx.branch.clone().unwrap_or_default();
            let snapshot = Snapshot::new(name.into(), head.format(), Some(head));
            Ok(Tip {
                listed: self.list(&snapshot, &store, rules, base)?,
                is_rewound: false,
                above: String::new(),
                snapshot,
                store,
            })
        };
        look().map_err(|error| self.failure(error))
    }

    /// Those of `files`, by path, that the branch has or had with this content.
    pub fn had<'p>(
        &self,
        tip: &Tip,
        files: impl Iterator<Item = (&'p str, ObjectId)>,
    ) -> Result<HashSet<String>, ConduitError> {
        let files: Vec<_> = files.map(|(path, id)| (format!("{}{path}", tip.above), id)).collect();
        let Some(head) = tip.snapshot.head.filter(|_| !files.is_empty()) else {
            return Ok(HashSet::new());
        };
        let central = Central {
            url: &self.ctx.upstream,
            options: &self.ctx.connect,
            branch: tip.snapshot.branch.raw(),
        };
        let had = history::had(central, &tip.store, head, &files).map_err(|err| self.failure(err.into()))?;
        Ok(had.into_iter().map(|path| path[tip.above.len()..].to_owned()).collect())
    }

    /// What is in the branch.
    pub fn list(
        &self,
        snapshot: &Snapshot,
        store: &Store,
        rules: &Rules,
        base: &[(String, Item)],
    ) -> Result<Listed, ConduitError> {
        list(
            store,
            snapshot.root(store)?.id(),
            rules,
            &self.bounds(),
            &contents(base),
        )
    }

    /// What is taken from central at most.
    pub(super) fn bounds(&self) -> Bounds {
        Bounds {
            files: self.ctx.limits.entries,
            file_bytes: self.largest,
            total_bytes: self.ctx.limits.total_bytes,
            exec: self.exec,
            links: self.links,
            only_documents: self.folder.is_some(),
            passes_over_missing: self.renewal.is_done(),
        }
    }

    /// Takes note that `tip` has moved on to our commit.
    pub fn is_at(
        &self,
        tip: &mut Tip,
        commit: ObjectId,
        rules: &Rules,
        base: &[(String, Item)],
    ) -> Result<(), ConduitError> {
        tip.snapshot = Snapshot::new(tip.snapshot.branch.clone(), tip.store.format(), Some(commit));
        tip.listed = self.list(&tip.snapshot, &tip.store, rules, base)?;
        Ok(())
    }

    /// Waits for its time after somebody else was faster than the cycle that began at `cycle`.
    pub fn wait(
        &self,
        tip: &Tip,
        retries: u32,
        cycle: Instant,
        progress: &mut dyn Progress,
    ) -> Result<Option<Turn>, Unsent> {
        let lost = steps::Lost {
            ctx: &self.ctx,
            store: &tip.store,
            deadline: self.deadline,
            race: Race {
                retries_done: retries,
                max_retries: self.max_retries,
                cycle: cycle.elapsed(),
                left: Some(self.deadline.saturating_sub(self.begun.elapsed())),
                seat: None,
            },
        };
        steps::wait(&lost, progress).map_err(|kind| self.unsent(kind))
    }

    /// The same error with central's name.
    pub fn failure(&self, error: ConduitError) -> ConduitError {
        match error {
            ConduitError::Workspace(kind) => ConduitError::Central {
                kind: Box::new(kind),
                url: self.ctx.upstream_shown.clone(),
                is_begun: false,
            },
            other => other,
        }
    }

    /// Why nothing was sent.
    pub fn unsent(&self, kind: impl Into<SyncErrorKind>) -> Unsent {
        Unsent::Stopped(Box::new(ConduitError::Central {
            kind: Box::new(kind.into()),
            url: self.ctx.upstream_shown.clone(),
            is_begun: true,
        }))
    }

    /// The same where objects that are fetched anew may help.
    pub fn unsent_by(&self, err: CentralError) -> Unsent {
        if err.is_damaged_cache() && self.renewal.may_help() {
            self.renewal.ask();
            return Unsent::Obstacle(Obstacle::Damaged);
        }
        self.unsent(err)
    }
}
