//! A conduit that is ready for what is asked of it.

use std::{collections::BTreeMap, fs::File, path::PathBuf};

use jiff::Timestamp;

use super::{
    ConduitError,
    branch::Branch,
    definition::{self, Confirmed, Defined, Links, Remote},
    endpoint::{self, Endpoints},
    memory::{self, Memory},
    order::{Ends, Order},
    others,
    publish::other_writer,
    reading::Reading,
    rules::Rules,
    tip::Tip,
};
use crate::{
    central::store::{self, user_cache_dir},
    fs::Dir,
    names::{ObjectFormat, Prefix},
    plan::{
        conduit::{Mode, Side},
        source::{Head, Source},
    },
    project::Project,
    stage::own::WORKTREE,
    state::{
        files::StateDir,
        guard::Guard,
        lock::{Holder, Lock},
    },
    sync::{Step, Workspace},
    workspace::ConfigFile,
};

/// A conduit that may be synced: locked, open, and what is known of it.
pub(super) struct Ready<'a> {
    pub defined: Defined,
    pub endpoints: Endpoints,
    /// The side that is no folder.
    pub branch: Option<Branch<'a>>,
    pub memory: Memory<'a>,
    pub project: &'a Project,
    /// The folder of the project that the conduit is defined in.
    pub top: PathBuf,
    pub rules: Rules,
    pub ends: Ends,
    _locks: Option<(Lock, Vec<File>)>,
}

impl<'a> Ready<'a> {
    pub fn new(
        workspace: &'a Workspace,
        guard: &'a Guard,
        name: &str,
        order: &Order<'_>,
    ) -> Result<Self, ConduitError> {
        let ends = order.ends();
        ends.check()?;
        // What a killed sync was doing, and what may be put back, is read from there.
        workspace.check_state()?;
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
        let options = &order.options;
        let locks = match options.dry_run {
            true => None,
            false => {
                let state = StateDir::create(metis.path())?;
                let holder = Holder::this_process(Timestamp::now(), &format!("git metis-sync {}", options.trigger));
                let lock = Lock::acquire(&state, order.lock_wait(), &holder)?;
                let cache = options.cache_dir.clone().map_or_else(user_cache_dir, Ok)?;
                Some((lock, endpoints.lock(&store::top(&cache), order.lock_wait())?))
            }
        };
        let branch = Branch::open(workspace, &defined.definition, order)?;
        if let (Some(branch), None, false) = (&branch, &guard.notes().upstream, options.dry_run) {
            let upstream = &branch.ctx.upstream_id;
            workspace
                .guard()?
                .update(|notes| notes.upstream = notes.upstream.take().or_else(|| Some(upstream.clone())))?;
        }
        let ready = Ready {
            rules: Rules::new(&defined.definition),
            ends,
            project: workspace.project(),
            top: metis.project().to_owned(),
            memory: Memory::open(
                metis.dir(),
                guard,
                name,
                &defined.definition,
                branch.as_ref(),
                !options.dry_run,
            )?,
            defined,
            endpoints,
            branch,
            _locks: locks,
        };
        match ready.memory.mounts().lost(&ready.mounts()) {
            Some(side) if !order.accept_deletes => Err(ConduitError::Unmounted { side, inside: None }),
            _ => Ok(ready),
        }
    }

    /// The folders.
    pub fn roots(&self) -> [Option<&Dir>; 2] {
        [self.endpoints.roots[0].as_ref(), self.endpoints.roots[1].as_ref()]
    }

    /// By which hash contents are named.
    pub fn format(&self, tip: Option<&Tip>) -> ObjectFormat {
        tip.map_or(ObjectFormat::Sha1, |tip| tip.store.format())
    }

    /// How folders are read.
    pub fn reading(&self, tip: Option<&Tip>) -> Reading {
        self.reading_for(self.format(tip))
    }

    /// The same where contents are named by this hash.
    pub fn reading_for(&self, format: ObjectFormat) -> Reading {
        let branch = self.branch.as_ref();
        Reading {
            format,
            exec: branch.is_none_or(|branch| branch.exec),
            largest: branch.map_or(u64::MAX, |branch| branch.largest),
            links: self.defined.definition.links == Links::Keep,
        }
    }

    /// Whose version keeps its name where one stays beside the other: central's, which all have in common.
    pub fn keeps_name(&self) -> Side {
        self.branch.as_ref().map_or(Side::Alpha, |branch| branch.side)
    }

    /// The branch as it is now. `None`: both sides are folders.
    pub fn fetch(&self, order: &Order<'_>) -> Result<Option<Tip>, ConduitError> {
        let Some(branch) = &self.branch else { return Ok(None) };
        let base = self.memory.base(&self.rules)?;
        if order.is_offline {
            return branch.known(self.memory.head(), &self.rules, &base.items).map(Some);
        }
        order.told.step(Step::Listing);
        let mut told = &order.told;
        let tip = branch.fetch(self.memory.head(), &self.rules, &base.items, &mut told)?;
        if tip.is_rewound {
            if !order.options.adopt_central {
                return Err(ConduitError::Rewound {
                    branch: tip.snapshot.branch.clone(),
                    is_gone: tip.snapshot.head.is_none(),
                });
            }
            self.memory.forget_base();
        }
        Ok(Some(tip))
    }

    /// Who alone writes the branch: the workspace that mirrors a folder of it.
    pub fn writer(&self) -> Option<Prefix> {
        let owned = self.branch.as_ref().and_then(|branch| branch.ctx.owned.clone());
        owned.filter(|_| self.defined.definition.mode == Mode::Mirror)
    }

    /// Refuses to write a branch that is another one's to write.
    pub fn check_writer(&self, branch: &Branch<'_>, tip: &Tip) -> Result<(), ConduitError> {
        let other = other_writer(tip, self.writer().as_ref()).map_err(|err| branch.failure(err.into()))?;
        match other {
            None => Ok(()),
            Some(why) => Err(ConduitError::OtherWriter {
                branch: tip.snapshot.branch.clone(),
                why,
            }),
        }
    }
}

/// The files of a project count where its documents do: with nothing unfinished, and on the branch that they come from.
fn check_checkout(workspace: &Workspace, endpoints: &Endpoints) -> Result<(), ConduitError> {
    let project = workspace.project();
    let Some(top) = project.dir().and_then(|dir| dir.canonicalize().ok()) else {
        return Ok(());
    };
    if !endpoints
        .roots
        .iter()
        .flatten()
        .any(|root| root.path().starts_with(&top))
    {
        return Ok(());
    }
    let source = workspace.config().sync.as_ref().and_then(|sync| sync.source.as_ref());
    let source = source.map(|source| source.raw());
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

/// The folders of all conduits that this clone syncs, as far as they are there.
pub fn folders(workspace: &Workspace) -> Vec<PathBuf> {
    let project = workspace.metis().project();
    let open = synced(workspace).into_iter();
    let open = open.filter_map(|defined| endpoint::open(project, &defined).ok());
    let roots = open.flat_map(|endpoints| endpoints.roots).flatten();
    roots.map(|root| root.path().to_owned()).collect()
}

/// Whether this clone syncs one with a branch of central.
pub fn share_branches(workspace: &Workspace) -> bool {
    let all = synced(workspace);
    let mut remotes = all.iter().filter_map(|defined| defined.definition.remote());
    remotes.any(|(_, remote)| matches!(remote, Remote::Branch(_)))
}

fn synced(workspace: &Workspace) -> Vec<Defined> {
    if !workspace.has_conduits() {
        return Vec::new();
    }
    let (Ok(all), Ok(guard)) = (definition::all(workspace.metis().dir()), workspace.guard()) else {
        return Vec::new();
    };
    let enabled = &guard.notes().conduits;
    let synced = all
        .into_iter()
        .filter(|(name, defined)| is_enabled(enabled, name, defined));
    synced.map(|(_, defined)| defined).collect()
}

/// Whether a conduit of this definition could be synced: its folders are there, are two, and nobody else's.
pub fn check(
    workspace: &Workspace,
    name: &str,
    definition: &definition::Definition,
    file: ConfigFile,
) -> Result<(), ConduitError> {
    definition::check(file, name, definition)?;
    let defined = Defined {
        definition: definition.clone(),
        file,
    };
    Branch::open(workspace, definition, &Order::default())?;
    let all = definition::all(workspace.metis().dir())?;
    let guard = workspace.guard()?;
    opened(workspace, &all, &guard.notes().conduits, name, &defined).map(drop)
}

/// Whether `enabled` has a conduit as it is defined.
fn is_enabled(enabled: &BTreeMap<String, String>, name: &str, defined: &Defined) -> bool {
    defined.definition.confirmed(enabled.get(name)) == Confirmed::Enabled
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
    others::check(project, name, defined, &endpoints, others)?;
    Ok(endpoints)
}
