//! Others' folders of central into `.metis/<prefix>/`.
//!
//! A folder's marker says which tree it is at. Before the first change it also says which tree it is going to, so that a run
//! that is killed half way is known to have been there: the next one then looks at every file instead of trusting the
//! difference between two trees.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    central::{self, store::Store, tree},
    fs::DirError,
    names::{ObjectId, Prefix, ShortCode},
    plan::{
        hydrate::{FolderPlan, Pulled},
        listing::{self, Documents},
    },
    state::cursor::Cursor,
    text::UntrustedName,
    workspace::{self, Glance, Survey},
};

use super::{Context, Warning, fetch::Snapshot};

mod apply;
mod copy;
mod planning;
mod work;

pub use apply::apply;
pub use planning::{PlanError, back, plan};
pub use work::tracked_by_git;

/// What to do in one folder.
#[derive(Debug, Clone)]
pub struct FolderWork {
    /// The workspace.
    pub prefix: Prefix,
    /// The tree it shall be at.
    pub tree: ObjectId,
    /// The tree that its marker says it is at.
    pub from: Option<ObjectId>,
    /// Files to write and remove.
    pub files: FolderPlan,
}

/// What to do in all folders.
#[derive(Debug, Default)]
pub struct HydratePlan {
    /// What the folders that are not in step looked like.
    pub survey: Survey,
    /// Folders with something to do, be it only in their marker.
    pub work: Vec<FolderWork>,
    /// Folders whose workspace is gone from central, with the documents to remove.
    pub gone: Vec<(Prefix, FolderPlan)>,
    /// Those of them that are moved aside instead: not this central's own history took their workspace away.
    pub aside: BTreeSet<Prefix>,
    /// Every workspace in central but the own one.
    pub listed: BTreeMap<Prefix, ObjectId>,
    /// Workspaces in central whose documents are not wanted here.
    pub left_out: BTreeSet<Prefix>,
    /// Folders that are in step already.
    pub in_step: BTreeMap<Prefix, ObjectId>,
    /// Folders that cannot be dealt with.
    pub unfinished: BTreeSet<Prefix>,
    /// What was left out and why.
    pub warnings: Vec<Warning>,
}

/// What was done.
#[derive(Debug, Clone, Default)]
pub struct Hydrated {
    /// Per workspace with changes.
    pub pulled: BTreeMap<Prefix, Pulled>,
    /// Locally edited files kept under these paths.
    pub kept: Vec<UntrustedName>,
    /// The tree of each folder that is in step now.
    pub folders: BTreeMap<Prefix, ObjectId>,
    /// Folders that are not.
    pub unfinished: BTreeSet<Prefix>,
    /// Workspaces in central whose documents are not wanted here.
    pub left_out: BTreeSet<Prefix>,
    /// What deserves a look.
    pub warnings: Vec<Warning>,
}

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Scope<'a> {
    /// These workspaces; empty means all.
    pub only: &'a BTreeSet<Prefix>,
    /// Every file is read, whatever the marker of its folder says.
    pub recheck: bool,
}

/// Looks at the top of `.metis/`, not into the folders that this clone knows to be hydrated.
pub fn glance(ctx: &Context<'_>, cursor: &Cursor) -> Result<Glance, DirError> {
    workspace::glance(ctx.metis.dir(), cursor.folders.keys())
}

/// Whether anything may have to be done: central moved, a folder is unfinished, missing, or not known, or config.toml wants
/// others than before.
///
/// Files inside the folders are not looked at: what others own costs nothing while central does not change.
pub fn is_due(ctx: &Context<'_>, glance: &Glance, cursor: &Cursor, snapshot: &Snapshot, scope: Scope<'_>) -> bool {
    let wants_others = cursor.folders.keys().any(|prefix| !ctx.hydrates(prefix))
        || cursor.left_out.iter().any(|prefix| ctx.hydrates(prefix));
    let emptied = snapshot.head.is_none() && !cursor.folders.is_empty();
    let all = scope.only.is_empty() && !scope.recheck;
    !all || wants_others || cursor.head != snapshot.head || emptied || !cursor.unfinished.is_empty() || !glance.as_known
}

/// The documents in a folder at `held` that somebody edited since the last sync wrote its marker. Those that are gone are none.
pub fn edited(ctx: &Context<'_>, prefix: &Prefix, held: &Documents) -> Result<Vec<ShortCode>, DirError> {
    let mut out = Vec::new();
    for code in workspace::edited_since_marked(ctx.metis.dir(), prefix)? {
        let Some(blob) = held.get(&code) else { continue };
        let path = format!("{prefix}/{}", code.file_name());
        match ctx.metis.dir().read_file(path, ctx.limits.blob_bytes) {
            Ok((bytes, _)) if central::blob_id(blob.format(), &bytes) != *blob => out.push(code),
            Ok(_) => {}
            // Whoever writes there says what is wrong with it.
            Err(_) => {}
        }
    }
    Ok(out)
}

/// The documents of a tree, if it is at hand.
pub fn read_listing(store: &Store, prefix: &Prefix, tree: Option<ObjectId>) -> Option<Documents> {
    let tree = tree.filter(|tree| store.contains(*tree))?;
    Some(listing::folder(prefix, tree::entries(store, tree).ok()?).documents)
}

/// What [`apply()`] would do if no file had been touched since, for a dry run.
pub fn foresee(plan: &HydratePlan) -> BTreeMap<Prefix, Pulled> {
    let work = plan.work.iter().map(|work| (&work.prefix, &work.files));
    let gone = plan.gone.iter().map(|(prefix, files)| (prefix, files));
    let count = |files: &FolderPlan| Pulled {
        written: files.write.len(),
        removed: files.remove.len(),
    };
    work.chain(gone)
        .filter(|(_, files)| !files.is_empty())
        .map(|(prefix, files)| (prefix.clone(), count(files)))
        .collect()
}
