//! Central as somebody sees it who has no workspace there yet.
//!
//! Central is asked once. What it holds goes to the object cache, where the first sync finds it: nothing is transferred
//! twice. Nothing below `.metis/` is read or written.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::atomic::Ordering,
    time::Instant,
};

mod logs;

use super::{
    branch::not_named,
    error::SyncErrorKind,
    options::{DEFAULT_DEADLINE, Progress, Step, SyncOptions},
    place,
    setup::connect_options,
};
use crate::{
    central::{
        CentralError, device_log, fetch,
        remote::Remote,
        store::{self, Store},
        tree::{self, Root},
    },
    names::{ObjectFormat, ObjectId, Prefix},
    plan::listing,
    project::Project,
    send_pack::connect::{ConnectError, ConnectOptions, RemoteUrl},
    text::UntrustedName,
};

pub use logs::{Taken, try_logs};

/// Central as somebody sees it who has no workspace there yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probed {
    /// Central's branch.
    pub branch: UntrustedName,
    /// Its commit. `None`: central is empty.
    pub head: Option<ObjectId>,
    /// Whether central has other branches instead.
    pub has_others: bool,
    /// The workspaces there, with the number of their documents. `None`: what central holds could not be looked at, which
    /// is for the first sync to explain.
    pub workspaces: Option<BTreeMap<Prefix, usize>>,
    /// What the codes of each workspace's documents begin with.
    pub letters: BTreeMap<Prefix, BTreeSet<String>>,
    /// The hash of its objects.
    pub format: ObjectFormat,
    /// Where logs of records lie there. `None`: there are none, so that a push alone shows whether central takes them.
    pub logs: Option<Taken>,
}

impl Probed {
    /// A workspace other than `own` whose documents have codes that begin with `letters`.
    pub fn shares_letters(&self, own: &Prefix, letters: &str) -> Option<&Prefix> {
        let mut others = self.letters.iter().filter(|(prefix, _)| *prefix != own);
        others
            .find(|(_, theirs)| theirs.contains(letters))
            .map(|(prefix, _)| prefix)
    }
}

/// Connects to `upstream` (as config.toml has it or will have it) and looks at what is there. `branch` is what config.toml
/// says, else central's `HEAD` decides. `folder` has `.metis/`, or will have it.
///
/// # Errors
///
/// That central cannot be reached, does not let us in, or is no repository; that it has branches of which its `HEAD` names
/// none; and an interruption.
pub fn probe(
    upstream: &str,
    branch: Option<&str>,
    project: &Project,
    folder: &Path,
    options: &SyncOptions,
    progress: &mut dyn Progress,
) -> Result<Probed, SyncErrorKind> {
    let configured = RemoteUrl::parse(upstream).map_err(ConnectError::from)?;
    let url = place::locations(upstream, project, folder)?.fetch;
    let id = place::identity(&configured, project, folder);
    let name = configured.to_string();
    let connect = connect_options(options, project, folder, Instant::now() + DEFAULT_DEADLINE);
    let cache = options.cache_dir.clone().map_or_else(store::user_cache_dir, Ok)?;
    progress.step(Step::Listing);
    let mut remote = Remote::list_beside(&url, &connect, branch, device_log::prefixes())?;
    if branch.is_none() && remote.head.is_none() && !remote.others.is_empty() {
        let stop = not_named(&remote);
        remote.close();
        return Err(stop);
    }
    let mut probed = Probed {
        branch: remote.branch.clone(),
        head: remote.head,
        has_others: !remote.others.is_empty(),
        workspaces: Some(BTreeMap::new()),
        letters: BTreeMap::new(),
        format: remote.format,
        logs: logs::lie(&remote.beside),
    };
    if let Some(head) = remote.head {
        progress.step(Step::Fetching { bytes: 0 });
        let looked = look(&mut remote, &connect, &cache, [&id, &name], head, progress);
        if looked.is_err() && connect.interrupt.load(Ordering::Relaxed) {
            return Err(SyncErrorKind::Interrupted);
        }
        probed.workspaces = match looked {
            Ok(folders) => {
                let letters =
                    |documents: &listing::Documents| documents.keys().map(|code| code.letters().to_owned()).collect();
                probed.letters = folders
                    .iter()
                    .map(|(prefix, there)| (prefix.clone(), letters(there)))
                    .collect();
                Some(
                    folders
                        .into_iter()
                        .map(|(prefix, there)| (prefix, there.len()))
                        .collect(),
                )
            }
            Err(_) => None,
        };
    }
    remote.close();
    Ok(probed)
}

fn look(
    remote: &mut Remote,
    connect: &ConnectOptions,
    cache: &Path,
    keys: [&str; 2],
    head: ObjectId,
    progress: &mut dyn Progress,
) -> Result<BTreeMap<Prefix, listing::Documents>, CentralError> {
    store::rename(cache, keys, remote.format);
    let mut store = Store::open(cache, keys[0], remote.format)?;
    let mut told = |bytes| progress.step(Step::Fetching { bytes });
    fetch::fetch(remote, connect, &mut store, head, None, &mut told)?;
    let root = listing::root(Root::of(&store, Some(head))?.entries());
    let list = |(prefix, folder): (Prefix, ObjectId)| {
        let documents = listing::folder(&prefix, tree::entries(&store, folder)?).documents;
        Ok((prefix, documents))
    };
    root.workspaces.into_iter().map(list).collect()
}
