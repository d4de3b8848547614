//! What is asked of a sync, and a conduit that is ready for it.

use std::{collections::BTreeMap, sync::atomic::AtomicBool, time::Duration};

use jiff::Timestamp;

use super::{
    ConduitError,
    definition::{self, Defined},
    endpoint::{self, Endpoints},
    memory::{self, Memory},
    rules::Rules,
};
use crate::{
    fs::Dir,
    plan::{
        conduit::Outcome,
        source::{Head, Source},
    },
    stage::own::WORKTREE,
    state::{
        files::StateDir,
        guard::Guard,
        lock::{Holder, Lock},
    },
    sync::Workspace,
    workspace::ConfigFile,
};

/// What is asked of a sync.
pub struct Order<'a> {
    /// Only say what would be done.
    pub dry_run: bool,
    /// Deleting or overwriting most of a side is meant.
    pub accept_deletes: bool,
    /// So is a first mirror over what is there.
    pub accept_first: bool,
    /// What a person decided, by path.
    pub decided: BTreeMap<String, Outcome>,
    /// What ran it, for the record.
    pub trigger: &'a str,
    /// Ctrl-C.
    pub interrupt: &'a AtomicBool,
    /// How long to wait for others.
    pub lock_wait: Duration,
}

/// A conduit that may be synced: locked, open, and what is known of it.
pub(super) struct Ready<'a> {
    pub defined: Defined,
    pub endpoints: Endpoints,
    pub memory: Memory<'a>,
    pub rules: Rules,
    _lock: Option<Lock>,
}

impl<'a> Ready<'a> {
    pub fn new(workspace: &Workspace, guard: &'a Guard, name: &str, order: &Order<'_>) -> Result<Self, ConduitError> {
        let metis = workspace.metis();
        let all = definition::all(metis.dir())?;
        let defined = all
            .get(name)
            .cloned()
            .ok_or_else(|| ConduitError::Unknown(name.to_owned()))?;
        let enabled = &guard.notes().conduits;
        if !is_enabled(enabled, name, &defined) {
            return Err(ConduitError::NotEnabled {
                name: name.to_owned(),
                changed: enabled.contains_key(name),
            });
        }
        let endpoints = opened(workspace, &all, enabled, name, &defined)?;
        check_checkout(workspace, &endpoints)?;
        let lock = match order.dry_run {
            true => None,
            false => {
                let state = StateDir::create(metis.path())?;
                let holder = Holder::this_process(Timestamp::now(), &format!("git metis-sync {}", order.trigger));
                let lock = Lock::acquire(&state, order.lock_wait, &holder)?;
                endpoints.lock(order.lock_wait)?;
                Some(lock)
            }
        };
        Ok(Ready {
            rules: Rules::new(&defined.definition),
            memory: Memory::open(metis.dir(), guard, name, &defined.definition, !order.dry_run)?,
            defined,
            endpoints,
            _lock: lock,
        })
    }

    pub fn roots(&self) -> [&Dir; 2] {
        [&self.endpoints.roots[0], &self.endpoints.roots[1]]
    }
}

/// The files of a project count where its documents do: with nothing unfinished, and on the branch that they come from.
fn check_checkout(workspace: &Workspace, endpoints: &Endpoints) -> Result<(), ConduitError> {
    let project = workspace.project();
    let Some(top) = project.dir().and_then(|dir| dir.canonicalize().ok()) else {
        return Ok(());
    };
    if !endpoints.roots.iter().any(|root| root.path().starts_with(&top)) {
        return Ok(());
    }
    let source = workspace.config().sync.as_ref().and_then(|sync| sync.source.as_deref());
    let branch = source.filter(|source| *source != WORKTREE);
    let Some(situation) = project.situation(branch.map_or(Source::Worktree, Source::Branch)) else {
        return Ok(());
    };
    if let Some(what) = situation.unfinished {
        return Err(ConduitError::Unfinished(what));
    }
    match (branch, situation.head) {
        (Some(branch), Head::Branch { name, .. }) if name == branch => Ok(()),
        (Some(branch), _) => Err(ConduitError::OtherBranch(branch.into())),
        (None, _) => Ok(()),
    }
}

/// Forgets what the folders of a conduit had in common, so that one of this name begins anew. What was kept stays.
pub fn forget(workspace: &Workspace, name: &str) -> Result<(), ConduitError> {
    memory::forget(workspace.metis().dir(), name)
}

/// Whether a conduit of this definition could be synced: its folders are there, are two, and nobody else's.
pub fn check(
    workspace: &Workspace,
    name: &str,
    definition: &definition::Definition,
    file: ConfigFile,
) -> Result<(), ConduitError> {
    let defined = Defined {
        definition: definition.clone(),
        file,
    };
    let all = definition::all(workspace.metis().dir())?;
    let guard = workspace.guard()?;
    opened(workspace, &all, &guard.notes().conduits, name, &defined).map(drop)
}

/// Whether `enabled` has a conduit as it is defined.
fn is_enabled(enabled: &BTreeMap<String, String>, name: &str, defined: &Defined) -> bool {
    enabled.get(name) == Some(&defined.definition.digest())
}

/// The folders of a conduit, if they are no other enabled one's.
fn opened(
    workspace: &Workspace,
    all: &BTreeMap<String, Defined>,
    enabled: &BTreeMap<String, String>,
    name: &str,
    defined: &Defined,
) -> Result<Endpoints, ConduitError> {
    let project = workspace.metis().project();
    let endpoints = endpoint::open(project, defined)?;
    let others = all
        .iter()
        .filter(|(other, defined)| *other != name && is_enabled(enabled, other, defined));
    endpoint::check_others(project, name, defined, &endpoints, others)?;
    Ok(endpoints)
}
