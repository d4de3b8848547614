//! Where central is, and how far this clone has dealt with it: what has to be known to see whether a sync is needed.

use std::{
    hash::{BuildHasher, BuildHasherDefault, DefaultHasher, Hash},
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
    text::UntrustedName,
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
    /// By the refs that there are and what they are at.
    pub fn of(logs: impl Hash, conduits: impl Hash) -> Self {
        let digest = BuildHasherDefault::<DefaultHasher>::default();
        OtherRefs {
            logs: digest.hash_one(logs),
            conduits: digest.hash_one(conduits),
        }
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
    let is_log = |(name, _): &&(UntrustedName, ObjectId)| device_log::is_log(name.raw());
    let (logs, conduits): (Vec<_>, Vec<_>) = remote.beside.iter().partition(is_log);
    let heads = Heads {
        head: remote.head,
        beside: OtherRefs::of(logs, conduits),
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
