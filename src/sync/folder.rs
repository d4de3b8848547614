//! Giving this workspace's folder in central another name, and taking it away: one commit each, by compare-and-swap like that
//! of a sync. Documents here stay as they are.

use std::time::SystemTime;

use jiff::Timestamp;

use super::{
    cycle::{End, Fetched, Known, Prepared},
    error::SyncErrorKind,
    options::{Progress, SyncOptions},
    record,
    report::SyncReport,
    retry,
    session::{Clock, Session},
    setup::Workspace,
};
use crate::{
    central::{
        CentralError,
        commit::{self, Trailers},
        history::{self, Owner},
        publish,
        tree::surgery,
    },
    names::{ObjectId, Prefix},
    plan::folder::{self, Fate, Folder, Refusal, Step},
    stage::{dehydrate, own},
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
    if let (Change::Rename { .. }, Some(branch)) = (change, &workspace.config().committed_in) {
        return Err(Refusal::Elsewhere(branch.into()).into());
    }
    let options = SyncOptions {
        // Not even a prefix is needed, let alone the right one.
        pull_only: true,
        ..options.clone()
    };
    let is_other_prefix = |stop: &SyncErrorKind| matches!(stop, SyncErrorKind::PrefixChanged { .. });
    let mut report = SyncReport::default();
    let clock = Clock::start();
    let mut session = Session::passing_over(workspace, &options, progress, &mut report, clock, is_other_prefix)?;
    let published = retry::until_done(&mut session, |session, known| attempt(session, known, change))?;
    let done = Done {
        commit: session.report.commit,
        configured: note(workspace, &mut session, change)?,
    };
    record::record(&mut session, published)?;
    Ok(done)
}

fn attempt(session: &mut Session<'_>, mut known: Option<Known>, change: &Change) -> Result<End, SyncErrorKind> {
    session.soundly(|session| {
        let mut fetched = Fetched::list(session, known.take())?;
        fetched.ensure(session)?;
        let compared = fetched.known.cursor.compared;
        let (step, trailers) = decide(session, &fetched, change)?;
        let (old, new) = match change {
            Change::Rename { old, new } => (old, Some(new)),
            Change::Retire(old) => (old, None),
        };
        let stays = new.unwrap_or(old);
        let Fetched { snapshot, known, .. } = &mut fetched;
        let was_compared = compared == snapshot.head;
        let mut commit = None;
        if let (Step::Commit, Some(head)) = (step, snapshot.head) {
            let trees = surgery::with_folder_moved(&known.store, snapshot.root(&known.store)?, old, new)?;
            let author = session.ctx.project.committer();
            let now = Timestamp::now();
            let made = commit::new(
                trees.root.id,
                Some(head),
                &format!("sync: {stays}"),
                &author,
                now,
                &trailers,
                snapshot.format,
            );
            publish::store_commit::<CentralError>(&mut known.store, &made, &trees, &[], |_| {
                unreachable!("no document is new")
            })?;
            commit = Some(made.id);
        }
        session.ctx.owned = Some(stays.clone());
        let end = Prepared::of(fetched, commit, None).publish(session)?;
        let End::Done(mut published) = end else { return Ok(end) };
        // The documents have not been compared: only where nothing else is new they are in step with the new commit too.
        let in_step_with = match was_compared {
            true => session.report.commit.or(compared),
            false => compared,
        };
        published.cursor.compared_at(in_step_with, None);
        // Copies of what is this workspace's own folder from now on go with the next sync.
        if let Some(marker) = workspace::read_marker(session.ctx.metis.dir(), stays) {
            let tree = marker.tree.into_iter().chain(marker.applying).next();
            published.cursor.owns_from_now_on(stays, tree);
        }
        Ok(End::Done(published))
    })
}

/// Finds out whose the folders are, and decides.
fn decide(session: &Session<'_>, fetched: &Fetched, change: &Change) -> Result<(Step, Trailers), SyncErrorKind> {
    let Fetched { snapshot, known, .. } = fetched;
    let Known { cursor, store } = known;
    let ctx = &session.ctx;
    let notes = session.notebook.guard.notes();
    let is_noted = |prefix: &Prefix| notes.prefix.as_ref() == Some(prefix) || notes.former.contains(prefix);
    let (now, stat_cache) = (SystemTime::now(), &session.notebook.stat_cache);
    let arrived = session.options.arrived;
    let mut own = own::survey(ctx, cursor, stat_cache, snapshot.format, now, arrived, None)?;
    let mut history = own.take_history(ctx);
    let at = own.commit();
    let roots = at.and_then(|at| history.as_mut()?.roots(at)).unwrap_or_default();
    let path = dehydrate::path_in_project(ctx);
    let owners = match snapshot.head.filter(|_| !roots.is_empty()) {
        Some(head) => history::owners(ctx.central(snapshot.branch.raw()), store, head, None)?,
        None => Default::default(),
    };
    let has_our_root = |owner: &Owner| roots.contains(&owner.root.0) && owner.root.1 == path;
    let root = snapshot.root(store)?;
    let whose = |prefix: &Prefix, noted: bool| -> Result<Folder, SyncErrorKind> {
        let is_ours = || owners.get(prefix).map_or(noted, has_our_root);
        Ok(match root.folder(prefix)? {
            None => Folder::Absent,
            Some(_) if is_ours() => Folder::Ours,
            Some(_) => Folder::Others,
        })
    };
    let (old, step) = match change {
        Change::Rename { old, new } => {
            let span = [snapshot.head, cursor.compared];
            let fate = match is_noted(old) {
                true => history::fate(ctx.central(snapshot.branch.raw()), store, span, old)?,
                false => None,
            };
            let at_old = whose(old, is_noted(old) && fate.is_none())?;
            let at_new = whose(new, is_noted(new) || fate == Some(Fate::Renamed(new.clone())))?;
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
fn note(workspace: &Workspace, session: &mut Session<'_>, change: &Change) -> Result<bool, SyncErrorKind> {
    match change {
        Change::Rename { old, new } => {
            let configured = configure(workspace, new).map_err(|err| SyncErrorKind::NotConfigured {
                old: old.clone(),
                new: new.clone(),
                reason: err.to_string().into(),
            })?;
            session.notebook.guard.update(|notes| {
                notes.prefix = Some(new.clone());
                for prefix in [old, new] {
                    notes.former.remove(prefix);
                    notes.retired.remove(prefix);
                }
            })?;
            Ok(configured)
        }
        Change::Retire(old) => {
            session.notebook.guard.update(|notes| {
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
