//! Giving this workspace's folder in central another name, and taking it away: one commit each, by compare-and-swap like that
//! of a sync. Documents here stay as they are.

use std::time::{Instant, SystemTime};

use jiff::Timestamp;

use super::{
    cycle::{self, End, Prepared},
    error::SyncErrorKind,
    options::{Progress, SyncOptions},
    record,
    report::SyncReport,
    retrying,
    setup::{Setup, Workspace},
};
use crate::{
    central::{
        CentralError,
        commit::{self, Trailers},
        git_config,
        history::{self, Fate, Owner},
        publish, tree,
    },
    names::{ObjectId, Prefix},
    plan::folder::{self, Folder, Refusal, Step},
    stage::{
        dehydrate,
        fetch::{self, Snapshot},
        own,
    },
    workspace::{self, Config, ConfigFile, Edit},
};

/// What to do with a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// It gets another name.
    Rename {
        /// The name that it has.
        old: Prefix,
        /// The one that it gets.
        new: Prefix,
    },
    /// It goes.
    Retire(Prefix),
}

/// What was done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Done {
    /// The commit in central. `None`: central was like that already.
    pub commit: Option<ObjectId>,
    /// Whether config.toml was changed.
    pub configured: bool,
}

/// Changes central, then what this clone is bound to.
pub fn change(
    workspace: &Workspace,
    options: &SyncOptions,
    change: &Change,
    progress: &mut dyn Progress,
) -> Result<Done, SyncErrorKind> {
    if let Change::Rename { new, .. } = change
        && workspace::is_reserved(new)
    {
        return Err(Refusal::Reserved(new.clone()).into());
    }
    let (clock, started) = (Instant::now(), Timestamp::now());
    let options = SyncOptions {
        // Not even a prefix is needed, let alone the right one.
        pull_only: true,
        ..options.clone()
    };
    let is_other_prefix = |stop: &SyncErrorKind| matches!(stop, SyncErrorKind::PrefixChanged { .. });
    let mut setup = Setup::passing_over(workspace, &options, clock, started, is_other_prefix)?;
    let mut report = SyncReport::default();
    retrying(&mut setup, progress, &mut report, clock, |setup, progress, report| {
        attempt(setup, &options, change, progress, report)
    })?;
    let done = Done {
        commit: report.commit,
        configured: note(workspace, &mut setup, change)?,
    };
    record::record(&mut setup, &mut report, &options.trigger, started, clock.elapsed())?;
    Ok(done)
}

fn attempt(
    setup: &mut Setup<'_>,
    options: &SyncOptions,
    change: &Change,
    progress: &mut dyn Progress,
    report: &mut SyncReport,
) -> Result<End, SyncErrorKind> {
    let snapshot = cycle::fetched(setup, options, progress, report)?;
    let (store, cursor) = (setup.store.as_mut(), setup.cursor.as_ref());
    if let (Some(store), Some(head)) = (store, snapshot.head) {
        fetch::ensure(&setup.ctx, store, head)?;
    }
    let compared = cursor.and_then(|cursor| cursor.compared);
    let (step, trailers) = decide(setup, options, change, &snapshot)?;
    let (old, new) = match change {
        Change::Rename { old, new } => (old, Some(new)),
        Change::Retire(old) => (old, None),
    };
    let stays = new.unwrap_or(old);
    let mut commit = None;
    if let (Step::Commit, Some(head), Some(store)) = (step, snapshot.head, setup.store.as_mut()) {
        let trees = tree::with_folder_moved(store, tree::of_commit(store, head)?, old, new)?;
        let author = git_config::committer(setup.ctx.project.config());
        let now = Timestamp::now();
        let made = commit::new(
            trees.root.id,
            Some(head),
            stays,
            &author,
            now,
            &trailers,
            snapshot.format,
        );
        publish::store_commit::<CentralError>(store, &made, &trees, &[], |_| unreachable!("no document is new"))?;
        commit = Some(made.id);
    }
    setup.ctx.owned = Some(stays.clone());
    let prepared = Prepared { commit, notes: None };
    let end = cycle::published(setup, progress, report, &snapshot, &prepared)?;
    if let Some(cursor) = &mut setup.cursor {
        // The documents have not been compared: only where nothing else is new they are in step with the new commit too.
        cursor.compared = match compared == snapshot.head {
            true => report.commit.or(compared),
            false => compared,
        };
        // Copies of what is this workspace's own folder from now on go with the next sync.
        if let Some(marker) = workspace::read_marker(setup.ctx.metis.dir(), stays) {
            let tree = marker.tree.into_iter().chain(marker.applying).next();
            cursor.folders.extend(tree.map(|tree| (stays.clone(), tree)));
            cursor.unfinished.insert(stays.clone());
        }
    }
    Ok(end)
}

/// Finds out whose the folders are, and decides.
fn decide(
    setup: &Setup<'_>,
    options: &SyncOptions,
    change: &Change,
    snapshot: &Snapshot,
) -> Result<(Step, Trailers), SyncErrorKind> {
    let (Some(store), Some(cursor)) = (&setup.store, &setup.cursor) else {
        unreachable!("fetching opened the store and made the cursor")
    };
    let ctx = &setup.ctx;
    let notes = setup.guard.notes();
    let is_noted = |prefix: &Prefix| notes.prefix.as_ref() == Some(prefix) || notes.former.contains(prefix);
    let now = SystemTime::now();
    let own = own::survey(ctx, cursor, &setup.stat_cache, snapshot.format, now, options.arrived)?;
    let mut history = own::open_history(ctx, snapshot.format);
    let at = own.commit();
    let roots = at.and_then(|at| history.as_mut()?.roots(at)).unwrap_or_default();
    let path = dehydrate::path_in_project(ctx);
    let owners = match snapshot.head.filter(|_| !roots.is_empty()) {
        Some(head) => history::owners(&ctx.upstream, &ctx.connect, &snapshot.branch, store, head, None)?,
        None => Default::default(),
    };
    let has_our_root = |owner: &Owner| roots.contains(&owner.root.0) && owner.root.1 == path;
    let root = snapshot.head.map(|head| tree::of_commit(store, head)).transpose()?;
    let whose = |prefix: &Prefix, noted: bool| -> Result<Folder, SyncErrorKind> {
        let is_ours = || owners.get(prefix).map_or(noted, has_our_root);
        Ok(match tree::owned(store, root, prefix)? {
            None => Folder::Absent,
            Some(_) if is_ours() => Folder::Ours,
            Some(_) => Folder::Others,
        })
    };
    let (old, step) = match change {
        Change::Rename { old, new } => {
            let at_old = whose(old, is_noted(old))?;
            let mut noted = is_noted(new);
            if at_old == Folder::Absent && is_noted(old) {
                let span = [snapshot.head, None];
                let fate = history::fate(&ctx.upstream, &ctx.connect, &snapshot.branch, store, span, old)?;
                noted |= fate == Some(Fate::Renamed(new.clone()));
            }
            let at_new = whose(new, noted)?;
            (old, folder::rename([old, new], [at_old, at_new])?)
        }
        Change::Retire(old) => (old, folder::retire(old, whose(old, is_noted(old))?, is_noted(old))?),
    };
    let root = cursor.root.filter(|root| roots.contains(root));
    let root = root.or(roots.first().copied());
    let trailers = Trailers {
        commit: at,
        root: root.map(|root| (root, path)),
        left: Some(old.clone()),
        ..Trailers::default()
    };
    Ok((step, trailers))
}

/// Binds this clone to what is in central from now on. Returns whether config.toml was changed.
fn note(workspace: &Workspace, setup: &mut Setup<'_>, change: &Change) -> Result<bool, SyncErrorKind> {
    match change {
        Change::Rename { old, new } => {
            let configured = configure(workspace, new).map_err(|err| {
                SyncErrorKind::Mend(format!(
                    "central has {new}/ in the place of {old}/, but config.toml could not be changed: {err}. Put `prefix = \
                     \"{new}\"` under its [workspace], or mend that, and run the same command again"
                ).into())
            })?;
            setup.guard.update(|notes| {
                notes.prefix = Some(new.clone());
                for prefix in [old, new] {
                    notes.former.remove(prefix);
                    notes.retired.remove(prefix);
                }
            })?;
            Ok(configured)
        }
        Change::Retire(old) => {
            setup.guard.update(|notes| {
                notes.retired.insert(old.clone());
            })?;
            Ok(false)
        }
    }
}

/// Writes the prefix where config.toml has it, in this clone's own file if that has the last word.
fn configure(workspace: &Workspace, prefix: &Prefix) -> Result<bool, SyncErrorKind> {
    let metis = workspace.metis().dir();
    let mut changed = false;
    for file in [ConfigFile::Shared, ConfigFile::Local] {
        if Config::load(metis)?.workspace.as_ref() != Some(prefix) {
            changed |= workspace::edit_config(metis, file, &[Edit::WorkspacePrefix(prefix.clone())])?;
        }
    }
    Ok(changed)
}
