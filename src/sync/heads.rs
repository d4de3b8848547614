//! Where central is, and how far this clone has dealt with it: what has to be known to see whether a sync is needed.

use std::{
    hash::{BuildHasher, BuildHasherDefault, DefaultHasher},
    os::unix::ffi::OsStrExt,
    path::PathBuf,
    time::Instant,
};

use super::{SyncErrorKind, SyncOptions, Workspace, notebook, setup};
use crate::{
    central::{
        device_log,
        remote::{CONDUIT_REFS, Remote},
        store::bell,
    },
    names::ObjectId,
    send_pack::connect::Scheme,
    stage::Context,
    state::files::StateDir,
};

/// A central, told from others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Central {
    /// Its location and branch; two workspaces with the same one need ask only once.
    pub key: String,
    /// Its folder, where it lies on this machine.
    pub folder: Option<PathBuf>,
    /// The branch, as far as it is configured.
    pub branch: Option<String>,
    /// The folder of its [bell], where it lies elsewhere.
    pub bell: Option<PathBuf>,
}

fn context<'a>(workspace: &'a Workspace, options: &SyncOptions) -> Result<Context<'a>, SyncErrorKind> {
    let options = SyncOptions {
        pull_only: true,
        ..options.clone()
    };
    setup::context(workspace, &options, Instant::now())
}

/// The central of a workspace.
pub fn central(workspace: &Workspace) -> Result<Central, SyncErrorKind> {
    let ctx = context(workspace, &SyncOptions::default())?;
    let path = || ctx.connect.cwd.join(std::ffi::OsStr::from_bytes(ctx.upstream.path()));
    let folder = (ctx.upstream.scheme() == Scheme::File)
        .then(path)
        .filter(|path| path.is_dir());
    let is_here = folder.is_some();
    let bell = || bell::hang(&ctx.cache_dir, &ctx.upstream_id);
    Ok(Central {
        bell: (!is_here).then(bell).flatten(),
        key: format!("{} {}", ctx.upstream_id, ctx.branch.as_deref().unwrap_or_default()),
        folder,
        branch: ctx.branch.clone(),
    })
}

/// What a central was found to have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heads {
    /// Its branch's commit.
    pub head: Option<ObjectId>,
    /// What lies beside that.
    pub beside: OtherRefs,
}

/// Tells what lies beside central's branch as it is from what it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OtherRefs {
    /// The logs of records.
    pub logs: u64,
    /// The branches of conduits.
    pub conduits: u64,
}

impl OtherRefs {
    /// By the full names of the refs that there are and what they are at, sorted. Those of other kinds do not count.
    pub fn of<'r>(refs: impl Iterator<Item = (&'r str, ObjectId)>) -> Self {
        let refs = refs.filter(|(name, _)| Self::are_of(name));
        let (logs, conduits): (Vec<_>, Vec<_>) = refs.partition(|(name, _)| device_log::is_log(name));
        let digest = BuildHasherDefault::<DefaultHasher>::default();
        OtherRefs {
            logs: digest.hash_one(logs),
            conduits: digest.hash_one(conduits),
        }
    }

    /// Whether a ref of this full name counts.
    pub fn are_of(name: &str) -> bool {
        device_log::is_log(name) || name.starts_with(CONDUIT_REFS)
    }
}

/// Asks a central for its heads. Nothing is transferred, and nothing written.
pub fn listed(workspace: &Workspace, options: &SyncOptions) -> Result<Heads, SyncErrorKind> {
    let ctx = context(workspace, options)?;
    workspace.check_state()?;
    let guard = workspace.guard()?;
    if let Some(stop) = workspace.check_binding(&guard, None, &ctx).into_iter().next() {
        return Err(stop);
    }
    let mut prefixes = device_log::prefixes();
    prefixes.push(CONDUIT_REFS.into());
    let remote = Remote::list_beside(&ctx.upstream, &ctx.connect, ctx.branch.as_deref(), prefixes)?;
    let mut beside: Vec<_> = remote.beside.iter().map(|(name, id)| (name.raw(), *id)).collect();
    beside.sort_unstable();
    let heads = Heads {
        head: remote.head,
        beside: OtherRefs::of(beside.into_iter()),
    };
    remote.close();
    Ok(heads)
}

/// The commit of central that this clone dealt with last.
pub fn dealt_with(workspace: &Workspace) -> Option<ObjectId> {
    let state = StateDir::open(workspace.metis().path()).ok()??;
    let guard = workspace.guard().ok()?;
    notebook::load_cursor(&state, &guard, &mut Vec::new()).ok()??.head
}
