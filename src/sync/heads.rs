//! Where central is, and how far this clone has dealt with it: what has to be known to see whether a sync is needed.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    os::unix::ffi::OsStrExt,
    path::PathBuf,
    time::Instant,
};

use super::{SyncErrorKind, SyncOptions, Workspace, notebook, setup};
use crate::{
    names::ObjectId,
    send_pack::connect::Scheme,
    stage::{Context, fetch},
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
    Ok(Central {
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
    /// Tells the logs of records as they are from what they were.
    pub logs: u64,
}

/// Asks a central for its heads. Nothing is transferred, and nothing written.
pub fn listed(workspace: &Workspace, options: &SyncOptions) -> Result<Heads, SyncErrorKind> {
    let ctx = context(workspace, options)?;
    workspace.check_state()?;
    let guard = workspace.guard()?;
    if let Some(stop) = workspace.check_binding(&guard, None, &ctx).into_iter().next() {
        return Err(stop);
    }
    let remote = fetch::list_with_logs(&ctx, None, || ())?;
    let mut logs = DefaultHasher::new();
    remote.beside.hash(&mut logs);
    let heads = Heads {
        head: remote.head,
        logs: logs.finish(),
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
