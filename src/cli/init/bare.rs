//! `init` in a bare repository, or where git left config.toml out of the work tree: there is no file to write, but this clone
//! can be bound to what its branch says.

use super::InitArgs;
use crate::{
    cli::Global,
    send_pack::connect::RemoteUrl,
    state::{cursor, files::StateDir},
    sync::{self, SyncErrorKind, Workspace},
    workspace,
};

/// Binds the clone to the central and the folder in it that config.toml names, where they are named here too.
pub fn confirm(global: &Global, args: &InitArgs, workspace: &Workspace) -> Result<(), SyncErrorKind> {
    let config = workspace.config();
    let (Some(settings), Some(url)) = (&config.sync, &args.upstream) else {
        return Err(workspace.no_files("init"));
    };
    let named = [
        settings.upstream_url == *url,
        args.prefix.is_none() || args.prefix == config.workspace,
        args.branch.is_none() || settings.branch == args.branch.clone().map(Into::into),
    ];
    if named.contains(&false) {
        return Err(workspace.no_files("init"));
    }
    let url = RemoteUrl::parse(url).map_err(SyncErrorKind::UpstreamUrl)?;
    let id = sync::identity(&url, workspace.project(), workspace.metis().project());
    if !args.dry_run {
        let mut guard = workspace.guard()?;
        let (noted, prefix) = (guard.notes().upstream.clone(), guard.notes().prefix.clone());
        let is_other = noted.is_some_and(|noted| noted != id) || (prefix.is_some() && prefix != config.workspace);
        guard.update(|notes| {
            notes.upstream = Some(id);
            notes.confirmed = workspace::to_confirm(config);
            notes.former.extend(notes.prefix.take());
            notes.prefix.clone_from(&config.workspace);
            notes.former.retain(|former| Some(former) != config.workspace.as_ref());
        })?;
        if let Some(state) = StateDir::open(workspace.metis().path())?.filter(|_| is_other) {
            state.remove(cursor::FILE)?;
        }
    }
    if global.talks() && !global.json {
        say!("This clone syncs with {url}, as config.toml of its branch says.");
    }
    Ok(())
}
